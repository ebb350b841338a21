"""How far something long has come: a bar with rate and time left on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import progress
from rich.console import Console

from tangle.terminal import streams

EVERY_S = 5.0
"""seconds between two lines where there is no terminal"""
AVERAGED_S = 60.0
"""seconds that the rate on a terminal is taken over"""

Tell = Callable[[int, int, str], None]
"""tell(done, all, note)"""


@contextmanager
def bar(what: str, unit: str, *, as_json: bool = False) -> Iterator[Tell]:
    """Show how many `unit` are done; nothing for programs."""
    console = Console(stderr=True, highlight=False)
    if as_json:
        yield lambda _done, _all, _note: None
    elif console.is_terminal:
        with _moving(console, what, unit) as tell:
            yield tell
    else:
        yield _Lines(what, unit)


@contextmanager
def _moving(console: object, what: str, unit: str) -> Iterator[Tell]:
    shown = progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TextColumn("{task.fields[count]}"),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(elapsed_when_finished=True),
        progress.TextColumn("{task.fields[note]}"),
        console=console,  # type: ignore[arg-type]
        speed_estimate_period=AVERAGED_S,
        # What workers print, which are forks of this process, must not wait for this process's bar.
        redirect_stdout=False,
        redirect_stderr=False,
    )
    task = shown.add_task(what, total=None, count="", rate="", note="preparing")

    def tell(done: int, of: int, note: str) -> None:
        speed = shown.tasks[0].speed
        rate = "" if speed is None else f"{speed:,.{0 if speed >= 100 else 1}f}/s"
        count = f"{done:,} of {of:,} {unit}"
        if shown.tasks[0].total is None:
            # What was done before this start says nothing about the rate.
            shown.reset(task, total=of, completed=done, count=count, rate="", note="preparing")
        else:
            shown.update(task, completed=done, count=count, rate=rate, note=note)

    with shown:
        yield tell


class _Lines:
    """Lines on standard error: the first and the last, and one every few seconds."""

    def __init__(self, what: str, unit: str) -> None:
        self._what, self._unit = what, unit
        self._began: tuple[float, int] | None = None
        self._told = 0.0

    def __call__(self, done: int, of: int, note: str) -> None:
        now = time.monotonic()
        if self._began is None:
            self._began = now, done
        elif done < of and now - self._told < EVERY_S:
            return
        self._told = now
        seconds, new = now - self._began[0], done - self._began[1]
        rate = f", {new / seconds:,.1f}/s, {_clock((of - done) * seconds / new)} left" if new and done < of else ""
        streams.note(f"{self._what}: {done:,} of {of:,} {self._unit}{rate}{', ' + note if note else ''}")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
