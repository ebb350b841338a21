"""Confidence: out of n independent tip selections, the share m / n whose tip approves a vertex.

The idea is in Popov 2018, section 1. n walks become n bits on their tips; masked sweeps, 64 walks each, carry them
back through the window, so all vertices are answered at the cost of n / 64 sweeps. An estimate from samples has an
interval: Wilson 1927.
"""

import math
from collections.abc import Sequence

import numpy as np

from tangle.tipselect import kernels
from tangle.tipselect.errors import BadSetting
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int32, Int64
from tangle.tipselect.walk import ALPHA, walks


def hits(
    graph: Graph,
    n: int,
    rng: np.random.Generator,
    *,
    alpha: float = ALPHA,
    entry: Sequence[int] | Int64 | None = None,
) -> Int32:
    """Return int32[window]: how many of n walks ended on a tip that is, or approves, the vertex.

    Each walk is a selection of one tip of its own, without a race. All zero for a graph without tips. Errors as
    for `walk.select`.
    """
    tips = walks(graph, n, rng, alpha=alpha, entry=entry)[1]
    c = graph.columns
    low = graph.low - graph.base
    top = low + len(graph)
    out = np.zeros(top, np.int32)
    kernels.count_hits(
        tips - graph.base, top, low, graph.anchor_slot, c.back, c.count, c.flags, c.mask, graph.far, out
    )
    return out[low:]


def wilson(m: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the Wilson score interval of a share of which m hits in n draws were seen; z = 1.96 is 95 %.

    BadSetting unless 0 <= m <= n, n >= 1 and z > 0.
    """
    if n < 1:
        raise BadSetting("n", f"at least one draw is needed, not {n}")
    if not 0 <= m <= n:
        raise BadSetting("m", f"0 to {n} hits are possible, not {m}")
    if not 0 < z < math.inf:
        raise BadSetting("z", f"a positive number is needed, not {z}")
    share = m / n
    spread = z * z / n
    centre = share + spread / 2
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    low = (centre - half) / (1 + spread) if m > 0 else 0.0
    high = (centre + half) / (1 + spread) if m < n else 1.0
    return low, high
