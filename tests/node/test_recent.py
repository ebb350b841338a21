"""The outputs kept in memory are the youngest unspent ones, and no more than there is room for."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DatabaseError

from tangle.node.recent import OBJECT_BYTES, RecentOutputs
from tangle.protocol.outputs import BasicOutput, Output
from tangle.protocol.transactions import Transaction
from tangle.state.ledger import Changes
from tests.networks import HOLDER, T0, Alone, block_on, coins_of, genesis_coin, open_node, spend

OUTPUT = BasicOutput.to(HOLDER.address, 1)
SIZE = len(OUTPUT.encode()) + OBJECT_BYTES


def changes(created: list[int], spent: list[int]) -> Changes:
    outputs: dict[bytes, tuple[Output, int]] = {bytes([number]) * 34: (OUTPUT, 0) for number in created}
    return Changes(created=outputs, spent={bytes([number]) * 34: bytes(32) for number in spent})


@given(st.lists(st.tuples(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))), st.integers(0, 12))
def test_the_youngest_unspent_are_kept(steps: list[tuple[set[int], set[int]]], room: int) -> None:
    recent = RecentOutputs(room * SIZE)
    born: list[int] = []
    gone: set[int] = set()
    for created, spent in steps:
        new = sorted(created - set(born))
        born += new
        gone |= spent & set(born)
        recent.take(changes(new, sorted(spent & set(born))), T0)
        unspent = [number for number in born if number not in gone]
        ids = [bytes([number]) * 34 for number in born]
        found = recent.find(ids)
        assert found.keys() <= {bytes([number]) * 34 for number in unspent}
        assert len(recent) == len(found) <= room
        assert recent.bytes_held == len(recent) * SIZE


def test_the_oldest_goes_first() -> None:
    recent = RecentOutputs(2 * SIZE)
    recent.take(changes([1, 2, 3], []), T0)
    assert list(recent.find([bytes([number]) * 34 for number in (1, 2, 3)])) == [b"\x02" * 34, b"\x03" * 34]


def outputs_read(node: Alone) -> list[str]:
    """Hears the queries for outputs from now on."""
    heard: list[str] = []

    @event.listens_for(node.engine, "before_cursor_execute")
    def hear(_1: object, _2: DBAPICursor, statement: str, _3: object, _4: object, _5: bool) -> None:
        if statement.startswith("SELECT") and "FROM outputs" in statement:
            heard.append(statement)

    return heard


def whole_supply() -> Transaction:
    return spend([genesis_coin()], [genesis_coin().output])


def test_a_young_coin_is_not_read_again(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    first = whole_supply()
    node.add([block_on(node.reading.tips(), first)], T0 * 1000)
    node.issue_milestone(T0 + 1)
    node.refresh_tips()
    heard = outputs_read(node)
    coins = coins_of(first, [HOLDER])
    second = spend(coins, [coins[0].output])
    node.add([block_on(node.reading.tips(), second)], T0 * 1000)
    node.issue_milestone(T0 + 2)
    assert heard == []
    with node.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM outputs WHERE spent_index IS NULL")).scalar() == 1


def test_a_failed_commit_forgets_what_it_would_have_made(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    first = whole_supply()
    node.add([block_on(node.reading.tips(), first)], T0 * 1000)
    with node.engine.begin() as connection:
        connection.execute(
            text("CREATE TRIGGER no_more BEFORE INSERT ON outputs BEGIN SELECT RAISE(FAIL, 'full'); END")
        )
    with pytest.raises(DatabaseError):
        node.issue_milestone(T0 + 1)
    assert len(node._memory.recent) == 0
