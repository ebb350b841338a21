"""DAGs that are replayed: what makes a whole one, what is broken, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tangle import sim
from tangle.sim import Adversary, Agent, Scenario
from tangle.sim.arrivals import Arrivals
from tangle.sim.attacker import Attacker, Issue
from tangle.sim.errors import BadReplay
from tangle.sim.replay import Recording, go_on, load, regrow, reselect
from tangle.sim.run import result_of
from tangle.sim.world import World
from tangle.tipselect import exact
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int64


def honest(attacker: Attacker) -> Generator[Issue, int, None]:
    while True:
        yield Issue(attacker.select())


def newest_tips(graph: Graph, k: int, rng: np.random.Generator) -> Int64:
    """A selector of one's own."""
    return graph.tips[::-1][:k]


@pytest.fixture(scope="module")
def dag() -> Recording:
    return Recording.of(sim.run(Scenario(arrivals=10.0, blocks=400, parents=3, alpha=0.05)))


# --- loading ------------------------------------------------------------------------------------------------


def node(number: int, parents: list[int], ms: float | None = None, name: str | None = None) -> dict[str, Any]:
    return {
        "blockId": f"0x{number:02x}" if name is None else name,
        "number": number,
        "parents": [f"0x{p:02x}" for p in parents],
        "receivedMs": 1_000 * number if ms is None else ms,
    }


def written(path: Path, nodes: list[dict[str, Any]]) -> Path:
    file = path / "slice.json"
    file.write_text(json.dumps({"nodes": nodes}))
    return file


def test_a_slice_in_any_order_becomes_whole(tmp_path: Path) -> None:
    nodes = [node(7, [5, 6], 6_900), node(5, [99]), node(8, []), node(6, [98, 5], 7_000)]
    dag = load(written(tmp_path, nodes))
    assert dag.ids == ("0x05", "0x06", "0x07", "0x08")
    assert dag.parents.tolist() == [[-1, -1], [0, -1], [0, 1], [0, -1]]
    assert dag.times.tolist() == [0.0, 2.0, 2.0, 3.0]
    assert dag.issuers.tolist() == [-1, 0, 0, 0]
    assert (dag.span, dag.rate, dag.load(0.5)) == (3.0, 1.0, 2)


@pytest.mark.parametrize(
    ("nodes", "field", "rule"),
    [
        ([], "blocks", "there are none"),
        ([node(1, []), node(2, [1]), node(3, [2], name="0x02")], "id", "0x02 is there twice"),
        ([node(1, []), node(2, [3]), node(3, [2])], "parents", "a cycle through 0x02 and 0x03"),
        ([node(1, []), node(2, [2])], "parents", "a cycle through 0x02"),
        ([node(1, []), node(2, [3]), node(3, [1])], "parents", "0x02 approves 0x03, which came later"),
        ([node(1, []), node(2, [1], 9e6), node(3, [2], 1e5)], "time", "8,900 s before an older one"),
        ([node(1, []), {**node(2, [1]), "receivedMs": None}], "receivedMs", "0x02"),
        ([node(i, list(range(i))) for i in range(10)], "parents", "0x09 has 9; 8 are possible"),
        ([{**node(1, []), "number": "one"}], "number", "0x01"),
        ([{"blockId": "0x01", "parents": [], "number": 1}], "receivedMs", "0x01"),
        ([{}], "blockId", "number 0 of the list"),
    ],
)
def test_broken_input_is_named(tmp_path: Path, nodes: list[dict[str, Any]], field: str, rule: str) -> None:
    with pytest.raises(BadReplay) as caught:
        load(written(tmp_path, nodes))
    assert caught.value.field == field
    assert rule in caught.value.rule


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"<graphml", "no GraphML"),
        (b"{", "no node-link JSON"),
        (b"[]", "no node-link JSON"),
        (b'{"nodes": 3}', "no node-link JSON"),
        (b"", "no node-link JSON"),
    ],
)
def test_files_of_another_kind_are_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(BadReplay, match=rule):
        load(file)
    with pytest.raises(BadReplay, match="No such file"):
        load(tmp_path / "none")


