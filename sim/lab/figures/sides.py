"""Figure of a conflict: which side the Tangle grows upon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tangle.sim.lab.figures.common import Results, delay, several
from tangle.sim.lab.figures.style import INKS, curve, name_ends, note, sheet, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS = 80


@styled
def sides(results: Results) -> Figure:
    """Share of the honest blocks of each moment that approve each side of the conflict, over time.

    Side 0 is the honest payment, others are what the adversary would rather have. Vertical lines: withheld blocks
    are released.
    """
    result = several(results)[0]
    h = delay(result)
    figure, (axes,) = sheet(
        "Sides of a conflict", "time, in delays h", "share of honest blocks", ylim=(-0.02, 1.05)
    )
    edges = np.linspace(0, result.end, BINS + 1)
    chosen = result.honest.copy()
    chosen[0] = False
    total = np.histogram(result.times[chosen], edges)[0]
    middle = (edges[1:] + edges[:-1]) / 2 / h
    with np.errstate(invalid="ignore", divide="ignore"):
        for i in range(8):
            on = (result.sides & np.uint8(1 << i)) > 0
            if on.any():
                share = np.histogram(result.times[chosen & on], edges)[0] / total
                curve(axes, middle, share, i, f"side {i}")
        neither = chosen & (result.sides == 0)
        share = np.histogram(result.times[neither], edges)[0] / total
        axes.plot(middle, share, color=INKS[5], linewidth=0.9, linestyle=(0, (1, 2)), label="neither")
    released = sorted({t for t in result.withheld.values() if np.isfinite(t)})[:40]
    for time in released:
        axes.axvline(time / h, color=INKS[4], linewidth=0.8, linestyle="-.")
    if released:
        note(axes, "vertical: withheld blocks are released")
    axes.set_xlim(0, result.end / h)
    name_ends(axes)
    return figure
