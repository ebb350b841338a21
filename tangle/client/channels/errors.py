"""What can go wrong for a program that writes or reads a channel.

ClientError
└── ChannelError
    ├── ChannelBookError                the file that keeps a channel cannot be used
    │   ├── ChannelInUse         another process, or another part of this one, has it open
    │   ├── NoChannel            there is no such file, or it is no channel's
    │   └── ChannelExists        a channel is there already and is not overwritten
    ├── NotYetPublished          a message is kept safely but the node did not take it; it is sent again
    ├── NotASubscriber           a key is revoked that was never granted
    ├── ChannelElsewhere         a channel or an invitation is of another network than the node
    ├── NothingRead              a channel was read to its end, and not one message of it was there
    └── AccessRevoked            the side key changed and this reader did not get the new one

Errors of the format (`tangle.mam.errors`) come up when an argument breaks one of its rules: a body that is too
long, a key of the wrong size; `tangle.disk.errors.BookFailed` when a file cannot be written down.
"""

from __future__ import annotations

from pathlib import Path

from tangle.client.errors import ClientError
from tangle.errors import Ending, TangleError


class ChannelError(ClientError):
    """Base of the errors of channels."""

    code = "channel"
    ending = Ending.CHANNEL


class ChannelBookError(ChannelError):
    """A file that keeps a channel cannot be used.

    Attributes
    ----------
    path : of the file
    """

    code = "channel_book"
    template = "{path}: cannot be used"
    path: Path


class ChannelInUse(ChannelBookError):
    """Two writers of one channel would sign two messages with one index, so the second is refused."""

    code = "channel_in_use"
    template = "{path}: another program has this channel open; only one can write it"


class NoChannel(ChannelBookError):
    """No file, or another one."""

    code = "no_channel"
    template = "{path}: no channel is kept here"
    hint = "`tangle mam create` makes one, `tangle mam recover` makes it again from the seed"


class ChannelExists(ChannelBookError):
    """A channel is kept there already."""

    code = "channel_exists"
    template = "{path}: a channel is kept here already, and it is never overwritten; name another file"


class NotYetPublished(ChannelError):
    """The node did not take a message. It is signed and kept, and goes out before the next one, or with `resume`.

    Publishing the same body again would make a second message of it.

    Attributes
    ----------
    indexes : of the messages that wait
    why : what the node or the way to it said of the first
    """

    code = "not_yet_published"
    template = "{waiting} could not be published now ({why}); nothing is lost, it will be sent again"
    hint = "`tangle mam publish --waiting` sends it later"
    indexes: list[int]
    why: TangleError

    def __init__(self, indexes: list[int], why: TangleError) -> None:
        super().__init__(indexes, why)
        self.passes = why.passes

    @property
    def waiting(self) -> str:
        """The messages as a sentence begins with them."""
        return f"message {self.indexes[0]}" if len(self.indexes) == 1 else f"{len(self.indexes)} messages"


class NotASubscriber(ChannelError):
    """A key that the channel was never granted to."""

    code = "not_a_subscriber"
    template = "this key is none of the channel's subscribers"


class ChannelElsewhere(ChannelError):
    """A channel belongs to one network: on another one its messages would be copies that readers refuse.

    Attributes
    ----------
    what : the channel or the invitation
    named, here : ids of its network and of the node's
    """

    code = "channel_elsewhere"
    template = "{what} is for the network of id {named}; the node is on that of id {here}"
    hint = "--node names another node"
    what: str
    named: int
    here: int


class NothingRead(ChannelError):
    """All that the node holds was read, and not one message of the channel was there: nothing was verified.

    Attributes
    ----------
    why : what was looked for, and what lies there instead
    """

    code = "nothing_read"
    template = "nothing was read: {why}"
    hint = "a wrong root, mode or side key leads to another address; another node may hold what this one does not"
    why: str


class AccessRevoked(ChannelError):
    """The side key changed without this reader.

    Attributes
    ----------
    index : of the rekey message; what follows it is closed
    """

    code = "access_revoked"
    template = "access was revoked with message {index}; ask the writer for an invitation"
    index: int
