"""Figures: every one is drawn, equal data give equal files, series are told apart by more than colour."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tangle import sim
from tangle.sim.errors import BadMeasure
from tangle.sim.lab.figures import FIGURES, caption, draw, fits, outcome, over, rendered
from tangle.sim.lab.figures.common import labels
from tangle.sim.lab.figures.style import HATCHES, INKS, LINES, MARKS, spread
from tangle.sim.lab.figures.tables import Series, interval
from tangle.sim.result import Result
from tangle.tipselect.confidence import wilson
from tests.tries import drawn

SCENARIO = sim.Scenario(arrivals=10.0, selector="weighted", alpha=0.05, blocks=900, seed=4)


@pytest.fixture(scope="module")
def attacked() -> Result:
    adversary = sim.Adversary(attack="splitting", share=0.2, start=10.0)
    return sim.run(SCENARIO.but(agents=2, adversary=adversary, arrivals=((0.0, 5.0), (30.0, 15.0))))


@pytest.fixture(scope="module")
def several() -> list[Result]:
    return [sim.run(SCENARIO.but(alpha=alpha, agents=2)) for alpha in (0.0, 0.5)]


@drawn
@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_is_drawn_of_one_and_of_several(name: str, attacked: Result, several: list[Result]) -> None:
    first = rendered(FIGURES[name](attacked))
    assert ElementTree.fromstring(first).tag.endswith("svg")
    assert first == rendered(FIGURES[name](attacked)), "equal data give equal files"
    assert b"alpha 0.5" in rendered(FIGURES[name](several)) or name in {"arrivals", "tangle", "agreement", "sides"}
    assert 20 < len(caption(name)) < 500


def test_a_figure_is_written_as_its_name_says(tmp_path: Path, attacked: Result) -> None:
    for kind, start in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        assert draw("tips", attacked, tmp_path / "new" / f"tips.{kind}").read_bytes().startswith(start)
    with pytest.raises(BadMeasure, match="'speed' is none of tips"):
        draw("speed", attacked, tmp_path / "speed.svg")


def test_figures_that_would_say_nothing_are_left_out(attacked: Result) -> None:
    plain = sim.run(SCENARIO)
    assert [name for name in FIGURES if not fits(name, plain)] == ["agreement", "sides", "arrivals"]
    assert all(fits(name, attacked) for name in FIGURES)


def test_results_are_named_by_what_differs() -> None:
    several = [sim.run(SCENARIO.but(blocks=50, parents=k, alpha=a)) for k, a in ((2, 0.1), (3, 0.1), (3, 0.2))]
    assert labels(several) == [
        "weighted, alpha 0.1, k 2", "weighted, alpha 0.1, k 3", "weighted, alpha 0.2, k 3",
    ]  # fmt: skip
    assert labels(several[:1]) == [""]
    named = [sim.run(SCENARIO.but(blocks=50, name=name)) for name in ("calm", "busy")]
    assert labels(named) == ["calm", "busy"]
    assert labels([several[0], several[0]]) == ["run 1", "run 2"]


def test_series_can_be_told_apart_without_colour() -> None:
    assert len(INKS) == len({str(line) for line in LINES}) == len(set(MARKS)) == len(set(HATCHES)) == 6


def test_names_at_the_ends_of_lines_do_not_cover_each_other() -> None:
    found = spread([0.5, 0.5, 0.51, 0.1], 0.1)
    ordered = sorted(found)
    assert all(b - a >= 0.1 - 1e-12 for a, b in pairwise(ordered))
    assert found[3] == pytest.approx(0.1)
    assert all(0 <= place <= 1 for place in found)


def test_tables_of_sweeps_are_drawn_with_intervals() -> None:
    rows = [{"alpha": a, "q": q, "tips": a * 10 + s} for a in (0.01, 1.0) for q in (0.1, 0.2) for s in range(3)]
    text = rendered(over(rows, "alpha", "tips", by=["q"], xscale="log"))
    assert b"q 0.1" in text
    assert b"q 0.2" in text
    with pytest.raises(BadMeasure, match="no column of the table"):
        over(rows, "beta", "tips")
    assert interval([0.0, 1.0, 1.0], success=True)[1:] == wilson(2, 3)
    mean, low, high = interval([1.0, 2.0, 3.0], success=False)
    assert (mean, high - mean) == pytest.approx((2.0, 4.30 / 3**0.5))
    assert mean - low == pytest.approx(high - mean)
    assert interval([7.0]) == (7.0, 7.0, 7.0)


def test_outcomes_are_drawn_beside_theory() -> None:
    series = [Series("depth 3", [0.1, 0.3], [1, 5], [10, 10], [0.05, 0.4]), Series("depth 8", [0.1], [0], [10])]
    assert b"depth 8" in rendered(outcome(series))
