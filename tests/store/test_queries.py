from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tangle.store import queries
from tangle.store.events import (
    EVENT_TYPES,
    CrossingEvent,
    Event,
    MilestoneEvent,
    ReferencedEvent,
    SolidEvent,
    events,
)
from tangle.store.journal import (
    Batch,
    CrossingRow,
    Inclusion,
    ReferencedRow,
    SpentRow,
    TransactionRow,
    write,
)
from tests.store.rows import FOUNDED_AT, a_block, a_milestone, an_output, name, opened


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
        assert record == queries.BlockRecord(a_block(2), ReferencedRow(8, 2, 1, 2, 1), None, 2)
        assert queries.record(connection, name(5)) == queries.BlockRecord(a_block(5), None, 1)
        assert queries.record(connection, name(99)) is None
        included = queries.included_block(connection, name(1))
        assert included is not None
        assert included.block == a_block(1, b"pump")
        assert included.referenced == ReferencedRow(7, 1, 1, 1, None)
        assert queries.included_block(connection, name(2)) is None
        assert [one.block.number for one in queries.latest_blocks(connection, 3)] == [3, 4, 5]
        assert [one.block.number for one in queries.latest_blocks(connection, 3, after=4)] == [5]
        assert [one.block.number for one in queries.blocks_from(connection, 2, 3)] == [2, 3, 4]
        assert [one.block.number for one in queries.blocks_from(connection, 5, 3)] == [5]
        for number, limit, numbers in ((3, 3, [2, 3, 4]), (1, 3, [1, 2, 3]), (5, 4, [4, 5]), (3, 1, [3])):
            around = queries.blocks_around(connection, number, limit)
            assert [one.block.number for one in around] == numbers
        assert queries.block_numbers(connection, [name(4), name(99), name(1)]) == {name(4): 4, name(1): 1}
        assert queries.block_numbers(connection, []) == {}
        assert queries.records_by_ids(connection, [name(2), name(99)]) == {
            name(2): replace(record, white_flag_index=None)
        }


def test_heads_of_blocks_come_by_number_with_the_milestone_they_carry(engine: Engine) -> None:
    small_tangle(engine)
    long = replace(a_block(11), data=bytes(range(256)) * 100)
    write(engine, Batch(blocks=[long]))
    with engine.connect() as connection:
        heads = queries.block_heads(connection, 2, 11)
        assert queries.block_heads(connection, 6, 10) == {}
    assert list(heads) == [2, 3, 4, 5, 11]
    for number in (2, 3, 4, 5):
        block = a_block(number, {3: b"pump", 4: b""}.get(number))
        index = 1 if number == 5 else None
        data = block.data[: queries.HEAD_BYTES]
        assert heads[number] == queries.BlockHead(number, data, block.payload_type, block.received_at, index)
    assert heads[11].data == long.data[: queries.HEAD_BYTES]


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
