"""An explanation is of the very selection that the seed makes, and its numbers are those of the twin."""

import dataclasses
import json

import numpy as np
import pytest

from tangle.tipselect import reference, walk
from tangle.tipselect.errors import BadSetting
from tangle.tipselect.explain import explain
from tangle.tipselect.graph import Graph
from tests.tries import each, tries


@each("seed", range(tries(60)))
def test_the_story_fits_the_selection(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = reference.random_graph(rng, int(rng.integers(2, 60)), forbidden=0.08, outside=0.05, poor=0.05)
    graph.drop_before(int(rng.integers(0, 10)) if len(graph) > 20 else 0)
    alpha = float(rng.choice([0.0, 0.1, 2.0]))
    k = int(rng.integers(1, 5))
    story = explain(graph, k, seed, alpha=alpha, entry_depth=8, fast_ratio=0.7)
    chosen = walk.select(
        graph, k, np.random.default_rng(seed), alpha=alpha, entry_depth=8, fast_ratio=0.7
    ).tolist()
    assert list(story.selected) == chosen
    assert list(story.entry_points) == walk.entry_points(graph, depth=8).tolist()
    ends = walk.walks(graph, k * walk.WALKERS_PER_TIP, np.random.default_rng(seed), alpha=alpha, entry_depth=8)
    first = story.walkers[: k * walk.WALKERS_PER_TIP]
    assert [walker.entry for walker in first] == ends[0].tolist()
    assert [walker.tip for walker in first] == ends[1].tolist()
    assert [len(walker.steps) for walker in first] == ends[2].tolist()
    reached = {walker.tip for walker in story.walkers}
    assert set(story.filled) == set(chosen) - reached
    twin = reference.tangle_of(graph)
    weight = reference.weights(twin)
    for walker in story.walkers:
        at = walker.entry
        for step in walker.steps:
            assert (step.index, step.weight) == (at, weight[at])
            chances = {c.index: c.probability for c in step.candidates}
            assert chances == pytest.approx(reference.step_probabilities(twin, weight, at, alpha))
            assert {c.index: c.weight for c in step.candidates} == {y: weight[y] for y in chances}
            assert step.chosen in chances
            at = step.chosen
        assert at == walker.tip
        assert walker.pace == len(walker.steps) / (graph.high - walker.entry)


def test_walkers_too_fast_are_marked() -> None:
    graph = reference.grown_graph(np.random.default_rng(4), 2_000, delay=20)
    for _ in range(40):
        graph.append([1_005])
    story = explain(graph, 2, 1, alpha=0.0, entry=[1_000, 1_005])
    fast = [walker for walker in story.walkers if walker.fast]
    assert fast
    assert {walker.tip for walker in fast}.isdisjoint(story.selected)


def test_it_can_be_written_as_json() -> None:
    graph = reference.grown_graph(np.random.default_rng(4), 300, delay=10)
    story = explain(graph, 2, 9, alpha=0.1, entry=[100])
    told = json.loads(json.dumps(dataclasses.asdict(story)))
    assert told["seed"] == 9
    assert told["selected"] == list(story.selected)
    assert len(told["walkers"]) == len(story.walkers) > 0
    assert told["walkers"][0]["steps"][0]["index"] == 100


def test_without_tips_there_is_no_story() -> None:
    graph = Graph()
    graph.append([])
    graph.forbid(0)
    story = explain(graph, 2, 0)
    assert not story.walkers
    assert story.selected == story.entry_points == story.filled == ()
    with pytest.raises(BadSetting, match="alpha"):
        explain(graph, 2, 0, alpha=-1)
