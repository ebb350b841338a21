"""Figures of where walks end, and of how far agents agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tangle.sim.lab.figures.common import Results, delay, heading, labels, several, warmup
from tangle.sim.lab.figures.style import INKS, curve, expected, name_ends, sheet, styled, subtitle

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def exits(results: Results) -> Figure:
    """Exit probabilities of the tips at the end of the run, sorted, each times their number: 1 is an even chance.

    A walk ends on every tip alike where the line is flat (uniform selection); the steeper, the more tips are
    passed by (Kusmierz et al. 2019 explain the differences between selections by this spread).
    """
    from tangle.sim.measures import exit_probabilities

    each = several(results)
    figure, (axes,) = sheet(
        "Exit probabilities",
        "tips, the likeliest first (share)",
        "exit probability, times the number of tips",
        yscale="log",
    )
    names = labels(each)
    top = 1.0
    for i, result in enumerate(each):
        chances = np.sort(np.asarray(exit_probabilities(result)[-1], float))[::-1]
        curve(axes, (np.arange(chances.size) + 0.5) / chances.size, chances * chances.size, i, names[i])
        top = max(top, float(chances[0]) * chances.size)
    expected(axes, [0, 1], [1, 1], "even chance")
    axes.set(xlim=(0, 1), ylim=(1e-3, 2 * top))
    subtitle(axes, heading(each))
    name_ends(axes)
    return figure


@styled
def agreement(results: Results, *, points: int = 24) -> Figure:
    """How far agents would approve the same: agreement of each pair of agents over time, and its mean (thick)."""
    from tangle.sim.measures import agreement as measured

    result = next((r for r in several(results) if r.agents > 1), several(results)[0])
    h = delay(result)
    times = np.linspace(warmup(result), result.end, points)
    found = np.asarray(measured(result, times))
    names = [agent.name or f"agent {i + 1}" for i, agent in enumerate(result.scenario.everybody)]
    pairs = [(a, b) for a in range(len(names)) for b in range(a)]
    figure, (axes,) = sheet("Agreement of agents", "time, in delays h", "agreement", ylim=(0, 1.03))
    few = len(pairs) <= 6
    for i, (a, b) in enumerate(pairs[:60]):
        look = {} if few else {"color": INKS[5], "linewidth": 0.5, "linestyle": "-"}
        curve(axes, times / h, found[:, a, b], i, f"{names[b]}, {names[a]}" if few else "", marks=few, **look)
    if len(pairs) > 1:
        mean = np.mean([found[:, a, b] for a, b in pairs], axis=0)
        axes.plot(times / h, mean, color=INKS[0] if not few else "#22303c", linewidth=2.4, label="mean")
    subtitle(axes, heading([result]))
    name_ends(axes)
    return figure
