"""How attacks end: whether one has succeeded, how far, and how probable that is over many runs.

What counts as success is told by each module of `tangle.sim.attacks`. It is judged from the outside, by the
blocks of
honest issuers: where they go once all know of the attack (after SETTLE delays) is what the Tangle has decided.

A probability of success is a share of runs with the seeds seed, seed + 1, … and comes with a Wilson interval
(Wilson 1927) of 95 %. The runs are independent, so who does them changes nothing: one process or many.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from types import MappingProxyType
from typing import Any

import numpy as np

from tangle.sim.attacks.race import REPLACEMENT
from tangle.sim.errors import BadMeasure, BadScenario
from tangle.sim.result import Result
from tangle.sim.run import run
from tangle.sim.scenario import Scenario
from tangle.tipselect.confidence import wilson
from tangle.tipselect.kernels import Bools

SETTLE = 10
"""delays after a release until all have seen it and chosen"""
MOST = 0.5
"""share that has to be surpassed"""
GROWING = 0.1
"""share of the honest blocks that the lesser side of a split needs to count as growing"""
LOOKS = 200
"""times at which tips are counted"""


@dataclass(frozen=True, slots=True)
class Success:
    """Of `runs` runs `wins` were won: a share, and its 95 % interval `low` to `high`."""

    wins: int
    runs: int
    share: float
    low: float
    high: float


def outcome(result: Result) -> dict[str, float]:
    """Return how the attack of a run ended; empty without an adversary.

    attack_success : 1 or 0
    attack_share : the share that decides, see VERDICTS
    attack_released : 1 or 0, whether what was withheld has been released: outpaced; only where something was

    BadMeasure for an attack of one's own that opened no conflict.
    """
    if result.scenario.adversary is None:
        return {}
    won, share = _verdict(result)
    found = {"attack_success": float(won), "attack_share": share}
    if result.withheld:
        found["attack_released"] = float(outpaced(result))
    return found


def succeeded(result: Result) -> bool:
    """Whether the attack of a run has succeeded. BadMeasure without an adversary, and as `outcome`."""
    if result.scenario.adversary is None:
        raise BadMeasure("adversary", "nobody attacks in this run")
    return _verdict(result)[0]


def outpaced(result: Result) -> bool:
    """Whether blocks were withheld and have been released: a double spend that got ahead of the payment."""
    return released_at(result) < math.inf


def released_at(result: Result) -> float:
    """When the last of the withheld blocks that ever were released was; infinite when none was."""
    return max((when for when in result.withheld.values() if when < math.inf), default=math.inf)


def success(
    scenario: Scenario, runs: int, *, seeds: Sequence[int] | None = None, workers: int = 1,
    judge: Callable[[Result], bool] = succeeded,
) -> Success:  # fmt: skip
    """Run a scenario again and again and count how often its attack succeeds.

    runs : how many, at least 1
    seeds : one for each run; the scenario's and those after it unless given
    workers : processes; the result is the same for any number
    judge : what counts; a function that can be imported when there are several workers

    BadScenario for a number out of its range, or a scenario without an adversary. With several workers, selectors
    written in Python have to be importable.
    """
    if scenario.adversary is None:
        raise BadScenario("adversary", "somebody has to attack")
    if runs < 1 or workers < 1:
        raise BadScenario("runs" if runs < 1 else "workers", "at least one is needed")
    numbers = list(range(scenario.seed, scenario.seed + runs)) if seeds is None else [int(s) for s in seeds]
    if len(numbers) != runs:
        raise BadScenario("seeds", f"{runs} are needed, one for each run, not {len(numbers)}")
    wins = sum(_count(scenario, numbers, workers, judge))
    low, high = wilson(wins, runs)
    return Success(wins, runs, wins / runs, low, high)


def costs(result: Result, warmup: float = 0.0) -> list[dict[str, float | str]]:
    """What issuing has cost each agent: its blocks after `warmup` that are older than the last SETTLE delays.

    One row for each agent: name, blocks, wait (mean time to the first approval) and unapproved (share that has
    none; such blocks have no part in the wait). nan where there are no blocks.
    """
    settled = (result.times >= warmup) & (result.times <= result.end - SETTLE * result.scenario.delay_max)
    rows: list[dict[str, float | str]] = []
    for number, agent in enumerate(result.scenario.everybody):
        waits = result.first_approvals[settled & (result.issuers == number)]
        approved = waits[~np.isnan(waits)]
        rows.append({
            "name": agent.name or str(number),
            "blocks": float(waits.size),
            "wait": float(approved.mean()) if approved.size else math.nan,
            "unapproved": 1 - approved.size / waits.size if waits.size else math.nan,
        })  # fmt: skip
    return rows


# --- verdicts -----------------------------------------------------------------------------------------------


def takeover(result: Result) -> tuple[bool, float]:
    """Share of the honest blocks after the release has settled that approve side 1; 0 when there are none.

    So a run that ends before is one that has not succeeded.
    """
    after = result.honest & (result.times >= released_at(result) + SETTLE * _delay(result))
    share = _share(result, after, REPLACEMENT)
    return share > MOST, share


def standoff(result: Result) -> tuple[bool, float]:
    """Share of the honest blocks in the last quarter of the run that approve the side with fewer of them."""
    late = result.honest & (result.times >= 0.75 * result.end)
    share = min(_share(result, late, 0), _share(result, late, 1))
    return share >= GROWING, share


def approval(result: Result) -> tuple[bool, float]:
    """Share of the adversary's blocks, older than SETTLE delays, that an honest block approves."""
    his = ~result.honest & (result.times <= result.end - SETTLE * _delay(result))
    approved = np.zeros(result.blocks, np.bool_)
    parents = result.parents[result.honest]
    approved[parents[parents >= 0]] = True
    share = float(approved[his].mean()) if his.any() else 0.0
    return share > MOST, share


