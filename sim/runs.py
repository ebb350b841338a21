"""The directory of a sweep: what is swept, a line per finished run, and the table of all. See `sweep`.

One process at a time is at work on it, which a lock on the file of lines ensures. What a line holds is never
altered: of two lines for one run the later one counts, which is how a run that failed is tried again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from tangle.disk import files
from tangle.disk.locks import locked
from tangle.sim.errors import BadResult, BadScenario, BadSweep
from tangle.sim.grid import Sweep
from tangle.sim.store import arrow, read_json
from tangle.sim.swept import Swept, swept_of
from tangle.sim.tables import current
from tangle.sim.versions import versions
from tangle.sim.work import Outcome

FACTS, LINES, TABLE = "sweep.json", "runs.jsonl", "runs.parquet"
FORMAT, FORMAT_VERSION = "tangle simulation sweep", 1


class RunLog:
    """What is known of a sweep's runs.

    outcomes : number of a run -> its outcome
    """

    def __init__(
        self, sweep: Sweep, directory: Path | None, file: int | None, outcomes: dict[int, Outcome]
    ) -> None:
        self.sweep, self.directory, self.outcomes = sweep, directory, outcomes
        self._file = file
        _LOGS.add(self)

    @classmethod
    def open(cls, sweep: Sweep, directory: str | Path | None) -> RunLog:
        """Begin a sweep in a directory, or go on with the one that is there."""
        if directory is None:
            return cls(sweep, None, None, {})
        # That the table could not be written in the end is said now.
        arrow()
        place = Path(directory)
        try:
            place.mkdir(parents=True, exist_ok=True)
            file = _locked(place)
            try:
                if (place / FACTS).exists():
                    _check_same(sweep, read_facts(place), place)
                else:
                    begun = datetime.now(UTC).isoformat(timespec="seconds")
                    files.write(place / FACTS, _json(_facts(sweep) | {"begun": begun}).encode())
                return cls(sweep, place, file, _read_lines(file, len(sweep), place / LINES, cut=True))
            except BaseException:
                os.close(file)
                raise
        except OSError as error:
            raise BadSweep(str(place), f"it cannot be written: {error.strerror or error}") from None

    @classmethod
    def read(cls, place: Path) -> Swept:
        """Return what is in a directory, and change nothing."""
        sweep = _sweep_in(place)
        try:
            file = os.open(place / LINES, os.O_RDONLY)
        except FileNotFoundError:
            return swept_of(sweep, {}, place)
        try:
            return swept_of(sweep, _read_lines(file, len(sweep), place / LINES, cut=False), place)
        finally:
            os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the directory free; also in a fork, where the lock would outlive the process that holds it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def measured(self) -> set[int]:
        """Numbers of the runs that did not fail."""
        return {number for number, outcome in self.outcomes.items() if "error" not in outcome}

    def forget_failures(self) -> None:
        """Have those that failed tried again."""
        self.outcomes = {number: outcome for number, outcome in self.outcomes.items() if "error" not in outcome}

    def keep(self, batch: Sequence[Outcome]) -> None:
        """Make outcomes durable."""
        if self._file is not None:
            data = "".join(json.dumps(outcome, separators=(",", ":")) + "\n" for outcome in batch).encode()
            while data:
                data = data[os.write(self._file, data) :]
            os.fdatasync(self._file)
        self.outcomes |= {outcome["run"]: outcome for outcome in batch}

    def finish(self) -> Swept:
        """Write the table when all is there, and return it."""
        swept = swept_of(self.sweep, self.outcomes, self.directory)
        if self.directory is not None and swept.whole:
            _write_table(swept, self.directory / TABLE)
            facts = read_facts(self.directory)
            facts |= {"runs": len(swept.rows), "failed": len(swept.failures), "seconds": round(swept.seconds, 3)}
            files.write(self.directory / FACTS, _json(facts).encode())
        return swept


_LOGS: WeakSet[RunLog] = WeakSet()


def _close_all() -> None:
    for log in _LOGS:
        log.close()


os.register_at_fork(after_in_child=_close_all)


def holds_sweep(directory: str | Path) -> bool:
    """Whether there is a sweep in a directory."""
    return (Path(directory) / FACTS).is_file()


def read_facts(place: Path) -> dict[str, Any]:
    """Return what `sweep.json` says. BadSweep where there is none, or another file of that name."""
    try:
        found = read_json(place / FACTS, "no sweep was kept here")
    except BadResult as error:
        raise BadSweep(error.field, error.rule) from None
    if found.get("format") != FORMAT:
        raise BadSweep(str(place / FACTS), "not the file of a sweep")
    if found.get("formatVersion") != FORMAT_VERSION:
        raise BadSweep(f"{place / FACTS}: formatVersion", f"{FORMAT_VERSION} is read")
    return found


def _facts(sweep: Sweep) -> dict[str, Any]:
    return {
        "format": FORMAT, "formatVersion": FORMAT_VERSION, **sweep.to_table(), "seeds": sweep.seeds,
        "runs": len(sweep), "versions": versions(),
    }  # fmt: skip


def _sweep_in(place: Path) -> Sweep:
    facts = read_facts(place)
    try:
        return Sweep.from_table(facts)
    except (BadSweep, BadScenario) as error:
        raise BadSweep(f"{place / FACTS}: {error.field}", error.rule) from None
    except (KeyError, TypeError, AttributeError) as error:
        raise BadSweep(str(place / FACTS), f"damaged: {type(error).__name__} {error}") from None


def _check_same(sweep: Sweep, there: Mapping[str, Any], place: Path) -> None:
    """Raise BadSweep naming the first difference between a sweep and the one that a directory holds."""
    here = json.loads(json.dumps(_facts(sweep)))
    for part in ("scenario", "grid"):
        mine, theirs = here[part], there.get(part, {})
        for name in dict.fromkeys([*mine, *theirs]):
            if mine.get(name) != theirs.get(name):
                raise _other(place, f"{part} {name}", theirs.get(name), mine.get(name))
        if list(mine) != list(theirs):
            raise _other(place, f"order of {part}", list(theirs), list(mine))
    for part, theirs in (("repeats", there.get("repeats")), ("measures", current(str(there.get("measures"))))):
        if here[part] != theirs:
            raise _other(place, part, theirs, here[part])
    for name in ("tangle-ledger", "numpy", "numba"):
        theirs = there.get("versions", {}).get(name)
        if here["versions"][name] != theirs:
            raise _other(place, name, theirs, here["versions"][name])


def _other(place: Path, what: str, theirs: object, mine: object) -> BadSweep:
    def said(value: object) -> str:
        return "none" if value is None else json.dumps(value)

    return BadSweep(what, f"{said(theirs)} in the sweep that {place} holds, {said(mine)} in this one")


def _locked(place: Path) -> int:
    try:
        return locked(place / LINES, os.O_RDWR | os.O_CREAT | os.O_APPEND, files.PUBLIC)
    except BlockingIOError:
        raise BadSweep(str(place), "another process is at work on this sweep") from None


def _read_lines(file: int, runs: int, path: Path, *, cut: bool) -> dict[int, Outcome]:
    """Return the outcomes in the file of lines; with `cut`, cut off what a crash left unfinished at its end."""
    with os.fdopen(os.dup(file), "rb") as stream:
        data = stream.read()
    whole = data.rfind(b"\n") + 1
    if cut and whole < len(data):
        os.ftruncate(file, whole)
    out: dict[int, Outcome] = {}
    for number, line in enumerate(data[:whole].splitlines(), 1):
        outcome: Any = None
        with suppress(ValueError):
            outcome = json.loads(line)
        if not _is_outcome(outcome, runs):
            raise BadSweep(f"{path}: line {number}", "damaged: no outcome of a run of this sweep")
        out[outcome["run"]] = outcome
    return out


def _is_outcome(given: Any, runs: int) -> bool:
    if not isinstance(given, dict) or not isinstance(given.get("seconds"), float):
        return False
    number, measures, error = given.get("run"), given.get("measures"), given.get("error")
    if not isinstance(number, int) or not 0 <= number < runs:
        return False
    if error is not None:
        return isinstance(error, str) and measures is None
    return isinstance(measures, dict) and all(isinstance(value, float) for value in measures.values())


def _write_table(swept: Swept, path: Path) -> None:
    """Write the rows, with columns of one type each: what is neither number, text nor truth is JSON text."""
    pa, parquet = arrow()
    columns: dict[str, Any] = {}
    for name in ("run", "repeat", "seed"):
        columns[name] = pa.array([row[name] for row in swept.rows], pa.int64())
    for name in swept.sweep.grid:
        columns[name] = _typed([row[name] for row in swept.rows])
    for name in swept.measures:
        columns[name] = pa.array([row.get(name) for row in swept.rows], pa.float64())
    columns["error"] = pa.array([row.get("error") for row in swept.rows], pa.string())
    with files.replacing(path) as beside:
        parquet.write_table(pa.table(columns), beside, compression="zstd")


def _typed(values: Sequence[Any]) -> Any:
    pa, _ = arrow()
    kinds: list[tuple[set[type], Any]] = [
        ({bool}, pa.bool_()), ({int}, pa.int64()), ({int, float}, pa.float64()), ({str}, pa.string()),
    ]  # fmt: skip
    found = {type(value) for value in values}
    for types, kind in kinds:
        if found <= types:
            return pa.array(values, kind)
    return pa.array([value if isinstance(value, str) else json.dumps(value) for value in values], pa.string())


def _json(table: Mapping[str, Any]) -> str:
    return json.dumps(table, indent=2, ensure_ascii=False) + "\n"
