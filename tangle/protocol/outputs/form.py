"""What all output types have in common: their form, and the rules that none of them escapes (TIP-18).

Every output is its type, an amount, native tokens, fields of its own, unlock conditions and features; one that
carries the state of a chain also has immutable features. A type says what it may hold and declares the fields of
its own; the rest is here.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeVar, cast

from tangle.protocol.addresses import Address
from tangle.protocol.codec import Kept
from tangle.protocol.errors import AmountOutOfRange, CountOutOfRange
from tangle.protocol.fields import UInt
from tangle.protocol.outputs.conditions import (
    AddressUnlockCondition,
    ExpirationUnlockCondition,
    StorageDepositReturnUnlockCondition,
    TimelockUnlockCondition,
    UnlockCondition,
)
from tangle.protocol.outputs.features import Feature, IssuerFeature, MetadataFeature, SenderFeature, TagFeature
from tangle.protocol.outputs.tokens import NativeToken, check_tokens
from tangle.protocol.parameters import NATIVE_TOKENS_MAX
from tangle.protocol.serial import blake2b_256
from tangle.protocol.tables import Many, one_each

NO_ID = bytes(32)
"""Alias ID or NFT ID of an output that creates its alias or NFT: the real one is the hash of the output's id"""

P = TypeVar("P")


TOKENS = Many(NativeToken, 1, most=NATIVE_TOKENS_MAX, optional=True, rule=check_tokens)
ISSUER_METADATA = one_each("immutable feature", IssuerFeature, MetadataFeature)


@dataclass(frozen=True)
class OutputForm(Kept, ABC):
    """Base coins and native tokens for whoever meets the unlock conditions.

    Attributes
    ----------
    amount : base units, 1 to 2^64 - 1
    unlock_conditions, features : at most one of each type that the output may hold, in order of their type
    native_tokens : at most 64, in order of their id
    """

    TYPE: ClassVar[int]
    ORDER = ("amount", "native_tokens", ..., "unlock_conditions", "features", "immutable_features")

    amount: Annotated[int, UInt(8, least=1, error=AmountOutOfRange, unit=" base units")]
    unlock_conditions: tuple[UnlockCondition, ...]
    features: tuple[Feature, ...] = ()
    native_tokens: Annotated[tuple[NativeToken, ...], TOKENS] = ()

    @property
    @abstractmethod
    def owner(self) -> Address:
        """The address that unlocks this output, where time and kind of transition change nothing."""

    def condition(self, kind: type[P]) -> P | None:
        """The unlock condition of class `kind`, if there is one."""
        return next((held for held in self.unlock_conditions if isinstance(held, kind)), None)

    def feature(self, kind: type[P]) -> P | None:
        """The feature of class `kind`, if there is one; immutable features are not looked at."""
        return next((held for held in self.features if isinstance(held, kind)), None)

    @property
    def sender(self) -> Address | None:
        """The address of the sender feature, if there is one."""
        found = self.feature(SenderFeature)
        return found.address if found else None

    @property
    def tag(self) -> bytes | None:
        """The tag of the tag feature, if there is one."""
        found = self.feature(TagFeature)
        return found.tag if found else None

    @property
    def metadata(self) -> bytes | None:
        """The bytes of the metadata feature, if there is one."""
        found = self.feature(MetadataFeature)
        return found.data if found else None


@dataclass(frozen=True, kw_only=True)
class ChainOutput(OutputForm):
    """An output that carries the state of a chain, which a transaction consumes and creates anew (TIP-18).

    Attributes
    ----------
    immutable_features : at most one of each type that the output may hold, in order of their type
    """

    immutable_features: tuple[Feature, ...] = ()

    @property
    @abstractmethod
    def explicit_id(self) -> bytes:
        """The alias, foundry or NFT id that the output itself says; empty where it creates its alias or NFT."""

    def chain_id(self, output_id: bytes) -> bytes:
        """The alias, foundry or NFT id, given the id of the output (34 bytes)."""
        return self.explicit_id or blake2b_256(output_id)

    def immutable_feature(self, kind: type[P]) -> P | None:
        """The immutable feature of class `kind`, if there is one."""
        return next((held for held in self.immutable_features if isinstance(held, kind)), None)

    @property
    def issuer(self) -> Address | None:
        """The address of the immutable issuer feature, if there is one."""
        found = self.immutable_feature(IssuerFeature)
        return found.address if found else None


@dataclass(frozen=True)
class AddressedOutput(OutputForm):
    """An output that an address unlocks: basic and NFT (TIP-18).

    Unlock conditions: address, always, storage deposit return, timelock, expiration.
    Features: sender, metadata, tag.
    """

    unlock_conditions: Annotated[
        tuple[UnlockCondition, ...],
        one_each(
            "unlock condition",
            AddressUnlockCondition,
            StorageDepositReturnUnlockCondition,
            TimelockUnlockCondition,
            ExpirationUnlockCondition,
            least=1,
        ),
    ]
    features: Annotated[tuple[Feature, ...], one_each("feature", SenderFeature, MetadataFeature, TagFeature)] = ()

    def rules(self) -> None:
        """Raise unless the address unlock condition is there, and what is to be returned is."""
        conditions = self.unlock_conditions
        if not isinstance(conditions[0], AddressUnlockCondition):
            raise CountOutOfRange("unlockConditions", "must hold the address unlock condition")
        if len(conditions) > 1 and isinstance(conditions[1], StorageDepositReturnUnlockCondition):
            returned = conditions[1].amount
            if returned > self.amount:
                rule = f"must not exceed the {self.amount} base units of the output, and is {returned}"
                raise AmountOutOfRange("unlockConditions[1].amount", rule)

    @property
    def address(self) -> Address:
        """The address of the address unlock condition."""
        return cast("AddressUnlockCondition", self.unlock_conditions[0]).address

    @property
    def owner(self) -> Address:
        """The address of the address unlock condition."""
        return self.address
