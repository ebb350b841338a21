"""What measures share: estimates with their intervals, which part of a run is steady, which blocks are followed.

Intervals are of 95 %. That of a share is Wilson's (1927), as if the blocks were independent of each other. That of
a mean over time is of batches: the run is cut into 20 pieces, whose means are nearly independent, so that it holds
though tips of one moment are much like those of the next (Law and Kelton, "Simulation modeling and analysis").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tangle.sim import theory
from tangle.sim.errors import BadMeasure
from tangle.sim.result import Result
from tangle.tipselect import walk
from tangle.tipselect.confidence import wilson
from tangle.tipselect.kernels import Float64, Int64

BATCHES = 20
"""pieces of a run"""
STUDENT = 2.093
"""quantile of Student's t with 19 degrees of freedom, 97.5 %"""
NORMAL = 1.96
"""quantile of the normal distribution, 97.5 %"""
WARMUP_DELAYS = 20
"""delays until a run is taken to be steady"""
FOLLOWED = 64
"""blocks followed unless told"""


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`, with its interval; nan of nothing."""

    count: int
    of: int
    share: float
    low: float
    high: float

    @classmethod
    def of_counts(cls, count: int, of: int) -> Share:
        """Return count / of with Wilson's interval."""
        if of == 0:
            return cls(0, 0, math.nan, math.nan, math.nan)
        return cls(count, of, count / of, *wilson(count, of))

    def __float__(self) -> float:
        return self.share


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean of `count` values with its interval; nan of none."""

    mean: float
    low: float
    high: float
    count: int

    @classmethod
    def of_values(cls, values: Float64) -> Mean:
        """Return the mean of independent values."""
        n = values.size
        if n == 0:
            return cls(math.nan, math.nan, math.nan, 0)
        mean = float(values.mean())
        half = NORMAL * float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else math.inf
        return cls(mean, mean - half, mean + half, n)

    @classmethod
    def of_series(cls, values: Float64, weights: Float64 | None = None) -> Mean:
        """Return the mean of values that are much like their neighbours: the interval is that of batches.

        weights : how long each value lasted; all alike unless given
        """
        if values.size < 2 * BATCHES:
            whole = cls.of_values(values if weights is None else values[weights > 0])
            return cls(whole.mean, -math.inf, math.inf, values.size) if values.size else whole
        given = np.ones(values.size) if weights is None else weights
        cuts = np.linspace(0, values.size, BATCHES + 1).astype(np.int64)[:-1]
        sums, lengths = np.add.reduceat(values * given, cuts), np.add.reduceat(given, cuts)
        mean = float(sums.sum() / lengths.sum())
        each = sums / np.maximum(lengths, 1e-300)
        half = STUDENT * float(each[lengths > 0].std(ddof=1)) / math.sqrt(BATCHES)
        return cls(mean, mean - half, mean + half, values.size)

    def __float__(self) -> float:
        return self.mean


def mean_rate(result: Result) -> float:
    """Blocks issued per unit of time, over the whole run. BadMeasure for a run of no duration."""
    if result.end <= 0:
        raise BadMeasure("result", "it has no duration")
    return (result.blocks - 1) / result.end


def warmup(result: Result) -> float:
    """Time from which the run is taken to be steady: 20 delays or blocks, but not more than a fifth of the run."""
    return min(max(WARMUP_DELAYS * result.scenario.delay_max, WARMUP_DELAYS / mean_rate(result)), result.end / 5)


def old_age(result: Result) -> float:
    """Age from which on a tip is taken to be left behind: the time in which an entry depth of blocks comes.

    That is sixteen delays unless the scenario says otherwise. Walks start before it, so an older tip is passed by.
    At least the time of tipselect's own least distance, 20 blocks.
    """
    return max(result.scenario.depth, 20) / mean_rate(result)


def adapting_age(result: Result) -> float:
    """Age by which weight should have come to grow linearly: twice Popov's adaptation period and 10 delays."""
    scenario = result.scenario
    if scenario.parents == 1 or scenario.delay_max == 0:
        return 10 * max(scenario.delay_max, 1 / mean_rate(result))
    period = theory.adaptation_period(mean_rate(result), scenario.delay_max, scenario.parents)
    return 2 * period + 10 * max(scenario.delay_max, 1 / mean_rate(result))


def followed(result: Result, age: float, count: int = FOLLOWED, *, after: float | None = None) -> Int64:
    """int64[<= count], ascending: honest blocks spread evenly over the run, all of which reach this age.

    after : time of the first; the warm-up's end unless given

    BadMeasure when the run is too short for any.
    """
    start = warmup(result) if after is None else after
    fit = np.flatnonzero(result.honest & (result.times >= start) & (result.times <= result.end - age))
    fit = fit[fit > 0]
    if fit.size == 0:
        raise BadMeasure(
            "age", f"no block reaches {age:g}: the run ends at {result.end:g}, steady from {start:g} on"
        )
    return np.unique(fit[np.linspace(0, fit.size - 1, min(count, fit.size)).astype(np.int64)])


def checked_blocks(result: Result, blocks: Int64) -> Int64:
    """int64[n]: block numbers, as given. BadMeasure for one that there is not."""
    given = np.asarray(blocks, np.int64).reshape(-1)
    if given.size and (given.min() < 0 or given.max() >= result.blocks):
        raise BadMeasure("blocks", f"there are {result.blocks}, counted from 0")
    return given


def checked_ages(ages: Float64) -> Float64:
    """float64[n]: ages, as given. BadMeasure unless they are at least 0 and ascending."""
    given = np.asarray(ages, np.float64).reshape(-1)
    if not (np.isfinite(given).all() and (given >= 0).all() and (np.diff(given) >= 0).all()):
        raise BadMeasure("ages", "they are at least 0 and ascend")
    return given


def alpha_of(result: Result, agent: int, alpha: float | None) -> float | None:
    """Return the alpha of an agent's walks, or the one given. None for an agent that selects at random."""
    if alpha is not None:
        return float(alpha)
    everybody = result.scenario.everybody
    selector, settings = result.scenario.selector_of(everybody[min(agent, len(everybody) - 1)])
    if selector == "uniform":
        return None
    return 0.0 if selector == "unweighted" else float(settings.get("alpha", walk.ALPHA))
