"""Names that nobody knows: refused and named on every route and at every depth, and nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tangle.protocol.blocks import Block
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.tagged_data import TaggedData
from tests.networks import spend
from tests.nodes import RunningNode

BLOCKS = "/api/core/v2/blocks"
LEGACY = "/api/v1/messages"
NEAR = {
    "/api/indexer/v1/outputs/basic?adress=tgl1&pageSize=5": ("adress", "address"),
    "/api/indexer/v1/outputs/nft?page_size=5": ("page_size", "pageSize"),
    "/api/indexer/v1/outputs/alias?stateControler=x": ("stateControler", "stateController"),
    "/api/core/v2/tips?Count=2": ("Count", "count"),
    "/api/tangle/v1/graph?fro=7": ("fro", "from"),
    "/api/tangle/v1/tags/0x61/blocks?newestfirst=true": ("newestfirst", "newestFirst"),
    "/api/tangle/v1/events?type=solid": ("type", "types"),
    "/api/tangle/v1/tags/0x61/events?alsoo=0x62": ("alsoo", "also"),
    "/api/v1/messages?indx=61": ("indx", "index"),
}


def test_every_route_refuses_a_parameter_it_does_not_know(node: RunningNode) -> None:
    paths = set(node.get("/openapi.json")["paths"]) | {"/", "/channels", "/docs", "/openapi.json", "/web/main.js"}
    for path in paths:
        answer = node.http.request("GET", re.sub("{[^}]+}", "0", path), params={"colour": "red"})
        if answer.status_code != 405:
            assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter"), path
            assert "colour: is not known here (known: " in answer.text
    assert len(paths) > 50


@pytest.mark.parametrize("path", NEAR)
def test_the_name_that_was_meant_is_told(node: RunningNode, path: str) -> None:
    answer = node.http.get(path)
    wrong, right = NEAR[path]
    assert (answer.status_code, answer.json()["field"]) == (400, wrong)
    assert f"did you mean {right}?" in answer.text


def test_a_post_with_a_query_is_refused_as_well(node: RunningNode) -> None:
    answer = node.http.post(f"{BLOCKS}?pow=false", json={"payload": TaggedData(b"a", b"b").to_json()})
    assert (answer.status_code, answer.json()["field"]) == (400, "pow")


def places(value: Any, path: str = "") -> Iterator[tuple[dict[str, Any], str]]:
    """Every object of a JSON value, with its path."""
    if isinstance(value, dict):
        yield value, path
        for name, inner in value.items():
            yield from places(inner, f"{path}.{name}".removeprefix("."))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from places(inner, f"{path}[{i}]")


def test_a_member_that_nothing_reads_is_refused_at_any_depth(node: RunningNode) -> None:
    coins = node.coins(node.holder)
    own = node.holder.address
    outputs = [BasicOutput.to(own, 1_000_000), BasicOutput.to(own, coins[0].output.amount - 1_000_000)]
    body = Block(node.tips(), spend(coins[:1], outputs, parameters=node.service.parameters)).to_json()
    before = node.get("/api/tangle/v1/metrics")["eventNumber"]
    found = list(places(body))
    assert len(found) >= 10
    for holder, path in found:
        holder["kolor"] = None
        answer = node.http.post(BLOCKS, json=body).json()
        assert (answer["code"], answer["field"]) == ("unknown_member", f"{path}.kolor".removeprefix("."))
        del holder["kolor"]
    blocks = node.get(f"/api/tangle/v1/graph?after={before}")["nodes"]
    assert not [one for one in blocks if one["payload"] == "transaction"]


@pytest.mark.parametrize(
    ("path", "body", "wrong", "right"),
    [
        (BLOCKS, {"payLoad": {"type": 5, "tag": "0x74", "data": "0x31"}}, "payLoad", "payload"),
        (BLOCKS, {"tag": "0x74", "data": "0x31"}, "data", None),
        (BLOCKS, {"payload": {"type": 5, "tag": "0x74", "Data": "0x31"}}, "payload.Data", "data"),
        (BLOCKS, {"payload": {"typ": 5, "tag": "0x74"}}, "payload.typ", "type"),
        (LEGACY, {"payload": {"type": 2, "indx": "74", "data": "31"}}, "payload.indx", "index"),
        (LEGACY, {"parentMessageId": []}, "parentMessageId", "parentMessageIds"),
        ("/api/tangle/v1/faucet/enqueue", {"adress": "tgl1qqqq"}, "adress", "address"),
    ],
)
def test_a_mistyped_member_is_named(
    node: RunningNode, path: str, body: dict[str, Any], wrong: str, right: str | None
) -> None:
    answer = node.http.post(path, json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "unknown_member", wrong)
    assert right is None or f"did you mean {right}?" in answer.text


def test_what_clients_of_the_generation_before_send_is_known(node: RunningNode) -> None:
    tips = node.get("/api/v1/tips")["data"]["tipMessageIds"]
    payload = {"type": 2, "index": "74", "data": "31"}
    body = {"networkId": "1", "parentMessageIds": tips, "payload": payload, "nonce": "0"}
    assert node.http.post(LEGACY, json=body).status_code == 201
