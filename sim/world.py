"""The state of a running simulation: memory for the compiled loop, and whoever decides in Python.

Agents with a selector of tipselect are compiled. The adversary, and agents with a selector of their own, are asked
in Python each time they issue a block.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np

from tangle.sim import kernels
from tangle.sim.arrivals import ATTACK, SELECTION, Arrivals, Drawn, groups_of, mean_delays, stream
from tangle.sim.errors import BadAttack
from tangle.sim.recipes import ALPHA, E_IOTA, KIND, LOW_ALPHA, RECIPE_SIZE, SWIPE_ALPHA, recipe
from tangle.sim.scenario import CONFLICT_SIDES, Scenario, own_selector
from tangle.sim.seen import Seen
from tangle.tipselect.columns import Columns
from tangle.tipselect.graph import Graph, State
from tangle.tipselect.kernels import FAR_MAX, PARENTS_MAX, Float64, Int32, Int64, UInt8
from tangle.tipselect.selectors import Selector
from tangle.tipselect.walk import ROUNDS, decay

CHUNK = 65_536
"""blocks drawn and issued at once"""
WAY_MAX = 40
"""mean delays; an exponential one is longer with probability 4e-18"""
ROWS_AROUND = 3_072
"""rows of a view beyond its window, at least; the more, the rarer it has to be moved"""


@dataclass(frozen=True, slots=True)
class Issue:
    """A block of the adversary.

    parents : by number
    side : of a conflict that it opens, 0 to 7; None for a block that opens none
    withheld : nobody is told until `Attacker.release`
    """

    parents: Sequence[int]
    side: int | None = None
    withheld: bool = False


Moves = Generator[Issue, int, None]
"""yields one block each time the adversary may issue one, and is sent its number"""
Attack = Callable[..., Moves]
"""attack(attacker, **settings), a generator function"""


class World:
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
        self.issued = 0
        before = np.full((1, 1), -1, np.int32) if before is None else before
        n, self.width = self.blocks, max(scenario.parents, before.shape[1])
        conflicts = n if scenario.adversary is not None else 0
        self.record = kernels.Record(
            np.zeros(n), np.zeros(n, np.int16), np.full((n, self.width), -1, np.int32), np.full(n, -1, np.int32),
            np.zeros(n, np.int32), np.zeros(conflicts, np.uint8),
        )  # fmt: skip
        self.own = np.empty(0 if scenario.unit_weights else n, np.int32)
        self.start = before.shape[0]
        self.withheld: list[int] = []
        self.released: dict[int, float] = {}
        self.hidden: dict[int, Float64] = {}
        """withheld blocks nobody knows of yet -> their delays, as in Drawn.travels"""
        self._drawn_from = self._drawn_to = 0
        self._drawn = Drawn(np.empty(0), np.empty(0, np.int32), np.empty(0, np.int32), np.empty((0, 0)))
        self._asked: list[Selector | None] = []
        self.rules = self._rules()
        self.views = self._views()
        self._scratch = self._make_scratch()
        self.no_travel = self._scratch.no_travel
        """delays that are no multiple of their mean"""
        self.rng = stream(scenario.seed, ATTACK)
        self._attacker: Attacker | None = None
        if scenario.adversary is not None:
            self._attacker = Attacker(self)
        if self.start > 1:
            self._begin(before)

    def _begin(self, before: Int32) -> None:
        """Issue the blocks that were there before."""
        for block, parents in enumerate(before):
            if self.issued == self._drawn_to:
                self._draw(min(CHUNK, self.blocks - self.issued))
            given = parents[parents >= 0]
            self._scratch.out[: given.size] = given
            self._advance(block + 1, given.size)

    # --- running --------------------------------------------------------------------------------------------

    def run_to(self, stop: int) -> None:
        """Issue blocks until there are `stop` of them."""
        while self.issued < min(stop, self.blocks):
            if self.issued == self._drawn_to:
                self._draw(min(CHUNK, self.blocks - self.issued))
            if self._attacker is not None and self._attacker.watch is not None:
                self._advance(self.issued + 1)
                if self._attacker.watch is not None:
                    self._attacker.watch()
            else:
                self._advance(min(stop, self._drawn_to))

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
        self._drawn_from, self._drawn_to = self._drawn_to, self._drawn_to + n
        self.record.times[self._drawn_from : self._drawn_to] = drawn.times
        if self.own.size:
            self.own[self._drawn_from : self._drawn_to] = drawn.weights
        self._drawn = drawn

    def _ask(self) -> None:
        """Ask whoever issues the next block for its parents, and issue it."""
        issuer = int(self._drawn.issuers[self.issued - self._drawn_from])
        select = self._asked[issuer]
        if select is not None:
            seen = self.seen(issuer)
            found = select(seen.graph, self.scenario.parents, self.rng)
            issue = Issue(self._without_conflict([seen.number(int(x)) for x in found]))
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

    def _without_conflict(self, parents: list[int]) -> list[int]:
        """Leave out what contradicts the parents before it; selectors of one's own know no conflicts."""
        sides, kept = 0, []
        for p in parents:
            both = sides | int(self.record.sides[p]) if self.record.sides.size else 0
            if both & (both - 1) == 0:
                sides = both
                kept.append(p)
        return kept

    # --- looking --------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Time of the next block to be issued, or of the newest when all are."""
        return float(self.record.times[min(self.issued, self._drawn_to - 1)])

    def seen(self, agent: int) -> Seen:
        """Return what an agent has received by now; weights are up to date."""
        kernels.inspect(agent, self.now, self.own, self.record, self.views, self.rules, self._scratch)
        views, state = self.views, self.views.state[agent]
        rows = views.tips.shape[1]
        part = slice(agent * rows, (agent + 1) * rows)
        columns = Columns(
            views.back[part], views.following[part], views.counts[part], views.first[part], views.last[part],
            views.approvers[part], views.flags[part], views.weights[part], views.mask[part], views.tip_at[part],
        )  # fmt: skip
        numbers = views.ids[part][
            state[kernels.LOW] - state[kernels.BASE] : state[kernels.HIGH] - state[kernels.BASE]
        ]
        known = [*state[: kernels.TIPS].tolist(), int(views.tip_count[agent])]
        graph = Graph.of(columns, views.tips[agent], State._make(known))
        return Seen(graph, numbers)

    def select(self, agent: int, k: int) -> list[int]:
        """Select as the agent would now; block numbers."""
        n = kernels.select(agent, k, self.now, self.own, self.record, self.views, self.rules, self._scratch)
        return [int(x) for x in self._scratch.out[:n]]

    def release(self, blocks: Sequence[int]) -> None:
        """Tell everybody of withheld blocks. BadAttack for others, and for one upon a block still withheld."""
        agent = len(self.scenario.everybody)
        for block in sorted(blocks):
            if block not in self.hidden:
                raise BadAttack("release", f"block {block} is not withheld")
            if any(int(p) in self.hidden for p in self.record.parents[block]):
                raise BadAttack("release", f"block {block} approves one that is withheld still")
            travel = self.hidden.pop(block)
            while not kernels.release(block, agent, self.now, travel, self.record, self.views, self.rules):
                self._grow_queues()
            self.released[block] = self.now

    def support(self, side: int, agent: int, done: int, total: int) -> tuple[int, int, int]:
        """Add up the own weights of the blocks that approve a side and that an agent has received by now.

        done, total : how many of the first blocks have all been received and counted before, and their sum

        Return both as they are now, and the whole sum. With an adversary `received` holds every block.
        """
        n = self.issued
        received = self.views.received[agent, done:n] <= self.now
        sure = n - done if received.all() else int(received.argmin())
        counts = ((self.record.sides[done:n] >> side) & 1).astype(np.int64)
        if self.own.size:
            counts *= self.own[done:n]
        total += int(counts[:sure].sum())
        return done + sure, total, total + int(counts[sure:][received[sure:]].sum())

    # --- memory ---------------------------------------------------------------------------------------------

    def _rules(self) -> kernels.Rules:
        scenario = self.scenario
        everybody = scenario.everybody
        size = len(everybody) + (scenario.adversary is not None)
        recipes = np.zeros((size, RECIPE_SIZE))
        chosen = [scenario.selector_of(agent) for agent in everybody]
        if scenario.adversary is not None:
            # Attackers who select tips as honest issuers do follow the scenario's selector.
            chosen.append((scenario.selector, {**scenario.settings, **self._alpha()}))
        compiled = np.ones(size, np.bool_)
        for i, (selector, settings) in enumerate(chosen):
            self._asked.append(own_selector(selector, settings, "selector"))
            if self._asked[i] is None:
                assert isinstance(selector, str)
                recipes[i] = recipe(selector, settings, scenario.depth, scenario.entries)
            else:
                compiled[i] = False
        if scenario.adversary is not None:
            self._asked[-1] = None
            compiled[-1] = False
        others = np.where(
            recipes[:, KIND] == E_IOTA, recipes[:, LOW_ALPHA], np.maximum(recipes[:, SWIPE_ALPHA], 0.0)
        )
        decays = np.array([(decay(a), decay(b)) for a, b in zip(recipes[:, ALPHA], others, strict=True)])
        delays = mean_delays(scenario)
        spans, groups = groups_of(scenario)
        unit = sum(weight * chance for weight, chance in scenario.own_weights)
        return kernels.Rules(
            recipes,
            decays,
            compiled,
            delays,
            spans,
            groups,
            scenario.window_blocks,
            scenario.parents,
            float(unit),
        )

    def _alpha(self) -> dict[str, float]:
        return {} if self.scenario.alpha is None else {"alpha": self.scenario.alpha}

    def _views(self) -> kernels.Views:
        scenario, rules = self.scenario, self.rules
        size = rules.compiled.size
        rows = min(scenario.window_blocks * 3 // 2, self.blocks) + ROWS_AROUND
        # A block is found by its number while it is on its way (of n exponential delays the longest is ln n times
        # the mean) and as long as it is in the window of a view.
        way = scenario.rate_max * float(rules.delays.max()) * (WAY_MAX if scenario.spread == "exponential" else 2)
        ring = 1 << max(10, math.ceil(math.log2(4 * scenario.window_blocks + 2 * way + 1)))
        whole = 1 << max(10, math.ceil(math.log2(self.blocks + 1)))
        if scenario.adversary is not None or scenario.splits or self.arrivals.given or ring > whole:
            # Messages may be on their way for any time, or come in a burst.
            ring = whole
        queue = max(1_024, 1 << math.ceil(math.log2(8 * scenario.load + 1)))
        columns = Columns.empty(size * rows, self.width)
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

    def _make_scratch(self) -> kernels.Scratch:
        walkers = int(self.rules.recipes[:, 2].max(initial=1)) * PARENTS_MAX * ROUNDS
        seed = np.array([stream(self.scenario.seed, SELECTION).bit_generator.random_raw()], np.uint64)
        whole, size = np.int64, PARENTS_MAX
        return kernels.Scratch(
            seed, np.full((1, size), -1, whole), np.zeros(1, np.int8), np.zeros(walkers, whole),
            np.zeros(walkers, whole), np.zeros(walkers, np.int32), np.zeros(walkers), np.zeros(walkers, whole),
            np.zeros(size, whole), np.zeros(size, whole), np.zeros(FAR_MAX, whole), np.empty(0),
        )  # fmt: skip

    def _grow_queues(self) -> None:
        views = self.views
        more = np.zeros_like(views.queue_time)
        self.views = views._replace(
            queue_time=np.concatenate((views.queue_time, more), axis=1),
            queue_id=np.concatenate((views.queue_id, more.astype(np.int32)), axis=1),
        )


class Attacker:
    """What an adversary knows and can do; handed to the attack, see `attacks`.

    rng : for choices of his own
    parents : k of the scenario
    watch : is called after every block of anybody, as long as it is set: he can release then without a turn of his
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.agent = len(world.scenario.everybody)
        self.rng = world.rng
        self.parents = world.scenario.parents
        self.watch: Callable[[], None] | None = None
        self._counted: dict[int, tuple[int, int]] = {}
        self._moves: Moves | None = None
        self._newest = -1

    @property
    def scenario(self) -> Scenario:
        """What is simulated."""
        return self._world.scenario

    @property
    def now(self) -> float:
        """Time of the block that is to be issued."""
        return self._world.now

    @property
    def next_block(self) -> int:
        """Number that block will have."""
        return self._world.issued

    @property
    def sides(self) -> UInt8:
        """uint8[n]: for each block a bit for each side of the conflict that it approves."""
        return self._world.record.sides[: self._world.issued]

    @property
    def times(self) -> Float64:
        """float64[n]: when each block was issued."""
        return self._world.record.times[: self._world.issued]

    def seen(self) -> Seen:
        """Return all that the attacker has received, his own blocks included."""
        return self._world.seen(self.agent)

    def tips(self) -> Int64:
        """int64[n], ascending: the tips he sees, by number."""
        return self.seen().tips()

    def tips_on(self, side: int) -> Int64:
        """int64[n], ascending: those of the tips he sees that approve a side."""
        tips = self.tips()
        found: Int64 = tips[(self.sides[tips] >> side) & 1 == 1]
        return found

    def public_tips(self) -> Int64:
        """int64[n], ascending: the tips he would see without the blocks he withholds."""
        if not self._world.hidden:
            return self.tips()
        public = self._public()
        return np.setdiff1d(public, self._world.record.parents[public].astype(np.int64))

    def undecided(self) -> Int64:
        """int64[n], ascending: public blocks in his window that approve no side."""
        public = self._public()
        found: Int64 = public[self.sides[public] == 0]
        return found

    def support(self, side: int) -> int:
        """Own weights of all blocks received that approve a side, added up: the weight of what opened it."""
        world = self._world
        done, total, found = world.support(side, self.agent, *self._counted.get(side, (0, 0)))
        self._counted[side] = done, total
        return found

    def parents_of(self, block: int) -> list[int]:
        """Return the blocks that a block approves."""
        return [int(p) for p in self._world.record.parents[block] if p >= 0]

    def own_weight(self, block: int) -> int:
        """Own weight of a block, also of the one to be issued."""
        return int(self._world.own[block]) if self._world.own.size else 1

    def select(self, k: int | None = None) -> list[int]:
        """Select tips as an honest issuer would, and none that is withheld."""
        k = self.parents if k is None else k
        hidden = self._world.hidden
        for _ in range(kernels.RETRIES):
            found = self._world.select(self.agent, k)
            if not hidden or hidden.keys().isdisjoint(found):
                return found
        return self._world._without_conflict(self.some(self.public_tips(), k))

    def some(self, blocks: Int64, n: int | None = None) -> list[int]:
        """Choose n of some blocks at random, k unless given, or all there are."""
        n = min(self.parents if n is None else n, blocks.size)
        return [int(x) for x in self.rng.choice(blocks, n, replace=False)]

    def release(self, blocks: Sequence[int]) -> None:
        """Tell everybody of blocks that were withheld so far."""
        self._world.release(blocks)

    def _public(self) -> Int64:
        """int64[n], ascending: the blocks in his window that he does not withhold."""
        numbers = np.sort(self.seen().numbers.astype(np.int64))
        hidden = np.fromiter(self._world.hidden, np.int64, len(self._world.hidden))
        return np.setdiff1d(numbers, hidden, assume_unique=True)

    def move(self) -> Issue:
        """Ask the attack for its next block; one that has ended goes on as an honest issuer."""
        from tangle.sim.attacks import attack

        if self._moves is None:
            adversary = self.scenario.adversary
            assert adversary is not None
            self._moves = attack(adversary)(self)
            issue = next(self._moves, None)
        else:
            try:
                issue = self._moves.send(self._newest)
            except StopIteration:
                issue = None
        self._newest = self.next_block
        return Issue(self.select()) if issue is None else issue
