"""The tip selection of a node: one of `tangle.tipselect.selectors`, started where the node says.

The operator names a selector and what it takes; where walks start is the node's own affair, since only milestones
make a place settled. A wrong name or value is found when the settings are made, not when the first tip is asked
for: every selector is tried on an empty graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangle.tipselect.errors import BadSetting
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int64
from tangle.tipselect.selectors import Selector, accepted, named
from tangle.tipselect.walk import check

NODE_SETTINGS = frozenset({"entry", "entry_depth"})
"""settings of selectors that the node decides itself"""
WALKS_ALPHA = frozenset({"weighted", "g-iota"})
"""selectors whose alpha is that of the node's walks; hybrid's is another one, of its security step"""

COUNTS = frozenset({"walkers_per_tip", "age"})
"""settings of selectors that are whole numbers"""


@dataclass(frozen=True, slots=True)
class Selection:
    """A selector and the alpha of the walks behind confidence.

    Attributes
    ----------
    name : of the selector
    alpha : of walks that sample confidence, and that are explained; 0 beside the unweighted walk
    select : the selector with its settings bound
    starts : whether it walks, and so has to be told where to start
    """

    name: str
    alpha: float
    select: Selector
    starts: bool

    @classmethod
    def of(cls, name: str, alpha: float, settings: Mapping[str, float]) -> Selection:
        """The selection that an operator asks for. Raises BadSetting."""
        check("alpha", alpha, 0.0)
        for taken in sorted(NODE_SETTINGS & settings.keys()):
            raise BadSetting(taken, "where walks start is decided by the node")
        given: dict[str, Any] = {key: _whole(key, value) for key, value in settings.items() if key in COUNTS}
        given = {**settings, **given}
        if name in WALKS_ALPHA:
            alpha = float(given.setdefault("alpha", alpha))
        selector = named(name, **given)
        selector(Graph(1), 2, np.random.default_rng(0))
        return cls(name, 0.0 if name == "unweighted" else alpha, selector, "entry" in accepted(name))

    def __call__(self, graph: Graph, k: int, rng: np.random.Generator, entry: Sequence[int] | None) -> Int64:
        """Select min(k, number of tips) distinct tips; walks start at `entry`."""
        if self.starts:
            select: Callable[..., Int64] = self.select
            return select(graph, k, rng, entry=entry)
        return self.select(graph, k, rng)


def _whole(name: str, value: float) -> int:
    if not float(value).is_integer():
        raise BadSetting(name, f"a whole number is needed, not {value}")
    return int(value)
