"""Data by tag: pages equal a plain list of the same blocks, whatever is asked for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine, event

from tangle.store.journal import Batch, BlockRow, write
from tangle.store.tagged import TaggedBlock, TaggedFilter, number_at, tagged_between, tagged_page
from tests.store.rows import a_block, in_memory
from tests.tries import each, tries

TAGS = (b"pump", b"fan", b"p")
START_MS = 1_700_000_000_000


def sample(seed: int, count: int = 120) -> list[BlockRow]:
    rng = random.Random(seed)
    number, time_ms, rows = 0, START_MS, []
    for _ in range(count):
        number += rng.choice((1, 1, 3))
        time_ms += rng.choice((0, 0, 5, 1_000))
        data = bytes(rng.randrange(1, 60))
        rows.append(replace(a_block(number, rng.choice((*TAGS, None))), data=data, received_at=time_ms))
    return rows


def expected(rows: list[BlockRow], tags: tuple[bytes, ...], chosen: TaggedFilter) -> list[TaggedBlock]:
    found = [
        TaggedBlock(row.number, row.block_id, row.tag, row.received_at, row.data)
        for row in rows
        if row.tag in tags
        and row.number > chosen.after
        and (chosen.before is None or row.number < chosen.before)
        and (chosen.from_ms is None or row.received_at >= chosen.from_ms)
        and (chosen.to_ms is None or row.received_at < chosen.to_ms)
    ]
    return found[::-1] if chosen.newest_first else found


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with in_memory() as opened:
        write(opened, Batch(blocks=sample(1)))
        yield opened


def a_filter(rng: random.Random) -> TaggedFilter:
    return TaggedFilter(
        after=rng.choice((0, rng.randrange(200))),
        before=rng.choice((None, rng.randrange(250))),
        from_ms=rng.choice((None, START_MS + rng.randrange(40_000))),
        to_ms=rng.choice((None, START_MS + rng.randrange(40_000))),
        newest_first=rng.random() < 0.5,
    )


@each("seed", range(tries(60)))
def test_pages_put_together_are_all_that_was_asked_for(engine: Engine, seed: int) -> None:
    rng, rows = random.Random(seed), sample(1)
    chosen, tags = a_filter(rng), tuple(rng.sample(TAGS, rng.randrange(1, 4)))
    limit, bytes_max = rng.randrange(1, 9), rng.choice((1, 80, 10_000))
    wanted = expected(rows, tags, chosen)
    found: list[TaggedBlock] = []
    with engine.connect() as connection:
        asked = chosen
        while True:
            page = tagged_page(connection, tags, asked, limit, bytes_max)
            assert len(page.blocks) <= limit
            assert len(page.blocks) == 1 or sum(len(one.data) for one in page.blocks) <= bytes_max
            found += page.blocks
            if not page.more:
                break
            last = page.blocks[-1].number
            asked = replace(asked, before=last) if asked.newest_first else replace(asked, after=last)
        assert found == wanted
        bare = tagged_page(connection, tags, chosen, 1_000)
    assert (bare.blocks, bare.more) == (tuple(replace(one, data=b"") for one in wanted), False)


def test_what_a_commit_added_under_some_tags(engine: Engine) -> None:
    rows = sample(1)
    with engine.connect() as connection:
        for tags in ((b"pump",), TAGS, (b"absent",)):
            chosen = TaggedFilter(after=19, before=101)
            assert tagged_between(connection, 20, 100, frozenset(tags)) == expected(rows, tags, chosen)


def test_a_time_is_turned_into_the_first_number_not_before_it(engine: Engine) -> None:
    rows = sample(1)
    with engine.connect() as connection:
        for time_ms in (0, START_MS, *(row.received_at + step for row in rows[::7] for step in (-1, 0, 1))):
            later = [row.number for row in rows if row.received_at >= time_ms]
            found = number_at(connection, time_ms)
            before = [row.number for row in rows if row.received_at < time_ms]
            assert max(before, default=0) < found
            assert not later or found <= later[0]


def test_where_the_clock_was_set_back_nothing_outside_the_bounds_is_answered() -> None:
    times = [10, 20, 30, 15, 25, 40]
    rows = [replace(a_block(i, b"pump"), received_at=time) for i, time in enumerate(times, 1)]
    with in_memory() as engine:
        write(engine, Batch(blocks=rows))
        with engine.connect() as connection:
            page = tagged_page(connection, [b"pump"], TaggedFilter(from_ms=20, to_ms=30), 10)
            everything = tagged_page(connection, [b"pump"], TaggedFilter(from_ms=0, to_ms=100), 10)
        assert {one.received_at for one in page.blocks} <= {20, 25}
        assert len(everything.blocks) == len(times)


def plans(connection: Connection, chosen: TaggedFilter, bytes_max: int | None) -> list[str]:
    asked: list[tuple[str, object]] = []

    def record(_c: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        asked.append((statement, parameters))

    event.listen(connection.engine, "before_cursor_execute", record)
    tagged_page(connection, [b"pump", b"fan"], chosen, 5, bytes_max)
    tagged_between(connection, 1, 100, {b"pump"})
    event.remove(connection.engine, "before_cursor_execute", record)
    return [
        row[3]
        for statement, parameters in asked
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
    ]


def test_no_page_scans_a_table_or_sorts(engine: Engine) -> None:
    rng = random.Random(3)
    with engine.connect() as connection:
        for _ in range(30):
            for step in plans(connection, a_filter(rng), rng.choice((None, 100))):
                assert step.startswith("SEARCH"), step
