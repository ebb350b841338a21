"""A real node's Tangle, by its URL and from both exports, grown anew, asked again and gone on with."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest

from tangle.protocol.blocks import Block
from tangle.protocol.tagged_data import TaggedData
from tangle.sim import Adversary, Scenario
from tangle.sim.attacker import Attacker, Issue
from tangle.sim.errors import BadReplay
from tangle.sim.replay import Recording, go_on, load, regrow, reselect
from tests.nodes import RunningNode, running_node

BLOCKS = 200


def side_chain(attacker: Attacker) -> Generator[Issue, int, None]:
    """One block opens a side, all others approve the one before."""
    newest = yield Issue(attacker.select(1), side=0)
    while True:
        newest = yield Issue([newest])


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    with running_node(tmp_path_factory.mktemp("node") / "data", min_pow_score=0) as running:
        for i in range(BLOCKS):
            payload = TaggedData(b"replay", i.to_bytes(4))
            assert running.post_bytes(Block(running.tips(), payload, nonce=i).encoded).status_code == 201
        yield running


@pytest.fixture(scope="module")
def dag(node: RunningNode) -> Recording:
    return load(node.url, limit=BLOCKS)


def test_a_node_is_loaded_as_it_is(node: RunningNode) -> None:
    listed = node.get("/api/tangle/v1/graph", limit=1_000, **{"from": 0})["nodes"]
    dag = load(node.url, limit=len(listed))
    assert list(dag.ids) == [each["blockId"] for each in listed]
    known = {each["blockId"] for each in listed}
    for block, each in enumerate(listed[1:], start=1):
        parents = {dag.ids[p] for p in dag.parents[block] if p >= 0}
        assert parents == (set(each["parents"]) & known or {dag.ids[0]})
    seconds = np.array([each["receivedMs"] for each in listed]) / 1_000
    assert np.allclose(dag.times, np.maximum.accumulate(seconds) - seconds[0])
    assert len(dag) > BLOCKS
    assert (dag.milestones >= 0).any()


@pytest.mark.parametrize("form", ["node-link", "graphml", "json"])
def test_exports_are_loaded_as_the_node_is(node: RunningNode, dag: Recording, tmp_path: Path, form: str) -> None:
    answer = node.http.get("/api/tangle/v1/graph", params={"from": 0, "limit": BLOCKS, "format": form})
    file = tmp_path / "export"
    file.write_bytes(answer.content)
    found = load(file)
    assert found.ids == dag.ids
    assert np.array_equal(found.parents, dag.parents)
    assert np.array_equal(found.times, dag.times)
    assert np.array_equal(found.milestones, dag.milestones)


def test_a_slice_is_whole_and_a_running_loop_no_hindrance(node: RunningNode, dag: Recording) -> None:
    async def inside() -> Recording:
        return load(node.url, first=100, limit=50)

    part = asyncio.run(inside())
    assert len(part) == 50
    assert part.ids[0] in dag.ids
    assert (part.parents[1:, 0] >= 0).all()


def test_the_same_traffic_with_other_rules(dag: Recording) -> None:
    for changes in ({"selector": "uniform"}, {"alpha": 0.5}, {"selector": "hybrid", "parents": 4}):
        result = regrow(dag, Scenario(delay=0.02, **changes))
        assert np.array_equal(result.times, dag.times)
        assert result.blocks == len(dag)
        assert (result.received()[1:] >= dag.times[1:] + 0.02 - 1e-9).all()
    attacked = regrow(dag, Scenario(adversary=Adversary(attack=f"{__name__}:side_chain", share=0.3), delay=0.02))
    assert np.array_equal(attacked.times[attacked.honest], dag.times)
    assert 0.1 < 1 - attacked.honest.mean() < 0.5
    assert attacked.sides.any()


def test_the_tangle_as_it_is_is_asked(dag: Recording) -> None:
    asked = reselect(dag, "weighted", 0.01, delay=0.0)
    assert asked.blocks.size == len(dag) - 1
    assert 0 < asked.equal <= 1
    chances = asked.chances[~np.isnan(asked.chances)]
    assert ((chances >= 0) & (chances <= 1 + 1e-9)).all()  # sums of shares, rounded
    assert asked.were_tips.any()
    assert np.nanmin(asked.chosen_ages) >= 0


def test_it_goes_on(dag: Recording) -> None:
    result = go_on(dag, Scenario(arrivals=dag.rate, delay=0.02, blocks=300))
    assert (result.start, result.blocks) == (len(dag), len(dag) + 300)
    assert np.array_equal(result.parents[: result.start, : dag.parents.shape[1]], dag.parents)


def test_no_node_no_replay(node: RunningNode) -> None:
    with pytest.raises(BadReplay, match="no answer"):
        load("http://127.0.0.1:9")
    with pytest.raises(BadReplay, match="from: 1000000000 is beyond"):
        load(node.url, first=10**9)
