"""Where walks end, how fast they go, and how sure they make a block: measured in the views of agents.

Walks follow the agent's own alpha unless one is given, and start from the scenario's entry depth. An agent that
selects uniformly at random walks nowhere: for him each tip of his view is as likely as any other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tangle.sim.errors import BadMeasure
from tangle.sim.measures.samples import NORMAL, Mean, alpha_of, checked_ages, checked_blocks, warmup
from tangle.sim.measures.views import watch
from tangle.sim.result import Result
from tangle.sim.seen import Seen
from tangle.tipselect import exact, kernels, walk
from tangle.tipselect.confidence import hits, wilson
from tangle.tipselect.kernels import Float64, Int32, Int64


class Exits(NamedTuple):
    """Where selections of one tip end.

    tips : int64[n], block numbers, in the order in which the agent received them
    low, high : float64[n], interval of 95 % of each chance; the chance itself where it is exact
    chances : float64[n], their sum is 1
    """

    tips: Int64
    low: Float64
    high: Float64
    chances: Float64


@dataclass(frozen=True, slots=True)
class Velocity:
    """How fast walkers go from their entry point to a tip, with intervals of 95 %.

    steps : of a walk
    blocks_per_step : issued between the two, by the steps (Capossele 2019, "Running on the Tangle")
    time_per_step : in the scenario's unit
    steps_per_delay : steps that cover a time h; nan without a delay

    Ratios are those of the sums, so a long walk counts for more than a short one.
    """

    steps: Mean
    blocks_per_step: Mean
    time_per_step: Mean
    steps_per_delay: Mean


def exit_probabilities(
    result: Result, time: float | None = None, agent: int = 0, *, alpha: float | None = None,
    walks: int | None = None, seed: int = 0,
) -> Exits:  # fmt: skip
    """Chance of every tip in the view of an agent to end a selection.

    time : the end of the run unless given
    alpha : the agent's own unless given
    walks : how many are sampled; None computes the chances exactly
    """
    seen = result.view(result.end if time is None else time, agent)
    a = alpha_of(result, agent, alpha)
    tips = seen.graph.tips
    if walks is None:
        chances = tip_chances(result, seen, a)
        return Exits(_numbers(seen, tips), chances, chances, chances)
    rng = np.random.default_rng(seed)
    ends = _ends(result, seen, a, walks, rng)
    count = np.bincount(np.searchsorted(tips, ends), minlength=tips.size)
    bounds = np.array([wilson(int(m), walks) for m in count]).reshape(-1, 2)
    return Exits(_numbers(seen, tips), bounds[:, 0], bounds[:, 1], count / walks)


def walker_velocity(
    result: Result, time: float | None = None, agent: int = 0, *, alpha: float | None = None, walks: int = 1_000,
    seed: int = 0,
) -> Velocity:  # fmt: skip
    """Send walkers through the view of an agent. With an agent who selects uniformly at random they are
    unweighted.

    time : the end of the run unless given

    BadMeasure when no walk makes a step, as in a view of one block.
    """
    seen = result.view(result.end if time is None else time, agent)
    a = alpha_of(result, agent, alpha)
    rng = np.random.default_rng(seed)
    entries, ends, steps = walk.walks(
        seen.graph, walks, rng, alpha=0.0 if a is None else a, entry_depth=result.scenario.depth
    )
    if steps.sum() == 0:
        raise BadMeasure("time", "no walk makes a step in this view")
    start, stop = _numbers(seen, entries), _numbers(seen, ends)
    covered = result.times[stop] - result.times[start]
    delay = result.scenario.delay_max
    taken = steps.astype(np.float64)
    none = Mean(math.nan, math.nan, math.nan, 0)
    return Velocity(
        Mean.of_values(taken),
        ratio((stop - start).astype(np.float64), taken),
        ratio(covered, taken),
        ratio(taken * delay, covered) if delay > 0 and covered.sum() > 0 else none,
    )


def confidence_over_time(
    result: Result, blocks: Int64, ages: Float64, *, walks: int = 100, alpha: float | None = None, seed: int = 0,
    agent: int = 0,
) -> Float64:  # fmt: skip
    """float64[blocks, ages]: share of `walks` selections of one tip that approve each block at each age.

    The view of the agent is what it was each time, and for each the selections are new ones; of one share m / n
    `tangle.tipselect.confidence.wilson` tells the interval. 0 where he has not received the block yet, nan
    where his
    window has lost it, or the run has ended. BadMeasure for bad blocks or ages.
    """
    wanted, when = checked_blocks(result, blocks), checked_ages(ages)
    a = alpha_of(result, agent, alpha)
    out = np.full((wanted.size, when.size), np.nan)
    received = result.received(agent)
    times = result.times[wanted][:, None] + when
    cells = [divmod(int(cell), when.size) for cell in np.argsort(times, axis=None, kind="stable")]
    cells = [cell for cell in cells if times[cell] <= result.end]
    for (i, j), seen in zip(cells, watch(result, (float(times[cell]) for cell in cells), agent), strict=True):
        at = int(np.flatnonzero(seen.numbers == wanted[i])[0]) if wanted[i] in seen.numbers else -1
        if at >= 0:
            # A stream for each value: it does not depend on what else is asked for.
            rng = np.random.default_rng([seed, int(wanted[i]), j])
            out[i, j] = share_of_hits(result, seen, walks, a, rng)[at] / walks
        elif received[wanted[i]] > times[i, j]:
            out[i, j] = 0.0
    return out


def confidence_by_age(
    result: Result, ages: Float64, *, views: int = 32, walks: int = 100, alpha: float | None = None, seed: int = 0,
    agent: int = 0,
) -> Float64:  # fmt: skip
    """float64[views, ages]: the same, averaged over all blocks that reach an age in one view; cheap, for curves.

    Each of the views, at times spread evenly over the steady part of the run, answers for all its blocks at once.
    A block counts for the age next to its own. nan where there is none.
    """
    when = checked_ages(ages)
    if when.size == 0 or views < 1:
        raise BadMeasure("ages" if when.size == 0 else "views", "at least one is needed")
    a = alpha_of(result, agent, alpha)
    rng = np.random.default_rng(seed)
    out = np.full((views, when.size), np.nan)
    middles = (when[1:] + when[:-1]) / 2
    furthest = 2 * when[-1] - middles[-1] if middles.size else math.inf
    times = np.linspace(min(warmup(result) + when[-1], result.end), result.end, views)
    for i, seen in enumerate(watch(result, (float(time) for time in times), agent)):
        found = share_of_hits(result, seen, walks, a, rng) / walks
        ages_seen = times[i] - result.times[seen.numbers]
        fit = ages_seen <= furthest
        bins = np.searchsorted(middles, ages_seen[fit])
        count = np.bincount(bins, minlength=when.size)
        total = np.bincount(bins, found[fit], minlength=when.size)
        out[i, count > 0] = total[count > 0] / count[count > 0]
    return out


def tip_chances(result: Result, seen: Seen, alpha: float | None) -> Float64:
    """float64[tips]: exact chance of each tip of a view, ascending; alpha None stands for uniform selection."""
    n = seen.graph.tip_count
    if alpha is None:
        return np.full(n, 1 / n) if n else np.empty(0)
    return exact.tip_chances(seen.graph, alpha=alpha, entry_depth=result.scenario.depth)[1]


def exact_confidence(result: Result, seen: Seen, alpha: float | None) -> Float64:
    """float64[window]: probability that the tip of one selection is, or approves, each block of a view."""
    graph = seen.graph
    if alpha is not None:
        return exact.confidence(graph, alpha=alpha, entry_depth=result.scenario.depth)
    c = graph.columns
    low = graph.low - graph.base
    out = np.zeros(low + len(graph))
    tips = graph.tips - graph.base
    kernels.add_chances(
        tips, np.full(tips.size, 1 / max(tips.size, 1)), out.size, low, c.back, c.count, c.mask, out
    )
    return np.minimum(out[low:], 1.0)


def share_of_hits(result: Result, seen: Seen, n: int, alpha: float | None, rng: np.random.Generator) -> Int32:
    """int32[window]: how many of n selections of one tip approve each block of a view."""
    graph = seen.graph
    if alpha is not None:
        return hits(graph, n, rng, alpha=alpha, entry=walk.entry_points(graph, None, result.scenario.depth))
    c = graph.columns
    low = graph.low - graph.base
    top = low + len(graph)
    out = np.zeros(top, np.int32)
    ends = _ends(result, seen, None, n, rng) - graph.base
    kernels.count_hits(ends, top, low, graph.anchor_slot, c.back, c.count, c.flags, c.mask, graph.far, out)
    return out[low:]


def ratio(top: Float64, bottom: Float64) -> Mean:
    """Ratio of two sums over walks with its interval, by the delta method (Cochran 1977, section 6)."""
    n = top.size
    value = float(top.sum() / bottom.sum())
    spread = float((top - value * bottom).std(ddof=1)) if n > 1 else math.inf
    half = NORMAL * spread / (math.sqrt(n) * float(bottom.mean()))
    return Mean(value, value - half, value + half, n)


def _ends(result: Result, seen: Seen, alpha: float | None, n: int, rng: np.random.Generator) -> Int64:
    """int64[n]: tips that n selections of one tip end on, indices of the graph."""
    if n < 1:
        raise BadMeasure("walks", f"at least one is needed, not {n}")
    if alpha is None:
        return rng.choice(seen.graph.tips, n)
    return walk.walks(seen.graph, n, rng, alpha=alpha, entry_depth=result.scenario.depth)[1]


def _numbers(seen: Seen, indices: Int64) -> Int64:
    return seen.numbers[indices - seen.graph.low].astype(np.int64)
