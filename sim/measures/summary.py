"""The scalar measures of one run, which a sweep keeps."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tangle.sim import theory
from tangle.sim.errors import BadMeasure
from tangle.sim.measures.agreement import agreement
from tangle.sim.measures.losses import left_behind, orphaned, survival
from tangle.sim.measures.samples import mean_rate
from tangle.sim.measures.tips import first_approval_by_agent, mean_first_approval, mean_tips
from tangle.sim.measures.walks import walker_velocity
from tangle.sim.measures.weights import adaptation_period
from tangle.sim.result import Result

AGREEMENT_VIEWS = 4
"""moments at which agents are compared"""
AGREEMENT_AGENTS = 8
"""agents that are compared, at most"""


def summary(result: Result) -> dict[str, float]:
    """Return the scalar measures of a run by name; nan for what it cannot answer, such as one too short.

    blocks, duration, rate : issued, in what time, and how many per unit of time
    mean_tips (_low, _high), expected_tips, max_tips : over time, after the warm-up; `theory.tips_at_load`
    mean_first_approval (_low, _high), expected_first_approval : `theory.first_approval_at_load`
    left_behind_share, orphan_share : of the blocks old enough
    adaptation_lag, adaptation_half, expected_adaptation_lag : see `weights.Adaptation`
    walker_steps_per_delay, walker_blocks_per_step : at the end, for the first agent
    agreement_tips : mean over time and pairs of agents, where there are several
    slowest_first_approval, fastest_first_approval : of the agents' means, where there are several
    survival_least : of the groups of all splits, where the network was split
    attack_success, attack_share and more of `contest.outcome` : where there is an adversary

    Expected values are those of uniform selection with one view and the mean rate of the run.
    """
    out = {"blocks": float(result.blocks), "duration": result.end}
    if result.blocks < 2 or result.end <= 0:
        return out
    rate, h, k = mean_rate(result), result.scenario.delay_max, result.scenario.parents
    tips, waits = mean_tips(result), mean_first_approval(result)
    out |= {
        "rate": rate,
        "mean_tips": tips.mean, "mean_tips_low": tips.low, "mean_tips_high": tips.high,
        "expected_tips": theory.tips_at_load(rate, h, k), "max_tips": float(result.tips.max()),
        "mean_first_approval": waits.mean, "mean_first_approval_low": waits.low,
        "mean_first_approval_high": waits.high,
        "expected_first_approval": theory.first_approval_at_load(rate, h, k),
        "left_behind_share": left_behind(result).share, "orphan_share": orphaned(result).share,
    }  # fmt: skip
    out |= _growth(result, rate) | _walkers(result)
    if result.agents > 1:
        out |= _agents(result)
    if result.scenario.splits:
        out["survival_least"] = _or_nan(lambda: _least_survival(result))
    if result.scenario.adversary is not None:
        out |= _attack(result)
    return out


def _attack(result: Result) -> dict[str, float]:
    from tangle.sim.contest import outcome

    try:
        return outcome(result)
    except BadMeasure:
        # An attack of one's own that opens no conflict is neither won nor lost.
        return {"attack_success": math.nan}


def _growth(result: Result, rate: float) -> dict[str, float]:
    h, k = result.scenario.delay_max, result.scenario.parents
    known = k > 1 and h > 0 and rate * h > 1
    expected = theory.adaptation_lag(rate, h, k) if known else math.nan
    try:
        found = adaptation_period(result)
        lag, half = found.lag.mean, found.half
    except BadMeasure:
        lag = half = math.nan
    return {"adaptation_lag": lag, "adaptation_half": half, "expected_adaptation_lag": expected}


def _walkers(result: Result) -> dict[str, float]:
    try:
        found = walker_velocity(result)
        steps, blocks = found.steps_per_delay.mean, found.blocks_per_step.mean
    except BadMeasure:
        steps = blocks = math.nan
    return {"walker_steps_per_delay": steps, "walker_blocks_per_step": blocks}


def _agents(result: Result) -> dict[str, float]:
    waits = [each.mean for each in first_approval_by_agent(result)[: result.agents] if each.count]
    return {
        "agreement_tips": _or_nan(lambda: _agreed(result)),
        "slowest_first_approval": max(waits, default=math.nan),
        "fastest_first_approval": min(waits, default=math.nan),
    }


def _agreed(result: Result) -> float:
    times = np.linspace(result.end / 2, result.end, AGREEMENT_VIEWS)
    some = range(min(result.agents, AGREEMENT_AGENTS))
    found = agreement(result, times, agents=some)
    pairs = np.triu_indices(found.shape[1], 1)
    return float(found[:, pairs[0], pairs[1]].mean())


def _least_survival(result: Result) -> float:
    shares = [s.share for i in range(len(result.scenario.splits)) for s in survival(result, i)]
    return min((s for s in shares if not math.isnan(s)), default=math.nan)


def _or_nan(measure: Callable[[], float]) -> float:
    try:
        return measure()
    except BadMeasure:
        return math.nan
