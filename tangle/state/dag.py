"""The Tangle's graph with its names: block id <-> index, and what is known of each block in the window.

`tipselect.graph` knows integers only; this knows which block each of them is. Beside the id, a block in the window
has the number of its solid event, the milestone that referenced it, and its cone roots: the oldest and youngest
milestone that its not yet referenced past rests upon. A block whose oldest root lies more than below-max-depth
milestones back is too old to be approved (below max depth): it is forbidden in the graph, its payload can only be
reattached.

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
from tipselect.graph import Graph

NOT_REFERENCED = 0
"""stands for a block that no milestone has referenced yet"""


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

    def oldest_roots(self) -> NDArray[np.int32]:
        """int32[window]: the oldest cone root of every block; a copy."""
        return np.array(self._oldest, np.int32)

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
        self.graph.extend(rows, counts)

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
        """Recompute all cone roots after milestone `latest`; forbid and return what fell below max depth.

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
        return indices

    def drop_before(self, index: int, outside_root: int) -> None:
        """Move the window so that `index` is its oldest block; `outside_root` from now on stands for the rest."""
        self.flush()
        count = index - self.graph.low
        if count <= 0:
            return
        for block_id in self._ids[:count]:
            del self._index[block_id]
        for column in (self._ids, self._numbers, self._referenced, self._oldest, self._youngest):
            del column[:count]
        for gone in [held for held in self.transactions if held < index]:
            del self.transactions[gone]
        self.graph.drop_before(index)
        self.outside_root = outside_root

    def _is_referenced(self) -> NDArray[np.bool_]:
        referenced: NDArray[np.bool_] = np.array(self._referenced, np.int32) != NOT_REFERENCED
        return referenced
