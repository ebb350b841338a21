"""Figures of tables: one row per run, with the parameters that were varied and the measures that were kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tangle.sim.errors import BadMeasure
from tangle.sim.lab.figures.style import INKS, LINES, MARKS, curve, expected, name_ends, sheet, styled
from tangle.tipselect.confidence import wilson
from tangle.tipselect.kernels import Float64

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = Mapping[str, Any]
STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)
"""of 95 % for 2, 3, … runs; 2 beyond"""


@dataclass(frozen=True, slots=True)
class Series:
    """One line of an outcome: how often something happened, at each of several places.

    label : its name
    x : places, float64[n]
    wins, runs : int[n], how often of how many
    theory : float64[n] at the places of `at` (of `x` where that is empty), None without one
    """

    label: str
    x: Sequence[float] | Float64
    wins: Sequence[int]
    runs: Sequence[int]
    theory: Sequence[float] | Float64 | None = None
    at: Sequence[float] | Float64 = field(default_factory=tuple)


@styled
def outcome(
    series: Sequence[Series], *, title: str = "Success of the attack", x: str = "share q of the adversary",
    y: str = "attacks that succeed", **properties: Any,
) -> Figure:  # fmt: skip
    """Success over the adversary's share q, with Wilson intervals of 95 %; gray dashes: what theory says."""
    figure, (axes,) = sheet(title, x, y, ylim=(-0.03, 1.05), **properties)
    for i, each in enumerate(series):
        share = np.array(each.wins) / np.array(each.runs)
        ends = np.array([wilson(int(w), int(n)) for w, n in zip(each.wins, each.runs, strict=True)])
        errors = np.maximum(np.abs(ends.T - share), 0)
        axes.errorbar(
            each.x, share, yerr=errors, color=INKS[i % 6], linestyle=LINES[i % 6], marker=MARKS[i % 6],
            capsize=2.5, elinewidth=0.9, linewidth=1.2, markersize=5.5,
        )  # fmt: skip
        curve(axes, each.x, share, i, each.label, linewidth=0)
        if each.theory is not None:
            expected(axes, each.at if len(each.at) else each.x, each.theory, color=INKS[i % 6], alpha=0.75)
    name_ends(axes)
    return figure


@styled
def over(
    rows: Iterable[Row], x: str, y: str, *, by: Sequence[str] = (), title: str = "", **properties: Any
) -> Figure:
    """Mean of a measure over a parameter of the sweep; bars: 95 % intervals over runs with different seeds."""
    groups = grouped(rows, x, y, by)
    figure, (axes,) = sheet(title or f"{y} over {x}", x, y, **properties)
    words = any(isinstance(place, str) for places in groups.values() for place in places)
    every = list(dict.fromkeys(place for places in groups.values() for place in places))
    for i, (label, places) in enumerate(groups.items()):
        at = [every.index(p) for p in places] if words else [float(p) for p in places]
        order = np.argsort(at)
        stats = [interval(places[p], success=y.endswith("_success")) for p in places]
        mean, low, high = (np.array([s[j] for s in stats])[order] for j in range(3))
        xs = np.array(at, float)[order]
        errors = np.maximum([mean - low, high - mean], 0)
        axes.errorbar(
            xs, mean, yerr=errors, color=INKS[i % 6], linestyle=LINES[i % 6], marker=MARKS[i % 6], capsize=2.5,
            elinewidth=0.9,
        )  # fmt: skip
        curve(axes, xs, mean, i, label, linewidth=0)
    if words:
        axes.set_xticks(range(len(every)), [str(p) for p in every])
    name_ends(axes)
    return figure


def grouped(rows: Iterable[Row], x: str, y: str, by: Sequence[str]) -> dict[str, dict[Any, list[float]]]:
    """Label -> place -> values of the runs there. BadMeasure when a row lacks a column."""
    groups: dict[str, dict[Any, list[float]]] = {}
    for row in rows:
        for key in (x, y, *by):
            if key not in row:
                raise BadMeasure(key, f"no column of the table; there are {', '.join(map(str, row))}")
        if row[y] is None or not math.isfinite(float(row[y])):
            continue
        label = ", ".join(f"{key} {_short(row[key])}" for key in by)
        groups.setdefault(label, {}).setdefault(row[x], []).append(float(row[y]))
    return groups


def interval(values: Sequence[float], *, success: bool = True) -> tuple[float, float, float]:
    """Mean and 95 % interval of runs: Wilson's for successes, all of which are 0 or 1, Student's otherwise."""
    found = np.asarray(values, float)
    mean = float(found.mean())
    if success and set(np.unique(found)) <= {0.0, 1.0} and found.size > 1:
        return mean, *wilson(int(found.sum()), found.size)
    if found.size < 2:
        return mean, mean, mean
    factor = STUDENT[found.size - 2] if found.size - 2 < len(STUDENT) else 2.0
    half = factor * float(found.std(ddof=1)) / math.sqrt(found.size)
    return mean, mean - half, mean + half


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
