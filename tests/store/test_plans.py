"""Every query is served from an index: its plan says so, and so does the work that the database does for it."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.outputs import BasicOutput
from tangle.store import journal, queries
from tangle.store.events import events
from tangle.store.indexer import Cursor, Filter
from tangle.store.indexer.statement import UNLOCKED_BY, page_statement
from tangle.store.journal import Batch, write
from tests.store.ledgers import COMBINED, KINDS, Entry, a_filter, single_filters
from tests.store.rows import in_memory, name, opened
from tests.tries import tries

PAGE = 5
MERGING = ("SCAN anon_", "CO-ROUTINE anon_", "MERGE (UNION)", "LEFT", "RIGHT", "SCALAR SUBQUERY")
"""steps that touch nothing but pages that were found"""
CURSOR = Cursor(1, name(1, 34), PAGE)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with in_memory() as engine, engine.connect() as connected:
        yield connected


def text_of(connection: Connection, chosen: Filter, cursor: Cursor | None) -> tuple[str, tuple[object, ...]]:
    compiled = page_statement(chosen, cursor, PAGE).compile(connection.engine)
    names = compiled.positiontup
    assert names is not None
    return str(compiled), tuple(compiled.params[name] for name in names)


def plan(connection: Connection, chosen: Filter, cursor: Cursor | None) -> dict[int, list[str]]:
    """The steps of the plan, by the step that they are part of."""
    sql, parameters = text_of(connection, chosen, cursor)
    steps = defaultdict(list)
    for _, parent, _, step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters):
        steps[parent].append(step)
    return steps


def check(connection: Connection, chosen: Filter, cursor: Cursor | None) -> list[str]:
    """The searches of a filter's plan, which must be all there is but merging and sorting pages."""
    searches = []
    walks = sum(len(UNLOCKED_BY[each]) if getattr(chosen, "unlockable_by", None) else 1 for each in chosen.TYPES)
    # Each walk ends after a page, and so does what they are merged into.
    sql, _ = text_of(connection, chosen, cursor)
    last_milestones = sql.count("FROM milestones")
    assert sql.count("LIMIT") == walks + (walks > 1) + last_milestones, sql
    for steps in plan(connection, chosen, cursor).values():
        for step in steps:
            if "outputs" in step:
                assert step.startswith("SEARCH outputs USING INDEX ix_outputs_unspent"), (chosen, step)
                searches.append(step)
            elif "milestones" in step:
                assert step.startswith("SEARCH milestones USING COVERING INDEX"), (chosen, step)
            elif step == "USE TEMP B-TREE FOR ORDER BY":
                # Of a walk that has ended; what walks along an index comes in order.
                assert [one for one in steps if one.startswith("SCAN anon_")], (chosen, steps)
            else:
                assert step.startswith(MERGING), (chosen, step)
    assert len(searches) == walks, chosen
    return searches


def test_every_filter_of_every_kind_is_a_search_in_an_index(connection: Connection) -> None:
    asked = [*single_filters(), *COMBINED]
    assert {
        (type(one), each.name) for one in asked for each in fields(one) if getattr(one, each.name) is not None
    } == {(kind, each.name) for kind in KINDS for each in fields(kind)}
    for chosen in asked:
        for cursor in (None, CURSOR):
            for search in check(connection, chosen, cursor):
                assert cursor is None or "(created_index,output_id)>(?,?)" in search, (chosen, search)


def test_random_combinations_are_searches_in_an_index(connection: Connection) -> None:
    rng = random.Random(7)
    for _ in range(tries(300)):
        check(connection, a_filter(rng), rng.choice([None, CURSOR]))


EXPECTED = {
    "address": "address",
    "state_controller": "address",
    "alias_address": "address",
    "governor": "governor",
    "issuer": "issuer",
    "sender": "sender",
    "tag": "tag",
    "storage_deposit_return_address": "return_address",
    "expiration_return_address": "expiration_address",
    "timelocked_before": "has_timelock",
    "timelocked_after": "has_timelock",
    "expires_before": "has_expiration",
    "expires_after": "has_expiration",
}
PRESENT = {
    "has_storage_deposit_return": "has_return_address",
    "has_timelock": "has_timelock",
    "has_expiration": "has_expiration",
    "has_native_tokens": "has_native_tokens",
    "min_native_token_count": "has_native_tokens",
}


