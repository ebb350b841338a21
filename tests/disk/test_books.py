"""Books: one kind, one writer, all or nothing. What a channel's book shows is not repeated here."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from tangle.disk.books import Book, BookKind, create_book, open_book
from tangle.disk.errors import BookExists, BookFailed, BookInUse, NoBook

KIND = BookKind("CREATE TABLE notes (text TEXT NOT NULL) STRICT; CREATE TABLE marks (n INTEGER)", 7)


def begin(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO notes VALUES ('first')")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "book.db"
    create_book(path, KIND, begin).close()
    return path


def write(book: Book, *texts: object) -> None:
    with book.transaction() as connection:
        for text in texts:
            connection.execute("INSERT INTO notes VALUES (?)", (text,))


def test_a_transaction_is_kept_whole_or_not_at_all(path: Path) -> None:
    with closing(open_book(path, KIND)) as book:
        write(book, "second")
        with pytest.raises(BookFailed, match="NOT NULL"):
            write(book, "third", None)
        with pytest.raises(OverflowError):
            write(book, "third", 2**64)
    with closing(open_book(path, KIND)) as book:
        assert book.connection.execute("SELECT text FROM notes").fetchall() == [("first",), ("second",)]


def test_a_book_is_durable(path: Path) -> None:
    with closing(open_book(path, KIND)) as book, book.transaction() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_book_has_one_writer(path: Path) -> None:
    with closing(open_book(path, KIND)):
        for _ in range(2):
            with pytest.raises(BookInUse):
                open_book(path, KIND)
            with pytest.raises(BookInUse):
                create_book(path, KIND, begin)
    with pytest.raises(BookExists):
        create_book(path, KIND, begin)
    open_book(path, KIND).close()


@pytest.mark.parametrize(
    "other", [BookKind(KIND.tables, 8), BookKind(KIND.tables + "; CREATE TABLE more (n INTEGER)", 7)]
)
def test_a_book_of_another_kind_is_left_alone(path: Path, other: BookKind) -> None:
    before = path.read_bytes()
    with pytest.raises(NoBook):
        open_book(path, other)
    with pytest.raises(NoBook):
        create_book(path, other, begin)
    assert path.read_bytes() == before


def test_a_beginning_that_fails_makes_no_book(tmp_path: Path) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes VALUES (NULL)")

    path = tmp_path / "book.db"
    with pytest.raises(BookFailed):
        create_book(path, KIND, fail)
    with pytest.raises(NoBook):
        open_book(path, KIND)
    create_book(path, KIND, begin).close()
    with pytest.raises(NoBook):
        open_book(tmp_path / "missing.db", KIND)


def test_a_book_and_the_directory_made_for_it_are_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        book = open_book(tmp_path / "machine" / "journal.db", KIND, lambda _: None)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes.pop("machine") == 0o700
    assert set(modes.values()) == {0o600}
    book.close()
