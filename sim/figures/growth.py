"""Figures of how blocks become safe: their weight, and their confidence, over their age."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.figures.common import Results, adaptation, delay, heading, labels, several, watched
from sim.figures.style import THEORY, band, curve, expected, name_ends, sheet, styled, subtitle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim.result import Result


@styled
def weight(results: Results, *, blocks: int = 200, ages: float | None = None) -> Figure:
    """Mean cumulative weight of blocks over their age: exponential at first (left, logarithmic), linear later (right).

    Gray dashes: growth like exp(g t / h) with g = 0.352 for two parents, and the slope lambda (Popov 2018, section 3).
    The shade spans the middle eight of ten blocks.
    """
    from sim import theory
    from sim.measures import weight_growth

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
                band(axes, at, *np.quantile(grown, (0.1, 0.9), axis=0), i)
    result = each[0]
    h, load, k = delay(result), result.scenario.load, result.scenario.parents
    rate = theory.growth_rate(h, k) * h if k > 1 else 0.0
    fit = growth_fit(at, mean, load) if len(each) == 1 else float("nan")
    early = at[at <= np.log(max(load, 2)) / max(rate, 0.1)]
    expected(left, early, np.exp(rate * early))
    late = mean[-1] + load * (at - at[-1])
    expected(right, at[late > 0], late[late > 0])
    left.set(yscale="log", ylim=(0.9, None), xlim=(0, at[-1]))
    right.set(ylim=(0, mean[-1] * 1.08), xlim=(0, at[-1]), ylabel="")
    text = f"dashes: exp({rate:.3f} t/h)" + (f"\nfitted: {fit:.3f}" if np.isfinite(fit) else "")
    left.annotate(text, (0.03, 0.97), xycoords="axes fraction", fontsize=8, va="top", color=THEORY)
    right.annotate("dashes: slope λ", (0.98, 0.02), xycoords="axes fraction", fontsize=8, ha="right", color=THEORY)
    name_ends(right)
    return figure


def growth_fit(ages, mean, load: float) -> float:  # type: ignore[no-untyped-def]
    """Fitted exponent of the early growth, per delay: between weights of 3 and a quarter of lambda h."""
    part = (mean >= 3) & (mean <= max(load / 4, 8))
    if part.sum() < 3:
        return float("nan")
    return float(np.polyfit(ages[part], np.log(mean[part]), 1)[0])


@styled
def confidence(results: Results, *, blocks: int = 60, ages: float | None = None, walks: int = 100) -> Figure:
    """Confidence of blocks over their age: the mean, with marks; without marks, what one block in ten stays below.

    The confidence of a block is the share of tip selections that approve it, directly or not (Popov 2018, section 1).
    """
    each = several(results)
    figure, (axes,) = sheet("Confidence", "age of a block, in delays h", "confidence", ylim=(0, 1.03))
    names = labels(each)
    for i, result in enumerate(each):
        at, found = confidences(result, blocks, ages, walks)
        curve(axes, at, found.mean(axis=0), i, names[i], marks=True)
        curve(axes, at, np.quantile(found, 0.1, axis=0), i, "", linewidth=0.9)
        if len(each) == 1:
            band(axes, at, *np.quantile(found, (0.1, 0.9), axis=0), i)
    axes.set_xlim(left=0)
    subtitle(axes, heading(each))
    name_ends(axes)
    return figure


def confidences(result: Result, blocks: int, ages: float | None, walks: int):  # type: ignore[no-untyped-def]
    """Ages in delays, float64[m], and the confidence of some blocks at each, float64[blocks, m]."""
    from sim.measures import confidence_over_time

    h = delay(result)
    span = min(ages or 2 * adaptation(result), result.end / h / 3)
    at = np.linspace(0.5, span, 24)
    found = confidence_over_time(result, watched(result, span * h, blocks), at * h, walks=walks)
    return at, found
