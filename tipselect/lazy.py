"""How lazy blocks are: scores by youngest and oldest cone root, as TIP-3 has them and nodes of this kind use them.

Whoever attaches to old, settled blocks spares himself the work of checking new ones and adds nothing to what waits
for confirmation. What a block rests upon shows in its cone roots: the youngest and the oldest milestone where its
past cone meets what milestones have referenced (YTRSI and OTRSI in TIP-3, YCRI and OCRI in node code). The caller
keeps both per vertex, `Graph.cone_roots` recomputes all of them, and `Graph.rate` takes the scores.

A vertex that a milestone has referenced is never lazy, however long ago that was: walks pass over it. Others are
barred, as if they were not there, until their score changes: they neither get approved nor take the place of the
tips that they approve (who approves something lazy may become lazy himself). What lies below max depth should be
forbidden as well, for no milestone can reference it any more.
"""

from dataclasses import dataclass

import numpy as np

from tangle.tipselect.errors import BadSetting
from tangle.tipselect.kernels import Int8, Int32

LAZY = 0
"""adds next to nothing, or too old"""
SEMI_LAZY = 1
"""also rests on what is rather old"""
NON_LAZY = 2
"""fit to be approved"""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many milestones behind the newest one roots may lie; the defaults are those of TIP-3.

    youngest_max : C1; a youngest root further back makes lazy
    oldest_max : C2; an oldest root further back makes semi-lazy
    depth_max : M, below max depth; an oldest root further back makes lazy
    """

    youngest_max: int = 8
    oldest_max: int = 13
    depth_max: int = 15

    def __post_init__(self) -> None:
        if self.youngest_max < 0:
            raise BadSetting("youngest_max", f"at least 0 is needed, not {self.youngest_max}")
        if not self.youngest_max <= self.oldest_max <= self.depth_max:
            raise BadSetting("oldest_max", "youngest_max <= oldest_max <= depth_max is needed")


LIMITS = Limits()


def scores(
    oldest: Int32, youngest: Int32, latest: int, *, referenced: Int32 | None = None, limits: Limits = LIMITS
) -> Int8:
    """Return int8[n]: LAZY, SEMI_LAZY or NON_LAZY for each of n vertices (TIP-3).

    oldest, youngest : int32[n], cone roots as milestone indices
    latest : index of the newest milestone
    referenced : int32[n], the milestone that referenced the vertex, 0 for none; without it none is referenced

    BadSetting for arrays of different shapes.
    """
    if oldest.shape != youngest.shape or (referenced is not None and referenced.shape != oldest.shape):
        raise BadSetting("youngest", "all arrays need one entry for each vertex")
    lazy = (latest - youngest > limits.youngest_max) | (latest - oldest > limits.depth_max)
    semi_lazy = latest - oldest > limits.oldest_max
    found = np.where(lazy, LAZY, np.where(semi_lazy, SEMI_LAZY, NON_LAZY)).astype(np.int8)
    if referenced is not None:
        found[referenced > 0] = NON_LAZY
    return found
