"""The tips that bring in most: each choice is the greedy one, and lazy re-counting changes nothing."""

import numpy as np
import pytest

from tipselect import cover, reference
from tipselect.errors import BadIndex, BadSetting
from tipselect.graph import Graph


def greedy(g: reference.Tangle, k: int, done: set[int], candidates: list[int]) -> list[int]:
    """Count everything again at every choice."""
    chosen: list[int] = []
    covered = set(done)
    while len(chosen) < k:
        adds = {x: len(set(reference.past_cone(g, [x])) - covered) for x in candidates}
        best = max(adds, key=lambda x: (adds[x], -x), default=None)
        if best is None or adds[best] == 0:
            break
        chosen.append(best)
        covered |= set(reference.past_cone(g, [best]))
    return chosen


@pytest.mark.parametrize("block", range(4))
def test_choices_equal_twin(block: int) -> None:
    for seed in range(25 * block, 25 * block + 25):
        rng = np.random.default_rng(seed)
        graph = reference.random_graph(rng, int(rng.integers(2, 60)), outside=0.05, poor=0.1)
        graph.drop_before(int(rng.integers(0, len(graph) // 2)))
        twin = reference.tangle_of(graph)
        done = np.zeros(len(graph), np.bool_)
        done[graph.past_cone(rng.integers(graph.low, graph.high, 2)) - graph.low] = True
        settled = {graph.low + x for x in np.flatnonzero(done).tolist()}
        k = int(rng.integers(1, 9))
        found = cover.select(graph, k, done)
        assert found.tolist() == greedy(twin, k, settled, reference.tips(twin)), f"seed {seed}"
        some = rng.integers(graph.low, graph.high, 12)
        found = cover.select(graph, k, done, some)
        assert found.tolist() == greedy(twin, k, settled, sorted(set(some.tolist()))), f"seed {seed}"


def test_bad_arguments_are_named() -> None:
    graph = Graph()
    graph.append([])
    nothing = np.zeros(1, np.bool_)
    assert cover.select(graph, 1, nothing).tolist() == [0]
    assert cover.select(graph, 1, ~nothing).size == 0
    with pytest.raises(BadSetting, match="k: "):
        cover.select(graph, 0, nothing)
    with pytest.raises(BadSetting, match="done"):
        cover.select(graph, 1, np.zeros(2, np.bool_))
    with pytest.raises(BadIndex, match="indices"):
        cover.select(graph, 1, nothing, [1])