def test_an_id_twice_in_graphml_is_seen(tmp_path: Path) -> None:
    key = '<key id="d0" for="node" attr.name="number" attr.type="long"/>'
    key += '<key id="d1" for="node" attr.name="receivedMs" attr.type="long"/>'
    one = '<node id="a"><data key="d0">{}</data><data key="d1">5</data></node>'
    text = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">{}<graph>{}{}</graph></graphml>'
    file = tmp_path / "twice.graphml"
    file.write_text(text.format(key, one.format(1), one.format(2)))
    with pytest.raises(BadReplay, match="block a is there twice"):
        load(file)
    file.write_text(text.format(key, one.format("x"), ""))
    with pytest.raises(BadReplay, match="number: 'x' is no number"):
        load(file)


def test_a_saved_result_is_loaded(tmp_path: Path) -> None:
    store = pytest.importorskip("tangle.sim.store")
    result = sim.run(Scenario(blocks=200, agents=2))
    dag = load(store.save(result, tmp_path / "result"))
    assert np.array_equal(dag.parents, result.parents)
    assert np.array_equal(dag.times, result.times)
    assert np.array_equal(dag.issuers, result.issuers)
    assert dag.ids[:2] == ("0", "1")


# --- grown anew ---------------------------------------------------------------------------------------------


def test_the_same_rules_grow_the_same_tangle() -> None:
    scenario = Scenario(arrivals=10.0, blocks=400, agents=3, spread="exponential", own_delay=0.0, seed=5)
    result = sim.run(scenario)
    again = regrow(Recording.of(result), scenario.but(entry_depth=scenario.depth))
    for name in ("times", "issuers", "parents", "first_approvers", "tips"):
        assert np.array_equal(getattr(result, name), getattr(again, name)), name
    assert np.array_equal(result.received(1), again.received(1))


def test_an_adversarys_blocks_come_in_addition(dag: Recording) -> None:
    adversary = Adversary(attack=f"{__name__}:honest", share=0.5, start=5.0, end=30.0)
    result = regrow(dag, Scenario(delay=1.0, agents=2, adversary=adversary))
    assert np.array_equal(result.times[result.honest], dag.times)
    his = result.times[~result.honest]
    assert ((his >= 5.0) & (his < 30.0)).all()
    at_work = np.count_nonzero((dag.times > 5.0) & (dag.times < 30.0))
    # Geometric numbers of mean 1 and variance 2.
    assert abs(his.size - at_work) < 4 * np.sqrt(2 * at_work)
    assert (np.diff(result.times) >= 0).all()
    assert set(result.issuers.tolist()) == {-1, 0, 1, 2}


def test_more_issuers_than_agents_are_refused() -> None:
    dag = Recording.of(sim.run(Scenario(blocks=50, agents=3)))
    with pytest.raises(BadReplay, match="agents: the DAG knows 3 issuers, the scenario has 2"):
        regrow(dag, Scenario(agents=2))


# --- gone on ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"selector": "uniform", "agents": 2, "spread": "uniform"},
        {"alpha": 0.5, "delay": 0.0},
        {"agents": (Agent(), Agent(share=0.0)), "own_weights": ((1, 0.5), (5, 0.5)), "parents": 8},
        {"adversary": Adversary(attack=f"{__name__}:honest", share=0.3, start=2.0)},
    ],
)
def test_going_on_keeps_what_was_there_and_views_true(dag: Recording, changes: dict[str, Any]) -> None:
    scenario = Scenario(**{"arrivals": 10.0, "delay": 1.0, "blocks": 300, **changes})
    result = go_on(dag, scenario)
    n = len(dag)
    assert (result.start, result.blocks) == (n, n + 300)
    assert np.array_equal(result.parents[:n, : dag.parents.shape[1]], dag.parents)
    assert np.allclose(np.diff(result.times[:n]), np.diff(dag.times))
    assert (result.times[n - 1], result.issuers[n - 1]) == (0.0, -1)
    assert (result.times[n:] > 0).all()
    assert ((result.parents[n:] >= 0).sum(axis=1) <= scenario.parents).all()
    assert np.array_equal(result.received(0)[:n], result.times[:n])
    before = result.view(0.0)
    assert np.array_equal(before.graph.weights, dag.graph.weights)
    assert np.array_equal(result.tips[:n][-1:], [before.tips().size])
    if "own_weights" not in changes:
        assert result.weights[0] == n + 300


