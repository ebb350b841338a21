"""Rules that milestones switch on: who says so, from when on, and that everybody reads the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tangle.audit import audit
from tangle.node import Receipt
from tangle.protocol.blocks import Block
from tangle.protocol.conflicts import Conflict
from tangle.protocol.errors import MilestoneInvalid
from tangle.protocol.locks import Pays, Signed, Stake, Threshold
from tangle.protocol.locks.assets import BaseCoins
from tangle.protocol.milestones import Milestone, MilestoneEssence, sign_milestone
from tangle.protocol.ruleset import KNOWN_RULES, LOCKS, Record, metadata_with, records_of, rules_of
from tangle.protocol.transactions import Transaction
from tangle.service.writer import commit
from tangle.store import queries
from tests.networks import COORDINATOR, HOLDER, T0, Alone, block_on, found, genesis_coin, open_node
from tests.state.rules.builders import BOB, Held, Scene, basic
from tests.state.rules.locked import Way, lock_of, show

OFFER = lock_of(Pays(HOLDER.address, BaseCoins(), 1_000))
SUPPLY = genesis_coin().output.amount


def old_network(path: Path) -> Alone:
    """A node on a network that was made before there were locks."""
    found(f"sqlite:///{path}", rules=())
    return open_node(path)


def fund(*outputs: Any) -> Transaction:
    """The holder's coins: some to locks, the rest back."""
    coin = genesis_coin()
    left = SUPPLY - sum(output.amount for output in outputs)
    return Scene(
        [Held(coin.output_id, coin.output)], [HOLDER], [*outputs, basic(left, HOLDER.address)]
    ).transaction


def held(transaction: Transaction, index: int) -> Held:
    return Held(transaction.output_id(index), transaction.essence.outputs[index])


def post(node: Alone, *payloads: Transaction) -> None:
    for payload in payloads:
        (answer,) = node.add([block_on(node.reading.tips(), payload)], T0 * 1000).answers
        assert isinstance(answer, Receipt), answer
    node.refresh_tips()


def settle(node: Alone, at: int) -> tuple[MilestoneEssence, list[Conflict]]:
    """The next milestone, and what became of its transactions."""
    essence = node.issue_milestone(at)
    with node.engine.connect() as connection:
        records = queries.milestone_blocks(connection, essence.index)
    rows = [record.referenced for record in records if record.block.payload_type == Transaction.TYPE]
    return essence, [Conflict(row.conflict_reason or 0) for row in rows if row is not None]


def buy(lot: Held) -> Transaction:
    """Bob, who has nothing, posts the purchase of 1,000 for 1,000."""
    return Scene([lot], [BOB], [basic(1_000, HOLDER.address)], show=show((0, OFFER, Way()))).transaction


