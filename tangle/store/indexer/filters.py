"""What may be asked of unspent outputs, a class per route of TIP-26.

Fields have the names of the query parameters; None does not restrict. Addresses are 33 bytes (type and hash).
Times are seconds since the Unix epoch and exclusive, counts are of distinct native tokens and inclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tangle.protocol.outputs import AliasOutput, BasicOutput, FoundryOutput, NftOutput


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What can be asked of every kind of output."""

    TYPES: ClassVar[tuple[int, ...]]
    """the output types (TIP-18) among which is searched"""

    has_native_tokens: bool | None = None
    min_native_token_count: int | None = None
    max_native_token_count: int | None = None
    created_before: int | None = None
    created_after: int | None = None


@dataclass(frozen=True, kw_only=True)
class AnyFilter(Filter):
    """`/outputs`: outputs of any type; `unlockable_by` is looked for in every unlock condition."""

    TYPES = (BasicOutput.TYPE, AliasOutput.TYPE, FoundryOutput.TYPE, NftOutput.TYPE)

    unlockable_by: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class AddressedFilter(Filter):
    """What basic and NFT outputs have in common; `tag` is compared whole."""

    address: bytes | None = None
    unlockable_by: bytes | None = None
    sender: bytes | None = None
    tag: bytes | None = None
    has_storage_deposit_return: bool | None = None
    storage_deposit_return_address: bytes | None = None
    has_timelock: bool | None = None
    timelocked_before: int | None = None
    timelocked_after: int | None = None
    has_expiration: bool | None = None
    expires_before: int | None = None
    expires_after: int | None = None
    expiration_return_address: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class BasicFilter(AddressedFilter):
    """`/outputs/basic`."""

    TYPES = (BasicOutput.TYPE,)


@dataclass(frozen=True, kw_only=True)
class NftFilter(AddressedFilter):
    """`/outputs/nft`."""

    TYPES = (NftOutput.TYPE,)

    issuer: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class AliasFilter(Filter):
    """`/outputs/alias`."""

    TYPES = (AliasOutput.TYPE,)

    unlockable_by: bytes | None = None
    state_controller: bytes | None = None
    governor: bytes | None = None
    issuer: bytes | None = None
    sender: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class FoundryFilter(Filter):
    """`/outputs/foundry`; `alias_address` is that of the alias which created the foundry."""

    TYPES = (FoundryOutput.TYPE,)

    alias_address: bytes | None = None
