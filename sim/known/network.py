"""Known figures of a network: agents at a distance, a rate that changes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from sim import theory
from sim.figures.style import THEORY, curve, expected, name_ends, sheet, styled
from sim.known.known import Check, Data, Known, between, near, simulated
from sim.measures import tips_over_time
from sim.scenario import Agent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DISTANCES = (0.1, 0.3, 0.6, 1.0, 1.6, 2.4)
"""of each crowd of issuers from the middle, in units of time; a message takes the sum of two"""
CORNERS = ((0.0, 20.0), (50.0, 20.0), (100.0, 120.0), (150.0, 120.0), (200.0, 20.0), (260.0, 20.0))


def run_distance(quick: bool) -> Data:
    """Six crowds of equal share around a middle, weighted walks."""
    delays = tuple(tuple(a + b for b in DISTANCES) for a in DISTANCES)
    behind, waits = [], []
    for seed in range(1 if quick else 4):
        result = simulated(
            30.0, 200 if quick else 500, agents=tuple(Agent(name=f"at {d:g}") for d in DISTANCES), delays=delays,
            alpha=0.05, seed=2018 + seed, entry_depth=1_000, window=8_000,
        )  # fmt: skip
        old = (result.times > 30) & (result.times < result.end - 60)
        mine = [old & (result.issuers == i) for i in range(len(DISTANCES))]
        behind.append([(int((result.first_approvers[m] < 0).sum()), int(m.sum())) for m in mine])
        waits.append([float(np.nanmean(result.first_approvals[m])) for m in mine])
    counts = np.array(behind).sum(axis=0)
    return {"behind": counts[:, 0] / counts[:, 1], "waits": np.mean(waits, axis=0)}


@styled
def draw_distance(data: Data) -> Figure:
    """Share left behind and wait, over distance."""
    figure, (left, right) = sheet(
        "Agents at a distance, alpha 0.05",
        "distance of the agent from the middle",
        "share never approved",
        panels=2,
    )
    curve(left, DISTANCES, data["behind"], 0, marks=True)
    curve(right, DISTANCES, data["waits"], 1, marks=True)
    right.set(ylabel="mean time to first approval", ylim=(0, None), xlim=(0, None))
    left.set(ylim=(0, None), xlim=(0, None))
    return figure


def check_distance(data: Data) -> list[Check]:
    """The far ones lose more blocks and wait longer."""
    behind, waits = data["behind"], data["waits"]
    return [
        between("share left behind, farthest less nearest agent", "low latency "
        "helps", float(behind[-1] - behind[0]),
                0.02, 1.0),
        between("correlation of distance and share left behind", "positive",
                float(np.corrcoef(DISTANCES, behind)[0, 1]), 0.8, 1.0),
        between("wait, farthest less nearest agent", "low latency helps", float(waits[-1] - waits[0]), 0.5, 10.0),
    ]  # fmt: skip


def run_ramp(quick: bool) -> Data:
    """A rate that rises sixfold and falls again; unweighted and uniform selection."""
    area = sum((b - a) * (p + q) / 2 for (a, p), (b, q) in pairwise(CORNERS))
    found = {}
    for name in ("uniform",) if quick else ("uniform", "unweighted"):
        result = simulated(0.0, 0, arrivals=CORNERS, blocks=int(area), selector=name)
        found[name] = (result.times, result.tips, tips_over_time(result, points=300))
    return {"found": found}


@styled
def draw_ramp(data: Data) -> Figure:
    """Tips over time, and 2 lambda(t) h."""
    figure, (axes,) = sheet("Tips follow a changing rate", "time, in delays h", "tips")
    for i, (name, (_, _, (times, tips))) in enumerate(data["found"].items()):
        curve(axes, times, tips, i, name, linewidth=1.2)
    times, rates = np.array(CORNERS).T
    expected(axes, times, [theory.tips(rate, 1.0, 2) for rate in rates], "2 λ(t) h")
    axes.fill_between(times, 0, rates, color=THEORY, alpha=0.12, linewidth=0)
    axes.annotate("shade: λ(t) h", (125, 50), ha="center", fontsize=8, color=THEORY)
    axes.set(xlim=(0, 260), ylim=(0, None))
    name_ends(axes)
    return figure


def check_ramp(data: Data) -> list[Check]:
    """Tips on the plains, and how late they come on the slope."""
    times, tips, _ = data["found"]["uniform"]

    def mean(start: float, stop: float) -> float:
        return float(tips[(times >= start) & (times < stop)].mean())

    rising = (times > 60) & (times < 100)
    behind = 20 + 2.0 * (times[rising] - 50) - tips[rising] / 2
    return [
        near("mean tips before the rise", 40.0, mean(20, 50), 0.1),
        near("mean tips on the plateau", 240.0, mean(110, 150), 0.05),
        near("mean tips after the fall", 40.0, mean(210, 258), 0.15),
        between("lag behind 2 λ(t) h while it rises, in h", "not published", float(behind.mean() / 2.0), 0.0, 3.0,
                "about the time a tip lives"),
    ]  # fmt: skip


KNOWN = (
    Known(
        "distance", "Agents at a distance",
        "Zander, Waite, Harz 2018, 'DAGsim', results on latency; Zander 2018",
        "Agents with low latency have more of their blocks accepted.", run_distance, draw_distance, check_distance,
    ),
    Known(
        "ramp", "Tips follow a changing rate", "Popov 2018, section 3, with the rate of the time",
        "The number of tips stays in proportion to the rate.", run_ramp, draw_ramp, check_ramp,
    ),
)  # fmt: skip
