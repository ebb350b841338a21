"""Time in the ledger is the confirming milestone's, whoever asks and whenever."""

from pathlib import Path

import pytest

from tangle.audit import audit
from tangle.protocol.blocks import Block
from tangle.protocol.conflicts import Conflict
from tangle.protocol.outputs import (
    AddressUnlockCondition,
    BasicOutput,
    ExpirationUnlockCondition,
    TimelockUnlockCondition,
)
from tangle.protocol.transactions import Transaction
from tangle.store import journal, queries
from tests.networks import T0, Alone, Coin, Key, block_on, genesis_coin, open_node, spend

ALICE, BOB = Key.named("alice"), Key.named("bob")
UNTIL = T0 + 10


@pytest.fixture
def node(tmp_path: Path) -> Alone:
    return open_node(tmp_path / "tangle.db")


def settled(node: Alone, transaction: Transaction, now: int) -> tuple[int, Conflict]:
    """The timestamp of the milestone, issued at `now`, that confirms `transaction`, and what became of it."""
    node.refresh_tips()
    block = block_on(node.reading.tips(), transaction)
    node.add([block], now * 1000)
    essence = node.issue_milestone(now)
    with node.engine.connect() as connection:
        record = queries.record(connection, block.id)
    assert record is not None
    assert record.referenced is not None
    return essence.timestamp, Conflict(record.referenced.conflict_reason or 0)


def under(node: Alone, condition: TimelockUnlockCondition | ExpirationUnlockCondition, key: Key) -> Transaction:
    """Everything is made Alice's under `condition`; returns a transaction of `key` that takes it."""
    coin = genesis_coin()
    output = BasicOutput(coin.output.amount, (AddressUnlockCondition(ALICE.address), condition))
    first = spend([coin], [output])
    assert settled(node, first, T0 + 1) == (T0 + 1, Conflict.NONE)
    return spend([Coin(first.output_id(0), output, key)], [BasicOutput.to(BOB.address, output.amount)])


def check_followers(node: Alone, path: Path) -> None:
    """A node that hears of the blocks later, and an audit, come to the same ledger."""
    follower = open_node(path)
    with node.engine.connect() as connection:
        blocks = [Block.decode(row.data) for row, _ in journal.replay(connection)]
    follower.add(blocks, (UNTIL + 1_000_000) * 1000)
    assert follower.reading.milestone == node.reading.milestone
    assert audit(follower.engine) == audit(node.engine)


def test_timelock_opens_with_the_milestone_that_reaches_it(node: Alone, tmp_path: Path) -> None:
    taken = under(node, TimelockUnlockCondition(UNTIL), ALICE)
    assert settled(node, taken, UNTIL - 1) == (UNTIL - 1, Conflict.TIMELOCK_NOT_EXPIRED)
    assert settled(node, taken, UNTIL) == (UNTIL, Conflict.NONE)
    check_followers(node, tmp_path / "follower.db")


@pytest.mark.parametrize(
    ("key", "now", "conflict"),
    [
        (ALICE, UNTIL - 1, Conflict.NONE),
        (BOB, UNTIL - 1, Conflict.SIGNATURE_INVALID),
        (ALICE, UNTIL, Conflict.SIGNATURE_INVALID),
        (BOB, UNTIL, Conflict.NONE),
    ],
)
def test_expiration_hands_over_with_the_milestone_that_reaches_it(
    node: Alone, tmp_path: Path, key: Key, now: int, conflict: Conflict
) -> None:
    taken = under(node, ExpirationUnlockCondition(BOB.address, UNTIL), key)
    assert settled(node, taken, now) == (now, conflict)
    check_followers(node, tmp_path / "follower.db")


def test_a_clock_that_steps_back_is_not_asked(node: Alone, tmp_path: Path) -> None:
    taken = under(node, TimelockUnlockCondition(UNTIL), ALICE)
    assert node.issue_milestone(UNTIL - 1).timestamp == UNTIL - 1
    assert settled(node, taken, T0 - 50) == (UNTIL, Conflict.NONE)
    check_followers(node, tmp_path / "follower.db")
