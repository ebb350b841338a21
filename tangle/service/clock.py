"""Whether the clock can be believed: milestones carry its time, and what they have told can never be taken back.

A milestone that was issued ten years ahead makes every expiration over and every timelock open, and all later ones
must be later still (TIP-29). So milestones are held while the clock is in doubt:

- It jumped: it no longer goes on as a clock does that nobody sets (the time since the machine was started). That
  clock is compared over restarts of the node too, as long as the machine is not started anew.
- It is behind the newest milestone: it was put back, or was ahead when that milestone was issued.
- The newest milestone is more than a year old when the node starts.

When the clock is put right, milestones go on by themselves. When it is right already, an operator says so with the
time that it is (`accept_clock`); an option that is left in a file agrees to nothing later.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tangle.service.health import Problem

log = logging.getLogger("tangle.clock")

GAP_MAX_S = 366 * 86_400
"""seconds that a node may have been off without anybody being asked"""
AGREED_WITHIN_S = 900
"""seconds between the time that an operator names and the clock"""
WARNED_SHARE = 0.2
"""of what is refused: from here on the node is not healthy, and milestones go on"""
_HOW = "set the clock right (milestones then go on by themselves), or if it is right, start with --accept-clock"


@dataclass(frozen=True, slots=True)
class Moment:
    """What both clocks said at one moment; `boot` names the run of the machine that `steady` counts from."""

    wall: float
    steady: float
    boot: str


def steady() -> float:
    """Seconds since the machine was started, sleep included where the system counts it; nobody sets this clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def boot() -> str:
    """Names this run of the machine; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def agreed(text: str, now: float) -> bool:
    """Whether an operator names, in ISO 8601 (UTC unless it says otherwise), the time that the clock shows."""
    try:
        named = datetime.fromisoformat(text)
    except ValueError:
        return False
    named = named if named.tzinfo else named.replace(tzinfo=UTC)
    return abs(named.timestamp() - now) <= AGREED_WITHIN_S


class ClockWatch:
    """Compares the clock with one that nobody sets, and with the newest milestone.

    Parameters
    ----------
    clock : seconds since the Unix epoch
    newest : time of the newest milestone at the start
    step_max_s : seconds of a jump above which milestones are held
    last : what the clocks said when the last milestone was issued, None where that is not known
    accepted : an operator says that the clock is right
    """

    def __init__(
        self,
        clock: Callable[[], float],
        newest: int,
        step_max_s: float,
        *,
        last: Moment | None = None,
        accepted: bool = False,
        steady: Callable[[], float] = steady,
        boot: str | None = None,
    ) -> None:
        self.problem: Problem | None = None
        self.held = False
        self._clock, self._steady = clock, steady
        self._boot = _boot() if boot is None else boot
        self._step_max_s = step_max_s
        now = clock()
        self._offset = now - steady()
        self._ahead_max_s = max(newest - now, 0.0) if accepted else 0.0
        self._gap = not accepted and newest > 0 and now - newest > GAP_MAX_S
        if last is not None and last.boot and last.boot == self._boot and not accepted:
            self._offset = last.wall - last.steady

    def now(self) -> Moment:
        """What both clocks say."""
        return Moment(self._clock(), self._steady(), self._boot)

    def look(self, newest: int) -> float:
        """Judge the clock; `newest` is the time of the newest milestone. Sets `problem` and `held`.

        Returns
        -------
        what was judged, seconds since the Unix epoch
        """
        now = self.now()
        jump = now.wall - now.steady - self._offset
        ahead = newest - now.wall - self._ahead_max_s
        found, held = None, False
        if self._gap and now.wall - newest > GAP_MAX_S:
            found, held = _problem("clock_ahead", "the newest milestone is {} old", now.wall - newest, held=True)
        elif jump > self._step_max_s:
            found, held = _problem("clock_ahead", "the clock jumped ahead by {}", jump, held=True)
        elif ahead > self._step_max_s * WARNED_SHARE:
            told = "the newest milestone is {} ahead of the clock: it was put back, or was ahead before"
            found, held = _problem("clock_behind", told, newest - now.wall, held=ahead > self._step_max_s)
        else:
            self._offset = now.wall - now.steady
        self._tell(found, held=held)
        return now.wall

    def _tell(self, found: Problem | None, *, held: bool) -> None:
        if (found.code if found else None, held) != (self.problem.code if self.problem else None, self.held):
            if found is not None:
                log.error("%s", found.message)
            else:
                log.warning("the clock is plausible again; milestones go on")
        self.problem, self.held = found, held


_boot = boot


def _problem(code: str, told: str, seconds: float, *, held: bool) -> tuple[Problem, bool]:
    shown = f"{seconds / 86_400:,.1f} days" if seconds > 2 * 86_400 else f"{seconds:,.0f} s"
    what = "no milestones are issued" if held else "milestones go on for now"
    return Problem(code, f"{told.format(shown)}; {what}: {_HOW} and the time (docs/reliability.md)"), held
