"""The compiled loop against its twin in plain Python, and against probabilities that are computed."""

from __future__ import annotations

from collections import Counter
from itertools import repeat
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tangle import sim
from tangle.sim import Agent, Scenario, Split, reference
from tangle.sim.world import World
from tangle.tipselect import exact, selectors
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int64
from tests.sim.sim_scenarios import scenarios
from tests.tipselect.statistic import chi_square, unlikely_above
from tests.tries import drawn, tries

AGENTS = (Agent(), Agent(share=3.0, selector="weighted", alpha=0.5), Agent(share=0.0), Agent(selector="uniform"))


def assert_equal(scenario: Scenario) -> None:
    ours, twin = sim.run(scenario), reference.run(scenario)
    for name in ("times", "issuers", "parents", "first_approvers", "tips", "own_weights"):
        assert np.array_equal(getattr(ours, name), getattr(twin, name)), (name, scenario)


@drawn
@pytest.mark.parametrize("selector", selectors.SELECTORS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"parents": 8, "spread": "exponential", "own_weights": ((1, 0.5), (1_000_000, 0.5)), "blocks": 120},
        {"agents": AGENTS, "spread": "uniform", "own_delay": 0.0},
        {"agents": 3, "splits": (Split(start=2.0, end=7.0, groups=((0,),)),), "entry_depth": 4, "window": 16},
    ],
)
def test_the_same_draws_give_the_same_tangle(selector: str, changes: dict[str, Any]) -> None:
    assert_equal(Scenario(**{"arrivals": 20.0, "blocks": 250, "selector": selector, "seed": 7, **changes}))


def test_a_burst_and_a_race_give_the_same_tangle() -> None:
    corners = ((0.0, 5.0), (4.0, 5.0), (4.0, 200.0), (5.0, 200.0), (5.0, 2.0))
    assert_equal(
        Scenario(arrivals=corners, alpha=0.1, blocks=400, settings={"walkers_per_tip": 3, "fast_ratio": 0.8})
    )


@settings(max_examples=tries(40))
@given(scenarios(blocks=150))
def test_any_scenario_gives_the_same_tangle(scenario: Scenario) -> None:
    assert_equal(scenario)


# --- against other draws ------------------------------------------------------------------------------------


@drawn
@pytest.mark.parametrize(
    "changes",
    [
        {"selector": "uniform"},
        {"selector": "unweighted"},
        {"selector": "weighted", "alpha": 0.05},
        {"selector": "weighted", "agents": 3, "spread": "exponential", "own_weights": ((1, 0.8), (10, 0.2))},
        {"selector": "g-iota", "agents": 2, "splits": (Split(start=4.0, end=8.0, groups=((0,),)),)},
    ],
)
def test_independent_draws_give_the_same_distributions(changes: dict[str, Any]) -> None:
    """Six seeds, 24 in make test-long; paired by their arrivals, 4 standard errors."""
    tips, approvals = [], []
    for seed in range(tries(24)):
        scenario = Scenario(**{"arrivals": 15.0, "blocks": 240, "entry_depth": 60, "seed": seed, **changes})
        rng = np.random.default_rng(1_000 + seed)
        ours, twin = sim.run(scenario), reference.run(scenario, draws=(rng.random() for _ in repeat(None)))
        assert not np.array_equal(ours.parents, twin.parents)
        tips.append(ours.tips[100:].mean() - twin.tips[100:].mean())
        approvals.append(np.nanmean(ours.first_approvals[50:150]) - np.nanmean(twin.first_approvals[50:150]))
    for differences in (np.array(tips), np.array(approvals)):
        assert abs(differences.mean()) < 4 * differences.std(ddof=1) / np.sqrt(differences.size), differences


# --- against what is computed -------------------------------------------------------------------------------


def entries_of(graph: Graph, depth: int, weighted: bool) -> Int64:
    """Where the loop lets walkers start."""
    deep = np.arange(max(graph.high - 1 - 2 * depth, graph.low), graph.high - depth)
    weights = graph.weights[deep - graph.low]
    enough = 2 * (weights - 1) >= graph.high - 1 - deep if weighted else weights > 1
    return deep[enough]


@drawn
@pytest.mark.parametrize(("selector", "alpha"), [("uniform", 0.0), ("unweighted", 0.0), ("weighted", 0.03)])
@pytest.mark.parametrize("agents", [1, 2])
def test_tips_are_selected_as_often_as_they_should_be(selector: str, alpha: float, agents: int) -> None:
    """6,000 selections of one tip in a view, chi-square at 3e-5; seed 3."""
    given_alpha = alpha if selector == "weighted" else None
    depth = 30
    scenario = Scenario(
        arrivals=15.0, blocks=900, selector=selector, alpha=given_alpha, agents=agents, spread="uniform",
        entry_depth=depth, seed=3,
    )  # fmt: skip
    world = World(scenario)
    world.run_to(900)
    agent, n = agents - 1, 6_000
    seen = world.seen(agent)
    if selector == "uniform":
        expected = dict.fromkeys(seen.tips().tolist(), 1 / seen.graph.tip_count)
    else:
        tips, chances = exact.tip_chances(
            seen.graph, alpha=alpha, entry=entries_of(seen.graph, depth, selector == "weighted")
        )
        expected = {seen.number(int(tip)): float(chance) for tip, chance in zip(tips, chances, strict=True)}
    found = Counter(world.select(agent, 1)[0] for _ in range(n))
    assert set(found) <= {tip for tip, chance in expected.items() if chance > 0}
    statistic, freedom = chi_square(found, expected, n)
    assert freedom > 3
    assert statistic < unlikely_above(freedom)


@drawn
@pytest.mark.parametrize("changes", [{"alpha": 0.1}, {"alpha": 2.0, "agents": 3, "own_delay": 0.0}])
def test_every_choice_of_a_run_has_the_chance_it_should_have(changes: dict[str, Any]) -> None:
    """With one parent and one walker no race distorts the chances of `tangle.tipselect.exact`.

    Where a choice lies in the sum of all chances is uniform then: Kolmogorov-Smirnov at 1e-4; seed 11.
    """
    depth = 25
    scenario = Scenario(
        **{"arrivals": 10.0, "parents": 1, "blocks": 900, "entry_depth": depth, "seed": 11, **changes}
    )
    result = sim.run(scenario)
    rng = np.random.default_rng(11)
    places = []
    for block in range(200, 900):
        seen = result.view(np.nextafter(result.times[block], 0), int(result.issuers[block]))
        entry = entries_of(seen.graph, depth, True)
        tips, chances = exact.tip_chances(
            seen.graph, alpha=scenario.alpha or 0.0, entry=entry if entry.size else None
        )
        at = int(np.searchsorted(tips, seen.indices(result.parents[block, :1].astype(np.int64))[0]))
        places.append(chances[:at].sum() + rng.random() * chances[at])
    places.sort()
    n = len(places)
    steps = np.arange(n + 1) / n
    apart = max(np.abs(places - steps[1:]).max(), np.abs(places - steps[:-1]).max())
    assert apart < np.sqrt(np.log(2 / 1e-4) / 2 / n)
