"""Cumulative weights are exact with an anchor wherever it is, and the anchor keeps up with the Tangle."""

import numpy as np

from tangle.tipselect import reference
from tangle.tipselect.graph import ANCHOR_DISTANCE, OUTSIDE, Graph
from tests.tries import each, tries

NO_ANCHOR = 10**9
"""an anchor distance that no test reaches"""

Rows = tuple[np.ndarray, np.ndarray]


def random_rows(rng: np.random.Generator, start: int, n: int) -> Rows:
    """Parents of n vertices from `start` on: mostly recent, some from the distant past, some outside or none."""
    rows = np.full((n, 8), OUTSIDE, np.int64)
    counts = np.zeros(n, np.int8)
    for i in range(n):
        reach = int(rng.choice([3, 8, 8, 40, 400]))
        choices = np.arange(max(-1, start + i - reach), start + i)
        chosen = rng.choice(choices, min(int(rng.choice([0, 1, 2, 2, 2, 3, 8])), choices.size), replace=False)
        rows[i, : chosen.size] = chosen
        counts[i] = chosen.size
    return rows, counts


@each("block", range(tries(12)))
def test_weights_equal_twin_while_the_anchor_moves(block: int) -> None:
    anchors = set()
    for seed in range(50 * block, 50 * block + 50):
        rng = np.random.default_rng(seed)
        graph = Graph(4, anchor_distance=int(rng.integers(1, 9)))
        parents: dict[int, list[int]] = {}
        for _ in range(int(rng.integers(2, 9))):
            rows, counts = random_rows(rng, graph.high, int(rng.choice([1, 3, 17, 64, 90])))
            first = graph.extend(rows, counts)
            parents |= {first + i: row[:n].tolist() for i, (row, n) in enumerate(zip(rows, counts, strict=True))}
            if rng.random() < 0.6:
                graph.flush()
                anchors.add((seed, graph.anchor))
            if rng.random() < 0.3:
                graph.drop_before(max(graph.low, graph.high - int(rng.integers(0, 200))))
        twin = reference.tangle({x: p for x, p in parents.items() if x >= graph.low})
        found = dict(enumerate(graph.weights.tolist(), graph.low))
        assert found == reference.weights(twin), f"seed {seed}"
        assert not graph.columns.mask.any(), f"seed {seed}"
        some = int(rng.integers(graph.low, graph.high)) if len(graph) else None
        assert some is None or graph.weight(some) == found[some], f"seed {seed}"
    # It is no test of anchors without many of them.
    assert len(anchors) > 60


@each("seed", range(3))
def test_any_batch_size_gives_the_same_weights(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, counts = random_rows(rng, 0, 4_000)
    whole = Graph(anchor_distance=NO_ANCHOR)
    whole.extend(rows, counts)
    for size in (1, 63, 64, 65, 1_000, 4_000):
        graph = Graph(anchor_distance=int(rng.integers(1, 100)))
        for start in range(0, 4_000, size):
            graph.extend(rows[start : start + size], counts[start : start + size])
            if size > 1 or start % 50 == 0:
                graph.flush()
        assert np.array_equal(graph.weights, whole.weights), f"batches of {size}"


def test_approvers_of_the_distant_past_are_counted() -> None:
    """Sweeps put off what lies far below the anchor: 9,000 blocks, more far parents than can be put off."""
    rng = np.random.default_rng(5)
    graph = reference.grown_graph(rng, 9_000, delay=20)
    plain = Graph(anchor_distance=NO_ANCHOR)
    rows = np.full((9_000, 8), OUTSIDE, np.int64)
    counts = np.zeros(9_000, np.int8)
    for x in range(9_000):
        parents = graph.parents(x)
        rows[x, : parents.size] = parents
        counts[x] = parents.size
    plain.extend(rows, counts)
    graph.flush()
    assert graph.high - graph.anchor < 4 * ANCHOR_DISTANCE
    for _ in range(30):
        n = int(rng.integers(1, 200))
        rows = np.full((n, 8), OUTSIDE, np.int64)
        for i in range(n):
            recent = rng.integers(graph.high - 30, graph.high + i, 2)
            distant = np.concatenate((rng.integers(0, 3_000, 5), [int(rng.integers(0, 4))]))
            chosen = np.unique(distant if rng.random() < 0.7 else np.concatenate((distant[:1], recent)))
            rows[i, : chosen.size] = chosen
        counts = (rows != OUTSIDE).sum(axis=1).astype(np.int8)
        graph.extend(rows, counts)
        plain.extend(rows, counts)
        assert np.array_equal(graph.weights, plain.weights)
    assert plain.anchor == OUTSIDE
    assert not graph.columns.mask.any()


def test_arrival_in_another_order_gives_the_same_weights() -> None:
    rng = np.random.default_rng(2)
    graph = reference.random_graph(rng, 400)
    parents = {x: graph.parents(x).tolist() for x in range(400)}
    for _ in range(10):
        place: dict[int, int] = {}
        ready = [x for x, p in parents.items() if not p]
        other = Graph(anchor_distance=5)
        while ready:
            x = ready.pop(int(rng.integers(len(ready))))
            place[x] = other.append([place[p] for p in parents[x]])
            if rng.random() < 0.2:
                other.flush()
            ready += [y for y in graph.children(x).tolist() if all(p in place for p in parents[y])]
        weights = other.weights
        assert [int(weights[place[x]]) for x in range(400)] == graph.weights.tolist()


def test_the_anchor_keeps_up_and_the_window_stays() -> None:
    rng = np.random.default_rng(3)
    graph = reference.grown_graph(rng, 30_000, delay=30, window=8_000)
    graph.flush()
    assert graph.low <= graph.high - 4 * ANCHOR_DISTANCE < graph.anchor < graph.high - ANCHOR_DISTANCE
    anchor = graph.anchor
    kept = dict(enumerate(graph.weights.tolist(), graph.low))
    graph.drop_before(anchor)
    assert graph.anchor == anchor
    graph.drop_before(anchor + 1)
    assert graph.anchor == OUTSIDE
    assert graph.weights.tolist() == [kept[x] for x in range(graph.low, graph.high)]


def test_a_losing_branch_gives_the_anchor_up() -> None:
    """The anchor lies on one of two branches; the other one wins, and gets it."""
    graph = Graph(anchor_distance=4)
    graph.append([])
    last = 0
    for _ in range(100):
        last = graph.append([last])
        graph.flush()
    loser = graph.anchor
    assert loser > 0
    last = 0
    for _ in range(2_000):
        last = graph.append([last])
        graph.flush()
    assert graph.anchor > 1_000
    assert graph.weight(0) == 2_101
    assert graph.weight(loser) == 101 - loser
    assert graph.weight(101) == 2_000
