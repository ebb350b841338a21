"""Known figures of attacks: how often they succeed, beside theory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tangle.sim import theory
from tangle.sim.contest import outpaced, success
from tangle.sim.lab.figures.style import curve, expected, name_ends, sheet, styled
from tangle.sim.lab.figures.tables import Series, outcome
from tangle.sim.lab.known.known import Comparison, Data, Known, between, near, simulated
from tangle.sim.scenario import Adversary, Scenario
from tangle.tipselect.confidence import wilson

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# --- double spend -------------------------------------------------------------------------------------------


def overtakes(q: float, depth: int) -> float:
    """Chance that a secret branch ever gets heavier than a payment accepted at weight `depth`, in a chain.

    The payment weighs 1 when the race begins, so that depth - 1 honest blocks are still to come; to be heavier is
    to have one more than it has: one block behind, for `theory.race_success`.
    """
    return theory.race_success(q, depth - 1, lead=-1)


def run_race(quick: bool) -> Data:
    """Outpacing over q for two depths in a chain, and in a busy Tangle."""
    qs = (0.1, 0.25, 0.4) if quick else (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45)
    runs = 30 if quick else 150
    cases = [("chain, depth 3", 0.02, 3), ("chain, depth 8", 0.02, 8), ("λh = 10, depth 8", 10.0, 8)]
    wins = {
        name: [success(race_scenario(load, q, depth), runs, judge=outpaced).wins for q in qs]
        for name, load, depth in cases
    }
    return {"qs": qs, "runs": runs, "wins": wins, "depths": {name: depth for name, _, depth in cases}}


def race_scenario(load: float, q: float, depth: int) -> Scenario:
    """A double spend by somebody with share q, with time enough to give up hope.

    A run is as long for every q: in a busy Tangle one that ends before the payment's weight grows by lambda would
    count a race as lost that is only not over.
    """
    start, patience = (5.0, 1.0) if load < 1 else (15.0, 1.6)
    blocks = int(load * start) + int((120 + 10 * depth) * patience / (1 - q))
    adversary = Adversary(attack="double-spend", share=q, start=start, settings={"depth": depth})
    return Scenario(arrivals=load, delay=1.0, selector="uniform", blocks=blocks, adversary=adversary, seed=1)


@styled
def draw_race(data: Data) -> Figure:
    """Shares with intervals beside the formula."""
    at = np.linspace(0.01, 0.49, 60)
    runs = [data["runs"]] * len(data["qs"])
    series = [
        Series(name, data["qs"], wins, runs, [overtakes(float(q), data["depths"][name]) for q in at]
               if "chain" in name else None, at)
        for name, wins in data["wins"].items()
    ]  # fmt: skip
    figure: Figure = outcome(series, title="Double spend by outpacing", y="races won", xlim=(0, 0.5))
    figure.axes[0].annotate("dashes: in a chain, computed", (0.03, 0.93), xycoords="axes fraction", fontsize=8)
    return figure


def check_race(data: Data) -> list[Comparison]:
    """Chains meet the formula within their intervals; a busy Tangle is easier to outpace."""
    checks = []
    n = data["runs"]
    for name in ("chain, depth 3", "chain, depth 8"):
        for i, q in enumerate(data["qs"]):
            if q in {0.1, 0.25, 0.4}:
                wins = data["wins"][name][i]
                low, high = wilson(wins, n, 2.6)
                published = overtakes(q, data["depths"][name])
                checks.append(
                    Comparison(f"{name}, q = {q:g}: races won", published, wins / n, low <= published <= high,
                          f"99 % of {n} runs: {low:.3f} to {high:.3f}"
                          + ("; too rare for so few runs to test" if published * n < 1 else ""))
                )  # fmt: skip
    i = data["qs"].index(0.25)
    wins, chain = data["wins"]["λh = 10, depth 8"][i], overtakes(0.25, 8)
    low, high = wilson(wins, n, 2.6)
    checks.append(
        Comparison("λh = 10, depth 8, q = 0.25: races won", f"more than the {chain:.3f} of a chain", wins / n,
              low > chain,
              f"99 % of {n} runs: {low:.3f} to {high:.3f}; the payment's weight grows slowly at first")
    )  # fmt: skip
    return checks


# --- parasite chain -----------------------------------------------------------------------------------------


def run_parasite(quick: bool) -> Data:
    """Parasite chains over alpha for two shares."""
    alphas = (0.0001, 0.01, 0.3) if quick else (0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    runs = 8 if quick else 30
    shares = (0.2,) if quick else (0.1, 0.2, 0.35)
    wins = {q: [success(parasite_scenario(alpha, q), runs).wins for alpha in alphas] for q in shares}
    return {"alphas": alphas, "runs": runs, "wins": wins}


def parasite_scenario(alpha: float, q: float) -> Scenario:
    """A chain hooked to the honest Tangle, lambda h = 10."""
    settings = {"length": 60, "links": 1, "depth": 20}
    return Scenario(
        arrivals=10.0, delay=1.0, alpha=alpha, blocks=1_500, seed=1,
        adversary=Adversary(attack="parasite-chain", share=q, start=20.0, settings=settings),
    )  # fmt: skip


@styled
def draw_parasite(data: Data) -> Figure:
    """Success over alpha."""
    runs = [data["runs"]] * len(data["alphas"])
    series = [Series(f"q = {q:g}", data["alphas"], wins, runs) for q, wins in data["wins"].items()]
    figure: Figure = outcome(series, title="Parasite chain, λh = 10", x="alpha", xscale="log")
    return figure


def check_parasite(data: Data) -> list[Comparison]:
    """Dangerous for small alpha, none for greater ones."""
    wins = np.array(data["wins"][0.2]) / data["runs"]
    return [
        between("success, q = 0.2, alpha 0.0001", "walks that ignore weight are led "
        "astray", float(wins[0]), 0.3, 1.0),
        between(f"success, q = 0.2, alpha {data['alphas'][-1]:g}", "walks of great alpha are "
        "not", float(wins[-1]), 0.0,
                0.25),
    ]  # fmt: skip


# --- inflated tips ------------------------------------------------------------------------------------------


def inflated(rate: float, q: float, k: int) -> float:
    """Tips while somebody's share q of all blocks approves nothing new: k l h / (k (1 - q) - 1), infinite beyond.

    `rate` is that of the honest blocks, h is 1. Derived as in Popov 2018, section 3, with k (1 - q) approvals of
    random tips for each new block.
    """
    left = k * (1 - q) - 1
    return k * rate / left if left > 0 else math.inf


def run_inflation(quick: bool) -> Data:
    """Tips over the share of a spammer, uniform selection of two and of four."""
    qs = (0.0, 0.2, 0.4) if quick else (0.0, 0.1, 0.2, 0.3, 0.4, 0.45, 0.55, 0.65, 0.7)
    tips: dict[int, list[float]] = {2: [], 4: []}
    for k, found in tips.items():
        for q in qs:
            spam = Adversary(attack="tip-spam", share=q, settings={"burst": 1_000}) if q else None
            blocks = int(20.0 / (1 - q) * (60 if quick else 200))
            result = simulated(20.0, 0, blocks=blocks, parents=k, selector="uniform", adversary=spam)
            found.append(float(result.tips[len(result) // 2 :].mean()))
    return {"qs": qs, "tips": tips}


@styled
def draw_inflation(data: Data) -> Figure:
    """Tips over q, with the derived curve and the threshold."""
    figure, (axes,) = sheet(
        "Tip spam, honest λh = 20, uniform", "share q of the spammer", "mean tips, second half", yscale="log"
    )
    at = np.linspace(0, 0.745, 300)
    for i, (k, tips) in enumerate(data["tips"].items()):
        curve(axes, data["qs"], tips, i, f"k = {k}", marks=True)
        line = np.array([inflated(20.0, float(q), k) for q in at])
        line[line > 2e4] = np.nan
        expected(axes, at, line, "k λh / (k (1-q) - 1)" if i == 0 else "")
        axes.axvline(1 - 1 / k, color="#6b7580", linewidth=0.8, linestyle=(0, (1, 2)))
    axes.set(xlim=(0, 0.8), ylim=(20, 2e4))
    name_ends(axes)
    return figure


def check_inflation(data: Data) -> list[Comparison]:
    """Below the threshold the formula holds; above it tips grow for ever."""
    checks = []
    for k in (2, 4):
        for q in (0.2, 0.4):
            measured = float(data["tips"][k][data["qs"].index(q)])
            checks.append(near(f"mean tips, k = {k}, q = {q:g}", inflated(20.0, q, k), measured, 0.15))
    return checks


KNOWN = (
    Known(
        "double-spend", "Double spend by outpacing, over q and depth",
        "Popov 2018, section 4; Nakamoto 2008, section 11; Rosenfeld 2014",
        "The chance to outpace a payment falls exponentially with its depth while q < 1/2.",
        run_race, draw_race, check_race,
    ),
    Known(
        "parasite-chain", "Parasite chain over alpha",
        "Popov 2018, section 4.1; Cullen, Ferraro, King, Shorten 2020",
        "A walk with a small alpha is led onto a parasite chain; a greater alpha passes it by.",
        run_parasite, draw_parasite, check_parasite,
    ),
    Known(
        "tip-spam", "Tips inflated by a spammer",
        "Ferraro, Penzkofer, King, Shorten 2022; Penzkofer and others 2023, critical rate of an adversary",
        "Beyond a critical share of the adversary the number of tips is unstable: 1 - 1/k for random selection.",
        run_inflation, draw_inflation, check_inflation,
    ),
)  # fmt: skip
