"""Exact chances equal linear algebra, and are what sampling tends to."""

from collections import Counter

import numpy as np
import pytest

from tangle.tipselect import confidence, exact, reference, walk
from tangle.tipselect.errors import BadIndex, BadSetting
from tangle.tipselect.graph import Graph
from tests.tipselect.statistic import chi_square, unlikely_above
from tests.tries import each, tries


@each("block", range(tries(10)))
def test_chances_equal_linear_algebra(block: int) -> None:
    for seed in range(40 * block, 40 * block + 40):
        rng = np.random.default_rng(seed)
        graph = reference.random_graph(rng, int(rng.integers(1, 50)), forbidden=0.1, outside=0.05, poor=0.1)
        graph.drop_before(int(rng.integers(0, len(graph) // 2 + 1)))
        twin = reference.tangle_of(graph)
        weight = reference.weights(twin)
        alpha = float(rng.choice([0.0, 0.01, 0.3, 5.0]))
        for x in twin:
            approvers, chances = exact.step_chances(graph, x, alpha)
            expected = reference.step_probabilities(twin, weight, x, alpha)
            assert dict(zip(approvers.tolist(), chances.tolist(), strict=True)) == pytest.approx(expected)
        tips, chances = exact.tip_chances(graph, alpha=alpha, entry_depth=5)
        assert tips.tolist() == reference.tips(twin), f"seed {seed}"
        if not tips.size:
            assert not exact.confidence(graph, alpha=alpha).any(), f"seed {seed}"
            continue
        entries = reference.entry_points(twin, weight, 5)
        solved = [reference.tip_probabilities(twin, weight, x, alpha) for x in entries]
        mean = {x: sum(one[x] for one in solved) / len(solved) for x in tips.tolist()}
        assert chances.tolist() == pytest.approx([mean[x] for x in tips.tolist()], abs=1e-12), f"seed {seed}"
        assert chances.sum() == pytest.approx(1)
        found = dict(enumerate(exact.confidence(graph, alpha=alpha, entry_depth=5).tolist(), graph.low))
        assert found == pytest.approx(reference.confidences(twin, mean), abs=1e-12), f"seed {seed}"
        assert not graph.columns.mask.any()


def test_walks_end_as_often_as_computed_on_a_grown_tangle() -> None:
    graph = reference.grown_graph(np.random.default_rng(1), 3_000, delay=40)
    n = 40_000
    ends = walk.walks(graph, n, np.random.default_rng(2), alpha=0.01, entry_depth=500)[1]
    tips, chances = exact.tip_chances(graph, alpha=0.01, entry_depth=500)
    expected = dict(zip(tips.tolist(), chances.tolist(), strict=True))
    statistic, freedom = chi_square(Counter(ends.tolist()), expected, n)
    assert freedom > 30
    assert statistic < unlikely_above(freedom)


def test_sampled_confidence_tends_to_the_exact_one() -> None:
    graph = reference.grown_graph(np.random.default_rng(3), 2_000, delay=30)
    n = 4_000
    hits = confidence.hits(graph, n, np.random.default_rng(4), alpha=0.05)
    share = exact.confidence(graph, alpha=0.05)
    # 5 standard deviations; the counts of neighbours go together, so few of the 2,000 are independent.
    spread = 5 * np.sqrt(share * (1 - share) / n)
    assert (np.abs(hits / n - share) <= spread + 1e-9).all()
    assert 0.01 < (share[-200:]).mean() < 0.99
    within = sum(
        low <= p <= high
        for m, p in zip(hits.tolist(), share.tolist(), strict=True)
        for low, high in [confidence.wilson(m, n)]
    )
    assert within > 0.85 * len(graph)


def test_visits_fall_along_the_branches() -> None:
    graph = Graph()
    for parents in ([], [0], [0], [1], [1, 2]):
        graph.append(parents)
    # From 0 to 1 (weight 3) or 2 (weight 2); from 1 to 3 or 4; from 2 to 4.
    heavy = 1 / (1 + np.exp(-0.5))
    expected = [1, heavy, 1 - heavy, heavy / 2, heavy / 2 + 1 - heavy]
    assert exact.visit_chances(graph, alpha=0.5, entry=[0]).tolist() == pytest.approx(expected)


def test_more_than_64_tips_are_added_up() -> None:
    graph = Graph()
    graph.append([])
    for _ in range(150):
        graph.append([0])
    assert exact.confidence(graph, alpha=0.0, entry=[0]).tolist() == pytest.approx([1] + [1 / 150] * 150)


def test_bad_arguments_are_named() -> None:
    graph = reference.random_graph(np.random.default_rng(0), 20)
    with pytest.raises(BadSetting, match="alpha"):
        exact.confidence(graph, alpha=-1)
    with pytest.raises(BadSetting, match="alpha"):
        exact.step_chances(graph, 3, alpha=-1)
    with pytest.raises(BadIndex, match="20"):
        exact.step_chances(graph, 20)
    with pytest.raises(BadIndex, match="entry"):
        exact.visit_chances(graph, entry=[20])
