"""The book of a party: one durable SQLite file that belongs to one address on one network.

    identity    whose book it is, when it was begun, and some randomness of its own
    outbox      messages to post, stored with what they tell about
    heard       how far each tag has been read

A party adds tables of its own. Every step that it takes is one transaction over all of them, and is written down
before anything is said to the world; so a kill at any moment leaves a book from which the same is said again.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from tangle.disk import books
from tangle.disk.books import Book, BookKind
from tangle.disk.errors import NoBook
from tangle.parties.errors import OtherState

SALT_BYTES = 32
"""bytes of randomness that are a book's own"""
_TABLES = """
CREATE TABLE identity (
    id INTEGER NOT NULL PRIMARY KEY, layout INTEGER NOT NULL, address BLOB NOT NULL, network_id VARCHAR NOT NULL,
    salt BLOB NOT NULL, begun_ms BIGINT NOT NULL
);
CREATE TABLE outbox (
    number INTEGER NOT NULL PRIMARY KEY, tag BLOB NOT NULL, data BLOB NOT NULL, posted INTEGER NOT NULL
);
CREATE INDEX outbox_by_posted ON outbox (posted);
CREATE TABLE heard (tag BLOB NOT NULL PRIMARY KEY, "after" BIGINT NOT NULL);
"""


def open_book(
    path: Path, tables: str, layout: int, address: bytes, network_id: int, changes: Sequence[str] = ()
) -> Book:
    """The book in the file `path`, made if there is none.

    Parameters
    ----------
    tables : SQL of the party's own tables
    layout : number of their layout
    changes : SQL that makes each later layout of the one before; a book of an earlier one is brought up to date

    Raises
    ------
    OtherState : the file is no such book, or one of another party, network or layout
    BookInUse, BookFailed
    """
    mine = {"address": address, "network_id": str(network_id)}

    def begin(connection: sqlite3.Connection) -> None:
        row = (layout, *mine.values(), os.urandom(SALT_BYTES), time.time_ns() // 1_000_000)
        connection.execute("INSERT INTO identity VALUES (1, ?, ?, ?, ?, ?)", row)

    try:
        book = books.open_book(path, BookKind(_TABLES + tables), begin)
    except NoBook:
        raise OtherState(f"{path}: no journal of a machine") from None
    book.connection.row_factory = sqlite3.Row
    found = book.connection.execute("SELECT * FROM identity").fetchone()
    different = [name for name, value in mine.items() if found[name] != value]
    if not layout <= found["layout"] <= layout + len(changes):
        different.append("layout")
    if different:
        book.close()
        raise OtherState(f"{path}: a journal with another {', '.join(different).replace('_', ' ')}")
    for number, change in enumerate(changes[found["layout"] - layout :], start=found["layout"] + 1):
        _change(book, change, number)
    return book


def _change(book: Book, change: str, layout: int) -> None:
    with book.transaction() as connection:
        for statement in filter(str.strip, change.split(";")):
            connection.execute(statement)
        connection.execute("UPDATE identity SET layout = ?", (layout,))


def salt(connection: sqlite3.Connection) -> bytes:
    """Random bytes that are this book's own."""
    found: bytes = connection.execute("SELECT salt FROM identity").fetchone()[0]
    return found


def begun_ms(connection: sqlite3.Connection) -> int:
    """When the book was made, in milliseconds since 1970 by the party's clock."""
    found: int = connection.execute("SELECT begun_ms FROM identity").fetchone()[0]
    return found


def enqueue(connection: sqlite3.Connection, tag: bytes, data: bytes) -> None:
    """Put a message into the outbox."""
    connection.execute("INSERT INTO outbox (tag, data, posted) VALUES (?, ?, 0)", (tag, data))


def unposted(connection: sqlite3.Connection, limit: int = 100) -> list[tuple[int, bytes, bytes]]:
    """Number, tag and data of messages that are not known to be posted, oldest first."""
    query = "SELECT number, tag, data FROM outbox WHERE posted = 0 ORDER BY number LIMIT ?"
    return [(number, tag, data) for number, tag, data in connection.execute(query, (limit,))]


def mark_posted(connection: sqlite3.Connection, number: int) -> None:
    """Note that a message of the outbox is in the Tangle."""
    connection.execute("UPDATE outbox SET posted = 1 WHERE number = ?", (number,))


def announced(connection: sqlite3.Connection, tag: bytes, data: bytes) -> bool:
    """Whether the last message for `tag` in the outbox is `data`."""
    last = connection.execute(
        "SELECT data FROM outbox WHERE tag = ? ORDER BY number DESC LIMIT 1", (tag,)
    ).fetchone()
    return last is not None and last[0] == data


def forget(connection: sqlite3.Connection, tag: bytes) -> None:
    """Drop what the outbox holds for `tag`, posted or not."""
    connection.execute("DELETE FROM outbox WHERE tag = ?", (tag,))


def heard_up_to(connection: sqlite3.Connection, place: bytes) -> int:
    """The event number up to which `place`, a tag in one journal, has been read; 0 at first."""
    found = connection.execute('SELECT "after" FROM heard WHERE tag = ?', (place,)).fetchone()
    return found[0] if found else 0


def mark_heard(connection: sqlite3.Connection, place: bytes, after: int) -> None:
    """Note that `place` has been read up to an event number."""
    connection.execute("INSERT OR REPLACE INTO heard VALUES (?, ?)", (place, after))
