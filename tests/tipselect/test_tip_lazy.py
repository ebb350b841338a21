"""Scores follow the table of TIP-3 and equal their twin; kept per block, they are right while blocks come."""

from typing import Any

import numpy as np
import pytest

from tangle.tipselect import lazy, reference
from tangle.tipselect.errors import BadSetting
from tangle.tipselect.graph import Graph
from tangle.tipselect.lazy import LAZY, NON_LAZY, SEMI_LAZY, Limits
from tests.tries import each, tries


@pytest.mark.parametrize(
    ("oldest", "youngest", "score"),
    [
        # TIP-3: C1 = 8 for the youngest root, C2 = 13 and M = 15 for the oldest; the newest milestone is 100
        (100, 100, NON_LAZY),
        (92, 92, NON_LAZY),
        (91, 91, LAZY),
        (91, 92, NON_LAZY),
        (87, 100, NON_LAZY),
        (86, 100, SEMI_LAZY),
        (85, 92, SEMI_LAZY),
        (85, 91, LAZY),
        (84, 100, LAZY),
    ],
)
def test_scores_at_the_limits(oldest: int, youngest: int, score: int) -> None:
    roots = np.array([oldest], np.int32), np.array([youngest], np.int32)
    assert lazy.scores(*roots, 100).tolist() == [score]
    assert lazy.scores(*roots, 100, referenced=np.array([youngest], np.int32)).tolist() == [NON_LAZY]


@each("block", range(tries(10)))
def test_scores_equal_twin(block: int) -> None:
    limits = Limits(youngest_max=3, oldest_max=5, depth_max=7)
    for seed in range(50 * block, 50 * block + 50):
        rng = np.random.default_rng(seed)
        graph = reference.random_graph(rng, int(rng.integers(1, 50)), outside=0.1)
        graph.drop_before(int(rng.integers(0, len(graph))))
        referenced = np.where(rng.random(len(graph)) < 0.4, rng.integers(1, 11, len(graph)), 0).astype(np.int32)
        outside_root = int(rng.integers(0, 5))
        oldest, youngest = graph.cone_roots(referenced, outside_root)
        found = lazy.scores(oldest, youngest, 10, referenced=referenced, limits=limits)
        assert found.dtype == np.int8
        expected = reference.scores(
            reference.tangle_of(graph), dict(enumerate(referenced.tolist(), graph.low)), outside_root, 10, limits
        )
        assert dict(enumerate(found.tolist(), graph.low)) == expected, f"seed {seed}"


@each("seed", range(tries(20)))
def test_no_good_tip_hides_behind_lazy_approvers(seed: int) -> None:
    """What rests only on settled blocks is barred, and whatever else is unreferenced stays within reach."""
    rng = np.random.default_rng(seed)
    graph = Graph()
    graph.append([])
    referenced = [1]
    for milestone in range(2, 30):
        for _ in range(12):
            old = rng.random() < 0.3
            start = 0 if old else max(0, graph.high - 15)
            parents = np.unique(rng.integers(start, max(graph.high // 2, 1) if old else graph.high, 2))
            graph.append(parents.tolist())
            referenced.append(0)
        newest = graph.high - 1
        for x in graph.past_cone(newest).tolist():
            referenced[x] = referenced[x] or milestone
        marks = np.array(referenced, np.int32)
        oldest, youngest = graph.cone_roots(marks, 0)
        scores = lazy.scores(oldest, youngest, milestone, referenced=marks)
        graph.forbid_many(np.flatnonzero((marks == 0) & (milestone - oldest > lazy.LIMITS.depth_max)))
        graph.rate(scores)
        good = np.flatnonzero((scores == NON_LAZY) & ~graph.forbidden)
        reached = graph.past_cone(graph.tips)
        assert set(good.tolist()) <= set(reached.tolist()), f"seed {seed}, milestone {milestone}"
        assert graph.tip_count > 0


@pytest.mark.parametrize(
    ("argument", "limits"),
    [
        ("youngest_max", {"youngest_max": -1}),
        ("oldest_max", {"oldest_max": 7}),
        ("oldest_max", {"depth_max": 12}),
    ],
)
def test_limits_out_of_order_are_named(argument: str, limits: dict[str, Any]) -> None:
    with pytest.raises(BadSetting) as caught:
        Limits(**limits)
    assert caught.value.field == argument


def test_arrays_of_other_shapes_are_refused() -> None:
    two, three = np.zeros(2, np.int32), np.zeros(3, np.int32)
    with pytest.raises(BadSetting, match="youngest"):
        lazy.scores(two, three, 5)
    with pytest.raises(BadSetting, match="youngest"):
        lazy.scores(two, two, 5, referenced=three)
