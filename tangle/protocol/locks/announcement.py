"""The announcement: with it both parties of a lock find it again from their seeds, and others see what it is for.

It stands in the features of the output that the lock locks: metadata with the lock and a purpose, a tag that names
the payee, and a sender. Our clients make it; no rule of the ledger asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tangle.protocol.addresses import Address
from tangle.protocol.errors import LengthOutOfRange
from tangle.protocol.locks.lock import LOCK_BYTES_MAX, Lock
from tangle.protocol.locks.witness import WITNESS_TAG
from tangle.protocol.outputs.features import Feature, MetadataFeature, SenderFeature, TagFeature
from tangle.protocol.serial import Reader, blob

PURPOSE_BYTES_MAX = 64
"""bytes"""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A lock, and what it is for (at most 64 bytes)."""

    lock: Lock
    purpose: bytes = b""

    def __post_init__(self) -> None:
        if len(self.purpose) > PURPOSE_BYTES_MAX:
            rule = f"must be at most {PURPOSE_BYTES_MAX} bytes, not {len(self.purpose)}"
            raise LengthOutOfRange("purpose", rule)

    def encode(self) -> bytes:
        """The binary form: the metadata."""
        return blob(self.lock.encoded, 2) + self.purpose

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the binary form. Raises ProtocolError."""
        reader = Reader(data)
        lock = Lock.decode(reader.blob(2, "lock", most=LOCK_BYTES_MAX))
        return cls(lock, reader.take(len(data) - reader.position, "purpose"))

    def features(self, sender: Address, payee: Address) -> tuple[Feature, ...]:
        """The features of an output at the lock's address, in order of their type."""
        return SenderFeature(sender), MetadataFeature(self.encode()), TagFeature(announcement_tag(payee))


def announcement_tag(payee: Address) -> bytes:
    """The tag under which `payee` finds what was locked for it."""
    return WITNESS_TAG + payee.encode()[1:]
