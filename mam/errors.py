"""Everything that can be wrong with a channel or with what lies under its address, as one tree with stable codes.

    MamError
    ├── ArgumentInvalid          what the caller gave has the wrong size or lies outside its range
    │   └── BodyTooLong
    ├── ChannelExhausted         the last index is used up
    ├── BoxInvalid               a sealed box that is not for this key, or was altered
    └── Unreadable               data that is no message of this tree, as far as this reader can know
        ├── WrongKey             it lies under another address: the root or the side key is not the right one
        ├── Junk                 anybody could have written it
        │   ├── NotAMessage      wrong version or size
        │   └── MaskInvalid      not masked with the key of this tree, or altered afterwards
        ├── Forged               whoever wrote it could read the channel, but was not its writer
        │   ├── LayoutInvalid, PathInvalid, SignatureInvalid
        │   └── NonceInvalid     the writer's content, masked a second time by somebody else
        └── Misplaced            the writer's own, but it contradicts what was read before

What can be told apart: a reader with a wrong root or side key computes another address, so the address alone
shows it, and nobody can make the right address fail by writing junk under it. Junk and an altered message look
the same: both fail the mask. What passes the mask was made by somebody with the reader's own knowledge (in a
public channel anybody), so a failure behind it is a forgery and never an accident.

A code is part of the interface: it never changes meaning.
"""

from __future__ import annotations

from typing import ClassVar


class MamError(Exception):
    """Base of all errors of this package."""

    code = "mam"


class ArgumentInvalid(MamError):
    """An argument breaks a rule.

    Attributes
    ----------
    field : its name
    rule : the rule it broke, as a sentence fragment
    """

    code = "argument_invalid"

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(field, rule)
        self.field = field
        self.rule = rule

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}"


class BodyTooLong(ArgumentInvalid):
    """A body of more bytes than a message can be split into."""

    code = "body_too_long"

    def __init__(self, size: int, most: int) -> None:
        super().__init__("body", f"has {size:,} bytes, at most {most:,} are allowed")
        self.args = (size, most)


class ChannelExhausted(MamError):
    """No index is left."""

    code = "channel_exhausted"

    def __str__(self) -> str:
        return "the last index of the channel is used up; start a channel with another seed"


class BoxInvalid(MamError):
    """A sealed box that does not open with this key."""

    code = "box_invalid"

    def __str__(self) -> str:
        return "the box was sealed for another key, or was altered"


class Unreadable(MamError):
    """Data that is no message of the tree it was read for."""

    code = "unreadable"
    reason: ClassVar[str] = "no message of this channel"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


class WrongKey(Unreadable):
    """The address is not the one that the root and the side key lead to."""

    code = "wrong_key"
    reason = "it lies under the address of another root or side key"


class Junk(Unreadable):
    """Data that anybody could have put under the address."""

    code = "junk"
    reason = "junk"


class NotAMessage(Junk):
    """Of another version, too short or too long."""

    code = "not_a_message"
    reason = "not shaped like a message"


class MaskInvalid(Junk):
    """Not masked with the key of this tree, or altered since."""

    code = "mask_invalid"
    reason = "not masked with the key of this tree, or altered afterwards"


class Forged(Unreadable):
    """Written by somebody who can read the channel but does not hold its seed."""

    code = "forged"
    reason = "forged"


class LayoutInvalid(Forged):
    """Fields behind the mask that no writer makes."""

    code = "layout_invalid"
    reason = "its fields break the format"


class PathInvalid(Forged):
    """The key does not belong to the tree, at this index."""

    code = "path_invalid"
    reason = "its key and Merkle path do not lead to the root"


class SignatureInvalid(Forged):
    """The signature is not of the key that the path proves."""

    code = "signature_invalid"
    reason = "its signature does not verify"


class NonceInvalid(Forged):
    """Signed by the writer, but masked by somebody else to look like a second message."""

    code = "nonce_invalid"
    reason = "its nonce is not that of its content"


class Misplaced(Unreadable):
    """Signed by the writer, but in contradiction to what the same writer signed before."""

    code = "misplaced"
    reason = "it contradicts what the channel said before"
