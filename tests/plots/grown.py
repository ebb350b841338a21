"""Tangles that grow in time: blocks come at random, and nobody sees one before some delay has passed.

Time is counted in delays h, rates in blocks per delay. Who issues a block selects tips among what is visible then;
after h it is visible itself. Popov 2018, section 3, expects 2 lambda h tips when two are approved at random.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from tangle.tipselect.graph import Graph
from tangle.tipselect.selectors import Selector

SLOTS = 20
"""steps of time per delay"""


@dataclass
class Grown:
    """A graph, and blocks on their way into it.

    Attributes
    ----------
    rate : blocks per delay
    window : vertices kept
    """

    rate: float
    select: Selector
    rng: np.random.Generator
    window: int = 20_000
    graph: Graph = field(default_factory=Graph)
    travelling: deque[tuple[int, list[int]]] = field(default_factory=deque)
    slot: int = 0

    def __post_init__(self) -> None:
        self.graph.append([])

    def step(self) -> None:
        """One slot of time passes."""
        while self.travelling and self.travelling[0][0] <= self.slot:
            self.graph.append(self.travelling.popleft()[1])
        for _ in range(self.rng.poisson(self.rate / SLOTS)):
            parents = self.select(self.graph, 2, self.rng).tolist()
            self.travelling.append((self.slot + SLOTS, parents))
        if len(self.graph) > self.window:
            self.graph.drop_before(self.graph.high - self.window)
        self.slot += 1

    def watched(self, delays: int, look: Callable[[Graph], float]) -> Iterator[tuple[float, float]]:
        """Let so many delays pass; yields time and what `look` sees, after each slot."""
        for _ in range(delays * SLOTS):
            self.step()
            yield self.slot / SLOTS, look(self.graph)
