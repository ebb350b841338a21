"""What the Tangle loses: tips left behind, blocks orphaned, and what a split of the network leaves of each side.

As tipselect.orphans, but of the whole Tangle and by age in time. A tip is left behind when it is older than `age`.
A block is orphaned when it is older than that and no younger tip approves it: new blocks do not approve it,
directly or not, unless somebody comes back to it. Ages are `samples.old_age` unless given, about sixteen delays.
"""

from __future__ import annotations

import numpy as np

from tangle.sim.errors import BadMeasure
from tangle.sim.measures.kernels import survive
from tangle.sim.measures.samples import Share, old_age
from tangle.sim.result import Result
from tangle.tipselect.kernels import Bools, Float64, Int64


def left_behind(result: Result, age: float | None = None) -> Share:
    """Share of the blocks older than `age` at the end that nothing approves. BadMeasure for an age below 0."""
    old = _old(result, age)
    return Share.of_counts(int(np.count_nonzero(old & (result.first_approvers < 0))), int(np.count_nonzero(old)))


def left_behind_over_time(result: Result, age: float | None = None, points: int = 400) -> tuple[Float64, Int64]:
    """Return times float64[points] and how many tips older than `age` there were then, int64[points].

    A block counts from when it reaches the age until it is approved after all.
    """
    late = _age(result, age)
    waits = np.where(result.first_approvers < 0, np.inf, result.first_approvals)
    stays = waits > late
    since = np.sort(result.times[stays] + late)
    until = np.sort(result.times[stays] + waits[stays])
    times = np.linspace(0.0, result.end, points)
    return times, np.searchsorted(since, times, "right") - np.searchsorted(until, times, "right")


def orphans(result: Result, age: float | None = None) -> Bools:
    """bool[n]: blocks of the whole Tangle that are orphaned at the end. BadMeasure for an age below 0."""
    old = _old(result, age)
    alive: Bools = (result.first_approvers < 0) & ~old
    survive(alive, result.parents)
    found: Bools = old & ~alive
    return found


def orphaned(result: Result, age: float | None = None) -> Share:
    """Share of the blocks older than `age` at the end that are orphaned, tips left behind included."""
    old = _old(result, age)
    return Share.of_counts(int(np.count_nonzero(orphans(result, age))), int(np.count_nonzero(old)))


def survival(result: Result, split: int = 0, age: float | None = None) -> tuple[Share, ...]:
    """Share of the blocks issued during a split of the network that survive it, for each of its groups.

    They survive that are not orphaned at the end. Groups are in the order of the scenario; the agents that none of
    them names, if there are any, form the last. Blocks of the adversary count nowhere, nor those too young to
    tell.

    BadMeasure when there is no such split, or it ends after the run.
    """
    splits = result.scenario.splits
    if not 0 <= split < len(splits):
        raise BadMeasure("split", f"there are {len(splits)}, counted from 0, not {split}")
    torn = splits[split]
    if torn.end > result.end:
        raise BadMeasure("split", f"it ends at {torn.end:g}, the run does at {result.end:g}")
    old = _old(result, age)
    lost = orphans(result, age)
    during = old & (result.times >= torn.start) & (result.times < torn.end)
    others = tuple(set(range(result.agents)) - {agent for group in torn.groups for agent in group})
    shares = []
    for group in (*torn.groups, others):
        mine = during & np.isin(result.issuers, group)
        if group:
            shares.append(Share.of_counts(int(np.count_nonzero(mine & ~lost)), int(np.count_nonzero(mine))))
    return tuple(shares)


def _age(result: Result, age: float | None) -> float:
    late = old_age(result) if age is None else float(age)
    if not late >= 0:
        raise BadMeasure("age", f"at least 0 is needed, not {age}")
    return late


def _old(result: Result, age: float | None) -> Bools:
    """bool[n]: blocks older than an age at the end."""
    found: Bools = result.times < result.end - _age(result, age)
    return found
