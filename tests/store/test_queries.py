from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, event

from tangle.store import journal, queries
from tangle.store.engine import migrate, open_engine
from tangle.store.errors import MalformedCursor
from tangle.store.events import (
    EVENT_TYPES,
    CrossingEvent,
    Event,
    MilestoneEvent,
    ReferencedEvent,
    SolidEvent,
    events,
)
from tangle.store.indexer import BasicFilter, Cursor, basic_outputs
from tangle.store.journal import (
    Batch,
    CrossingRow,
    Inclusion,
    OutputRow,
    ReferencedRow,
    SpentRow,
    TransactionRow,
    write,
)
from tests.store.rows import FOUNDED_AT, GENESIS, NETWORK, a_block, a_milestone, an_output, name, opened


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened_engine = opened(tmp_path)
    yield opened_engine
    opened_engine.dispose()


def small_tangle(engine: Engine) -> None:
    """Blocks 1 to 5; the first milestone, in block 5, references 3, 1 and 2 in this order."""
    write(engine, Batch(blocks=[a_block(1, b"pump"), a_block(2), a_block(3, b"pump"), a_block(4, b"")]))
    write(
        engine,
        Batch(
            blocks=[a_block(5)],
            referenced=[
                ReferencedRow(6, 3, 1, Inclusion.NO_TRANSACTION, None),
                ReferencedRow(7, 1, 1, Inclusion.INCLUDED, None),
                ReferencedRow(8, 2, 1, Inclusion.CONFLICTING, 1),
            ],
            milestones=[a_milestone(1, 9, 5)],
            transactions=[TransactionRow(name(1), 1, 1)],
            crossings=[CrossingRow(10, 4, 950, 96, 100)],
        ),
    )


def test_blocks_are_found_with_what_became_of_them(engine: Engine) -> None:
    small_tangle(engine)
    with engine.connect() as connection:
        assert queries.block(connection, name(2)) == a_block(2)
        assert queries.block(connection, name(99)) is None
        record = queries.record(connection, name(2))
        assert record == queries.BlockRecord(a_block(2), ReferencedRow(8, 2, 1, 2, 1), None)
        assert queries.record(connection, name(5)) == queries.BlockRecord(a_block(5), None, 1)
        assert queries.record(connection, name(99)) is None
        included = queries.included_block(connection, name(1))
        assert included is not None
        assert included.block == a_block(1, b"pump")
        assert included.referenced == ReferencedRow(7, 1, 1, 1, None)
        assert queries.included_block(connection, name(2)) is None
        assert [one.block.number for one in queries.latest_blocks(connection, 3)] == [3, 4, 5]
        assert [one.block.number for one in queries.latest_blocks(connection, 3, after=4)] == [5]
        assert queries.block_numbers(connection, [name(4), name(99), name(1)]) == {name(4): 4, name(1): 1}
        assert queries.block_numbers(connection, []) == {}
        assert queries.records_by_ids(connection, [name(2), name(99)]) == {name(2): record}


def test_bulk_look_ups_go_beyond_one_list(engine: Engine) -> None:
    count = 2 * queries.IDS_PER_QUERY + 1
    write(
        engine,
        Batch(blocks=[a_block(n) for n in range(1, count + 1)], outputs=[an_output(n, 1) for n in range(count)]),
    )
    with engine.connect() as connection:
        found = queries.block_numbers(connection, (name(n) for n in range(count + 9)))
        assert found == {name(n): n for n in range(1, count + 1)}
        outputs = queries.outputs_by_ids(connection, [name(n, 34) for n in range(count + 9)])
        assert outputs == {name(n, 34): an_output(n, 1) for n in range(count)}


def test_tagged_blocks_come_in_order_after_a_number(engine: Engine) -> None:
    small_tangle(engine)
    one, three = queries.NumberedBlock(1, name(1)), queries.NumberedBlock(3, name(3))
    with engine.connect() as connection:
        assert queries.blocks_by_tag(connection, b"pump", 0, 10) == [one, three]
        assert queries.blocks_by_tag(connection, b"pump", 0, 1) == [one]
        assert queries.blocks_by_tag(connection, b"pump", 1, 10) == [three]
        assert queries.blocks_by_tag(connection, b"", 0, 10) == [queries.NumberedBlock(4, name(4))]
        assert queries.blocks_by_tag(connection, b"pum", 0, 10) == []


def test_milestones_are_found_with_their_blocks_in_white_flag_order(engine: Engine) -> None:
    small_tangle(engine)
    with engine.connect() as connection:
        assert queries.milestone_by_index(connection, 1) == a_milestone(1, 9, 5)
        assert queries.milestone_by_id(connection, name(1)) == a_milestone(1, 9, 5)
        assert queries.milestone_by_index(connection, 2) is None
        assert [one.block.number for one in queries.milestone_blocks(connection, 1)] == [3, 1, 2]


