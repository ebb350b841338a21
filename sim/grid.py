"""What a sweep runs: a grid over the fields of a scenario, times repetitions. See `sweep`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tangle.sim.errors import BadScenario, BadSweep
from tangle.sim.scenario import Scenario
from tangle.sim.tables import changed, current, named_function, plain
from tangle.sim.work import Job, Measures

MEASURES = "tangle.sim.measures:summary"
"""what is kept of a run unless told otherwise"""
RUNS_MAX = 1_000_000
"""of one sweep"""
SEEDS = 0x5EED
"""spawn key of the seeds of repetitions"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a sweep: its number in the order of the grid, its fields, its repetition and its seed."""

    number: int
    cell: Mapping[str, Any]
    repeat: int
    seed: int


@dataclass(frozen=True)
class Sweep:
    """What is to be run.

    base : scenario of what the grid leaves alone
    grid : field -> its values, a list or an array; "adversary.share" is a field of a table, "agents.0.share" one
        of a list's first
    repeats : runs of each cell, with seeds of their own
    measures : function from a result to name -> number, or "module:function"

    BadSweep names the field that no sweep can have, or the cell whose scenario cannot be.
    """

    base: Scenario
    grid: Mapping[str, Any] = field(default_factory=dict)
    repeats: int = 1
    measures: str | Measures = MEASURES

    def __post_init__(self) -> None:
        if not isinstance(self.repeats, int) or isinstance(self.repeats, bool) or self.repeats < 1:
            raise BadSweep("repeats", f"a whole number of at least 1 is needed, not {self.repeats!r}")
        object.__setattr__(self, "grid", {name: _values(name, values) for name, values in self.grid.items()})
        if len(self) > RUNS_MAX:
            raise BadSweep("grid", f"{len(self):,} runs are too many, {RUNS_MAX:,} are possible")
        object.__setattr__(self, "measures", current(plain(self.measures)))
        _check_names(self)
        for cell in self.cells:
            self.scenario(cell, self.base.seed)

    def __len__(self) -> int:
        """How many runs there are."""
        return len(self.cells) * self.repeats

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        """All combinations of the grid's values; the last field changes fastest."""
        return [dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())]

    @cached_property
    def seeds(self) -> list[int]:
        """The seed of each repetition."""
        return seeds(self.base.seed, self.repeats)

    @cached_property
    def _table(self) -> dict[str, Any]:
        return self.base.to_table()

    def runs(self) -> Iterator[Run]:
        """Yield all runs, the repetitions of a cell one after the other."""
        for number, (cell, repeat) in enumerate(itertools.product(self.cells, range(self.repeats))):
            yield Run(number, cell, repeat, self.seeds[repeat])

    def table(self, cell: Mapping[str, Any], seed: int) -> dict[str, Any]:
        """Return the table of a run's scenario."""
        return changed(self._table, {**cell, "seed": seed})

    def scenario(self, cell: Mapping[str, Any], seed: int) -> Scenario:
        """Return the scenario of a run."""
        try:
            return Scenario.from_table(self.table(cell, seed))
        except BadScenario as error:
            where = ", ".join(f"{name} = {value}" for name, value in cell.items())
            raise BadSweep(error.field, f"{error.rule} (where {where})" if where else error.rule) from None

    def jobs(self, runs: Sequence[Run]) -> list[Job]:
        """Return what workers are told."""
        assert isinstance(self.measures, str)
        return [Job(run.number, self.table(run.cell, run.seed), self.measures) for run in runs]

    def to_table(self) -> dict[str, Any]:
        """Return the sweep as JSON has it; two sweeps with the same table have the same runs."""
        return {
            "scenario": self._table, "grid": plain(self.grid), "repeats": self.repeats, "measures": self.measures
        }  # fmt: skip

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Sweep:
        """Build a sweep again."""
        base = Scenario.from_table(table["scenario"])
        return cls(base, table["grid"], table["repeats"], table["measures"])


def seeds(seed: int, repeats: int) -> list[int]:
    """Return the seeds of repetitions: the given one, then 63 bits each drawn from it and the number."""
    drawn = (np.random.SeedSequence(seed, spawn_key=(SEEDS, repeat)) for repeat in range(1, repeats))
    return [seed, *(int(each.generate_state(1, np.uint64)[0] >> np.uint64(1)) for each in drawn)]


def _values(name: str, values: object) -> list[Any]:
    if name == "seed":
        raise BadSweep("seed", "repetitions make the seeds; it cannot be in a grid")
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, list | tuple | range):
        raise BadSweep(name, f"a list of values is needed, not {values!r}")
    found = [value.item() if isinstance(value, np.generic) else plain(value) for value in values]
    if not found:
        raise BadSweep(name, "at least one value is needed")
    if len({json.dumps(value) for value in found}) < len(found):
        raise BadSweep(name, "a value is there twice")
    return found


def _check_names(sweep: Sweep) -> None:
    """Raise BadSweep for functions that a worker could not find by their names."""
    assert isinstance(sweep.measures, str)
    try:
        named_function(sweep.measures, "measures")
    except BadScenario as error:
        raise BadSweep(error.field, error.rule) from None
    text = json.dumps(sweep.to_table())
    for part in ("<lambda>", "<locals>"):
        if part in text:
            raise BadSweep("selector", f"{part} has no name by which workers could import it")
