"""After `compile_kernels` nothing is left to compile, whatever is called with whichever usual arguments."""

from typing import Any

import numpy as np

from tipselect import confidence, kernels, reference, uniform, walk
from tipselect.compile import compile_kernels
from tipselect.graph import Graph

i32: Any = np.int32
i64: Any = np.int64
f32: Any = np.float32


def compiled() -> dict[str, int]:
    """Return the number of compiled forms of each kernel."""
    return {name: len(f.signatures) for name, f in vars(kernels).items() if hasattr(f, "signatures")}


def test_compiling_reports_each_part() -> None:
    lines: list[str] = []
    compile_kernels(lines.append)
    assert lines[0] == "compiling tip selection, 1 of 7: graph"
    assert len(lines) == len(set(lines)) == 7


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
    walk.select(Graph(low=i64(5)), 2, rng)
    assert compiled() == before
    assert before["attach"] == before["walks"] == before["count_hits"] == 1
