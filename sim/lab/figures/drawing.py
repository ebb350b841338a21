"""A small drawing of the Tangle itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tangle.sim.lab.figures.common import Results, delay, heading, several
from tangle.sim.lab.figures.style import GRID, INKS, PAPER, THEORY, sheet, styled, subtitle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tangle.sim.result import Result

BLOCKS = (60, 260)
"""drawn at least and at most; between, those of three delays"""


@styled
def tangle(results: Results, *, blocks: int | None = None, end: int | None = None) -> Figure:
    """The newest blocks of the Tangle and the approvals between them, time from left to right.

    Open circles are tips, squares the adversary's blocks, a cross is one that was withheld and never released.
    The gray stretch at the right is the last delay h, within which nobody knows of a block but who issued it.
    """
    result = several(results)[0]
    h = delay(result)
    stop = len(result) if end is None else min(end, len(result))
    blocks = int(np.clip(3 * result.scenario.load, *BLOCKS)) if blocks is None else blocks
    numbers = np.arange(max(0, stop - blocks), stop)
    heights = 9 if blocks <= 80 else 24
    x = result.times[numbers] / h
    y = lanes(result, numbers, heights)
    figure, (axes,) = sheet(
        "The newest blocks of the Tangle", "time, in delays h", size=(7.2, 2.9 if heights < 20 else 4.0)
    )
    first = int(numbers[0])
    lines: list[tuple[float, float]] = []
    for i, block in enumerate(numbers):
        for parent in result.parents[block]:
            if parent >= first:
                lines += [(x[i], y[i]), (x[parent - first], y[parent - first]), (np.nan, np.nan)]
            elif parent >= 0:
                lines += [(x[i], y[i]), (x[i] - 0.03 * (x[-1] - x[0]), y[i]), (np.nan, np.nan)]
    axes.plot(*np.array(lines).T, color=THEORY, linewidth=0.7 if heights < 20 else 0.4, alpha=0.8, zorder=1)
    tip = ~np.isin(numbers, result.parents[:stop])
    theirs = ~result.honest[numbers]
    secret = np.array([not np.isfinite(result.withheld.get(int(b), 0.0)) for b in numbers])
    for i, (chosen, mark, face) in enumerate((
        (~tip & ~theirs, "o", INKS[0]), (tip & ~theirs, "o", PAPER), (~tip & theirs & ~secret, "s", INKS[1]),
        (tip & theirs & ~secret, "s", PAPER), (theirs & secret, "X", INKS[1]),
    )):  # fmt: skip
        edge = INKS[1] if i > 1 else INKS[0]
        axes.scatter(
            x[chosen],
            y[chosen],
            s=34 if heights < 20 else 13,
            marker=mark,
            facecolors=face,
            edgecolors=edge,
            linewidths=1.3 if heights < 20 else 0.9,
            zorder=3,
        )
    axes.axvspan(x[-1] - 1, x[-1], color=GRID, alpha=0.7, zorder=0, linewidth=0)
    axes.set(yticks=[], xlim=(x[0] - 0.04 * (x[-1] - x[0]), x[-1] + 0.03 * (x[-1] - x[0])), ylim=(-1, heights))
    axes.grid(False)
    subtitle(axes, heading([result]))
    axes.spines["left"].set_visible(False)
    return figure


def lanes(result: Result, numbers, heights: int):  # type: ignore[no-untyped-def]
    """float64[n], a height for each block: near the mean of its parents', where there is room."""
    span = max(float(result.times[numbers[-1]] - result.times[numbers[0]]), 1e-9)
    near = (0.045 if heights < 20 else 0.02) * span
    busy = np.full(heights, -np.inf)
    first = int(numbers[0])
    out = np.full(numbers.size, (heights - 1) / 2)
    for i, block in enumerate(numbers):
        time = result.times[block]
        known = [out[p - first] for p in result.parents[block] if p >= first]
        wish = float(np.mean(known)) if known else float((block * 5) % heights)
        order = sorted(range(heights), key=lambda lane: abs(lane - wish) + 0.35 * ((block * 7 + lane * 3) % 5))
        free = [lane for lane in order if time - busy[lane] >= near]
        lane = free[0] if free else int(np.argmin(busy))
        busy[lane] = time
        out[i] = lane
    return out
