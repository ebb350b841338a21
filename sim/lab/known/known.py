"""What a known figure is: where it comes from, what it says, how it is made again, whether it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tangle.sim.run import run
from tangle.sim.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tangle.sim.result import Result

Data = dict[str, Any]
"""what a figure is drawn from: arrays and numbers"""


class Comparison(NamedTuple):
    """One number of a figure.

    what : which one
    published : what the source has, or theory; text where the source has no number ("grows", "below 0.001")
    measured : what came out here
    within : whether both agree, within the sampling error and what the approximation leaves out
    remark : why not, or how near it can be expected
    """

    what: str
    published: float | str
    measured: float
    within: bool
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A known figure.

    name : as commands call it
    title : what it shows
    source : author, year, section or figure
    claim : what the source says
    run : run(quick) -> data
    draw : draw(data) -> a figure of matplotlib
    check : check(data) -> its numbers beside the published ones
    """

    name: str
    title: str
    source: str
    claim: str
    run: Callable[[bool], Data]
    draw: Callable[[Data], Figure]
    check: Callable[[Data], list[Comparison]]


def near(what: str, published: float, measured: float, tolerance: float, remark: str = "") -> Comparison:
    """Compare within a relative tolerance."""
    return Comparison(what, published, measured, abs(measured - published) <= tolerance * abs(published), remark)


def between(
    what: str, published: float | str, measured: float, low: float, high: float, remark: str = ""
) -> Comparison:
    """Compare with a range."""
    return Comparison(what, published, measured, low <= measured <= high, remark)


def simulated(load: float, span: float, **fields: Any) -> Result:
    """Run `span` delays at lambda h = load; h is 1, and blocks and seed follow unless given."""
    given = {"arrivals": load, "delay": 1.0, "seed": 2018, "blocks": max(int(load * span), 16)}
    return run(Scenario(**(given | fields)))
