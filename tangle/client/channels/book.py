"""The book of a channel's writer: one SQLite file, written before anything is published.

    channel      the seed and all that makes the channel, and where its writer stands
    outbox       parts of messages that are signed and not yet acknowledged by a node
    subscribers  who gets the next side key

An index is used up in the same transaction that keeps the signed message: after a crash at any moment the
message goes out as it was signed, byte for byte, or was never signed. So no index is ever signed twice and none
is left out.

One process writes it at a time (`tangle.disk.books`). A copy of the file is another matter: two writers of one
seed make a fork, which their readers see. The file holds the seed. Only acknowledgements are not waited for, since
losing one repeats a block.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tangle.client.channels.errors import (
    ChannelElsewhere,
    ChannelExists,
    ChannelInUse,
    NoChannel,
    NotASubscriber,
)
from tangle.disk import books
from tangle.disk.errors import BookExists, BookFailed, BookInUse, NoBook
from tangle.mam import VERSIONS, Channel, MamError, Mode, Position, Sealed
from tangle.mam.message import INDEX_MAX
from tangle.protocol.serial import uint

LAYOUT = 2
"""number of this layout of the tables; books of the first one are of channels of format 2, and go on in it"""
_NETWORK_BYTES = 8
_KIND = books.BookKind(
    """
CREATE TABLE channel (
    id INTEGER PRIMARY KEY CHECK (id = 1), layout INTEGER NOT NULL,
    seed BLOB NOT NULL, mode INTEGER NOT NULL, height INTEGER NOT NULL, side_key BLOB,
    next_index INTEGER NOT NULL, rekeyed_at INTEGER, network BLOB
) STRICT;
CREATE TABLE outbox (
    message INTEGER NOT NULL, part INTEGER NOT NULL, address BLOB NOT NULL, data BLOB NOT NULL,
    block_id BLOB, PRIMARY KEY (message, part)
) STRICT;
CREATE TABLE subscribers (public_key BLOB PRIMARY KEY) STRICT;
""",
    application_id=0x6D616D32,
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A part that no node has acknowledged; `index` is that of its message."""

    index: int
    part: int
    address: bytes
    data: bytes = field(repr=False)