def test_views_of_a_run_that_goes_on_are_those_of_its_result(dag: Recording) -> None:
    scenario = Scenario(arrivals=10.0, delay=2.0, agents=2, blocks=len(dag) + 200, entry_depth=20, window=80)
    world = World(scenario, Arrivals(scenario, before=dag.times - dag.span), dag.parents)
    for stop in (len(dag), len(dag) + 1, len(dag) + 90, len(dag) + 200):
        world.run_to(stop)
        for agent in (0, 1):
            seen, rebuilt = world.seen(agent), result_of(world).view(world.now, agent)
            assert seen.graph.high == rebuilt.graph.high
            assert np.array_equal(seen.numbers, rebuilt.numbers)
            assert np.array_equal(seen.graph.weights, rebuilt.graph.weights)
            assert np.array_equal(seen.tips(), rebuilt.tips())


# --- asked again --------------------------------------------------------------------------------------------


def test_all_that_a_reselection_tells_is_so(dag: Recording) -> None:
    asked = reselect(dag, "weighted", 0.05, delay=1.0, entry_depth=160, age=50, blocks=range(150, 400))
    assert asked.real.shape == asked.chosen.shape == (250, 3)
    for i in (0, 100, 249):
        block = int(asked.blocks[i])
        graph = dag_as_seen(dag, block, 1.0)
        tips, chances = exact.tip_chances(graph, alpha=0.05, entry_depth=160)
        assert asked.tips[i] == tips.size
        assert set(asked.chosen[i][asked.chosen[i] >= 0].tolist()) <= set(tips.tolist())
        expected = dict(zip(tips.tolist(), chances.tolist(), strict=True))
        for parent, chance, was_tip in zip(asked.real[i], asked.chances[i], asked.were_tips[i], strict=True):
            assert was_tip == (parent in expected)
            assert parent < 0 or np.isclose(chance, expected.get(int(parent), 0.0))
    # The delay is the true one, so that nearly everything was a tip when it was selected.
    assert asked.were_tips.sum() > 0.99 * (asked.real >= 0).sum()
    assert (asked.chosen_ages[~np.isnan(asked.chosen_ages)] >= 1.0 - 1e-9).all()
    real = set(asked.real[asked.real >= 0].tolist())
    assert set(asked.passed_by.tolist()) == real - set(asked.chosen.ravel().tolist())
    assert asked.left_behind.size == asked.summary()["left_behind"]


def test_what_is_selected_follows_the_chances(dag: Recording) -> None:
    """The selector that grew the DAG finds its choices likelier than others do (k = 1, one walker: no race)."""
    grown = Recording.of(sim.run(Scenario(arrivals=20.0, blocks=1_500, parents=1, alpha=1.0, entry_depth=100)))
    asked = {
        alpha: reselect(grown, "weighted", alpha, delay=1.0, entry_depth=100, walkers_per_tip=1)
        for alpha in (0.0, 1.0)
    }
    assert (
        np.log(np.maximum(asked[1.0].chances, 1e-12)).mean() > np.log(np.maximum(asked[0.0].chances, 1e-12)).mean()
    )
    # Equal choices: two draws from the same distribution agree with the sum of its squared chances, at least as
    # often as uniform ones would.
    assert asked[1.0].equal > asked[1.0].equal_by_chance
    assert abs(asked[1.0].equal - np.nanmean(asked[1.0].chances)) < 0.05


def test_selectors_of_ones_own_and_settings(dag: Recording) -> None:
    asked = reselect(dag, newest_tips, blocks=[50, 60, 50])
    assert asked.blocks.tolist() == [50, 60]
    assert reselect(dag, "e-iota", blocks=[50], low_share=0.2).chosen.shape == (1, 3)
    assert reselect(dag, "uniform", blocks=[399]).summary()["blocks"] == 1
    for wrong, field in (
        ({"selector": "best"}, "selector"),
        ({"selector": "uniform", "alpha": 0.1}, "alpha"),
        ({"alpha": -1.0}, "alpha"),
        ({"blocks": [0]}, "blocks"),
        ({"blocks": [400]}, "blocks"),
        ({"delay": -1.0}, "delay"),
        ({"walkers": 3}, "walkers"),
    ):
        with pytest.raises(BadReplay) as caught:
            reselect(dag, **wrong)
        assert caught.value.field == field


def dag_as_seen(dag: Recording, block: int, delay: float) -> Graph:
    """What is taken to be known to the issuer of a block, attached one by one."""
    size = max(int((dag.times <= dag.times[block] - delay).sum()), int(dag.parents[block].max()) + 1)
    graph = Graph()
    for parents in dag.parents[: min(size, block)]:
        graph.append([int(p) for p in parents if p >= 0])
    return graph
