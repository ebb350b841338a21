"""What a reader finds out, one frozen dataclass each.

A `source` is where a part was found, for a Tangle the block id; it comes back as it was given to `Reader.take`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tangle.mam.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message, verified, and unless `late` the one that follows the last.

    Attributes
    ----------
    index : its number in the channel
    sources : of its parts, in order
    late : it was given up as part of a gap before
    """

    index: int
    body: bytes = field(repr=False)
    sources: tuple[bytes, ...]
    late: bool = False


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """The side key changed and the reader has the new one; messages after `index` need it.

    Attributes
    ----------
    commitment : to the new side key; all who read the message have the same. Empty in format 2, which has none
    """

    index: int
    sources: tuple[bytes, ...]
    commitment: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Revoked:
    """The side key changed and the reader did not get the new one; it reads nothing after `index`.

    Attributes
    ----------
    commitment : as of `Rekeyed`
    """

    index: int
    sources: tuple[bytes, ...]
    commitment: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages `first` to `last` were given up: later ones are here, these are not."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Fork:
    """The writer signed two messages with one index; `first` is of the one that counts here, `second` not."""

    index: int
    first: bytes
    second: bytes


@dataclass(frozen=True, slots=True)
class Repeated:
    """A part that was read before, byte for byte: published again, or copied by somebody."""

    index: int
    source: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """Data that is no part of the channel, and why."""

    source: bytes
    error: Unreadable


Event = Message | Rekeyed | Revoked | Gap | Fork | Repeated | Rejected
