"""Uniform random tip selection: every tip is as likely as any other (Popov 2018, section 3).

The cheapest selector. With scores (see lazy) it is the selection of TIP-3, which nodes of this kind use; without,
lazy tips do as well as good ones: for comparison, and for networks of friends.
"""

import numpy as np
from numpy.typing import NDArray

from tangle.tipselect.errors import BadSetting
from tangle.tipselect.graph import Graph


def select(graph: Graph, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return min(k, number of tips) distinct tips in random order.

    BadSetting for k < 1.
    """
    if k < 1:
        raise BadSetting("k", f"at least one tip must be asked for, not {k}")
    return rng.permutation(graph.tips)[:k]
