"""What can go wrong for a program that writes or reads a channel.

ClientError
└── ChannelError
    ├── BookError                the file that keeps a channel cannot be used
    │   ├── ChannelInUse         another process, or another part of this one, has it open
    │   ├── NoChannel            there is no such file, or it is no channel's
    │   └── ChannelExists        a channel is there already and is not overwritten
    ├── NotYetPublished          a message is kept safely but the node did not take it; it is sent again
    ├── NotASubscriber           a key is revoked that was never granted
    └── AccessRevoked            the side key changed and this reader did not get the new one

Errors of the format (`tangle.mam.errors`) come up when an argument breaks one of its rules: a body that is too
long, a key of the wrong size; `tangle.disk.errors.BookFailed` when a file cannot be written down.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from tangle.client.errors import ClientError


class ChannelError(ClientError):
    """Base of the errors of channels."""

    code = "channel"


class BookError(ChannelError):
    """A file that keeps a channel cannot be used.

    Attributes
    ----------
    path : of the file
    """

    code = "channel_book"
    reason: ClassVar[str] = "cannot be used"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class ChannelInUse(BookError):
    """Two writers of one channel would sign two messages with one index, so the second is refused."""

    code = "channel_in_use"
    reason = "another program has this channel open; only one can write it"


class NoChannel(BookError):
    """No file, or another one."""

    code = "no_channel"
    reason = "no channel is kept here"


class ChannelExists(BookError):
    """A channel is kept there already."""

    code = "channel_exists"
    reason = "a channel is kept here already"


class NotYetPublished(ChannelError):
    """The node did not take a message. It is signed and kept, and goes out before the next one, or with `resume`.

    Publishing the same body again would make a second message of it.

    Attributes
    ----------
    indexes : of the messages that wait; why is in ``__cause__``
    """

    code = "not_yet_published"

    def __init__(self, indexes: list[int]) -> None:
        super().__init__(indexes)
        self.indexes = indexes

    def __str__(self) -> str:
        names = f"message {self.indexes[0]}" if len(self.indexes) == 1 else f"{len(self.indexes)} messages"
        return f"{names} could not be published now ({self.__cause__}); nothing is lost, it will be sent again"


class NotASubscriber(ChannelError):
    """A key that the channel was never granted to."""

    code = "not_a_subscriber"

    def __str__(self) -> str:
        return "this key is none of the channel's subscribers"


class AccessRevoked(ChannelError):
    """The side key changed without this reader.

    Attributes
    ----------
    index : of the rekey message; what follows it is closed
    """

    code = "access_revoked"

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index

    def __str__(self) -> str:
        return f"access was revoked with message {self.index}; ask the writer for an invitation"
