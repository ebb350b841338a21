"""What a sweep gave: a row per run. See `sweep`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tangle.sim.errors import BadSweep
from tangle.sim.grid import Run, Sweep


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that failed, and why."""

    run: Run
    error: str


@dataclass(frozen=True)
class Swept:
    """A sweep and what its finished runs gave.

    rows : a row per finished run, failed ones without measures, in the order of the grid
    failures : those that failed
    seconds : all runs together took
    directory : where it is kept
    """

    sweep: Sweep
    rows: list[dict[str, Any]]
    failures: list[Failure]
    seconds: float = 0.0
    directory: Path | None = None

    @property
    def whole(self) -> bool:
        """Whether all runs are done."""
        return len(self.rows) == len(self.sweep)

    @cached_property
    def measures(self) -> list[str]:
        """Names of what was measured, in the order in which they come up."""
        known = {"run", "repeat", "seed", "error", *self.sweep.grid}
        return list(dict.fromkeys(name for row in self.rows for name in row if name not in known))

    def column(self, name: str) -> np.ndarray[Any, np.dtype[Any]]:
        """Return a column, a place per row; nan where a run has no such measure. BadSweep for an unknown one."""
        if name in self.measures:
            return np.array([row.get(name, np.nan) for row in self.rows], np.float64)
        if self.rows and name not in self.rows[0]:
            raise BadSweep(name, f"no column; there are {', '.join([*self.sweep.grid, *self.measures])}")
        values = [row[name] for row in self.rows]
        return np.array(values, object if any(isinstance(v, list | dict) for v in values) else None)

    def at(self, cell: Mapping[str, Any], measure: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """float64[m], what the repetitions of a cell gave; failed ones are left out."""
        values = [
            row.get(measure, np.nan) for row in self.rows
            if "error" not in row and all(row[name] == value for name, value in cell.items())
        ]  # fmt: skip
        return np.array(values, np.float64)


def swept_of(sweep: Sweep, outcomes: Mapping[int, Mapping[str, Any]], directory: Path | None = None) -> Swept:
    """Put outcomes and their runs together."""
    rows, failures, seconds = [], [], 0.0
    for each in sweep.runs():
        outcome = outcomes.get(each.number)
        if outcome is None:
            continue
        seconds += outcome["seconds"]
        row: dict[str, Any] = {"run": each.number, "repeat": each.repeat, "seed": each.seed, **each.cell}
        if "error" in outcome:
            failures.append(Failure(each, outcome["error"]))
            row["error"] = outcome["error"]
        else:
            row |= {name if name not in row else f"measured {name}": x for name, x in outcome["measures"].items()}
        rows.append(row)
    return Swept(sweep, rows, failures, seconds, directory)
