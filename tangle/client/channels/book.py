"""The book of a channel's writer: one SQLite file, written before anything is published.

    channel      the seed and all that makes the channel, and where its writer stands
    outbox       parts of messages that are signed and not yet acknowledged by a node
    subscribers  who gets the next side key

An index is used up in the same transaction that keeps the signed message: after a crash at any moment the
message goes out as it was signed, byte for byte, or was never signed. So no index is ever signed twice and none
is left out.

The file is locked (flock) as long as the Book is open, and the operating system takes the lock back when the
process ends, however it ends. A second process, or a second Book in this one, is refused. SQLite's own locks
would not do: they belong to the process, and are gone when any part of it opens and closes the file once more,
as a backup does. A copy of the file is another matter: two writers of one seed make a fork, which their readers
see. The file holds the seed; it is readable for its owner alone.

SQLite through the standard library, not SQLAlchemy: a machine that writes one channel needs three tables and no
other database. WAL with synchronous=FULL; only acknowledgements are not waited for, since losing one repeats a
block.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tangle.client.channels.errors import BookFailed, ChannelExists, ChannelInUse, NoChannel, NotASubscriber
from tangle.mam import Channel, Mode, Position, Sealed

LAYOUT = 1
"""number of this layout of the tables"""
_APPLICATION_ID = 0x6D616D32
_TABLES = """
CREATE TABLE channel (
    id INTEGER PRIMARY KEY CHECK (id = 1), layout INTEGER NOT NULL,
    seed BLOB NOT NULL, mode INTEGER NOT NULL, height INTEGER NOT NULL, side_key BLOB,
    next_index INTEGER NOT NULL, rekeyed_at INTEGER
) STRICT;
CREATE TABLE outbox (
    message INTEGER NOT NULL, part INTEGER NOT NULL, address BLOB NOT NULL, data BLOB NOT NULL,
    block_id BLOB, PRIMARY KEY (message, part)
) STRICT;
CREATE TABLE subscribers (public_key BLOB PRIMARY KEY) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A part that no node has acknowledged; `index` is that of its message."""

    index: int
    part: int
    address: bytes
    data: bytes = field(repr=False)


class Book:
    """The state of one writer; use `create` or `open`. It belongs to the thread that made it.

    Attributes
    ----------
    path : of the file
    channel : what the seed makes
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int) -> None:
        self.path = path
        self._connection = connection
        self._lock = lock
        row = connection.execute("SELECT seed, mode, height, side_key FROM channel").fetchone()
        self.channel = Channel(row[0], Mode(row[1]), row[2], row[3] if row[1] == Mode.RESTRICTED else None)

    @classmethod
    def create(cls, path: Path, channel: Channel, position: Position | None = None) -> Self:
        """A new book for a channel whose writer stands at `position`, by default at its beginning.

        Raises
        ------
        ChannelExists, ChannelInUse, BookFailed
        NoChannel : the file is something else
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        position = position or Position()
        row = (LAYOUT, channel.seed, channel.mode, channel.height, channel.first_side_key)
        with _held(path, os.O_CREAT | os.O_RDWR) as (connection, lock):
            if _application(connection) == _APPLICATION_ID:
                raise ChannelExists(path)
            with _transaction(path, connection):
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                for statement in filter(str.strip, _TABLES.split(";")):
                    connection.execute(statement)
                values = (*row, position.index, position.rekeyed_at)
                connection.execute("INSERT INTO channel VALUES (1, ?, ?, ?, ?, ?, ?, ?)", values)
            return cls(path, connection, lock)

    @classmethod
    def open(cls, path: Path) -> Self:
        """The book in a file. Raises NoChannel, ChannelInUse, BookFailed."""
        with _held(path, os.O_RDWR) as (connection, lock):
            if _application(connection) != _APPLICATION_ID:
                raise NoChannel(path)
            if connection.execute("SELECT layout FROM channel").fetchone() != (LAYOUT,):
                raise NoChannel(path)
            return cls(path, connection, lock)

    def close(self) -> None:
        """Give the file free."""
        self._connection.close()
        os.close(self._lock)

    @property
    def position(self) -> Position:
        """Where the writer stands: the next message is signed there."""
        return Position(*self._connection.execute("SELECT next_index, rekeyed_at FROM channel").fetchone())

    @property
    def subscribers(self) -> list[bytes]:
        """Public keys that get the next side key, sorted."""
        return [key for (key,) in self._connection.execute("SELECT public_key FROM subscribers ORDER BY 1")]

    def reserve(self, bodies: Iterable[bytes]) -> list[Sealed]:
        """Sign one message per body and keep them durably, all or none.

        Raises
        ------
        BodyTooLong, ChannelExhausted, BookFailed
        """
        with _transaction(self.path, self._connection):
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
        with _transaction(self.path, self._connection):
            for key in granted:
                self._connection.execute("INSERT OR IGNORE INTO subscribers VALUES (?)", (key,))
            for key in revoked:
                if not self._connection.execute("DELETE FROM subscribers WHERE public_key = ?", (key,)).rowcount:
                    raise NotASubscriber
            sealed = self.channel.rekey(self.subscribers, self.position)
            self._keep([sealed])
        return sealed

    def outgoing(self) -> list[Outgoing]:
        """All parts that are not acknowledged, in order of the channel."""
        rows = self._connection.execute(
            "SELECT message, part, address, data FROM outbox WHERE block_id IS NULL ORDER BY message, part"
        )
        return [Outgoing(*row) for row in rows]

    def acknowledge(self, index: int, part: int, block_id: bytes) -> list[bytes] | None:
        """Note which block carries a part; the ids of all parts once the message is complete, otherwise None."""
        with _transaction(self.path, self._connection, durable=False):
            update = "UPDATE outbox SET block_id = ? WHERE message = ? AND part = ?"
            self._connection.execute(update, (block_id, index, part))
            rows = self._connection.execute(
                "SELECT block_id FROM outbox WHERE message = ? ORDER BY part", (index,)
            )
            block_ids = [found for (found,) in rows]
            if None in block_ids:
                return None
            self._connection.execute("DELETE FROM outbox WHERE message = ?", (index,))
        return block_ids

    def _keep(self, messages: Sequence[Sealed]) -> None:
        for sealed in messages:
            rows = ((sealed.index, part, sealed.address, data) for part, data in enumerate(sealed.parts))
            self._connection.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?, NULL)", rows)
        if messages:
            following = messages[-1].following
            values = (following.index, following.rekeyed_at)
            self._connection.execute("UPDATE channel SET next_index = ?, rekeyed_at = ?", values)


@contextmanager
def _held(path: Path, flags: int) -> Iterator[tuple[sqlite3.Connection, int]]:
    """A connection and the lock of its file; both are given free if the block fails.

    Raises
    ------
    ChannelInUse, NoChannel, BookFailed
    """
    lock, connection = _locked(path, flags), None
    try:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        # Asked before anything is changed: the file may be a database of something else.
        empty = not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if not empty and _application(connection) != _APPLICATION_ID:
            raise NoChannel(path)
        connection.execute("PRAGMA journal_mode = WAL")
        yield connection, lock
    except BaseException as error:
        if connection is not None:
            connection.close()
        os.close(lock)
        if isinstance(error, sqlite3.Error):
            raise NoChannel(path) from error
        raise


def _locked(path: Path, flags: int) -> int:
    """A descriptor of the file that holds its lock. Raises NoChannel, ChannelInUse, BookFailed."""
    try:
        lock = os.open(path, flags, 0o600)
    except FileNotFoundError:
        raise NoChannel(path) from None
    except OSError as error:
        raise BookFailed(path, str(error.strerror)) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise ChannelInUse(path) from None
    return lock


def _application(connection: sqlite3.Connection) -> int:
    number: int = connection.execute("PRAGMA application_id").fetchone()[0]
    return number


@contextmanager
def _transaction(path: Path, connection: sqlite3.Connection, *, durable: bool = True) -> Iterator[None]:
    """All or nothing; on the disk at its end if `durable`, else with the next that is. Raises BookFailed."""
    try:
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except sqlite3.Error as error:
        raise BookFailed(path, str(error)) from error
