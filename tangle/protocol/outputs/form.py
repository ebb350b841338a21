"""What all output types have in common: their form, and the rules that none of them escapes (TIP-18).

Every output is its type, an amount, native tokens, fields of its own, unlock conditions and features; one that
carries the state of a chain also has immutable features. A type names the tables of what it may hold and reads and
writes the fields of its own; the rest is here.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self, TypeVar, cast

from tangle.protocol.addresses import Address
from tangle.protocol.errors import AmountOutOfRange, CountOutOfRange, NotSorted, Repeated, UnknownType
from tangle.protocol.outputs.conditions import (
    AddressUnlockCondition,
    ExpirationUnlockCondition,
    StorageDepositReturnUnlockCondition,
    TimelockUnlockCondition,
    UnlockCondition,
)
from tangle.protocol.outputs.features import Feature, IssuerFeature, MetadataFeature, SenderFeature, TagFeature
from tangle.protocol.outputs.tokens import NativeToken, check_tokens, decode_tokens
from tangle.protocol.serial import U64_MAX, Coded, Fields, Json, Reader, TypeTable, blake2b_256, check_count, uint

NO_ID = bytes(32)
"""Alias ID or NFT ID of an output that creates its alias or NFT: the real one is the hash of the output's id"""

P = TypeVar("P")
C = TypeVar("C", bound=Coded)


