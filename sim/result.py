"""What a simulation leaves: every block, and the views of it at any time.

A result keeps the whole Tangle in a few arrays. What an agent had received at some time follows from them and from
the scenario, because delays are drawn from its seed: so views are built again when they are asked for, and any
measure can be taken after the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tangle.sim.arrivals import Arrivals, groups_of, mean_delays
from tangle.sim.errors import BadMeasure
from tangle.sim.rebuild import receive
from tangle.sim.scenario import Scenario
from tangle.sim.seen import Seen
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import PARENTS_MAX, Bools, Float64, Int32, Int64, UInt8

if TYPE_CHECKING:
    import networkx as nx

BATCH = 65_536
"""blocks attached at once when a view is built"""


@dataclass(frozen=True, eq=False)
class Result:
    """A simulated Tangle; arrays are indexed by block, block 0 is the genesis.

    scenario : what was simulated
    times : float64[n], when each block was issued
    issuers : int16[n], the agent that did; the number of agents stands for the adversary, -1 for the genesis
    parents : int32[n, k], the blocks it approves in the order of selection, -1 where there are fewer
    first_approvers : int32[n], the first block that approves it, -1 without one
    tips : int32[n], tips of the whole Tangle after each block, whoever had received what by then
    own_weights : int32[n]
    sides : uint8[n], a bit for each side of a conflict that it approves
    withheld : withheld block -> when it was released; infinite for never
    start : blocks that were there before the simulation began (a replay), the genesis included; their issuers
        are -1, their times negative
    seconds : how long the run took
    """

    scenario: Scenario
    times: Float64
    issuers: Any
    parents: Int32
    first_approvers: Int32
    tips: Int32
    own_weights: Int32
    sides: UInt8
    withheld: Mapping[int, float] = field(default_factory=dict)
    start: int = 1
    seconds: float = 0.0

    def __len__(self) -> int:
        return self.times.size

    @property
    def blocks(self) -> int:
        """How many blocks there are, the genesis included."""
        return self.times.size

    @property
    def end(self) -> float:
        """Time of the newest block."""
        return float(self.times[-1])

    @property
    def agents(self) -> int:
        """How many agents there are, without the adversary."""
        return len(self.scenario.everybody)

    @cached_property
    def first_approvals(self) -> Float64:
        """float64[n], time from a block to its first approval (both issued), nan without one."""
        found = np.full(self.blocks, np.nan)
        approved = self.first_approvers >= 0
        found[approved] = self.times[self.first_approvers[approved]] - self.times[approved]
        return found

    @cached_property
    def weights(self) -> Int64:
        """int64[n], cumulative weight of every block at the end: its own, and those of all that approve it."""
        if not self.scenario.unit_weights:
            from tangle.sim.rebuild import weighted_sums

            return weighted_sums(self.parents, self.own_weights.astype(np.int64))
        return self.whole.weights

    @cached_property
    def whole(self) -> Graph:
        """The whole Tangle as a graph of tipselect, whose indices are the numbers of the blocks."""
        return grown(self.parents)

    @cached_property
    def honest(self) -> Bools:
        """bool[n], blocks that the adversary has not issued."""
        found: Bools = self.issuers != self.agents
        return found

    def received(self, agent: int = 0) -> Float64:
        """float64[n], when an agent received each block: after its delay, and not before its parents."""
        if not 0 <= agent < self.agents + (self.scenario.adversary is not None):
            raise BadMeasure("agent", f"there are {self.agents}, counted from 0, not {agent}")
        if agent not in self._received:
            at = self.start
            arrivals = Arrivals(self.scenario, self.times[at:], self.issuers[at:], self.times[:at])
            travels = arrivals.take(self.blocks).travels
            travel = np.ascontiguousarray(travels[:, agent]) if travels.size else np.empty(0)
            spans, groups = groups_of(self.scenario)
            sent = self.times.copy()
            for block, when in self.withheld.items():
                sent[block] = when if self.issuers[block] != agent else self.times[block]
            self._received[agent] = receive(
                agent, self.start, sent, self.issuers.astype(np.int32), self.parents, travel,
                mean_delays(self.scenario), spans, groups,
            )  # fmt: skip
        return self._received[agent]

    @cached_property
    def _received(self) -> dict[int, Float64]:
        return {}

    def view(self, time: float, agent: int = 0, *, window: int | None = None) -> Seen:
        """Return what an agent had received by some time: its newest `window` blocks, as many as it kept then."""
        order, when = self._order(agent)
        stop = int(np.searchsorted(when, time, "right"))
        start = max(0, stop - (self.scenario.window_blocks if window is None else window))
        numbers = order[start:stop]
        first = int(numbers.min(initial=0 if stop == 0 else self.blocks))
        place = np.full(int(numbers.max(initial=0)) + 1 - first, -1, np.int64)
        place[numbers - first] = np.arange(numbers.size) + start
        parents = self.parents[numbers]
        rows = np.where(parents >= first, place[np.maximum(parents - first, 0)], -1)
        return Seen(grown(rows, low=start, outside=parents >= 0), numbers)

    def _order(self, agent: int) -> tuple[Int32, Float64]:
        """Blocks in the order in which an agent receives them, and when."""
        if agent not in self._orders:
            received = self.received(agent)
            order = np.argsort(received, kind="stable").astype(np.int32)
            self._orders[agent] = order, received[order]
        return self._orders[agent]

    @cached_property
    def _orders(self) -> dict[int, tuple[Int32, Float64]]:
        return {}

    def networkx(self) -> nx.DiGraph:
        """Return the Tangle as a graph of networkx: nodes are block numbers, edges lead from a block to its
        parents."""
        import networkx as nx

        graph = nx.DiGraph()
        for block in range(self.blocks):
            graph.add_node(
                block,
                time=float(self.times[block]),
                issuer=int(self.issuers[block]),
                own_weight=int(self.own_weights[block]),
                weight=int(self.weights[block]),
            )
        rows, columns = np.nonzero(self.parents >= 0)
        graph.add_edges_from(zip(rows.tolist(), self.parents[rows, columns].tolist(), strict=True))
        return graph


def grown(parents: Any, *, low: int = 0, outside: Bools | None = None) -> Graph:
    """Build a graph of blocks whose parents are int[n, k], -1 where there are fewer.

    low : index of the first one
    outside : bool[n, k], which of the -1 are parents all the same, older than `low`
    """
    n, k = parents.shape
    graph = Graph(max(n, 1), low)
    counts = ((parents >= 0) if outside is None else outside).sum(axis=1).astype(np.int8)
    for start in range(0, n, BATCH):
        rows = np.full((min(BATCH, n - start), PARENTS_MAX), -1, np.int64)
        rows[:, :k] = parents[start : start + BATCH]
        graph.extend(rows, counts[start : start + BATCH])
    return graph
