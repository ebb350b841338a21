"""The graph with names: roots, the window, what is too old."""

import random

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.protocol.locks import BaseCoins, Pays
from tangle.protocol.milestones import NO_ID
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.serial import blake2b_256
from tangle.protocol.transactions import Transaction
from tangle.state.dag import NOT_REFERENCED, Dag, limits_of
from tangle.tipselect.lazy import LAZY, NON_LAZY, SEMI_LAZY
from tests.networks import Coin, Key, spend
from tests.state.rules.builders import ALICE, BOB, CAROL, basic
from tests.state.rules.locked import Way, opening

OWNER = Key.named("owner of many outputs")


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


def spending(output: int, mark: str) -> Transaction:
    """A transaction that spends output `output`; another one for another mark."""
    coin = Coin(output.to_bytes(32, "little") + bytes(2), BasicOutput.to(OWNER.address, 1_000), OWNER)
    return spend([coin], [BasicOutput.to(Key.named(mark).address, 1_000)])


def test_later_spends_are_contested_and_reattachments_are_not() -> None:
    dag = Dag.genesis()
    first = spending(1, "first")
    spends = [first, spending(1, "second"), first, spending(2, "other"), spending(1, "third")]
    at = [dag.append(name(i), [0], number=i, transaction=t) for i, t in enumerate(spends, 1)]
    assert [dag.is_contested(index) for index in at] == [False, True, False, False, True]
    assert dag.passed_by().tolist() == dag.contested().tolist() == [at[1], at[4]]
    assert dag.graph.tips.tolist() == [at[0], at[2], at[3]]
    child = dag.append(name(9), [at[1]], number=9)
    dag.flush()
    assert child in dag.graph.tips


def test_a_stranger_cannot_contest_a_payment() -> None:
    # Whoever knows an output's id can name it as an input and sign with a key that the ledger will not take.
    dag = Dag.genesis()
    coin = Coin(bytes(34), BasicOutput.to(OWNER.address, 1_000), OWNER)
    stolen = spend([coin], [BasicOutput.to(Key.named("thief").address, 1_000)], signers=[Key.named("thief")])
    paid = spend([coin], [BasicOutput.to(Key.named("friend").address, 1_000)])
    at = [dag.append(name(i), [0], number=i, transaction=t) for i, t in enumerate((stolen, paid), 1)]
    assert not any(dag.is_contested(index) for index in at)
    assert dag.passed_by().size == 0


def test_rivals_at_a_lock_contest_each_other_whoever_signs() -> None:
    dag = Dag.genesis()
    offer = Pays(ALICE.address, BaseCoins(), 400)
    rivals = [opening(offer, Way(), basic(400), basic(600, key.address), signer=key) for key in (BOB, CAROL)]
    keyed = rivals[1].but(show=None)
    spends = [scene.transaction for scene in (*rivals, keyed)]
    at = [dag.append(name(i), [0], number=i, transaction=t) for i, t in enumerate(spends, 1)]
    assert [dag.is_contested(index) for index in at] == [False, True, False]


def test_a_settled_spend_no_longer_contests() -> None:
    dag = Dag.genesis()
    at = [dag.append(name(i), [0], number=i, transaction=spending(1, str(i))) for i in (1, 2, 3)]
    dag.mark_referenced([at[0]], 2)
    dag.refresh_roots(2, depth=15)
    assert dag.passed_by().tolist() == [at[2]]
    dag.mark_referenced([at[2]], 3)
    dag.refresh_roots(3, depth=15)
    assert dag.passed_by().tolist() == []


def test_a_spend_that_cannot_be_settled_any_more_gives_way() -> None:
    dag = Dag.genesis()
    old = dag.append(name(1), [0], number=1, transaction=spending(1, "old"))
    fresh = dag.append(name(2), [0], number=2)
    dag.mark_referenced([fresh], 20)
    young = dag.append(name(3), [fresh], number=3, transaction=spending(1, "young"))
    assert dag.is_contested(young)
    dag.refresh_roots(20, depth=15)
    assert dag.graph.is_forbidden(old)
    assert not dag.is_contested(young)
    assert dag.graph.tips.tolist() == [young]


def test_lazy_blocks_are_passed_by_from_their_arrival_on() -> None:
    dag = Dag.genesis()
    limits = limits_of(15)
    at = {milestone: dag.append(name(milestone), [0], number=milestone) for milestone in range(2, 20)}
    for milestone, index in at.items():
        dag.mark_referenced([index], milestone)
        dag.refresh_roots(milestone, depth=15)
    newest = 19

    def score(*rests: int) -> int:
        index = dag.append(name(100 + dag.high), [at[rest] for rest in rests], number=dag.high)
        dag.flush()
        return int(dag.graph.scores[index - dag.low])

    assert score(newest) == NON_LAZY
    assert score(newest - limits.youngest_max) == NON_LAZY
    assert score(newest - limits.youngest_max - 1) == LAZY
    assert score(newest - limits.oldest_max, newest) == NON_LAZY
    assert score(newest - limits.oldest_max - 1, newest) == SEMI_LAZY


@pytest.mark.parametrize("depth", [1, 2, 5, 15, 255])
def test_limits_are_in_order_for_every_depth(depth: int) -> None:
    limits = limits_of(depth)
    assert 0 <= limits.youngest_max <= limits.oldest_max <= limits.depth_max == depth


@given(st.integers(0, 2**32))
def test_what_a_milestone_leaves_out_is_what_networkx_says(seed: int) -> None:
    dag, graph = grow(seed, 60)
    rng = random.Random(seed)
    dag.mark_referenced(dag.white_flag_order([rng.randrange(30)]), 2)
    lazy = {index for index in range(30, 60) if rng.random() < 0.1 and not dag.referenced_by(index)}
    for index in lazy:
        dag.graph.rate(np.array([LAZY], np.int8), index)
    starts, before = rng.sample(range(60), 2), rng.randrange(1, 60)
    unreferenced = graph.subgraph([v for v in graph if not dag.referenced_by(v)])
    covered = {
        v for start in starts if start in unreferenced for v in nx.descendants(unreferenced, start) | {start}
    }
    missing = set(unreferenced) - covered
    waiting = {v for v in missing - lazy if v < before}
    outermost = sorted(v for v in waiting if not waiting & set(graph.predecessors(v)))
    found, passed = dag.uncovered(starts, before)
    assert found.tolist() == outermost, f"seed {seed}"
    assert passed.tolist() == sorted(missing & lazy), f"seed {seed}"


def test_newest_parents_of_blocks() -> None:
    dag, graph = grow(7, 50)
    orphan = dag.append(name(50), [-1], number=50)
    newest = [max(graph.successors(index), default=0) for index in range(50)]
    assert dag.youngest_parents(np.arange(51)).tolist() == [*newest, orphan]
