"""Unlock conditions: who may consume an output, from when or until when, and what it costs them (TIP-18)."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from tangle.protocol.addresses import ADDRESSES, Address, AliasAddress
from tangle.protocol.codec import Wire
from tangle.protocol.errors import AmountOutOfRange, TimeOutOfRange
from tangle.protocol.fields import UInt
from tangle.protocol.tables import One, TypeTable

ALIAS_ADDRESSES: TypeTable[AliasAddress] = TypeTable("alias address", 1, [AliasAddress])
TIME = UInt(4, least=1, error=TimeOutOfRange, unit=" seconds", about="seconds since the Unix epoch")


@dataclass(frozen=True, slots=True)
class AddressUnlockCondition(Wire):
    """Whoever can unlock `address` may spend the output."""

    TYPE: ClassVar[int] = 0
    address: Annotated[Address, One(ADDRESSES)]


@dataclass(frozen=True, slots=True)
class StorageDepositReturnUnlockCondition(Wire):
    """Whoever consumes the output must send `amount` base units back to `return_address`."""

    TYPE: ClassVar[int] = 1
    return_address: Annotated[Address, One(ADDRESSES)]
    amount: Annotated[int, UInt(8, error=AmountOutOfRange, unit=" base units")]


@dataclass(frozen=True, slots=True)
class TimelockUnlockCondition(Wire):
    """The output stays locked until a milestone's time reaches `unix_time` (seconds since the Unix epoch)."""

    TYPE: ClassVar[int] = 2
    unix_time: Annotated[int, TIME]


@dataclass(frozen=True, slots=True)
class ExpirationUnlockCondition(Wire):
    """From `unix_time` on (seconds since the Unix epoch) the output is `return_address`'s alone."""

    TYPE: ClassVar[int] = 3
    return_address: Annotated[Address, One(ADDRESSES)]
    unix_time: Annotated[int, TIME]


@dataclass(frozen=True, slots=True)
class StateControllerAddressUnlockCondition(Wire):
    """Whoever can unlock `address` may move the alias to its next state."""

    TYPE: ClassVar[int] = 4
    address: Annotated[Address, One(ADDRESSES)]


@dataclass(frozen=True, slots=True)
class GovernorAddressUnlockCondition(Wire):
    """Whoever can unlock `address` may change who controls the alias, or end it."""

    TYPE: ClassVar[int] = 5
    address: Annotated[Address, One(ADDRESSES)]


@dataclass(frozen=True, slots=True)
class ImmutableAliasAddressUnlockCondition(Wire):
    """The alias that alone, and for ever, may consume the output."""

    TYPE: ClassVar[int] = 6
    address: Annotated[AliasAddress, One(ALIAS_ADDRESSES)]


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
