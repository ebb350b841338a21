"""Unlock conditions: who may consume an output, from when or until when, and what it costs them (TIP-18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tangle.protocol.addresses import ADDRESSES, Address, AliasAddress
from tangle.protocol.errors import AmountOutOfRange, TimeOutOfRange
from tangle.protocol.outputs.addressed import Addressed
from tangle.protocol.serial import U64_MAX, Fields, Json, Reader, TypeTable, uint

U32_MAX = 2**32 - 1
"""seconds since the Unix epoch; the last time that fits"""
ALIAS_ADDRESSES: TypeTable[AliasAddress] = TypeTable("alias address", 1, [AliasAddress])


@dataclass(frozen=True, slots=True)
class AddressUnlockCondition(Addressed):
    """Whoever can unlock `address` may spend the output."""

    TYPE: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class StorageDepositReturnUnlockCondition:
    """Whoever consumes the output must send `amount` base units back to `return_address`."""

    TYPE: ClassVar[int] = 1
    return_address: Address
    amount: int

    def __post_init__(self) -> None:
        if not 0 <= self.amount <= U64_MAX:
            raise AmountOutOfRange("amount", f"must be 0 to {U64_MAX} base units, not {self.amount}")

    def encode(self) -> bytes:
        """42 bytes."""
        return b"\x01" + self.return_address.encode() + uint(self.amount, 8)

    @classmethod
    def decode(cls, reader: Reader) -> StorageDepositReturnUnlockCondition:
        """Read 42 bytes."""
        reader.type(cls.TYPE, 1)
        return cls(ADDRESSES.decode_field(reader, "returnAddress"), reader.uint(8, "amount"))

    def to_json(self) -> Json:
        """The JSON form."""
        return {"type": self.TYPE, "returnAddress": self.return_address.to_json(), "amount": str(self.amount)}

    @classmethod
    def from_json(cls, fields: Fields) -> StorageDepositReturnUnlockCondition:
        """Read the JSON form."""
        return cls(fields.nested("returnAddress", ADDRESSES.from_json), fields.u64("amount"))


@dataclass(frozen=True, slots=True)
class TimelockUnlockCondition:
    """The output stays locked until a milestone's time reaches `unix_time` (seconds since the Unix epoch)."""

    TYPE: ClassVar[int] = 2
    unix_time: int

    def __post_init__(self) -> None:
        _check_time(self.unix_time)

    def encode(self) -> bytes:
        """5 bytes."""
        return b"\x02" + uint(self.unix_time, 4)

    @classmethod
    def decode(cls, reader: Reader) -> TimelockUnlockCondition:
        """Read 5 bytes."""
        reader.type(cls.TYPE, 1)
        return cls(reader.uint(4, "unixTime"))

    def to_json(self) -> Json:
        """The JSON form."""
        return {"type": self.TYPE, "unixTime": self.unix_time}

    @classmethod
    def from_json(cls, fields: Fields) -> TimelockUnlockCondition:
        """Read the JSON form."""
        return cls(fields.integer("unixTime", U32_MAX))


@dataclass(frozen=True, slots=True)
class ExpirationUnlockCondition:
    """From `unix_time` on (seconds since the Unix epoch) the output is `return_address`'s alone."""

    TYPE: ClassVar[int] = 3
    return_address: Address
    unix_time: int

    def __post_init__(self) -> None:
        _check_time(self.unix_time)

    def encode(self) -> bytes:
        """38 bytes."""
        return b"\x03" + self.return_address.encode() + uint(self.unix_time, 4)

    @classmethod
    def decode(cls, reader: Reader) -> ExpirationUnlockCondition:
        """Read 38 bytes."""
        reader.type(cls.TYPE, 1)
        return cls(ADDRESSES.decode_field(reader, "returnAddress"), reader.uint(4, "unixTime"))

    def to_json(self) -> Json:
        """The JSON form."""
        return {
            "type": self.TYPE,
            "returnAddress": self.return_address.to_json(),
            "unixTime": self.unix_time,
        }

    @classmethod
    def from_json(cls, fields: Fields) -> ExpirationUnlockCondition:
        """Read the JSON form."""
        return cls(fields.nested("returnAddress", ADDRESSES.from_json), fields.integer("unixTime", U32_MAX))


@dataclass(frozen=True, slots=True)
class StateControllerAddressUnlockCondition(Addressed):
    """Whoever can unlock `address` may move the alias to its next state."""

    TYPE: ClassVar[int] = 4


@dataclass(frozen=True, slots=True)
class GovernorAddressUnlockCondition(Addressed):
    """Whoever can unlock `address` may change who controls the alias, or end it."""

    TYPE: ClassVar[int] = 5


@dataclass(frozen=True, slots=True)
class ImmutableAliasAddressUnlockCondition:
    """The alias that alone, and for ever, may consume the output."""

    TYPE: ClassVar[int] = 6
    address: AliasAddress

    def encode(self) -> bytes:
        """34 bytes."""
        return b"\x06" + self.address.encode()

    @classmethod
    def decode(cls, reader: Reader) -> ImmutableAliasAddressUnlockCondition:
        """Read 34 bytes."""
        reader.type(cls.TYPE, 1)
        return cls(ALIAS_ADDRESSES.decode_field(reader, "address"))

    def to_json(self) -> Json:
        """The JSON form."""
        return {"type": self.TYPE, "address": self.address.to_json()}

    @classmethod
    def from_json(cls, fields: Fields) -> ImmutableAliasAddressUnlockCondition:
        """Read the JSON form."""
        return cls(fields.nested("address", ALIAS_ADDRESSES.from_json))


UnlockCondition = (
    AddressUnlockCondition
    | StorageDepositReturnUnlockCondition
    | TimelockUnlockCondition
    | ExpirationUnlockCondition
    | StateControllerAddressUnlockCondition
    | GovernorAddressUnlockCondition
    | ImmutableAliasAddressUnlockCondition
)
UNLOCK_CONDITIONS: TypeTable[UnlockCondition] = TypeTable(
    "unlock condition",
    1,
    [
        AddressUnlockCondition,
        StorageDepositReturnUnlockCondition,
        TimelockUnlockCondition,
        ExpirationUnlockCondition,
        StateControllerAddressUnlockCondition,
        GovernorAddressUnlockCondition,
        ImmutableAliasAddressUnlockCondition,
    ],
)


def _check_time(unix_time: int) -> None:
    if not 0 < unix_time <= U32_MAX:
        raise TimeOutOfRange("unixTime", f"must be 1 to {U32_MAX} seconds, not {unix_time}")
