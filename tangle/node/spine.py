"""The spine: a block's way from checked bytes to a durable part of the Tangle.

`Node.attach` changes memory first, then commits everything that the batch brought in one database transaction, and
only then returns receipts. When the commit fails, memory is rebuilt from the journal.

Threads: one writer calls what changes the node (`attach`, `issue_milestone`, `refresh_tips`, `sample_confidence`)
or copies the graph (`snapshot`).
Anybody may call what reads: `tips`, `confidence`, `advice`, `in_window`, `index_of`, `latest_milestone`, counts.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from tangle.errors import TangleError
from tangle.node.answers import Attached, MilestoneState, Outcome, Receipt
from tangle.node.memory import load
from tangle.node.parents import gather
from tangle.node.rows import Work, block_row, inclusion, milestone_row, output_row
from tangle.node.settings import AuditFailed, NodeSettings, NoNetwork
from tangle.node.snapshot import Snapshot
from tangle.protocol.blocks import NONCE_BYTES, Block
from tangle.protocol.errors import AttachError, BelowMaxDepth, MilestoneInvalid, WindowFull
from tangle.protocol.milestones import NO_ID, Milestone, MilestoneEssence, sign_milestone
from tangle.protocol.outputs import OUTPUTS
from tangle.protocol.parameters import PARENTS_MAX
from tangle.protocol.serial import Reader
from tangle.protocol.transactions import Transaction
from tangle.state.confidence import Sample
from tangle.state.dag import limits_of
from tangle.state.ledger import Changes, Conflict, Found, apply
from tangle.store import journal, queries
from tangle.store.engine import migrate, open_engine
from tangle.store.errors import DatabaseDamaged
from tangle.store.journal import Batch, CrossingRow, MovementRow, ReferencedRow, SpentRow, TransactionRow
from tangle.tipselect import confidence as sampling

PROMOTE_DEPTH = 3
"""milestones after which a block that none has referenced should be promoted"""

Search = Callable[[bytes, int], int]
"""(block without nonce, least score) -> nonce"""


@dataclass(frozen=True, slots=True)
class _View:
    """What readers see of the newest milestone; replaced whole, so that no reader sees half of a change.

    Attributes
    ----------
    oldest : int32[window from low on], oldest cone roots as of this milestone
    """

    milestone: MilestoneState
    low: int
    oldest: NDArray[np.int32]


class Node:
    """A ledger node over one database.

    Parameters
    ----------
    engine : of a migrated database that holds a network
    coordinator_seeds : Ed25519 seeds (32 bytes) that sign milestones; empty for a node that only follows
    on_events : told of what each commit added, in order of number, on the writer's thread

    Raises
    ------
    NoNetwork : the database holds none
    """

    def __init__(
        self,
        engine: Engine,
        settings: NodeSettings | None = None,
        *,
        coordinator_seeds: Sequence[bytes] = (),
        on_events: Callable[[list[queries.Event]], None] | None = None,
    ) -> None:
        network = journal.read_network(engine)
        if network is None:
            raise NoNetwork
        self.engine = engine
        self.settings = settings or NodeSettings()
        self.on_events = on_events
        self.network = network
        self.parameters = network.parameters
        self._seeds = tuple(coordinator_seeds)
        self._rng = np.random.default_rng(self.settings.seed)
        self._select = self.settings.selection()
        self._tips_asked = 0
        self._restore()

    @classmethod
    def open(cls, url: str, settings: NodeSettings | None = None, **kwargs: Any) -> Node:
        """Open the database at `url`, migrate it, and audit the ledger.

        Raises
        ------
        StoreError : an unknown revision, a damaged file
        NoNetwork, AuditFailed
        """
        engine = open_engine(url)
        try:
            migrate(engine)
            node = cls(engine, settings, **kwargs)
            node.audit()
        except (TangleError, SQLAlchemyError):
            engine.dispose()
            raise
        except Exception as error:
            # A damaged file can read as anything, a missing value where there must be one included.
            engine.dispose()
            raise DatabaseDamaged(str(error)) from error
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
        return self._view.milestone

    @property
    def waiting_count(self) -> int:
        """Blocks that wait for parents."""
        return len(self._memory.room)

    @property
    def window_count(self) -> int:
        """Blocks in memory."""
        return len(self._memory.dag)

    @property
    def tip_total(self) -> int:
        """Tips of the Tangle, as of the last selection."""
        return self._tip_total

    def in_window(self, block_id: bytes) -> bool:
        """Whether the block is in memory: new enough to be approved, or settled lately."""
        return block_id in self._memory.dag

    def index_of(self, block_id: bytes) -> int | None:
        """The index of a block that is in memory."""
        return self._memory.dag.index_of(block_id)

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

        Parameters
        ----------
        milestone_index : of the milestone that references the block, None when none does
        """
        index = self._memory.dag.index_of(block_id)
        if index is not None:
            return self._memory.board.sample.of(index)
        walks = self.settings.confidence_walks
        return (walks if milestone_index else 0), walks

    def advice(self, block_id: bytes) -> tuple[bool, bool]:
        """Whether a not yet referenced block should be promoted, and whether it has to be reattached.

        Promoting is a new block that approves it and a good tip. That helps while such a block would not itself be
        semi-lazy for what it rests upon; later only the payload can be attached once more.
        """
        index, view = self._memory.dag.index_of(block_id), self._view
        if index is None or index < view.low:
            return False, True
        if index >= view.low + len(view.oldest):
            return False, False
        depth = view.milestone.index - int(view.oldest[index - view.low])
        reattach = depth > limits_of(self.parameters.below_max_depth).oldest_max
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
        with self._working() as work:
            answers = [self._take(block, work, moment) for block in blocks]
        return Attached(answers, work.released)

    def forget_waiting(self, block_id: bytes) -> bytes | None:
        """Give up on a block that waits; returns a parent it missed, None when it does not wait (any more)."""
        room = self._memory.room
        if block_id not in room:
            return None
        missing = room.missing(block_id)
        room.forget(block_id)
        return missing

    def has_news(self) -> bool:
        """Whether a milestone would reference more than its predecessor; lazy blocks alone can wait."""
        dag = self._memory.dag
        dag.flush()
        newest = self._memory.newest_milestone()
        return bool((dag.graph.tips != newest).any() or dag.contested().size)

    def issue_milestone(self, now: int, search: Search | None = None) -> MilestoneEssence:
        """Issue, sign and apply the next milestone; durable when this returns.

        Parameters
        ----------
        now : seconds since the Unix epoch
        search : does the work of checkpoint blocks, which bring in what others left behind or pass by; without it
            that waits its turn
        """
        memory = self._memory
        gathered = gather(memory, self._select, self._rng)
        checkpoints: list[Block] = []
        if search is not None and len(gathered.waiting) > 1:
            checkpoints = self._checkpoints(gathered.waiting, search)
        with self._working() as work:
            joined = self._append_all(checkpoints, work, now * 1000) or gathered.waiting[: PARENTS_MAX // 2]
            chosen = [memory.newest_milestone(), *joined, *gathered.tips][:PARENTS_MAX]
            parents = sorted(memory.dag.id_of(index) for index in chosen)
            order = memory.chain.order(memory.dag, parents)
            changes, carriers = self._apply(order, memory.chain.next_timestamp(now), work)
            applied = self._applied(changes, carriers)
            essence = memory.chain.compose(memory.dag, parents, order, applied, now)
            milestone = sign_milestone(essence, self._seeds)
            index = self._append(Block(tuple(parents), milestone), work, now * 1000)
            self._confirm(milestone, index, order, changes, carriers, work)
        return essence

    def refresh_tips(self) -> None:
        """Fill the pool with new selections.

        As many as were asked for since the last time: with fewer, everyone would approve the same few tips and the
        number of tips would grow with the load.
        """
        dag, settings = self._memory.dag, self.settings
        dag.flush()
        tip_total = dag.graph.tip_count
        entry = self._memory.entries()
        wanted = min(max(self._tips_asked, settings.tip_pool_min), settings.tip_pool_max, 1 + 2 * tip_total)
        self._tips_asked = 0
        selections = (self._select(dag.graph, settings.tip_count, self._rng, entry) for _ in range(wanted))
        self._pool = deque(tuple(dag.id_of(int(tip)) for tip in tips) for tips in selections)
        self._tip_total = tip_total

    def sample_confidence(self) -> None:
        """Draw walks anew, publish the sample and write the crossings down."""
        memory = self._memory
        dag, walks = memory.dag, self.settings.confidence_walks
        dag.flush()
        hits = sampling.hits(dag.graph, walks, self._rng, alpha=self._select.alpha, entry=memory.entries())
        with self._working() as work:
            for crossing in memory.board.update(Sample(dag.low, hits, walks)):
                block_id = dag.id_of(crossing.index)
                if block_id == NO_ID:
                    continue
                values = crossing.threshold, crossing.hits, crossing.walks
                number = memory.take_number()
                work.batch.crossings.append(CrossingRow(number, dag.number_of(crossing.index), *values))
                work.events.append(queries.CrossingEvent(number, block_id, *values))

    def snapshot(self) -> Snapshot:
        """A copy of the window, for questions that take long."""
        return Snapshot.of(self._memory, self._select)

    # Inside.

    @contextmanager
    def _working(self) -> Iterator[Work]:
        """A batch that is committed at the end; whatever fails, memory is what the journal says afterwards."""
        work = Work()
        try:
            yield work
            self._commit(work)
        except Exception:
            self._restore()
            raise

    def _commit(self, work: Work) -> None:
        """Write what `work` holds so far, then tell of it."""
        if not work.events:
            return
        journal.write(self.engine, work.batch)
        if work.batch.milestones:
            self._publish_milestone()
        events = work.events
        work.batch, work.events = Batch(), []
        if self.on_events is not None:
            self.on_events(events)

    def _restore(self) -> None:
        self._memory = load(self.engine, self.network, self.settings)
        self._publish_milestone()
        self.refresh_tips()

    def _publish_milestone(self) -> None:
        chain, dag = self._memory.chain, self._memory.dag
        self._view = _View(MilestoneState(chain.index, chain.timestamp, chain.id), dag.low, dag.oldest_roots())

    def _take(self, block: Block, work: Work, now_ms: int) -> Receipt | TangleError:
        """Attach one block, and those that waited for it."""
        dag = self._memory.dag
        try:
            if block.id in dag:
                return Receipt(block.id, Outcome.KNOWN)
            missing = [parent for parent in block.parents if parent not in dag]
            if missing:
                return self._take_without_parents(block, missing, work)
            self._attach(block, work, now_ms)
        except (AttachError, MilestoneInvalid) as error:
            return error
        for child in self._memory.room.arrived(block.id):
            work.released[child.id] = self._take(child, work, now_ms)
        return Receipt(block.id, Outcome.ATTACHED)

    def _take_without_parents(self, block: Block, missing: list[bytes], work: Work) -> Receipt:
        """Let the block wait, unless it is here already or what it misses has left the window."""
        self._commit(work)
        with self.engine.connect() as connection:
            numbers = queries.block_numbers(connection, [block.id, *missing])
        if block.id in numbers:
            return Receipt(block.id, Outcome.KNOWN)
        for parent in missing:
            if parent in numbers or parent == NO_ID:
                raise BelowMaxDepth(parent, self.parameters.below_max_depth)
        self._memory.room.park(block, missing)
        return Receipt(block.id, Outcome.WAITING)

    def _attach(self, block: Block, work: Work, now_ms: int) -> None:
        memory = self._memory
        if len(memory.dag) >= self.settings.window_blocks_max:
            raise WindowFull
        self._check_depth(block)
        milestone = block.payload
        if not isinstance(milestone, Milestone):
            self._append(block, work, now_ms)
            return
        order = memory.chain.settle(memory.dag, block)
        changes, carriers = self._apply(order, milestone.essence.timestamp, work)
        if milestone.essence.applied_root != memory.chain.applied_root(self._applied(changes, carriers)):
            raise MilestoneInvalid("payload.appliedMerkleRoot", "is not that of its past cone")
        index = self._append(block, work, now_ms)
        self._confirm(milestone, index, order, changes, carriers, work)

    def _check_depth(self, block: Block) -> None:
        memory, depth = self._memory, self.parameters.below_max_depth
        for parent, index in zip(block.parents, memory.parents_of(block), strict=True):
            if memory.chain.index - memory.dag.cone_roots(index)[0] > depth:
                raise BelowMaxDepth(parent, depth)

    def _append(self, block: Block, work: Work, now_ms: int) -> int:
        memory, payload = self._memory, block.payload
        number = memory.take_number()
        work.batch.blocks.append(block_row(block, number, now_ms))
        work.events.append(queries.SolidEvent(number, block.id))
        transaction = payload if isinstance(payload, Transaction) else None
        return memory.dag.append(block.id, memory.parents_of(block), number=number, transaction=transaction)

    def _apply(self, order: Iterable[int], at: int, work: Work) -> tuple[Changes, list[int]]:
        """What the blocks of `order` do to the ledger when a milestone of time `at` confirms them.

        Also returns the indices of those that carry transactions.
        """
        pending = self._memory.dag.transactions
        carriers = [index for index in order if index in pending]

        def find(output_ids: Sequence[bytes]) -> dict[bytes, Found]:
            found, others = self._memory.recent.find(output_ids)
            if others:
                # What this batch has made or spent so far must be visible to the query.
                self._commit(work)
                with self.engine.connect() as connection:
                    rows = queries.outputs_by_ids(connection, others)
                for output_id, row in rows.items():
                    output = OUTPUTS.decode(Reader(row.data))
                    found[output_id] = Found(output, row.spent_index is not None)
            return found

        return apply([pending[index] for index in carriers], find, at), carriers

    def _applied(self, changes: Changes, carriers: Sequence[int]) -> list[bytes]:
        """Ids of the blocks whose transactions changed the ledger, in order (TIP-29, applied root)."""
        pairs = zip(carriers, changes.conflicts, strict=True)
        return [self._memory.dag.id_of(index) for index, conflict in pairs if conflict is Conflict.NONE]

    def _confirm(
        self,
        milestone: Milestone,
        milestone_block: int,
        order: Sequence[int],
        changes: Changes,
        carriers: Sequence[int],
        work: Work,
    ) -> None:
        """Write down what `milestone` settles and move on to it."""
        memory, batch, index = self._memory, work.batch, milestone.index
        dag, timestamp = memory.dag, milestone.essence.timestamp
        positions = {block: position for position, block in enumerate(carriers)}
        for block in order:
            number, block_number = memory.take_number(), dag.number_of(block)
            position = positions.get(block)
            conflict = None if position is None else changes.conflicts[position]
            values = index, int(inclusion(conflict)), int(conflict) if conflict else None
            batch.referenced.append(ReferencedRow(number, block_number, *values))
            work.events.append(queries.ReferencedEvent(number, dag.id_of(block), *values))
            if position is not None and conflict is Conflict.NONE:
                transaction_id = dag.transactions[block].id
                batch.transactions.append(TransactionRow(transaction_id, block_number, index))
                touched = sorted(address.encode() for address in changes.touched[position])
                batch.movements.extend(MovementRow(address, number, transaction_id) for address in touched)
        for output_id, (output, position) in changes.created.items():
            block_id = dag.id_of(carriers[position])
            batch.outputs.append(output_row(output_id, output, block_id, index, timestamp))
        for output_id, transaction_id in changes.spent.items():
            batch.spent.append(SpentRow(output_id, index, timestamp, transaction_id))
        memory.recent.take(changes)
        number = memory.take_number()
        batch.milestones.append(milestone_row(milestone, number, dag.number_of(milestone_block)))
        work.events.append(queries.MilestoneEvent(number, milestone.id, index, timestamp))
        dag.mark_referenced(order, index)
        memory.move_on(milestone.essence, milestone_block)

    def _checkpoints(self, waiting: list[int], search: Search) -> list[Block]:
        """A chain of blocks upon the newest milestone which approves all that is `waiting`."""
        dag = self._memory.dag
        last = dag.id_of(self._memory.newest_milestone())
        chain = []
        for start in range(0, len(waiting), PARENTS_MAX - 1):
            parents = [last, *(dag.id_of(index) for index in waiting[start : start + PARENTS_MAX - 1])]
            block = Block(tuple(sorted(parents)))
            block = block.with_nonce(search(block.encoded[:-NONCE_BYTES], self.parameters.min_pow_score))
            chain.append(block)
            last = block.id
        return chain

    def _append_all(self, checkpoints: list[Block], work: Work, now_ms: int) -> list[int]:
        """Append a chain; returns the index of its last block, or nothing when there is no room for any."""
        dag, last = self._memory.dag, []
        for block in checkpoints[: max(self.settings.window_blocks_max - len(self._memory.dag), 0)]:
            known = dag.index_of(block.id)
            last = [self._append(block, work, now_ms) if known is None else known]
        return last
