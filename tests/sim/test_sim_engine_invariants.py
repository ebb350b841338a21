"""What holds in every simulation, however odd: in scenarios drawn at random, with adversaries too."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle import sim
from tangle.sim import Adversary, Result, Scenario, Split
from tangle.sim.arrivals import GENESIS
from tangle.sim.run import result_of
from tangle.sim.world import World
from tests.sim.sim_scenarios import scenarios
from tests.tries import tries


@settings(max_examples=tries(60))
@given(scenarios(blocks=400, rarities=True))
def test_parents_are_there_and_all_the_rest_follows(scenario: Scenario) -> None:
    result = sim.run(scenario)
    block = np.arange(result.blocks)
    counts = (result.parents >= 0).sum(axis=1)
    assert (np.diff(result.times) >= 0).all()
    assert (result.parents < block[:, None]).all()
    assert counts[0] == 0
    assert (counts[1:] >= 1).all()
    for row, count in zip(result.parents, counts, strict=True):
        assert len(set(row[:count].tolist())) == count
        assert (row[count:] == -1).all()
    for agent in range(result.agents + (scenario.adversary is not None)):
        mine = np.nonzero(result.issuers == agent)[0]
        parents = result.parents[mine]
        received = np.where(parents >= 0, result.received(agent)[parents], -np.inf)
        assert (received <= result.times[mine][:, None]).all()
    check_approvals(result)
    check_sides(result)


def check_approvals(result: Result) -> None:
    """First approvers and tip counts follow from the parents."""
    first = np.full(result.blocks, -1)
    tips: set[int] = set()
    for block, row in enumerate(result.parents.tolist()):
        parents = {p for p in row if p >= 0}
        for p in parents:
            first[p] = block if first[p] < 0 else first[p]
        tips = (tips - parents) | {block}
        assert result.tips[block] == len(tips)
    assert np.array_equal(result.first_approvers, first)
    assert result.issuers[0] == GENESIS


def check_sides(result: Result) -> None:
    """No block approves two sides, and each approves what its parents do."""
    assert np.isin(result.sides, [0, *(1 << side for side in range(8))]).all()
    inherited = np.where(result.parents >= 0, result.sides[np.maximum(result.parents, 0)], 0)
    for column in inherited.T:
        assert ((column == 0) | (column == result.sides)).all()


@settings(max_examples=tries(40))
@given(scenarios(blocks=400, rarities=True), st.lists(st.integers(1, 400), max_size=8), st.data())
def test_looking_changes_nothing_and_sees_what_is_rebuilt(
    scenario: Scenario, stops: list[int], data: st.DataObject
) -> None:
    world = World(scenario)
    agents = len(scenario.everybody) + (scenario.adversary is not None)
    for stop in sorted({*stops, scenario.blocks}):
        world.run_to(stop)
        check_view(world, data.draw(st.integers(0, agents - 1)))
    assert_same(result_of(world), sim.run(scenario))


def check_view(world: World, agent: int) -> None:
    """A view in the run is the one that its result rebuilds."""
    seen, rebuilt = world.seen(agent), result_of(world).view(world.now, agent)
    assert (seen.graph.low, seen.graph.high) == (rebuilt.graph.low, rebuilt.graph.high)
    assert np.array_equal(seen.numbers, rebuilt.numbers)
    assert np.array_equal(seen.tips(), rebuilt.tips())
    if world.scenario.unit_weights:
        assert np.array_equal(seen.graph.weights, rebuilt.graph.weights)


def assert_same(one: Result, other: Result) -> None:
    for field in fields(Result):
        if field.name not in {"scenario", "seconds"}:
            assert np.array_equal(getattr(one, field.name), getattr(other, field.name)), field.name


LONG = [
    {"entry_depth": 2, "window": 16, "arrivals": 1_000.0, "delay": 2.0, "selector": "uniform"},
    {"entry_depth": 2, "window": 16, "arrivals": 1_000.0, "delay": 2.0},
    {"entry_depth": 2, "window": 16, "arrivals": 1_000.0, "delay": 0.5, "spread": "exponential", "agents": 3},
    {"entry_depth": 2, "window": 16, "arrivals": 10.0, "delay": 2.0, "selector": "unweighted"},
    {"entry_depth": 20, "window": 80, "arrivals": 50.0, "own_delay": 0.0, "agents": 2, "alpha": 1.0},
    {"arrivals": 100.0, "alpha": 0.001, "parents": 3},
    {"agents": 3, "splits": (Split(start=2.0, end=70.0, groups=((0,), (1,))),), "alpha": 0.1, "own_delay": 0.0},
    {
        "arrivals": ((0.0, 10.0), (5.0, 10.0), (5.0, 2e4), (5.2, 2e4), (5.2, 10.0)),
        "delay": 1.0,
        "spread": "uniform",
    },
    {
        "adversary": Adversary(attack="tests.sim.sim_scenarios:private", share=0.3, delay=0.1),
        "splits": (Split(start=1.0, end=60.0, groups=((0,),)),),
        "agents": 2,
        "selector": "uniform",
        "blocks": 5_000,
    },
]
"""scenarios whose views move in memory, whose rings go round, whose queues grow, and those that once failed"""


@pytest.mark.parametrize("changes", LONG)
def test_long_runs_too(changes: dict[str, object]) -> None:
    scenario = Scenario(**{"blocks": 9_000, "seed": 1, **changes})
    world = World(scenario)
    for stop in [*range(500, scenario.blocks, 850), scenario.blocks]:
        world.run_to(stop)
        check_view(world, 0)
    assert_same(result_of(world), sim.run(scenario))
