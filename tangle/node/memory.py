"""The newest part of the Tangle in memory, built from the journal.

The disk holds the truth. `load` reads back what the window needs: blocks, which milestone referenced them, which
transactions still wait for one, where walks start, which confidence crossings were told. It is what a start does,
and what follows a failed commit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from tangle.node.recent import RecentOutputs
from tangle.node.settings import NodeSettings
from tangle.protocol.blocks import Block
from tangle.protocol.milestones import FIRST_INDEX, MilestoneEssence
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import Reader
from tangle.protocol.transactions import Transaction
from tangle.state.confidence import ConfidenceBoard
from tangle.state.coordinator import Coordinator
from tangle.state.dag import Dag
from tangle.state.solidify import WaitingRoom
from tangle.store import journal, queries
from tangle.store.journal import MilestoneRow, Network

ENTRY_MILESTONES = 3
"""milestones that walks start behind the newest one, at least: what came before has all been approved or left"""
ENTRY_BLOCKS = 1_000
"""blocks that walks start behind the newest one, at least, while below max depth allows it"""


@dataclass(slots=True)
class Memory:
    """What one thread, the writer, keeps up to date.

    Attributes
    ----------
    milestone_blocks : milestone index and block index of the milestones in the window, oldest first
    next_number : of the next event
    """

    parameters: ProtocolParameters
    dag: Dag
    chain: Coordinator
    room: WaitingRoom
    board: ConfidenceBoard
    next_number: int
    milestone_blocks: deque[tuple[int, int]] = field(default_factory=deque)
    recent: RecentOutputs = field(default_factory=RecentOutputs)

    def take_number(self) -> int:
        """The next event number."""
        number = self.next_number
        self.next_number += 1
        return number

    def parents_of(self, block: Block) -> list[int]:
        """Indices of the parents of `block`, all of which are in the window."""
        indices = [self.dag.index_of(parent) for parent in block.parents]
        return [index for index in indices if index is not None]

    def newest_milestone(self) -> int:
        """Index of the newest milestone's block; of the block before all blocks when there is none yet."""
        index = self.dag.index_of(self.chain.block_id)
        assert index is not None, "the window always holds the newest milestone"
        return index

    def entries(self) -> list[int] | None:
        """Where walks start: a milestone, whose past nobody can change any more; None before the first.

        The nearest that has ENTRY_MILESTONES and ENTRY_BLOCKS behind it: a longer way through settled blocks costs
        time and tells nothing more. While few blocks come it lies below max depth back, or is the oldest there is.
        """
        chosen: list[int] | None = None
        for index, block in reversed(self.milestone_blocks):
            age = self.chain.index - index
            if age > self.parameters.below_max_depth:
                break
            chosen = [block]
            if age >= ENTRY_MILESTONES and self.dag.high - block > ENTRY_BLOCKS:
                break
        return chosen

    def move_on(self, essence: MilestoneEssence, block: int) -> None:
        """Take the milestone carried by the block at index `block` as the newest, and move the window."""
        self.chain.advance(essence, self.dag.id_of(block))
        self.milestone_blocks.append((essence.index, block))
        self.dag.refresh_roots(essence.index, self.parameters.below_max_depth)
        oldest = essence.index - window_milestones(self.parameters)
        while self.milestone_blocks[0][0] < oldest:
            self.milestone_blocks.popleft()
        index, first = self.milestone_blocks[0]
        if index == oldest:
            self.dag.drop_before(first, index)


def window_milestones(parameters: ProtocolParameters) -> int:
    """How many milestones the window reaches back.

    A block that may still be approved was attached at most below-max-depth milestones ago, on a past that reaches
    at most as far again.
    """
    return 2 * parameters.below_max_depth + 5


def load(engine: Engine, network: Network, settings: NodeSettings) -> Memory:
    """Memory as the journal has it."""
    parameters = network.parameters
    with engine.connect() as connection:
        newest = journal.latest_milestone(connection)
        oldest = (newest.index if newest else 0) - window_milestones(parameters)
        first = None if oldest < FIRST_INDEX else queries.milestone_by_index(connection, oldest)
        start = first.block_number if first else 0
        memory = Memory(
            parameters,
            Dag(0, oldest) if first else Dag.genesis(),
            Coordinator(parameters, network.keys),
            WaitingRoom(settings.waiting_bytes_max),
            ConfidenceBoard(settings.confidence_thresholds),
            journal.next_number(connection),
        )
        by_number = _replay(memory.dag, connection, start)
        for row in journal.replay_milestones(connection, max(oldest, FIRST_INDEX)):
            if row.block_number in by_number:
                memory.milestone_blocks.append((row.index, by_number[row.block_number]))
        told = journal.crossings(connection, start)
        memory.board.restore((by_number[number], level) for number, level in told if number in by_number)
    if newest is not None:
        memory.chain.advance(_essence(newest), memory.dag.id_of(by_number[newest.block_number]))
    memory.dag.refresh_roots(memory.chain.index, parameters.below_max_depth)
    return memory


def _replay(dag: Dag, connection: Connection, start: int) -> dict[int, int]:
    """Append the blocks from number `start` on; returns their indices by number."""
    by_number: dict[int, int] = {}
    milestones: dict[int, list[int]] = {}
    for row, referenced in journal.replay(connection, start):
        open_transaction = referenced is None and row.payload_type == Transaction.TYPE
        index = dag.append(
            row.block_id,
            [-1 if at is None else at for at in map(dag.index_of, _parents(row.data))],
            number=row.number,
            transaction=_transaction(row.data) if open_transaction else None,
        )
        by_number[row.number] = index
        if referenced is not None:
            milestones.setdefault(referenced.milestone_index, []).append(index)
    for milestone, blocks in milestones.items():
        dag.mark_referenced(blocks, milestone)
    return by_number


def _parents(data: bytes) -> Iterator[bytes]:
    """The parents of an encoded block, without decoding the rest (TIP-24)."""
    return (data[2 + 32 * i : 34 + 32 * i] for i in range(data[1]))


def _transaction(data: bytes) -> Transaction | None:
    payload = Block.decode(data).payload
    return payload if isinstance(payload, Transaction) else None


def _essence(row: MilestoneRow) -> MilestoneEssence:
    reader = Reader(row.payload)
    reader.uint(4, "type")
    return MilestoneEssence.decode(reader)
