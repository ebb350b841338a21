"""What figures ask of results before they draw: names, the time after the beginning, blocks to watch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tangle.sim import theory
from tangle.sim.result import Result
from tangle.sim.scenario import Scenario
from tangle.sim.tables import plain
from tangle.tipselect.kernels import Float64, Int64

Results = Result | Sequence[Result]
NAMES = {"arrivals": "λ", "delay": "h", "parents": "k"}
"""of fields, as papers write them"""
SETTLING = 20.0
"""delays until the number of tips no longer remembers the genesis"""


def several(results: Results) -> list[Result]:
    """Return one result, or several, as a list."""
    return [results] if isinstance(results, Result) else list(results)


def delay(result: Result) -> float:
    """The delay h of a result, in its unit of time; 1 where messages take no time."""
    return result.scenario.delay_max or 1.0


def warmup(result: Result) -> float:
    """Time from which on a result has settled: SETTLING delays, or a quarter of it where it is short."""
    return min(SETTLING * delay(result), result.end / 4)


def labels(results: Sequence[Result]) -> list[str]:
    """Name results by what tells them apart: names, or the fields in which they differ; one needs no name."""
    scenarios = [result.scenario for result in results]
    names = [scenario.name for scenario in scenarios]
    if len(results) == 1:
        return [""]
    if all(names) and len(set(names)) == len(names):
        return names
    tables = [_flat(scenario) for scenario in scenarios]
    keys = [key for key in dict.fromkeys(k for table in tables for k in table) if key != "name"]
    differing = [key for key in keys if len({repr(table.get(key)) for table in tables}) > 1]
    if not differing:
        return [f"run {i + 1}" for i in range(len(results))]
    return [", ".join(_named(key, table.get(key)) for key in differing[:3]) for table in tables]


def heading(results: Sequence[Result]) -> str:
    """What results have in common, in few words: the scenario where there is one."""
    return describe(results[0].scenario) if len(results) == 1 else ""


def describe(scenario: Scenario) -> str:
    """A scenario in few words."""
    return f"{selection(scenario)}, λh = {scenario.load:g}, k = {scenario.parents}"


def selection(scenario: Scenario) -> str:
    """How a scenario's issuers select tips, in few words."""
    selector = scenario.selector if isinstance(scenario.selector, str) else str(plain(scenario.selector))
    settings = ({} if scenario.alpha is None else {"alpha": scenario.alpha}) | dict(scenario.settings)
    return ", ".join([selector, *(f"{key} {_short(value)}" for key, value in settings.items())])


def _flat(scenario: Scenario) -> dict[str, object]:
    """Every field, so that a default differs visibly from what is not one."""
    table: dict[str, object] = {"selection": selection(scenario)}
    hidden = {"selector", "alpha", "settings", "adversary", "name"}
    table |= {key: getattr(scenario, key) for key in Scenario.model_fields if key not in hidden}
    if scenario.adversary is not None:
        adversary = scenario.adversary
        table["adversary"] = adversary.attack
        table["q"] = adversary.share
        table |= dict(adversary.settings)
    return table


def _named(key: str, value: object) -> str:
    return _short(value) if key in {"selection", "adversary"} else f"{NAMES.get(key, key)} {_short(value)}"


def _short(value: object) -> str:
    if value is None:
        return "default"
    if isinstance(value, float):
        return f"{value:g}"
    if callable(value):
        return getattr(value, "__name__", "own")
    text = str(value)
    return text if len(text) <= 24 else text[:23] + "…"


def adaptation(result: Result) -> float:
    """Delays until most new blocks approve a given one, `theory.adaptation_period`."""
    scenario = result.scenario
    return theory.adaptation_period(max(scenario.load, 2.0), 1.0, max(scenario.parents, 2))


def one_delay(scenario: Scenario) -> bool:
    """Whether a block reaches everybody after the same mean delay, its issuer included, as formulas have it."""
    return scenario.delays is None and scenario.own_delay in {None, scenario.delay}


def watched(result: Result, span: float, most: int) -> Int64:
    """int64[m], at most `most` blocks after the beginning and at least `span` before the end, evenly spread."""
    start = int(np.searchsorted(result.times, warmup(result), "right"))
    stop = int(np.searchsorted(result.times, result.end - span, "right"))
    numbers: Int64 = np.unique(np.linspace(max(start, 1), max(stop - 1, start, 1), most).astype(np.int64))
    return numbers[numbers < len(result)]


def rate_at(result: Result, times: Float64) -> Float64:
    """float64[n], the honest rate that the scenario declares at each time."""
    corners = result.scenario.corners
    xs, ys = zip(*corners, strict=True)
    rates: Float64 = np.interp(times, xs, ys)
    return rates
