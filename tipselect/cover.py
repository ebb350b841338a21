"""Which tips bring in most: for whoever wants the whole Tangle confirmed, not just a good place for a block.

A milestone confirms the past cone of its parents. Taking parents by walks leaves out what walks leave out; taking
semi-lazy tips never would let an attacker doom honest blocks, by adding to an honest tip something so old that
whoever approves both turns semi-lazy before long. So here the tips are taken greedily by the number of vertices
that each adds to what is confirmed, as coordinators of this kind of network do ("heaviest branch").

Greedy choice covers at least 1 - 1/e of what the best choice would (Nemhauser, Wolsey, Fisher 1978).
"""

from collections.abc import Iterable

import numpy as np

from tipselect import walk
from tipselect.errors import BadSetting
from tipselect.graph import Graph
from tipselect.kernels import Bools, Int64


def select(graph: Graph, k: int, done: Bools, candidates: Iterable[int] | Int64 | None = None) -> Int64:
    """Return int64[<= k], the candidates that add most, each to those before it; none that adds nothing.

    done : bool[window], what is confirmed already, with the past cone of everything in it
    candidates : absolute indices, the tips unless given; the older one is taken of two that add as much

    Costs a past cone per candidate, and a few per choice: who lets strangers make candidates bounds their number.
    BadSetting for k < 1 or another shape of `done`, BadIndex for candidates outside the window.
    """
    walk.check("k", k, 1)
    covered = np.array(done, np.bool_)
    if covered.shape != (len(graph),):
        raise BadSetting("done", f"one entry for each of {len(graph)} vertices expected, not {covered.shape}")
    chosen: list[int] = []
    left = sorted(graph.tips.tolist() if candidates is None else {int(x) for x in candidates})
    # What a candidate adds only ever falls, so it is counted again only while it may still be the first.
    adds = {x: graph.past_cone(x, covered).size for x in left}
    fresh = set(left)
    while left and len(chosen) < k:
        best = max(left, key=lambda x: (adds[x], -x))
        if best not in fresh:
            adds[best] = graph.past_cone(best, covered).size
            fresh.add(best)
            continue
        left.remove(best)
        if adds[best] == 0:
            break
        covered[graph.past_cone(best, covered) - graph.low] = True
        chosen.append(best)
        fresh.clear()
    return np.array(chosen, np.int64)
