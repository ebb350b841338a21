"""The simulation once more, in plain Python on networkx, slow and obvious: oracle of the tests.

It shares with the compiled loop what is random: arrivals, delays and own weights from `arrivals`, and the
stream of numbers that selections draw from. Nothing else: views are networkx graphs, cumulative weights are
added up over the past cone of every block that a view receives, walks are those of tipselect.reference. So the
same scenario has to give the same parents, block by block, until rounding decides otherwise in one walk of many
millions. With `draws` of its own it is a simulation that is independent of the compiled one, for comparing
distributions.

Not here: adversaries, and selectors written in Python. When a view's rows are used up (one and a half windows and
3,072 blocks) the compiled loop moves them and looks for entry points again; the twin has no rows, and goes other
ways from there if the entry depth is 32 or more.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np

from tangle.sim.arrivals import SELECTION, Arrivals, groups_of, mean_delays, stream
from tangle.sim.result import Result
from tangle.sim.scenario import Scenario
from tangle.tipselect import eiota, hybrid, orphans, reference, walk
from tangle.tipselect.lazy import NON_LAZY


class View:
    """What an agent has received, counted 0, 1, 2, … in the order of arrival; the newest `window` can be selected.

    numbers : the block that each stands for
    tips : in the order that the kernels keep them in, where the last one fills a gap
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self.graph = nx.DiGraph()
        self.weight: dict[int, int] = {}
        self.numbers: list[int] = []
        self.tips: list[int] = []
        self.entries: list[int] = []
        self.entries_due = 0

    @property
    def low(self) -> int:
        """Oldest vertex of the window."""
        return max(0, len(self.numbers) - self.window)

    def receive(self, block: int, parents: list[int], own_weight: int) -> None:
        """Attach a block upon what is in the window of its parents, given by their numbers."""
        x, low = len(self.numbers), self.low
        self.graph.add_node(x, forbidden=False, score=NON_LAZY)
        places = {number: i for i, number in enumerate(self.numbers[low:], start=low)}
        self.tips.append(x)
        for p in (places[number] for number in parents if number in places):
            self.graph.add_edge(x, p)
            self._no_tip(p)
        self.weight[x] = 0
        for y in (x, *nx.descendants(self.graph, x)):
            self.weight[y] += own_weight
        self.numbers.append(block)
        if self.low > low:
            self._no_tip(low)

    def _no_tip(self, x: int) -> None:
        if x in self.tips:
            self.tips[self.tips.index(x)] = self.tips[-1]
            self.tips.pop()

    def renew_entries(self, depth: int, unit: float, settled: bool) -> None:
        """Look for entry points, as `walk.entry_points` does, every sixteenth of the depth.

        `unit` is the mean own weight. Unless they have to be `settled`, whatever is approved will do.
        """
        high, low, weight = len(self.numbers), self.low, self.weight
        if high < self.entries_due:
            return
        deep = range(max(high - 1 - 2 * depth, low), high - depth)
        if settled:
            self.entries = [x for x in deep if 2 * (weight[x] - unit) >= unit * (high - 1 - x)]
        else:
            self.entries = [x for x in deep if self.graph.in_degree(x) > 0]
        if not self.entries:
            self.entries = [max(range(low, high), key=lambda x: (weight[x], -x))] if settled else [low]
        self.entries_due = high + max(depth // 16, 1)


def run(scenario: Scenario, draws: Iterator[float] | None = None, arrivals: Arrivals | None = None) -> Result:
    """Simulate without compiled code.

    draws : numbers from [0, 1) for selections; by default those that the compiled loop draws from the seed
    """
    assert scenario.adversary is None
    drawn = (arrivals or Arrivals(scenario)).take(scenario.blocks)
    draws = draws or reference.uniforms(int(stream(scenario.seed, SELECTION).bit_generator.random_raw()))
    n, agents = scenario.blocks, scenario.everybody
    own = drawn.weights if drawn.weights.size else np.ones(n, np.int32)
    unit = sum(weight * chance for weight, chance in scenario.own_weights)
    parents: list[list[int]] = []
    tips = {0}
    counts = []
    received: list[list[float]] = []
    waiting: list[list[int]] = [[] for _ in agents]
    views = [View(scenario.window_blocks) for _ in agents]
    for block in range(n):
        time, issuer = float(drawn.times[block]), int(drawn.issuers[block])
        chosen: list[int] = []
        if issuer >= 0:
            view = views[issuer]
            due = sorted((received[b][issuer], b) for b in waiting[issuer] if received[b][issuer] <= time)
            for _, b in due:
                view.receive(b, parents[b], int(own[b]))
                waiting[issuer].remove(b)
            found = select(view, scenario, issuer, draws, unit)
            chosen = [view.numbers[x] for x in found]
        parents.append(chosen)
        tips = (tips - set(chosen)) | {block}
        counts.append(len(tips))
        travel = drawn.travels[block] if drawn.travels.size else np.ones(len(agents))
        received.append(
            [arrival(scenario, v, issuer, time, travel[v], received, chosen) for v in range(len(agents))]
        )
        for queue in waiting:
            queue.append(block)
    return _result(scenario, drawn.times, drawn.issuers, parents, counts, own)


def arrival(
    scenario: Scenario,
    view: int,
    issuer: int,
    sent: float,
    travel: float,
    received: list[list[float]],
    parents: list[int],
) -> float:
    """Return when a view receives a block: after its delay, not through a split, and not before its parents."""
    if issuer < 0:
        return sent
    time = float(sent + mean_delays(scenario)[issuer, view] * travel)
    spans, groups = groups_of(scenario)
    for (start, end), group in zip(spans, groups, strict=True):
        if group[issuer] != group[view] and time >= start and sent < end:
            time = max(time, float(end))
    return max([time, *(received[p][view] for p in parents)])


def select(view: View, scenario: Scenario, agent: int, draws: Iterator[float], unit: float) -> list[int]:
    """Return min(k, tips) distinct tips as the agent's selector has it."""
    name, settings = scenario.selector_of(scenario.everybody[agent])
    k = scenario.parents
    found: list[int] = []
    if name in {"weighted", "unweighted", "g-iota"}:
        alpha = 0.0 if name == "unweighted" else settings.get("alpha", walk.ALPHA)
        found = race(view, scenario, k, alpha, settings, draws, unit, name != "unweighted")
    elif name == "e-iota":
        found = race(view, scenario, k, e_iota_alpha(settings, next(draws)), settings, draws, unit)
    elif name == "hybrid":
        alpha, second = settings.get("alpha", hybrid.HIGH_ALPHA), settings.get("swipe_alpha")
        found = race(view, scenario, (k + 1) // 2, alpha, settings, draws, unit)
        if second is not None:
            more = race(view, scenario, k, second, settings, draws, unit)
            found = list(dict.fromkeys(found + more))[:k]
    while len(found) < min(k, len(view.tips)):
        tip = view.tips[int(next(draws) * len(view.tips))]
        if tip not in found:
            found.append(tip)
    if name == "g-iota" and k > 1 and len(found) == k:
        swap_left_behind(view, found, settings.get("age", orphans.AGE), draws)
    return found


def e_iota_alpha(settings: dict[str, Any], drawn: float) -> float:
    """Return the alpha that a number drawn from [0, 1) stands for (Bu, Hana, Potop-Butucaru 2019)."""
    zero, low = settings.get("zero_share", eiota.ZERO_SHARE), settings.get("low_share", eiota.LOW_SHARE)
    if drawn < zero:
        return 0.0
    if drawn < zero + low:
        return float(settings.get("low_alpha", eiota.LOW_ALPHA))
    return float(settings.get("high_alpha", eiota.HIGH_ALPHA))


def swap_left_behind(view: View, found: list[int], age: int, draws: Iterator[float]) -> None:
    """Let a tip that `age` blocks have passed, if there is one, take the last place.

    The n-th of them takes it with chance 1 / n, so that each has the same in the end (Bu, Gürcan, Potop-Butucaru
    2019).
    """
    others = set(found[:-1])
    old = [tip for tip in view.tips if len(view.numbers) - 1 - tip >= age and tip not in others]
    for n, tip in enumerate(old, start=1):
        if next(draws) * n < 1.0:
            found[-1] = tip


def race(
    view: View,
    scenario: Scenario,
    k: int,
    alpha: float,
    settings: dict[str, Any],
    draws: Iterator[float],
    unit: float,
    by_weight: bool = True,
) -> list[int]:
    """Return up to k distinct tips in the order in which walkers arrive: see `tangle.tipselect.walk`."""
    view.renew_entries(
        scenario.depth, unit, (scenario.entries or ("settled" if by_weight else "any")) == "settled"
    )
    walkers = k * settings.get("walkers_per_tip", 1)
    wanted = min(k, len(view.tips))
    arrivals: list[tuple[int, int, float]] = []
    honest: list[int] = []
    fast: list[int] = []
    for _ in range(walk.ROUNDS):
        for _ in range(walkers):
            start = view.entries[int(next(draws) * len(view.entries))]
            tip, steps = reference.walk(view.graph, view.weight, start, alpha, draws)
            arrivals.append((steps, tip, steps / (len(view.numbers) - start)))
        least = settings.get("fast_ratio", 0.0) * statistics.median_high(pace for _, _, pace in arrivals)
        order = sorted(arrivals, key=lambda each: each[0])
        honest = list(dict.fromkeys(tip for _, tip, pace in order if pace >= least))
        fast = [tip for _, tip, pace in order if pace < least]
        if len(honest) >= wanted:
            return honest[:wanted]
    return list(dict.fromkeys(honest + fast))[:wanted]


def _result(scenario: Scenario, times: Any, issuers: Any, parents: Any, counts: Any, own: Any) -> Result:
    n = len(parents)
    table = np.full((n, scenario.parents), -1, np.int32)
    first = np.full(n, -1, np.int32)
    for block, chosen in enumerate(parents):
        table[block, : len(chosen)] = chosen
        for p in chosen:
            first[p] = block if first[p] < 0 else first[p]
    return Result(
        scenario,
        times,
        issuers.astype(np.int16),
        table,
        first,
        np.array(counts, np.int32),
        own,
        np.zeros(n, np.uint8),
    )
