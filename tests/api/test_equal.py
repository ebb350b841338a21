"""Equal readings: what the node finishes is a block of its own, what its sender finished stays one block."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tangle.protocol.blocks import Block
from tangle.protocol.tagged_data import TaggedData
from tests.nodes import BINARY, RunningNode, running_node

BLOCKS = "/api/core/v2/blocks"
READING = TaggedData(b"pulse", b"1")


@pytest.fixture(scope="module", params=[0, 1], ids=["no work", "some work"])
def meter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node that asks for no work, which leaves it nothing to search, and one that asks for some."""
    with running_node(tmp_path_factory.mktemp("meter") / "data", min_pow_score=request.param) as node:
        yield node


def composed(node: RunningNode) -> list[dict[str, Any]]:
    """Requests that the node has to finish, each the same however often it is made."""
    parents = [f"0x{tip.hex()}" for tip in node.tips()]
    payload, encoded = READING.to_json(), READING.encode()
    bare = bytes([2, 0]) + len(encoded).to_bytes(4, "little") + encoded
    bodies: list[tuple[str, Any]] = [
        (BLOCKS, {"payload": payload}),
        (BLOCKS, {"payload": payload, "parents": [], "nonce": "7"}),
        (BLOCKS, {"payload": payload, "parents": parents}),
        (BLOCKS, {}),
        ("/api/v1/messages", {"payload": {"type": 2, "index": "70756c7365", "data": "31"}}),
    ]
    posts = [{"url": path, "json": body} for path, body in bodies]
    raw = {"url": BLOCKS, "headers": {"content-type": BINARY}}
    return [*posts, {**raw, "content": bare}, {**raw, "content": bare + bytes(8)}]


def test_what_the_node_finishes_is_a_block_of_its_own(meter: RunningNode) -> None:
    requests = composed(meter) * 4

    def post(request: dict[str, Any]) -> str:
        answer = meter.http.post(**request)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"].rpartition("/")[2].removeprefix("0x")

    with ThreadPoolExecutor(8) as pool:
        ids = [*pool.map(post, requests), *map(post, requests)]
    assert len(set(ids)) == len(ids)


def test_what_its_sender_finished_stays_one_block(meter: RunningNode) -> None:
    block = meter.finished(READING)
    json = block.to_json()
    answers = [meter.http.post(BLOCKS, json=json).json() for _ in range(3)]
    answers += [meter.post_bytes(block.encoded).json() for _ in range(3)]
    assert answers == [{"blockId": f"0x{block.id.hex()}"}] * 6


def test_a_finished_nonce_of_zero_stays(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_node(tmp_path_factory.mktemp("free") / "data", min_pow_score=0) as free:
        block = Block(free.tips(), READING)
        assert {free.http.post(BLOCKS, json=block.to_json()).json()["blockId"] for _ in range(2)} == {
            f"0x{block.id.hex()}"
        }
