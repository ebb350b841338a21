"""A step is memory alone until it is committed; what it did is known to all that comes later in the same step."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPICursor

from tangle.audit import audit
from tangle.node import Node, Outcome, Receipt
from tangle.node.recent import RecentOutputs
from tangle.protocol.blocks import Block
from tangle.protocol.errors import BelowMaxDepth
from tangle.protocol.outputs import BasicOutput
from tangle.state.ledger import Conflict
from tangle.store import journal, queries
from tests.networks import PARAMETERS, T0, Key, block_on, coins_of, genesis_coin, note, open_node, spend

CHAIN = 1_500
"""blocks; more than Python allows calls within calls"""
ALICE, BOB = Key.named("alice"), Key.named("bob")


def all_blocks(node: Node) -> list[Block]:
    with node.engine.connect() as connection:
        return [Block.decode(row.data) for row, _ in journal.replay(connection)]


def work_of(node: Node) -> Counter[str]:
    """Counts from now on what the database is asked for: commits, and queries for numbers of blocks."""
    heard: Counter[str] = Counter()

    @event.listens_for(node.engine, "commit")
    def committed(_: object) -> None:
        heard["commits"] += 1

    @event.listens_for(node.engine, "before_cursor_execute")
    def asked(_1: object, _2: DBAPICursor, statement: str, _3: object, _4: object, _5: bool) -> None:
        heard["questions"] += statement.startswith("SELECT blocks.block_id, blocks.number")

    return heard


def test_a_step_writes_nothing_and_shows_nothing_until_it_is_committed(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    before, blocks = node.reading, all_blocks(node)
    block = block_on(node.reading.tips(), note("x"))
    step = node.attach([block], T0 * 1000)
    assert step.answers == [Receipt(block.id, Outcome.ATTACHED)]
    assert node.reading is before
    assert all_blocks(node) == blocks
    node.reload()
    assert node.add([block], T0 * 1000).answers == [Receipt(block.id, Outcome.ATTACHED)]
    assert node.reading.window_count == before.window_count + 1


def test_a_reading_is_frozen_and_its_answers_stay(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    block = block_on(node.reading.tips(), note("x"))
    node.add([block], T0 * 1000)
    node.sample_confidence()
    number, held = node.number_of(block.id), node.reading
    seen = held.confidence(number, None), held.milestone, held.pool, held.window_count
    for second in range(3 * PARAMETERS.below_max_depth):
        node.issue_milestone(T0 + 1 + second)
    node.refresh_tips()
    node.sample_confidence()
    assert (held.confidence(number, None), held.milestone, held.pool, held.window_count) == seen
    assert held.in_window(number)
    assert not node.reading.in_window(number)


@pytest.mark.parametrize("room", [0, 1 << 20], ids=["read from the database", "at hand"])
def test_milestones_of_one_batch_see_what_those_before_them_did(tmp_path: Path, room: int) -> None:
    node, follower = open_node(tmp_path / "t.db"), open_node(tmp_path / "follower.db")
    coin = genesis_coin()
    first = spend([coin], [BasicOutput.to(ALICE.address, coin.output.amount)])
    again = spend([coin], [BasicOutput.to(BOB.address, coin.output.amount)])
    made = coins_of(first, [ALICE])
    onward = spend(made, [BasicOutput.to(BOB.address, coin.output.amount)])
    late = spend(made, [BasicOutput.to(ALICE.address, coin.output.amount)])
    found = []
    for second, payload in enumerate((first, again, onward, late)):
        block = block_on(node.reading.tips(), payload)
        node.add([block], T0 * 1000)
        node.issue_milestone(T0 + 1 + second)
        node.refresh_tips()
        found.append(block.id)
    follower._memory.recent = RecentOutputs(room)
    heard = work_of(follower)
    assert all(isinstance(answer, Receipt) for answer in follower.add(all_blocks(node)[1:], T0 * 1000).answers)
    assert heard["commits"] == 1
    with follower.engine.connect() as connection:
        records = queries.records_by_ids(connection, found)
    reasons = [record.referenced.conflict_reason for i in found if (record := records[i]).referenced is not None]
    spent = Conflict.INPUT_ALREADY_SPENT
    assert reasons == [None, spent, None, spent]
    assert audit(follower.engine) == audit(node.engine)


def test_what_left_the_window_in_the_same_batch_is_known(tmp_path: Path) -> None:
    node, follower = open_node(tmp_path / "t.db"), open_node(tmp_path / "follower.db")
    first = block_on(node.reading.tips(), note("first"))
    node.add([first], T0 * 1000)
    for second in range(3 * PARAMETERS.below_max_depth):
        node.issue_milestone(T0 + 1 + second)
    node.refresh_tips()
    child = block_on([first.id, *node.reading.tips()], note("too late"))
    answers = follower.add([*all_blocks(node)[1:], first, child], T0 * 1000).answers
    assert answers[-2] == Receipt(first.id, Outcome.KNOWN)
    assert isinstance(answers[-1], BelowMaxDepth)
    assert answers[-1].block_id == first.id


def test_a_long_chain_of_waiting_blocks_is_let_in_at_once(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    chain = [block_on(node.reading.tips(), note("0"))]
    for number in range(1, CHAIN):
        chain.append(block_on([chain[-1].id], note(str(number))))
    heard = work_of(node)
    assert node.add(chain[:0:-1], T0 * 1000).answers == [Receipt(b.id, Outcome.WAITING) for b in chain[:0:-1]]
    assert heard["questions"] == math.ceil((CHAIN - 1) / queries.IDS_PER_QUERY)
    released = node.add(chain[:1], T0 * 1000).released
    assert list(released) == [block.id for block in chain[1:]]
    assert set(released.values()) == {Receipt(block.id, Outcome.ATTACHED) for block in chain[1:]}
