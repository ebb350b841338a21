"""Known figures of the steady state: how many tips, how soon approved, by how many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tangle.sim import theory
from tangle.sim.lab.figures.style import HATCHES, INKS, curve, expected, name_ends, sheet, styled, subtitle
from tangle.sim.lab.known.known import Comparison, Data, Known, between, near, simulated
from tangle.sim.measures import tips_over_time

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tangle.sim.result import Result
    from tangle.tipselect.kernels import Float64

WARMUP = 20.0
"""delays until the beginning is forgotten"""


def settled_tips(result: Result, warmup: float = WARMUP) -> float:
    """Mean number of tips after each block since the beginning is forgotten."""
    return float(result.tips[result.times >= warmup * result.scenario.delay].mean())


# --- tips over time -----------------------------------------------------------------------------------------


def run_tips(quick: bool) -> Data:
    """Uniform selection at three rates."""
    rates = (10.0, 50.0, 100.0)
    results = [simulated(rate, 60 if quick else 200, selector="uniform") for rate in rates]
    curves = [tips_over_time(result, points=300) for result in results]
    return {"rates": rates, "curves": curves, "means": [settled_tips(result) for result in results]}


@styled
def draw_tips(data: Data) -> Figure:
    """Tips over time and 2 lambda h."""
    figure, (axes,) = sheet("Tips over time, two parents, uniform selection", "time, in delays h", "tips")
    for i, (rate, (times, tips)) in enumerate(zip(data["rates"], data["curves"], strict=True)):
        curve(axes, times, tips, i, f"λh = {rate:g}", linewidth=1.2)
        level = theory.tips(rate, 1.0, 2)
        expected(axes, [0, times[-1]], [level, level], "" if i else "expected, 2 λh")
    axes.set(xlim=(0, None), ylim=(0, None))
    name_ends(axes)
    return figure


def check_tips(data: Data) -> list[Comparison]:
    """Means beside 2 lambda h."""
    return [
        near(f"mean tips, λh = {rate:g}", theory.tips(rate, 1.0, 2), mean, 0.06 if rate > 10 else 0.12)
        for rate, mean in zip(data["rates"], data["means"], strict=True)
    ]


# --- tips by parents ----------------------------------------------------------------------------------------


def run_parents(quick: bool) -> Data:
    """Uniform selection of k tips, over lambda h."""
    loads = (3.0, 10.0, 30.0, 100.0) if quick else (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
    ks = (2, 3, 4, 8)
    means = [
        [settled_tips(simulated(load, 80 if quick else 200, selector="uniform", parents=k)) for load in loads]
        for k in ks
    ]
    return {"loads": loads, "parents": ks, "means": np.array(means)}


@styled
def draw_parents(data: Data) -> Figure:
    """Tips over lambda h, for several k."""
    loads = np.array(data["loads"])
    figure, (axes,) = sheet(
        "Tips and approvals per block", "λh, blocks per delay", "mean tips", xscale="log", yscale="log"
    )
    for i, (k, means) in enumerate(zip(data["parents"], data["means"], strict=True)):
        curve(axes, loads, means, i, f"k = {k}", marks=True, linestyle="none")
        expected(axes, loads, [theory.tips(load, 1.0, k) for load in loads], "" if i else "k λh / (k - 1)")
    name_ends(axes)
    return figure


def check_parents(data: Data) -> list[Comparison]:
    """Means at lambda h = 100 beside k lambda h / (k - 1)."""
    at = data["loads"].index(100.0)
    return [
        near(f"mean tips, λh = 100, k = {k}", theory.tips(100.0, 1.0, k), float(means[at]), 0.05)
        for k, means in zip(data["parents"], data["means"], strict=True)
    ]


# --- walks beside uniform selection -------------------------------------------------------------------------


def run_walks(quick: bool) -> Data:
    """Tips of uniform selection, unweighted walks and weighted ones, relative to 2 lambda h."""
    loads = (5.0, 20.0, 100.0) if quick else (5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
    kinds: dict[str, dict[str, Any]] = {
        "uniform": {"selector": "uniform"},
        "unweighted walk": {"selector": "unweighted"},
        "weighted, alpha 0.001": {"selector": "weighted", "alpha": 0.001},
    }
    delays = 100 if quick else 300
    ratios = {
        name: np.array([settled_tips(simulated(load, delays, **fields)) / (2 * load) for load in loads])
        for name, fields in kinds.items()
    }
    return {"loads": loads, "ratios": ratios}


@styled
def draw_walks(data: Data) -> Figure:
    """Ratios over lambda h."""
    figure, (axes,) = sheet(
        "Tips of walks and of uniform selection", "λh, blocks per delay", "mean tips / (2 λh)", xscale="log"
    )
    for i, (name, ratios) in enumerate(data["ratios"].items()):
        curve(axes, data["loads"], ratios, i, name, marks=True)
    expected(axes, data["loads"], np.ones(len(data["loads"])), "expected, uniform")
    axes.set_ylim(0.95, 1.15)
    name_ends(axes)
    return figure


def check_walks(data: Data) -> list[Comparison]:
    """Uniform selection meets 2 lambda h, unweighted walks stay close above."""
    at = data["loads"].index(100.0)
    ratios = {name: float(values[at]) for name, values in data["ratios"].items()}
    return [
        near("uniform, λh = 100: tips / (2 λh)", 1.0, ratios["uniform"], 0.05),
        between("unweighted, λh = 100: tips / (2 λh)", "close above 1", ratios["unweighted walk"], 1.0, 1.15,
                "walks prefer some tips, others wait longer"),
    ]  # fmt: skip


# --- low load -----------------------------------------------------------------------------------------------


def run_low(quick: bool) -> Data:
    """From a chain to a crowd: tips, wait for the first approval, share of blocks with a single parent."""
    loads = (0.01, 0.1, 1.0, 10.0) if quick else (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
    n = 3_000 if quick else 20_000
    tips, waits, chain = [], [], []
    for load in loads:
        result = simulated(load, 0, selector="uniform", blocks=max(n, int(200 * load)))
        late = slice(len(result) // 4, -max(200, int(20 * load)))
        tips.append(float(result.tips[late].mean()))
        waits.append(float(np.nanmean(result.first_approvals[late])))
        chain.append(float((result.parents[late, 1] < 0).mean()))
    return {"loads": loads, "tips": np.array(tips), "waits": np.array(waits), "chain": np.array(chain)}


@styled
def draw_low(data: Data) -> Figure:
    """Tips and wait, over lambda h."""
    loads = np.array(data["loads"])
    figure, (left, right) = sheet(
        "Low load: a chain", "λh, blocks per delay", "", panels=2, xscale="log", yscale="log"
    )
    curve(left, loads, data["tips"], 0, "mean tips", marks=True)
    expected(left, loads, [theory.tips_at_load(load, 1.0) for load in loads], "derived")
    curve(
        left, loads, np.where(data["chain"] > 0, data["chain"], np.nan), 1, "blocks with\none parent", marks=True
    )
    curve(right, loads, data["waits"], 2, "mean wait", marks=True)
    expected(right, loads, [theory.first_approval_at_load(load, 1.0) for load in loads], "derived")
    left.set_ylabel("tips; share of blocks")
    right.set_ylabel("wait for the first approval, in h")
    figure.subplots_adjust(wspace=0.75)
    name_ends(left)
    name_ends(right)
    return figure


def check_low(data: Data) -> list[Comparison]:
    """A chain at lambda h = 0.01; the crowd's 2 h at 10."""
    low, high = data["loads"].index(0.01), data["loads"].index(10.0)
    return [
        near("mean tips, λh = 0.01", 1.0, float(data["tips"][low]), 0.05),
        near("share of blocks with one parent, λh = 0.01", 1.0, float(data["chain"][low]), 0.05),
        near("mean wait / h, λh = 0.01: 1 + 1/(λh)", 101.0, float(data["waits"][low]), 0.08,
             "the paper leaves out the h: 1/λ"),
        near("mean wait / h, λh = 10", 2.0, float(data["waits"][high]), 0.1),
    ]  # fmt: skip


