"""The spine: joins the state in memory and the journal on disk.

`Node.attach` is a block's way from checked bytes to a durable part of the Tangle. It changes memory first, then
commits everything that the batch brought in one database transaction, and only then returns receipts. When the
commit fails, memory is rebuilt from the journal: the disk holds the truth, memory is a view of its newest part.

Threads: one writer calls what changes the node (`attach`, `issue_milestone`, `refresh_tips`, `sample_confidence`).
Anybody may call what reads: `tips`, `confidence`, `advice`, `in_window`, `latest_milestone`.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import Engine

from tangle.protocol.addresses import Address
from tangle.protocol.blocks import Block
from tangle.protocol.errors import (
    AttachError,
    BelowMaxDepth,
    MilestoneInvalid,
    TangleError,
    WindowFull,
)
from tangle.protocol.milestones import (
    FIRST_INDEX,
    NO_ID,
    Milestone,
    MilestoneEssence,
    MilestoneKeys,
    sign_milestone,
)
from tangle.protocol.outputs import OUTPUTS, BasicOutput
from tangle.protocol.parameters import PARENTS_MAX, ProtocolParameters
from tangle.protocol.serial import Reader
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction
from tangle.state.confidence import ConfidenceBoard, Sample
from tangle.state.coordinator import Coordinator
from tangle.state.dag import Dag
from tangle.state.ledger import Changes, Conflict, Found, apply
from tangle.state.solidify import WAITING_BYTES_MAX, WaitingRoom
from tangle.store import journal, queries
from tangle.store.engine import migrate, open_engine
from tangle.store.journal import (
    Batch,
    BlockRow,
    CrossingRow,
    Inclusion,
    MilestoneRow,
    Network,
    OutputRow,
    ReferencedRow,
    SpentRow,
    TransactionRow,
)
from tipselect import confidence as sampling
from tipselect import walk

log = logging.getLogger("tangle.node")

GENESIS_OUTPUT_ID = bytes(34)
"""the output that holds the whole supply of a new network"""
LEFT_BEHIND_MERGED_MAX = 16
"""checkpoint blocks a coordinator issues before one milestone, at most"""
PROMOTE_DEPTH = 3
"""milestones after which a block that none has referenced should be promoted"""


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """What an operator may choose.

    Attributes
    ----------
    alpha : how strongly walks prefer heavy branches, per block of weight
    tip_count : tips handed out when a caller names no number, 1 to 8
    tip_pool_min, tip_pool_max : selections kept ready; between the two, as many as were lately asked for
    confidence_walks : n, walks behind each confidence
    confidence_thresholds : shares told as events when first reached
    waiting_bytes_max : bytes of blocks that may wait for parents
    window_blocks_max : blocks in memory; more are refused until milestones move the window on
    seed : of all random choices; None draws one
    """

    alpha: float = walk.ALPHA
    tip_count: int = 2
    tip_pool_min: int = 8
    tip_pool_max: int = 256
    confidence_walks: int = 100
    confidence_thresholds: tuple[float, ...] = (0.5, 0.95)
    waiting_bytes_max: int = WAITING_BYTES_MAX
    window_blocks_max: int = 1_000_000
    seed: int | None = None


class NodeError(TangleError):
    """The node cannot start or go on."""

    code = "node"


class AuditFailed(NodeError):
    """The ledger does not add up to the supply."""

    code = "audit_failed"

    def __init__(self, unspent: int, supply: int) -> None:
        super().__init__(unspent, supply)
        self.unspent = unspent
        self.supply = supply

    def __str__(self) -> str:
        return f"unspent outputs add up to {self.unspent} base units, the supply is {self.supply}"


class NoNetwork(NodeError):
    """The database holds no network yet."""

    code = "no_network"

    def __str__(self) -> str:
        return "the database holds no network; make one with `tangle init`"


class Outcome(Enum):
    """What became of a block that was handed to `attach`."""

    ATTACHED = "attached"
    KNOWN = "known"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A block was taken; ATTACHED and KNOWN ones are durable."""

    block_id: bytes
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Attached:
    """The answer to a batch.

    Attributes
    ----------
    answers : one per block, in order: a receipt, or the error that says why it was refused
    released : the same for blocks that had waited and whose parents came with this batch, by block id
    """

    answers: list[Receipt | TangleError]
    released: dict[bytes, Receipt | TangleError]


