"""What unlock conditions and features that hold an address, and nothing else, have in common (TIP-18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from tangle.protocol.addresses import ADDRESSES, Address
from tangle.protocol.serial import Fields, Json, Reader


@dataclass(frozen=True, slots=True)
class Addressed:
    """A type byte and an address."""

    TYPE: ClassVar[int]
    address: Address

    def encode(self) -> bytes:
        """34 bytes."""
        return bytes((self.TYPE,)) + self.address.encode()

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read 34 bytes."""
        reader.type(cls.TYPE, 1)
        return cls(ADDRESSES.decode_field(reader, "address"))

    def to_json(self) -> Json:
        """The JSON form."""
        return {"type": self.TYPE, "address": self.address.to_json()}

    @classmethod
    def from_json(cls, fields: Fields) -> Self:
        """Read the JSON form."""
        return cls(fields.nested("address", ADDRESSES.from_json))
