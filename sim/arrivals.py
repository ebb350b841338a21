"""When blocks come, from whom, how heavy they are, how long they travel: everything random outside of the Tangle.

Each of these has a random stream of its own, spawned from the scenario's seed (numpy's SeedSequence), and is drawn
in the order of blocks. So a result does not depend on how many blocks are drawn at once, and two scenarios that
differ in their selector only see the very same arrivals (common random numbers).

Arrivals of a changing rate are unit-rate arrivals in a time that runs with the rate: the points of a Poisson
process of rate 1, or 1, 2, 3, …, are carried through the inverse of the integrated rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tangle.sim.errors import BadReplay
from tangle.sim.scenario import Corners, Scenario
from tangle.tipselect.kernels import Float64, Int32

TIMES, ISSUERS, DELAYS, WEIGHTS, SELECTION, ATTACK = range(6)
"""random streams"""
GENESIS = -1
"""issuer of block 0, and of all that were there before a simulation"""


def stream(seed: int, which: int) -> np.random.Generator:
    """Return one of the random streams of a seed."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(which,)))


@dataclass(frozen=True, slots=True)
class Rates:
    """A rate that is linear in pieces; the last piece has no end.

    starts, heads, slopes : float64[n], where each piece begins, the rate there, and its change per unit of time
    areas : float64[n], integral of the rate up to each start
    """

    starts: Float64
    heads: Float64
    slopes: Float64
    areas: Float64

    @classmethod
    def of(cls, corners: Corners, breaks: tuple[tuple[float, float, float], ...] = ()) -> Rates:
        """Build the rate of the corners, multiplied by `factor` between `start` and `end` for each of `breaks`."""
        times = {0.0, *(t for t, _ in corners)}
        times |= {t for start, end, _ in breaks for t in (start, end) if t < math.inf}
        starts = np.array(sorted(times))
        heads, slopes = np.empty(starts.size), np.zeros(starts.size)
        for i, start in enumerate(starts):
            factor = math.prod(f for a, b, f in breaks if a <= start < b)
            heads[i] = _after(corners, start) * factor
            if i + 1 < starts.size:
                slopes[i] = (_before(corners, starts[i + 1]) * factor - heads[i]) / (starts[i + 1] - start)
        spans = np.diff(starts)
        areas = np.concatenate(([0.0], np.cumsum(heads[:-1] * spans + slopes[:-1] * spans**2 / 2)))
        return cls(starts, heads, slopes, areas)

    def at(self, areas: Float64) -> Float64:
        """Return the times up to which the integrated rate is `areas`."""
        # Of several pieces that begin with the same area all but the last are empty.
        i = np.searchsorted(self.areas, areas, "right") - 1
        rest = areas - self.areas[i]
        root = np.sqrt(np.maximum(self.heads[i] ** 2 + 2 * self.slopes[i] * rest, 0.0))
        below = self.heads[i] + root
        return self.starts[i] + np.divide(2 * rest, below, out=np.zeros_like(rest), where=below > 0)


def _after(corners: Corners, time: float) -> float:
    """Rate just after a time."""
    past = [c for c in corners if c[0] <= time]
    if not past:
        return corners[0][1]
    coming = [c for c in corners if c[0] > time]
    return _between(past[-1], coming[0], time) if coming else past[-1][1]


def _before(corners: Corners, time: float) -> float:
    """Rate just before a time."""
    past = [c for c in corners if c[0] < time]
    if not past:
        return corners[0][1]
    coming = [c for c in corners if c[0] >= time]
    return _between(past[-1], coming[0], time) if coming else past[-1][1]


