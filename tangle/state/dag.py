"""The Tangle's graph with its names: block id <-> index, and what is known of each block in the window.

`tangle.tipselect.graph` knows integers only; this knows which block each of them is. Beside the id, a block in
the window
has the number of its solid event, the milestone that referenced it, and its cone roots: the oldest and youngest
milestone that its not yet referenced past rests upon. From the roots follows how lazy a block is (TIP-3), and the
graph is told: walks pass lazy blocks by. A block whose oldest root lies more than below-max-depth milestones back
is too old to be approved (below max depth): it is forbidden in the graph, its payload can only be reattached.

A block is contested when it spends an output that another transaction, here before it and not settled yet, spends
too and by the same key; at an input whose lock is shown, by the same lock. White flag (TIP-2) makes that harmless:
it may be attached, approved and referenced, and the ledger ignores it. But nobody needs it, so walks pass it by as
they do a lazy block, and thousands of spends of one output take no honest block's place. The first spend is never
contested, and neither is a reattachment, which is the same transaction. What approves a contested block is an
ordinary block. Whose key an output asks for is not known here, and anybody can name any output and sign with a key
of their own: were keys not told apart, strangers could make every payment a contested one.

Index 0 of a new network is the block before all blocks, whose id is 32 zero bytes.

The window moves with the milestones: all that a block may still approve lies within it, and what has left it lives
in the database only. One thread owns a Dag; `index_of` and `id_of` may be asked from others.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tangle.protocol.milestones import NO_ID
from tangle.protocol.parameters import PARENTS_MAX
from tangle.protocol.transactions import Transaction
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int8
from tangle.tipselect.lazy import LIMITS, NON_LAZY, SEMI_LAZY, Limits, scores

NOT_REFERENCED = 0
"""stands for a block that no milestone has referenced yet"""


def opener_of(transaction: Transaction, position: int) -> bytes:
    """What opens an input: the hash of the lock that is shown for it, otherwise the key that signed.

    Rivals at a lock need not share a key, for whoever signs may show it.
    """
    for entry in transaction.witness.entries if transaction.witness else ():
        if entry.position == position:
            return entry.lock.address.public_key_hash
    return transaction.signature_of(position).public_key


def limits_of(depth: int) -> Limits:
    """The limits of laziness for a below-max-depth of `depth` milestones: those of TIP-3, in proportion."""
    youngest = depth * LIMITS.youngest_max // LIMITS.depth_max
    return Limits(youngest, depth * LIMITS.oldest_max // LIMITS.depth_max, depth)


class Dag:
    """Blocks of the window by id and by index.

    Parameters
    ----------
    first : index that the first block gets
    outside_root : milestone index taken as cone root of parents outside the window
    """

    def __init__(self, first: int = 0, outside_root: int = 0) -> None:
        self.graph = Graph(low=first)
        self.outside_root = outside_root
        self.transactions: dict[int, Transaction] = {}
        self._index: dict[bytes, int] = {}
        self._ids: list[bytes] = []
        self._numbers = array("q")
        self._referenced = array("i")
        self._oldest = array("i")
        self._youngest = array("i")
        self._contested = array("b")
        self._spends: dict[tuple[bytes, bytes], Transaction] = {}
        self._latest = 0
        self._limits = LIMITS
        self._pending: list[Sequence[int]] = []

    @classmethod
    def genesis(cls) -> Dag:
        """A Dag that holds the block before all blocks, referenced by the first milestone."""
        dag = cls()
        dag.append(NO_ID, (), number=0)
        dag.mark_referenced([0], 1)
        return dag

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, block_id: bytes) -> bool:
        return block_id in self._index

    @property
    def low(self) -> int:
        """Index of the oldest block in the window."""
        return self.graph.low

    @property
    def high(self) -> int:
        """Index that the next block will get."""
        return self.graph.low + len(self._ids)

    def index_of(self, block_id: bytes) -> int | None:
        """The index of a block of the window."""
        return self._index.get(block_id)

    def id_of(self, index: int) -> bytes:
        """The id of the block at `index`, 32 bytes."""
        return self._ids[index - self.graph.low]

    def number_of(self, index: int) -> int:
        """The number of the solid event of the block at `index`."""
        return self._numbers[index - self.graph.low]

    def referenced_by(self, index: int) -> int:
        """The index of the milestone that referenced the block, NOT_REFERENCED when none has."""
        return self._referenced[index - self.graph.low]

    def cone_roots(self, index: int) -> tuple[int, int]:
        """Oldest and youngest milestone that the not yet referenced past of the block rests upon."""
        at = index - self.graph.low
        return self._oldest[at], self._youngest[at]

    def oldest_root(self, indices: Iterable[int]) -> int:
        """The oldest milestone that the not yet referenced past of some blocks rests upon."""
        low = self.graph.low
        return min(self._oldest[index - low] for index in indices)

    def first_referenced(self, milestone: int) -> int:
        """Index of the first block that `milestone` or a later one referenced; `high` when there is none."""
        late = np.flatnonzero(np.array(self._referenced, np.int32) >= max(milestone, NOT_REFERENCED + 1))
        return self.low + int(late[0]) if late.size else self.high

    def is_contested(self, index: int) -> bool:
        """Whether the block spends what another one, here before it, spends too."""
        return bool(self._contested[index - self.graph.low])

    def contested_blocks(self) -> NDArray[np.bool_]:
        """bool[window]: which blocks spend what another one, here before them, spends too; a copy."""
        contested: NDArray[np.bool_] = np.array(self._contested, np.int8) != 0
        return contested

    def passed_by(self) -> NDArray[np.int64]:
        """int64[k], ascending: unreferenced blocks that walks pass by, contested or lazy, but may be approved."""
        self.flush()
        waiting = (self.graph.scores != NON_LAZY) & ~self.graph.forbidden & ~self._is_referenced()
        return np.flatnonzero(waiting).astype(np.int64) + self.graph.low

    def contested(self) -> NDArray[np.int64]:
        """int64[k], ascending: those of `passed_by` that are contested."""
        found = self.passed_by()
        spending: NDArray[np.int64] = found[self.contested_blocks()[found - self.graph.low]]
        return spending

    @property
    def ids(self) -> tuple[bytes, ...]:
        """The ids of all blocks of the window, in order; a copy."""
        return tuple(self._ids)

    @property
    def newest(self) -> int:
        """The number of the newest block's solid event."""
        return int(self._numbers[-1])

    @property
    def numbers(self) -> NDArray[np.int64]:
        """int64[window]: the number of every block's solid event; a copy."""
        return np.array(self._numbers, np.int64)

    def uncovered(self, starts: Iterable[int], before: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What a milestone upon `starts` would not reference of all that it may: two arrays of indices, ascending.

        First ordinary blocks with an index below `before`, only those that no other of them approves; then those
        that walks pass by (see `passed_by`), however new.
        """
        self.flush()
        graph, low = self.graph, self.graph.low
        referenced = self._is_referenced()
        missing = ~referenced & ~graph.forbidden
        missing[graph.past_cone(list(starts), stop=referenced) - low] = False
        ordinary = graph.scores == NON_LAZY
        passed = np.flatnonzero(missing & ~ordinary) + low
        waiting = np.flatnonzero((missing & ordinary)[: before - low])
        back = graph.columns.back[waiting + low - graph.base]
        parents = (waiting[:, None] - back)[back > 0]
        approved = np.zeros(len(graph), np.bool_)
        approved[parents[parents >= 0]] = True
        return waiting[~approved[waiting]] + low, passed

    def oldest_roots(self) -> NDArray[np.int32]:
        """int32[window]: the oldest cone root of every block; a copy."""
        return np.array(self._oldest, np.int32)

    def youngest_roots(self) -> NDArray[np.int32]:
        """int32[window]: the youngest cone root of every block; a copy."""
        return np.array(self._youngest, np.int32)

    def youngest_parents(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64[k]: the newest parent of each block at `indices`, itself where none was in the window."""
        self.flush()
        slots = indices - self.graph.base
        back = self.graph.columns.back[slots]
        nearest = np.where(back > 0, back, np.iinfo(np.int32).max).min(axis=1)
        found: NDArray[np.int64] = indices - np.where(back.any(axis=1), nearest, 0)
        return found

    def append(
        self, block_id: bytes, parents: Sequence[int], *, number: int, transaction: Transaction | None = None
    ) -> int:
        """Add a block whose parents (indices) are here; returns its index.

        The graph takes appended blocks in batches: `flush` hands them over.
        """
        low = self.graph.low
        index = low + len(self._ids)
        self._ids.append(block_id)
        self._numbers.append(number)
        self._referenced.append(NOT_REFERENCED)
        inside = [parent - low for parent in parents if parent >= low]
        outside = [self.outside_root] if len(inside) < len(parents) or not parents else []
        self._oldest.append(min([self._oldest[at] for at in inside] + outside))
        self._youngest.append(max([self._youngest[at] for at in inside] + outside))
        self._pending.append(parents)
        self._contested.append(transaction is not None and self._spend(transaction))
        if transaction is not None:
            self.transactions[index] = transaction
        self._index[block_id] = index
        return index

    def flush(self) -> None:
        """Hand appended blocks to the graph. Whoever reads the graph calls this first."""
        if not self._pending:
            return
        rows = np.full((len(self._pending), PARENTS_MAX), -1, np.int64)
        counts = np.array([len(parents) for parents in self._pending], np.int8)
        for row, parents in zip(rows, self._pending, strict=True):
            row[: len(parents)] = parents
        self._pending.clear()
        start = self.graph.extend(rows, counts)
        found = self._scores(start)
        if (found != NON_LAZY).any():
            self.graph.rate(found, start)

    def white_flag_order(self, parents: Iterable[int]) -> list[int]:
        """Indices of what a milestone with these parents newly references, in white-flag order (TIP-2)."""
        self.flush()
        return [int(index) for index in self.graph.post_order(list(parents), self._is_referenced())]

    def mark_referenced(self, indices: Iterable[int], milestone: int) -> None:
        """Record that `milestone` references the blocks at `indices`."""
        low = self.graph.low
        for index in indices:
            at = index - low
            self._referenced[at] = self._oldest[at] = self._youngest[at] = milestone
            self.transactions.pop(index, None)

    def refresh_roots(self, latest: int, depth: int) -> NDArray[np.int64]:
        """Recompute all cone roots after milestone `latest`, and with them who is lazy.

        Forbids and returns what fell below max depth.

        Returns
        -------
        int64[k], indices of blocks that are now, or were before, too old to be approved
        """
        self.flush()
        referenced = np.array(self._referenced, np.int32)
        oldest, youngest = self.graph.cone_roots(referenced, self.outside_root)
        self._oldest = array("i", oldest.tobytes())
        self._youngest = array("i", youngest.tobytes())
        old = np.flatnonzero((referenced == NOT_REFERENCED) & (latest - oldest > depth))
        indices = old.astype(np.int64) + self.graph.low
        self.graph.forbid_many(indices)
        self._latest, self._limits = latest, limits_of(depth)
        self._recall_spends(indices)
        self.graph.rate(self._scores(self.graph.low))
        return indices

    def drop_before(self, index: int, outside_root: int) -> None:
        """Move the window so that `index` is its oldest block; `outside_root` from now on stands for the rest."""
        self.flush()
        count = index - self.graph.low
        if count <= 0:
            return
        for block_id in self._ids[:count]:
            del self._index[block_id]
        for column in (
            self._ids, self._numbers, self._referenced, self._oldest, self._youngest, self._contested,
        ):  # fmt: skip
            del column[:count]
        for gone in [held for held in self.transactions if held < index]:
            del self.transactions[gone]
        self.graph.drop_before(index)
        self.outside_root = outside_root

    def _is_referenced(self) -> NDArray[np.bool_]:
        referenced: NDArray[np.bool_] = np.array(self._referenced, np.int32) != NOT_REFERENCED
        return referenced

    def _scores(self, start: int) -> Int8:
        """int8[n]: how lazy the blocks from index `start` on are; contested ones are semi-lazy at best."""
        at = start - self.graph.low
        referenced = np.array(self._referenced[at:], np.int32)
        found = scores(
            np.array(self._oldest[at:], np.int32),
            np.array(self._youngest[at:], np.int32),
            self._latest,
            referenced=referenced,
            limits=self._limits,
        )
        contested = self.contested_blocks()[at:] & (referenced == NOT_REFERENCED)
        found[contested & (found == NON_LAZY)] = SEMI_LAZY
        return found

    def _spend(self, transaction: Transaction) -> bool:
        """Note what a transaction spends; tells whether another one that waits spends some of it."""
        contested = False
        for position, consumed in enumerate(transaction.essence.inputs):
            spend = consumed.output_id, opener_of(transaction, position)
            first = self._spends.setdefault(spend, transaction)
            contested |= first is not transaction and first.id != transaction.id
        return contested

    def _recall_spends(self, hopeless: NDArray[np.int64]) -> None:
        """Find anew who is contested: some transactions are settled, those of `hopeless` blocks never will be."""
        for index in hopeless.tolist():
            self.transactions.pop(index, None)
        self._spends.clear()
        self._contested = array("b", bytes(len(self._ids)))
        low = self.graph.low
        for index, transaction in self.transactions.items():
            self._contested[index - low] = self._spend(transaction)
