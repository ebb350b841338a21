"""Attacks upon a whole node, and honest blocks among them.

Time goes in rounds, one milestone each. In a round honest issuers ask the node for tips and attach, the attacker
does what he does, and the coordinator issues its milestone. All of it follows from a seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tangle.node import Receipt
from tangle.protocol.blocks import Block, Payload
from tangle.protocol.outputs import BasicOutput
from tangle.store import queries
from tests.networks import T0, Alone, Key, block_on, genesis_coin, note, spend

HONEST = 10
"""blocks of honest issuers in a round"""
BATCH = 500
"""blocks of an attacker per commit"""


def no_work(_block: bytes, _score: int) -> int:
    """The nonce on networks that ask for no work."""
    return 0


@dataclass
class Scene:
    """A node, its honest issuers, and the milestones that referenced their blocks."""

    node: Alone
    seed: int
    rng: random.Random = field(init=False)
    honest: dict[bytes, int] = field(default_factory=dict)
    """block id -> milestone index when it was attached"""
    milestone_blocks: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def attach(self, blocks: Iterable[Block]) -> None:
        """Attach in commits of BATCH; nothing may be refused."""
        pending = list(blocks)
        for start in range(0, len(pending), BATCH):
            answers = self.node.add(pending[start : start + BATCH], T0 * 1000).answers
            assert all(isinstance(answer, Receipt) for answer in answers), f"seed {self.seed}: {answers}"
        self.node.refresh_tips()

    def issue(self, count: int = HONEST) -> None:
        """Honest blocks, each on tips that the node gave out."""
        for number in range(count):
            block = block_on(self.node.reading.tips(), note(f"honest {len(self.honest)} {number} {self.seed}"))
            self.attach([block])
            self.honest[block.id] = self.node.reading.milestone.index

    def milestone(self) -> None:
        """The next milestone, a second later."""
        index = self.node.reading.milestone.index
        self.node.issue_milestone(T0 + 1 + index, no_work)
        self.node.refresh_tips()
        with self.node.engine.connect() as connection:
            newest = queries.latest_blocks(connection, 1)[0]
        assert newest.milestone_index == index + 1
        self.milestone_blocks.append(newest.block.block_id)

    def rounds(self, count: int, attack: Callable[[int], None] = lambda _: None) -> None:
        """Rounds in which honest issuers come before and after the attacker."""
        for number in range(count):
            self.issue(HONEST - HONEST // 2)
            attack(number)
            self.issue(HONEST // 2)
            self.milestone()

    def delays(self) -> list[int]:
        """For each honest block, how many milestones it took until one referenced it; 1 is the very next."""
        with self.node.engine.connect() as connection:
            records = queries.records_by_ids(connection, self.honest)
        found = []
        for block_id, attached in self.honest.items():
            referenced = records[block_id].referenced
            assert referenced is not None, f"seed {self.seed}: an honest block is lost"
            found.append(referenced.milestone_index - attached)
        return found

    def share_of_tips(self, blocks: set[bytes], draws: int = 200) -> float:
        """Of tips that the node gives out, how many belong to `blocks`."""
        given = []
        for _ in range(draws):
            self.node.refresh_tips()
            given += self.node.reading.tips()
        return sum(tip in blocks for tip in given) / len(given)


def leaves(parent: bytes, payloads: Iterable[Payload]) -> list[Block]:
    """A flood: blocks that all approve one."""
    return [block_on([parent], payload) for payload in payloads]


def side_chain(start: bytes, length: int, seed: int) -> list[Block]:
    """A parasite: two strands that approve each other and one old block, built in secret."""
    strand = [block_on([start], note(f"parasite {seed}"))]
    for number in range(1, length):
        parents = {block.id for block in strand[-2:]}
        strand.append(block_on(parents, note(f"parasite {seed} {number}")))
    return strand


def double_spends(parents: Iterable[bytes], count: int) -> list[Block]:
    """So many transactions that all spend the genesis output, each to somebody else."""
    coin, chosen = genesis_coin(), list(parents)
    receivers = [Key.named(f"thief {number}").address for number in range(count)]
    return [
        block_on(chosen, spend([coin], [BasicOutput.to(receiver, coin.output.amount)])) for receiver in receivers
    ]
