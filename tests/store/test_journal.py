from __future__ import annotations

import os
import random
import selectors
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tangle.store import tables
from tangle.store.engine import migrate, open_engine
from tangle.store.errors import DoubleSpend
from tangle.store.journal import (
    REPLAY_PAGE,
    Batch,
    BlockRow,
    CrossingRow,
    Inclusion,
    MilestoneRow,
    OutputRow,
    ReferencedRow,
    SpentRow,
    TransactionRow,
    create_network,
    latest_milestone,
    next_number,
    replay,
    replay_milestones,
    unspent_total,
    write,
)
from tests.store.rows import GENESIS, NETWORK, a_block, a_milestone, an_output, in_memory, name, opened
from tests.tries import tries

ID = st.binary(min_size=32, max_size=32)
SMALL = st.integers(0, 2**32 - 1)
COUNT = st.integers(0, 2**63 - 1)


@st.composite
def journals(draw: st.DrawFn) -> list[Batch]:
    """Batches such as a node writes: numbers ascend, ids differ, what is referred to exists."""
    batches: list[Batch] = []
    free: list[int] = []
    number = 0
    ids = iter(draw(st.lists(ID, unique=True, min_size=28, max_size=28)))
    for index in range(draw(st.integers(0, 4))):
        batch = Batch()
        for _ in range(draw(st.integers(0, 5))):
            number += draw(st.integers(1, 2**33))
            data, tag = draw(st.binary(max_size=64)), draw(st.none() | st.binary(max_size=8))
            batch.blocks.append(BlockRow(number, next(ids), data, draw(st.none() | SMALL), tag, draw(COUNT)))
            free.append(number)
        for block_number in draw(st.lists(st.sampled_from(free), unique=True) if free else st.just([])):
            number += 1
            free.remove(block_number)
            reason = draw(st.none() | st.integers(0, 255))
            inclusion = int(draw(st.sampled_from(list(Inclusion))))
            batch.referenced.append(ReferencedRow(number, block_number, index, inclusion, reason))
        if draw(st.booleans()) and batch.blocks:
            number += 1
            carrier = batch.blocks[-1].number
            batch.milestones.append(
                MilestoneRow(index, number, next(ids), carrier, draw(SMALL), draw(st.binary(max_size=9)))
            )
            batch.crossings.append(CrossingRow(number := number + 1, carrier, 950, 95, 100))
            batch.transactions.append(TransactionRow(next(ids), carrier, index))
        batches.append(batch)
    return batches


@given(journals())
@settings(deadline=None, max_examples=tries(60))
def test_what_was_written_is_replayed(batches: list[Batch]) -> None:
    with in_memory() as engine:
        for batch in batches:
            write(engine, batch)
        settled = {row.block_number: row for batch in batches for row in batch.referenced}
        blocks = [row for batch in batches for row in batch.blocks]
        numbers = [row.number for row in blocks]
        numbers += [row.number for row in settled.values()]
        numbers += [row.number for batch in batches for row in batch.milestones]
        numbers += [row.number for batch in batches for row in batch.crossings]
        with engine.connect() as connection:
            assert list(replay(connection)) == [(row, settled.get(row.number)) for row in blocks]
            assert list(replay_milestones(connection)) == [row for batch in batches for row in batch.milestones]
            assert next_number(connection) == 1 + max(numbers, default=0)
            for table, rows in (
                (tables.crossings, [row for batch in batches for row in batch.crossings]),
                (tables.transactions, [row for batch in batches for row in batch.transactions]),
            ):
                stored = {tuple(row) for row in connection.execute(select(table))}
                assert stored == {tuple(vars(row).values()) for row in rows}


