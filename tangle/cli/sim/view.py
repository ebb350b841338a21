"""Results of simulations as text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tangle.sim.measures.table import lines
from tangle.sim.scenario import Scenario
from tangle.sim.swept import Swept
from tangle.terminal.text import columns
from tangle.tipselect.confidence import wilson

EXPECTED = "expected_"
"""names of what theory says begin with this"""
ENDS = ("_low", "_high")
"""names of the ends of an interval end with these"""
SUCCESS = "_success"
"""names of measures that are 0 or 1 end with this"""
SHOWN = 6
"""measures of a sweep unless told which"""
STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)
"""factors of 95 % intervals of 2, 3, … values; 2 beyond"""


def told(scenario: Scenario) -> str:
    """A scenario in a line."""
    selector = scenario.selector if isinstance(scenario.selector, str) else "own selector"
    parts = [
        scenario.name,
        selector if scenario.alpha is None else f"{selector}, alpha {scenario.alpha:g}",
        f"lambda h = {scenario.load:g}",
        f"{scenario.parents} parent{'s' if scenario.parents > 1 else ''}",
    ]
    if len(scenario.everybody) > 1:
        parts.append(f"{len(scenario.everybody)} agents")
    if scenario.adversary is not None:
        parts.append(f"{scenario.adversary.attack} with q = {scenario.adversary.share:g}")
    return ", ".join(part for part in [*parts, f"seed {scenario.seed}"] if part)


def number(value: float | None) -> str:
    """A measured number: four digits, or whole where it is great."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def measured(found: Mapping[str, float]) -> str:
    """Measures as a table: intervals behind what they are of, expected values beside it."""
    rows = [
        (
            line.name,
            number(line.value),
            "" if line.interval is None else " to ".join(map(number, line.interval)),
            "" if line.expected is None else number(line.expected),
        )
        for line in lines(found)
    ]
    return columns(("measure", "measured", "interval", "expected"), rows)


def comparison(
    names: Sequence[str], tables: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, float]]
) -> str:
    """Scenarios and measures side by side; differences are to the first."""
    flat = [dict(_flat(table)) for table in tables]
    fields = list(dict.fromkeys(name for table in flat for name in table))
    differ = [name for name in fields if any(table.get(name) != flat[0].get(name) for table in flat)]
    head = ["", *names, *(["difference"] if len(names) == 2 else [])]
    rows = [[name, *(_value(table.get(name)) for table in flat)] for name in differ]
    same = [f"{name} {_value(flat[0][name])}" for name in fields if name not in differ]
    measures = list(dict.fromkeys(name for each in found for name in each))
    rows.append([""])
    for name in measures:
        values = [each.get(name, math.nan) for each in found]
        row = [name.replace("_", " "), *map(number, values)]
        if len(values) == 2:
            row.append(_difference(*values))
        elif len(values) > 2:
            row[2:] = [f"{number(x)} ({_difference(values[0], x) or '='})" for x in values[1:]]
        rows.append(row)
    width = len(head)
    table = columns(head, [[*row, *[""] * (width - len(row))] for row in rows])
    return f"{table}\n\nthe same in all: {', '.join(same) or 'nothing'}"


def cells(swept: Swept, shown: Sequence[str]) -> str:
    """A sweep as a table: a row per cell of the grid, the means of measures with the halves of their intervals."""
    names = list(shown) or _telling(swept)[:SHOWN]
    rows = []
    for cell in swept.sweep.cells:
        row = [_value(value) for value in cell.values()]
        counts = [swept.at(cell, name) for name in names]
        row.append(str(max((values.size for values in counts), default=0)))
        rows.append([*row, *map(_mean, names, counts)])
    text = columns([*swept.sweep.grid, "runs", *(name.replace("_", " ") for name in names)], rows)
    more = len(swept.measures) - len(names)
    return text + (
        f"\n\n{more} more measures are in the table; --show names them" if more > 0 and not shown else ""
    )


def _telling(swept: Swept) -> list[str]:
    """Measures that differ between cells, attacks first; without ends of intervals and what is only expected."""
    names = [name for name in swept.measures if not name.endswith(ENDS) and not name.startswith(EXPECTED)]
    if len(swept.sweep.cells) > 1:
        values = {name: [swept.at(cell, name) for cell in swept.sweep.cells] for name in names}
        differ = [name for name in names if any(str(each) != str(values[name][0]) for each in values[name][1:])]
        names = differ or names
    return sorted(names, key=lambda name: not name.startswith("attack_"))


def _mean(name: str, values: Any) -> str:
    """A mean with its interval of 95 %: Wilson's of what succeeded or not, Student's of what was measured."""
    values = values[values == values]  # noqa: PLR0124, what is nan was not there to be measured
    n = values.size
    if n == 0:
        return "-"
    mean = float(values.mean())
    if n == 1:
        return number(mean)
    if name.endswith(SUCCESS):
        low, high = wilson(int(values.sum()), n)
        return f"{number(mean)} ({low:.2g} to {high:.2g})"
    factor = STUDENT[n - 2] if n - 2 < len(STUDENT) else 2.0
    half = factor * float(values.std(ddof=1)) / math.sqrt(n)
    return f"{number(mean)} ± {half:,.0f}" if half >= 100 else f"{number(mean)} ± {half:.2g}"


def _difference(one: float, other: float) -> str:
    """How much the second is greater, in percent where that says anything."""
    if one == other or math.isnan(one) or math.isnan(other):
        return ""
    return f"{(other - one) / abs(one):+.1%}" if one else f"{other - one:+.4g}"


def _flat(table: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def _value(value: object) -> str:
    if value is None:
        return "default"
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)
