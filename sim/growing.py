"""A Tangle that grows: the memory of the compiled loop, and what each view has received of it by now."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tangle.sim import kernels
from tangle.sim.errors import BadAttack
from tangle.sim.seen import Seen
from tangle.tipselect.columns import Columns
from tangle.tipselect.graph import Graph, GraphState
from tangle.tipselect.kernels import Float64, Int32


class Growing:
    """What there is so far; views are those of the agents, and the last one the adversary's.

    record, views, rules, scratch : see `kernels`
    own : int32[n], own weights; empty when all weigh 1
    rng : of whoever decides in Python
    issued : how many blocks there are
    drawn : up to which block times are known
    withheld : blocks that were not told of when they were issued
    released : block -> when it was
    hidden : withheld blocks nobody knows of yet -> their delays, as in `arrivals.Drawn.travels`
    """

    def __init__(
        self, record: kernels.Record, views: kernels.Views, rules: kernels.Rules, scratch: kernels.Scratch,
        own: Int32, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.record, self.views, self.rules, self.own, self.rng = record, views, rules, own, rng
        self._scratch = scratch
        self.issued = self.drawn = 0
        self.withheld: list[int] = []
        self.released: dict[int, float] = {}
        self.hidden: dict[int, Float64] = {}

    @property
    def now(self) -> float:
        """Time of the next block to be issued, or of the newest when all are."""
        return float(self.record.times[min(self.issued, self.drawn - 1)])

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
        graph = Graph.of(columns, views.tips[agent], GraphState._make(known))
        return Seen(graph, numbers)

    def select(self, agent: int, k: int) -> list[int]:
        """Select as the agent would now; block numbers."""
        n = kernels.select(agent, k, self.now, self.own, self.record, self.views, self.rules, self._scratch)
        return [int(x) for x in self._scratch.out[:n]]

    def release(self, blocks: Sequence[int]) -> None:
        """Tell everybody of withheld blocks. BadAttack for others, and for one upon a block still withheld."""
        agent = self.rules.compiled.size - 1
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

    def without_conflict(self, parents: list[int]) -> list[int]:
        """Leave out what contradicts the parents before it; selectors of one's own know no conflicts."""
        sides, kept = 0, []
        for p in parents:
            both = sides | int(self.record.sides[p]) if self.record.sides.size else 0
            if both & (both - 1) == 0:
                sides = both
                kept.append(p)
        return kept

    def _grow_queues(self) -> None:
        views = self.views
        more = np.zeros_like(views.queue_time)
        self.views = views._replace(
            queue_time=np.concatenate((views.queue_time, more), axis=1),
            queue_id=np.concatenate((views.queue_id, more.astype(np.int32)), axis=1),
        )
