"""Durable books: one SQLite file with one writer, who finds after any crash what was committed, whole.

A book is locked (flock) as long as it is open, and the operating system takes the lock back when the process ends,
however it ends. A second process, or a second `Book` in this one, is refused. SQLite's own locks would not do:
they belong to the process, and are gone when any part of it opens and closes the file once more, as a backup does.
The file is readable for its owner alone.

What kind a book is of stands in its file: SQLite's application id and its tables. A file of another kind is left
as it is. WAL with synchronous=FULL: a committed transaction survives a kill and a power cut. SQLite through the
standard library, not SQLAlchemy: a machine needs a few tables and no other database.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tangle.disk.errors import BookExists, BookFailed, BookInUse, NoBook
from tangle.disk.files import PRIVATE
from tangle.disk.locks import locked

_TABLE = re.compile(r"CREATE TABLE (\w+)")


@dataclass(frozen=True, slots=True)
class BookKind:
    """What a book holds.

    Attributes
    ----------
    tables : SQL statements that make its tables
    application_id : SQLite's number for the kind of a file; 0 where the tables alone tell
    """

    tables: str
    application_id: int = 0

    def is_kept_in(self, connection: sqlite3.Connection) -> bool:
        """Whether a database holds a book of this kind; only reads."""
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        (number,) = connection.execute("PRAGMA application_id").fetchone()
        return number == self.application_id and found.issuperset(_TABLE.findall(self.tables))


class Book:
    """An open book; see `create_book` and `open_book`. It belongs to the thread that opened it.

    Attributes
    ----------
    path : of the file
    connection : to read with; what is written goes into a `transaction`
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int) -> None:
        self.path = path
        self.connection = connection
        self._lock = lock

    def close(self) -> None:
        """Give the file free."""
        self.connection.close()
        os.close(self._lock)

    def rows(self, query: str) -> list[Any]:
        """All rows that answer a query. Raises BookFailed."""
        try:
            return self.connection.execute(query).fetchall()
        except sqlite3.Error as error:
            raise BookFailed(self.path, str(error)) from error

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """All or nothing; on the disk at its end if `durable`, else with the next that is. Raises BookFailed."""
        connection = self.connection
        try:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise BookFailed(self.path, str(error)) from error


Beginning = Callable[[sqlite3.Connection], None]
"""writes the first rows of a book, in the transaction that makes its tables"""


def create_book(path: Path, kind: BookKind, begin: Beginning) -> Book:
    """A new book, in a new or empty file.

    Raises
    ------
    BookExists, BookInUse, BookFailed
    NoBook : the file is something else
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _opened(path, os.O_CREAT | os.O_RDWR, kind) as (book, is_made):
        if is_made:
            raise BookExists(path)
        _make(book, kind, begin)
        return book


def open_book(path: Path, kind: BookKind, begin: Beginning | None = None) -> Book:
    """The book in a file; with `begin` it is made if there is none. Raises NoBook, BookInUse, BookFailed."""
    if begin is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _opened(path, os.O_RDWR | (os.O_CREAT if begin else 0), kind) as (book, is_made):
        if not is_made:
            if begin is None:
                raise NoBook(path)
            _make(book, kind, begin)
        return book


def _make(book: Book, kind: BookKind, begin: Beginning) -> None:
    with book.transaction() as connection:
        connection.execute(f"PRAGMA application_id = {kind.application_id}")
        for statement in filter(str.strip, kind.tables.split(";")):
            connection.execute(statement)
        begin(connection)


def _close_to_others(path: Path, file: int) -> None:
    """A book of an earlier time, or one that was copied, may be open to others, and its log with it."""
    with suppress(OSError):
        if stat.S_IMODE(os.fstat(file).st_mode) & 0o077:
            os.fchmod(file, PRIVATE)
            for beside in (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")):
                if beside.exists():
                    beside.chmod(PRIVATE)


@contextmanager
def _opened(path: Path, flags: int, kind: BookKind) -> Iterator[tuple[Book, bool]]:
    """The book of a file, and whether its tables are made; given free if the block fails."""
    try:
        lock = locked(path, flags, PRIVATE)
    except FileNotFoundError:
        raise NoBook(path) from None
    except BlockingIOError:
        raise BookInUse(path) from None
    except OSError as error:
        raise BookFailed(path, str(error.strerror)) from None
    _close_to_others(path, lock)
    book = Book(path, sqlite3.connect(path, timeout=0, isolation_level=None), lock)
    try:
        book.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        # Asked before anything is changed: the file may be a database of something else.
        is_made = bool(book.connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
        if is_made and not kind.is_kept_in(book.connection):
            raise NoBook(path)
        book.connection.execute("PRAGMA journal_mode = WAL")
        book.connection.execute("PRAGMA foreign_keys = ON")
        yield book, is_made
    except BaseException as error:
        book.close()
        if isinstance(error, sqlite3.Error):
            raise NoBook(path) from error
        raise
