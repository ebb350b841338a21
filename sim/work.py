"""One run of a sweep: what a worker is told and what it answers.

Both are tables, strings and numbers only, so any engine can carry them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tangle.sim.errors import SimError
from tangle.sim.result import Result
from tangle.sim.run import run
from tangle.sim.scenario import Scenario
from tangle.sim.tables import named_function

Outcome = dict[str, Any]
"""of a run: `run`, its number, and `seconds`; then `measures`, name -> number, or `error`, what went wrong"""
Measures = Callable[[Result], Mapping[str, float]]

MICROSECONDS_PER_BLOCK = {"uniform": 1.0, "unweighted": 2.0}
"""about, for a view; only the order of runs follows from it"""
MICROSECONDS_OTHERS = 6.0
WARM_BLOCKS = 500


@dataclass(frozen=True, slots=True)
class Job:
    """A run that is to be made.

    number : of the run in its sweep
    table : the scenario, with the run's seed
    measures : "module:function", from a result to name -> number
    """

    number: int
    table: dict[str, Any]
    measures: str

    @property
    def expense(self) -> float:
        """About how long it takes compared to others."""
        agents = self.table.get("agents", 1)
        views = agents if isinstance(agents, int) else len(agents)
        per_block = MICROSECONDS_PER_BLOCK.get(str(self.table.get("selector")), MICROSECONDS_OTHERS)
        return float(self.table["blocks"] * per_block * (views + ("adversary" in self.table)))


def perform(job: Job) -> Outcome:
    """Make a run. Whatever goes wrong in it is part of the answer: no run ends the others."""
    began = time.perf_counter()
    try:
        measures: Measures = named_function(job.measures, "measures")
        found = measures(run(Scenario.from_table(job.table)))
        answer: Outcome = {"measures": {name: float(value) for name, value in found.items()}}
    except Exception as error:
        answer = {"error": told(error)}
    return {"run": job.number, "seconds": time.perf_counter() - began, **answer}


def told(error: BaseException) -> str:
    """Return what an error says, in a line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def warm(measures: str = "") -> None:
    """Load the kernels, or compile them, which takes a minute once per machine.

    measures : those of `tangle.sim` are loaded too; what somebody else has written is not run here
    """
    tiny = run(Scenario(blocks=WARM_BLOCKS))
    if measures.startswith("tangle.sim."):
        # A result so small may have nothing that can be measured.
        with suppress(SimError):
            named_function(measures, "measures")(tiny)
