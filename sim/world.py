"""A simulation under way: its memory is laid out, blocks are drawn and issued, whoever decides in Python is asked.

Agents with a selector of tipselect are compiled. The adversary, and agents with a selector of their own, are asked
in Python each time they issue a block.
"""

from __future__ import annotations

import math

import numpy as np

from tangle.sim import kernels
from tangle.sim.arrivals import ATTACK, SELECTION, Arrivals, Drawn, groups_of, mean_delays, stream
from tangle.sim.attacker import CONFLICT_SIDES, Attacker, Issue
from tangle.sim.attacks import attack
from tangle.sim.errors import BadAttack
from tangle.sim.growing import Growing
from tangle.sim.recipes import ALPHA, E_IOTA, KIND, LOW_ALPHA, RECIPE_SIZE, SWIPE_ALPHA, WALKERS, recipe
from tangle.sim.scenario import Agent, Scenario, own_selector
from tangle.tipselect.columns import Columns
from tangle.tipselect.kernels import FAR_MAX, PARENTS_MAX, Int32
from tangle.tipselect.selectors import Selector
from tangle.tipselect.walk import ROUNDS, decay

CHUNK = 65_536
"""blocks drawn and issued at once"""
WAY_MAX = 40
"""mean delays; an exponential one is longer with probability 4e-18"""
ROWS_AROUND = 3_072
"""rows of a view beyond its window, at least; the more, the rarer it has to be moved"""


