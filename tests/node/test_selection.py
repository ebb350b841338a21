"""The selector as a setting, where walks start, and copies of the window."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tangle.node import NodeSettings
from tangle.node.selection import Selection
from tangle.state.finality.milestones import ENTRY_BLOCKS, ENTRY_MILESTONES
from tangle.tipselect import confidence
from tangle.tipselect.errors import BadSetting
from tangle.tipselect.selectors import SELECTORS
from tests.networks import PARAMETERS, T0, block_on, note, open_node
from tests.node.attacks import Scene, no_work


@pytest.mark.parametrize(
    ("name", "alpha", "settings", "argument"),
    [
        ("weightd", 0.01, {}, "selector"),
        ("uniform", 0.01, {"age": 5}, "age"),
        ("weighted", 0.01, {"entry": 0}, "entry"),
        ("weighted", 0.01, {"entry_depth": 5}, "entry_depth"),
        ("weighted", 0.01, {"walkers_per_tip": 0}, "walkers_per_tip"),
        ("weighted", 0.01, {"walkers_per_tip": 1.5}, "walkers_per_tip"),
        ("weighted", -1.0, {}, "alpha"),
        ("uniform", float("nan"), {}, "alpha"),
        ("g-iota", 0.01, {"age": 0}, "age"),
        ("e-iota", 0.01, {"low_share": 1.5}, "low_share"),
        ("hybrid", 0.01, {"alpha": -1}, "alpha"),
    ],
)
def test_a_wrong_selector_or_setting_is_named(
    name: str, alpha: float, settings: Mapping[str, float], argument: str
) -> None:
    with pytest.raises(BadSetting) as caught:
        NodeSettings(selector=name, alpha=alpha, selector_settings=settings)
    assert caught.value.field == argument


def test_alpha_is_that_of_the_walks() -> None:
    assert Selection.of("weighted", 0.02, {}).alpha == 0.02
    assert Selection.of("weighted", 0.02, {"alpha": 0.5}).alpha == 0.5
    assert Selection.of("unweighted", 0.02, {}).alpha == 0
    assert Selection.of("hybrid", 0.02, {"alpha": 0.5}).alpha == 0.02


@pytest.mark.parametrize("name", SELECTORS)
def test_a_node_runs_on_every_selector(tmp_path: Path, name: str) -> None:
    node = open_node(tmp_path / "t.db", settings=NodeSettings(seed=3, selector=name))
    made = Scene(node, 3)
    made.rounds(4)
    made.milestone()
    made.milestone()
    assert max(made.delays()) <= 2
    assert 1 <= len(node.reading.tips()) <= 2
    node.sample_confidence()
    oldest = next(iter(made.honest))
    assert node.reading.confidence(node.number_of(oldest), None) == (400, 400)


def test_walks_start_near_where_much_has_come(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    memory = node._memory
    starts = []
    for second in range(22):
        # Few blocks at first, then many: the start comes nearer, but not too near.
        count = 2 if second < 18 else ENTRY_BLOCKS
        tips = node.reading.tips()
        node.add([block_on(tips, note(f"{second} {number}")) for number in range(count)], T0 * 1000)
        node.issue_milestone(T0 + 1 + second, no_work)
        node.refresh_tips()
        entry = memory.finality.entries(memory.window)
        assert entry is not None
        starts.append(next(index for index, block in memory.window.carriers if [block] == entry))
    newest = np.arange(2, 24)
    behind = (newest - starts).tolist()
    depth = PARAMETERS.below_max_depth
    assert behind[:18] == [min(index - 1, depth) for index in range(2, 20)]
    assert behind[-1] == ENTRY_MILESTONES


def test_a_still_stays_as_it_is_and_repeats_its_answers(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    made = Scene(node, 5)
    made.rounds(4)
    made.issue(30)
    still = node.still()
    index = still.index_of(node.number_of(next(reversed(made.honest))))
    assert index is not None
    before = still.confidence(index, 500, 7), still.explain(2, 7), still.number
    rng = np.random.default_rng(7)
    memory = node._memory
    dag = memory.window.dag
    live = confidence.hits(dag.graph, 500, rng, entry=memory.finality.entries(memory.window))
    assert int(live[index - dag.low]) == before[0]
    made.rounds(3)
    assert (still.confidence(index, 500, 7), still.explain(2, 7), still.number) == before
    assert still.confidence(index, 500, 8) <= 500
    later = node.still()
    assert later.number > still.number
    assert later.confidence(index, 500, 7) == 500