def test_spent_outputs_stay_and_are_told_as_changes(engine: Engine) -> None:
    write(engine, Batch(outputs=[an_output(1, 1), an_output(2, 1)]))
    write(engine, Batch(outputs=[an_output(3, 2)], spent=[SpentRow(name(1, 34), 2, 8, name(9))]))
    with engine.connect() as connection:
        spent = queries.output(connection, name(1, 34))
        assert spent is not None
        assert (spent.spent_index, spent.spent_at, spent.spent_by) == (2, 8, name(9))
        assert queries.output(connection, name(4, 34)) is None
        changes = queries.utxo_changes(connection, 2)
        assert changes == queries.UtxoChanges((name(3, 34),), (name(1, 34),))
        assert queries.utxo_changes(connection, 3) == queries.UtxoChanges((), ())


def test_events_are_the_union_in_order_and_resume_anywhere(engine: Engine) -> None:
    small_tangle(engine)
    expected: list[Event] = [
        *(SolidEvent(n, name(n)) for n in range(1, 6)),
        ReferencedEvent(6, name(3), 1, 0, None),
        ReferencedEvent(7, name(1), 1, 1, None),
        ReferencedEvent(8, name(2), 1, 2, 1),
        MilestoneEvent(9, name(1), 1, FOUNDED_AT + 10),
        CrossingEvent(10, name(4), 950, 96, 100),
    ]
    with engine.connect() as connection:
        for after in range(12):
            for limit in (1, 2, 5, 100):
                assert events(connection, after, limit) == expected[after : after + limit]
        for kind in EVENT_TYPES:
            assert events(connection, 0, 100, [kind]) == [one for one in expected if isinstance(one, kind)]
        some = events(connection, 4, 2, (MilestoneEvent, SolidEvent))
        assert some == [expected[4], expected[8]]
        assert events(connection, 0, 10, []) == []


FILTERS: list[tuple[BasicFilter, Callable[[OutputRow], bool]]] = [
    (BasicFilter(), lambda row: True),
    (BasicFilter(address=b"b" * 33), lambda row: row.address == b"b" * 33),
    (BasicFilter(unlockable_by=b"b" * 33), lambda row: row.address == b"b" * 33),
    (BasicFilter(sender=b"s" * 33), lambda row: row.sender == b"s" * 33),
    (BasicFilter(tag=b"t"), lambda row: row.tag == b"t"),
    (BasicFilter(address=b"a" * 33, tag=b"t"), lambda row: row.address == b"a" * 33 and row.tag == b"t"),
    *(
        (BasicFilter(created_after=moment), lambda row, moment=moment: row.created_at > moment)
        for moment in (0, FOUNDED_AT - 1, FOUNDED_AT, FOUNDED_AT + 10, FOUNDED_AT + 25, FOUNDED_AT + 999)
    ),
    *(
        (BasicFilter(created_before=moment), lambda row, moment=moment: row.created_at < moment)
        for moment in (0, FOUNDED_AT, FOUNDED_AT + 1, FOUNDED_AT + 10, FOUNDED_AT + 25, FOUNDED_AT + 999)
    ),
    (
        BasicFilter(created_after=FOUNDED_AT + 5, created_before=FOUNDED_AT + 30, address=b"a" * 33),
        lambda row: FOUNDED_AT + 5 < row.created_at < FOUNDED_AT + 30 and row.address == b"a" * 33,
    ),
    (BasicFilter(has_native_tokens=False, has_storage_deposit_return=False), lambda row: True),
    (BasicFilter(has_timelock=False, has_expiration=False), lambda row: True),
    (BasicFilter(min_native_token_count=0, max_native_token_count=0), lambda row: True),
    (BasicFilter(has_native_tokens=True), lambda row: False),
    (BasicFilter(min_native_token_count=1), lambda row: False),
    (BasicFilter(has_storage_deposit_return=True), lambda row: False),
    (BasicFilter(storage_deposit_return_address=b"a" * 33), lambda row: False),
    (BasicFilter(has_timelock=True), lambda row: False),
    (BasicFilter(timelocked_before=10**9), lambda row: False),
    (BasicFilter(timelocked_after=0), lambda row: False),
    (BasicFilter(has_expiration=True), lambda row: False),
    (BasicFilter(expires_before=10**9), lambda row: False),
    (BasicFilter(expires_after=0), lambda row: False),
    (BasicFilter(expiration_return_address=b"a" * 33), lambda row: False),
]


def some_outputs(seed: int, indices: range) -> list[OutputRow]:
    rng = random.Random(seed)
    numbers = rng.sample(range(1, 10**6), 12 * len(indices))
    return [
        an_output(
            number,
            indices[i % len(indices)],
            address=rng.choice([b"a", b"b"]) * 33,
            sender=rng.choice([None, b"s" * 33, b"z" * 33]),
            tag=rng.choice([None, b"t", b"tt"]),
        )
        for i, number in enumerate(numbers)
    ]


def all_pages(connection: Connection, chosen: BasicFilter, page_size: int) -> list[bytes]:
    found, cursor = list[bytes](), None
    while True:
        page = basic_outputs(connection, chosen, cursor, page_size)
        found += page.items
        if page.cursor is None:
            return found
        assert len(page.items) == page_size
        cursor = Cursor.decode(page.cursor.encode())


