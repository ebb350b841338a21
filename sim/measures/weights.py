"""How cumulative weight grows: exponentially while few tips approve a block, then with the rate of arrivals.

Popov 2018, section 3.1, calls the first phase the adaptation period. Blocks are followed in one pass for 64 of
them, with a bit for each that says who approves it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tangle.sim.errors import BadMeasure
from tangle.sim.measures.kernels import grow
from tangle.sim.measures.samples import FOLLOWED, Mean, Share, adapting_age, checked_ages, checked_blocks, followed
from tangle.sim.result import Result
from tangle.tipselect.kernels import Float64, Int64

ADAPTED = 0.95
"""share of new blocks that approve a block whose adaptation period is over"""
GRID = 200
"""ages at which the adaptation is looked at"""


@dataclass(frozen=True, slots=True)
class Adaptation:
    """How blocks get to be approved by all new ones; times in the scenario's unit.

    lag : by how much weight falls behind that of a block approved by all from the first: age - weight / rate,
        late. Over the blocks that adapt. `theory.adaptation_lag` expects it
    half, full : ages from which on half, and 95 %, of the new blocks approve a block, on average; nan when never
    adapted : blocks that at last half of the new ones approve
    """

    lag: Mean
    half: float
    full: float
    adapted: Share


def weight_growth(result: Result, blocks: Int64, ages: Float64) -> Float64:
    """float64[blocks, ages]: cumulative weight of each block at each age, its own included.

    It counts what had been issued by then, whoever had received it. nan where the run ends before. Any number of
    blocks in any order; ages ascend. BadMeasure for others.
    """
    wanted, order = np.unique(checked_blocks(result, blocks), return_inverse=True)
    when = checked_ages(ages)
    out = np.full((wanted.size, when.size), np.nan)
    own = result.own_weights.astype(np.int64)
    mask = np.zeros(result.blocks, np.uint64)
    if when.size:
        for start in range(0, wanted.size, 64):
            part = wanted[start : start + 64]
            # Bits of the part before are left where this one begins later than that one ended.
            mask[part[0] :] = 0
            grow(part, result.times, result.parents, own, when, mask, out[start : start + 64])
    return out[order]


def adaptation_period(result: Result, blocks: Int64 | None = None, *, age: float | None = None) -> Adaptation:
    """Measure how long blocks take until all new ones approve them.

    blocks : 64 of the steady part unless given
    age : by which they should have adapted; `samples.adapting_age` unless given

    BadMeasure when the run is too short for it.
    """
    late = adapting_age(result) if age is None else age
    chosen = followed(result, late) if blocks is None else checked_blocks(result, blocks)
    ages = np.linspace(0.0, late, GRID + 1)
    weights = weight_growth(result, chosen, ages)
    if chosen.size == 0 or np.isnan(weights[:, -1]).any():
        raise BadMeasure("age", f"the run ends before the blocks are {late:g} old")
    issued = _issued(result, chosen, ages)
    gained, came = np.diff(weights, axis=1), np.diff(issued, axis=1)
    # What has come in the last tenth tells whether a block has adapted.
    tail = slice(-GRID // 10, None)
    adapted = gained[:, tail].sum(axis=1) > came[:, tail].sum(axis=1) / 2
    missed = issued[adapted, -1] - (weights[adapted, -1] - weights[adapted, 0])
    lags = late * missed / np.maximum(issued[adapted, -1], 1)
    share = gained.sum(axis=0) / np.maximum(came.sum(axis=0), 1)
    return Adaptation(
        Mean.of_values(lags), _reached(ages, share, 0.5), _reached(ages, share, ADAPTED),
        Share.of_counts(int(adapted.sum()), chosen.size),
    )  # fmt: skip


def growth_rate(
    result: Result, blocks: Int64 | None = None, *, least: float = 20.0, most: float | None = None
) -> float:
    """Rate of the exponential phase, fitted to the logarithm of the mean weight of the blocks; per unit of time.

    blocks : 640 of the steady part unless given
    least, most : mean weights between which it is fitted; the greater is a tenth of lambda h unless given

    The mean of the weights, not of their logarithms: that is what grows exponentially (`theory.branching_rate`).
    At first it grows faster, while the ages of the approvers still mix. BadMeasure when there are fewer than three
    points, as for loads below some hundred.
    """
    late = adapting_age(result)
    chosen = followed(result, late, 10 * FOLLOWED) if blocks is None else checked_blocks(result, blocks)
    ages = np.linspace(0.0, late, GRID + 1)
    mean = weight_growth(result, chosen, ages).mean(axis=0)
    top = result.scenario.load / 10 if most is None else most
    fit = (mean >= least) & (mean <= top)
    if fit.sum() < 3:
        raise BadMeasure("most", f"the mean weight passes from {least:g} to {top:g} too fast to be fitted")
    return float(np.polyfit(ages[fit], np.log(mean[fit]), 1)[0])


def _issued(result: Result, blocks: Int64, ages: Float64) -> Float64:
    """float64[blocks, ages]: weight of all that came after each block up to each age."""
    total = np.cumsum(result.own_weights, dtype=np.int64)
    by_then = np.searchsorted(result.times, result.times[blocks][:, None] + ages, "right") - 1
    return (total[by_then] - total[blocks][:, None]).astype(np.float64)


def _reached(ages: Float64, share: Float64, least: float) -> float:
    """Age from which on the share of new blocks stays at least so great; nan when it is not so at the end."""
    below = np.flatnonzero(share < least)
    if below.size == 0:
        return float(ages[0])
    return float(ages[below[-1] + 1]) if below[-1] + 1 < share.size else float("nan")