# --- time to first approval ---------------------------------------------------------------------------------


def run_first(quick: bool) -> Data:
    """Waits for the first approval at lambda h = 100."""
    kinds: dict[str, dict[str, Any]] = {
        "uniform": {"selector": "uniform"},
        "unweighted walk": {"selector": "unweighted"},
        "weighted, alpha 0.01": {"alpha": 0.01},
        "uniform, k = 4": {"selector": "uniform", "parents": 4},
    }
    waits = {}
    for name, fields in kinds.items():
        result = simulated(100.0, 80 if quick else 400, **fields)
        old = (result.times > WARMUP) & (result.times < result.end - WARMUP)
        waits[name] = np.sort(np.nan_to_num(result.first_approvals[old], nan=np.inf))
    return {"waits": waits}


def _still(waits: Float64, ages: Float64) -> Float64:
    left: Float64 = 1 - np.searchsorted(waits, ages, "right") / waits.size
    return np.where(left * waits.size >= 5, left, np.nan)


@styled
def draw_first(data: Data) -> Figure:
    """Share that still waits, over age."""
    ages = np.linspace(0, 9, 181)
    figure, (axes,) = sheet(
        "Time to first approval, λh = 100",
        "age of a block, in delays h",
        "share still without approval",
        yscale="log",
    )
    for i, (name, waits) in enumerate(data["waits"].items()):
        curve(axes, ages, _still(waits, ages), i, name)
    for k in (2, 4):
        expected(axes, ages, np.exp(-(k - 1) * np.maximum(ages - 1, 0)), "exp(-(k-1)(t-h)/h)" if k == 2 else "")
    axes.set(xlim=(0, 9), ylim=(1e-3, 1.2))
    name_ends(axes)
    return figure


