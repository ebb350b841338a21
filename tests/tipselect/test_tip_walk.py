"""Walks step with the exact probabilities, race by the stated rule, equal their twin on equal random numbers."""

import math
from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from tangle.tipselect import reference, uniform, walk
from tangle.tipselect.errors import BadIndex, BadSetting
from tangle.tipselect.graph import Graph
from tangle.tipselect.selectors import Selector
from tests.tipselect.statistic import chi_square, unlikely_above
from tests.tries import each, tries


def random_graph(seed: int, size: int) -> Graph:
    return reference.random_graph(np.random.default_rng(seed), size, forbidden=0.08, outside=0.05, poor=0.08)


@each("seed", range(tries(250)))
def test_selection_equals_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(seed, int(rng.integers(1, 70)))
    graph.drop_before(int(rng.integers(0, len(graph) // 2 + 1)))
    if graph.tip_count == 0:
        assert walk.select(graph, 2, rng).size == 0
        return
    twin = reference.tangle_of(graph)
    weight = reference.weights(twin)
    alpha = float(rng.choice([0.0, 0.01, 0.3, 5.0]))
    depth = int(rng.choice([0, 3, 10, 40]))
    k = int(rng.integers(1, 9))
    entries = reference.entry_points(twin, weight, depth)
    assert walk.entry_points(graph, depth=depth).tolist() == entries
    expected = reference.race(
        twin, weight, entries, int(walk.seed(np.random.default_rng(seed))[0]),
        k=k, walkers=3 * k, rounds=walk.ROUNDS, alpha=alpha, fast_ratio=0.7,
    )  # fmt: skip
    selected = walk.select(
        graph, k, np.random.default_rng(seed), alpha=alpha, entry_depth=depth, walkers_per_tip=3, fast_ratio=0.7
    ).tolist()
    assert selected[: len(expected)] == expected
    assert len(selected) == len(set(selected)) == min(k, graph.tip_count)
    assert set(selected) <= set(graph.tips.tolist())


@pytest.mark.parametrize("alpha", [0.0, 0.05, 0.5])
@each("seed", range(tries(8)))
def test_walk_frequencies_match_exact_probabilities(seed: int, alpha: float) -> None:
    graph = random_graph(seed + 100, 30)
    twin = reference.tangle_of(graph)
    weight = reference.weights(twin)
    start = 0
    n = 20_000
    ends = walk.walks(graph, n, np.random.default_rng(seed), alpha=alpha, entry=[start])[1]
    expected = reference.tip_probabilities(twin, weight, start, alpha)
    seen = Counter(ends.tolist())
    assert all(expected[x] > 0 for x in seen)
    statistic, freedom = chi_square(seen, expected, n)
    if freedom > 0:
        assert statistic < unlikely_above(freedom)
    else:
        assert max(seen.values()) > n * 0.99


def test_step_frequencies_match_exact_probabilities() -> None:
    graph = Graph()
    graph.append([])
    for parents in ([0], [0], [0], [0], [1], [1], [2], [5], [5]):
        graph.append(parents)
    graph.forbid(4)
    twin = reference.tangle_of(graph)
    expected = reference.step_probabilities(twin, reference.weights(twin), 0, 0.3)
    assert set(expected) == {1, 2, 3}
    h = {1: 5, 2: 2, 3: 1}
    terms = {y: math.exp(-0.3 * (10 - h[y])) for y in h}
    assert expected == pytest.approx({y: terms[y] / sum(terms.values()) for y in h})
    under = {x: y for y in h for x in graph.future_cone(y).tolist()}
    n = 30_000
    ends = walk.walks(graph, n, np.random.default_rng(3), alpha=0.3, entry=[0])[1]
    statistic, freedom = chi_square(Counter(under[x] for x in ends.tolist()), expected, n)
    assert freedom == 2
    assert statistic < unlikely_above(freedom)


def test_huge_alpha_and_weights_do_not_overflow() -> None:
    graph = Graph()
    graph.append([])
    graph.append([0])
    graph.append([0])
    for x in range(2, 3_000):
        graph.append([x])
    ends = walk.walks(graph, 50, np.random.default_rng(1), alpha=1e6, entry=[0])[1]
    assert set(ends.tolist()) == {3_000}


def test_a_seed_reproduces_a_selection() -> None:
    graph = random_graph(1, 400)
    first = [walk.select(graph, 2, np.random.default_rng(s)).tolist() for s in range(30)]
    again = [walk.select(graph, 2, np.random.default_rng(s)).tolist() for s in range(30)]
    assert first == again
    assert len({tuple(pair) for pair in first}) > 1


def test_selection_does_not_depend_on_how_the_graph_came_about() -> None:
    one = random_graph(2, 300)
    rows = np.full((300, 8), -1, np.int64)
    counts = np.zeros(300, np.int8)
    for x in range(300):
        parents = one.parents(x)
        rows[x, : parents.size] = parents
        counts[x] = parents.size
    other = Graph()
    other.extend(rows, counts)
    other.forbid_many(np.flatnonzero(one.forbidden))
    other.rate(one.scores)
    one.drop_before(100)
    other.drop_before(100)
    selectors: list[Selector] = [uniform.select, walk.select, partial(walk.select, alpha=0.5, entry_depth=50)]
    for select in selectors:
        rng, twin_rng = np.random.default_rng(9), np.random.default_rng(9)
        assert select(one, 4, rng).tolist() == select(other, 4, twin_rng).tolist()


def test_lazy_tips_are_dropped_from_the_race() -> None:
    rng = np.random.default_rng(4)
    graph = reference.grown_graph(rng, 3_000, delay=20)
    lazy = {graph.append([int(p)]) for p in rng.integers(1_000, 1_900, 40)}
    found = {0.0: 0, 0.5: 0}
    for seed in range(100):
        for ratio in found:
            rng = np.random.default_rng(seed)
            pair = walk.select(graph, 2, rng, alpha=0.0, entry_depth=1_000, fast_ratio=ratio)
            found[ratio] += len(lazy & set(pair.tolist()))
    assert found[0.0] > 60
    assert found[0.5] < 6


def test_side_chains_are_no_entry_points() -> None:
    rng = np.random.default_rng(6)
    graph = Graph()
    graph.append([])
    main, side = [0], [0]
    for x in range(1, 2_000):
        chain = side if x % 4 == 0 else main
        graph.append([int(rng.choice(chain[-5:]))])
        chain.append(x)
    graph.append(main[-5:])
    entries = set(walk.entry_points(graph, depth=500).tolist())
    assert entries
    assert not entries & set(side[1:])


def test_forbidden_vertices_are_neither_entered_nor_selected() -> None:
    for seed in range(40):
        graph = reference.random_graph(np.random.default_rng(seed), 80, forbidden=0.3)
        entries, ends, _ = walk.walks(graph, 200, np.random.default_rng(seed), entry_depth=20)
        assert not graph.forbidden[entries].any()
        assert not graph.forbidden[ends].any()
        assert set(ends.tolist()) <= set(graph.tips.tolist())


def test_entries_that_cannot_be_used_fall_back() -> None:
    graph = random_graph(3, 50)
    graph.forbid(30)
    graph.drop_before(20)
    assert walk.entry_points(graph, [5, 40, 30, 40]).tolist() == [40, 40]
    assert walk.entry_points(graph, [5, 30]).tolist() == walk.entry_points(graph).tolist()
    with pytest.raises(BadIndex, match="entry"):
        walk.entry_points(graph, [50])


def test_no_tip_no_selection() -> None:
    graph = Graph()
    rng = np.random.default_rng(0)
    for _ in range(2):
        assert walk.select(graph, 2, rng).size == 0
        assert uniform.select(graph, 2, rng).size == 0
        assert walk.walks(graph, 5, rng)[1].size == 0
        assert walk.entry_points(graph).size == 0
        if len(graph) == 0:
            graph.append([])
            graph.forbid(0)


def test_one_vertex_is_its_own_tip() -> None:
    graph = Graph(low=7)
    graph.append([])
    assert walk.select(graph, 8, np.random.default_rng(0)).tolist() == [7]


def test_uniform_frequencies() -> None:
    graph = random_graph(11, 200)
    tips = graph.tips.tolist()
    rng = np.random.default_rng(0)
    n = 6_000
    seen = Counter(int(x) for _ in range(n) for x in uniform.select(graph, 1, rng))
    statistic, freedom = chi_square(seen, dict.fromkeys(tips, 1 / len(tips)), n)
    assert freedom == len(tips) - 1 > 0
    assert statistic < unlikely_above(freedom)
    assert sorted(uniform.select(graph, 99, rng).tolist()) == tips


@pytest.mark.parametrize(
    ("argument", "select"),
    [
        ("k", partial(walk.select, k=0)),
        ("k", partial(uniform.select, k=0)),
        ("alpha", partial(walk.select, k=2, alpha=-0.1)),
        ("alpha", partial(walk.select, k=2, alpha=math.nan)),
        ("alpha", partial(walk.select, k=2, alpha=math.inf)),
        ("entry_depth", partial(walk.select, k=2, entry_depth=-1)),
        ("walkers_per_tip", partial(walk.select, k=2, walkers_per_tip=0)),
        ("fast_ratio", partial(walk.select, k=2, fast_ratio=-1.0)),
    ],
)
def test_settings_out_of_range_are_named(argument: str, select: Callable[..., object]) -> None:
    with pytest.raises(BadSetting) as caught:
        select(random_graph(0, 10), rng=np.random.default_rng(0))
    assert caught.value.field == argument
