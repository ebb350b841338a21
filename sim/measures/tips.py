"""How many tips there are, and how long blocks wait for their first approval."""

from __future__ import annotations

import numpy as np

from tangle.sim.errors import BadMeasure
from tangle.sim.measures.samples import Mean, old_age, warmup
from tangle.sim.result import Result
from tangle.tipselect.kernels import Float64, Int32


def tips_over_time(result: Result, points: int = 400) -> tuple[Float64, Int32]:
    """Return times float64[points], evenly spaced over the run, and the tips of the whole Tangle then,
    int32[points].

    BadMeasure for fewer than one point.
    """
    if points < 1:
        raise BadMeasure("points", f"at least one is needed, not {points}")
    times = np.linspace(0.0, result.end, points)
    return times, result.tips[np.searchsorted(result.times, times, "right") - 1]


def mean_tips(result: Result, start: float | None = None, end: float | None = None) -> Mean:
    """Time mean of the tips of the whole Tangle; from the end of the warm-up to that of the run unless given."""
    first = np.searchsorted(result.times, warmup(result) if start is None else start)
    last = np.searchsorted(result.times, result.end if end is None else end, "right")
    return Mean.of_series(result.tips[first : last - 1].astype(np.float64), np.diff(result.times[first:last]))


def time_to_first_approval(result: Result, warmup: float | None = None) -> Float64:
    """float64[m]: how long blocks waited until the first block that approves them was issued.

    warmup : blocks issued before that time are left out

    Those issued so late that they might get one yet are left out too, and those that never got one: how many they
    are, `left_behind` tells.
    """
    found = result.first_approvals[_in_time(result, warmup)]
    return found[np.isfinite(found)]


def mean_first_approval(result: Result, start: float | None = None) -> Mean:
    """Mean time to the first approval, of blocks as in `time_to_first_approval`."""
    return Mean.of_series(time_to_first_approval(result, start))


def _in_time(result: Result, start: float | None) -> slice:
    """Blocks issued after the warm-up, and old enough at the end."""
    first = np.searchsorted(result.times, warmup(result) if start is None else start)
    return slice(max(int(first), 1), int(np.searchsorted(result.times, result.end - old_age(result), "right")))


def first_approval_by_agent(result: Result, start: float | None = None) -> tuple[Mean, ...]:
    """Mean time to the first approval of the blocks of each agent; the adversary, if there is one, is the last.

    What selfish agents gain, and what it costs the others: Popov, Saa and Finardi 2019, "Equilibria in the
    Tangle".
    """
    part = _in_time(result, start)
    waits, issuers = result.first_approvals[part], result.issuers[part]
    approved = np.isfinite(waits)
    everybody = result.agents + (result.scenario.adversary is not None)
    return tuple(Mean.of_series(waits[approved & (issuers == agent)]) for agent in range(everybody))
