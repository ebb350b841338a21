"""Attacks on tip selection, as seeded scenarios: what they reach, and what they would reach unguarded."""

from collections.abc import Callable

import numpy as np
import pytest

from tangle.tipselect import exact, lazy, reference, selectors
from tangle.tipselect.graph import Graph
from tangle.tipselect.selectors import Selector

MILESTONE_EVERY = 60
"""honest vertices"""
ATTACK_FROM = 16
"""milestone at which attacks begin"""
DELAY = 10
"""honest vertices issued between a vertex and its becoming visible"""


class Tangle:
    """A Tangle with milestones, which keeps cone roots per vertex as a node does."""

    def __init__(self, select: Selector, seed: int, *, guarded: bool) -> None:
        self.rng = np.random.default_rng(seed)
        self.select = select
        self.guarded = guarded
        self.graph = Graph()
        self.referenced = [1]
        self.oldest = [1]
        self.youngest = [1]
        self.latest = 1
        self.milestones = [0]
        self.born: dict[int, int] = {}
        self.graph.append([])

    def attach(self, parents: list[int]) -> int:
        x = self.graph.append(sorted(set(parents)))
        self.referenced.append(0)
        self.oldest.append(min(self.oldest[p] for p in parents))
        self.youngest.append(max(self.youngest[p] for p in parents))
        if self.latest - self.oldest[x] > lazy.LIMITS.depth_max:
            self.graph.forbid(x)
        if self.guarded:
            roots = np.array([self.oldest[x]], np.int32), np.array([self.youngest[x]], np.int32)
            self.graph.rate(lazy.scores(*roots, self.latest), x)
        return x

    def milestone(self) -> None:
        x = self.attach([self.milestones[-1], *self.selected()])
        self.latest += 1
        self.milestones.append(x)
        marks = np.array(self.referenced, np.int32)
        for y in self.graph.past_cone(x, marks > 0).tolist():
            self.referenced[y] = self.latest
        marks = np.array(self.referenced, np.int32)
        oldest, youngest = self.graph.cone_roots(marks, 0)
        self.oldest, self.youngest = oldest.tolist(), youngest.tolist()
        below = (marks == 0) & (self.latest - oldest > lazy.LIMITS.depth_max)
        self.graph.forbid_many(np.flatnonzero(below))
        if self.guarded:
            self.graph.rate(lazy.scores(oldest, youngest, self.latest, referenced=marks))

    def selected(self) -> list[int]:
        """Tips left behind since the last milestone, else what the selector finds."""
        behind = [int(tip) for tip in self.graph.tips if tip < self.milestones[-1]][:4]
        return behind + [int(tip) for tip in self.select(self.graph, 7 - len(behind), self.rng)]

    def run(self, milestones: int, attack: Callable[["Tangle"], None]) -> None:
        """Let honest vertices and the attack come in turns, the attack from ATTACK_FROM on."""
        pending: list[list[int]] = []
        while self.latest < milestones:
            for _ in range(MILESTONE_EVERY):
                pending.append(self.select(self.graph, 2, self.rng).tolist())
                if len(pending) > DELAY:
                    self.born[self.attach(pending.pop(0))] = self.latest
                if self.latest >= ATTACK_FROM:
                    attack(self)
            self.milestone()

    def waits(self) -> list[int]:
        """How many milestones each honest vertex of the attack's time waited, 99 when ten were too few."""
        return [
            self.referenced[x] - born if self.referenced[x] else 99
            for x, born in self.born.items()
            if ATTACK_FROM < born <= self.latest - 10
        ]


def entry_of(tangle: Tangle) -> list[int]:
    return [tangle.milestones[max(0, len(tangle.milestones) - 10)]]


def lazy_flood(tangle: Tangle) -> None:
    """Three vertices for each honest one, on what milestones referenced long ago."""
    old = tangle.milestones[max(0, len(tangle.milestones) - 12)]
    for _ in range(3):
        tangle.attach([int(tangle.rng.integers(max(0, old - 100), old + 1))])


def patient_flood(tangle: Tangle) -> None:
    """The same on what was referenced as long ago as is still not lazy."""
    old = tangle.milestones[-8]
    for _ in range(3):
        tangle.attach([int(tangle.rng.integers(old - 30, old + 1))])


