"""E-IOTA: weighted walks whose alpha is drawn anew for each selection (Bu, Hana, Potop-Butucaru 2019).

"Metamorphic IOTA", arXiv:1907.03628. Now and then a selection with alpha = 0 picks up tips that heavy branches
hide, a small alpha keeps the Tangle wide, and a great one, most of the time, keeps it safe. So it is as fair as
G-IOTA without looking for tips left behind. The shares and alphas are settings; the defaults here favour the great
alpha.
"""

from collections.abc import Sequence

import numpy as np

from tangle.tipselect import walk
from tangle.tipselect.errors import BadSetting
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int64

ZERO_SHARE = 0.10
"""of the selections, made with alpha = 0"""
LOW_SHARE = 0.25
"""of the selections, made with the low alpha"""
LOW_ALPHA = 0.01
"""per block of weight"""
HIGH_ALPHA = 0.1
"""per block of weight"""


def select(
    graph: Graph,
    k: int,
    rng: np.random.Generator,
    *,
    zero_share: float = ZERO_SHARE,
    low_share: float = LOW_SHARE,
    low_alpha: float = LOW_ALPHA,
    high_alpha: float = HIGH_ALPHA,
    entry: Sequence[int] | Int64 | None = None,
    entry_depth: int = walk.ENTRY_DEPTH,
) -> Int64:
    """Return tips as `walk.select` does, of weighted walks with one alpha drawn by `draw_alpha`."""
    alpha = draw_alpha(rng, zero_share=zero_share, low_share=low_share, low_alpha=low_alpha, high_alpha=high_alpha)
    return walk.select(graph, k, rng, alpha=alpha, entry=entry, entry_depth=entry_depth)


def draw_alpha(
    rng: np.random.Generator,
    *,
    zero_share: float = ZERO_SHARE,
    low_share: float = LOW_SHARE,
    low_alpha: float = LOW_ALPHA,
    high_alpha: float = HIGH_ALPHA,
) -> float:
    """Return 0 with probability `zero_share`, `low_alpha` with `low_share`, else `high_alpha`.

    BadSetting unless the shares are at least 0 and together at most 1, and 0 <= low_alpha <= high_alpha.
    """
    if not (zero_share >= 0 and low_share >= 0 and zero_share + low_share <= 1):
        raise BadSetting("low_share", f"{zero_share} and {low_share} are no shares of selections")
    walk.check("low_alpha", low_alpha, 0.0)
    walk.check("high_alpha", high_alpha, low_alpha)
    drawn = rng.random()
    if drawn < zero_share:
        return 0.0
    return low_alpha if drawn < zero_share + low_share else high_alpha
