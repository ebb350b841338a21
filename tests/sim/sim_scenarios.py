"""Scenarios drawn at random, meant to be nasty: tiny windows, bursts, splits, giant weights, silent agents."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tangle.sim import Adversary, Agent, Scenario, Split
from tangle.sim.attacker import Attacker, Issue
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int64

SELECTORS = ("weighted", "weighted", "weighted", "unweighted", "uniform", "e-iota", "hybrid", "g-iota")
TAKE_ALPHA = {"weighted", "hybrid", "g-iota"}


def oldest_tips(graph: Graph, k: int, rng: np.random.Generator) -> Int64:
    """A selector of one's own, that looks at weights."""
    assert graph.weights.size == len(graph)
    return rng.permutation(graph.tips[: 2 * k])[:k]


def private(attacker: Attacker) -> Generator[Issue, int, None]:
    """Blocks that are kept back, approve each other, open sides, and are released all at once now and then."""
    kept: list[int] = []
    while True:
        parents = attacker.select() if attacker.rng.random() < 0.6 or not kept else [kept[-1]]
        free = not attacker.sides[parents].any() and attacker.rng.random() < 0.2
        side = int(attacker.rng.integers(0, 3)) if free else None
        withheld = bool(attacker.rng.random() < 0.3) or not set(parents).isdisjoint(kept)
        number = yield Issue(parents, side, withheld)
        if withheld:
            kept.append(number)
        if kept and attacker.rng.random() < 0.1:
            attacker.release(kept)
            kept = []


@st.composite
def scenarios(draw: st.DrawFn, *, blocks: int, rarities: bool = False) -> Scenario:
    """Scenarios of up to so many blocks.

    rarities : also adversaries, and selectors in Python
    """
    rate = draw(st.sampled_from([1.0, 10.0, 100.0]))
    delay = draw(st.sampled_from([0.0, 0.3, 2.0, 10.0, 40.0, 1_000.0])) / rate
    selector = draw(st.sampled_from(SELECTORS))
    given: dict[str, Any] = {
        "arrivals": draw(st.sampled_from([rate, ((0.0, rate), (5 / rate, 30 * rate), (8 / rate, rate / 10))])),
        "process": draw(st.sampled_from(["poisson", "poisson", "fixed"])),
        "delay": delay,
        "spread": draw(st.sampled_from(["fixed", "fixed", "uniform", "exponential"])),
        "parents": draw(st.sampled_from([1, 2, 2, 3, 8])),
        "selector": selector,
        "alpha": draw(st.sampled_from([None, 0.0, 0.001, 0.1, 5.0])) if selector in TAKE_ALPHA else None,
        "own_delay": draw(st.sampled_from([None, 0.0, delay / 3])),
        "own_weights": draw(st.sampled_from([((1, 1.0),), ((1, 0.5), (3, 0.5)), ((1, 0.9), (1_000_000, 0.1))])),
        "entry_depth": draw(st.sampled_from([None, 1, 2, 4, 20, 50])),
        "blocks": draw(st.integers(1, blocks)),
        "seed": draw(st.integers(0, 2**32)),
    }
    if given["entry_depth"] is not None and draw(st.booleans()):
        given["window"] = max(16, 4 * given["entry_depth"]) + draw(st.sampled_from([0, 1, 30]))
    given |= draw(several(delay, 100 / rate, rarities=rarities))
    if rarities and draw(st.booleans()):
        given["adversary"] = Adversary(
            attack=f"{__name__}:private",
            share=draw(st.sampled_from([0.1, 0.4])),
            start=draw(st.sampled_from([0.0, 5 / rate])),
            delay=draw(st.sampled_from([None, 0.0, delay / 2])),
        )
    return Scenario(**given)


@st.composite
def several(draw: st.DrawFn, delay: float, end: float, *, rarities: bool) -> dict[str, Any]:
    """One agent, or several that differ, with delays of their own and a split."""
    n = draw(st.sampled_from([1, 1, 2, 3, 5]))
    if n == 1:
        return {}
    shares = [1.0, *draw(st.lists(st.sampled_from([0.0, 1.0, 3.0]), min_size=n - 1, max_size=n - 1))]
    own = f"{__name__}:oldest_tips" if rarities and draw(st.booleans()) else None
    given: dict[str, Any] = {
        "agents": tuple(Agent(share=share, selector=own if i == 1 else None) for i, share in enumerate(shares))
    }
    if draw(st.booleans()):
        row = st.tuples(*[st.sampled_from([0.0, delay, 3 * delay])] * n)
        given["delays"] = draw(st.tuples(*[row] * n))
    if draw(st.booleans()):
        start = draw(st.floats(0, end))
        given["splits"] = (
            Split(start=start, end=start + draw(st.floats(0, end)), groups=(tuple(range(n // 2)),)),
        )
    return given
