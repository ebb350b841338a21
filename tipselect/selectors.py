"""The one seam through which node and simulator pick tips: `select(graph, k, rng)`."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tipselect.graph import Graph


class Selector(Protocol):
    """A tip selection. Settings are bound beforehand, with `functools.partial`."""

    def __call__(self, graph: Graph, k: int, rng: np.random.Generator, /) -> NDArray[np.int64]:
        """Return min(k, number of tips) distinct tips as absolute indices, best first; empty only without tips."""
        ...
