"""Hybrid two-step selection: first safe tips, then swept-up ones (Ferraro, King, Shorten 2020).

"On the stability of unverified transactions in a DAG-based distributed ledger", IEEE Transactions on Automatic
Control 65. The security step walks with a high alpha, so that the block stands on the heavy branch; the swipe step
takes any tip, so that none stays behind for ever: at random as published, or by walks of a low alpha.
"""

from collections.abc import Sequence

import numpy as np

from tangle.tipselect import walk
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int64

HIGH_ALPHA = 0.1
"""per block of weight; of the security step"""


def select(
    graph: Graph,
    k: int,
    rng: np.random.Generator,
    *,
    alpha: float = HIGH_ALPHA,
    swipe_alpha: float | None = None,
    entry: Sequence[int] | Int64 | None = None,
    entry_depth: int = walk.ENTRY_DEPTH,
) -> Int64:
    """Return min(k, number of tips) distinct tips: (k + 1) // 2 of the security step, then the swipe step's.

    alpha : of the security step
    swipe_alpha : of the swipe step; None takes tips uniformly at random

    Other arguments and errors as for `walk.select`.
    """
    walk.check("k", k, 1)
    safe = walk.select(graph, (k + 1) // 2, rng, alpha=alpha, entry=entry, entry_depth=entry_depth)
    if k == 1:
        return safe
    if swipe_alpha is None:
        swept = rng.permutation(graph.tips)
    else:
        swept = walk.select(graph, k, rng, alpha=swipe_alpha, entry=entry, entry_depth=entry_depth)
    others = swept[~np.isin(swept, safe)]
    return np.concatenate((safe, others[: k - safe.size]))
