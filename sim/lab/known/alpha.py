"""Known figures of what weighted walks leave behind, and of selections made against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tangle.sim import theory
from tangle.sim.lab.figures.style import HATCHES, INKS, curve, expected, name_ends, sheet, styled
from tangle.sim.lab.known.known import Comparison, Data, Known, between, near, simulated
from tangle.sim.measures import exit_probabilities, tips_over_time
from tangle.tipselect.confidence import wilson

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tangle.sim.result import Result

LATE = 30.0
"""delays after which a block without approval counts as left behind"""
WARMUP = 20.0


def abandoned(result: Result) -> tuple[int, int]:
    """How many blocks older than LATE, and younger than the beginning, have no approval; of how many."""
    old = (result.times > WARMUP) & (result.times < result.end - LATE)
    return int((result.first_approvers[old] < 0).sum()), int(old.sum())


# --- tips over time by alpha --------------------------------------------------------------------------------


def run_drift(quick: bool) -> Data:
    """Tips over 200,000 blocks for three alpha, lambda h = 50."""
    blocks = 30_000 if quick else 200_000
    curves, slopes, ends = {}, {}, {}
    for alpha in (0.0, 0.001, 0.005, 0.02):
        result = simulated(50.0, 0, blocks=blocks, alpha=alpha)
        curves[alpha] = tips_over_time(result, points=300)
        late = slice(blocks // 10, None)
        slopes[alpha] = float(np.polyfit(result.times[late], result.tips[late], 1)[0]) / 50.0
        ends[alpha] = float(result.tips[-2_000:].mean()) / blocks
    return {"curves": curves, "slopes": slopes, "ends": ends}


@styled
def draw_drift(data: Data) -> Figure:
    """Tips over time, per alpha."""
    figure, (axes,) = sheet("Tips of weighted walks, λh = 50", "time, in delays h", "tips")
    for i, (alpha, (times, tips)) in enumerate(data["curves"].items()):
        curve(axes, times, tips, i, f"alpha {alpha:g}", linewidth=1.2)
    end = max(times[-1] for times, _ in data["curves"].values())
    expected(axes, [0, end], [theory.tips(50.0, 1.0, 2)] * 2, "2 λh, uniform")
    axes.set(xlim=(0, None), ylim=(0, None))
    name_ends(axes)
    return figure


def check_drift(data: Data) -> list[Comparison]:
    """Bounded for alpha 0, hardly growing for 0.001, growing for more."""
    slopes = data["slopes"]
    return [
        between("growth of tips per block, alpha 0", "none", slopes[0.0], -2e-4, 2e-4),
        between(
            "growth of tips per block, alpha 0.001", "not visible in 200,000 blocks", slopes[0.001], -3e-4, 3e-4
        ),
        between("growth of tips per block, alpha 0.02", "grows on average", slopes[0.02], 5e-4, 1.0),
    ]


# --- left behind by alpha -----------------------------------------------------------------------------------


def run_behind(quick: bool) -> Data:
    """Share of blocks left behind over alpha, for three rates."""
    alphas = (0.001, 0.01, 0.1, 1.0) if quick else tuple(float(a) for a in np.geomspace(0.001, 3, 12))
    loads = (10.0, 50.0) if quick else (10.0, 50.0, 200.0)
    counts = [
        [abandoned(simulated(load, 120 if quick else 200 + 2_000 / load, alpha=alpha)) for alpha in alphas]
        for load in loads
    ]
    return {"alphas": alphas, "loads": loads, "counts": counts}


@styled
def draw_behind(data: Data) -> Figure:
    """Shares with intervals, over alpha."""
    figure, (axes,) = sheet("Blocks left behind", "alpha", "share never approved", xscale="log")
    for i, (load, counts) in enumerate(zip(data["loads"], data["counts"], strict=True)):
        share = np.array([m / n for m, n in counts])
        ends = np.array([wilson(m, n) for m, n in counts]).T
        axes.errorbar(data["alphas"], share, np.maximum(np.abs(ends - share), 0), color=INKS[i], linestyle="none",
                      capsize=2, elinewidth=0.8)  # fmt: skip
        curve(axes, data["alphas"], share, i, f"λh = {load:g}", marks=True)
    axes.set_ylim(-0.01, None)
    name_ends(axes)
    return figure


def check_behind(data: Data) -> list[Comparison]:
    """None for small alpha, ever more for greater ones, and for greater rates."""
    shares = np.array([[m / n for m, n in counts] for counts in data["counts"]])
    steps = np.diff(shares, axis=1)
    top = float(shares[1, -1])
    return [
        between("share left behind, λh = 50, alpha 0.001", "tends to 0", float(shares[1, 0]), 0.0, 0.002),
        between(f"share left behind, λh = 50, alpha {data['alphas'][-1]:g}", "grows with alpha", top, 0.2, 0.7),
        between("greatest decrease from one alpha to the next", "none", float(-steps.min()), -1.0, 0.03,
                "sampling error"),
        between("the same alpha (0.01), λh = 50 less λh = 10", "grows with lambda",
                float(shares[1][near_index(data, 0.01)] - shares[0][near_index(data, 0.01)]), -0.001, 1.0),
    ]  # fmt: skip


def near_index(data: Data, alpha: float) -> int:
    """Where the alpha nearest to one stands."""
    return int(np.argmin(np.abs(np.log(np.array(data["alphas"]) / alpha))))


# --- exit probabilities -------------------------------------------------------------------------------------


def run_exits(quick: bool) -> Data:
    """Exact exit probabilities of the tips at one moment, for several selections, lambda h = 50."""
    kinds: dict[str, dict[str, Any]] = {
        "uniform": {"selector": "uniform"}, "unweighted walk": {"selector": "unweighted"},
        "weighted, alpha 0.01": {"alpha": 0.01}, "weighted, alpha 0.1": {"alpha": 0.1},
    }  # fmt: skip
    sorted_chances, effective = {}, {}
    for name, fields in kinds.items():
        result = simulated(50.0, 60, **fields)
        moments = np.linspace(40, 59, 4 if quick else 20)
        many = [np.asarray(exit_probabilities(result, float(t))[-1], float) for t in moments]
        sorted_chances[name] = np.sort(many[-1])[::-1]
        effective[name] = float(np.mean([1 / np.sum(chances**2) / chances.size for chances in many]))
    return {"chances": sorted_chances, "effective": effective}


@styled
def draw_exits(data: Data) -> Figure:
    """Sorted probabilities, times the number of tips."""
    figure, (axes,) = sheet(
        "Exit probabilities, λh = 50", "tips, the likeliest first (share)", "probability, times the number of "
        "tips",
        yscale="log",
    )  # fmt: skip
    for i, (name, chances) in enumerate(data["chances"].items()):
        curve(axes, (np.arange(chances.size) + 0.5) / chances.size, chances * chances.size, i, name)
    axes.set(xlim=(0, 1), ylim=(1e-3, 100))
    name_ends(axes)
    return figure


def check_exits(data: Data) -> list[Comparison]:
    """Even for uniform selection, spread for walks, the more the greater alpha."""
    found = data["effective"]
    return [
        near("effective share of tips, uniform", 1.0, found["uniform"], 1e-9),
        between("effective share of tips, unweighted walk", "below 1", found["unweighted walk"], 0.5, 0.98),
        between("effective share of tips, alpha 0.1", "far below", found["weighted, alpha 0.1"], 0.0, 0.3,
                "most tips are left behind"),
    ]  # fmt: skip


# --- selections made against it -----------------------------------------------------------------------------


def run_selectors(quick: bool) -> Data:
    """Blocks left behind for each selection, lambda h = 50, alpha 0.1 where there is one."""
    kinds: dict[str, dict[str, Any]] = {
        "weighted": {"alpha": 0.1}, "g-iota": {"selector": "g-iota", "alpha": 0.1, "settings": {"age": 500}},
        "e-iota": {"selector": "e-iota", "settings": {"high_alpha": 0.1, "low_alpha": 0.001}},
        "hybrid": {"selector": "hybrid", "alpha": 0.1}, "unweighted": {"selector": "unweighted"},
    }  # fmt: skip
    counts, tips = {}, {}
    for name, fields in kinds.items():
        parents = 3 if name == "g-iota" else 2
        result = simulated(50.0, 120 if quick else 400, parents=parents, **fields)
        counts[name] = abandoned(result)
        tips[name] = float(result.tips[len(result) // 2 :].mean())
    return {"counts": counts, "tips": tips}


@styled
def draw_selectors(data: Data) -> Figure:
    """A bar per selection."""
    names = list(data["counts"])
    figure, (axes,) = sheet("Blocks left behind by selection, λh = 50, alpha 0.1", "", "share never approved")
    for i, name in enumerate(names):
        m, n = data["counts"][name]
        low, high = wilson(m, n)
        axes.bar(i, m / n, 0.6, color=INKS[i], hatch=HATCHES[i], linewidth=0)
        axes.errorbar(i, m / n, [[m / n - low], [high - m / n]], color="#22303c", capsize=3, linewidth=1)
        axes.annotate(f"{100 * m / n:.2g} %", (i, high), xytext=(0, 4), textcoords="offset points", ha="center",
                      fontsize=9)  # fmt: skip
    axes.set_xticks(range(len(names)), names)
    axes.grid(False, axis="x")
    return figure


def check_selectors(data: Data) -> list[Comparison]:
    """Weighted walks leave many behind, each of the others hardly any."""
    share = {name: m / n for name, (m, n) in data["counts"].items()}
    return [
        between("left behind, weighted, alpha 0.1", "many", share["weighted"], 0.1, 0.6),
        *(
            between(f"left behind, {name}", "none, or hardly any", share[name], 0.0, 0.02)
            for name in ("g-iota", "e-iota", "hybrid")
        ),
    ]


KNOWN = (
    Known(
        "tips-alpha", "Tips over time by alpha", "IOTA Foundation 2018, 'The many faces of the Tangle', "
        "simulations by Kusmierz",
        "With alpha = 0 the number of tips stays bounded; with greater alpha it grows on average, with 0.001 "
        "too slowly to be "
        "seen in 200,000 blocks.",
        run_drift, draw_drift, check_drift,
    ),
    Known(
        "left-behind", "Blocks left behind by alpha and rate",
        "Kusmierz, Gal 2018, 'Probability of being left behind and probability of becoming permanent tip in "
        "the Tangle'",
        "The share of blocks that are never approved grows with alpha and with lambda.",
        run_behind, draw_behind, check_behind,
    ),
    Known(
        "exits", "Exit probabilities by selection",
        "Kusmierz, Sanders, Penzkofer, Capossele, Gal 2019, exit probabilities",
        "Walks end on some tips far more often than on others, the more so the greater alpha; uniform "
        "selection does not.",
        run_exits, draw_exits, check_exits,
    ),
    Known(
        "selectors", "Selections that leave none behind",
        "Bu, Guercan, Potop-Butucaru 2019 (G-IOTA); Bu, Hana, Potop-Butucaru 2019 (E-IOTA); Ferraro, King, "
        "Shorten 2020 (hybrid)",
        "A third approval for a tip left behind, a random alpha, or a second approval by low alpha: each "
        "approves all blocks "
        "in finite time.",
        run_selectors, draw_selectors, check_selectors,
    ),
)  # fmt: skip
