"""Compile every kernel before it is needed, once per machine: numba keeps the result on disk."""

from collections.abc import Callable

import numpy as np

from tangle.tipselect import confidence, exact, walk
from tangle.tipselect.explain import explain
from tangle.tipselect.graph import Graph


def compile_kernels(report: Callable[[str], None] | None = None) -> None:
    """Run everything on a tiny graph; `report` gets a line before each part that may take seconds."""
    graph = Graph(capacity=8, anchor_distance=1)
    rng = np.random.default_rng(0)

    def grow() -> None:
        for parents in ([], [0], [0], [1, 2], [3], [3], [4]):
            graph.append(parents)
        graph.forbid(4)
        graph.drop_before(1)
        graph.children(1)

    def weigh() -> None:
        # Enough of a chain for an anchor that moves, and is lost with the part of the window it lies in.
        chain = Graph(capacity=8, anchor_distance=1)
        for x in range(300):
            chain.append([x - 1] if x else [])
            chain.flush()
        chain.drop_before(299)
        graph.flush()
        graph.weight(5)

    def score() -> None:
        graph.rate(np.array([0, 1, 2], np.int8), 2)
        graph.poor_tips(0)
        graph.rate(graph.scores)

    parts: dict[str, Callable[[], object]] = {
        "graph": grow,
        "cumulative weights": weigh,
        "scores": score,
        "cones": lambda: (graph.past_cone(6), graph.future_cone(1)),
        "cone roots": lambda: graph.cone_roots(np.zeros(len(graph), np.int32), 1),
        "white-flag order": lambda: graph.post_order([6]),
        "random walks": lambda: (
            walk.select(graph, 2, rng, entry_depth=1),
            walk.select(graph, 2, rng, entry_depth=9),
        ),
        "confidence": lambda: confidence.hits(graph, 1, rng),
        "exact chances": lambda: exact.confidence(graph),
        "explanations": lambda: explain(graph, 1, 0),
    }
    for number, (name, run) in enumerate(parts.items(), start=1):
        if report is not None:
            report(f"compiling tip selection, {number} of {len(parts)}: {name}")
        run()
