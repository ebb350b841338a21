"""Cones, cone roots and white-flag order equal their networkx twins; TIP-2's drawing is ordered as TIP-2 says."""

import numpy as np

from tangle.tipselect import reference
from tangle.tipselect.graph import Graph
from tests.tries import each, tries

WHITE_FLAG_DRAWING = {
    "D": "AB", "E": "AB", "F": "BC", "G": "DE", "H": "EF", "I": "FC", "J": "GH", "K": "HI", "L": "GJ",
    "M": "JH", "N": "HK", "O": "KI", "R": "LM", "S": "NO", "V": "RS",
}  # fmt: skip
"""vertex -> parents, the upper one first: the part of TIP-2's example up to the milestone V"""
WHITE_FLAG_ORDER = "DGJLMRIKNOSV"
"""TIP-2, "Example": what the milestone V confirms after the milestone H"""


def two_graphs(seed: int) -> tuple[np.random.Generator, Graph, reference.Tangle]:
    rng = np.random.default_rng(seed)
    graph = reference.random_graph(rng, int(rng.integers(1, 60)), forbidden=0.1, outside=0.1)
    graph.drop_before(int(rng.integers(0, len(graph))))
    return rng, graph, reference.tangle_of(graph)


@each("seed", range(tries(150)))
def test_cones_equal_twin(seed: int) -> None:
    rng, graph, twin = two_graphs(seed)
    stop = rng.random(len(graph)) < 0.15
    stopped = {graph.low + i for i in np.flatnonzero(stop).tolist()}
    starts = rng.integers(graph.low, graph.high, 3).tolist()
    x = starts[0]
    assert graph.past_cone(x).tolist() == reference.past_cone(twin, [x])
    assert graph.past_cone(starts, stop).tolist() == reference.past_cone(twin, starts, stopped)
    assert graph.future_cone(x).tolist() == reference.future_cone(twin, x)


@each("seed", range(tries(150)))
def test_cone_roots_equal_twin(seed: int) -> None:
    rng, graph, twin = two_graphs(seed)
    referenced = np.where(rng.random(len(graph)) < 0.3, rng.integers(1, 50, len(graph)), 0)
    oldest, youngest = graph.cone_roots(referenced.astype(np.int32), 4)
    expected = reference.cone_roots(twin, dict(enumerate(referenced.tolist(), graph.low)), 4)
    assert list(zip(oldest.tolist(), youngest.tolist(), strict=True)) == [expected[x] for x in sorted(twin)]


@each("seed", range(tries(150)))
def test_post_order_equals_twin(seed: int) -> None:
    rng, graph, twin = two_graphs(seed)
    done = rng.random(len(graph)) < 0.15
    starts = rng.integers(graph.low, graph.high, int(rng.integers(1, 4))).tolist()
    order = graph.post_order(starts, done).tolist()
    assert order == reference.post_order(twin, starts, {graph.low + i for i in np.flatnonzero(done).tolist()})
    assert len(set(order)) == len(order)


def test_post_order_of_the_drawing_in_tip_2() -> None:
    graph = Graph()
    names = "ABC" + "".join(WHITE_FLAG_DRAWING)
    for name in names:
        graph.append([names.index(p) for p in WHITE_FLAG_DRAWING.get(name, "")])
    done = np.zeros(len(graph), np.bool_)
    done[graph.past_cone(names.index("H"))] = True
    assert "".join(sorted(names[x] for x in np.flatnonzero(done))) == "ABCEFH"
    assert "".join(names[x] for x in graph.post_order([names.index("V")], done)) == WHITE_FLAG_ORDER


def test_post_order_of_a_deep_chain_needs_no_recursion() -> None:
    graph = Graph()
    graph.append([])
    for x in range(50_000):
        graph.append([x])
    assert np.array_equal(graph.post_order([50_000]), np.arange(50_001))


def test_given_arrays_are_left_alone() -> None:
    graph = reference.random_graph(np.random.default_rng(1), 30)
    stop = np.zeros(len(graph), np.bool_)
    stop.flags.writeable = False
    graph.past_cone(29, stop)
    graph.post_order([29], stop)
    assert not stop.any()