class World(Growing):
    """A simulation under way.

    arrivals : given ones instead of those that the scenario draws
    before : int32[start, k], the parents of blocks that are there before the simulation begins, all of which have
        been received by everybody at their own times (`arrivals.before`); their issuers are unknown, as the
        genesis'
    """

    def __init__(self, scenario: Scenario, arrivals: Arrivals | None = None, before: Int32 | None = None) -> None:
        self.scenario = scenario
        self.arrivals = arrivals or Arrivals(scenario)
        self.blocks = scenario.blocks
        before = np.full((1, 1), -1, np.int32) if before is None else before
        self.start = before.shape[0]
        width = max(scenario.parents, before.shape[1])
        rules, self._asked = _rules(scenario)
        super().__init__(
            _record(scenario, width), _views(scenario, rules, width, self.arrivals.given), rules,
            _scratch(scenario, rules), np.empty(0 if scenario.unit_weights else self.blocks, np.int32),
            stream(scenario.seed, ATTACK),
        )  # fmt: skip
        self._drawn_from = 0
        self._drawn = Drawn(np.empty(0), np.empty(0, np.int32), np.empty(0, np.int32), np.empty((0, 0)))
        self._attacker: Attacker | None = None
        if scenario.adversary is not None:
            self._attacker = Attacker(self, attack(scenario.adversary.attack, scenario.adversary.settings))
        if self.start > 1:
            self._begin(before)

    def _begin(self, before: Int32) -> None:
        """Issue the blocks that were there before."""
        for block, parents in enumerate(before):
            if self.issued == self.drawn:
                self._draw(min(CHUNK, self.blocks - self.issued))
            given = parents[parents >= 0]
            self._scratch.out[: given.size] = given
            self._advance(block + 1, given.size)

    # --- running --------------------------------------------------------------------------------------------

    def run_to(self, stop: int) -> None:
        """Issue blocks until there are `stop` of them."""
        while self.issued < min(stop, self.blocks):
            if self.issued == self.drawn:
                self._draw(min(CHUNK, self.blocks - self.issued))
            if self._attacker is not None and self._attacker.watch is not None:
                self._advance(self.issued + 1)
                if self._attacker.watch is not None:
                    self._attacker.watch()
            else:
                self._advance(min(stop, self.drawn))

    def _advance(self, stop: int, given: int = -1, withheld: bool = False) -> None:
        d = self._drawn
        done, why = kernels.advance(
            self.issued, stop, given, withheld, self._drawn_from, d.issuers, d.travels, self.own, self.record,
            self.views, self.rules, self._scratch,
        )  # fmt: skip
        self.issued = int(done)
        if why == kernels.FULL:
            self._grow_queues()
            self._advance(stop, given if self.issued == done and given >= 0 else -1, withheld)
        elif why == kernels.ASK:
            self._ask()

    def _draw(self, n: int) -> None:
        drawn = self.arrivals.take(n)
        self._drawn_from, self.drawn = self.drawn, self.drawn + n
        self.record.times[self._drawn_from : self.drawn] = drawn.times
        if self.own.size:
            self.own[self._drawn_from : self.drawn] = drawn.weights
        self._drawn = drawn

    def _ask(self) -> None:
        """Ask whoever issues the next block for its parents, and issue it."""
        issuer = int(self._drawn.issuers[self.issued - self._drawn_from])
        select = self._asked[issuer]
        if select is not None:
            seen = self.seen(issuer)
            found = select(seen.graph, self.scenario.parents, self.rng)
            issue = Issue(self.without_conflict([seen.number(int(x)) for x in found]))
        else:
            assert self._attacker is not None
            issue = self._attacker.move()
        number = self.issued
        self._check(issue, issuer)
        self._scratch.out[: len(issue.parents)] = issue.parents
        if issue.side is not None:
            self.record.sides[number] = 1 << issue.side
        if issue.withheld:
            self.withheld.append(number)
            travels = self._drawn.travels
            self.hidden[number] = travels[number - self._drawn_from].copy() if travels.size else np.empty(0)
        self._advance(number + 1, len(issue.parents), issue.withheld)

    def _check(self, issue: Issue, issuer: int) -> None:
        """Raise BadAttack for a block that cannot be."""
        k = self.scenario.parents
        if not issue.parents:
            raise BadAttack("parents", "none is left to approve; does the window hold what is on its way?")
        if not 1 <= len(issue.parents) <= k or len(set(issue.parents)) != len(issue.parents):
            raise BadAttack("parents", f"1 to {k} different ones are needed, not {list(issue.parents)}")
        for p in issue.parents:
            if not 0 <= p < self.issued:
                raise BadAttack("parents", f"there is no block {p} before block {self.issued}")
            ring = self.views.received.shape[1]
            if self.issued - p < ring and self.views.received[issuer, p % ring] > self.record.times[self.issued]:
                raise BadAttack("parents", f"block {p} has not been received yet")
            if p in self.hidden and not issue.withheld:
                raise BadAttack("parents", f"block {p} is withheld, so nothing upon it can be public")
        if issue.side is not None and not 0 <= issue.side < CONFLICT_SIDES:
            raise BadAttack("side", f"0 to {CONFLICT_SIDES - 1} are possible, not {issue.side}")
        if self.record.sides.size:
            sides = 0 if issue.side is None else 1 << issue.side
            for p in issue.parents:
                sides |= int(self.record.sides[p])
            if sides & (sides - 1):
                raise BadAttack("parents", "they approve both sides of a conflict")


# --- memory -------------------------------------------------------------------------------------------------


def _record(scenario: Scenario, width: int) -> kernels.Record:
    n = scenario.blocks
    conflicts = n if scenario.adversary is not None else 0
    return kernels.Record(
        np.zeros(n), np.zeros(n, np.int16), np.full((n, width), -1, np.int32), np.full(n, -1, np.int32),
        np.zeros(n, np.int32), np.zeros(conflicts, np.uint8),
    )  # fmt: skip


