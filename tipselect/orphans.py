"""What the Tangle loses: tips left behind, vertices orphaned.

A tip is left behind when many vertices have come since and none approves it. A vertex is orphaned when it is old
and every tip above it is left behind or barred: no new block approves it unless somebody promotes it (approves one
of its tips on purpose) or reattaches its payload. Age is counted in vertices, the only clock this room has.
"""

from dataclasses import dataclass

import numpy as np

from tipselect import walk
from tipselect.graph import Graph
from tipselect.kernels import Bools, Int64

AGE = 1_000
"""vertices that have come since, from which on a tip is left behind"""


@dataclass(frozen=True, slots=True)
class Losses:
    """Counts over the window.

    vertices, forbidden : of the window
    tips, lazy_tips, semi_lazy_tips : of all tips
    left_behind : selectable tips, at least `age` old
    orphaned : vertices that are not forbidden
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
    """int64[k], ascending: tips of the best score since which `age` vertices or more have come. BadSetting: age < 1."""
    walk.check("age", age, 1)
    tips = graph.selectable
    return tips[graph.high - 1 - tips >= age]


def orphaned(graph: Graph, age: int = AGE) -> Bools:
    """bool[window]: at least `age` old, not forbidden, approved by no selectable tip younger than that."""
    walk.check("age", age, 1)
    tips = graph.selectable
    alive = graph.past_cone(tips[graph.high - 1 - tips < age])
    found: Bools = ~graph.forbidden
    found[max(len(graph) - age, 0) :] = False
    found[alive - graph.low] = False
    return found


def losses(graph: Graph, age: int = AGE) -> Losses:
    """Count what is lost. BadSetting: age < 1."""
    scores = graph.scores[graph.tips - graph.low]
    return Losses(
        vertices=len(graph),
        forbidden=int(np.count_nonzero(graph.forbidden)),
        tips=graph.tip_count,
        lazy_tips=int(np.count_nonzero(scores == 0)),
        semi_lazy_tips=int(np.count_nonzero(scores == 1)),
        left_behind=int(left_behind(graph, age).size),
        orphaned=int(np.count_nonzero(orphaned(graph, age))),
        age=age,
    )