def check_first(data: Data) -> list[Comparison]:
    """Means: h + L / (k lambda), which is 2 h for k = 2."""
    mean = {name: float(waits[np.isfinite(waits)].mean()) for name, waits in data["waits"].items()}
    return [
        near("mean wait / h, uniform, k = 2", 2.0, mean["uniform"], 0.04),
        near("mean wait / h, uniform, k = 4", 1 + 1 / 3, mean["uniform, k = 4"], 0.04),
        between("mean wait / h, unweighted, k = 2", "close above 2", mean["unweighted walk"], 1.98, 2.3),
    ]


# --- number of approvers ------------------------------------------------------------------------------------


def run_approvers(quick: bool) -> Data:
    """How many blocks approve a block directly, uniform selection and unweighted walks."""
    shares = {}
    for name, fields in {
        "uniform": {"selector": "uniform"},
        "unweighted walk": {"selector": "unweighted"},
    }.items():
        result = simulated(100.0, 100 if quick else 500, **fields)
        parents = result.parents[result.parents >= 0]
        counts = np.bincount(parents, minlength=len(result))
        old = (result.times > WARMUP) & (result.times < result.end - WARMUP)
        shares[name] = np.bincount(counts[old], minlength=12)[:12] / old.sum()
    return {"shares": shares}


def shifted_poisson(n: int, mean: float) -> float:
    """Chance of 1 + Poisson(mean) = n."""
    return math.exp(-mean) * mean ** (n - 1) / math.factorial(n - 1) if n >= 1 else 0.0


@styled
def draw_approvers(data: Data) -> Figure:
    """Shares of blocks by their number of approvers."""
    numbers = np.arange(9)
    figure, (axes,) = sheet(
        "Direct approvers of a block, λh = 100, k = 2", "number of direct approvers", "share of blocks"
    )
    for i, (name, shares) in enumerate(data["shares"].items()):
        axes.bar(
            numbers + 0.36 * (i - 0.5), shares[:9], 0.34, color=INKS[i], hatch=HATCHES[i], label=name, linewidth=0
        )
    theory_line = [shifted_poisson(int(n), 1.0) for n in numbers]
    axes.plot(numbers, theory_line, "D", color="#22303c", markersize=5, label="1 + Poisson(1)", fillstyle="none")
    axes.legend(loc="upper right")
    axes.grid(False, axis="x")
    subtitle(axes, "")
    return figure


def check_approvers(data: Data) -> list[Comparison]:
    """Shares beside those of 1 + Poisson(1)."""
    shares = data["shares"]["uniform"]
    return [
        near(f"share with {n} approver{'s' if n > 1 else ''}, uniform",
             shifted_poisson(n, 1.0), float(shares[n]), 0.06)
        for n in (1, 2, 3, 4)
    ] + [
        between("share with 1 approver, unweighted walk", "greater than uniform's",
                float(data["shares"]["unweighted walk"][1]), float(shares[1]), 0.6)
    ]  # fmt: skip


KNOWN = (
    Known(
        "tips", "Tips over time at three rates",
        "Popov 2018, section 3; Kusmierz 2017; Kusmierz, Sanders, Penzkofer, Capossele, Gal 2019",
        "The number of tips fluctuates around 2 lambda h with uniform selection of two.",
        run_tips, draw_tips, check_tips,
    ),
    Known(
        "tips-parents", "Tips for two, three, four and eight parents", "Popov 2018, section 3",
        "With k parents there are about k lambda h / (k - 1) tips.", run_parents, draw_parents, check_parents,
    ),
    Known(
        "tips-walks", "Tips of walks beside uniform selection",
        "Popov 2018, section 4.1; Kusmierz, Sanders, Penzkofer, Capossele, Gal 2019",
        "The unweighted walk leaves a few more tips than uniform selection, in proportion to lambda as well.",
        run_walks, draw_walks, check_walks,
    ),
    Known(
        "low-load", "From a chain to a crowd", "Popov 2018, section 3, regimes of low and high load",
        "At low load there is about one tip, blocks form a chain, and the wait is about 1/lambda.",
        run_low, draw_low, check_low,
    ),
    Known(
        "first-approval", "Time to first approval",
        "Popov 2018, section 3; Kusmierz, Sanders, Penzkofer, Capossele, Gal 2019",
        "A block waits h + L0 / (k lambda) on average for its first approval, 2 h for k = 2.",
        run_first, draw_first, check_first,
    ),
    Known(
        "approvers", "Number of direct approvers",
        "Penzkofer, Kusmierz, Capossele, Sanders, Saa 2020, section on the number of approvers",
        "With uniform selection the approvers of a block are 1 + Poisson(k - 1) in number.",
        run_approvers, draw_approvers, check_approvers,
    ),
)  # fmt: skip
