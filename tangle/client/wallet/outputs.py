"""Builders of outputs: say what it is for; lists, their order and the storage deposit follow (TIP-18, TIP-19).

Where an amount is left out the output holds what its storage costs, and not a coin more. Where one is given that
does not pay for the storage, DepositTooSmall names the least one. `next_*` carry a chain on: they resolve an id
that was implicit, keep what must not change, and count what must be counted.

Pure and deterministic: the parameters of the network come in, an output comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from tangle.protocol.addresses import Address, AliasAddress
from tangle.protocol.outputs import (
    NO_ID,
    AddressUnlockCondition,
    AliasOutput,
    BasicOutput,
    ExpirationUnlockCondition,
    Feature,
    FoundryOutput,
    GovernorAddressUnlockCondition,
    ImmutableAliasAddressUnlockCondition,
    IssuerFeature,
    MetadataFeature,
    NativeToken,
    NftOutput,
    Output,
    SenderFeature,
    SimpleTokenScheme,
    StateControllerAddressUnlockCondition,
    StorageDepositReturnUnlockCondition,
    TagFeature,
    TimelockUnlockCondition,
    UnlockCondition,
    check_deposit,
    least_return,
    storage_deposit,
)
from tangle.protocol.parameters import ProtocolParameters

O = TypeVar("O", bound=Output)  # noqa: E741 - an output
Expiry = tuple[Address, int]
"""who gets an output back, and from when on: seconds since the Unix epoch"""
NO_TOKENS: Mapping[bytes, int] = {}


def basic(
    parameters: ProtocolParameters,
    address: Address,
    amount: int | None = None,
    *,
    tokens: Mapping[bytes, int] = NO_TOKENS,
    sender: Address | None = None,
    metadata: bytes | None = None,
    tag: bytes | None = None,
    return_deposit_to: Address | None = None,
    expires: Expiry | None = None,
    locked_until: int | None = None,
) -> BasicOutput:
    """Base coins and native tokens for `address`.

    Parameters
    ----------
    amount : base units that the receiver keeps; None: the storage deposit, or nothing with `return_deposit_to`
    tokens : token id (38 bytes) -> amount; amounts of 0 are left out
    return_deposit_to : who gets back what the output must hold beyond `amount`
    expires : from when on the output is whose again
    locked_until : seconds since the Unix epoch before which nobody can spend it

    Raises
    ------
    DepositTooSmall : `amount` is below the storage deposit, and nothing is returned
    """
    kept = (amount or 0) if return_deposit_to else amount
    return _paid(
        BasicOutput(
            _ANY_AMOUNT,
            _conditions(address, return_deposit_to, expires, locked_until),
            _features(sender, metadata, tag),
            native_tokens(tokens),
        ),
        kept,
        parameters,
    )


def nft(
    parameters: ProtocolParameters,
    address: Address,
    amount: int | None = None,
    *,
    nft_id: bytes = NO_ID,
    tokens: Mapping[bytes, int] = NO_TOKENS,
    sender: Address | None = None,
    metadata: bytes | None = None,
    tag: bytes | None = None,
    issuer: Address | None = None,
    immutable_metadata: bytes | None = None,
    return_deposit_to: Address | None = None,
    expires: Expiry | None = None,
    locked_until: int | None = None,
) -> NftOutput:
    """An NFT for `address`; as `basic`, and what its issuer says about it for ever.

    Parameters
    ----------
    nft_id : 32 bytes; `NO_ID` mints a new one
    """
    kept = (amount or 0) if return_deposit_to else amount
    output = NftOutput(
        _ANY_AMOUNT,
        _conditions(address, return_deposit_to, expires, locked_until),
        _features(sender, metadata, tag),
        native_tokens(tokens),
        nft_id=nft_id,
        immutable_features=_immutable(issuer, immutable_metadata),
    )
    return _paid(output, kept, parameters)


def alias(
    parameters: ProtocolParameters,
    state_controller: Address,
    governor: Address | None = None,
    amount: int | None = None,
    *,
    alias_id: bytes = NO_ID,
    state_index: int = 0,
    foundry_counter: int = 0,
    state_metadata: bytes = b"",
    tokens: Mapping[bytes, int] = NO_TOKENS,
    sender: Address | None = None,
    metadata: bytes | None = None,
    issuer: Address | None = None,
    immutable_metadata: bytes | None = None,
) -> AliasOutput:
    """An alias that `state_controller` moves and `governor` (by default the same) rules.

    Parameters
    ----------
    alias_id : 32 bytes; `NO_ID` creates a new one, whose counters must be 0
    """
    output = AliasOutput(
        _ANY_AMOUNT,
        (
            StateControllerAddressUnlockCondition(state_controller),
            GovernorAddressUnlockCondition(governor or state_controller),
        ),
        _features(sender, metadata, None),
        native_tokens(tokens),
        alias_id=alias_id,
        state_index=state_index,
        state_metadata=state_metadata,
        foundry_counter=foundry_counter,
        immutable_features=_immutable(issuer, immutable_metadata),
    )
    return _paid(output, amount, parameters)


def foundry(
    parameters: ProtocolParameters,
    alias_id: bytes,
    serial_number: int,
    scheme: SimpleTokenScheme,
    amount: int | None = None,
    *,
    tokens: Mapping[bytes, int] = NO_TOKENS,
    metadata: bytes | None = None,
    immutable_metadata: bytes | None = None,
) -> FoundryOutput:
    """A foundry of the alias `alias_id` (32 bytes), its `serial_number`-th from 1."""
    output = FoundryOutput(
        _ANY_AMOUNT,
        (ImmutableAliasAddressUnlockCondition(AliasAddress(alias_id)),),
        _features(None, metadata, None),
        native_tokens(tokens),
        serial_number=serial_number,
        token_scheme=scheme,
        immutable_features=_immutable(None, immutable_metadata),
    )
    return _paid(output, amount, parameters)


def next_alias(
    parameters: ProtocolParameters, current: AliasOutput, output_id: bytes, **changes: Any
) -> AliasOutput:
    """The next state of an alias: index raised, sender dropped, all else but `changes` kept."""
    following = replace(
        current,
        alias_id=current.chain_id(output_id),
        state_index=current.state_index + 1,
        features=_without_sender(current.features),
        **changes,
    )
    return raised(following, parameters)


def governed_alias(
    parameters: ProtocolParameters,
    current: AliasOutput,
    output_id: bytes,
    *,
    state_controller: Address | None = None,
    governor: Address | None = None,
    metadata: bytes | None = None,
) -> AliasOutput:
    """An alias after a step of its governor: other holders, other metadata; what is None stays.

    Raises
    ------
    DepositTooSmall : longer metadata would need more coins, which a governor cannot add
    """
    following = replace(
        current,
        alias_id=current.chain_id(output_id),
        unlock_conditions=(
            StateControllerAddressUnlockCondition(state_controller or current.state_controller),
            GovernorAddressUnlockCondition(governor or current.governor),
        ),
        features=_features(None, current.metadata if metadata is None else metadata, None),
    )
    check_deposit(following, parameters)
    return following


def next_foundry(
    parameters: ProtocolParameters, current: FoundryOutput, *, minted: int = 0, melted: int = 0
) -> FoundryOutput:
    """A foundry after minting or melting so many tokens more."""
    scheme = current.token_scheme
    counted = SimpleTokenScheme(scheme.minted + minted, scheme.melted + melted, scheme.maximum_supply)
    return raised(replace(current, token_scheme=counted), parameters)


def next_nft(
    parameters: ProtocolParameters,
    current: NftOutput,
    output_id: bytes,
    address: Address,
    *,
    amount: int | None = None,
    **changes: Any,
) -> NftOutput:
    """An NFT in the hands of `address`, free of conditions and sender; all else but `changes` kept.

    Parameters
    ----------
    amount : base units; None keeps the present ones. Less than the storage deposit is raised to it.
    """
    following = replace(
        current,
        amount=amount or current.amount,
        nft_id=current.chain_id(output_id),
        **{
            "unlock_conditions": (AddressUnlockCondition(address),),
            "features": _without_sender(current.features),
            **changes,
        },
    )
    return raised(following, parameters)


def raised(output: O, parameters: ProtocolParameters) -> O:
    """The same output with at least its storage deposit."""
    least = storage_deposit(output, parameters)
    return output if output.amount >= least else replace(output, amount=least)


def native_tokens(tokens: Mapping[bytes, int]) -> tuple[NativeToken, ...]:
    """Token id -> amount as an output lists them: sorted, without amounts of 0."""
    return tuple(NativeToken(token_id, amount) for token_id, amount in sorted(tokens.items()) if amount)


_ANY_AMOUNT = 2**64 - 1
"""base units; stands in an output of which only the length is asked yet"""


def _paid(output: O, kept: int | None, parameters: ProtocolParameters) -> O:
    """`output` with the amount that leaves `kept` to its receiver, or with the least one."""
    least = storage_deposit(output, parameters)
    owed = output.condition(StorageDepositReturnUnlockCondition)
    if owed is None:
        made = replace(output, amount=least if kept is None else kept)
    else:
        amount = max(least, (kept or 0) + least_return(owed.return_address, parameters))
        back = StorageDepositReturnUnlockCondition(owed.return_address, amount - (kept or 0))
        conditions = tuple(back if held is owed else held for held in output.unlock_conditions)
        made = replace(output, amount=amount, unlock_conditions=conditions)
    check_deposit(made, parameters)
    return made


def _conditions(
    address: Address, return_deposit_to: Address | None, expires: Expiry | None, locked_until: int | None
) -> tuple[UnlockCondition, ...]:
    conditions: list[UnlockCondition] = [AddressUnlockCondition(address)]
    if return_deposit_to is not None:
        conditions.append(StorageDepositReturnUnlockCondition(return_deposit_to, 0))
    if locked_until is not None:
        conditions.append(TimelockUnlockCondition(locked_until))
    if expires is not None:
        conditions.append(ExpirationUnlockCondition(*expires))
    return tuple(conditions)


def _features(sender: Address | None, metadata: bytes | None, tag: bytes | None) -> tuple[Feature, ...]:
    features: list[Feature] = []
    if sender is not None:
        features.append(SenderFeature(sender))
    if metadata:
        features.append(MetadataFeature(metadata))
    if tag:
        features.append(TagFeature(tag))
    return tuple(features)


def _immutable(issuer: Address | None, metadata: bytes | None) -> tuple[Feature, ...]:
    features: list[Feature] = [] if issuer is None else [IssuerFeature(issuer)]
    return (*features, MetadataFeature(metadata)) if metadata else tuple(features)


def _without_sender(features: tuple[Feature, ...]) -> tuple[Feature, ...]:
    return tuple(held for held in features if not isinstance(held, SenderFeature))