def in_order(rows: list[OutputRow]) -> list[bytes]:
    return [row.output_id for row in sorted(rows, key=lambda row: (row.created_index, row.output_id))]


@pytest.mark.parametrize("seed", range(3))
def test_every_filter_finds_what_a_plain_filter_finds(seed: int) -> None:
    engine = open_engine("sqlite://")
    migrate(engine)
    journal.create_network(engine, NETWORK, GENESIS)
    rows = some_outputs(seed, range(1, 5))
    spent = random.Random(seed).sample(rows, len(rows) // 3)
    write(
        engine,
        Batch(
            blocks=[a_block(n) for n in range(1, 5)],
            milestones=[a_milestone(n, 10 + n, n) for n in range(1, 5)],
            outputs=rows,
            spent=[SpentRow(row.output_id, 4, 9, name(9)) for row in spent],
        ),
    )
    unspent = [row for row in [GENESIS, *rows] if row not in spent]
    with engine.connect() as connection:
        for chosen, keeps in FILTERS:
            expected = in_order([row for row in unspent if keeps(row)])
            for page_size in (1, 7, 1000):
                assert all_pages(connection, chosen, page_size) == expected, (seed, chosen, page_size)
    engine.dispose()


@pytest.mark.parametrize("seed", range(5))
def test_pages_meet_every_output_once_while_others_arrive_and_go(engine: Engine, seed: int) -> None:
    rng = random.Random(seed)
    first = some_outputs(seed, range(1, 4))
    write(engine, Batch(outputs=first))
    found, cursor, index, going = list[bytes](), None, 4, set[bytes]()
    arrived: list[OutputRow] = []
    while True:
        with engine.connect() as connection:
            page = basic_outputs(connection, BasicFilter(address=b"a" * 33), cursor, 3)
        found += page.items
        if page.cursor is None:
            break
        cursor = page.cursor
        if index < 8:
            new = [an_output(10**7 * index - i, index, address=b"a" * 33) for i in range(3)]
            leaving = rng.choice([row.output_id for row in first if row.output_id not in going])
            going.add(leaving)
            arrived += new
            write(engine, Batch(outputs=new, spent=[SpentRow(leaving, index, 1, name(1))]))
            index += 1
    staying = [row for row in first if row.address == b"a" * 33 and row.output_id not in going]
    assert len(found) == len(set(found)), seed
    assert [one for one in found if one not in going] == in_order([*staying, *arrived]), seed


# Rows of a subquery that a bounded search has found, and a walk along the order of pages until one is full.
BOUNDED = ("SCAN anon_", "SCAN outputs USING INDEX ix_outputs_unspent")


def test_the_plans_search_indexes_and_scan_no_table(engine: Engine) -> None:
    asked: list[tuple[str, object]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def record(_c: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    cursor = Cursor(1, name(1, 34), 5)
    with engine.connect() as connection:
        for chosen, _ in FILTERS:
            basic_outputs(connection, chosen, None, 5)
            basic_outputs(connection, chosen, cursor, 5)
        ids = [name(1), name(2)]
        queries.record(connection, name(1))
        queries.block_numbers(connection, ids)
        queries.records_by_ids(connection, ids)
        queries.included_block(connection, name(1))
        queries.latest_blocks(connection, 5)
        queries.blocks_by_tag(connection, b"t", 1, 5)
        queries.milestone_by_id(connection, name(1))
        queries.milestone_blocks(connection, 1)
        queries.outputs_by_ids(connection, ids)
        queries.utxo_changes(connection, 1)
        queries.movements(connection, name(1, 33), 1, 5)
        events(connection, 1, 5)
        journal.next_number(connection)
        list(journal.crossings(connection, 1))
        list(journal.replay(connection))
        for statement, parameters in asked[:]:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
            steps = [row[3] for row in plan]
            free = [step for step in steps if step.startswith("SCAN") and not step.startswith(BOUNDED)]
            assert not free, (statement, steps)
            if "FROM outputs" in statement and "UNION" not in statement:
                assert not any("TEMP B-TREE" in step for step in steps), (statement, steps)
    assert len(asked) > 2 * len(FILTERS)


@given(st.integers(0, 2**32 - 1), st.binary(min_size=34, max_size=34), st.integers(1, 10**9 - 1))
def test_a_cursor_reads_back(index: int, output_id: bytes, page_size: int) -> None:
    cursor = Cursor(index, output_id, page_size)
    assert Cursor.decode(cursor.encode()) == cursor


@given(st.text() | st.from_regex(r"[0-9a-fA-Fx ]{74,78}\.[0-9]{0,11}", fullmatch=True))
def test_any_text_is_a_cursor_or_a_malformed_one(text: str) -> None:
    try:
        cursor = Cursor.decode(text)
    except MalformedCursor:
        return
    assert cursor.encode().split(".")[0] == text.split(".", maxsplit=1)[0]