def test_what_few_outputs_have_is_searched_among_those_that_have_it(connection: Connection) -> None:
    for chosen in single_filters():
        for each in fields(chosen):
            value = getattr(chosen, each.name)
            index = EXPECTED.get(each.name) if value is not None else None
            if value and each.name in PRESENT:
                index = PRESENT[each.name]
            if index is not None:
                for search in check(connection, chosen, None):
                    assert f"USING INDEX ix_outputs_unspent_{index} (" in search, (chosen, search)


def work(engine: Engine, chosen: Filter) -> int:
    """Instructions of the database's machine that a page takes."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        sql, parameters = text_of(connection, chosen, None)
        driver.set_progress_handler(step, 1)
        with closing(driver.cursor()) as cursor:
            cursor.execute(sql, parameters).fetchall()
        driver.set_progress_handler(None, 1)
    return count


def strangers(count: int) -> list[Entry]:
    """Plain outputs of one address that no filter below asks for."""
    output = BasicOutput.to(Ed25519Address(b"\x01" * 32), 7)
    return [Entry(name(10_000 + i, 34), output, 1) for i in range(count)]


def test_the_work_for_a_page_does_not_grow_with_the_outputs_of_others() -> None:
    """But for filters that a plain basic output meets: to those the strangers belong."""
    chosen = [one for one in [*single_filters(), *COMBINED] if not met_by_strangers(one)]
    with in_memory() as engine:
        write(engine, Batch(outputs=[entry.row for entry in strangers(10)]))
        before = [work(engine, one) for one in chosen]
        write(engine, Batch(outputs=[entry.row for entry in strangers(3_000)[10:]]))
        after = [work(engine, one) for one in chosen]
    assert len(chosen) > 150
    assert after == before


def met_by_strangers(chosen: Filter) -> bool:
    """Whether nothing but creation, and the absence of things, is asked of basic outputs."""
    asked = {each.name: value for each in fields(chosen) if (value := getattr(chosen, each.name)) is not None}
    plain = {name for name, value in asked.items() if value == 0 or name == "max_native_token_count"}
    created = {name for name in asked if name.startswith("created_")}
    return BasicOutput.TYPE in chosen.TYPES and set(asked) <= plain | created


WALKS = ("SCAN anon_", "SCAN milestones")
"""of rows that were found, and along the milestones from the last one, which a limit ends"""


def test_the_plans_of_the_other_queries_scan_no_table(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    asked: list[tuple[str, object]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def record(_c: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    with engine.connect() as connection:
        ids = [name(1), name(2)]
        queries.record(connection, name(1))
        queries.block_numbers(connection, ids)
        queries.records_by_ids(connection, ids)
        queries.included_block(connection, name(1))
        queries.latest_blocks(connection, 5)
        queries.blocks_from(connection, 2, 5)
        queries.blocks_around(connection, 3, 5)
        queries.blocks_by_tag(connection, b"t", 1, 5)
        queries.milestone_by_id(connection, name(1))
        queries.milestone_blocks(connection, 1)
        queries.outputs_by_ids(connection, ids)
        queries.utxo_changes(connection, 1)
        queries.movements(connection, name(1, 33), 1, 5)
        queries.chain_output(connection, 4, name(1))
        queries.ledger_index(connection)
        events(connection, 1, 5)
        journal.next_number(connection)
        list(journal.crossings(connection, 1))
        list(journal.replay(connection))
        for statement, parameters in asked[:]:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
            steps = [row[3] for row in plan]
            free = [step for step in steps if step.startswith("SCAN") and not step.startswith(WALKS)]
            assert not free, (statement, steps)
            if "FROM outputs" in statement:
                assert not any("TEMP B-TREE" in step for step in steps), (statement, steps)
    assert len(asked) > 15
    engine.dispose()
