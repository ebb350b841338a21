"""Outputs: who holds how much, under which conditions (TIP-18), and what storing them costs (TIP-19).

Three tables say which types exist: `OUTPUTS`, `UNLOCK_CONDITIONS`, `FEATURES`; a further type is a class
and a row. Here: the basic output with the address unlock condition, and the features sender, metadata and tag.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar, cast

from tangle.protocol.addresses import ADDRESSES, Address
from tangle.protocol.errors import AmountOutOfRange, CountOutOfRange, DepositTooSmall, NotSorted, Repeated
from tangle.protocol.parameters import METADATA_BYTES_MAX, TAG_BYTES_MAX, ProtocolParameters
from tangle.protocol.serial import (
    U64_MAX,
    Coded,
    Fields,
    Json,
    Reader,
    TypeTable,
    blob,
    check_length,
    to_hex,
    uint,
)

K = TypeVar("K", bound=Coded)


@dataclass(frozen=True, slots=True)
class AddressUnlockCondition:
    """Whoever can unlock `address` may spend the output (TIP-18)."""

    TYPE: ClassVar[int] = 0
    address: Address

    def encode(self) -> bytes:
        """Type byte and address."""
        return b"\x00" + self.address.encode()

    @classmethod
    def decode(cls, reader: Reader) -> AddressUnlockCondition:
        """Read type byte and address."""
        reader.type(cls.TYPE, 1)
        return cls(ADDRESSES.decode_field(reader, "address"))

    def to_json(self) -> Json:
        """The JSON form."""
        return {"type": self.TYPE, "address": self.address.to_json()}

    @classmethod
    def from_json(cls, fields: Fields) -> AddressUnlockCondition:
        """Read the JSON form."""
        return cls(fields.nested("address", ADDRESSES.from_json))


@dataclass(frozen=True, slots=True)
class SenderFeature:
    """The address of an input that this transaction unlocks: who sent it, proven (TIP-18)."""

    TYPE: ClassVar[int] = 0
    address: Address

    def encode(self) -> bytes:
        """Type byte and address."""
        return b"\x00" + self.address.encode()

    @classmethod
    def decode(cls, reader: Reader) -> SenderFeature:
        """Read type byte and address."""
        reader.type(cls.TYPE, 1)
        return cls(ADDRESSES.decode_field(reader, "address"))

    def to_json(self) -> Json:
        """The JSON form."""
        return {"type": self.TYPE, "address": self.address.to_json()}

    @classmethod
    def from_json(cls, fields: Fields) -> SenderFeature:
        """Read the JSON form."""
        return cls(fields.nested("address", ADDRESSES.from_json))


@dataclass(frozen=True, slots=True)
class MetadataFeature:
    """1 to 8,192 bytes for whoever reads the output (TIP-18)."""

    TYPE: ClassVar[int] = 2
    data: bytes

    def __post_init__(self) -> None:
        check_length(len(self.data), "data", 1, METADATA_BYTES_MAX)

    def encode(self) -> bytes:
        """Type byte, length, bytes."""
        return b"\x02" + blob(self.data, 2)

    @classmethod
    def decode(cls, reader: Reader) -> MetadataFeature:
        """Read type byte, length, bytes."""
        reader.type(cls.TYPE, 1)
        return cls(reader.blob(2, "data", least=1, most=METADATA_BYTES_MAX))

    def to_json(self) -> Json:
        """The JSON form."""
        return {"type": self.TYPE, "data": to_hex(self.data)}

    @classmethod
    def from_json(cls, fields: Fields) -> MetadataFeature:
        """Read the JSON form."""
        return cls(fields.data("data"))


@dataclass(frozen=True, slots=True)
class TagFeature:
    """1 to 64 bytes under which an indexer finds the output (TIP-18)."""

    TYPE: ClassVar[int] = 3
    tag: bytes

    def __post_init__(self) -> None:
        check_length(len(self.tag), "tag", 1, TAG_BYTES_MAX)

    def encode(self) -> bytes:
        """Type byte, length, bytes."""
        return b"\x03" + blob(self.tag, 1)

    @classmethod
    def decode(cls, reader: Reader) -> TagFeature:
        """Read type byte, length, bytes."""
        reader.type(cls.TYPE, 1)
        return cls(reader.blob(1, "tag", least=1, most=TAG_BYTES_MAX))

    def to_json(self) -> Json:
        """The JSON form."""
        return {"type": self.TYPE, "tag": to_hex(self.tag)}

    @classmethod
    def from_json(cls, fields: Fields) -> TagFeature:
        """Read the JSON form."""
        return cls(fields.data("tag"))


UnlockCondition = AddressUnlockCondition
Feature = SenderFeature | MetadataFeature | TagFeature

UNLOCK_CONDITIONS: TypeTable[UnlockCondition] = TypeTable("unlock condition", 1, [AddressUnlockCondition])
FEATURES: TypeTable[Feature] = TypeTable("feature", 1, [SenderFeature, MetadataFeature, TagFeature])


@dataclass(frozen=True)
class BasicOutput:
    """Base coins for whoever meets the unlock conditions (TIP-18).

    Attributes
    ----------
    amount : base units, 1 to 2^64 - 1
    unlock_conditions : exactly the address unlock condition
    features : at most one of each, in order of their type
    """

    TYPE: ClassVar[int] = 3
    amount: int
    unlock_conditions: tuple[UnlockCondition, ...]
    features: tuple[Feature, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.amount <= U64_MAX:
            raise AmountOutOfRange("amount", f"must be 1 to {U64_MAX} base units, not {self.amount}")
        check_types("unlockConditions", self.unlock_conditions)
        check_types("features", self.features)
        if len(self.unlock_conditions) != 1:
            raise CountOutOfRange("unlockConditions", "must hold the address unlock condition")

    @classmethod
    def to(cls, address: Address, amount: int, *features: Feature) -> BasicOutput:
        """`amount` base units for `address`."""
        return cls(amount, (AddressUnlockCondition(address),), tuple(features))

    @property
    def address(self) -> Address:
        """The address that unlocks this output."""
        return self.unlock_conditions[0].address

    def feature(self, kind: type[Any]) -> Feature | None:
        """The feature of class `kind`, if there is one."""
        return next((feature for feature in self.features if isinstance(feature, kind)), None)

    @property
    def sender(self) -> Address | None:
        """The address of the sender feature, if there is one."""
        found = self.feature(SenderFeature)
        return cast("SenderFeature", found).address if found else None

    @property
    def tag(self) -> bytes | None:
        """The tag of the tag feature, if there is one."""
        found = self.feature(TagFeature)
        return cast("TagFeature", found).tag if found else None

    @cached_property
    def encoded(self) -> bytes:
        """The binary form."""
        return b"".join(
            (
                b"\x03",
                uint(self.amount, 8),
                b"\x00",
                uint(len(self.unlock_conditions), 1),
                *(condition.encode() for condition in self.unlock_conditions),
                uint(len(self.features), 1),
                *(feature.encode() for feature in self.features),
            )
        )

    def encode(self) -> bytes:
        """The binary form."""
        return self.encoded

    @classmethod
    def decode(cls, reader: Reader) -> BasicOutput:
        """Read the binary form."""
        start = reader.position
        reader.type(cls.TYPE, 1)
        amount = reader.uint(8, "amount")
        reader.count(1, "nativeTokens", least=0, most=0)
        conditions = reader.count(1, "unlockConditions", least=1, most=1)
        unlock_conditions = UNLOCK_CONDITIONS.decode_each(reader, "unlockConditions", conditions)
        features = reader.count(1, "features", least=0, most=len(FEATURES.classes))
        output = cls(amount, unlock_conditions, FEATURES.decode_each(reader, "features", features))
        output.__dict__["encoded"] = reader.data[start : reader.position]
        return output

    def to_json(self) -> Json:
        """The JSON form; absent lists are absent."""
        json: Json = {
            "type": self.TYPE,
            "amount": str(self.amount),
            "unlockConditions": [condition.to_json() for condition in self.unlock_conditions],
        }
        if self.features:
            json["features"] = [feature.to_json() for feature in self.features]
        return json

    @classmethod
    def from_json(cls, fields: Fields) -> BasicOutput:
        """Read the JSON form."""
        if fields.items("nativeTokens", optional=True):
            raise CountOutOfRange("nativeTokens", "must hold 0 elements")
        return cls(
            fields.u64("amount"),
            fields.each("unlockConditions", UNLOCK_CONDITIONS.from_json),
            fields.each("features", FEATURES.from_json, optional=True),
        )


Output = BasicOutput
OUTPUTS: TypeTable[Output] = TypeTable("output", 1, [BasicOutput])


def check_types(name: str, elements: Sequence[Coded]) -> None:
    """Raise unless the types of `elements` ascend strictly: sorted, and at most one of each (TIP-18)."""
    for i, (one, other) in enumerate(itertools.pairwise(elements), start=1):
        if one.TYPE == other.TYPE:
            raise Repeated(f"{name}[{i}]", f"type {other.TYPE} occurs twice")
        if one.TYPE > other.TYPE:
            raise NotSorted(f"{name}[{i}]", "must be in ascending order of type")


def storage_deposit(output: Output, parameters: ProtocolParameters) -> int:
    """Least amount, in base units, that `output` must hold (TIP-19)."""
    return parameters.storage_deposit(len(output.encoded))


def check_deposit(output: Output, parameters: ProtocolParameters) -> None:
    """Raise DepositTooSmall, naming the least amount, unless `output` pays for its storage."""
    least = storage_deposit(output, parameters)
    if output.amount < least:
        raise DepositTooSmall(
            "amount", f"{output.amount} base units are below the storage deposit of {least} for this output"
        )
