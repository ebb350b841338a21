"""Selfish issuers: agents who pick the tips that serve themselves, not the rule.

Popov, Saa, Finardi, "Equilibria in the Tangle", Computers & Industrial Engineering 136 (2019). Those who deviate
want their own blocks approved soon. Greedy ones attach to the tips that a walk is likeliest to reach, since a walk
that comes there goes on to one of their approvers. The trouble is that all greedy ones see about the same best
tips and so compete for the very same walks, which is why the paper finds little to gain.

They follow the protocol otherwise, so they are agents with this selector and not an adversary:
`Agent(share=0.2, selector="tangle.sim.attacks.selfish:greedy", settings={"alpha": 0.01})`. What they win or
lose shows
`contest.costs`; they succeed when their blocks wait less for their first approval than those of the others.
"""

from __future__ import annotations

import numpy as np

from tangle.tipselect import exact
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int64

ENTRY_DEPTH = 200
"""vertices behind the newest where walks are taken to start"""


def greedy(
    graph: Graph, k: int, rng: np.random.Generator, *, alpha: float = 0.01, entry_depth: int = ENTRY_DEPTH
) -> Int64:
    """Return the min(k, number of tips) tips that walks most probably end on, int64, the likeliest first.

    alpha : of the walks that the others are believed to send
    entry_depth : where they are believed to start

    Ties are broken at random. BadSetting for alpha < 0 or a depth < 0.
    """
    tips, chances = exact.tip_chances(graph, alpha=alpha, entry_depth=entry_depth)
    order = np.lexsort((rng.random(tips.size), -chances))
    return tips[order[:k]]
