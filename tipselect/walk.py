"""Weighted random walk, the Tangle's own tip selection (Popov 2018, sections 3 and 4.1).

Entry points. Given ones (a settled milestone, say) are used as far as they are in the window and not barred.
Without any, walkers start on vertices between ENTRY_DEPTH and twice that behind the newest which are not barred
and approved by at least half of all that is newer: dead ends and side chains are no place to start. A graph too
young or too torn for that is entered at its heaviest vertex, the oldest of several.

Step. From x a walker goes to approver y with probability proportional to exp(-alpha (H(x) - H(y))); forbidden
and lazy approvers are as if they were not there. It ends on a vertex without other approvers, which is a tip. With
alpha = 0 every approver is as likely as any other: the unweighted walk.

Race. For k tips, k times WALKERS_PER_TIP walkers start on random entry points. A walker's pace is its steps per
vertex between its entry and the newest. One whose pace is below FAST_RATIO times the median came suspiciously
fast, over a lazy tip that approves only what is old, and is out. Of the others those with the fewest steps win,
for equal steps in the order they were sent, until k distinct tips are found. Should that leave tips wanting, more
walkers are sent, up to ROUNDS times as many; then the fast ones are let in, and at last random tips.

Randomness. The generator draws one seed per call for a splitmix64 stream: equal seeds on equal graphs select
equally.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from tangle.tipselect import kernels
from tangle.tipselect.errors import BadIndex, BadSetting
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import BARRED, Float64, Int32, Int64, UInt64

ALPHA = 0.01
"""per block of weight; how strongly walkers prefer the heavy branch"""
ENTRY_DEPTH = 2_000
"""vertices behind the newest; Popov's W"""
WALKERS_PER_TIP = 4
"""walkers sent for each tip asked for"""
FAST_RATIO = 0.5
"""of the median pace; slower paces are honest ones"""
ROUNDS = 4
"""times the walkers are sent at most"""
DECAY_SIZE = 1_024
"""differences of weight whose terms are kept"""
NO_MARKS = np.uint64(0)
"""no sweep is under way"""


def select(
    graph: Graph,
    k: int,
    rng: np.random.Generator,
    *,
    alpha: float = ALPHA,
    entry: Sequence[int] | Int64 | None = None,
    entry_depth: int = ENTRY_DEPTH,
    walkers_per_tip: int = WALKERS_PER_TIP,
    fast_ratio: float = FAST_RATIO,
) -> Int64:
    """Return min(k, number of tips) distinct tips as absolute indices, in the order of arrival.

    alpha : >= 0; 0 is the unweighted walk
    entry : absolute indices; BadIndex for one that does not exist yet
    entry_depth : in vertices, used without `entry`
    fast_ratio : 0 lets every walker finish

    BadSetting for a number out of its range.
    """
    check("k", k, 1)
    check("alpha", alpha, 0.0)
    check("walkers_per_tip", walkers_per_tip, 1)
    check("fast_ratio", fast_ratio, 0.0)
    wanted = min(k, graph.tip_count)
    if wanted == 0:
        return np.empty(0, np.int64)
    found = _race(
        graph,
        wanted,
        k * walkers_per_tip,
        fast_ratio=float(fast_ratio),
        alpha=alpha,
        entries=entry_points(graph, entry, entry_depth),
        state=seed(rng),
    )
    if found.size < wanted:
        others = np.setdiff1d(graph.tips, found)
        found = np.concatenate((found, rng.permutation(others)[: wanted - found.size]))
    return found


def unweighted(
    graph: Graph,
    k: int,
    rng: np.random.Generator,
    *,
    entry: Sequence[int] | Int64 | None = None,
    entry_depth: int = ENTRY_DEPTH,
    walkers_per_tip: int = WALKERS_PER_TIP,
    fast_ratio: float = FAST_RATIO,
) -> Int64:
    """Return tips as `select` does, of walks with alpha = 0 (Popov 2018, section 4.1)."""
    return select(
        graph,
        k,
        rng,
        alpha=0.0,
        entry=entry,
        entry_depth=entry_depth,
        walkers_per_tip=walkers_per_tip,
        fast_ratio=fast_ratio,
    )


