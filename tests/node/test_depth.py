"""Nodes with different news come to one ledger: no clock and no order of arrival decides what is too old.

An author writes a history with a below-max-depth of DEPTH and settles it piece by piece, so that some blocks
become final long after they came. Followers get the same blocks, each in an order of its own.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.audit import audit
from tangle.node import Outcome, Receipt, Step
from tangle.node.settle import ledger
from tangle.protocol.blocks import Block
from tangle.protocol.errors import BelowMaxDepth, MilestoneInvalid
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.parameters import ProtocolParameters
from tangle.state.finality.milestones import Milestones
from tangle.state.window import reach
from tangle.store import journal, queries
from tests.networks import (
    COORDINATOR,
    T0,
    Alone,
    Coin,
    Key,
    block_on,
    close_nodes,
    coins_of,
    genesis_coin,
    note,
    spend,
)
from tests.networks import open_node as open_any

DEPTH = 3
PARAMETERS = ProtocolParameters(network_name="tangle-test", min_pow_score=0, below_max_depth=DEPTH)
KEYS = [genesis_coin().key, Key.named("alice"), Key.named("bob")]


def open_node(path: Path) -> Alone:
    return open_any(path, parameters=PARAMETERS)


class Author:
    """A node that holds all blocks as soon as they are written, and those blocks in order."""

    def __init__(self, path: Path) -> None:
        self.node = open_node(path)
        self.blocks: list[Block] = []
        self.carrier = self.node.reading.tips()[0]

    def write(self, *blocks: Block) -> None:
        answers = self.node.add(blocks, T0 * 1000).answers
        assert answers == [Receipt(block.id, Outcome.ATTACHED) for block in blocks]
        self.blocks += blocks

    def milestone(self, parents: Sequence[bytes], depth: int = DEPTH) -> Block:
        """The next milestone upon the last one and `parents`, by the rules of a network of this depth."""
        memory = self.node._memory
        rule = Milestones(replace(PARAMETERS, below_max_depth=depth), [COORDINATOR.seed])
        chosen = tuple(sorted({self.carrier, *parents}))
        find = ledger(memory, Step())
        return Block(chosen, rule.propose(memory.window, chosen, find, T0 + memory.window.head.index).evidence)

    def settle(self, *parents: bytes) -> Block:
        block = self.milestone(parents)
        self.write(block)
        self.carrier = block.id
        return block

    def live(self, by: str) -> list[bytes]:
        """What a "block" may approve, or a "milestone"."""
        dag, index = self.node._memory.window.dag, self.node.reading.milestone.index
        live = [place for place in range(dag.low, dag.high) if dag.oldest_root([place]) >= index - DEPTH]
        if by == "milestone":
            # Its block will be one milestone older when it is referenced itself.
            live = [place for place in live if not 0 < dag.referenced_by(place) <= index - DEPTH]
        return [dag.id_of(place) for place in live]


def take_all(node: Alone, blocks: Sequence[Block], rng: random.Random) -> None:
    """Hand over blocks in batches of random size; whatever they answer."""
    rest = list(blocks)
    while rest:
        size = rng.randint(1, 9)
        node.add(rest[:size], T0 * 1000)
        rest = rest[size:]


def final(node: Alone) -> list[Any]:
    """All that is final: milestones and what each made of which block, in order, and all outputs."""
    found: list[Any] = [node.reading.milestone]
    with node.engine.connect() as connection:
        for row in journal.replay_milestones(connection):
            found.append((row.index, row.milestone_id, row.timestamp, row.payload))
            for record in queries.milestone_blocks(connection, row.index):
                assert record.referenced is not None
                verdict = record.referenced.inclusion, record.referenced.conflict_reason
                found.append((record.block.block_id, verdict))
        found += journal.all_outputs(connection)
    return found


def history(author: Author, rng: random.Random, rounds: int) -> None:
    """Random blocks on whatever may be approved, some of them contested spends; milestones over some of them."""
    coins: list[Coin] = [genesis_coin(PARAMETERS)]
    for turn in range(rounds):
        for number in range(rng.randint(0, 5)):
            payload: Any = note(f"{turn} {number}")
            if rng.random() < 0.3:
                coin = rng.choice(coins)
                half = coin.output.amount // 2
                outputs = [BasicOutput.to(rng.choice(KEYS).address, a) for a in (half, coin.output.amount - half)]
                payload = spend([coin], outputs, parameters=PARAMETERS)
                coins += coins_of(payload, KEYS)
            live = author.live("block")
            # Old ones often: what is settled piece by piece stays approvable for long.
            pool = live[: len(live) // 2 + 1] if rng.random() < 0.5 else live
            author.write(block_on(rng.sample(pool, min(len(pool), rng.randint(1, 3))), payload))
        live = author.live("milestone")
        author.settle(*rng.sample(live, min(len(live), rng.choice([0, 0, 1, 1, 2]))))


@settings(max_examples=5)
@given(st.integers(0, 2**32))
def test_whatever_came_first_the_same_is_final(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    directory, rng = tmp_path_factory.mktemp("depth"), random.Random(seed)
    author = Author(directory / "author.db")
    history(author, rng, rounds=2 * reach(DEPTH))
    expected = final(author.node)
    for name in ("early", "late"):
        follower = open_node(directory / f"{name}.db")
        # All in one disorder, or each some way behind its place.
        far = len(author.blocks) if name == "early" else rng.randint(2, 60)
        places = {block.id: place + rng.uniform(0, far) for place, block in enumerate(author.blocks)}
        order = sorted(author.blocks, key=lambda block: places[block.id])
        middle = rng.randint(0, len(order))
        take_all(follower, order[:middle], rng)
        if follower.reading.waiting_count == 0:
            follower.close()
            follower = open_node(directory / f"{name}.db")
        take_all(follower, order[middle:], rng)
        assert final(follower) == expected, f"seed {seed}: {name}"
        assert audit(follower.engine).unspent == PARAMETERS.token_supply, f"seed {seed}: {name}"
    assert audit(author.node.engine).unspent == PARAMETERS.token_supply, f"seed {seed}"
    close_nodes()


def test_a_block_settled_long_after_it_came_is_settled_everywhere(tmp_path: Path) -> None:
    author = Author(tmp_path / "author.db")
    early, late = open_node(tmp_path / "early.db"), open_node(tmp_path / "late.db")
    chain: list[Block] = []
    for number in range(2 * reach(DEPTH) // DEPTH):
        chain.append(block_on([chain[-1].id if chain else author.carrier], note(str(number))))
    author.write(*chain)
    early.add(chain)
    for link in chain:
        for _ in range(DEPTH):
            early.add([author.settle()])
        early.add([author.settle(link.id)])
    assert author.node.reading.milestone.index > 2 * reach(DEPTH)
    late.add(author.blocks[len(chain) :])
    late.add(chain)
    assert final(early) == final(late) == final(author.node)
    early.close()
    assert final(open_node(tmp_path / "early.db")) == final(late)


def test_a_milestone_over_what_is_too_old_is_refused_by_who_has_it_and_by_who_has_not(tmp_path: Path) -> None:
    author = Author(tmp_path / "author.db")
    has, lacks = open_node(tmp_path / "has.db"), open_node(tmp_path / "lacks.db")
    alone = block_on([author.carrier], note("alone"))
    author.write(alone)
    has.add([alone])
    for _ in range(DEPTH + 1):
        has.add([author.settle()])
    # The last milestone that may reference it has not come: nobody refuses it.
    author.milestone([alone.id])
    author.settle()
    late = author.milestone([alone.id], depth=99)
    for node in (has, lacks):
        node.add(author.blocks[1:])
    with pytest.raises(MilestoneInvalid):
        author.milestone([alone.id])
    before = final(has)
    assert isinstance(lacks.add([alone]).answers[0], BelowMaxDepth)
    refused = has.add([late]).answers[0]
    assert isinstance(refused, MilestoneInvalid)
    assert "below max depth" in str(refused)
    assert lacks.add([late]).answers == [Receipt(late.id, Outcome.WAITING)]
    assert final(has) == final(lacks) == before
    right = author.settle()
    for node in (has, lacks):
        assert node.add([right]).answers == [Receipt(right.id, Outcome.ATTACHED)]
    assert final(has) == final(lacks) == final(author.node)
    with pytest.raises(MilestoneInvalid):
        author.milestone([alone.id])


def test_a_milestone_that_the_next_one_could_not_reference_is_refused(tmp_path: Path) -> None:
    author = Author(tmp_path / "author.db")
    first = author.carrier
    for _ in range(DEPTH):
        author.settle()
    # `first` was referenced by milestone 2, of which the block upon it would be as old.
    assert author.milestone([first]).payload is not None
    author.settle()
    with pytest.raises(MilestoneInvalid, match="rest upon"):
        author.milestone([first])
    wrong = author.milestone([first], depth=DEPTH + 1)
    assert isinstance(author.node.add([wrong]).answers[0], MilestoneInvalid)


def test_judging_changes_nothing(tmp_path: Path) -> None:
    author = Author(tmp_path / "author.db")
    author.write(block_on([author.carrier], note("x")))
    memory = author.node._memory
    block = author.milestone([author.blocks[0].id])
    step = Step()
    seen = [memory.finality.judge(memory.window, block, ledger(memory, step)) for _ in range(2)]
    assert seen[0] == seen[1] is not None
    assert step == Step()
    assert author.node.add([block]).answers == [Receipt(block.id, Outcome.ATTACHED)]