def test_a_new_network_has_all_rules_from_its_first_milestone(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    assert node.reading.milestone.rules == KNOWN_RULES == {LOCKS}
    funded = fund(basic(1_000, OFFER.address))
    post(node, funded)
    assert settle(node, T0 + 1)[1] == [Conflict.NONE]
    post(node, buy(held(funded, 0)))
    essence, conflicts = settle(node, T0 + 2)
    assert conflicts == [Conflict.NONE]
    assert essence.metadata == bytes([3, 7, 0]) + b"locks/1"
    assert audit(node.engine).transactions == 2


def test_an_old_network_is_judged_by_them_after_the_milestone_that_names_them(tmp_path: Path) -> None:
    node = old_network(tmp_path / "t.db")
    funded = fund(*[basic(1_000, OFFER.address)] * 3)
    post(node, funded)
    assert settle(node, T0 + 1)[0].metadata == b""
    post(node, buy(held(funded, 0)))
    assert settle(node, T0 + 2)[1] == [Conflict.SIGNATURE_INVALID]
    post(node, buy(held(funded, 1)))
    step = commit(node, lambda: node.issue(T0 + 3, rules={LOCKS}))
    row = step.batch.referenced[-1]
    assert (row.milestone_index, row.conflict_reason) == (4, Conflict.SIGNATURE_INVALID)
    assert node.reading.milestone.rules == {LOCKS}
    node.close()
    node = open_node(tmp_path / "t.db")
    assert node.reading.milestone.rules == {LOCKS}
    post(node, buy(held(funded, 2)))
    essence, conflicts = settle(node, T0 + 4)
    assert rules_of(essence.metadata) == {LOCKS}
    assert conflicts == [Conflict.NONE]
    assert audit(node.engine).conflicts == 2


def test_a_follower_comes_to_the_same(tmp_path: Path) -> None:
    node = old_network(tmp_path / "t.db")
    commit(node, lambda: node.issue(T0 + 1, rules={LOCKS}))
    funded = fund(basic(1_000, OFFER.address))
    post(node, funded)
    settle(node, T0 + 2)
    post(node, buy(held(funded, 0)))
    settle(node, T0 + 3)
    with node.engine.connect() as connection:
        blocks = [Block.decode(row.block.data) for row in queries.blocks_from(connection, 0, 100)]
    follower = old_network(tmp_path / "other.db")
    answers = follower.add(blocks[1:]).answers
    assert all(isinstance(answer, Receipt) for answer in answers)
    assert follower.reading.milestone == node.reading.milestone


def test_age_is_counted_from_the_milestone_that_made_the_output(tmp_path: Path) -> None:
    """The node has it in memory when the output is young, and reads it from the database after a restart."""
    node = open_node(tmp_path / "t.db")
    vote = lock_of(Threshold.all(Signed(BOB.address), Stake(bytes(38), 0, 0)))
    funded = fund(basic(1_000, vote.address))
    post(node, funded)
    settle(node, T0 + 7)
    ids = [funded.output_id(0)]
    young = node._memory.recent.find(ids)[ids[0]].created_at
    node.close()
    node = open_node(tmp_path / "t.db")
    with node.engine.connect() as connection:
        assert queries.outputs_by_ids(connection, ids)[ids[0]].created_at == young == T0 + 7


def following(node: Alone, metadata: bytes) -> Block:
    """A signed milestone over the newest one that says `metadata`."""
    head = node.reading.milestone
    essence = MilestoneEssence(
        head.index + 1, head.timestamp + 1, 2, head.id, (head.carrier,), *_roots(node), metadata=metadata
    )
    return Block((head.carrier,), sign_milestone(essence, [COORDINATOR.seed]))


def _roots(node: Alone) -> tuple[bytes, bytes]:
    carrier = node.issue(T0 + 500).batch.milestones[0]
    node.reload()
    essence = Milestone.decode(carrier.payload).essence
    return essence.inclusion_root, essence.applied_root


BAD = {
    "a rule is dropped": b"",
    "a rule that nobody knows": metadata_with([LOCKS, "locks/9"]),
    "no records": b"locks/1",
    "cut": metadata_with([LOCKS])[:-1],
    "twice": metadata_with([LOCKS]) * 2,
    "in falling order": metadata_with([LOCKS]) + Record(1, b"digest").encode(),
    "names in falling order": Record(3, b"locks/1 a").encode(),
    "two spaces": Record(3, b"a  locks/1").encode(),
    "a name twice": Record(3, b"locks/1 locks/1").encode(),
    "no name": Record(3, b"").encode(),
    "no ASCII": Record(3, "locks/1 ü".encode()).encode(),
}


@pytest.mark.parametrize("name", BAD)
def test_a_milestone_that_names_its_rules_wrongly_is_none(tmp_path: Path, name: str) -> None:
    node = open_node(tmp_path / "t.db")
    (answer,) = node.add([following(node, BAD[name])]).answers
    assert isinstance(answer, MilestoneInvalid)
    assert answer.field == "payload.metadata"
    (answer,) = node.add([following(node, metadata_with([LOCKS]))]).answers
    assert isinstance(answer, Receipt)


def test_records_of_other_kinds_are_passed_over(tmp_path: Path) -> None:
    metadata = Record(1, b"digest").encode() + metadata_with([LOCKS]) + Record(9, b"later").encode()
    assert records_of(metadata) == {1: b"digest", 3: b"locks/1", 9: b"later"}
    node = open_node(tmp_path / "t.db")
    (answer,) = node.add([following(node, metadata)]).answers
    assert isinstance(answer, Receipt)
    assert node.reading.milestone.rules == {LOCKS}


def test_a_bad_witness_in_a_block_that_came_another_way_is_no_witness(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    funded = fund(basic(1_000, OFFER.address))
    post(node, funded)
    settle(node, T0 + 1)
    good = buy(held(funded, 0))
    assert good.essence.payload is not None
    scene = Scene([held(funded, 0)], [BOB], [basic(1_000, HOLDER.address)], show=lambda _: b"junk")
    post(node, scene.transaction)
    assert settle(node, T0 + 2)[1] == [Conflict.SIGNATURE_INVALID]
    post(node, good)
    assert settle(node, T0 + 3)[1] == [Conflict.NONE]