@dataclass(frozen=True, slots=True)
class MilestoneState:
    """The newest milestone as readers see it."""

    index: int
    timestamp: int
    id: bytes


@dataclass(slots=True)
class _Work:
    """A batch under way: rows to write and answers to give once they are written."""

    batch: Batch = field(default_factory=Batch)
    events: list[queries.Event] = field(default_factory=list)
    released: dict[bytes, Receipt | TangleError] = field(default_factory=dict)


class Node:
    """A ledger node over one database.

    Parameters
    ----------
    engine : of a migrated database that holds a network
    settings : see `NodeSettings`
    coordinator_seeds : Ed25519 seeds (32 bytes) that sign milestones; empty for a node that only follows
    on_events : told of what each commit added, in order of number, on the writer's thread
    """

    def __init__(
        self,
        engine: Engine,
        settings: NodeSettings | None = None,
        *,
        coordinator_seeds: Sequence[bytes] = (),
        on_events: Callable[[list[queries.Event]], None] | None = None,
    ) -> None:
        self.engine = engine
        self.settings = settings or NodeSettings()
        self.on_events = on_events
        self._seeds = tuple(coordinator_seeds)
        self._rng = np.random.default_rng(self.settings.seed)
        self._tips_asked = 0
        network = journal.read_network(engine)
        if network is None:
            raise NoNetwork
        self.network = network
        self.parameters = network.parameters
        self._load()

    @classmethod
    def open(cls, url: str, settings: NodeSettings | None = None, **kwargs: Any) -> Node:
        """Open the database at `url`, migrate it, and audit the ledger.

        Raises
        ------
        StoreError : an unknown revision
        NoNetwork, AuditFailed
        """
        engine = open_engine(url)
        migrate(engine)
        node = cls(engine, settings, **kwargs)
        node.audit()
        return node

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def audit(self) -> None:
        """Raise AuditFailed unless the unspent outputs add up to the supply."""
        with self.engine.connect() as connection:
            unspent = journal.unspent_total(connection)
        if unspent != self.parameters.token_supply:
            raise AuditFailed(unspent, self.parameters.token_supply)

    # Reading, from any thread.

    @property
    def latest_milestone(self) -> MilestoneState:
        """The newest milestone; index 0 before the first."""
        return self._milestone

    @property
    def waiting_count(self) -> int:
        """Blocks that wait for parents."""
        return len(self._room)

    @property
    def window_count(self) -> int:
        """Blocks in memory."""
        return len(self._dag)

    @property
    def tip_total(self) -> int:
        """Tips of the Tangle."""
        return self._tip_total

    def in_window(self, block_id: bytes) -> bool:
        """Whether the block can still be approved or is settled so recently that it is in memory."""
        return block_id in self._dag

    def tips(self, count: int | None = None) -> list[bytes]:
        """1 to `count` tips to approve, sorted and unique; never empty.

        Selections are made beforehand; under load the pool goes round, its selections mixed, until the writer has
        made new ones.
        """
        wanted = min(max(count or self.settings.tip_count, 1), PARENTS_MAX)
        pool = self._pool
        found: dict[bytes, None] = {}
        for _ in range(len(pool)):
            pool.rotate(-1)
            self._tips_asked += 1
            found.update(dict.fromkeys(pool[0]))
            if len(found) >= wanted:
                break
        return sorted(list(found)[:wanted])

    def confidence(self, block_id: bytes, milestone_index: int | None) -> tuple[int, int]:
        """m and n of a known block: m of n walks ended on a tip that approves it.

        Outside the window no walk is needed. Walks start at a milestone of the window: every tip approves what a
        milestone before the window referenced (m = n), and no tip can approve what none had.
        """
        index = self._dag.index_of(block_id)
        if index is not None:
            return self._board.sample.of(index)
        walks = self.settings.confidence_walks
        return (walks if milestone_index else 0), walks

    def advice(self, block_id: bytes) -> tuple[bool, bool]:
        """Whether a not yet referenced block should be promoted, and whether it has to be reattached."""
        index = self._dag.index_of(block_id)
        if index is None:
            return False, True
        try:
            oldest, _ = self._dag.cone_roots(index)
        except IndexError:
            return False, True
        depth = self._milestone.index - oldest
        reattach = depth > self.parameters.below_max_depth
        return depth > PROMOTE_DEPTH and not reattach, reattach

    # Writing, on the writer's thread.

    def attach(self, blocks: Sequence[Block], now_ms: int | None = None) -> Attached:
        """Attach a batch of blocks that passed `check_block`; durable when this returns.

        Parameters
        ----------
        now_ms : arrival time, milliseconds since the Unix epoch

        Raises
        ------
        SQLAlchemyError : the commit failed; nothing of the batch is kept, memory equals the database again
        """
        moment = int(time.time() * 1000) if now_ms is None else now_ms
        work = _Work()
        try:
            answers = [self._take(block, work, moment) for block in blocks]
            self._commit(work)
        except Exception:
            self._load()
            raise
        return Attached(answers, work.released)

    def forget_waiting(self, block_id: bytes) -> bytes | None:
        """Give up on a block that waits; returns a parent it missed, None when it does not wait (any more)."""
        if block_id not in self._room:
            return None
        missing = self._room.missing(block_id)
        self._room.forget(block_id)
        return missing

    def has_news(self) -> bool:
        """Whether a milestone would reference more than its predecessor."""
        self._dag.flush()
        newest = self._dag.index_of(self._coordinator.block_id)
        return any(int(tip) != newest for tip in self._dag.graph.tips)

    def issue_milestone(self, now: int, work_for: Callable[[bytes, int], int] | None = None) -> MilestoneEssence:
        """Issue, sign and apply the next milestone; durable when this returns.

        Parameters
        ----------
        now : seconds since the Unix epoch
        work_for : (block without nonce, least score) -> nonce; lets checkpoint blocks bring in tips that others
            left behind, without it they wait their turn
        """
        if work_for is not None:
            self._merge_left_behind(work_for)
        work = _Work()
        try:
            parents = self._milestone_parents()
            order = self._coordinator.order(self._dag, parents)
            changes, carriers = self._apply(order, work)
            applied = _applied(self._dag, changes, carriers)
            essence = self._coordinator.compose(self._dag, parents, order, applied, now)
            milestone = sign_milestone(essence, self._seeds)
            block = Block(tuple(parents), milestone)
            index = self._append(block, work, now * 1000)
            self._confirm(milestone, index, order, changes, carriers, work)
            self._commit(work)
        except Exception:
            self._load()
            raise
        return essence

    def refresh_tips(self) -> None:
        """Fill the pool with new selections.

        As many as were asked for since the last time: with fewer, everyone would approve the same few tips and the
        number of tips would grow with the load.
        """
        self._dag.flush()
        graph, settings = self._dag.graph, self.settings
        select = partial(walk.select, alpha=settings.alpha, entry=self._entries())
        wanted = min(max(self._tips_asked, settings.tip_pool_min), settings.tip_pool_max, 1 + 2 * graph.tip_count)
        self._tips_asked = 0
        selections = (select(graph, settings.tip_count, self._rng) for _ in range(wanted))
        self._pool = deque(tuple(self._dag.id_of(int(tip)) for tip in tips) for tips in selections)
        self._tip_total = graph.tip_count

    def sample_confidence(self) -> None:
        """Draw walks anew, publish the sample and write the crossings down."""
        self._dag.flush()
        graph = self._dag.graph
        walks = self.settings.confidence_walks
        hits = sampling.hits(graph, walks, self._rng, alpha=self.settings.alpha, entry=self._entries())
        crossings = self._board.update(Sample(graph.low, hits, walks))
        work = _Work()
        for crossing in crossings:
            block_number = self._dag.number_of(crossing.index)
            if block_number == 0:
                continue
            number, block_id = self._take_number(), self._dag.id_of(crossing.index)
            values = crossing.threshold, crossing.hits, crossing.walks
            work.batch.crossings.append(CrossingRow(number, block_number, *values))
            work.events.append(queries.CrossingEvent(number, block_id, *values))
        try:
            self._commit(work)
        except Exception:
            self._load()
            raise

    # Inside.

    def _load(self) -> None:
        """Rebuild memory from the journal: the window, the newest milestone, the tips."""
        self._room = WaitingRoom(self.settings.waiting_bytes_max)
        self._board = ConfidenceBoard(self.settings.confidence_thresholds)
        self._entry_blocks: deque[tuple[int, int]] = deque()
        with self.engine.connect() as connection:
            newest = journal.latest_milestone(connection)
            self._next_number = journal.next_number(connection)
            oldest = (newest.index if newest else 0) - self._window_milestones
            if oldest >= FIRST_INDEX:
                start = journal.first_number_of_window(connection, oldest)
                self._dag = Dag(0, oldest)
            else:
                start = 1
                self._dag = Dag.genesis()
            by_number = self._replay_blocks(connection, start)
            for milestone in journal.replay_milestones(connection, max(oldest, FIRST_INDEX)):
                if milestone.block_number in by_number:
                    self._entry_blocks.append((milestone.index, by_number[milestone.block_number]))
            told = journal.crossings(connection, start)
            self._board.restore((by_number[n], level) for n, level in told if n in by_number)
        self._coordinator = Coordinator(self.parameters, self.network.keys)
        self._milestone = MilestoneState(0, 0, NO_ID)
        if newest is not None:
            essence = MilestoneEssence.decode(_essence_reader(newest.payload))
            self._coordinator.advance(essence, self._dag.id_of(by_number[newest.block_number]))
            self._milestone = MilestoneState(essence.index, essence.timestamp, essence.id)
        self._dag.refresh_roots(self._milestone.index, self.parameters.below_max_depth)
        self.refresh_tips()

    def _replay_blocks(self, connection: Any, start: int) -> dict[int, int]:
        dag = self._dag
        by_number: dict[int, int] = {}
        milestones: dict[int, list[int]] = {}
        for row, referenced in journal.replay(connection, start):
            parents = _parents(row.data)
            indices = [dag.index_of(parent) for parent in parents]
            transaction = None
            if referenced is None and row.payload_type == Transaction.TYPE:
                payload = Block.decode(row.data).payload
                transaction = payload if isinstance(payload, Transaction) else None
            index = dag.append(
                row.block_id,
                [-1 if parent is None else parent for parent in indices],
                number=row.number,
                transaction=transaction,
            )
            by_number[row.number] = index
            if referenced is not None:
                milestones.setdefault(referenced.milestone_index, []).append(index)
        for milestone, referenced_blocks in milestones.items():
            dag.mark_referenced(referenced_blocks, milestone)
        return by_number

    @property
    def _window_milestones(self) -> int:
        return 2 * self.parameters.below_max_depth + 5

    def _take_number(self) -> int:
        number = self._next_number
        self._next_number += 1
        return number

    def _take(self, block: Block, work: _Work, now_ms: int) -> Receipt | TangleError:
        """Attach one block, and those that waited for it."""
        try:
            if block.id in self._dag:
                return Receipt(block.id, Outcome.KNOWN)
            missing = [parent for parent in block.parents if parent not in self._dag]
            if missing:
                return self._take_without_parents(block, missing, work)
            self._attach(block, work, now_ms)
        except (AttachError, MilestoneInvalid) as error:
            return error
        for child in self._room.arrived(block.id):
            work.released[child.id] = self._take(child, work, now_ms)
        return Receipt(block.id, Outcome.ATTACHED)

    def _take_without_parents(self, block: Block, missing: list[bytes], work: _Work) -> Receipt:
        self._commit(work)
        with self.engine.connect() as connection:
            numbers = queries.block_numbers(connection, [block.id, *missing])
        if block.id in numbers:
            return Receipt(block.id, Outcome.KNOWN)
        for parent in missing:
            if parent in numbers or parent == NO_ID:
                raise BelowMaxDepth(parent, self.parameters.below_max_depth)
        self._room.park(block, missing)
        return Receipt(block.id, Outcome.WAITING)

    def _attach(self, block: Block, work: _Work, now_ms: int) -> None:
        if len(self._dag) >= self.settings.window_blocks_max:
            raise WindowFull
        self._check_depth(block)
        milestone = block.payload
        if not isinstance(milestone, Milestone):
            self._append(block, work, now_ms)
            return
        order = self._coordinator.settle(self._dag, block)
        changes, carriers = self._apply(order, work)
        applied = self._coordinator.applied_root(_applied(self._dag, changes, carriers))
        if milestone.essence.applied_root != applied:
            raise MilestoneInvalid("payload.appliedMerkleRoot", "is not that of its past cone")
        index = self._append(block, work, now_ms)
        self._confirm(milestone, index, order, changes, carriers, work)

    def _check_depth(self, block: Block) -> None:
        depth = self.parameters.below_max_depth
        for parent in block.parents:
            index = self._dag.index_of(parent)
            assert index is not None
            if self._coordinator.index - self._dag.cone_roots(index)[0] > depth:
                raise BelowMaxDepth(parent, depth)

    def _append(self, block: Block, work: _Work, now_ms: int) -> int:
        payload = block.payload
        parents = [self._dag.index_of(parent) for parent in block.parents]
        number = self._take_number()
        work.batch.blocks.append(
            BlockRow(
                number=number,
                block_id=block.id,
                data=block.encoded,
                payload_type=payload.TYPE if payload else None,
                tag=payload.tag if isinstance(payload, TaggedData) else None,
                received_at=now_ms,
            )
        )
        work.events.append(queries.SolidEvent(number, block.id))
        return self._dag.append(
            block.id,
            [parent for parent in parents if parent is not None],
            number=number,
            transaction=payload if isinstance(payload, Transaction) else None,
        )

    def _apply(self, order: Iterable[int], work: _Work) -> tuple[Changes, list[int]]:
        """What the blocks of `order` do to the ledger, and the indices of those that carry transactions."""
        carriers = [index for index in order if index in self._dag.transactions]
        transactions = [self._dag.transactions[index] for index in carriers]

        def find(output_ids: Sequence[bytes]) -> dict[bytes, Found]:
            # What this batch has made or spent so far must be visible to the query.
            self._commit(work)
            with self.engine.connect() as connection:
                rows = queries.outputs_by_ids(connection, output_ids)
            return {
                output_id: Found(OUTPUTS.decode(Reader(row.data)), row.spent_index is not None)
                for output_id, row in rows.items()
            }

        return apply(transactions, find), carriers

    def _confirm(
        self,
        milestone: Milestone,
        milestone_block: int,
        order: Sequence[int],
        changes: Changes,
        carriers: Sequence[int],
        work: _Work,
    ) -> None:
        """Write down what `milestone` settles and move on to it."""
        essence = milestone.essence
        conflicts = dict(zip(carriers, changes.conflicts, strict=True))
        dag, batch = self._dag, work.batch
        for index in order:
            conflict = conflicts.get(index)
            inclusion = _inclusion(conflict)
            if inclusion is Inclusion.INCLUDED:
                transaction_id = dag.transactions[index].id
                batch.transactions.append(TransactionRow(transaction_id, dag.number_of(index), essence.index))
            number = self._take_number()
            values = essence.index, int(inclusion), int(conflict) if conflict else None
            batch.referenced.append(ReferencedRow(number, dag.number_of(index), *values))
            work.events.append(queries.ReferencedEvent(number, dag.id_of(index), *values))
        for output_id, (output, position) in changes.created.items():
            block_id = dag.id_of(carriers[position])
            batch.outputs.append(_output_row(output_id, output, block_id, essence.index, essence.timestamp))
        for output_id, transaction_id in changes.spent.items():
            batch.spent.append(SpentRow(output_id, essence.index, essence.timestamp, transaction_id))
        number = self._take_number()
        work.events.append(queries.MilestoneEvent(number, essence.id, essence.index, essence.timestamp))
        batch.milestones.append(
            MilestoneRow(
                index=essence.index,
                number=number,
                milestone_id=essence.id,
                block_number=dag.number_of(milestone_block),
                timestamp=essence.timestamp,
                payload=milestone.encode(),
            )
        )
        dag.mark_referenced(order, essence.index)
        self._coordinator.advance(essence, dag.id_of(milestone_block))
        self._entry_blocks.append((essence.index, milestone_block))
        dag.refresh_roots(essence.index, self.parameters.below_max_depth)
        self._move_window(essence.index)

    def _move_window(self, latest: int) -> None:
        while self._entry_blocks and self._entry_blocks[0][0] < latest - self._window_milestones:
            self._entry_blocks.popleft()
        index, block = self._entry_blocks[0]
        if index == latest - self._window_milestones:
            self._dag.drop_before(block, index)

    def _entries(self) -> list[int] | None:
        """Where walks start: the milestone below-max-depth back, or the oldest there is."""
        goal = self._milestone.index - self.parameters.below_max_depth
        for index, block in self._entry_blocks:
            if index >= goal:
                return [block]
        return None

    def _milestone_parents(self) -> list[bytes]:
        """The previous milestone's block, the oldest left-behind tips, and tips that walks find."""
        self._dag.flush()
        graph = self._dag.graph
        previous = self._dag.index_of(self._coordinator.block_id)
        assert previous is not None
        chosen = {previous: None}
        chosen.update(dict.fromkeys(self._left_behind()[: PARENTS_MAX // 2]))
        if graph.tip_count:
            found = walk.select(graph, PARENTS_MAX, self._rng, alpha=self.settings.alpha, entry=self._entries())
            chosen.update(dict.fromkeys(int(tip) for tip in found))
        return sorted(self._dag.id_of(index) for index in list(chosen)[:PARENTS_MAX])

    def _left_behind(self) -> list[int]:
        """Tips that were there before the newest milestone and that nobody has approved since, oldest first."""
        newest = self._dag.index_of(self._coordinator.block_id)
        assert newest is not None
        return [int(tip) for tip in self._dag.graph.tips if tip < newest]

    def _merge_left_behind(self, work_for: Callable[[bytes, int], int]) -> None:
        """Approve left-behind tips with checkpoint blocks, as many as fit, so that the milestone reaches them."""
        self._dag.flush()
        for _ in range(LEFT_BEHIND_MERGED_MAX):
            tips = self._left_behind()
            if len(tips) <= PARENTS_MAX // 2:
                return
            parents = tuple(sorted(self._dag.id_of(tip) for tip in tips[:PARENTS_MAX]))
            block = Block(parents)
            nonce = work_for(block.encoded[:-8], self.parameters.min_pow_score)
            self.attach([block.with_nonce(nonce)])
            self._dag.flush()

    def _commit(self, work: _Work) -> None:
        """Write what `work` holds so far, then tell of it."""
        if not work.events:
            return
        journal.write(self.engine, work.batch)
        chain = self._coordinator
        self._milestone = MilestoneState(chain.index, chain.timestamp, chain.id)
        events = work.events
        work.batch, work.events = Batch(), []
        if self.on_events is not None:
            self.on_events(events)


def create_network(
    engine: Engine,
    parameters: ProtocolParameters,
    keys: MilestoneKeys,
    seeds: Sequence[bytes],
    holder: Address,
    now: int,
) -> None:
    """Make a network in an empty, migrated database: its supply in one output, and its first milestone.

    Parameters
    ----------
    seeds : of the coordinator, 32 bytes each
    holder : address that the genesis output belongs to
    now : seconds since the Unix epoch
    """
    genesis = _output_row(GENESIS_OUTPUT_ID, BasicOutput.to(holder, parameters.token_supply), NO_ID, 0, now)
    journal.create_network(engine, Network(parameters, keys, now), genesis)
    Node(engine, coordinator_seeds=seeds).issue_milestone(now)


def _output_row(output_id: bytes, output: BasicOutput, block_id: bytes, index: int, at: int) -> OutputRow:
    return OutputRow(
        output_id=output_id,
        block_id=block_id,
        output_type=output.TYPE,
        amount=output.amount,
        data=output.encode(),
        address=output.address.encode(),
        sender=output.sender.encode() if output.sender else None,
        tag=output.tag,
        created_index=index,
        created_at=at,
    )


def _applied(dag: Dag, changes: Changes, carriers: Sequence[int]) -> list[bytes]:
    """Ids of the blocks whose transactions changed the ledger, in order (TIP-29, applied root)."""
    pairs = zip(carriers, changes.conflicts, strict=True)
    return [dag.id_of(index) for index, conflict in pairs if conflict is Conflict.NONE]


def _inclusion(conflict: Conflict | None) -> Inclusion:
    """How a referenced block counts; None stands for one without a transaction."""
    if conflict is None:
        return Inclusion.NO_TRANSACTION
    return Inclusion.CONFLICTING if conflict else Inclusion.INCLUDED


def _parents(data: bytes) -> list[bytes]:
    """The parents of an encoded block, without decoding the rest (TIP-24)."""
    return [data[2 + 32 * i : 34 + 32 * i] for i in range(data[1])]


def _essence_reader(payload: bytes) -> Reader:
    """A reader at the essence of an encoded milestone payload."""
    reader = Reader(payload)
    reader.uint(4, "type")
    return reader
