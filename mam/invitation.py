"""An invitation: what a newcomer needs to read a channel from some message on, in one piece of bytes.

    version | mode | index | root | [side key]

Source: docs/mam.md, "Invitations".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tangle.mam.access import SIDE_KEY_BYTES, Access, Mode
from tangle.mam.boxes import open_box
from tangle.mam.errors import ArgumentInvalid
from tangle.mam.hashes import HASH_BYTES, uint
from tangle.mam.message import INDEX_MAX, VERSION

_FIXED_BYTES = 1 + 1 + 8 + HASH_BYTES


@dataclass(frozen=True, slots=True)
class Invitation:
    """The way into a tree, and the first message to expect there.

    Attributes
    ----------
    access : mode, root and side key
    start : index of that message
    """

    access: Access
    start: int

    def encode(self) -> bytes:
        """The binary form, a secret unless the channel is public."""
        head = bytes((VERSION, self.access.mode)) + uint(self.start, 8)
        return head + self.access.root + (self.access.side_key or b"")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the binary form. Raises ArgumentInvalid."""
        if len(data) < _FIXED_BYTES or data[0] != VERSION or data[1] not in tuple(Mode):
            raise ArgumentInvalid("invitation", "is of another version, mode or size")
        mode = Mode(data[1])
        if len(data) != _FIXED_BYTES + SIDE_KEY_BYTES * (mode is Mode.RESTRICTED):
            raise ArgumentInvalid("invitation", f"has {len(data)} bytes, not what its mode needs")
        start = int.from_bytes(data[2:10], "little")
        if start > INDEX_MAX:
            raise ArgumentInvalid("invitation", f"starts at {start}, at most {INDEX_MAX} is allowed")
        return cls(Access(mode, data[10:_FIXED_BYTES], data[_FIXED_BYTES:] or None), start)

    @classmethod
    def open(cls, private_key: bytes, box: bytes) -> Self:
        """Open an invitation sealed for a subscriber. Raises BoxInvalid, ArgumentInvalid."""
        return cls.decode(open_box(private_key, box))