class Walks:
    """Weighted walks from the milestone ten back, as a node lets them."""

    def __init__(self) -> None:
        self.tangle: Tangle | None = None

    def __call__(self, graph: Graph, k: int, rng: np.random.Generator) -> np.ndarray:
        assert self.tangle is not None
        return selectors.named("weighted", alpha=0.01, entry=entry_of(self.tangle))(graph, k, rng)


def waits_under(attack: Callable[[Tangle], None], name: str, *, guarded: bool = True) -> list[int]:
    walks = Walks()
    tangle = Tangle(walks if name == "weighted" else selectors.named(name), 11, guarded=guarded)
    walks.tangle = tangle
    tangle.run(38, attack)
    waits = tangle.waits()
    assert len(waits) == 12 * MILESTONE_EVERY
    return waits


@pytest.mark.parametrize("name", ["weighted", "uniform"])
def test_a_flood_of_lazy_tips_delays_hardly_anybody(name: str) -> None:
    assert max(waits_under(lazy_flood, name)) <= 4


def test_without_scores_a_flood_of_lazy_tips_drowns_uniform_selection() -> None:
    waits = waits_under(lazy_flood, "uniform", guarded=False)
    assert waits.count(99) > 0.5 * len(waits)


def test_a_flood_that_is_not_lazy_yet_is_stopped_by_weights() -> None:
    assert max(waits_under(patient_flood, "weighted")) <= 4
    assert waits_under(patient_flood, "uniform").count(99) > 100


def parasite(length: int, tips: int) -> tuple[Graph, set[int]]:
    """A grown Tangle, and a chain built in secret on its middle, revealed at once with many tips at its end."""
    rng = np.random.default_rng(12)
    graph = reference.grown_graph(rng, 2_000, delay=20)
    last = 1_000
    chain = set()
    for _ in range(length):
        last = graph.append([last])
        chain.add(last)
    chain |= {graph.append([last]) for _ in range(tips)}
    return graph, chain


def chance_of(graph: Graph, chain: set[int], alpha: float) -> float:
    """Exact chance that a walk from the vertex the chain stands on ends on the chain."""
    tips, chances = exact.tip_chances(graph, alpha=alpha, entry=[1_000])
    return float(chances[np.isin(tips, list(chain))].sum())


def test_a_parasite_chain_catches_unweighted_walks_and_few_weighted_ones() -> None:
    graph, chain = parasite(length=100, tips=300)
    for _ in range(20):
        chain.add(graph.append([1_000, max(chain)]))
    assert chance_of(graph, chain, 0.0) > 0.5
    assert chance_of(graph, chain, 0.01) < 0.05
    assert chance_of(graph, chain, 0.1) < 1e-9
    caught = {}
    for name in ("weighted", "uniform"):
        pairs = [selectors.named(name)(graph, 2, np.random.default_rng(seed)).tolist() for seed in range(100)]
        caught[name] = sum(not chain.isdisjoint(pair) for pair in pairs)
    # Uniform selection takes what there is most of.
    assert caught["uniform"] > 80
    assert caught["weighted"] <= 10


def test_a_parasite_chain_wins_only_when_it_is_as_heavy() -> None:
    chances = []
    for length in (50, 500, 950, 1_100):
        graph, chain = parasite(length, tips=5)
        # Its root has siblings that all the honest vertices approve.
        chances.append(chance_of(graph, chain, 0.1))
    assert chances == sorted(chances)
    assert chances[1] < 1e-6


def test_ten_thousand_invalid_vertices_take_no_tip_away() -> None:
    rng = np.random.default_rng(13)
    graph = reference.grown_graph(rng, 1_000, delay=20)
    tips = graph.tips.tolist()
    chances = exact.tip_chances(graph, alpha=0.01, entry=[500])[1].tolist()
    for _ in range(10):
        start = graph.high
        for _ in range(1_000):
            graph.append(rng.choice(tips, 2, replace=False).tolist())
        graph.forbid_many(np.arange(start, graph.high))
    assert graph.tips.tolist() == tips
    for name in selectors.SELECTORS:
        for seed in range(10):
            assert set(selectors.named(name)(graph, 2, np.random.default_rng(seed)).tolist()) <= set(tips)
    # Their work adds weight below, where it moves no walker much, and none among the tips.
    now = exact.tip_chances(graph, alpha=0.01, entry=[500])[1].tolist()
    assert len(now) == len(chances)