def _rules(scenario: Scenario) -> tuple[kernels.Rules, list[Selector | None]]:
    """Return the scenario as numbers, and for each view the selector that is asked in Python, if any."""
    chosen = [scenario.selector_of(agent) for agent in scenario.everybody]
    if scenario.adversary is not None:
        # Attackers who select tips as honest issuers do follow the scenario's selector.
        chosen.append(scenario.selector_of(Agent()))
    asked = [own_selector(selector, settings, "selector") for selector, settings in chosen]
    recipes = np.zeros((len(chosen), RECIPE_SIZE))
    for i, (selector, settings) in enumerate(chosen):
        if asked[i] is None:
            assert isinstance(selector, str)
            recipes[i] = recipe(selector, settings, scenario.depth, scenario.entries)
    compiled = np.array([each is None for each in asked])
    if scenario.adversary is not None:
        asked[-1] = None
        compiled[-1] = False
    others = np.where(recipes[:, KIND] == E_IOTA, recipes[:, LOW_ALPHA], np.maximum(recipes[:, SWIPE_ALPHA], 0.0))
    decays = np.array([(decay(a), decay(b)) for a, b in zip(recipes[:, ALPHA], others, strict=True)])
    spans, groups = groups_of(scenario)
    unit = float(sum(weight * chance for weight, chance in scenario.own_weights))
    rules = kernels.Rules(
        recipes, decays, compiled, mean_delays(scenario), spans, groups, scenario.window_blocks, scenario.parents,
        unit,
    )  # fmt: skip
    return rules, asked


def _views(scenario: Scenario, rules: kernels.Rules, width: int, given: bool) -> kernels.Views:
    """Return empty views.

    width : parents that a block can have
    given : whether arrivals are not those of the scenario
    """
    size = rules.compiled.size
    rows = min(scenario.window_blocks * 3 // 2, scenario.blocks) + ROWS_AROUND
    # A block is found by its number while it is on its way (of n exponential delays the longest is ln n times
    # the mean) and as long as it is in the window of a view.
    way = scenario.rate_max * float(rules.delays.max()) * (WAY_MAX if scenario.spread == "exponential" else 2)
    ring = 1 << max(10, math.ceil(math.log2(4 * scenario.window_blocks + 2 * way + 1)))
    whole = 1 << max(10, math.ceil(math.log2(scenario.blocks + 1)))
    if scenario.adversary is not None or scenario.splits or given or ring > whole:
        # Messages may be on their way for any time, or come in a burst.
        ring = whole
    queue = max(1_024, 1 << math.ceil(math.log2(8 * scenario.load + 1)))
    columns = Columns.empty(size * rows, width)
    state = np.zeros((size, kernels.STATE_SIZE), np.int64)
    state[:, kernels.ANCHOR] = -1
    ahead = kernels.LOOKAHEAD
    marks = [np.zeros(size, np.uint64) for _ in range(3)]
    return kernels.Views(
        columns.back, columns.following, columns.count, columns.first, columns.last, columns.approvers,
        columns.flags, columns.weights, columns.mask, columns.tip_at, np.zeros(size * rows, np.int32),
        np.zeros((size, rows), np.int64), np.zeros(size, np.int64), state, np.zeros((size, ahead), np.int32),
        np.zeros((size, ahead), np.uint64), marks[0], marks[1], marks[2], np.zeros((size, ahead), np.int64),
        np.zeros((size, scenario.depth + 2), np.int64), np.zeros((size, queue)),
        np.zeros((size, queue), np.int32), np.zeros((size, ring)), np.full((size, ring), -1, np.int64),
    )  # fmt: skip


def _scratch(scenario: Scenario, rules: kernels.Rules) -> kernels.Scratch:
    walkers = int(rules.recipes[:, WALKERS].max(initial=1)) * PARENTS_MAX * ROUNDS
    seed = np.array([stream(scenario.seed, SELECTION).bit_generator.random_raw()], np.uint64)
    whole, size = np.int64, PARENTS_MAX
    return kernels.Scratch(
        seed, np.full((1, size), -1, whole), np.zeros(1, np.int8), np.zeros(walkers, whole),
        np.zeros(walkers, whole), np.zeros(walkers, np.int32), np.zeros(walkers), np.zeros(walkers, whole),
        np.zeros(size, whole), np.zeros(size, whole), np.zeros(FAR_MAX, whole), np.empty(0),
    )  # fmt: skip
