"""The newest part of the Tangle in memory, built from the journal.

The disk holds the truth. `load` reads back what the window needs: blocks, which milestone referenced them, which
transactions still wait for one, where walks start, which confidence crossings were told. It is what a start does,
and what follows a failed commit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from tangle.node.recent import RecentOutputs
from tangle.node.settings import NodeSettings
from tangle.protocol import peek
from tangle.protocol.blocks import Block
from tangle.protocol.milestones import FIRST_INDEX, Milestone
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.ruleset import rules_of
from tangle.protocol.transactions import Transaction
from tangle.state.confidence import ConfidenceBoard
from tangle.state.dag import Dag
from tangle.state.finality import Finality
from tangle.state.solidify import WaitingRoom
from tangle.state.window import Head, Window, reach
from tangle.store import journal, queries
from tangle.store.engine import OwnConnection
from tangle.store.journal import Network


@dataclass(slots=True)
class Memory:
    """What one thread, the writer, keeps up to date.

    Attributes
    ----------
    own : the connection of the thread that keeps it, to read with
    next_number : of the next event
    committed : number of the last event that is durable; what is above it belongs to the step under way
    """

    own: OwnConnection
    parameters: ProtocolParameters
    settings: NodeSettings
    finality: Finality
    window: Window
    room: WaitingRoom
    board: ConfidenceBoard
    next_number: int
    committed: int
    recent: RecentOutputs = field(default_factory=RecentOutputs)

    def take_number(self) -> int:
        """The next event number."""
        number = self.next_number
        self.next_number += 1
        return number


def load(own: OwnConnection, network: Network, finality: Finality, settings: NodeSettings) -> Memory:
    """Memory as the journal has it."""
    depth = network.parameters.below_max_depth
    with own.reading() as connection:
        newest = journal.latest_milestone(connection)
        head = newest.index if newest else 0
        oldest = head - reach(depth)
        first = None if oldest < FIRST_INDEX else queries.milestone_by_index(connection, oldest)
        start = min(first.block_number, journal.first_referenced(connection, finality.floor(head))) if first else 0
        number = journal.next_number(connection)
        window = Window(depth, Dag(0, oldest) if first else Dag.genesis())
        memory = Memory(
            own,
            network.parameters,
            settings,
            finality,
            window,
            WaitingRoom(settings.waiting_bytes_max),
            ConfidenceBoard(settings.confidence_thresholds),
            number,
            number - 1,
        )
        by_number = _replay(window.dag, connection, start)
        for row in journal.replay_milestones(connection, max(oldest, FIRST_INDEX)):
            if row.block_number in by_number:
                window.carriers.append((row.index, by_number[row.block_number]))
        told = journal.crossings(connection, start)
        memory.board.restore((by_number[number], level) for number, level in told if number in by_number)
    if newest is not None:
        carrier = window.dag.id_of(by_number[newest.block_number])
        rules = rules_of(Milestone.decode(newest.payload).essence.metadata)
        window.head = Head(newest.index, newest.timestamp, newest.milestone_id, carrier, rules)
    window.dag.refresh_roots(head, depth)
    return memory


def _replay(dag: Dag, connection: Connection, start: int) -> dict[int, int]:
    """Append the blocks from number `start` on; returns their indices by number."""
    by_number: dict[int, int] = {}
    milestones: dict[int, list[int]] = {}
    for row, referenced in journal.replay(connection, start):
        open_transaction = referenced is None and row.payload_type == Transaction.TYPE
        index = dag.append(
            row.block_id,
            [-1 if at is None else at for at in map(dag.index_of, peek.parents(row.data))],
            number=row.number,
            transaction=_transaction(row.data) if open_transaction else None,
        )
        by_number[row.number] = index
        if referenced is not None:
            milestones.setdefault(referenced.milestone_index, []).append(index)
    for milestone, blocks in milestones.items():
        dag.mark_referenced(blocks, milestone)
    return by_number


def _transaction(data: bytes) -> Transaction | None:
    payload = Block.decode(data).payload
    return payload if isinstance(payload, Transaction) else None
