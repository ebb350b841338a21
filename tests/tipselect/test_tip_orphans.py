"""What counts as left behind and orphaned equals its networkx twin."""

import numpy as np
import pytest

from tangle.tipselect import lazy, orphans, reference
from tangle.tipselect.errors import BadSetting
from tangle.tipselect.graph import Graph
from tests.tries import each, tries


@each("block", range(tries(8)))
def test_losses_equal_twin(block: int) -> None:
    for seed in range(25 * block, 25 * block + 25):
        rng = np.random.default_rng(seed)
        graph = reference.random_graph(rng, int(rng.integers(1, 60)), forbidden=0.1, outside=0.1, poor=0.1)
        graph.drop_before(int(rng.integers(0, len(graph) // 2 + 1)))
        twin = reference.tangle_of(graph)
        age = int(rng.integers(1, 30))
        behind = [x for x in reference.tips(twin) if max(twin) - x >= age]
        lost = reference.orphaned(twin, age)
        assert orphans.left_behind(graph, age).tolist() == behind, f"seed {seed}"
        assert (np.flatnonzero(orphans.orphaned(graph, age)) + graph.low).tolist() == lost, f"seed {seed}"
        counted = orphans.losses(graph, age)
        assert counted == orphans.Losses(
            vertices=len(twin),
            forbidden=sum(forbidden for _, forbidden in twin.nodes(data="forbidden")),
            tips=len(reference.tips(twin)),
            lazy_tips=len(reference.poor_tips(twin, lazy.LAZY)),
            semi_lazy_tips=len(reference.poor_tips(twin, lazy.SEMI_LAZY)),
            left_behind=len(behind),
            orphaned=len(lost),
            age=age,
        )


def test_a_side_branch_is_orphaned_until_somebody_promotes_it() -> None:
    graph = Graph()
    graph.append([])
    side = graph.append([0])
    side_tip = graph.append([side])
    last = 0
    for _ in range(100):
        last = graph.append([last])
    assert orphans.left_behind(graph, 100).tolist() == [side_tip]
    assert np.flatnonzero(orphans.orphaned(graph, 50)).tolist() == [side, side_tip]
    assert orphans.losses(graph, 50).orphaned_share == pytest.approx(2 / 53)
    graph.append([last, side_tip])
    assert not orphans.orphaned(graph, 50).any()
    assert orphans.losses(graph, 50).left_behind == 0


def test_an_empty_window_loses_nothing() -> None:
    counted = orphans.losses(Graph())
    assert (counted.vertices, counted.orphaned, counted.orphaned_share) == (0, 0, 0.0)
    with pytest.raises(BadSetting, match="age"):
        orphans.losses(Graph(), 0)
