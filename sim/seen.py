"""What an agent has received, as a graph of tipselect and the numbers of its blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int32, Int64


@dataclass(frozen=True, slots=True)
class Seen:
    """A view. During a run it is to be read before the next block is issued.

    graph : its vertices count what the agent has received, in order; those in the window are there
    numbers : int32[window], the block that each vertex of the window stands for
    """

    graph: Graph
    numbers: Int32

    def number(self, index: int) -> int:
        """Return the block that vertex `index` of the graph stands for."""
        return int(self.numbers[index - self.graph.low])

    def indices(self, blocks: Int64) -> Int64:
        """int64[n], vertices of the graph that stand for these blocks, -1 for one that is not in the window."""
        order = np.argsort(self.numbers, kind="stable")
        at = np.searchsorted(self.numbers[order], blocks)
        at = np.minimum(at, max(self.numbers.size - 1, 0))
        if self.numbers.size == 0:
            return np.full(np.shape(blocks), -1, np.int64)
        found = order[at]
        return np.where(self.numbers[found] == blocks, found + self.graph.low, -1).astype(np.int64)

    def tips(self) -> Int64:
        """int64[n], ascending: the numbers of the tips."""
        return np.sort(self.numbers[self.graph.tips - self.graph.low].astype(np.int64))
