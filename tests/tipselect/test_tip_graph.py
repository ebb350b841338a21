"""The graph in arrays equals its networkx twin through every kind of change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.tipselect import lazy, reference
from tangle.tipselect.errors import BadIndex, BadParents, BadSetting
from tangle.tipselect.graph import OUTSIDE, Graph
from tests.tries import each, tries


class Record:
    """A graph and, kept apart from it, what was done to it."""

    def __init__(self, capacity: int = 1, low: int = 0, anchor_distance: int = 1) -> None:
        self.graph = Graph(capacity, low, anchor_distance=anchor_distance)
        self.parents: dict[int, list[int]] = {}
        self.forbidden: set[int] = set()
        self.scores: dict[int, int] = {}

    def extend(self, rng: np.random.Generator, n: int, reach: int) -> None:
        rows = np.full((n, 8), OUTSIDE, np.int64)
        counts = np.zeros(n, np.int8)
        for i in range(n):
            x = self.graph.high + i
            choices = np.arange(max(-1, x - reach), x)
            chosen = rng.choice(choices, min(int(rng.integers(0, 9)), choices.size), replace=False)
            rows[i, : chosen.size] = chosen
            counts[i] = chosen.size
            self.parents[x] = chosen.tolist()
        assert self.graph.extend(rows, counts) == self.graph.high - n

    def append(self, rng: np.random.Generator, reach: int) -> None:
        x = self.graph.high
        choices = np.arange(max(-1, x - reach), x)
        self.parents[x] = rng.choice(choices, min(2, choices.size), replace=False).tolist()
        assert self.graph.append(self.parents[x]) == x

    def forbid(self, rng: np.random.Generator, n: int) -> None:
        if len(self.graph):
            chosen = rng.integers(self.graph.low, self.graph.high, n)
            self.graph.forbid_many(chosen)
            self.forbidden |= set(chosen.tolist())

    def rate(self, rng: np.random.Generator) -> None:
        start, stop = np.sort(rng.integers(self.graph.low, self.graph.high + 1, 2)).tolist()
        scores = rng.choice([lazy.LAZY, lazy.SEMI_LAZY, lazy.NON_LAZY, lazy.NON_LAZY], stop - start)
        self.graph.rate(scores.astype(np.int8), start)
        self.scores.update(zip(range(start, stop), scores.tolist(), strict=True))

    def drop(self, rng: np.random.Generator) -> None:
        index = int(rng.integers(self.graph.low, self.graph.high + 1))
        self.graph.drop_before(index)
        self.parents = {x: p for x, p in self.parents.items() if x >= index}
        self.forbidden = {x for x in self.forbidden if x >= index}
        self.scores = {x: score for x, score in self.scores.items() if x >= index}

    def twin(self) -> reference.Tangle:
        return reference.tangle(self.parents, self.forbidden, self.scores)

    def assert_equal(self) -> None:
        graph, twin = self.graph, self.twin()
        window = range(graph.low, graph.high)
        assert list(window) == sorted(twin)
        assert dict(zip(window, graph.weights.tolist(), strict=True)) == reference.weights(twin)
        assert graph.tips.tolist() == reference.tips(twin)
        assert graph.tip_count == graph.tips.size
        assert not graph.columns.mask.any()
        for score in (lazy.LAZY, lazy.SEMI_LAZY):
            assert graph.poor_tips(score).tolist() == reference.poor_tips(twin, score)
        assert dict(zip(window, graph.scores.tolist(), strict=True)) == dict(twin.nodes(data="score"))
        for x in window:
            assert graph.parents(x).tolist() == twin.nodes[x]["parents"]
            assert graph.children(x).tolist() == sorted(twin.predecessors(x))
            assert graph.is_forbidden(x) == (x in self.forbidden)


@each("seed", range(tries(60)))
def test_equals_twin_while_batches_come_and_the_window_moves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    record = Record(low=int(rng.integers(0, 3)) * 1000, anchor_distance=int(rng.integers(1, 9)))
    for _ in range(8):
        record.extend(rng, int(rng.choice([0, 1, 3, 17, 63, 64, 65, 90])), reach=int(rng.integers(2, 60)))
        if rng.random() < 0.4:
            record.assert_equal()
        record.forbid(rng, int(rng.integers(0, 6)))
        record.rate(rng)
        if rng.random() < 0.6:
            record.drop(rng)
    record.assert_equal()


changes = st.lists(
    st.one_of(
        st.tuples(st.just("extend"), st.integers(0, 70)),
        st.tuples(st.just("append"), st.integers(1, 9)),
        st.tuples(st.just("forbid"), st.integers(0, 4)),
        st.tuples(st.just("rate"), st.just(0)),
        st.tuples(st.just("drop"), st.just(0)),
        st.tuples(st.just("look"), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=tries(80), deadline=None)
@given(changes=changes, seed=st.integers(0, 2**32), capacity=st.integers(1, 40))
def test_invariants_hold_after_any_changes(changes: list[tuple[str, int]], seed: int, capacity: int) -> None:
    rng = np.random.default_rng(seed)
    record = Record(capacity)
    for change, size in changes:
        match change:
            case "extend":
                record.extend(rng, size, reach=10)
            case "append":
                record.append(rng, reach=size)
            case "forbid":
                record.forbid(rng, size)
            case "rate":
                record.rate(rng)
            case "drop":
                record.drop(rng)
            case _:
                record.graph.flush()
    record.assert_equal()
    if (~record.graph.forbidden & (record.graph.scores == lazy.NON_LAZY)).any():
        assert record.graph.tip_count > 0


@each("seed", range(tries(20)))
def test_a_copy_is_equal_and_on_its_own(seed: int) -> None:
    rng = np.random.default_rng(seed)
    record = Record(anchor_distance=2)
    for _ in range(3):
        record.extend(rng, 70, reach=9)
        record.forbid(rng, 3)
        record.rate(rng)
        record.graph.flush()
        record.graph.drop_before(record.graph.low + 20)
    record.parents = {x: p for x, p in record.parents.items() if x >= record.graph.low}
    record.forbidden = {x for x in record.forbidden if x >= record.graph.low}
    record.scores = {x: score for x, score in record.scores.items() if x >= record.graph.low}
    other = Record()
    other.graph = record.graph.copy()
    other.parents, other.forbidden, other.scores = (
        dict(record.parents), set(record.forbidden), dict(record.scores)
    )  # fmt: skip
    for one in (other, record, other):
        one.extend(rng, 30, reach=9)
        one.forbid(rng, 3)
        one.drop(rng)
        other.assert_equal()
        record.assert_equal()
    assert Graph().copy().append([]) == 0


def test_window_has_bounded_memory() -> None:
    graph = Graph(capacity=64)
    rng = np.random.default_rng(5)
    graph.append([])
    for x in range(1, 6_000):
        graph.append([int(p) for p in np.unique(rng.integers(max(0, x - 20), x, 2))])
        graph.drop_before(x - 999)
    assert len(graph) == 1_000
    assert graph.memory_bytes <= 200 * len(graph)


def test_a_forbidden_approver_leaves_its_parent_a_tip() -> None:
    graph = Graph()
    graph.append([])
    graph.append([0])
    graph.append([1])
    assert graph.tips.tolist() == [2]
    graph.forbid(2)
    assert graph.tips.tolist() == [1]
    graph.append([1])
    assert graph.tips.tolist() == [3]
    graph.forbid_many([3, 3, 1])
    assert graph.tips.tolist() == [0]
    graph.forbid(0)
    assert graph.tips.size == 0


def test_a_lazy_approver_leaves_its_parent_a_tip_until_it_is_lazy_no_more() -> None:
    graph = Graph()
    for parents in ([], [0], [0, 1]):
        graph.append(parents)
    graph.rate(np.array([lazy.LAZY], np.int8), 2)
    assert graph.tips.tolist() == [1]
    assert graph.poor_tips(lazy.LAZY).tolist() == [2]
    graph.append([2])
    assert graph.tips.tolist() == [1, 3]
    graph.rate(np.array([lazy.SEMI_LAZY, lazy.SEMI_LAZY], np.int8), 2)
    assert graph.tips.tolist() == [1]
    assert graph.poor_tips(lazy.SEMI_LAZY).tolist() == [3]
    graph.rate(np.array([lazy.NON_LAZY, lazy.LAZY], np.int8), 2)
    assert graph.tips.tolist() == [2]
    graph.forbid(3)
    graph.rate(np.full(4, lazy.NON_LAZY, np.int8))
    assert graph.tips.tolist() == [2]


def test_many_approvers_are_all_listed() -> None:
    graph = Graph()
    graph.append([])
    for _ in range(200):
        graph.append([0])
    assert graph.children(0).tolist() == list(range(1, 201))
    assert graph.weights.tolist() == [201] + [1] * 200


def test_parents_keep_their_order_and_outside_ones_their_place() -> None:
    graph = Graph(low=10)
    graph.append([3])
    graph.append([10])
    graph.append([11, -1, 10])
    assert graph.parents(12).tolist() == [11, -1, 10]
    graph.drop_before(11)
    assert graph.parents(12).tolist() == [11, -1, -1]
    assert graph.low == 11


@pytest.mark.parametrize(
    ("parents", "words"),
    [([2], "not older"), ([7], "not older"), ([0, 1, 0], "twice"), ([0] * 9, "at most 8")],
)
def test_impossible_parents_change_nothing(parents: list[int], words: str) -> None:
    record = Record()
    record.extend(np.random.default_rng(0), 2, reach=2)
    with pytest.raises(BadParents, match=words) as caught:
        record.graph.append(parents)
    assert caught.value.field == "parents"
    record.assert_equal()


def test_one_bad_row_refuses_the_batch() -> None:
    record = Record()
    record.extend(np.random.default_rng(0), 2, reach=2)
    rows = np.full((3, 8), OUTSIDE, np.int64)
    rows[:, 0] = [0, 2, 4]
    with pytest.raises(BadParents, match="4 is not older than its child 4"):
        record.graph.extend(rows, np.ones(3, np.int8))
    with pytest.raises(BadParents, match="9 given"):
        record.graph.extend(rows, np.full(3, 9, np.int8))
    with pytest.raises(BadParents, match="counts"):
        record.graph.extend(rows, np.full(3, 257))
    with pytest.raises(BadSetting, match="shape"):
        record.graph.extend(rows[:, :4], np.ones(3, np.int8))
    record.assert_equal()


def test_vertices_outside_the_window_are_named() -> None:
    graph = Graph()
    for _ in range(4):
        graph.append([])
    graph.drop_before(2)
    for index in (-1, 1, 4):
        for call in (graph.parents, graph.children, graph.is_forbidden, graph.forbid, graph.future_cone):
            with pytest.raises(BadIndex, match=f"{index} is not in the window"):
                call(index)
        with pytest.raises(BadIndex, match="indices"):
            graph.forbid_many([2, index])
        with pytest.raises(BadIndex, match="indices"):
            graph.past_cone(index)
        with pytest.raises(BadIndex, match="starts"):
            graph.post_order([3, index])
    assert not graph.forbidden.any()
    with pytest.raises(BadIndex, match="beyond"):
        graph.drop_before(5)
    with pytest.raises(BadSetting, match="stop"):
        graph.past_cone(3, np.zeros(1, np.bool_))
    with pytest.raises(BadSetting, match="capacity"):
        Graph(capacity=0)
    with pytest.raises(BadIndex, match="low"):
        Graph(low=-1)
    with pytest.raises(BadSetting, match="anchor_distance"):
        Graph(anchor_distance=0)
    with pytest.raises(BadIndex, match="1 … 2 is not in the window"):
        graph.rate(np.zeros(2, np.int8), 1)
    with pytest.raises(BadIndex, match="3 … 4 is not in the window"):
        graph.rate(np.zeros(2, np.int8), 3)
    with pytest.raises(BadSetting, match="scores"):
        graph.rate(np.array([2, 3], np.int8))
    assert graph.scores.tolist() == [2, 2]
