"""A Tangle that is there already, in the order in which a node received it.

A node knows when it received a block, not who issued it, nor when: times are those of the node, and all issuers
are agent 0 unless a saved result tells. A slice may begin in the middle. What its blocks approve outside of it
is left out, and a block that is left without a parent approves the oldest one, which stands for all that came
before, as the genesis does in a simulation. So a slice is whole: one root, from which everything can be
reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from tangle.sim.arrivals import GENESIS
from tangle.sim.errors import BadReplay
from tangle.sim.result import Result, grown
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import PARENTS_MAX, Float64, Int32

BACKWARDS_MAX = 60.0
"""seconds by which a block may have been received before an older one: clocks are set now and then"""


@dataclass(frozen=True, eq=False)
class Recording:
    """Blocks in the order of arrival, parents before children; block 0 is the oldest and has no parents.

    times : float64[n], seconds since the oldest was received, never backwards
    parents : int32[n, k], numbers of the blocks each approves, -1 where there are fewer; k is 1 to 8
    issuers : int32[n], agents; -1 for the oldest
    ids : of the blocks, as the source names them
    milestones : int32[n], index of the milestone that a block is, -1 for others
    """

    times: Float64
    parents: Int32
    issuers: Int32
    ids: tuple[str, ...]
    milestones: Int32

    def __len__(self) -> int:
        return self.times.size

    @property
    def span(self) -> float:
        """Seconds from the oldest block to the newest."""
        return float(self.times[-1])

    @property
    def rate(self) -> float:
        """Blocks per second; all of them, where they came at once."""
        n = max(len(self) - 1, 1)
        return n / self.span if self.span > 0 else float(n)

    def load(self, delay: float) -> int:
        """Return the most blocks that came within one delay: how large lambda h ever was."""
        return int((np.searchsorted(self.times, self.times + delay, "right") - np.arange(len(self))).max())

    @cached_property
    def graph(self) -> Graph:
        """The whole as a graph of tipselect, whose indices are the numbers of the blocks."""
        return grown(self.parents)

    @classmethod
    def of(cls, result: Result) -> Self:
        """Take a simulated Tangle for a real one."""
        blocks = tuple(str(block) for block in range(result.blocks))
        none = np.full(result.blocks, -1, np.int32)
        issuers = result.issuers.astype(np.int32)
        return cls(result.times - result.times[0], result.parents.astype(np.int32), issuers, blocks, none)

    @classmethod
    def build(
        cls,
        ids: Sequence[str],
        parents: Sequence[Sequence[str]],
        seconds: Sequence[float],
        milestones: Sequence[int | None] = (),
    ) -> Self:
        """Build a DAG of blocks in the order of arrival; parents are ids.

        BadReplay names the block and what is wrong with it.
        """
        places = _places(ids)
        rows = np.full((len(ids), _width(ids, parents)), -1, np.int32)
        for block, given in enumerate(parents):
            inside = sorted({places[p] for p in given if p in places})
            if inside and inside[-1] >= block:
                raise BadReplay("parents", _wrong_way(ids, parents, block, inside[-1]))
            if not inside and block > 0:
                inside = [0]
            rows[block, : len(inside)] = inside
        issuers = np.zeros(len(ids), np.int32)
        issuers[0] = GENESIS
        found = np.full(len(ids), -1, np.int32)
        for block, index in enumerate(milestones):
            found[block] = -1 if index is None else index
        return cls(_forwards(ids, seconds), rows, issuers, tuple(ids), found)


def _places(ids: Sequence[str]) -> dict[str, int]:
    if not ids:
        raise BadReplay("blocks", "there are none")
    places: dict[str, int] = {}
    for place, block in enumerate(ids):
        if block in places:
            raise BadReplay("id", f"block {block} is there twice")
        places[block] = place
    return places


def _width(ids: Sequence[str], parents: Sequence[Sequence[str]]) -> int:
    for block, given in zip(ids, parents, strict=True):
        if len(set(given)) > PARENTS_MAX:
            raise BadReplay("parents", f"block {block} has {len(set(given))}; {PARENTS_MAX} are possible")
    return max(1, *(len(set(given)) for given in parents))


def _forwards(ids: Sequence[str], seconds: Sequence[float]) -> Float64:
    """Return the times since the first; a clock that was set back a little stands still until it has caught up."""
    times = np.array(seconds, np.float64)
    if not np.isfinite(times).all():
        raise BadReplay("time", f"that of block {ids[int(np.argmin(np.isfinite(times)))]} is no number")
    latest = np.maximum.accumulate(times)
    behind = latest - times
    if behind.max() > BACKWARDS_MAX:
        worst = int(behind.argmax())
        raise BadReplay(
            "time",
            f"block {ids[worst]} was received {behind[worst]:,.0f} s before an older one; "
            f"{BACKWARDS_MAX:g} s are put down to clocks",
        )
    since: Float64 = latest - latest[0]
    return since


def _wrong_way(ids: Sequence[str], parents: Sequence[Sequence[str]], block: int, parent: int) -> str:
    """Say what is wrong when a block approves one that came later, or itself."""
    import networkx as nx

    graph = nx.DiGraph((x, p) for x, given in zip(ids, parents, strict=True) for p in given)
    try:
        cycle = nx.find_cycle(graph, ids[block])
    except nx.NetworkXNoCycle:
        return f"block {ids[block]} approves {ids[parent]}, which came later"
    return f"a cycle through {' and '.join(x for x, _ in cycle[:3])}"