def test_replay_goes_through_all_pages_and_starts_where_told(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    numbers = list(range(1, 3 * (REPLAY_PAGE + 7), 3))
    write(engine, Batch(blocks=[a_block(number) for number in numbers]))
    with engine.connect() as connection:
        assert [block.number for block, _ in replay(connection)] == numbers
        middle = 3 * REPLAY_PAGE // 2
        assert [block.number for block, _ in replay(connection, middle)] == [n for n in numbers if n >= middle]
    engine.dispose()


@given(st.data())
@settings(deadline=None, max_examples=tries(40))
def test_the_unspent_outputs_are_those_created_and_not_spent(data: st.DataObject) -> None:
    with in_memory() as engine:
        create_network(engine, NETWORK, GENESIS)
        unspent: dict[bytes, OutputRow] = {GENESIS.output_id: GENESIS}
        for index in range(1, data.draw(st.integers(1, 4)) + 1):
            spent = data.draw(st.lists(st.sampled_from(sorted(unspent)), unique=True)) if unspent else []
            total = sum(unspent[one].amount for one in spent)
            cuts = (
                sorted(data.draw(st.lists(st.integers(1, total - 1), max_size=3, unique=True)))
                if total > 1
                else []
            )
            parts = [after - before for before, after in zip([0, *cuts], [*cuts, total], strict=True) if total]
            made = [an_output(10 * index + i, index, amount=amount) for i, amount in enumerate(parts)]
            spendings = [SpentRow(one, index, 5, name(index)) for one in spent]
            write(engine, Batch(outputs=made, spent=spendings))
            unspent = {one: row for one, row in unspent.items() if one not in spent}
            unspent |= {row.output_id: row for row in made}
            with engine.connect() as connection:
                assert unspent_total(connection) == NETWORK.parameters.token_supply
                query = select(tables.outputs.c.output_id).where(tables.outputs.c.spent_index.is_(None))
                assert set(connection.execute(query).scalars()) == set(unspent)


def test_an_output_is_spent_once_and_a_refused_batch_leaves_nothing(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    one, other = an_output(1, 1), an_output(2, 1)
    spending = SpentRow(one.output_id, 2, 7, name(9))
    write(engine, Batch(outputs=[one, other], spent=[spending]))
    for again in (
        [replace(spending, spent_index=3)],
        [SpentRow(other.output_id, 3, 7, name(9)), spending],
        [replace(spending, output_id=name(77, 34))],
        [SpentRow(other.output_id, 3, 7, name(9))] * 2,
    ):
        with pytest.raises(DoubleSpend):
            write(engine, Batch(blocks=[a_block(5)], spent=again))
    with engine.connect() as connection:
        rows = connection.execute(select(tables.outputs).order_by(tables.outputs.c.output_id)).all()
        assert OutputRow(*rows[0]) == replace(one, spent_index=2, spent_at=7, spent_by=name(9))
        assert OutputRow(*rows[1]) == other
        assert next_number(connection) == 1
    engine.dispose()


def test_numbers_and_ids_are_unique_and_referred_blocks_exist(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    write(engine, Batch(blocks=[a_block(1)], referenced=[ReferencedRow(2, 1, 1, 0, None)]))
    for batch in (
        Batch(blocks=[a_block(3), a_block(1)]),
        Batch(blocks=[a_block(3), replace(a_block(4), block_id=name(1))]),
        Batch(referenced=[ReferencedRow(3, 1, 2, 0, None)]),
        Batch(referenced=[ReferencedRow(3, 99, 2, 0, None)]),
        Batch(crossings=[CrossingRow(3, 99, 950, 1, 1)]),
        Batch(milestones=[a_milestone(1, 3, 99)]),
    ):
        with pytest.raises(IntegrityError):
            write(engine, batch)
    with engine.connect() as connection:
        assert next_number(connection) == 3
    engine.dispose()


def test_the_latest_milestone_is_the_one_with_the_largest_index(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    with engine.connect() as connection:
        assert latest_milestone(connection) is None
    write(
        engine,
        Batch(
            blocks=[a_block(number) for number in range(1, 7)],
            milestones=[a_milestone(1, 14, 2), a_milestone(3, 15, 5)],
        ),
    )
    with engine.connect() as connection:
        assert latest_milestone(connection) == a_milestone(3, 15, 5)
    engine.dispose()


WRITER = """
import sys
from tangle.store.engine import open_engine
from tangle.store.journal import Batch, write
from tests.store.rows import a_block, an_output
engine = open_engine(sys.argv[1])
number = 0
while True:
    rows = range(number + 1, number + 1 + 7)
    write(engine, Batch(blocks=[a_block(n) for n in rows], outputs=[an_output(n, 1) for n in rows]))
    number = rows[-1]
    print(number, flush=True)
"""


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_is_there_after_the_kill_of_its_writer_or_not_at_all(tmp_path: Path, seed: int) -> None:
    opened(tmp_path).dispose()
    url = f"sqlite:///{tmp_path / 'node.db'}"
    enough = random.Random(seed).randrange(5, 200)
    root = Path(__file__).parents[2]
    child = subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, cwd=root)
    assert child.stdout is not None
    acknowledged = b""
    with selectors.DefaultSelector() as ready:
        ready.register(child.stdout, selectors.EVENT_READ)
        while acknowledged.count(b"\n") < enough:
            assert ready.select(timeout=60), "the writer fell silent"
            received = os.read(child.stdout.fileno(), 4096)
            assert received, "the writer ended by itself"
            acknowledged += received
    child.send_signal(signal.SIGKILL)
    acknowledged += child.stdout.read()
    child.stdout.close()
    assert child.wait(60) == -signal.SIGKILL
    last = int(acknowledged.split(b"\n")[-2])

    engine = open_engine(url)
    migrate(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        kept = [block for block, _ in replay(connection)]
        assert len(kept) in {last, last + 7}
        assert kept == [a_block(number) for number in range(1, len(kept) + 1)]
        assert unspent_total(connection) == len(kept)
    engine.dispose()
