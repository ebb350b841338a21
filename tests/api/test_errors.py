"""Errors: both forms, every place they come from, and the table in the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tangle.api.problems import code_table
from tangle.protocol.errors import ProtocolError, UnknownParent
from tangle.service.errors import QueueFull
from tangle.store.errors import DoubleSpend
from tests.nodes import RunningNode

ID = "0x" + "00" * 32
DOCS = Path(__file__).parents[2] / "docs" / "rest.md"


def _tip_error(response: Any, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body["error"]["code"] == str(status)
    assert body["error"]["message"]
    assert body["code"] == code


def _problem(response: Any, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, "about:blank")
    assert body["title"]
    assert body["detail"]


@pytest.mark.parametrize(
    "path",
    [
        f"/api/core/v2/blocks/{ID}",
        f"/api/core/v2/blocks/{ID}/metadata",
        f"/api/core/v2/outputs/{'0x' + '11' * 34}",
        f"/api/core/v2/outputs/{'0x' + '11' * 34}/metadata",
        f"/api/core/v2/transactions/{ID}/included-block",
        f"/api/core/v2/transactions/{ID}/included-block/metadata",
        f"/api/core/v2/milestones/{ID}",
        f"/api/core/v2/milestones/{ID}/utxo-changes",
        "/api/core/v2/milestones/by-index/4000000000",
        "/api/core/v2/milestones/by-index/4000000000/utxo-changes",
        "/api/core/v2/peers/nobody",
        f"/api/indexer/v1/outputs/alias/{'0x' + '11' * 32}",
        f"/api/indexer/v1/outputs/foundry/{'0x' + '11' * 38}",
        f"/api/indexer/v1/outputs/nft/{'0x' + '11' * 32}",
        f"/api/v1/messages/{'00' * 32}",
        f"/api/v1/messages/{'00' * 32}/metadata",
    ],
)
def test_what_is_not_here_is_404_in_the_form_of_the_tip(node: RunningNode, path: str) -> None:
    _tip_error(node.http.get(path), 404, "not_found")


def test_what_is_not_here_is_404_as_a_problem_on_our_routes(node: RunningNode) -> None:
    _problem(node.http.get(f"/api/tangle/v1/confidence/{ID}"), 404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/api/core/v2/blocks/0x00",
        "/api/core/v2/blocks/" + "00" * 32,
        "/api/core/v2/outputs/" + ID,
        "/api/core/v2/milestones/by-index/-1",
        "/api/core/v2/milestones/by-index/4294967296",
        "/api/core/v2/milestones/by-index/one",
        "/api/core/v2/tips?count=9",
        "/api/indexer/v1/outputs/basic?pageSize=0",
        "/api/indexer/v1/outputs/basic?hasTimelock=perhaps",
        "/api/indexer/v1/outputs/basic?tag=0x0",
        "/api/indexer/v1/outputs/alias/0x00",
        f"/api/indexer/v1/outputs/foundry/{ID}",
        "/api/indexer/v1/outputs/nft/" + "00" * 32,
        "/api/v1/messages?index=xyz",
    ],
)
def test_a_parameter_that_cannot_be_read_is_400(node: RunningNode, path: str) -> None:
    _tip_error(node.http.get(path), 400, "bad_parameter")


@pytest.mark.parametrize(
    "path",
    [
        "/api/tangle/v1/confidence/0x00",
        "/api/tangle/v1/tags/0x/blocks",
        "/api/tangle/v1/tags/0x61/blocks?after=-1",
        "/api/tangle/v1/events?types=solid,liquid",
        "/api/tangle/v1/events?after=x",
        "/api/tangle/v1/graph?limit=0",
    ],
)
def test_a_parameter_that_cannot_be_read_is_a_problem_on_our_routes(node: RunningNode, path: str) -> None:
    _problem(node.http.get(path), 400, "bad_parameter")


def test_an_address_of_another_network_is_named(node: RunningNode) -> None:
    iota = "iota1qrhacyfwlcnzkvzteumekfkrrwks98mpdm37cj4xx3drvmjvnep6xqgyzyx"
    response = node.http.get("/api/indexer/v1/outputs/basic", params={"sender": iota})
    _tip_error(response, 400, "malformed_address")
    assert response.json()["field"] == "sender"
    _problem(node.http.get(f"/api/tangle/v1/addresses/{iota}/history"), 400, "malformed_address")


def test_routes_and_methods_that_are_not_there(node: RunningNode) -> None:
    _tip_error(node.http.get("/api/core/v2/nothing"), 404, "no_such_route")
    _problem(node.http.get("/api/tangle/v1/nothing"), 404, "no_such_route")
    response = node.http.delete("/api/core/v2/info")
    _tip_error(response, 405, "method_not_allowed")
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize("path", ["peers", "control/database/prune", "control/snapshot/create", "whiteflag"])
def test_what_the_node_does_not_offer_is_403(node: RunningNode, path: str) -> None:
    _tip_error(node.http.post(f"/api/core/v2/{path}", json={}), 403, "not_supported")


def test_status_follows_the_class_of_the_error() -> None:
    assert QueueFull.ending.status == 503
    assert UnknownParent.ending.status == 400
    assert ProtocolError.ending.status == 400
    assert DoubleSpend.ending.status == 500


def test_codes_are_unique_and_documented() -> None:
    table = code_table()
    codes = [code for code, _, _ in table]
    assert len(codes) == len(set(codes))
    text = DOCS.read_text()
    missing = [row for row in table if "| `{}` | {} | {} |".format(*row) not in text]
    assert missing == []
    assert text.rpartition("| code |")[2].count("\n| `") == len(table), (
        "docs/rest.md lists codes that no longer exist"
    )