class ChannelBook:
    """The state of one writer; use `create` or `open`. It belongs to the thread that made it.

    Attributes
    ----------
    path : of the file
    channel : what the seed makes
    is_bound : whether it is known for which network the channel is; format 2 knows none
    """

    def __init__(self, book: books.Book) -> None:
        self.path = book.path
        self._book = book
        row = book.connection.execute("SELECT layout, seed, mode, height, side_key FROM channel").fetchone()
        if row is None or not 1 <= row[0] <= LAYOUT:
            raise NoBook(book.path)
        layout, seed, mode, height, side_key = row
        is_bound, network = layout == 1, 0
        if layout == LAYOUT:
            (stored,) = book.connection.execute("SELECT network FROM channel").fetchone()
            is_bound, network = stored is not None, int.from_bytes(stored or b"", "little")
        self.is_bound = is_bound
        try:
            first, version = side_key if mode == Mode.RESTRICTED else None, VERSIONS[layout - 1]
            self.channel = Channel(seed, Mode(mode), height, first, network=network, version=version)
        except (ValueError, MamError) as error:
            raise BookFailed(book.path, f"the channel in it is damaged: {error}") from None

    @classmethod
    def create(cls, path: Path, channel: Channel, position: Position | None = None) -> Self:
        """A new book for a channel whose writer stands at `position`, by default at its beginning.

        Raises
        ------
        ChannelExists, ChannelInUse, BookFailed
        NoChannel : the file is something else
        """
        position = position or Position()
        layout = 1 + VERSIONS.index(channel.version)
        row = (layout, channel.seed, channel.mode, channel.height, channel.first_side_key)
        network = uint(channel.network, _NETWORK_BYTES) if channel.network else None

        def begin(connection: sqlite3.Connection) -> None:
            values = (*row, position.index, position.rekeyed_at, network)
            connection.execute("INSERT INTO channel VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)", values)

        with _named():
            return cls(books.create_book(path, _KIND, begin))

    @classmethod
    def open(cls, path: Path) -> Self:
        """The book in a file. Raises NoChannel, ChannelInUse, BookFailed."""
        with _named(), ExitStack() as stack:
            book = books.open_book(path, _KIND)
            stack.callback(book.close)
            try:
                opened = cls(book)
            except sqlite3.Error as error:
                raise NoBook(path) from error
            stack.pop_all()
            return opened

    def close(self) -> None:
        """Give the file free."""
        self._book.close()

    def bind(self, network: int) -> None:
        """Note for which network the channel is, durably; once. Raises ChannelElsewhere."""
        if not network or self.channel.version == VERSIONS[0]:
            return
        if self.is_bound:
            if self.channel.network != network:
                raise ChannelElsewhere(f"the channel in {self.path}", self.channel.network, network)
            return
        with self._book.transaction() as connection:
            connection.execute("UPDATE channel SET network = ?", (uint(network, _NETWORK_BYTES),))
        self.channel.network, self.is_bound = network, True

    @property
    def position(self) -> Position:
        """Where the writer stands: the next message is signed there."""
        ((index, rekeyed_at),) = self._book.rows("SELECT next_index, rekeyed_at FROM channel")
        if not 0 <= index <= INDEX_MAX + 1 or (rekeyed_at is not None and not 0 <= rekeyed_at < max(index, 1)):
            raise BookFailed(self.path, f"where its writer stands is damaged: {index}, rekeyed at {rekeyed_at}")
        return Position(index, rekeyed_at)

    @property
    def subscribers(self) -> list[bytes]:
        """Public keys that get the next side key, sorted."""
        return [key for (key,) in self._book.rows("SELECT public_key FROM subscribers ORDER BY 1")]

    def reserve(self, bodies: Iterable[bytes]) -> list[Sealed]:
        """Sign one message per body and keep them durably, all or none.

        Raises
        ------
        BodyTooLong, ChannelExhausted, BookFailed
        """
        with self._book.transaction():
            position, messages = self.position, []
            for body in bodies:
                messages.append(self.channel.write(body, position))
                position = messages[-1].following
            self._keep(messages)
        return messages

    def rekey(self, *, granted: Sequence[bytes] = (), revoked: Sequence[bytes] = ()) -> Sealed:
        """Change the list of subscribers and sign the message that hands them a new side key, durably.

        Raises
        ------
        ArgumentInvalid : the channel is not restricted, or a key is none
        NotASubscriber : a revoked key is not in the list; nothing is changed
        """
        with self._book.transaction():
            for key in granted:
                self._book.connection.execute("INSERT OR IGNORE INTO subscribers VALUES (?)", (key,))
            for key in revoked:
                if not self._book.connection.execute(
                    "DELETE FROM subscribers WHERE public_key = ?", (key,)
                ).rowcount:
                    raise NotASubscriber
            sealed = self.channel.rekey(self.subscribers, self.position)
            self._keep([sealed])
        return sealed

    def outgoing(self) -> list[Outgoing]:
        """All parts that are not acknowledged, in order of the channel."""
        waiting = "SELECT message, part, address, data FROM outbox WHERE block_id IS NULL ORDER BY message, part"
        return [Outgoing(*row) for row in self._book.rows(waiting)]

    def acknowledge(self, index: int, part: int, block_id: bytes) -> list[bytes] | None:
        """Note which block carries a part; the ids of all parts once the message is complete, otherwise None."""
        with self._book.transaction(durable=False):
            update = "UPDATE outbox SET block_id = ? WHERE message = ? AND part = ?"
            self._book.connection.execute(update, (block_id, index, part))
            rows = self._book.connection.execute(
                "SELECT block_id FROM outbox WHERE message = ? ORDER BY part", (index,)
            )
            block_ids = [found for (found,) in rows]
            if None in block_ids:
                return None
            self._book.connection.execute("DELETE FROM outbox WHERE message = ?", (index,))
        return block_ids

    def _keep(self, messages: Sequence[Sealed]) -> None:
        for sealed in messages:
            rows = ((sealed.index, part, sealed.address, data) for part, data in enumerate(sealed.parts))
            self._book.connection.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?, NULL)", rows)
        if messages:
            following = messages[-1].following
            values = (following.index, following.rekeyed_at)
            self._book.connection.execute("UPDATE channel SET next_index = ?, rekeyed_at = ?", values)


@contextmanager
def _named() -> Iterator[None]:
    """Errors of the book in the words of channels."""
    try:
        yield
    except NoBook as error:
        raise NoChannel(error.path) from error
    except BookInUse as error:
        raise ChannelInUse(error.path) from None
    except BookExists as error:
        raise ChannelExists(error.path) from None
