"""G-IOTA: weighted walks, and one approval for a tip that was left behind (Bu, Gürcan, Potop-Butucaru 2019).

"G-IOTA: Fair and confidence aware tangle", arXiv:1902.09472. The greater alpha is, the more honest tips the walks
never reach. Here one of the k tips is taken from those left behind, whatever their weight: published as a third
beside two that walks have found, so k = 3 is the published form.
"""

from collections.abc import Sequence

import numpy as np

from tangle.tipselect import orphans, walk
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int64


def select(
    graph: Graph,
    k: int,
    rng: np.random.Generator,
    *,
    alpha: float = walk.ALPHA,
    entry: Sequence[int] | Int64 | None = None,
    entry_depth: int = walk.ENTRY_DEPTH,
    age: int = orphans.AGE,
) -> Int64:
    """Return min(k, number of tips) distinct tips: k - 1 by weighted walks, then one left behind, at random.

    Without a tip left behind, or for k = 1, all are found by walks. Arguments and errors as for `walk.select`.

    age : vertices that have come since a tip that is left behind, at least; BadSetting below 1
    """
    found = walk.select(graph, k, rng, alpha=alpha, entry=entry, entry_depth=entry_depth)
    behind = np.setdiff1d(orphans.left_behind(graph, age), found[: k - 1])
    if k == 1 or found.size < k or behind.size == 0:
        return found
    found[k - 1] = rng.choice(behind)
    return found
