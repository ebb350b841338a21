"""A report of simulations: one HTML file with parameters, measures and figures, that needs nothing but a browser.

Figures are drawings within the page, so it can be sent and kept, and they follow it into the dark. On a phone
wide tables and figures are moved sideways, and letters stay legible. Equal results give equal files: nothing is
dated, and figures are drawn the same way each time.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tangle.sim.errors import BadResult
from tangle.sim.lab.figures import FIGURES, caption, fits, over
from tangle.sim.lab.figures.common import describe, labels, one_delay
from tangle.sim.lab.figures.style import inks, inline
from tangle.sim.measures import summary
from tangle.sim.measures.table import EXPECTED, Line, lines
from tangle.sim.result import Result
from tangle.sim.swept import Swept
from tangle.sim.versions import versions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "report.html"
DECADES = 50
"""times the least value that the greatest is, from which on an axis is divided by orders of magnitude"""
STYLE = f"""
:root {{ color-scheme: light dark; --line: #d9dee3; --card: #f6f8fa; --soft: #56606b;
  {inks(dark=False)} }}
@media (prefers-color-scheme: dark) {{
  :root {{ --line: #35404a; --card: #1c242b; --soft: #9aa6b1;
  {inks(dark=True)} }}
}}
"""
STYLE += """
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 0 0 .25rem }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem }
p { margin: .25rem 0; color: var(--soft) }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; background: var(--card) }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
th, td { text-align: left; padding: .3rem .7rem; border-top: 1px solid var(--line); vertical-align: top }
tr:first-child > * { border-top: 0 }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap }
tbody th { font-weight: 500 }
td { font-variant-numeric: tabular-nums; overflow-wrap: break-word }
figure { margin: 0 0 2rem }
figure > div { overflow-x: auto }
figure svg { display: block; width: 100%; min-width: 34rem; height: auto }
figure svg * { stroke-linejoin: round; stroke-linecap: butt }
figcaption { font-size: .9rem; color: var(--soft); margin-top: .25rem }
"""


def write(source: Result | Sequence[Result] | Swept, directory: str | Path, *, title: str = "") -> Path:
    """Write the report of a result, of several side by side, or of a sweep; return the path of the file.

    BadResult for no results at all, or a sweep of which no run is done; ExtraMissing without matplotlib.
    """
    if isinstance(source, Swept):
        heading, body = title or source.sweep.base.name or "Sweep", _sweep(source)
    else:
        results = [source] if isinstance(source, Result) else list(source)
        if not results:
            raise BadResult("results", "at least one is needed")
        heading = title or results[0].scenario.name or describe(results[0].scenario)
        body = _results(results)
    path = Path(directory) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(heading, body), encoding="utf-8")
    return path


def page(title: str, body: Iterable[str]) -> str:
    """The whole file."""
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(body)
        + "\n</html>\n"
    )


# --- results ------------------------------------------------------------------------------------------------


def _results(results: Sequence[Result]) -> Iterable[str]:
    names = labels(results)
    yield f"<p>{escape('; '.join(describe(result.scenario) for result in results))}</p>"
    yield "<h2>Measures</h2>"
    yield "<p>Intervals are of 95 %. Expected is what theory says of uniform selection with one view: nothing"
    yield "where agents receive their own blocks at another time, or some agents later than others.</p>"
    if len(results) == 1:
        yield table(("measure", "measured", "interval", "expected"), map(_measure, _measures(results[0])))
    else:
        yield table(("measure", *names, "expected"), _compared([_measures(result) for result in results]))
    one = results[0] if len(results) == 1 else results
    yield "<h2>Figures</h2>"
    for name, draw in FIGURES.items():
        if fits(name, one):
            yield figure(draw(one), caption(name))
    yield from _parameters([result.scenario.to_table() for result in results], names)


def _measures(result: Result) -> list[Line]:
    """The measures of a result; what is expected only where its model is that of the formulas."""
    found = lines(summary(result))
    return found if one_delay(result.scenario) else [line._replace(expected=None) for line in found]


def _measure(line: Line) -> tuple[str, str, str, str]:
    return line.name, number(line.value), _interval(line), "" if line.expected is None else number(line.expected)


def _interval(line: Line) -> str:
    return "" if line.interval is None else " to ".join(map(number, line.interval))


def _compared(each: Sequence[Sequence[Line]]) -> Iterable[Sequence[str]]:
    """Rows of a table with a column per result, and what is expected of them at the end."""
    named = [{line.name: line for line in found} for found in each]
    for name in dict.fromkeys(name for found in named for name in found):
        cells, expected = [], []
        for found in named:
            line = found.get(name)
            interval = f" ({_interval(line)})" if line is not None and line.interval is not None else ""
            cells.append("-" if line is None else number(line.value) + interval)
            if line is not None and line.expected is not None:
                expected.append(number(line.expected))
        yield name, *cells, " / ".join(dict.fromkeys(expected))


# --- sweeps -------------------------------------------------------------------------------------------------


def _sweep(swept: Swept) -> Iterable[str]:
    rows = [row for row in swept.rows if "error" not in row]
    if not rows:
        raise BadResult("sweep", "no run of it is done")
    sweep = swept.sweep
    fields = list(sweep.grid)
    failed = f", {len(swept.failures):,} failed" if swept.failures else ""
    yield f"<p>{escape(describe(sweep.base))}; {len(swept.rows):,} of {len(sweep):,} runs are done{failed}.</p>"
    shown = telling(swept.measures, rows)
    yield "<h2>Means over the repetitions</h2>"
    means = [
        (*map(value, cell.values()), *(number(_mean(swept.at(cell, name))) for name in shown))
        for cell in sweep.cells
    ]
    yield table((*fields, *(name.replace("_", " ") for name in shown)), means)
    if fields:
        yield "<h2>Figures</h2>"
        along = max(fields, key=lambda name: len(sweep.grid[name]))
        others = [name for name in fields if name != along]
        scale = {"xscale": "log"} if orders(sweep.grid[along]) else {}
        for name in shown:
            if not name.startswith(EXPECTED):
                draw = partial(over, [row for row in rows if name in row], along, name, by=others, **scale)
                yield figure(
                    draw(), f"{name.replace('_', ' ')} over {along}; bars are 95 % intervals over the runs."
                )
    yield from _parameters([sweep.base.to_table()], [""])


def telling(measures: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The measures that are not the same in all rows, attacks first, without the ends of intervals."""
    names = [name for name in measures if not name.endswith(("_low", "_high"))]
    differ = [name for name in names if len({str(row.get(name)) for row in rows}) > 1] or names
    return sorted(differ, key=lambda name: not name.startswith("attack_"))


