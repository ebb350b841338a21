"""Figures of tips and of what becomes of blocks: how many, how soon approved, how many never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tangle.sim import theory
from tangle.sim.lab.figures.common import Results, delay, heading, labels, one_delay, rate_at, several, warmup
from tangle.sim.lab.figures.style import HATCHES, INKS, curve, expected, name_ends, sheet, styled, subtitle, thin
from tangle.sim.result import Result
from tangle.tipselect.kernels import Float64

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS = 60
"""of a distribution"""


@styled
def tips(results: Results, *, log: bool = False) -> Figure:
    """Tips of the whole Tangle over time; dashed, in gray, what uniform selection of k tips lets expect.

    Expected are k lambda h / (k - 1) (Popov 2018, section 3), and the fluid limit where the rate changes.
    """
    from tangle.sim.measures import tips_over_time

    each = several(results)
    figure, (axes,) = sheet("Tips over time", "time, in delays h", "tips", yscale="log" if log else "linear")
    drawn: set[bytes] = set()
    for i, (result, label) in enumerate(zip(each, labels(each), strict=True)):
        times, counts = tips_over_time(result, points=300)
        curve(axes, times / delay(result), counts, i, label, linewidth=1.3)
        level = expected_tips(result, times)
        if level is not None and level.tobytes() not in drawn:
            drawn.add(level.tobytes())
            expected(axes, times / delay(result), level, "expected" if len(drawn) == 1 else "")
    axes.set_xlim(left=0)
    if not log:
        axes.set_ylim(bottom=0)
    subtitle(axes, heading(each))
    name_ends(axes)
    return figure


def expected_tips(result: Result, times: Float64) -> Float64 | None:
    """float64[n], tips expected at each time; None for a single parent, with which they grow without end, and
    where agents hear of their own blocks sooner than others do, of which no formula is known.

    At a constant rate `theory.tips_at_load`, where it changes the fluid limit.
    """
    scenario = result.scenario
    if scenario.parents < 2 or scenario.delay_max == 0 or not one_delay(scenario):
        return None
    if len(scenario.corners) == 1:
        level = theory.tips_at_load(scenario.rate_max, scenario.delay_max, scenario.parents)
        return np.full(times.size, level)
    return theory.fluid_tips(times, rate_at(result, times), scenario.delay_max, scenario.parents)


@styled
def first_approval(results: Results) -> Figure:
    """How long blocks wait for their first approval, as the share that still waits; gray dashes: what is expected.

    Nobody sees a block during h; then, with uniform selection, it is approved at rate (k - 1) / h (Popov 2018,
    section 3), so that the logarithmic share falls along a straight line.
    """
    from tangle.sim.measures import time_to_first_approval

    each = several(results)
    figure, (axes,) = sheet(
        "Time to first approval", "age of a block, in delays h", "share still without approval", yscale="log"
    )
    longest = 1.0
    for i, (result, label) in enumerate(zip(each, labels(each), strict=True)):
        waits = np.sort(time_to_first_approval(result, warmup(result))) / delay(result)
        left = 1 - np.arange(1, waits.size + 1) / waits.size
        keep = left >= max(1e-3, 5 / max(waits.size, 1))
        curve(axes, *thin(waits[keep], left[keep], 150), i, label)
        longest = max(longest, float(waits[keep].max(initial=1.0)))
    k = each[0].scenario.parents
    if k > 1 and one_delay(each[0].scenario):
        ages = np.linspace(0, longest, 200)
        expected(axes, ages, theory.unapproved(ages, 1.0, k), "expected, uniform")
    axes.set(xlim=(0, longest), ylim=(1e-3, 1.15))
    subtitle(axes, heading(each))
    name_ends(axes)
    return figure


@styled
def left_behind(results: Results) -> Figure:
    """Share of blocks that nobody had approved by the end, over the time when they were issued.

    The newest are young and not counted; what is left among older ones has been left behind. Where every block
    finds an approver the share is 0.
    """
    each = several(results)
    figure, (axes,) = sheet("Blocks never approved", "time issued, in delays h", "share without approval")
    names = labels(each)
    for i, result in enumerate(each):
        h = delay(result)
        stop = int(np.searchsorted(result.times, result.end - 10 * h))
        lonely = result.first_approvers[1:stop] < 0
        bins = np.array_split(np.arange(lonely.size), min(24, max(lonely.size // 50, 1)))
        at = [float(result.times[1:stop][b].mean()) / h for b in bins if b.size]
        share = [float(lonely[b].mean()) for b in bins if b.size]
        curve(axes, at, share, i, names[i], marks=True, linewidth=1.0)
    axes.set(xlim=(0, None), ylim=(-0.02 * max(axes.get_ylim()[1], 0.02), max(axes.get_ylim()[1], 0.02)))
    subtitle(axes, heading(each))
    name_ends(axes)
    return figure


@styled
def arrivals(results: Results) -> Figure:
    """Blocks issued per unit of time, honest ones and the adversary's; gray dashes: the rate that is declared."""
    each = several(results)
    result = each[0]
    figure, (axes,) = sheet("Arrivals", "time, in delays h", "blocks per delay")
    h = delay(result)
    edges = np.linspace(0, result.end, BINS + 1)
    middle, width = (edges[1:] + edges[:-1]) / 2 / h, (edges[1] - edges[0]) / h
    below = np.zeros(BINS)
    for i, (name, chosen) in enumerate((("honest", result.honest), ("adversary", ~result.honest))):
        counts = np.histogram(result.times[chosen][1 if name == "honest" else 0 :], edges)[0] / width
        if counts.any():
            axes.stairs(
                below + counts, edges / h, baseline=below, fill=True, facecolor=INKS[i], alpha=0.55,
                hatch=HATCHES[i], label=name, edgecolor="#ffffff", linewidth=0,
            )  # fmt: skip
            below = below + counts
    expected(axes, middle, rate_at(result, middle * h) * h, "declared")
    subtitle(axes, heading([result]))
    axes.legend(loc="upper left", ncols=3, fontsize=8)
    axes.set(ylim=(0, below.max() * 1.25), xlim=(0, edges[-1] / h))
    return figure
