"""The graph with names: roots, the window, what is too old."""

import random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.protocol.milestones import NO_ID
from tangle.protocol.serial import blake2b_256
from tangle.state.dag import NOT_REFERENCED, Dag


def name(number: int) -> bytes:
    return blake2b_256(number.to_bytes(8, "little"))


def grow(seed: int, count: int) -> tuple[Dag, nx.DiGraph]:
    rng = random.Random(seed)
    dag = Dag.genesis()
    graph = nx.DiGraph()
    graph.add_node(0)
    for number in range(1, count):
        parents = sorted(rng.sample(range(max(0, number - 8), number), min(number, rng.randint(1, 3))))
        index = dag.append(name(number), parents, number=number)
        graph.add_edges_from((index, parent) for parent in parents)
    return dag, graph


def test_genesis_is_the_zero_id_and_counts_as_referenced() -> None:
    dag = Dag.genesis()
    assert dag.index_of(NO_ID) == 0
    assert dag.id_of(0) == NO_ID
    assert dag.referenced_by(0) == 1
    assert NO_ID in dag
    assert name(1) not in dag


@given(st.integers(0, 2**32))
def test_roots_equal_a_walk_over_the_past(seed: int) -> None:
    dag, graph = grow(seed, 40)
    rng = random.Random(seed)
    milestones = {0: 1}
    for milestone in (2, 3, 4):
        order = dag.white_flag_order([rng.randrange(40)])
        dag.mark_referenced(order, milestone)
        milestones.update(dict.fromkeys(order, milestone))
    dag.refresh_roots(4, depth=100)
    for index in range(40):
        if index in milestones:
            reached = {milestones[index]}
        else:
            # The cone's root blocks: referenced blocks reached over unreferenced ones only.
            open_part = {index} | {v for v in nx.descendants(graph, index) if v not in milestones}
            view = graph.subgraph({index} | {v for v in open_part if _connected(graph, index, v, milestones)})
            reached = {milestones[p] for v in view for p in graph.successors(v) if p in milestones}
        assert dag.cone_roots(index) == (min(reached), max(reached)), f"seed {seed}, block {index}"


def _connected(graph: nx.DiGraph, start: int, goal: int, milestones: dict[int, int]) -> bool:
    open_graph = graph.subgraph([v for v in graph if v not in milestones])
    return bool(nx.has_path(open_graph, start, goal))


def test_roots_are_kept_while_blocks_arrive() -> None:
    dag = Dag.genesis()
    first = dag.append(name(1), [0], number=1)
    dag.mark_referenced([first], 2)
    second = dag.append(name(2), [0, first], number=2)
    assert dag.cone_roots(second) == (1, 2)
    third = dag.append(name(3), [second, first], number=3)
    assert dag.cone_roots(third) == (1, 2)


def test_blocks_below_max_depth_are_forbidden() -> None:
    dag = Dag.genesis()
    lazy = dag.append(name(1), [0], number=1)
    fresh = dag.append(name(2), [0], number=2)
    dag.mark_referenced([fresh], 9)
    tip = dag.append(name(3), [fresh], number=3)
    assert dag.refresh_roots(9, depth=8).tolist() == []
    assert dag.passed_by().tolist() == [lazy]
    assert not dag.graph.is_forbidden(lazy)
    assert dag.refresh_roots(10, depth=8).tolist() == [lazy]
    assert dag.graph.is_forbidden(lazy)
    assert dag.passed_by().tolist() == []
    assert dag.graph.tips.tolist() == [tip]


def test_window_moves_and_forgets() -> None:
    dag, _ = grow(3, 50)
    dag.mark_referenced(dag.white_flag_order([30]), 5)
    dag.drop_before(20, outside_root=4)
    assert (dag.low, dag.high, len(dag)) == (20, 50, 30)
    assert dag.index_of(name(19)) is None
    assert dag.index_of(name(20)) == 20
    assert dag.id_of(49) == name(49)
    assert dag.number_of(49) == 49
    index = dag.append(name(50), [49], number=50)
    assert index == 50
    assert dag.referenced_by(index) == NOT_REFERENCED
    outside = dag.append(name(51), [3], number=51)
    assert dag.cone_roots(outside) == (4, 4)
    dag.drop_before(10, outside_root=1)
    assert dag.low == 20


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65])
def test_batches_of_any_size_make_one_graph(size: int) -> None:
    dag, graph = grow(size, 130)
    dag.flush()
    whole = dag.graph.weights.tolist()
    other = Dag.genesis()
    for index in range(1, 130):
        other.append(name(index), sorted(graph.successors(index)), number=index)
        if index % size == 0:
            other.flush()
    other.flush()
    assert other.graph.weights.tolist() == whole