def orders(values: Sequence[Any]) -> bool:
    """Whether values are numbers of several orders of magnitude."""
    numbers = [each for each in values if isinstance(each, int | float)]
    return len(numbers) == len(values) and min(numbers) > 0 and max(numbers) >= DECADES * min(numbers)


def _mean(values: Any) -> float:
    known = values[values == values]  # noqa: PLR0124, nan is what could not be measured
    return float(known.mean()) if known.size else math.nan


# --- parts --------------------------------------------------------------------------------------------------


def _parameters(tables: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Iterable[str]:
    yield "<h2>Parameters</h2>"
    fields = dict.fromkeys(name for each in tables for name in each)
    rows = [(name, *(value(each.get(name, "default")) for each in tables)) for name in fields]
    yield table(("field", *(name or "value" for name in names)), rows)
    made = ", ".join(f"{name} {number}" for name, number in versions().items())
    yield f"<p>Fields that are not listed have their default. Drawn with {escape(made)}.</p>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are text and escaped."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    lines_of = [
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    ]
    return (
        f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{"".join(lines_of)}</tbody></table></div>'
    )


def figure(drawn: Figure, words: str) -> str:
    """A figure with its caption, which is what stands for it where it cannot be seen."""
    prefix = hashlib.blake2b(words.encode(), digest_size=4).hexdigest()
    drawing = inline(drawn, words, f"f{prefix}")
    return f'<figure><div tabindex="0">{drawing}</div><figcaption>{escape(words)}</figcaption></figure>'


def number(found: float) -> str:
    """A number for people: four digits, whole where it is great, a dash where there is none."""
    if math.isnan(found):
        return "-"
    return f"{found:,.0f}" if abs(found) >= 10_000 else f"{found:.4g}"


def value(given: object) -> str:
    """A field of a scenario."""
    if isinstance(given, float):
        return f"{given:g}"
    return given if isinstance(given, str) else json.dumps(given)