def _between(one: tuple[float, float], other: tuple[float, float], time: float) -> float:
    return one[1] + (other[1] - one[1]) * (time - one[0]) / (other[0] - one[0])


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is known of n blocks before they are issued.

    times : float64[n]
    issuers : int32[n], agents; the number of agents stands for the adversary
    weights : int32[n], own weights; empty when all weigh 1
    travels : float64[n, views], delays as multiples of their mean; empty when they are fixed
    """

    times: Float64
    issuers: Int32
    weights: Int32
    travels: Float64


class Arrivals:
    """Draws block after block.

    times, issuers : given instead of drawn (a replay), for the blocks after those that were there before
    before : float64[start], times of these; just the genesis at time 0 unless given
    """

    def __init__(
        self,
        scenario: Scenario,
        times: Float64 | None = None,
        issuers: Int32 | None = None,
        before: Float64 | None = None,
    ) -> None:
        self.scenario = scenario
        self.before = np.zeros(1) if before is None else before
        self._given_times, self._given_issuers = times, issuers
        self._streams = [stream(scenario.seed, which) for which in (TIMES, ISSUERS, DELAYS, WEIGHTS)]
        self._taken = 0
        self._area = 0.0
        adversary = scenario.adversary
        active = adversary is not None and adversary.share > 0
        breaks = ((adversary.start, adversary.end, 1 / (1 - adversary.share)),) if adversary and active else ()
        self._rates = Rates.of(scenario.corners, breaks)
        shares = np.array([agent.share for agent in scenario.everybody], np.float64)
        self._bounds = np.cumsum(shares) / shares.sum()

    @property
    def given(self) -> bool:
        """Whether arrivals are not, or not only, those of the scenario."""
        return self._given_times is not None or self.before.size > 1

    @property
    def views(self) -> int:
        """How many see the Tangle: the agents, and the adversary."""
        return len(self.scenario.everybody) + (self.scenario.adversary is not None)

    def take(self, n: int) -> Drawn:
        """Take the next n blocks; the first ones are those that were there before, and weigh 1."""
        there = self.before[self._taken : self._taken + n]
        self._taken += n
        issued = n - there.size
        times = self._times(issued)
        issuers = self._issuers(times)
        weights = self._weights(issued)
        travels = self._travels(issued)
        if there.size:
            times = np.concatenate((there, times))
            issuers = np.concatenate((np.full(there.size, GENESIS, np.int32), issuers))
            if not self.scenario.unit_weights:
                weights = np.concatenate((np.ones(there.size, np.int32), weights))
            if self.scenario.spread != "fixed":
                travels = np.concatenate((np.zeros((there.size, self.views)), travels))
        return Drawn(times, issuers, weights, travels)

    def _times(self, n: int) -> Float64:
        start = max(self._taken - self.before.size - n, 0)
        if self._given_times is not None:
            if start + n > self._given_times.size:
                raise BadReplay("blocks", f"{self._given_times.size} arrivals are given, more are asked for")
            return np.array(self._given_times[start : start + n], np.float64)
        if self.scenario.process == "fixed":
            return self._rates.at(np.arange(start + 1, start + n + 1, dtype=np.float64))
        # Added up one by one, so that the size of a draw changes nothing.
        gaps = self._streams[TIMES].standard_exponential(n)
        if n:
            gaps[0] += self._area
            gaps = np.cumsum(gaps)
            self._area = float(gaps[-1])
        return self._rates.at(gaps)

    def _issuers(self, times: Float64) -> Int32:
        start = max(self._taken - self.before.size - times.size, 0)
        if self._given_issuers is not None:
            return np.array(self._given_issuers[start : start + times.size], np.int32)
        adversary = self.scenario.adversary
        if self._bounds.size == 1 and adversary is None:
            return np.zeros(times.size, np.int32)
        drawn = self._streams[ISSUERS].random((times.size, 2))
        found = np.minimum(np.searchsorted(self._bounds, drawn[:, 0], "right"), self._bounds.size - 1)
        if adversary is not None:
            at_work = (times >= adversary.start) & (times < adversary.end) & (drawn[:, 1] < adversary.share)
            found[at_work] = self._bounds.size
        issuers: Int32 = found.astype(np.int32)
        return issuers

    def _weights(self, n: int) -> Int32:
        if self.scenario.unit_weights:
            return np.empty(0, np.int32)
        weights, chances = zip(*self.scenario.own_weights, strict=True)
        bounds = np.cumsum(chances)
        at = np.searchsorted(bounds, self._streams[WEIGHTS].random(n) * bounds[-1], "right")
        drawn: Int32 = np.array(weights, np.int32)[np.minimum(at, len(weights) - 1)]
        return drawn

    def _travels(self, n: int) -> Float64:
        drawing = self._streams[DELAYS]
        if self.scenario.spread == "uniform":
            return drawing.random((n, self.views)) * 2
        if self.scenario.spread == "exponential":
            return drawing.standard_exponential((n, self.views))
        return np.empty((0, self.views))


def mean_delays(scenario: Scenario) -> Float64:
    """Return float64[views, views]: mean delay from an issuer (row) to a view (column)."""
    agents = len(scenario.everybody)
    size = agents + (scenario.adversary is not None)
    out = np.full((size, size), scenario.delay)
    if scenario.delays is not None:
        out[:agents, :agents] = scenario.delays
    elif scenario.own_delay is not None:
        out[range(agents), range(agents)] = scenario.own_delay
    if scenario.adversary is not None:
        given = scenario.adversary.delay
        out[agents, :] = out[:, agents] = scenario.delay_max if given is None else given
        out[agents, agents] = 0.0
    return out


def groups_of(scenario: Scenario) -> tuple[Float64, Int32]:
    """Return the splits, float64[n, 2] start and end, and the group of each view, int32[n, views].

    The adversary stands outside: splits do not hinder him, group -1.
    """
    agents = len(scenario.everybody)
    spans = np.array([(split.start, split.end) for split in scenario.splits], np.float64).reshape(-1, 2)
    groups = np.zeros((len(scenario.splits), agents + (scenario.adversary is not None)), np.int32)
    for i, split in enumerate(scenario.splits):
        for number, members in enumerate(split.groups, start=1):
            groups[i, list(members)] = number
        groups[i, agents:] = -1
    return spans, groups
