"""Tips under load, explained and lost; confidence drawn on demand; slices for graph programs."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import networkx as nx
import pytest

from tangle.api.graphs import WRITERS
from tests.networks import note
from tests.nodes import RunningNode

OURS = "/api/tangle/v1"
POSTS = 120


@pytest.fixture(scope="module")
def last(node: RunningNode) -> str:
    """A node with some blocks; the id of the newest."""
    found = [node.attach(note(str(number))) for number in range(20)]
    return "0x" + found[-1].hex()


def test_tips_under_load_are_there_and_not_the_same_for_all(node: RunningNode) -> None:
    pairs: list[tuple[bytes, ...]] = []

    def post(number: int) -> None:
        pairs.append(node.tips())
        node.attach(note(f"load {number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, range(POSTS)))
    assert len(pairs) == POSTS
    assert all(1 <= len(set(pair)) == len(pair) <= 2 for pair in pairs)
    most = max(pairs.count(pair) for pair in pairs)
    assert most <= POSTS // 4, f"{most} of {POSTS} were given the same tips"
    assert len(set(pairs)) >= POSTS // 8


def test_confidence_on_demand_is_repeated_by_its_seed(node: RunningNode, last: str) -> None:
    path = f"{OURS}/confidence/{last}"
    assert "seed" not in node.get(path)
    answers = [node.get(path, n=777, seed=7) for _ in range(2)]
    for answer in answers:
        assert (answer["n"], answer["seed"]) == (777, 7)
        assert 0 <= answer["low"] <= answer["m"] / 777 <= answer["high"] <= 1
    if answers[0]["asOf"] == answers[1]["asOf"]:
        assert answers[0] == answers[1]
    drawn = node.get(path, n=5)
    assert drawn["n"] == 5
    assert 0 <= drawn["seed"] < 2**32
    assert node.http.get(path, params={"n": 10_001}).status_code == 400
    assert node.http.get(path, params={"n": 0}).status_code == 400
    assert node.http.get(f"{OURS}/confidence/0x{'77' * 32}", params={"n": 5}).status_code == 404


def test_a_selection_is_explained(node: RunningNode, last: str) -> None:
    told = node.get(f"{OURS}/tips/explain", seed=11, k=3)
    assert (told["seed"], told["k"], told["selector"]) == (11, 3, "weighted")
    assert 1 <= len(told["selected"]) <= 3
    assert len(told["walkers"]) >= 3 * 4
    for walker in told["walkers"]:
        assert walker["entry"] in told["entryPoints"]
        place = walker["entry"]
        for step in walker["steps"]:
            assert step["blockId"] == place
            place = step["chosen"]
            chances = [candidate["probability"] for candidate in step["candidates"]]
            chances.append(step.get("others", {"probability": 0})["probability"])
            assert sum(chances) == pytest.approx(1)
            assert place in [candidate["blockId"] for candidate in step["candidates"]]
            assert told["numbers"][place] > told["numbers"][step["blockId"]]
        assert place == walker["tip"]
    reached = {walker["tip"] for walker in told["walkers"]}
    assert set(told["selected"]) - reached == set(told["filled"])
    assert node.http.get(f"{OURS}/tips/explain", params={"k": 9}).status_code == 400


def test_tips_and_losses_are_listed(node: RunningNode, last: str) -> None:
    tips = node.get(f"{OURS}/tips", limit=5)
    assert tips["counts"]["good"] >= 1
    assert 1 <= len(tips["items"]) <= 5
    numbers = [item["number"] for item in tips["items"]]
    assert numbers == sorted(numbers)
    lost = node.get(f"{OURS}/orphans", age=3)
    assert lost["age"] == 3
    assert lost["blocks"] >= 20
    assert 0 <= lost["orphanedShare"] <= 1
    assert node.http.get(f"{OURS}/orphans", params={"age": 0}).status_code == 400


def test_slices_start_where_they_are_told(node: RunningNode, last: str) -> None:
    newest = node.get(f"{OURS}/graph", limit=5)["nodes"]
    assert len(newest) == 5
    assert all(item["weight"] >= 1 for item in newest)
    first = newest[0]["number"]
    assert node.get(f"{OURS}/graph", limit=2, **{"from": first})["nodes"][0]["blockId"] == newest[0]["blockId"]
    middle = newest[2]["blockId"]
    around = [item["blockId"] for item in node.get(f"{OURS}/graph", limit=3, around=middle)["nodes"]]
    assert around == [item["blockId"] for item in newest[1:4]]
    assert node.http.get(f"{OURS}/graph", params={"around": "0x" + "77" * 32}).status_code == 404
    assert node.http.get(f"{OURS}/graph", params={"after": 1, "from": 1}).status_code == 400
    assert node.http.get(f"{OURS}/graph", params={"format": "gif"}).status_code == 400


def nodes_of(graph: nx.DiGraph) -> dict[str, dict[str, Any]]:
    return dict(graph.nodes(data=True))


def test_networkx_reads_what_is_exported(node: RunningNode, last: str) -> None:
    plain = {item["blockId"]: item for item in node.get(f"{OURS}/graph", limit=30)["nodes"]}
    params = {"limit": 30, "from": min(item["number"] for item in plain.values())}
    texts = {form: node.http.get(f"{OURS}/graph", params={**params, "format": form}) for form in WRITERS}
    for form, answer in texts.items():
        assert answer.headers["content-type"].startswith(WRITERS[form][0])
    graphs = {
        "node-link": nx.node_link_graph(json.loads(texts["node-link"].content), edges="edges"),
        "graphml": nx.read_graphml(io.BytesIO(texts["graphml"].content)),
    }
    edges = {(block, parent) for block, item in plain.items() for parent in item["parents"] if parent in plain}
    for graph in graphs.values():
        assert set(graph) == set(plain)
        assert set(graph.edges) == edges
        for block, known in nodes_of(graph).items():
            for name in ("number", "payload", "receivedMs"):
                assert known[name] == plain[block][name]
            assert known["weight"] >= plain[block]["weight"]
            assert known.get("milestoneIndex") == plain[block].get("milestoneIndex")
    drawn = texts["dot"].text
    assert drawn.startswith("digraph tangle {")
    assert drawn.count(" -> ") == len(edges)
    assert all(f'"{block}" [' in drawn for block in plain)
