"""The basic output: base coins and native tokens for an address, maybe later, maybe not for ever (TIP-18)."""

from dataclasses import dataclass
from typing import ClassVar, Self

from tangle.protocol.addresses import Address
from tangle.protocol.outputs.conditions import AddressUnlockCondition
from tangle.protocol.outputs.features import Feature
from tangle.protocol.outputs.form import AddressedOutput


@dataclass(frozen=True)
class BasicOutput(AddressedOutput):
    """Base coins and native tokens for an address.

    It has no fields of its own; see `AddressedOutput` for what it may hold.
    """

    TYPE: ClassVar[int] = 3

    @classmethod
    def to(cls, address: Address, amount: int, *features: Feature) -> Self:
        """`amount` base units for `address`."""
        return cls(amount, (AddressUnlockCondition(address),), tuple(features))
