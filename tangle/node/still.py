"""The window as it stood at one moment, for questions that take long.

What is asked of a graph that grows has no answer that could be repeated. A still is a copy which the writer
makes between two batches; whoever has it may take his time on another thread, and the same question with the same
seed has the same answer. A copy holds some 150 bytes per block of the window.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tangle.node.memory import Memory
from tangle.node.selection import Selection
from tangle.state.confidence import Sample
from tangle.tipselect import confidence, explain, orphans
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int8
from tangle.tipselect.lazy import LAZY, NON_LAZY, SEMI_LAZY


@dataclass(frozen=True, slots=True)
class Still:
    """A copy of the window. One thread at a time.

    Attributes
    ----------
    graph : weights are up to date
    entry : indices that walks start from, None for the graph's own choice
    milestone : index of the newest one
    ids, numbers, oldest, youngest, contested : of each block of the window, as `Dag` has them
    scores : LAZY, SEMI_LAZY or NON_LAZY (`tangle.tipselect.lazy`)
    sample, walks : the last sampling of confidence, and the walks behind each
    """

    graph: Graph
    selection: Selection
    entry: list[int] | None
    milestone: int
    ids: tuple[bytes, ...]
    numbers: NDArray[np.int64]
    oldest: NDArray[np.int32]
    youngest: NDArray[np.int32]
    contested: NDArray[np.bool_]
    scores: Int8
    sample: Sample
    walks: int

    @classmethod
    def of(cls, memory: Memory, selection: Selection) -> Still:
        """Copy what `memory` holds; on the writer's thread."""
        dag = memory.window.dag
        dag.flush()
        dag.graph.flush()
        return cls(
            dag.graph.copy(),
            selection,
            memory.finality.entries(memory.window),
            memory.window.head.index,
            dag.ids,
            dag.numbers,
            dag.oldest_roots(),
            dag.youngest_roots(),
            dag.contested_blocks(),
            dag.graph.scores,
            memory.board.sample,
            memory.settings.confidence_walks,
        )

    @property
    def number(self) -> int:
        """The number of the newest block's solid event: what the still is as of."""
        return int(self.numbers[-1])

    @property
    def contested_count(self) -> int:
        """Contested blocks that no milestone has referenced yet."""
        return int(np.count_nonzero(self.contested & (self.scores != NON_LAZY)))

    def id_of(self, index: int) -> bytes:
        """The id of the block at `index`, 32 bytes."""
        return self.ids[index - self.graph.low]

    def number_of(self, index: int) -> int:
        """The number of the solid event of the block at `index`."""
        return int(self.numbers[index - self.graph.low])

    def index_of(self, number: int) -> int | None:
        """The index of the block whose solid event has this number; None for one that is not in the window."""
        at = int(np.searchsorted(self.numbers, number))
        found = at < len(self.numbers) and self.numbers[at] == number
        return self.graph.low + at if found else None

    def weights(self, numbers: Iterable[int]) -> dict[int, int]:
        """The cumulative weights of those blocks of the window whose solid events have these numbers."""
        weights, low = self.graph.weights, self.graph.low
        indices = {number: self.index_of(number) for number in numbers}
        return {number: int(weights[index - low]) for number, index in indices.items() if index is not None}

    def share(self, number: int, milestone_index: int | None) -> tuple[int, int]:
        """m and n of a block, as of the last sampling (`Sample.share`)."""
        return self.sample.share(number, int(self.numbers[0]), milestone_index, self.walks)

    def unapproved(self) -> NDArray[np.int64]:
        """int64[k], ascending: the tips, and lazy or contested blocks that would be tips if they were neither."""
        graph = self.graph
        return np.sort(np.concatenate((graph.tips, graph.poor_tips(LAZY), graph.poor_tips(SEMI_LAZY))))

    def state_of(self, index: int) -> str:
        """What walks make of a block: `good`, `semiLazy`, `lazy`, or `contested`, whatever its score."""
        at = index - self.graph.low
        score = int(self.scores[at])
        if score == NON_LAZY:
            return "good"
        if self.contested[at]:
            return "contested"
        return "lazy" if score == LAZY else "semiLazy"

    def confidence(self, index: int, n: int, seed: int) -> int:
        """Of n walks, how many end on a tip that is or approves the block at `index`. BadSetting for n < 1."""
        rng = np.random.default_rng(seed)
        hits = confidence.hits(self.graph, n, rng, alpha=self.selection.alpha, entry=self.entry)
        return int(hits[index - self.graph.low])

    def explain(self, k: int, seed: int) -> explain.Explanation:
        """One weighted selection of k tips, step by step. BadSetting for k < 1."""
        return explain.explain(self.graph, k, seed, alpha=self.selection.alpha, entry=self.entry)

    def losses(self, age: int) -> orphans.Losses:
        """What the Tangle loses; age in blocks. BadSetting for age < 1."""
        return orphans.losses(self.graph, age)
