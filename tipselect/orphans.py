"""What the Tangle loses: tips left behind, vertices orphaned.

A tip is left behind when many vertices have come since and none approves it. A vertex is orphaned when it is old
and every tip above it is left behind or barred: no new block approves it unless somebody promotes it (approves one
of its tips on purpose) or reattaches its payload. Age is counted in vertices, the only clock this room has.
"""

from dataclasses import dataclass

import numpy as np

from tangle.tipselect import walk
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Bools, Int64
from tangle.tipselect.lazy import LAZY, SEMI_LAZY

AGE = 1_000
"""vertices that have come since, from which on a tip is left behind"""


@dataclass(frozen=True, slots=True)
class Losses:
    """Counts over the window.

    vertices, forbidden : of the window
    lazy_tips, semi_lazy_tips : not among the tips
    left_behind : of the tips
    orphaned : not counting forbidden ones
    """

    vertices: int
    forbidden: int
    tips: int
    lazy_tips: int
    semi_lazy_tips: int
    left_behind: int
    orphaned: int
    age: int

    @property
    def orphaned_share(self) -> float:
        """Orphaned of those old enough to be and not forbidden, 0 when there are none."""
        candidates = self.vertices - self.forbidden - self.age
        return self.orphaned / candidates if candidates > 0 else 0.0


def left_behind(graph: Graph, age: int = AGE) -> Int64:
    """int64[k], ascending: tips since which `age` vertices or more have come. BadSetting for age < 1."""
    walk.check("age", age, 1)
    tips = graph.tips
    return tips[graph.high - 1 - tips >= age]


def orphaned(graph: Graph, age: int = AGE) -> Bools:
    """bool[window]: at least `age` old, not forbidden, approved by no tip younger than that.

    BadSetting for age < 1.
    """
    walk.check("age", age, 1)
    tips = graph.tips
    alive = graph.past_cone(tips[graph.high - 1 - tips < age])
    found: Bools = ~graph.forbidden
    found[max(len(graph) - age, 0) :] = False
    found[alive - graph.low] = False
    return found


def losses(graph: Graph, age: int = AGE) -> Losses:
    """Count what is lost. BadSetting for age < 1."""
    return Losses(
        vertices=len(graph),
        forbidden=int(np.count_nonzero(graph.forbidden)),
        tips=graph.tip_count,
        lazy_tips=int(graph.poor_tips(LAZY).size),
        semi_lazy_tips=int(graph.poor_tips(SEMI_LAZY).size),
        left_behind=int(left_behind(graph, age).size),
        orphaned=int(np.count_nonzero(orphaned(graph, age))),
        age=age,
    )
