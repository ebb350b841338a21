"""Everything that can be wrong with a channel or with what lies under its address, as one tree with stable codes.

    TangleError
    └── MamError
        ├── ArgumentInvalid          what the caller gave has the wrong size or lies outside its range
        │   └── BodyTooLong
        ├── ChannelExhausted         the last index is used up
        ├── BoxInvalid               a sealed box that is not for this key, or was altered
        ├── InvitationForged         an invitation that is not of the writer it names, or not for this reader
        └── Unreadable               data that is no message of this tree, as far as this reader can know
            ├── WrongKey             it lies under another address: the root or the side key is not the right one
            ├── Junk                 anybody could have written it
            │   ├── NotAMessage      wrong version or size
            │   └── MaskInvalid      not masked with the key of this tree, or altered afterwards
            ├── Forged               whoever wrote it could read the channel, but was not its writer
            │   ├── LayoutInvalid, PathInvalid, ForgedSignature
            │   └── NonceInvalid     the writer's content, masked a second time by somebody else
            ├── WrittenElsewhere     the writer's own, written for another network and published here by somebody
            └── Misplaced            the writer's own, but it contradicts what was read before
                └── SideKeyContradicted    a rekey message that handed this reader another key than it commits to

What can be told apart: a reader with a wrong root or side key computes another address, so the address alone
shows it, and nobody can make the right address fail by writing junk under it. Junk and an altered message look
the same: both fail the mask. What passes the mask was made by somebody with the reader's own knowledge (in a
public channel anybody), so a failure behind it is a forgery and never an accident.

A code is part of the interface: it never changes meaning.
"""

from __future__ import annotations

from tangle.errors import BrokenRule, TangleError


class MamError(TangleError):
    """Base of all errors of this package."""

    code = "mam"


class ArgumentInvalid(BrokenRule, MamError):
    """An argument breaks a rule; `field` is its name."""

    code = "argument_invalid"


class BodyTooLong(ArgumentInvalid):
    """A body of more bytes than a message can be split into."""

    code = "body_too_long"

    def __init__(self, size: int, most: int) -> None:
        super().__init__("body", f"has {size:,} bytes, at most {most:,} are allowed")
        self.args = (size, most)


class ChannelExhausted(MamError):
    """No index is left."""

    code = "channel_exhausted"
    template = "the last index of the channel is used up; start a channel with another seed"


class BoxInvalid(MamError):
    """A sealed box that does not open with this key."""

    code = "box_invalid"
    template = "the box was sealed for another key, or was altered"


class InvitationForged(MamError):
    """An invitation that opens, but does not prove what it says."""

    code = "invitation_forged"
    template = "the invitation proves nothing: {rule}"
    rule: str


class Unreadable(MamError):
    """Data that is no message of the tree it was read for."""

    code = "unreadable"
    template = "no message of this channel{because}"
    detail: str = ""

    @property
    def because(self) -> str:
        """The detail as a message ends with it."""
        return f": {self.detail}" if self.detail else ""


class WrongKey(Unreadable):
    """The address is not the one that the root and the side key lead to."""

    code = "wrong_key"
    template = "it lies under the address of another root or side key{because}"


class Junk(Unreadable):
    """Data that anybody could have put under the address."""

    code = "junk"
    template = "junk{because}"


class NotAMessage(Junk):
    """Of another version, too short or too long."""

    code = "not_a_message"
    template = "not shaped like a message{because}"


class MaskInvalid(Junk):
    """Not masked with the key of this tree, or altered since."""

    code = "mask_invalid"
    template = "not masked with the key of this tree, or altered afterwards{because}"


class Forged(Unreadable):
    """Written by somebody who can read the channel but does not hold its seed."""

    code = "forged"
    template = "forged{because}"


class LayoutInvalid(Forged):
    """Fields behind the mask that no writer makes."""

    code = "layout_invalid"
    template = "its fields break the format{because}"


class PathInvalid(Forged):
    """The key does not belong to the tree, at this index."""

    code = "path_invalid"
    template = "its key and Merkle path do not lead to the root{because}"


class ForgedSignature(Forged):
    """The signature is not of the key that the path proves."""

    code = "forged_signature"
    template = "its signature does not verify{because}"


class NonceInvalid(Forged):
    """Signed by the writer, but masked by somebody else to look like a second message."""

    code = "nonce_invalid"
    template = "its nonce is not that of its content{because}"


class Misplaced(Unreadable):
    """Signed by the writer, but in contradiction to what the same writer signed before."""

    code = "misplaced"
    template = "it contradicts what the channel said before{because}"


class SideKeyContradicted(Misplaced):
    """The writer handed this reader another side key than the one that its message commits to before all."""

    code = "side_key_contradicted"
    template = "its side key is not the one it commits to: the writer may tell readers different things{because}"


class WrittenElsewhere(Unreadable):
    """Signed by the writer for another network; anybody can publish it here once more.

    Attributes
    ----------
    network : id of the network it was signed for
    """

    code = "written_elsewhere"
    template = "it was written for the network of id {network}"
    network: int = 0
