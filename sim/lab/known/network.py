"""Known figures of a network: agents at a distance, a rate that changes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tangle.sim import theory
from tangle.sim.lab.figures.style import INKS, THEORY, curve, expected, name_ends, sheet, styled
from tangle.sim.lab.known.known import Comparison, Data, Known, between, near, simulated
from tangle.sim.measures import tips_over_time
from tangle.sim.scenario import Agent
from tangle.tipselect.confidence import wilson
from tangle.tipselect.kernels import Float64, Int32

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DISTANCES = (0.1, 0.3, 0.6, 1.0, 1.6, 2.4)
"""of each crowd of issuers from the middle, in units of time; a message takes the sum of two"""
SINGLE = "differs: nodes that have their own blocks at once approve them, however far away they are"
CORNERS = ((0.0, 20.0), (50.0, 20.0), (100.0, 120.0), (150.0, 120.0), (200.0, 20.0), (260.0, 20.0))


def run_distance(quick: bool) -> Data:
    """Six groups of equal share around a middle, weighted walks: as crowds, and as single nodes.

    What a member of a crowd issues reaches the others of it by way of the middle; a single node has its own blocks
    at once.
    """
    crowds = tuple(tuple(a + b for b in DISTANCES) for a in DISTANCES)
    nodes = tuple(tuple(0.0 if i == j else row[j] for j in range(len(row))) for i, row in enumerate(crowds))
    return {"crowds": distant(crowds, quick), "single nodes": distant(nodes, quick)}


def distant(delays: tuple[tuple[float, ...], ...], quick: bool) -> Data:
    """Blocks left behind, how many and of how many, and the mean wait, float64[runs, agents]."""
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
    return {"counts": counts, "behind": counts[:, 0] / counts[:, 1], "waits": np.array(waits)}


@styled
def draw_distance(data: Data) -> Figure:
    """Share left behind and wait, over distance."""
    x = "distance of the agent from the middle"
    figure, (left, right) = sheet("Agents at a distance, alpha 0.05", x, "share never approved", panels=2)
    for i, (name, found) in enumerate(data.items()):
        ends = np.array([wilson(int(m), int(n)) for m, n in found["counts"]]).T
        errors = np.maximum(np.abs(ends - found["behind"]), 0)
        left.errorbar(DISTANCES, found["behind"], errors, color=INKS[i], linestyle="none", capsize=2)
        curve(left, DISTANCES, found["behind"], i, marks=True)
        curve(right, DISTANCES, found["waits"].mean(axis=0), i, name, marks=True)
    right.set(ylabel="mean time to first approval", ylim=(0, None), xlim=(0, None))
    left.set(ylim=(-0.01, None), xlim=(0, None))
    name_ends(right)
    return figure


def check_distance(data: Data) -> list[Comparison]:
    """The far ones wait longer, whoever they are; they lose more blocks where they are crowds."""
    behind, waits = data["crowds"]["behind"], data["crowds"]["waits"].mean(axis=0)
    alone = data["single nodes"]
    return [
        between("share left behind, farthest less nearest agent", "low latency helps",
                float(behind[-1] - behind[0]), 0.02, 1.0, "crowds"),
        between("correlation of distance and share left behind", "positive",
                float(np.corrcoef(DISTANCES, behind)[0, 1]), 0.8, 1.0, "crowds"),
        between("wait, farthest less nearest agent", "low latency helps", float(waits[-1] - waits[0]), 0.5, 10.0,
                "crowds"),
        between("wait, farthest less nearest agent, single nodes", "low latency helps",
                float(np.diff(alone["waits"][:, [0, -1]]).min()), 0.02, 10.0, "the least of the runs"),
        Comparison("share left behind, farthest less nearest agent, single nodes", "low latency helps",
              float(alone["behind"][-1] - alone["behind"][0]), bool(alone["behind"][-1] > alone["behind"][0]),
              SINGLE),
    ]  # fmt: skip


def run_ramp(quick: bool) -> Data:
    """A rate that rises sixfold and falls again; unweighted and uniform selection."""
    area = sum((b - a) * (p + q) / 2 for (a, p), (b, q) in pairwise(CORNERS))
    found = {}
    for name in ("uniform",) if quick else ("uniform", "unweighted"):
        result = simulated(0.0, 0, arrivals=CORNERS, blocks=int(area), selector=name)
        found[name] = (result.times, result.tips, tips_over_time(result, points=300))
    lags = []
    for seed in range(20 if quick else 60):
        result = simulated(0.0, 0, arrivals=CORNERS, blocks=int(area), selector="uniform", seed=2018 + seed)
        lags.append(lag(result.times, result.tips))
    return {"found": found, "lags": np.array(lags)}


def lag(times: Float64, tips: Int32 | Float64) -> float:
    """By how long tips come behind 2 lambda(t) h while the rate rises, in h: 4 more are expected for each."""
    rising = (times > 60) & (times < 100)
    at, rates = np.array(CORNERS).T
    return float((2 * np.interp(times, at, rates) - tips)[rising].mean() / 4)


@styled
def draw_ramp(data: Data) -> Figure:
    """Tips over time, and 2 lambda(t) h."""
    figure, (axes,) = sheet("Tips follow a changing rate", "time, in delays h", "tips")
    for i, (name, (_, _, (times, tips))) in enumerate(data["found"].items()):
        curve(axes, times, tips, i, name, linewidth=1.2)
    times, rates = np.array(CORNERS).T
    at = np.linspace(0.0, times[-1], 261)
    expected(axes, at, theory.fluid_tips(at, np.interp(at, times, rates), 1.0), "fluid limit")
    expected(axes, times, [theory.tips(rate, 1.0, 2) for rate in rates], "2 λ(t) h", linestyle=(0, (1, 2)))
    axes.fill_between(times, 0, rates, color=THEORY, alpha=0.12, linewidth=0)
    axes.annotate("shade: λ(t) h", (125, 50), ha="center", fontsize=8, color=THEORY)
    axes.set(xlim=(0, 260), ylim=(0, None))
    name_ends(axes)
    return figure


def check_ramp(data: Data) -> list[Comparison]:
    """Tips on the plains, and how late they come on the slope."""
    times, tips, _ = data["found"]["uniform"]

    def mean(start: float, stop: float) -> float:
        return float(tips[(times >= start) & (times < stop)].mean())

    at, rates = np.array(CORNERS).T
    fluid = lag(times, theory.fluid_tips(times, np.interp(times, at, rates), 1.0))
    lags = data["lags"]
    late, half = float(lags.mean()), 2.6 * float(lags.std(ddof=1)) / lags.size**0.5

    return [
        near("mean tips before the rise", 40.0, mean(20, 50), 0.1),
        near("mean tips on the plateau", 240.0, mean(110, 150), 0.05),
        near("mean tips after the fall", 40.0, mean(210, 258), 0.15),
        between("lag behind 2 λ(t) h while it rises, in h", fluid, late, fluid - half, fluid + half,
                f"fluid limit, Ferraro, King, Shorten 2019; 99 % of {lags.size} runs: {late - half:.2f} to "
                f"{late + half:.2f}"),
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