def walks(
    graph: Graph,
    n: int,
    rng: np.random.Generator,
    *,
    alpha: float = ALPHA,
    entry: Sequence[int] | Int64 | None = None,
    entry_depth: int = ENTRY_DEPTH,
) -> tuple[Int64, Int64, Int32]:
    """Send n walkers without a race; return their entry points, tips (int64[n]) and steps (int32[n]).

    Arguments and errors as for `select`. All three are empty for a graph without tips.
    """
    check("n", n, 1)
    check("alpha", alpha, 0.0)
    n = n if graph.tip_count else 0
    arrivals = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int32)
    if n:
        slots = entry_points(graph, entry, entry_depth) - graph.base
        graph.flush()
        c = graph.columns
        kernels.walks(
            slots, 0, n, float(alpha), decay(float(alpha)), c.first, c.following, c.approvers, graph.gain, c.flags,
            c.weights, c.mask, NO_MARKS, seed(rng), *arrivals,
        )  # fmt: skip
    return arrivals[0] + graph.base, arrivals[1] + graph.base, arrivals[2]


def entry_points(graph: Graph, entry: Sequence[int] | Int64 | None = None, depth: int = ENTRY_DEPTH) -> Int64:
    """Return the vertices walkers start from, int64[k] ascending unless given; empty only without tips.

    BadIndex for a given one that does not exist yet, BadSetting for a depth < 0.
    """
    check("entry_depth", depth, 0)
    if entry is not None:
        given: Int64 = np.array(entry, np.int64).reshape(-1)
        if given.size and given.max() >= graph.high:
            raise BadIndex("entry", f"{given.max()} is beyond the newest vertex, {graph.high - 1}")
        given = given[given >= graph.low]
        given = given[graph.columns.flags[given - graph.base] & np.uint8(BARRED) == 0]
        if given.size:
            return given
    graph.flush()
    c = graph.columns
    base = graph.base
    top = graph.high - base
    out = np.empty(min(depth, len(graph)) + 1, np.int64)
    start = max(graph.high - 1 - 2 * depth, graph.low) - base
    stop = max(top - depth, start)
    n = kernels.settled(start, stop, top, 1.0, graph.gain, c.flags, c.weights, out) if depth else 0
    if n == 0:
        out[0] = kernels.heaviest(graph.low - base, top, graph.gain, c.flags, c.weights)
        n = int(out[0] >= 0)
    return out[:n] + base


@lru_cache(maxsize=64)
def decay(alpha: float) -> Float64:
    """Return float64[DECAY_SIZE]: exp(-alpha d) for differences of weight d, so that walks need not compute it."""
    terms: Float64 = np.exp(-alpha * np.arange(DECAY_SIZE))
    return terms


def seed(rng: np.random.Generator) -> UInt64:
    """Draw the state of a kernel's random stream, uint64[1]."""
    # Seven times as fast as rng.integers, which counts where a whole selection takes a few dozen µs.
    return np.array([rng.bit_generator.random_raw()], np.uint64)


def _race(
    graph: Graph,
    wanted: int,
    walkers: int,
    *,
    fast_ratio: float,
    alpha: float,
    entries: Int64,
    state: UInt64,
) -> Int64:
    """Return up to `wanted` distinct tips in the order of arrival, as the module says."""
    graph.flush()
    size = walkers * ROUNDS
    out = np.empty(wanted, np.int64)
    c = graph.columns
    n = kernels.race(
        entries - graph.base, walkers, ROUNDS, fast_ratio, float(alpha), decay(float(alpha)),
        graph.high - graph.base, c.first, c.following, c.approvers, graph.gain, c.flags, c.weights, c.mask,
        NO_MARKS, state, np.empty(size, np.int64), np.empty(size, np.int64),
        np.empty(size, np.int32), np.empty(size), np.empty(size, np.int64), out,
    )  # fmt: skip
    return out[:n] + graph.base


def check(argument: str, value: float, least: float) -> None:
    """Raise BadSetting unless value is a finite number of at least `least`."""
    if not least <= value < float("inf"):
        raise BadSetting(argument, f"a number of at least {least} is needed, not {value}")
