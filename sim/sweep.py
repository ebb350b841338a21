"""Many runs of one scenario: a grid over any of its fields, times repetitions.

    sweep = Sweep(base, {"alpha": [0.001, 0.01], "adversary.share": [0.1, 0.3]}, repeats=20)
    swept = sim.sweep.run(sweep, "races")            # all cores; a second call goes on where the first one stopped
    swept.column("attack_success").mean()

Seeds. The seed of a run follows from the base scenario's seed and the number of the repetition, and from nothing
else (`seeds`): all cells of the grid see the same arrivals in the same repetition (common random numbers), so that
what differs between them is the fields and not chance. The first repetition has the base scenario's own seed.

The directory. `sweep.json` says what is swept, `runs.jsonl` has a line per finished run, and `runs.parquet` is the
table, written when all runs are done: a row per run in the order of the grid, with its fields, its seed and what
was measured. Lines are only ever appended and are durable before the next runs are waited for; a line that a crash
cut short is cut off by the next start. Runs that failed are told, do not disturb the others, and are tried again
by the next start. Nothing in the table depends on how many workers there were, on the engine, or on interruptions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tangle.sim.engines import Engine
from tangle.sim.engines import engine as engine_of
from tangle.sim.grid import Run, Sweep, seeds
from tangle.sim.runs import RunLog
from tangle.sim.swept import Failure, Swept

__all__ = ["Failure", "Run", "Sweep", "SweepProgress", "Swept", "load", "run", "seeds"]


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """How far a sweep is: runs done of all, failed among them, done before this start, and seconds since."""

    done: int
    all: int
    failed: int
    before: int
    seconds: float

    @property
    def rate(self) -> float:
        """Runs per second since the start."""
        return (self.done - self.before) / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take at this rate; None before there is one."""
        return (self.all - self.done) / self.rate if self.rate > 0 else None


def run(
    sweep: Sweep,
    directory: str | Path | None = None,
    *,
    engine: str | Engine = "local",
    workers: int | None = None,
    address: str | None = None,
    progress: Callable[[SweepProgress], None] | None = None,
) -> Swept:
    """Run what has not been run yet, and return all that there is.

    directory : where runs are kept; None keeps them in memory only
    engine, workers, address : see `engines.engine`
    progress : is told how far it is, after every few runs

    BadSweep when the directory holds another sweep; EngineMissing. After Ctrl-C (KeyboardInterrupt) everything
    that was finished is kept, and the same call goes on.
    """
    made = engine_of(engine, workers=workers, address=address) if isinstance(engine, str) else engine
    with RunLog.open(sweep, directory) as log:
        waiting = [each for each in sweep.runs() if each.number not in log.measured]
        log.forget_failures()
        before, began = len(log.outcomes), time.monotonic()

        def tell() -> None:
            if progress is not None:
                failed = len(log.outcomes) - len(log.measured)
                progress(SweepProgress(len(log.outcomes), len(sweep), failed, before, time.monotonic() - began))

        tell()
        with closing(made(sweep.jobs(waiting))) as batches:  # type: ignore[type-var]
            for batch in batches:
                log.keep(batch)
                tell()
        return log.finish()


def load(directory: str | Path) -> Swept:
    """Return a sweep from its directory, finished or not. BadSweep for a directory that holds none."""
    return RunLog.read(Path(directory))
