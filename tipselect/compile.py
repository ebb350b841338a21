"""Compile every kernel before it is needed, once per machine: numba keeps the result on disk."""

from collections.abc import Callable

import numpy as np

from tipselect import confidence, walk
from tipselect.graph import Graph


def compile_kernels(report: Callable[[str], None] | None = None) -> None:
    """Run everything on a tiny graph; `report` gets a line before each part that may take seconds."""
    graph = Graph(capacity=8)
    rng = np.random.default_rng(0)

    def grow() -> None:
        for parents in ([], [0], [0], [1, 2], [3], [3], [4]):
            graph.append(parents)
        graph.forbid(4)
        graph.drop_before(1)
        graph.children(1)

    parts: dict[str, Callable[[], object]] = {
        "graph": grow,
        "cumulative weights": graph.flush,
        "cones": lambda: (graph.past_cone(6), graph.future_cone(1)),
        "cone roots": lambda: graph.cone_roots(np.zeros(len(graph), np.int32), 1),
        "white-flag order": lambda: graph.post_order([6]),
        "random walks": lambda: (
            walk.select(graph, 2, rng, entry_depth=1),
            walk.select(graph, 2, rng, entry_depth=9),
        ),
        "confidence": lambda: confidence.hits(graph, 1, rng),
    }
    for number, (name, run) in enumerate(parts.items(), start=1):
        if report is not None:
            report(f"compiling tip selection, {number} of {len(parts)}: {name}")
        run()
