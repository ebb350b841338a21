"""The lock: a condition and a salt, whose hash is an address of type 0 (`docs/locks.md`).

The step is that of pay-to-script-hash in Bitcoin, so no wallet needs to know of locks to hold, send or take back
what lies at one. A key's address is the hash of 32 bytes without a personalisation, a lock's that of others with
one: neither can be the other.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Self

from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.codec import Kept
from tangle.protocol.errors import LockInvalid
from tangle.protocol.fields import Fixed, Only
from tangle.protocol.locks.conditions import CONDITIONS, Condition, Preimage, Signed, Threshold
from tangle.protocol.serial import Fields, Reader, check_length
from tangle.protocol.tables import One

LOCK_VERSION = 1
LOCK_BYTES_MAX = 1_280
"""bytes; 32 conditions *signed* fit"""
DEPTH_MAX = 5
"""the lock's own condition has depth 1, a part one more than its threshold"""
CONDITIONS_MAX = 64
"""conditions of a lock, thresholds included"""
ADDRESS_DOMAIN = b"tangle lock 1"


@dataclass(frozen=True)
class Lock(Kept):
    """A condition under which an output may be consumed; whoever does shows it.

    Attributes
    ----------
    salt : 8 bytes; a lock that nobody shall guess from its address has random ones
    """

    ORDER = ("version", ...)
    salt: Annotated[bytes, Fixed(8)]
    condition: Annotated[Condition, One(CONDITIONS)]
    version: Annotated[int, Only(1, LOCK_VERSION, LockInvalid)] = LOCK_VERSION

    def rules(self) -> None:
        """Raise LockInvalid above 1,280 bytes, 64 conditions or a depth of 5."""
        if len(self.encoded) > LOCK_BYTES_MAX:
            raise LockInvalid("lock", f"must be at most {LOCK_BYTES_MAX} bytes, not {len(self.encoded)}")
        depths = [depth for _, depth in _walk(self.condition, 1)]
        if max(depths) > DEPTH_MAX:
            raise LockInvalid("condition", f"must be at most {DEPTH_MAX} deep, not {max(depths)}")
        if len(depths) > CONDITIONS_MAX:
            raise LockInvalid("condition", f"must hold at most {CONDITIONS_MAX} conditions, not {len(depths)}")

    @cached_property
    def address(self) -> Ed25519Address:
        """The address of what this lock locks."""
        digest = hashlib.blake2b(self.encoded, digest_size=32, person=ADDRESS_DOMAIN).digest()
        return Ed25519Address(digest)

    @classmethod
    def decode(cls, source: bytes | Reader) -> Self:
        """Read the binary form. Raises ProtocolError."""
        if isinstance(source, bytes):
            check_length(len(source), "lock", 0, LOCK_BYTES_MAX)
        return super().decode(source)

    @classmethod
    def from_json(cls, fields: Fields) -> Self:
        """Read the JSON form. Raises ProtocolError."""
        _check_depth(fields.members.get("condition"))
        return cls._parsed(fields)


def check_secrets(lock: Lock) -> None:
    """Raise LockInvalid where a secret can open the lock without a signature: who sees it first would take all."""
    if _unsigned(lock.condition)[1]:
        raise LockInvalid("lock", "must not let a preimage be shown without a signature beside it")


def _walk(condition: Condition, depth: int) -> Iterator[tuple[Condition, int]]:
    yield condition, depth
    if isinstance(condition, Threshold):
        for part in condition.parts:
            yield from _walk(part.condition, depth + 1)


def _unsigned(condition: Condition) -> tuple[bool, bool]:
    """Whether it can be fulfilled with no signature shown, and whether so that a preimage is shown."""
    if isinstance(condition, Threshold):
        found = [(part.weight, *_unsigned(part.condition)) for part in condition.parts]
        possible = sum(weight for weight, unsigned, _ in found if unsigned) >= condition.need
        return possible, possible and any(secret for _, _, secret in found)
    return not isinstance(condition, Signed), isinstance(condition, Preimage)


def _check_depth(condition: object) -> None:
    """Raise LockInvalid for nested JSON that no lock can be, before it is read part by part."""
    level, depth = [condition], 0
    while level:
        depth += 1
        if depth > DEPTH_MAX:
            raise LockInvalid("condition", f"must be at most {DEPTH_MAX} deep")
        parts = [one.get("parts") for one in level if isinstance(one, Mapping)]
        several = [part for found in parts if isinstance(found, list) for part in found]
        level = [part.get("condition") for part in several if isinstance(part, Mapping)]
