"""What was acknowledged is on disk; memory after a restart is memory before it; tampering is found."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from tangle.audit import audit
from tangle.node import Node, NodeSettings, Outcome, Receipt
from tangle.protocol.blocks import Block
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import blake2b_256
from tangle.protocol.transactions import Ed25519Signature, SignatureUnlock, Transaction
from tangle.store import journal, queries
from tangle.store.engine import migrate, open_engine
from tangle.store.errors import AuditFailed, NoNetwork
from tangle.store.queries import CrossingEvent, Event, MilestoneEvent
from tests.networks import (
    COORDINATOR,
    HOLDER,
    PARAMETERS,
    T0,
    Alone,
    Coin,
    Key,
    block_on,
    coins_of,
    genesis_coin,
    note,
    open_node,
    spend,
)
from tests.tries import tries

KEYS = [HOLDER, Key.named("alice"), Key.named("bob")]


def grow(node: Alone, seed: int, rounds: int) -> list[Block]:
    """Random blocks, good and conflicting spends, milestones and samples."""
    rng = random.Random(seed)
    coins: list[Coin] = [genesis_coin()]
    blocks = []
    for step in range(rounds):
        batch = []
        for number in range(rng.randint(1, 6)):
            payload = note(f"{seed} {step} {number}") if rng.random() < 0.5 else _payment(rng, coins)
            batch.append(block_on(node.reading.tips(rng.randint(1, 4)), payload))
        blocks += batch
        node.add(batch, (T0 + step) * 1000)
        node.refresh_tips()
        if rng.random() < 0.6:
            node.issue_milestone(T0 + step)
        if rng.random() < 0.3:
            node.sample_confidence()
    return blocks


def _payment(rng: random.Random, coins: list[Coin]) -> Transaction:
    inputs = rng.sample(coins, min(len(coins), rng.randint(1, 2)))
    if sum(coin.output.amount for coin in inputs) > PARAMETERS.token_supply:
        # Coins of two transactions that spend the same: the door refuses more than there is.
        inputs = inputs[:1]
    total = sum(coin.output.amount for coin in inputs)
    part = rng.randint(1, total - 1) if total > 1 else 1
    outputs = [BasicOutput.to(rng.choice(KEYS).address, amount) for amount in (part, total - part) if amount]
    transaction = spend(inputs, outputs)
    coins += coins_of(transaction, KEYS)
    return transaction


def view(node: Alone) -> object:
    """What a restart must not change."""
    memory = node._memory
    dag = memory.window.dag
    dag.flush()
    return (
        node.reading.milestone,
        memory.next_number,
        [
            (dag.id_of(i), dag.number_of(i), dag.referenced_by(i), dag.cone_roots(i))
            for i in range(dag.low, dag.high)
        ],
        sorted(dag.id_of(int(tip)) for tip in dag.graph.tips),
        {dag.id_of(index): transaction.id for index, transaction in dag.transactions.items()},
        [dag.id_of(block) for _, block in memory.window.carriers],
    )


@settings(max_examples=tries(12))
@given(st.integers(0, 2**32))
def test_replay_gives_the_same_state(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    path = tmp_path_factory.mktemp("replay") / "tangle.db"
    small = ProtocolParameters(network_name="tangle-test", min_pow_score=0, below_max_depth=3)
    node = open_node(path, parameters=small, seed=seed)
    grow(node, seed, rounds=30)
    node.audit()
    before = view(node)
    node.close()
    again = open_node(path, parameters=small, seed=seed)
    assert view(again) == before, f"seed {seed}"
    report = audit(again.engine)
    assert report.unspent == small.token_supply
    again.issue_milestone(T0 + 100)
    again.close()


def test_events_are_told_in_order_and_equal_the_journal(tmp_path: Path) -> None:
    told: list[Event] = []
    node = open_node(tmp_path / "t.db", on_events=told.extend)
    grow(node, 5, rounds=12)
    with node.engine.connect() as connection:
        written = queries.events(connection, 0, 10_000)
    assert told == [event for event in written if event.number >= told[0].number]
    assert [event.number for event in written] == list(range(1, len(written) + 1))
    assert {type(event) for event in told} >= {MilestoneEvent, CrossingEvent}


def test_crossings_are_not_told_twice_after_a_restart(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    grow(node, 6, rounds=12)
    node.sample_confidence()
    node.close()
    told: list[Event] = []
    again = open_node(tmp_path / "t.db", on_events=told.extend)
    again.sample_confidence()
    again.sample_confidence()
    with again.engine.connect() as connection:
        crossings = [e for e in queries.events(connection, 0, 10_000) if isinstance(e, CrossingEvent)]
    pairs = [(event.block_id, event.threshold_permille) for event in crossings]
    assert len(pairs) == len(set(pairs))


def test_failed_commit_keeps_nothing_and_memory_follows_the_disk(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    first = block_on(node.reading.tips(), note("first"))
    node.add([first], T0 * 1000)
    before = view(node)
    with node.engine.begin() as connection:
        connection.execute(
            text("CREATE TRIGGER no_more BEFORE INSERT ON blocks BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
        )
    second = block_on([first.id], note("second"))
    with pytest.raises(DatabaseError, match="disk is full"):
        node.add([second], T0 * 1000)
    with pytest.raises(DatabaseError, match="disk is full"):
        node.issue_milestone(T0 + 1)
    assert view(node) == before
    with node.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER no_more"))
    assert node.add([second], T0 * 1000).answers == [Receipt(second.id, Outcome.ATTACHED)]
    assert node.issue_milestone(T0 + 1).index == 2
    audit(node.engine)


def test_start_refuses_a_ledger_that_does_not_add_up(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    with node.engine.begin() as connection:
        connection.execute(text("UPDATE outputs SET amount = amount - 1"))
    node.close()
    with pytest.raises(AuditFailed) as caught:
        open_node(tmp_path / "t.db")
    assert f"up to {PARAMETERS.token_supply - 1} base units" in caught.value.reason


def test_start_refuses_a_database_without_network(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/empty.db")
    migrate(engine)
    with pytest.raises(NoNetwork):
        Node(engine, NodeSettings(), coordinator_seeds=[COORDINATOR.seed])
    engine.dispose()


TAMPERINGS = {
    "bytes": "UPDATE blocks SET data = CAST(data || x'00' AS BLOB)",
    "root": "DELETE FROM blocks WHERE number = (SELECT min(number) FROM blocks WHERE payload_type = 5)",
    "milestone": "UPDATE referenced SET milestone_index = 9 WHERE number = (SELECT max(number) FROM referenced)",
    "inclusion": "UPDATE referenced SET inclusion = 0 WHERE inclusion = 1",
    "settlement": "DELETE FROM referenced WHERE number = (SELECT max(number) FROM referenced)",
    "spent": f"UPDATE outputs SET spent_index = NULL WHERE output_id = x'{bytes(34).hex()}'",
    "owner": "UPDATE outputs SET data = CAST(substr(data, 1, 20) || x'00' || substr(data, 22) AS BLOB)",
    "movement": "UPDATE movements SET number = number + 1",
    "forgotten": "DELETE FROM movements",
    "invented": "INSERT INTO outputs (output_id, block_id, output_type, amount, data, address, created_index,"
    " created_at) SELECT CAST(x'07' || substr(output_id, 2) AS BLOB), block_id, output_type, amount, data,"
    " address, created_index, created_at FROM outputs LIMIT 1",
    "address": "UPDATE outputs SET address = CAST(x'00' || zeroblob(32) AS BLOB)",
    "timelock": "UPDATE outputs SET timelock = 7",
    "chain": "UPDATE outputs SET chain_id = substr(output_id, 1, 32)",
}  # fmt: skip


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_audit_finds_what_was_tampered_with(tmp_path: Path, statement: str) -> None:
    node = open_node(tmp_path / "t.db")
    payment = spend([genesis_coin()], [BasicOutput.to(HOLDER.address, PARAMETERS.token_supply)])
    node.add([block_on(node.reading.tips(), payment), block_on(node.reading.tips(), note("x"))], T0 * 1000)
    node.issue_milestone(T0 + 1)
    assert audit(node.engine).transactions == 1
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection, connection:
        connection.execute(statement)
    with pytest.raises(AuditFailed):
        audit(node.engine)


def test_audit_checks_signatures(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    payment = spend([genesis_coin()], [BasicOutput.to(HOLDER.address, PARAMETERS.token_supply)])
    forged = SignatureUnlock(Ed25519Signature(HOLDER.public, bytes(64)))
    # The door, which would have refused it, is not asked here.
    node.add([block_on(node.reading.tips(), Transaction(payment.essence, (forged,)))], T0 * 1000)
    with pytest.raises(AuditFailed, match="unlocks"):
        audit(node.engine)


def test_audit_reports_progress(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    grow(node, 1, rounds=3)
    heard: list[tuple[int, int]] = []
    audit(node.engine, lambda done, total: heard.append((done, total)))
    with node.engine.connect() as connection:
        total = journal.block_total(connection)
    assert heard[-1] == (total, total)


def test_ids_are_hashes_of_the_bytes_kept(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    grow(node, 2, rounds=3)
    with node.engine.connect() as connection:
        assert all(blake2b_256(row.data) == row.block_id for row, _ in journal.replay(connection))
