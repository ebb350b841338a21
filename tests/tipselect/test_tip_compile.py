"""After `compile_kernels` nothing is left to compile, whatever is called with whichever usual arguments."""

from typing import Any

import numpy as np

from tangle.tipselect import (
    cone_kernels,
    confidence,
    exact,
    kernels,
    lazy,
    orphans,
    reference,
    selectors,
    uniform,
    walk,
)
from tangle.tipselect.compile import compile_kernels
from tangle.tipselect.explain import explain
from tangle.tipselect.graph import Graph

i32: Any = np.int32
i64: Any = np.int64
f32: Any = np.float32


def compiled() -> dict[str, int]:
    """Return the number of compiled forms of each kernel."""
    every = {**vars(kernels), **vars(cone_kernels)}
    return {name: len(f.signatures) for name, f in every.items() if hasattr(f, "signatures")}


def test_compiling_reports_each_part() -> None:
    lines: list[str] = []
    compile_kernels(lines.append)
    assert lines[0] == "compiling tip selection, 1 of 10: graph"
    assert len(lines) == len(set(lines)) == 10


def test_nothing_is_left_to_compile() -> None:
    compile_kernels()
    before = compiled()
    graph = reference.random_graph(np.random.default_rng(0), 90, forbidden=0.1, outside=0.1)
    graph.extend(np.full((3, 8), 5, np.int32), np.ones(3, np.int64))
    graph.append((i64(90), 91))
    graph.forbid(i32(92))
    graph.forbid_many(iter([3, 4]))
    graph.forbid_many({3, 5})
    graph.drop_before(i64(20))
    marks = np.zeros(len(graph), np.bool_)
    marks.flags.writeable = False
    graph.past_cone(i64(60), marks)
    graph.past_cone([60, 61])
    graph.post_order((60,), marks[::1])
    graph.cone_roots(np.zeros(len(graph), np.int32), i64(3))
    graph.cone_roots(i64(marks), 3)
    graph.future_cone(i64(30))
    graph.children(i32(30))
    rng = np.random.default_rng(0)
    for k in (1, 2, 8):
        walk.select(graph, k, rng, alpha=0, entry=i32([30]), fast_ratio=1)
        walk.select(graph, k, rng, entry_depth=5, alpha=f32(0.5))
        uniform.select(graph, k, rng)
    confidence.hits(graph, 70, rng, alpha=1, entry=(30, 31))
    graph.rate(i64([0, 1, 2, 2]), i64(40))
    graph.rate(graph.scores)
    for name in selectors.SELECTORS:
        selectors.named(name)(graph, 3, rng)
    graph.weight(i32(50))
    orphans.losses(graph, 10)
    oldest, youngest = graph.cone_roots(np.zeros(len(graph), np.int32), 3)
    graph.rate(lazy.scores(oldest, youngest, 20))
    exact.confidence(graph, alpha=1, entry=i32([30]))
    exact.step_chances(graph, i64(30), f32(0.5))
    explain(graph, 2, 5, alpha=1, entry=(30,))
    walk.select(Graph(low=i64(5)), 2, rng)
    grown = reference.grown_graph(rng, 5_000, delay=20, window=3_000)
    walk.select(grown, 2, rng)
    grown.drop_before(4_900)
    grown.flush()
    assert compiled() == before
    assert before["attach"] == before["walks"] == before["count_hits"] == before["move_anchor"] == 1
