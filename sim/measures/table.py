"""Scalar measures put side by side: the ends of an interval, and what theory expects, beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

EXPECTED = "expected_"
"""a measure of this name is what theory says of the one without it, or with one of these instead"""
MEASURED = ("", "mean_")


class Line(NamedTuple):
    """A measure: its name for people, its value, the ends of its interval and what is expected, if any."""

    name: str
    value: float
    interval: tuple[float, float] | None
    expected: float | None


def lines(found: Mapping[str, float]) -> list[Line]:
    """Return the measures of a run, each with what belongs to it."""
    beside: dict[str, str] = {}
    for name in found:
        if name.startswith(EXPECTED):
            stem = name.removeprefix(EXPECTED)
            beside |= {prefix + stem: name for prefix in MEASURED if prefix + stem in found}
    ends = {n: (f"{n}_low", f"{n}_high") for n in found if {f"{n}_low", f"{n}_high"} <= found.keys()}
    used = {*beside.values(), *(end for pair in ends.values() for end in pair)}
    return [
        Line(
            name.replace("_", " "),
            value,
            (found[ends[name][0]], found[ends[name][1]]) if name in ends else None,
            found[beside[name]] if name in beside else None,
        )
        for name, value in found.items()
        if name not in used
    ]
