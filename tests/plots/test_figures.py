"""The figures can still be made, and what they show holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from tangle.tipselect.selectors import named
from tests.plots.grown import Grown


@pytest.fixture(scope="module")
def figures() -> Any:
    """The module that draws: loaded when it is used, for every worker collects this file."""
    return pytest.importorskip("tests.plots.tip_selection", reason="needs matplotlib", exc_type=ImportError)


def test_all_figures_are_made(figures: Any, tmp_path: Path) -> None:
    made = [
        figures.tip_count(tmp_path, delays=4, rates=(10,)),
        figures.confidence_over_time(tmp_path, rate=10, delays=12, watched=4, alphas=(0.01,)),
        figures.cost(tmp_path, sizes=(1_000, 2_000)),
    ]
    for path in made:
        assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_the_number_of_tips_is_what_popov_expects() -> None:
    rate = 60
    grown = Grown(rate, named("uniform"), np.random.default_rng(1))
    counts = [count for time, count in grown.watched(40, lambda graph: graph.tip_count) if time > 15]
    assert np.mean(counts) == pytest.approx(2 * rate, rel=0.15)


def test_confidence_rises_for_all_where_alpha_is_small_and_not_where_it_is_great(figures: Any) -> None:
    _, mean, worst = figures.rising(20, 70, 25, 0.01)
    assert mean[-1] > 0.9
    assert worst[-1] > 0.5
    _, mean, worst = figures.rising(20, 70, 25, 0.5)
    assert worst[-1] == 0
