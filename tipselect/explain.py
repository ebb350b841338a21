"""One selection, told step by step: where walkers started, what they could choose, with which chances, who won.

Made for people who ask why just these tips were given. The walkers are the very ones that `walk.select` sends for
the same seed and settings: each step is the kernel's, only the chances beside it are computed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tangle.tipselect import exact, kernels, walk
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int64


@dataclass(frozen=True, slots=True)
class Candidate:
    """An approver that a walker may step on."""

    index: int
    weight: int
    probability: float


@dataclass(frozen=True, slots=True)
class Step:
    """One step: from a vertex to one of its approvers."""

    index: int
    weight: int
    candidates: tuple[Candidate, ...]
    chosen: int


@dataclass(frozen=True, slots=True)
class Walker:
    """One walker's way to a tip.

    pace : steps per vertex between the entry and the newest
    fast : came suspiciously fast, and only counts when others do not suffice
    """

    entry: int
    steps: tuple[Step, ...]
    tip: int
    pace: float
    fast: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """A selection: its settings, all walkers in the order they were sent, and the tips they led to.

    entry_points : what walkers start on, each with the same chance
    filled : tips that no walker found, taken at random among the other ones
    """

    seed: int
    k: int
    alpha: float
    entry_points: tuple[int, ...]
    walkers: tuple[Walker, ...]
    selected: tuple[int, ...]
    filled: tuple[int, ...]


def explain(
    graph: Graph,
    k: int,
    seed: int,
    *,
    alpha: float = walk.ALPHA,
    entry: Sequence[int] | Int64 | None = None,
    entry_depth: int = walk.ENTRY_DEPTH,
    walkers_per_tip: int = walk.WALKERS_PER_TIP,
    fast_ratio: float = walk.FAST_RATIO,
) -> Explanation:
    """Explain `walk.select(graph, k, numpy.random.default_rng(seed), ...)`; arguments and errors as there.

    Without tips there are no walkers and nothing is selected.
    """
    selected = walk.select(
        graph, k, np.random.default_rng(seed), alpha=alpha, entry=entry, entry_depth=entry_depth,
        walkers_per_tip=walkers_per_tip, fast_ratio=fast_ratio,
    )  # fmt: skip
    entries = walk.entry_points(graph, entry, entry_depth)
    walkers: list[Walker] = []
    if selected.size:
        state = walk.seed(np.random.default_rng(seed))
        ways: list[tuple[int, tuple[Step, ...]]] = []
        for _ in range(walk.ROUNDS):
            ways += [_walk(graph, entries, alpha, state) for _ in range(k * walkers_per_tip)]
            walkers = _raced(graph, ways, fast_ratio)
            fair = {walker.tip for walker in walkers if not walker.fast}
            if len(fair) >= selected.size:
                break
    reached = {walker.tip for walker in walkers}
    return Explanation(
        seed=seed,
        k=k,
        alpha=float(alpha),
        entry_points=tuple(entries.tolist()),
        walkers=tuple(walkers),
        selected=tuple(selected.tolist()),
        filled=tuple(x for x in selected.tolist() if x not in reached),
    )


def _walk(graph: Graph, entries: Int64, alpha: float, state: kernels.UInt64) -> tuple[int, tuple[Step, ...]]:
    """Let one walker go; return its entry and steps. Moves `state` on as `kernels.walks` does."""
    c = graph.columns
    start = x = int(entries[int(kernels.uniform(state) * entries.size)])
    steps: list[Step] = []
    while True:
        slot = kernels.step(
            x - graph.base, float(alpha), walk.decay(float(alpha)), c.first, c.following, c.approvers, graph.gain,
            c.flags, c.weights, c.mask, walk.NO_MARKS, state,
        )  # fmt: skip
        chosen = int(slot) + graph.base
        if chosen == x:
            return start, tuple(steps)
        approvers, chances = exact.step_chances(graph, x, alpha)
        candidates = tuple(
            Candidate(int(y), graph.weight(int(y)), float(p)) for y, p in zip(approvers, chances, strict=True)
        )
        steps.append(Step(x, graph.weight(x), candidates, chosen))
        x = chosen


def _raced(graph: Graph, ways: list[tuple[int, tuple[Step, ...]]], fast_ratio: float) -> list[Walker]:
    """Return the walkers with their pace, and whether they came too fast for `fast_ratio`."""
    paces = [len(steps) / (graph.high - entry) for entry, steps in ways]
    least = fast_ratio * sorted(paces)[len(paces) // 2]
    walkers = []
    for (entry, steps), pace in zip(ways, paces, strict=True):
        tip = steps[-1].chosen if steps else entry
        walkers.append(Walker(entry, steps, tip, pace, pace < least))
    return walkers
