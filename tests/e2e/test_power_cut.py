"""What a power cut may leave of the database: a log that is torn, a database that was half brought up to date.

SQLite's log holds whole commits, each page under a checksum that continues the one before; so whatever happens to
its end, what is read back are the commits before the damage, all of them and nothing else. Moving the log into the
database may stop anywhere, even inside a page, for the log is only reused once that is on the disk.
Source: https://sqlite.org/walformat.html, https://sqlite.org/wal.html#checkpointing.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from tangle.audit import audit
from tangle.errors import TangleError
from tangle.node import Node
from tangle.protocol.outputs import BasicOutput
from tangle.store import journal
from tests.networks import HOLDER, T0, block_on, coins_of, genesis_coin, note, open_node, spend
from tests.tries import drawn, tries

STEPS = 40
CUTS = tries(25)
SECTOR = 512
"""bytes that a disk writes as one"""

Damage = Callable[[Path, int, random.Random], None]


@dataclass(frozen=True)
class Past:
    """The database after each commit, and the files of a node that was never stopped.

    Attributes
    ----------
    commits : size of the log in bytes, ids of the blocks, index of the newest milestone
    """

    directory: Path
    seed: int
    commits: list[tuple[int, list[bytes], int]]

    def before(self, offset: int) -> tuple[list[bytes], int]:
        """Blocks and milestone of the last commit that the log holds in its first `offset` bytes."""
        return next((ids, index) for end, ids, index in reversed(self.commits) if end <= offset)

    def restore(self, directory: Path) -> Path:
        """A copy of the files; returns the database, whose log lies beside it."""
        directory.mkdir()
        for name in ("tangle.db", "tangle.db-wal"):
            shutil.copy(self.directory / name, directory / name)
        return directory / "tangle.db"


def log_of(database: Path) -> Path:
    return database.with_name(database.name + "-wal")


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    directory = tmp_path_factory.mktemp("past")
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    node = open_node(directory / "tangle.db")
    past = Past(tmp_path_factory.mktemp("kept"), seed, [(0, *state(node))])
    (coin,) = [genesis_coin()]
    for step in range(STEPS):
        payment = spend([coin], [BasicOutput.to(HOLDER.address, coin.output.amount)])
        (coin,) = coins_of(payment, [HOLDER])
        notes = [
            block_on(node.reading.tips(), note(f"{step} {n}" * rng.randint(1, 200)))
            for n in range(rng.randint(0, 5))
        ]
        node.add([block_on(node.reading.tips(1), payment), *notes], (T0 + step) * 1000)
        past.commits.append((log_of(directory / "tangle.db").stat().st_size, *state(node)))
        node.refresh_tips()
        if rng.random() < 0.5:
            node.issue_milestone(T0 + step)
            past.commits.append((log_of(directory / "tangle.db").stat().st_size, *state(node)))
    # Closing moves the log into the database: what is tampered with is a copy from before.
    for file in (directory / "tangle.db", log_of(directory / "tangle.db")):
        shutil.copy(file, past.directory / file.name)
    node.close()
    return past


def state(node: Node) -> tuple[list[bytes], int]:
    """Ids of all blocks in order, and the index of the newest milestone, as the database has them."""
    with node.engine.connect() as connection:
        ids = [row.block_id for row, _ in journal.replay(connection)]
        newest = journal.latest_milestone(connection)
    return ids, newest.index if newest else 0


def cut(log: Path, offset: int, rng: random.Random) -> None:
    log.write_bytes(log.read_bytes()[:offset])


def blank(log: Path, offset: int, rng: random.Random) -> None:
    """The file had grown already, its end was not yet written."""
    data = log.read_bytes()
    log.write_bytes(data[:offset] + bytes(len(data) - offset))


def scramble(log: Path, offset: int, rng: random.Random) -> None:
    """Sectors from `offset` on were written or not, in any order."""
    data = bytearray(log.read_bytes())
    data[offset] ^= 1 << rng.randrange(8)
    for start in range(offset + 1, len(data), SECTOR):
        if rng.random() < 0.3:
            data[start : start + SECTOR] = bytes(len(data[start : start + SECTOR]))
    log.write_bytes(data)


@drawn
@pytest.mark.parametrize("damage", [cut, blank, scramble])
def test_a_torn_log_gives_the_commits_before_the_tear(past: Past, tmp_path: Path, damage: Damage) -> None:
    rng = random.Random(past.seed)
    size = log_of(past.directory / "tangle.db").stat().st_size
    for number, offset in enumerate(rng.sample(range(size), CUTS)):
        print(f"seed {past.seed}, damage from byte {offset} of {size}")
        database = past.restore(tmp_path / str(number))
        damage(log_of(database), offset, rng)

        node = open_node(database)

        assert state(node) == past.before(offset)
        audit(node.engine)
        # It goes on from there.
        node.add([block_on(node.reading.tips(), note("after"))], T0 * 2000)
        assert node.issue_milestone(T0 * 2).index == past.before(offset)[1] + 1
        assert audit(node.engine).blocks == len(past.before(offset)[0]) + 2
        node.close()


def test_a_checkpoint_that_stopped_half_way_loses_nothing(past: Past, tmp_path: Path) -> None:
    whole = past.restore(tmp_path / "whole")
    older = whole.read_bytes()
    with closing(sqlite3.connect(whole)) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()[0] == 0
        newer = whole.read_bytes()
    rng = random.Random(past.seed)
    for number in range(CUTS):
        print(f"seed {past.seed}, round {number}")
        database = past.restore(tmp_path / str(number))
        share = rng.random()
        sectors = [
            (newer if rng.random() < share else older.ljust(len(newer), b"\0"))[start : start + SECTOR]
            for start in range(0, len(newer), SECTOR)
        ]
        database.write_bytes(b"".join(sectors))

        node = open_node(database)

        assert state(node) == past.commits[-1][1:]
        audit(node.engine)
        node.close()


def test_a_database_that_lost_its_end_is_refused(past: Past, tmp_path: Path) -> None:
    whole = past.restore(tmp_path / "whole")
    with closing(sqlite3.connect(whole)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = whole.read_bytes()
    rng = random.Random(past.seed)
    # SQLite itself does not notice that the last page lost its end: those cuts are among them always.
    page_bytes = int.from_bytes(data[16:18], "big")
    cuts = [*rng.sample(range(1, len(data)), CUTS), *(len(data) - rng.randrange(1, page_bytes) for _ in range(9))]
    for number, size in enumerate(cuts):
        print(f"seed {past.seed}, {size} of {len(data)} bytes kept")
        database = tmp_path / f"{number}.db"
        database.write_bytes(data[:size])
        with pytest.raises((TangleError, SQLAlchemyError)):
            open_node(database)
