"""Exact probabilities of walks: what sampling estimates, computed.

A walk is an absorbing Markov chain whose steps lead to newer vertices, so one pass in the order of arrival carries
the probability of being somewhere from the entry points to the tips: no equations have to be solved, whatever the
size (the tests solve them, on small graphs). One backward sweep per 64 tips then gives the confidence that n walks
would tend to.

These are probabilities of single walks. A selection is a race of several: see `walk`.
"""

from collections.abc import Sequence

import numpy as np

from tangle.tipselect import kernels
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Float64, Int64
from tangle.tipselect.walk import ALPHA, ENTRY_DEPTH, check, entry_points


def step_chances(graph: Graph, index: int, alpha: float = ALPHA) -> tuple[Int64, Float64]:
    """Return where a walker on `index` may go: approvers int64[k], ascending, and their probabilities float64[k].

    Both are empty on a tip. BadIndex outside the window, BadSetting for alpha < 0.
    """
    check("alpha", alpha, 0.0)
    approvers = graph.children(index)
    approvers = approvers[graph.columns.flags[approvers - graph.base] & np.uint8(kernels.BARRED) == 0]
    if approvers.size == 0:
        return approvers, np.empty(0)
    weights = np.array([graph.weight(int(y)) for y in approvers])
    terms = np.exp(-alpha * (weights.max() - weights))
    return approvers, terms / terms.sum()


def visit_chances(
    graph: Graph,
    *,
    alpha: float = ALPHA,
    entry: Sequence[int] | Int64 | None = None,
    entry_depth: int = ENTRY_DEPTH,
) -> Float64:
    """Return float64[window]: the probability that a walk passes or ends on each vertex; all 0 without tips.

    Arguments and errors as for `walk.select`.
    """
    check("alpha", alpha, 0.0)
    slots = entry_points(graph, entry, entry_depth) - graph.base
    low = graph.low - graph.base
    mass = np.zeros(low + len(graph))
    if slots.size:
        graph.flush()
        c = graph.columns
        np.add.at(mass, slots, 1 / slots.size)
        kernels.flow(
            int(slots.min()), mass.size, float(alpha), c.first, c.following, graph.gain, c.flags, c.weights, mass
        )
    return mass[low:]


def tip_chances(
    graph: Graph,
    *,
    alpha: float = ALPHA,
    entry: Sequence[int] | Int64 | None = None,
    entry_depth: int = ENTRY_DEPTH,
) -> tuple[Int64, Float64]:
    """Return all tips, int64[k] ascending, and the probability of each to end a walk, float64[k]; their sum is 1.

    Arguments and errors as for `walk.select`.
    """
    tips = graph.tips
    return tips, visit_chances(graph, alpha=alpha, entry=entry, entry_depth=entry_depth)[tips - graph.low]


def confidence(
    graph: Graph,
    *,
    alpha: float = ALPHA,
    entry: Sequence[int] | Int64 | None = None,
    entry_depth: int = ENTRY_DEPTH,
) -> Float64:
    """Return float64[window]: the probability that the tip of a walk is, or approves, the vertex.

    What `confidence.hits` / n tends to for great n. Arguments and errors as for `walk.select`.
    """
    tips, chances = tip_chances(graph, alpha=alpha, entry=entry, entry_depth=entry_depth)
    reached = chances > 0
    c = graph.columns
    low = graph.low - graph.base
    out = np.zeros(low + len(graph))
    kernels.add_chances(tips[reached] - graph.base, chances[reached], out.size, low, c.back, c.count, c.mask, out)
    return np.minimum(out[low:], 1.0)
