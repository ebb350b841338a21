"""The file of a writer: one at a time, all or nothing, nothing else overwritten."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tangle.client.channels import ChannelBook
from tangle.client.channels.errors import (
    ChannelBookError,
    ChannelElsewhere,
    ChannelExists,
    ChannelInUse,
    NoChannel,
    NotASubscriber,
)
from tangle.disk.errors import BookFailed
from tangle.mam import BODY_BYTES_MAX, ArgumentInvalid, BodyTooLong, Channel, Mode, Position, public_key_of, unseal

ROOT = Path(__file__).parents[3]
SEED = b"s" * 32
ALICE, BOB = (public_key_of(name * 32) for name in (b"a", b"b"))


@pytest.mark.parametrize("mode", list(Mode))
def test_what_is_written_is_found_again(tmp_path: Path, mode: Mode) -> None:
    side_key = b"k" * 32 if mode is Mode.RESTRICTED else None
    path = tmp_path / "deep" / "channel.db"
    book = ChannelBook.create(path, Channel(SEED, mode, 3, side_key), Position(5))
    sealed = book.reserve([b"one", b"two", bytes(100_000)])
    book.close()
    again = ChannelBook.open(path)
    assert again.position == Position(8)
    channel = again.channel
    assert (channel.seed, channel.mode, channel.height, channel.first_side_key) == (SEED, mode, 3, side_key)
    kept = [(one.index, one.part, one.address, one.data) for one in again.outgoing()]
    assert kept == [(m.index, n, m.address, data) for m in sealed for n, data in enumerate(m.parts)]
    again.close()


def test_acknowledged_parts_leave(tmp_path: Path) -> None:
    book = ChannelBook.create(tmp_path / "channel.db", Channel(SEED, Mode.PUBLIC, 0))
    long, short = book.reserve([bytes(50_000), b"short"])
    assert book.acknowledge(long.index, 1, b"1") is None
    assert [(one.index, one.part) for one in book.outgoing()] == [(0, 0), (1, 0)]
    assert book.acknowledge(short.index, 0, b"s") == [b"s"]
    assert book.acknowledge(long.index, 0, b"0") == [b"0", b"1"]
    assert book.outgoing() == []
    book.close()


def test_a_message_that_cannot_be_signed_leaves_nothing(tmp_path: Path) -> None:
    book = ChannelBook.create(tmp_path / "channel.db", Channel(SEED, Mode.RESTRICTED, 0))
    with pytest.raises(BodyTooLong):
        book.reserve([b"fits", bytes(BODY_BYTES_MAX + 1)])
    with pytest.raises(ArgumentInvalid):
        book.rekey(granted=[b"no key"])
    with pytest.raises(NotASubscriber):
        book.rekey(granted=[ALICE], revoked=[BOB])
    assert (book.position, book.outgoing(), book.subscribers) == (Position(), [], [])
    book.close()


def test_subscribers_are_kept(tmp_path: Path) -> None:
    book = ChannelBook.create(tmp_path / "channel.db", Channel(SEED, Mode.RESTRICTED, 1))
    book.rekey(granted=[ALICE, BOB, ALICE])
    assert book.subscribers == sorted([ALICE, BOB])
    book.rekey(revoked=[ALICE])
    book.close()
    book = ChannelBook.open(tmp_path / "channel.db")
    assert (book.subscribers, book.position) == ([BOB], Position(2, 1))
    book.close()


def test_the_second_writer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "channel.db"
    book = ChannelBook.create(path, Channel(SEED))
    imports = "from pathlib import Path; from tangle.client.channels import ChannelBook"
    opening = f"{imports}; ChannelBook.open(Path({str(path)!r}))"
    for _ in range(2):
        with pytest.raises(ChannelInUse):
            ChannelBook.open(path)
        with pytest.raises(ChannelInUse):
            ChannelBook.create(path, Channel(SEED))
        # Reading the file elsewhere in this process must not give it free.
        path.read_bytes()
        other = subprocess.run(
            [sys.executable, "-c", opening], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert "ChannelInUse" in other.stderr
    book.reserve([b"still writing"])
    book.close()
    other = subprocess.run([sys.executable, "-c", opening], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (other.returncode, other.stderr) == (0, "")


def test_a_channel_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "channel.db"
    ChannelBook.create(path, Channel(SEED)).close()
    with pytest.raises(ChannelExists):
        ChannelBook.create(path, Channel(b"o" * 32))
    book = ChannelBook.open(path)
    assert book.channel.seed == SEED
    book.close()


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    text, database = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("notes " * 1_000)
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE channel (seed BLOB)")
    connection.close()
    for path in (text, database):
        before = path.read_bytes()
        with pytest.raises(NoChannel):
            ChannelBook.open(path)
        with pytest.raises(NoChannel):
            ChannelBook.create(path, Channel(SEED))
        assert path.read_bytes() == before
    with pytest.raises(NoChannel):
        ChannelBook.open(tmp_path / "missing.db")
    assert not (tmp_path / "missing.db").exists()
    with pytest.raises(BookFailed):
        ChannelBook.open(tmp_path)


def test_a_creation_that_was_cut_off_can_be_made_again(tmp_path: Path) -> None:
    path = tmp_path / "channel.db"
    path.touch()
    with pytest.raises(NoChannel):
        ChannelBook.open(path)
    ChannelBook.create(path, Channel(SEED)).close()
    ChannelBook.open(path).close()


def test_a_full_disk_signs_nothing(tmp_path: Path) -> None:
    """SQLite is told that its file may not grow, as a full disk would."""
    book = ChannelBook.create(tmp_path / "channel.db", Channel(SEED))
    book._book.connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(BookFailed, match="full"):
        book.reserve([bytes(1_000_000)])
    assert (book.position, book.outgoing()) == (Position(), [])
    book._book.connection.execute("PRAGMA max_page_count = 100000")
    book.reserve([bytes(1_000_000)])
    assert book.position == Position(1)
    book.close()


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    book = ChannelBook.create(tmp_path / "channel.db", Channel(SEED))
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    book.close()


def test_errors_name_the_file(tmp_path: Path) -> None:
    for error in (ChannelInUse, NoChannel, ChannelExists):
        assert str(tmp_path) in str(error(tmp_path))
        assert issubclass(error, ChannelBookError)


def test_a_channel_is_of_the_first_network_that_it_reaches(tmp_path: Path) -> None:
    path = tmp_path / "channel.db"
    book = ChannelBook.create(path, Channel(SEED, Mode.PRIVATE, 1))
    (unbound,) = book.reserve([b"before any node"])
    book.bind(2**64 - 1)
    (bound,) = book.reserve([b"after"])
    assert unseal(book.channel.access(), unbound.address, unbound.parts[0]).network == 0
    assert unseal(book.channel.access(), bound.address, bound.parts[0]).network == 2**64 - 1
    book.close()
    again = ChannelBook.open(path)
    again.bind(2**64 - 1)
    with pytest.raises(ChannelElsewhere, match=f"id {2**64 - 1}; the node is on that of id 7"):
        again.bind(7)
    again.close()


def test_a_book_of_format_2_goes_on_in_it(tmp_path: Path) -> None:
    path = tmp_path / "channel.db"
    ChannelBook.create(path, Channel(SEED, Mode.RESTRICTED, 1)).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE channel DROP COLUMN network")
        connection.execute("UPDATE channel SET layout = 1, side_key = ?", (b"k" * 32,))
    book = ChannelBook.open(path)
    book.bind(7)
    (sealed,) = book.reserve([b"as before"])
    old = Channel(SEED, Mode.RESTRICTED, 1, b"k" * 32, version=2)
    assert sealed == old.write(b"as before", Position())
    book.close()


def test_a_book_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "channel.db"
    ChannelBook.create(path, Channel(SEED, Mode.PRIVATE, 1)).close()
    path.chmod(0o644)
    book = ChannelBook.open(path)
    book.reserve([b"one"])
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    book.close()
