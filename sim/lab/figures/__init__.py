"""Figures of simulations, one function each: of one result, or of several to compare.

    from tangle.sim.lab.figures import draw, FIGURES

    draw("tips", result, "tips.svg")
    FIGURES["weight"](result)          # a figure of matplotlib, shown by a notebook

Each takes a Result or a sequence of them. `over` and `outcome` are of tables: what a sweep leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tangle.sim.errors import BadMeasure
from tangle.sim.lab.figures.agents import agreement, exits
from tangle.sim.lab.figures.drawing import tangle
from tangle.sim.lab.figures.growth import confidence, weight
from tangle.sim.lab.figures.sides import sides
from tangle.sim.lab.figures.style import rendered, save
from tangle.sim.lab.figures.tables import outcome, over
from tangle.sim.lab.figures.tips import arrivals, first_approval, left_behind, tips
from tangle.sim.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES: dict[str, Callable[..., Figure]] = {
    "tips": tips,
    "first-approval": first_approval,
    "weight": weight,
    "confidence": confidence,
    "left-behind": left_behind,
    "exits": exits,
    "agreement": agreement,
    "sides": sides,
    "arrivals": arrivals,
    "tangle": tangle,
}
"""every figure of a result, by the name that commands use"""
__all__ = ["FIGURES", "caption", "draw", "fits", "outcome", "over", "rendered", "save"]


def draw(name: str, results: Result | Sequence[Result], path: str | Path, **options: Any) -> Path:
    """Write one of FIGURES; the path's end decides whether as SVG, PNG or PDF. BadMeasure for an unknown one."""
    if name not in FIGURES:
        raise BadMeasure("figure", f"{name!r} is none of {', '.join(FIGURES)}")
    return save(FIGURES[name](results, **options), path)


def caption(name: str) -> str:
    """Return what a figure shows, in words."""
    return " ".join((FIGURES[name].__doc__ or "").split("\n\n", maxsplit=1)[0].split())


def fits(name: str, results: Result | Sequence[Result]) -> bool:
    """Whether a figure has something to say of these results."""
    each = [results] if isinstance(results, Result) else list(results)
    if name == "agreement":
        return any(result.agents > 1 for result in each)
    if name == "sides":
        return any(bool(result.sides.any()) for result in each)
    if name == "arrivals":
        return any(len(result.scenario.corners) > 1 or result.scenario.adversary for result in each)
    return True
