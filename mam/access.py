"""What a reader needs to open the messages of one tree, and what follows from it: where to look, how to unmask.

Three modes differ in how the address comes from the root:

    public       the root itself: whoever sees the address can read
    private      a hash of the root: only who was given the root can read, and nobody learns it from the address
    restricted   a hash of root and side key, and the mask needs both: a new side key shuts out who does not get it

Everything of a message but its version and nonce is masked, in every mode. A public key with its Merkle path
would give the root away, and with it a private channel from there on; so would the next root.

Source: docs/mam.md, "Addresses and masks".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from tangle.mam.errors import ArgumentInvalid
from tangle.mam.hashes import ADDRESS, HASH_BYTES, MASK, blake, uint

SIDE_KEY_BYTES = 32
"""bytes"""


class Mode(IntEnum):
    """How a channel can be read; the value is the mode's byte in the format."""

    PUBLIC = 0
    PRIVATE = 1
    RESTRICTED = 2

    @classmethod
    def named(cls, name: str) -> Mode:
        """The mode called ``public``, ``private`` or ``restricted``. Raises ArgumentInvalid."""
        for mode in cls:
            if mode.name.lower() == name:
                return mode
        raise ArgumentInvalid("mode", f"is public, private or restricted, not {name!r}")


@dataclass(frozen=True, slots=True)
class Access:
    """The way into one tree of a channel.

    Attributes
    ----------
    mode : of the channel
    root : 32 bytes, of the tree; a secret unless the channel is public
    side_key : 32 bytes in a restricted channel, otherwise None; a secret
    address : 32 bytes, the tag under which the messages of the tree lie
    mask_key, nonce_key : 32 bytes each, derived

    Raises
    ------
    ArgumentInvalid : a size is wrong, or the side key is missing or has no place in the mode
    """

    mode: Mode
    root: bytes = field(repr=False)
    side_key: bytes | None = field(default=None, repr=False)
    address: bytes = field(init=False, compare=False)
    mask_key: bytes = field(init=False, repr=False, compare=False)
    nonce_key: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_bytes("root", self.root, HASH_BYTES)
        check_side_key(self.mode, self.side_key)
        key, data = self.side_key or b"", uint(self.mode, 1) + self.root
        address = self.root if self.mode is Mode.PUBLIC else blake(ADDRESS, data, key=key)
        keys = blake(MASK, data, key=key, size=64)
        object.__setattr__(self, "address", address)
        object.__setattr__(self, "mask_key", keys[:32])
        object.__setattr__(self, "nonce_key", keys[32:])

    def of(self, root: bytes) -> Access:
        """The way into the tree of another root, with the same side key."""
        return Access(self.mode, root, self.side_key)

    def rekeyed(self, side_key: bytes) -> Access:
        """The way into the same tree once the side key has changed."""
        return Access(self.mode, self.root, side_key)


def check_bytes(name: str, value: bytes, size: int) -> None:
    """Raise ArgumentInvalid unless `value` has `size` bytes."""
    if len(value) != size:
        raise ArgumentInvalid(name, f"has {len(value)} bytes, {size} are needed")


def check_side_key(mode: Mode, side_key: bytes | None) -> None:
    """Raise ArgumentInvalid unless there is a side key exactly in a restricted channel."""
    if mode is not Mode.RESTRICTED:
        if side_key is not None:
            raise ArgumentInvalid("side_key", f"has no place in a {mode.name.lower()} channel")
    elif side_key is None:
        raise ArgumentInvalid("side_key", "is needed for a restricted channel")
    else:
        check_bytes("side_key", side_key, SIDE_KEY_BYTES)
