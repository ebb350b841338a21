"""Figures of how blocks become safe: their weight, and their confidence, over their age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tangle.sim.lab.figures.common import Results, adaptation, delay, heading, labels, one_delay, several, watched
from tangle.sim.lab.figures.style import THEORY, band, curve, expected, name_ends, sheet, styled, subtitle
from tangle.tipselect.kernels import Float64

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tangle.sim.result import Result


@styled
def weight(results: Results, *, blocks: int = 200, ages: float | None = None) -> Figure:
    """Mean cumulative weight of blocks over their age: exponential first (left, logarithmic), then linear (right).

    Gray dashes: exp(g t / h), with g = 0.352 for two parents (Popov 2018, section 3) and with the 0.331 that
    follows when ages are minded, and the slope lambda. The shade spans the middle eight of ten blocks.
    """
    from tangle.sim import theory
    from tangle.sim.measures import weight_growth

    each = several(results)
    figure, (left, right) = sheet(
        "Cumulative weight", "age of a block, in delays h", "cumulative weight", panels=2
    )
    subtitle(right, heading(each))
    names = labels(each)
    for i, result in enumerate(each):
        h = delay(result)
        span = min(ages or max(2.2 * adaptation(each[0]), 8.0), result.end / h / 3)
        at = np.linspace(0, span, 81)
        grown = weight_growth(result, watched(result, span * h, blocks), at * h)
        mean = grown.mean(axis=0)
        for axes in (left, right):
            curve(axes, at, mean, i, names[i] if axes is right else "")
            if len(each) == 1:
                low, high = np.quantile(grown, (0.1, 0.9), axis=0)
                band(axes, at, low, high, i)
    result = each[0]
    h, load, k = delay(result), result.scenario.load, result.scenario.parents
    known = k > 1 and one_delay(result.scenario) and result.scenario.delay_max > 0
    rates = [theory.growth_rate(h, k) * h, theory.branching_rate(h, k) * h] if known else []
    for rate in rates:
        early = at[at <= np.log(max(load, 2)) / max(rate, 0.1)]
        expected(left, early, np.exp(rate * early))
    late = mean[-1] + load * (at - at[-1])
    expected(right, at[late > 0], late[late > 0])
    left.set(yscale="log", ylim=(0.9, None), xlim=(0, at[-1]))
    right.set(ylim=(0, mean[-1] * 1.08), xlim=(0, at[-1]), ylabel="")
    text = "dashes: " + ", ".join(f"exp({rate:.3f} t/h)" for rate in rates)
    if rates:
        left.annotate(text, (0.03, 0.97), xycoords="axes fraction", fontsize=8, va="top", color=THEORY)
    corner: dict[str, Any] = {"xycoords": "axes fraction", "fontsize": 8, "ha": "right", "color": THEORY}
    right.annotate("dashes: slope λ", (0.98, 0.02), **corner)
    name_ends(right)
    return figure


@styled
def confidence(results: Results, *, blocks: int = 60, ages: float | None = None, walks: int = 100) -> Figure:
    """Confidence of blocks over their age: the mean, with marks; without marks, what one in ten stays below.

    The confidence of a block is the share of tip selections that approve it, directly or not (Popov 2018, section
    1).
    """
    each = several(results)
    figure, (axes,) = sheet("Confidence", "age of a block, in delays h", "confidence", ylim=(0, 1.03))
    names = labels(each)
    for i, result in enumerate(each):
        at, found = confidences(result, blocks, ages, walks)
        curve(axes, at, found.mean(axis=0), i, names[i], marks=True)
        curve(axes, at, np.quantile(found, 0.1, axis=0), i, "", linewidth=0.9)
        if len(each) == 1:
            low, high = np.quantile(found, (0.1, 0.9), axis=0)
            band(axes, at, low, high, i)
    axes.set_xlim(left=0)
    subtitle(axes, heading(each))
    name_ends(axes)
    return figure


def confidences(result: Result, blocks: int, ages: float | None, walks: int) -> tuple[Float64, Float64]:
    """Ages in delays, float64[m], and the confidence of some blocks at each, float64[blocks, m]."""
    from tangle.sim.measures import confidence_over_time

    h = delay(result)
    span = min(ages or 2 * adaptation(result), result.end / h / 3)
    at = np.linspace(0.5, span, 24)
    found = confidence_over_time(result, watched(result, span * h, blocks), at * h, walks=walks)
    return at, found
