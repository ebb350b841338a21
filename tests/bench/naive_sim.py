"""A simulator in the way of those that papers used: a networkx graph, and everything anew for each block.

Per block, what DAGsim (M. Zander, T. Waite, D. Harz, "DAGsim: Simulation of DAG-based distributed ledger
protocols", 2018) does, in code of our own:

- every block so far is looked at, whether it is visible by now;
- a visible block is a valid tip if all of its approvers are invisible yet, which sets tell;
- walks start at the genesis and look for a tip, over the visible approvers of each block;
- cumulative weights are kept by adding one to everything in the new block's past cone (their way of 2018), or are
  counted anew in the order of topology as sizes of sets of approvers (their way since), which is far slower still.

Two tips are drawn with replacement, so a block may approve one. One agent; arrivals are given, so that both
sides see the same.
"""

import math
from collections.abc import Callable

import networkx as nx
import numpy as np

Weights = dict[int, int]
Select = Callable[["NaiveSimulation", int, list[int], set[int], set[int]], int]


class NaiveSimulation:
    """Issue blocks at given times, float64[n], the genesis first.

    tips : tips of the whole graph after each block
    anew : count weights anew for each block, instead of along its past cone
    """

    def __init__(self, times: np.ndarray, delay: float, selector: str, alpha: float = 0.0, *, anew: bool = False):
        self.times, self.delay, self.alpha, self.anew = times, delay, alpha, anew
        self.rng = np.random.default_rng(1)
        self.graph = nx.DiGraph()
        self.graph.add_node(0)
        self.weights: Weights = {0: 1}
        self.tips: list[int] = [1]
        self.select: Select = {"uniform": uniform, "unweighted": unweighted, "weighted": weighted}[selector]

    def run_to(self, stop: int) -> None:
        """Issue blocks until there are `stop` of them."""
        for block in range(len(self.graph), stop):
            self.issue(block)

    def issue(self, block: int) -> None:
        """Issue the next block."""
        now = self.times[block]
        visible = [x for x in self.graph if x == 0 or self.times[x] + self.delay <= now]
        seen = set(visible)
        hidden = {x for x in self.graph if x not in seen}
        valid = [x for x in visible if set(self.graph.predecessors(x)).issubset(hidden)]
        parents = {self.select(self, block, valid, seen, hidden) for _ in range(2)}
        self.graph.add_node(block)
        self.graph.add_edges_from((block, p) for p in parents)
        self.weigh(block)
        self.tips.append(sum(1 for x in self.graph if self.graph.in_degree(x) == 0))

    def weigh(self, block: int) -> None:
        """Bring cumulative weights up to date."""
        self.weights[block] = 1
        if not self.anew:
            for x in nx.descendants(self.graph, block):
                self.weights[x] += 1
            return
        approvers: dict[int, set[int]] = {x: set() for x in self.graph}
        for x in nx.topological_sort(self.graph):
            for p in self.graph.successors(x):
                approvers[p] |= approvers[x] | {x}
            self.weights[x] = len(approvers[x]) + 1


def uniform(sim: NaiveSimulation, _block: int, valid: list[int], _seen: set[int], _hidden: set[int]) -> int:
    """A valid tip at random."""
    return valid[int(sim.rng.integers(len(valid)))]


def unweighted(sim: NaiveSimulation, _block: int, valid: list[int], seen: set[int], _hidden: set[int]) -> int:
    """Where a walk from the genesis ends that takes any approver."""
    x = 0
    while x not in valid:
        approvers = [y for y in sim.graph.predecessors(x) if y in seen]
        x = approvers[int(sim.rng.integers(len(approvers)))]
    return x


def weighted(sim: NaiveSimulation, _block: int, valid: list[int], seen: set[int], _hidden: set[int]) -> int:
    """Where a walk from the genesis ends that prefers heavy approvers (Popov 2018, section 4.1)."""
    x = 0
    while x not in valid:
        approvers = [y for y in sim.graph.predecessors(x) if y in seen]
        weights = [sim.weights[y] for y in approvers]
        terms = [math.exp(sim.alpha * (weight - max(weights))) for weight in weights]
        x = int(sim.rng.choice(approvers, p=np.array(terms) / sum(terms)))
    return x