def crowding(result: Result) -> tuple[bool, float]:
    """The adversary's share of all tips, mean over the last half of the run."""
    first = result.first_approvers
    ends = np.where(first >= 0, result.times[np.maximum(first, 0)], np.inf)
    shares = []
    for time in np.linspace(result.end / 2, result.end, LOOKS):
        tips = (result.times <= time) & (ends > time)
        shares.append(np.count_nonzero(tips & ~result.honest) / np.count_nonzero(tips))
    share = float(np.mean(shares))
    return share > MOST, share


VERDICTS: Mapping[str, Callable[[Result], tuple[bool, float]]] = MappingProxyType(
    {
        "double-spend": takeover,
        "parasite-chain": takeover,
        "splitting": standoff,
        "lazy-tips": approval,
        "tip-spam": crowding,
    }
)
"""attack -> whether it has succeeded, and the share that decides"""


def _verdict(result: Result) -> tuple[bool, float]:
    adversary = result.scenario.adversary
    assert adversary is not None
    if adversary.attack in VERDICTS:
        return VERDICTS[adversary.attack](result)
    if not (result.sides & (1 << REPLACEMENT)).any():
        raise BadMeasure(
            "adversary.attack", f"{adversary.attack!r} has opened no side 1 by which it could be judged"
        )
    return takeover(result)


def _share(result: Result, of: Bools, side: int) -> float:
    sides = result.sides[of]
    return float(((sides >> side) & 1).mean()) if sides.size else 0.0


def _delay(result: Result) -> float:
    adversary = result.scenario.adversary
    return max(result.scenario.delay_max, (adversary.delay or 0.0) if adversary else 0.0)


# --- many runs ----------------------------------------------------------------------------------------------


def _count(scenario: Scenario, seeds: list[int], workers: int, judge: Callable[[Result], bool]) -> list[bool]:
    if workers == 1:
        return [judge(run(scenario.but(seed=seed))) for seed in seeds]
    # Tables, since scenarios hold read-only mappings that cannot be pickled; children of a threaded process are
    # not forked but started anew.
    size = max(1, math.ceil(len(seeds) / (4 * workers)))
    parts = [seeds[i : i + size] for i in range(0, len(seeds), size)]
    work = partial(_judged, scenario.to_table(), judge=judge)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return [won for part in pool.map(work, parts) for won in part]


def _judged(table: dict[str, Any], seeds: list[int], judge: Callable[[Result], bool]) -> list[bool]:
    scenario = Scenario.from_table(table)
    return [judge(run(scenario.but(seed=seed))) for seed in seeds]
