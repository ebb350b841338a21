"""The figures of docs/tip-selection.md: `python -m tests.plots.tip_selection [directory]`, some ten seconds.

Seeds are fixed, so the curves come out the same on every machine; only what is measured in microseconds differs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot

from tangle.tipselect import confidence, walk
from tangle.tipselect.compile import compile_kernels
from tangle.tipselect.graph import Graph
from tangle.tipselect.selectors import named
from tests.plots.grown import SLOTS, Grown

SEED = 2018
INKS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56606b")
"""colours that colour-blind people tell apart (Okabe, Ito 2008)"""
ENTRY = 400
"""vertices behind the newest that walks start"""
STYLE: dict[str, Any] = {
    "svg.hashsalt": "tangle", "svg.fonttype": "none", "figure.figsize": (7.2, 4.0), "figure.dpi": 100,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#e4e7eb",
    "legend.frameon": False, "font.size": 10,
}  # fmt: skip


def tip_count(directory: Path, *, delays: int = 40, rates: Sequence[int] = (10, 40, 160)) -> Path:
    """Tips over time, for walks and for uniform random selection, at several rates."""
    figure, axes = pyplot.subplots()
    for ink, rate in zip(INKS, rates, strict=False):
        for name, line in (("weighted", "-"), ("uniform", ":")):
            settings = {"entry_depth": ENTRY} if name == "weighted" else {}
            grown = Grown(rate, named(name, **settings), np.random.default_rng(SEED))
            times, counts = zip(*grown.watched(delays, lambda graph: graph.tip_count), strict=True)
            label = f"{name}, {rate} blocks per delay"
            axes.plot(times, counts, line, color=ink, label=label, linewidth=1.4)
        axes.axhline(2 * rate, color=ink, linewidth=0.7, dashes=(6, 4))
    axes.set(xlabel="time, in network delays", ylabel="tips", yscale="log", title="Tips over time")
    axes.annotate("dashed: 2 x rate x delay (Popov 2018)", (0.02, 0.02), xycoords="axes fraction", fontsize=8)
    axes.legend(fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    return _saved(figure, directory / "tip-count.svg")


def confidence_over_time(
    directory: Path,
    *,
    rate: int = 40,
    delays: int = 90,
    watched: int = 30,
    alphas: Sequence[float] = (0.0, 0.001, 0.01, 0.1),
) -> Path:
    """Mean confidence, and the tenth that fares worst, of blocks since they became visible, per alpha."""
    figure, axes = pyplot.subplots()
    for ink, alpha in zip(INKS, alphas, strict=False):
        ages, mean, low = rising(rate, delays, watched, alpha)
        axes.plot(ages, mean, color=ink, label=f"alpha {alpha:g}")
        axes.plot(ages, low, color=ink, linewidth=0.9, dashes=(2, 2))
    axes.set(
        xlabel="time since visible, in network delays", ylabel="confidence", ylim=(0, 1.02), xlim=(0, watched)
    )
    axes.set_title(f"Confidence over time, {rate} blocks per delay; dashed: one in ten is below")
    axes.legend(loc="upper left")
    return _saved(figure, directory / "confidence.svg")


def rising(rate: int, delays: int, watched: int, alpha: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ages in delays, mean confidence and lowest decile of blocks of each age."""
    select = named("weighted", alpha=alpha, entry_depth=ENTRY)
    grown = Grown(rate, select, np.random.default_rng(SEED))
    born: list[int] = []
    seen: list[list[float]] = [[] for _ in range(watched * 2)]
    for _ in range(delays * 2):
        for _ in range(SLOTS // 2):
            grown.step()
        graph = grown.graph
        born.append(graph.high)
        if len(born) <= len(seen) + 4:
            continue
        hits = confidence.hits(graph, 400, grown.rng, alpha=alpha) / 400
        for age in range(len(seen)):
            # Blocks that became visible in the half delay that ended `age` halves ago.
            seen[age] += hits[born[-2 - age] - graph.low : born[-1 - age] - graph.low].tolist()
    ages = np.arange(len(seen)) / 2 + 0.25
    return ages, np.array([np.mean(part) for part in seen]), np.array([np.quantile(part, 0.1) for part in seen])


def cost(directory: Path, *, sizes: Sequence[int] = (10_000, 30_000, 100_000, 300_000, 1_000_000)) -> Path:
    """Microseconds of a pair, of keeping weights per block, and of confidence per walk, over the Tangle's size."""
    compile_kernels()
    graph, rng = Graph(), np.random.default_rng(SEED)
    graph.append([])
    pair, upkeep, sampled = [], [], []
    for size in sizes:
        while graph.high < size:
            graph.extend(*batch(graph, rng))
            if len(graph) > 20_000:
                graph.drop_before(graph.high - 20_000)
        graph.flush()
        pair.append(median(lambda: walk.select(graph, 2, rng, entry_depth=1_000), 200))
        sampled.append(median(lambda: confidence.hits(graph, 1_000, rng), 10) / 1_000)
        took = []
        for _ in range(50):
            graph.extend(*batch(graph, rng))
            took.append(median(graph.flush, 1) / 64)
        upkeep.append(float(np.median(took)))
    figure, axes = pyplot.subplots()
    axes.plot(sizes, pair, "o-", color=INKS[0], label="weighted tip pair")
    axes.plot(sizes, sampled, "s-", color=INKS[1], label="confidence of all blocks, per walk")
    axes.plot(sizes, upkeep, "^-", color=INKS[2], label="keeping weights exact, per block")
    axes.set(xscale="log", yscale="log", ylim=(0.05, 300), xlabel="blocks in the Tangle", ylabel="microseconds")
    axes.set_title("Cost over size, window of 20,000 blocks")
    axes.legend(loc="upper center", ncols=2)
    return _saved(figure, directory / "cost.svg")


def batch(graph: Graph, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Parents int64[64, 8] and counts int8[64] of 64 blocks upon two of the tips each."""
    tips = graph.tips
    parents = np.full((64, 8), -1, np.int64)
    width = min(2, tips.size)
    parents[:, :width] = [rng.choice(tips, width, replace=False) for _ in range(64)]
    return parents, np.full(64, width, np.int8)


def median(call: Callable[[], object], repeats: int) -> float:
    """Microseconds of a call."""
    took = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        took.append(time.perf_counter() - start)
    return float(np.median(took)) * 1e6


def _saved(figure: Any, path: Path) -> Path:
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    return path


def main(directory: Path) -> None:
    """Make all figures."""
    mpl.use("svg")
    pyplot.style.use(STYLE)
    for figure in (tip_count, confidence_over_time, cost):
        sys.stderr.write(f"{figure(directory)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/plots"))
