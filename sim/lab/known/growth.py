"""Known figures of blocks becoming safe: cumulative weight and confidence over their age."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tangle.sim import theory
from tangle.sim.lab.figures.common import watched
from tangle.sim.lab.figures.style import THEORY, band, curve, expected, name_ends, sheet, styled
from tangle.sim.lab.known.known import Comparison, Data, Known, between, near, simulated
from tangle.sim.measures import adaptation_period, confidence_over_time, growth_rate, weight_growth

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOAD = 100.0
GREAT_LOAD = 4_000.0
"""at which weights are small against the tips for long enough to fit their growth"""
SPREAD = {1_000.0: 0.0028, 4_000.0: 0.0012}
"""load -> standard deviation of the fitted exponent of one run, per h, over the seeds 1 to 8"""


def run_weight(quick: bool) -> Data:
    """Weights of blocks at lambda h = 100, uniform selection; the exponent at a greater load."""
    result = simulated(LOAD, 90 if quick else 250, selector="uniform")
    ages = np.linspace(0, 30, 121)
    grown = weight_growth(result, watched(result, 30.0, 60 if quick else 400), ages)
    great = GREAT_LOAD / 4 if quick else GREAT_LOAD
    return {
        "ages": ages,
        "mean": grown.mean(axis=0),
        "low": np.quantile(grown, 0.1, axis=0),
        "high": np.quantile(grown, 0.9, axis=0),
        "half": adaptation_period(result).half,
        "great": great,
        "rate": growth_rate(simulated(great, 80, selector="uniform")),
    }


@styled
def draw_weight(data: Data) -> Figure:
    """Logarithmic and linear growth side by side."""
    ages, mean = data["ages"], data["mean"]
    figure, (left, right) = sheet(
        "Cumulative weight, λh = 100, uniform", "age of a block, in delays h", "cumulative weight", panels=2
    )
    for axes in (left, right):
        curve(axes, ages, mean, 0)
        band(axes, ages, data["low"], data["high"], 0)
    adapted = theory.adaptation_period(LOAD, 1.0)
    early = ages[ages <= np.log(LOAD) / theory.growth_rate(1.0)]
    expected(left, early, np.exp(theory.growth_rate(1.0) * early))
    late = mean[-1] + LOAD * (ages - ages[-1])
    expected(right, ages[late > 0], late[late > 0])
    for axes in (left, right):
        axes.axvline(adapted, color=THEORY, linewidth=0.8, linestyle=(0, (1, 2)))
    text = (
        f"dashes: exp(0.352 t/h)\nλh = {data['great']:g}: {data['rate']:.3f}, "
        f"derived {theory.branching_rate(1.0):.3f}\ndots: adaptation period"
    )
    left.annotate(text, (0.99, 0.03), xycoords="axes fraction", fontsize=8, ha="right", color=THEORY)
    right.annotate("dashes: slope λ", (0.03, 0.93), xycoords="axes fraction", fontsize=8, color=THEORY)
    left.set(yscale="log", ylim=(0.9, None), xlim=(0, 30))
    right.set(xlim=(0, 30), ylim=(0, mean[-1] * 1.05), ylabel="")
    return figure


def check_weight(data: Data) -> list[Comparison]:
    """The exponent, the slope, and the adaptation period."""
    ages, mean = data["ages"], data["mean"]
    slope = float((mean[-1] - mean[-21]) / (ages[-1] - ages[-21]))
    published, minded, measured = theory.growth_rate(1.0), theory.branching_rate(1.0), float(data["rate"])
    spread = SPREAD[float(data["great"])]
    what = f"exponent of the early growth, per h, λh = {data['great']:g}"
    return [
        Comparison(what, published, measured, abs(measured - published) <= 2.6 * spread,
              "differs: the paper takes tips of all ages alike; approvers of a young block are younger"),
        near(f"{what}, ages minded", minded, measured, 0.03,
             "theory.branching_rate; 0.339, 0.333, 0.333 at λh = 1,000, 4,000, 16,000"),
        near("slope of the late growth / λ", 1.0, slope / LOAD, 0.03),
        near("age at which half of the new blocks approve, in h: ln(L)/0.352",
             theory.adaptation_period(LOAD, 1.0), float(data["half"]), 0.15,
             "published as the end of adaptation; it is the middle"),
    ]  # fmt: skip


def run_confidence(quick: bool) -> Data:
    """Confidence of blocks at lambda h = 20, for several alpha."""
    alphas = (0.0, 0.01, 0.2) if quick else (0.0, 0.001, 0.01, 0.05, 0.2)
    ages = np.linspace(0.5, 24.5, 13 if quick else 25)
    found = {}
    for alpha in alphas:
        result = simulated(20.0, 80 if quick else 150, selector="weighted", alpha=alpha)
        blocks = watched(result, 25.0, 16 if quick else 60)
        found[alpha] = confidence_over_time(result, blocks, ages, walks=64 if quick else 200)
    return {"ages": ages, "found": found}


@styled
def draw_confidence(data: Data) -> Figure:
    """Mean confidence, and the lowest decile."""
    figure, (axes,) = sheet(
        "Confidence over time, λh = 20", "age of a block, in delays h", "confidence", ylim=(-0.02, 1.04)
    )
    for i, (alpha, found) in enumerate(data["found"].items()):
        curve(axes, data["ages"], found.mean(axis=0), i, f"alpha {alpha:g}", marks=True)
        curve(axes, data["ages"], np.quantile(found, 0.1, axis=0), i, "", linewidth=0.9)
    axes.set_xlim(0, data["ages"][-1])
    name_ends(axes)
    axes.annotate(
        "without marks: one block in ten stays below", (0.02, 0.95), xycoords="axes fraction", fontsize=8
    )
    return figure


def check_confidence(data: Data) -> list[Comparison]:
    """Certainty for small alpha; some never get there for a great one."""
    found = data["found"]
    last = {alpha: values[:, -1] for alpha, values in found.items()}
    return [
        between("mean confidence after 24 h, alpha 0.01", "near 1", float(last[0.01].mean()), 0.93, 1.0),
        between("blocks below 0.5 after 24 h, alpha 0.2", "some, for "
        "ever", float((last[0.2] < 0.5).mean()), 0.05, 0.9,
                "left behind; the share depends on alpha and λh"),
    ]  # fmt: skip


KNOWN = (
    Known(
        "weight-growth", "Growth of cumulative weight",
        "Popov 2018, section 3, adaptation period; Kusmierz, Sanders, Penzkofer, Capossele, Gal 2019",
        "Cumulative weight grows like exp(0.352 t/h) during an adaptation period of about ln(lambda h) / 0.352 "
        "delays, "
        "then linearly with slope lambda.",
        run_weight, draw_weight, check_weight,
    ),
    Known(
        "confidence", "Confidence over time by alpha",
        "Popov 2018, section 1; Bu, Guercan, Potop-Butucaru 2019, on confidence fairness",
        "Every block becomes certain with a small alpha; a great one leaves some behind whose confidence stays 0.",
        run_confidence, draw_confidence, check_confidence,
    ),
)  # fmt: skip