@dataclass(frozen=True)
class OutputForm(ABC):
    """Base coins and native tokens for whoever meets the unlock conditions.

    Attributes
    ----------
    amount : base units, 1 to 2^64 - 1
    unlock_conditions : at most one of each type that `CONDITIONS` holds, in order of their type
    features : at most one of each type that `FEATURES` holds, in order of their type
    native_tokens : at most 64, in order of their id
    """

    TYPE: ClassVar[int]
    CONDITIONS: ClassVar[TypeTable[UnlockCondition]]
    CONDITIONS_LEAST: ClassVar[int] = 1
    FEATURES: ClassVar[TypeTable[Feature]]

    amount: int
    unlock_conditions: tuple[UnlockCondition, ...]
    features: tuple[Feature, ...] = ()
    native_tokens: tuple[NativeToken, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.amount <= U64_MAX:
            raise AmountOutOfRange("amount", f"must be 1 to {U64_MAX} base units, not {self.amount}")
        if self.native_tokens:
            check_tokens(self.native_tokens)
        check_elements("unlockConditions", self.unlock_conditions, self.CONDITIONS, self.CONDITIONS_LEAST)
        check_elements("features", self.features, self.FEATURES)

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

    def _own_encoded(self) -> bytes:
        """The binary form of the fields between native tokens and unlock conditions."""
        return b""

    @classmethod
    def _own_decoded(cls, _reader: Reader) -> dict[str, Any]:
        """Read the fields that `_own_encoded` writes, by name."""
        return {}

    def _own_json(self) -> Json:
        """The JSON members between native tokens and unlock conditions."""
        return {}

    @classmethod
    def _own_from_json(cls, _fields: Fields) -> dict[str, Any]:
        """Read the members that `_own_json` writes, by name."""
        return {}

    def _end_encoded(self) -> bytes:
        """The binary form of the fields after the features."""
        return b""

    @classmethod
    def _end_decoded(cls, _reader: Reader) -> dict[str, Any]:
        """Read the fields that `_end_encoded` writes, by name."""
        return {}

    @cached_property
    def encoded(self) -> bytes:
        """The binary form."""
        return b"".join(
            (
                uint(self.TYPE, 1),
                uint(self.amount, 8),
                uint(len(self.native_tokens), 1),
                *(token.encode() for token in self.native_tokens),
                self._own_encoded(),
                encode_elements(self.unlock_conditions),
                encode_elements(self.features),
                self._end_encoded(),
            )
        )

    def encode(self) -> bytes:
        """The binary form."""
        return self.encoded

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the binary form."""
        start = reader.position
        reader.type(cls.TYPE, 1)
        amount = reader.uint(8, "amount")
        tokens = decode_tokens(reader)
        own = cls._own_decoded(reader)
        conditions = decode_elements(reader, "unlockConditions", cls.CONDITIONS, cls.CONDITIONS_LEAST)
        features = decode_elements(reader, "features", cls.FEATURES)
        own |= cls._end_decoded(reader)
        output = cls(amount, conditions, features, tokens, **own)
        output.__dict__["encoded"] = reader.data[start : reader.position]
        return output

    def to_json(self) -> Json:
        """The JSON form; absent lists are absent."""
        json: Json = {"type": self.TYPE, "amount": str(self.amount)}
        if self.native_tokens:
            json["nativeTokens"] = [token.to_json() for token in self.native_tokens]
        json |= self._own_json()
        json["unlockConditions"] = [condition.to_json() for condition in self.unlock_conditions]
        if self.features:
            json["features"] = [feature.to_json() for feature in self.features]
        return json

    @classmethod
    def from_json(cls, fields: Fields) -> Self:
        """Read the JSON form."""
        return cls(
            fields.u64("amount"),
            fields.each("unlockConditions", cls.CONDITIONS.from_json),
            fields.each("features", cls.FEATURES.from_json, optional=True),
            fields.each("nativeTokens", NativeToken.from_json, optional=True),
            **cls._own_from_json(fields),
        )


@dataclass(frozen=True, kw_only=True)
class ChainOutput(OutputForm):
    """An output that carries the state of a chain, which a transaction consumes and creates anew (TIP-18).

    Attributes
    ----------
    immutable_features : at most one of each type that `IMMUTABLE` holds, in order of their type
    """

    IMMUTABLE: ClassVar[TypeTable[Feature]]
    immutable_features: tuple[Feature, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_elements("immutableFeatures", self.immutable_features, self.IMMUTABLE)

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

    def _end_encoded(self) -> bytes:
        return encode_elements(self.immutable_features)

    @classmethod
    def _end_decoded(cls, reader: Reader) -> dict[str, Any]:
        return {"immutable_features": decode_elements(reader, "immutableFeatures", cls.IMMUTABLE)}

    def to_json(self) -> Json:
        """The JSON form; absent lists are absent."""
        json = super().to_json()
        if self.immutable_features:
            json["immutableFeatures"] = [feature.to_json() for feature in self.immutable_features]
        return json

    @classmethod
    def _own_from_json(cls, fields: Fields) -> dict[str, Any]:
        held = fields.each("immutableFeatures", cls.IMMUTABLE.from_json, optional=True)
        return {"immutable_features": held}


@dataclass(frozen=True)
class AddressedOutput(OutputForm):
    """An output that an address unlocks: basic and NFT (TIP-18).

    Unlock conditions: address, always, storage deposit return, timelock, expiration.
    Features: sender, metadata, tag.
    """

    CONDITIONS: ClassVar[TypeTable[UnlockCondition]] = TypeTable(
        "unlock condition",
        1,
        [
            AddressUnlockCondition,
            StorageDepositReturnUnlockCondition,
            TimelockUnlockCondition,
            ExpirationUnlockCondition,
        ],
    )
    FEATURES: ClassVar[TypeTable[Feature]] = TypeTable("feature", 1, [SenderFeature, MetadataFeature, TagFeature])

    def __post_init__(self) -> None:
        super().__post_init__()
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


def encode_elements(elements: Sequence[Coded]) -> bytes:
    """A count byte and the elements."""
    return b"".join((uint(len(elements), 1), *(element.encode() for element in elements)))


def decode_elements(reader: Reader, name: str, table: TypeTable[C], least: int = 0) -> tuple[C, ...]:
    """Read a count byte and so many elements of `table`."""
    count = reader.count(1, name, least=least, most=len(table.classes))
    return table.decode_each(reader, name, count) if count else ()


def check_elements(name: str, elements: Sequence[Coded], table: TypeTable[Any], least: int = 0) -> None:
    """Raise unless `elements` are of types that `table` holds, sorted by type and no type twice."""
    check_count(len(elements), name, least, len(table.classes))
    for i, element in enumerate(elements):
        if element.TYPE not in table.classes:
            raise UnknownType(f"{name}[{i}].type", f"{element.TYPE} is no {table.place} type here")
    if len(elements) > 1:
        check_types(name, elements)


def check_types(name: str, elements: Sequence[Coded]) -> None:
    """Raise unless the types of `elements` ascend strictly: sorted, and at most one of each (TIP-18)."""
    for i, (one, other) in enumerate(itertools.pairwise(elements), start=1):
        if one.TYPE == other.TYPE:
            raise Repeated(f"{name}[{i}]", f"type {other.TYPE} occurs twice")
        if one.TYPE > other.TYPE:
            raise NotSorted(f"{name}[{i}]", "must be in ascending order of type")
