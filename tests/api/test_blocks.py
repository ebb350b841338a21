"""Blocks: posted in every form that clients use, and read back."""

from __future__ import annotations

import concurrent.futures
import threading

import httpx
import pytest

from tangle.protocol.blocks import Block
from tangle.protocol.pow.score import has_score
from tangle.protocol.tagged_data import TaggedData
from tests.networks import note
from tests.nodes import BINARY, RunningNode, running_node

BLOCKS = "/api/core/v2/blocks"


def _raw(node: RunningNode, block_id: str) -> Block:
    response = node.http.get(f"{BLOCKS}/{block_id}", headers={"accept": BINARY})
    assert response.headers["content-type"] == BINARY
    return Block.decode(response.content)


def test_a_finished_block_in_bytes_keeps_its_id(node: RunningNode) -> None:
    block = node.finished(note("bytes"))
    response = node.http.post(BLOCKS, content=block.encoded, headers={"content-type": BINARY, "accept": BINARY})
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"blockId": f"0x{block.id.hex()}"}
    assert response.headers["location"] == f"{BLOCKS}/0x{block.id.hex()}"
    assert node.get(response.headers["location"]) == block.to_json()
    assert _raw(node, f"0x{block.id.hex()}").encoded == block.encoded


def test_a_finished_block_in_json_keeps_its_id(node: RunningNode) -> None:
    block = node.finished(note("json"))
    response = node.http.post(BLOCKS, json=block.to_json())
    assert (response.status_code, response.json()) == (201, {"blockId": f"0x{block.id.hex()}"})


def test_posting_twice_answers_the_same(node: RunningNode) -> None:
    data = node.finished(note("twice")).encoded
    first, second = node.post_bytes(data), node.post_bytes(data)
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()


@pytest.mark.parametrize(
    "members",
    [
        {"payload": note("bare").to_json()},
        {"protocolVersion": 2, "payload": note("version").to_json()},
        {"protocolVersion": 2, "payload": note("zero nonce").to_json(), "nonce": "0", "parents": []},
        {"protocolVersion": 2, "payload": None, "nonce": None, "parents": None},
    ],
    ids=["bare", "version", "nonce 0", "nulls"],
)
def test_the_node_fills_in_what_json_leaves_out(node: RunningNode, members: dict[str, object]) -> None:
    response = node.http.post(BLOCKS, json=members)
    assert response.status_code == 201, response.text
    block = _raw(node, response.json()["blockId"])
    assert has_score(block.encoded, node.settings.min_pow_score)
    assert 1 <= len(block.parents) <= 8
    assert (block.payload.to_json() if block.payload else None) == members["payload"]


def test_the_node_keeps_the_parents_it_is_given(node: RunningNode) -> None:
    parents = node.tips()
    members = {"parents": [f"0x{parent.hex()}" for parent in parents], "payload": note("parents").to_json()}
    assert _raw(node, node.http.post(BLOCKS, json=members).json()["blockId"]).parents == parents


def test_bytes_without_parents_or_nonce_are_filled_in(node: RunningNode) -> None:
    payload = TaggedData(b"holes", b"x" * 200)
    encoded = payload.encode()
    body = bytes([2, 0]) + len(encoded).to_bytes(4, "little") + encoded
    for data in (body + bytes(8), body):
        response = node.post_bytes(data)
        assert response.status_code == 201, response.text
        block = _raw(node, response.json()["blockId"])
        assert block.payload == payload
        assert has_score(block.encoded, node.settings.min_pow_score)


def test_a_zero_nonce_that_suffices_is_kept(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_node(tmp_path_factory.mktemp("free") / "data", min_pow_score=0, pow=False) as free:
        block = Block(free.tips(), note("no work needed"))
        assert free.post_bytes(block.encoded).json() == {"blockId": f"0x{block.id.hex()}"}


def test_without_its_proof_of_work_the_node_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_node(tmp_path_factory.mktemp("nopow") / "data", pow=False, min_pow_score=100) as node:
        assert node.get("/api/core/v2/info")["features"] == []
        response = node.http.post(BLOCKS, json={"payload": note("work for me").to_json()})
        assert (response.status_code, response.json()["code"]) == (503, "pow_disabled")
        assert response.json()["error"]["code"] == "503"


def test_a_client_that_leaves_frees_the_search(tmp_path_factory: pytest.TempPathFactory) -> None:
    # A score that nobody reaches: only giving up lets the second request come to its turn.
    with running_node(tmp_path_factory.mktemp("hard") / "data", min_pow_score=2**31, pow_queue_max=0) as node:
        members = {"payload": note("never").to_json()}
        with (
            pytest.raises(httpx.ReadTimeout),
            httpx.Client(base_url=node.url, timeout=0.3, trust_env=False) as http,
        ):
            http.post(BLOCKS, json=members)
        with pytest.raises(httpx.ReadTimeout), httpx.Client(base_url=node.url, timeout=3, trust_env=False) as http:
            assert http.post(BLOCKS, json=members).status_code == 503
        assert all(not thread.name.startswith("pow") for thread in _settled_threads())


def _settled_threads() -> list[threading.Thread]:
    """The threads there are, once no search runs any more or five seconds have passed."""
    for _ in range(100):
        threads = threading.enumerate()
        if all(not thread.name.startswith("pow") for thread in threads):
            break
        threading.Event().wait(0.05)
    return threads


def test_too_many_searches_are_told_to_come_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_node(tmp_path_factory.mktemp("busy") / "data", min_pow_score=2**31, pow_queue_max=0) as node:
        members = {"payload": note("never").to_json()}

        def post() -> httpx.Response | None:
            with httpx.Client(base_url=node.url, timeout=2, trust_env=False) as http:
                try:
                    return http.post(BLOCKS, json=members)
                except httpx.ReadTimeout:
                    return None

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            answers = [future.result() for future in [pool.submit(post) for _ in range(3)]]
        refused = [answer for answer in answers if answer is not None]
        assert len(refused) == 2
        assert {answer.json()["code"] for answer in refused} == {"pow_busy"}
        assert all(answer.headers["retry-after"] == "1" for answer in refused)


def test_metadata_before_and_after_a_milestone(node: RunningNode) -> None:
    block_id = node.attach(note("metadata"))
    path = f"{BLOCKS}/0x{block_id.hex()}/metadata"
    before = node.get(path)
    assert before["isSolid"] is True
    assert before["blockId"] == f"0x{block_id.hex()}"
    after = node.wait_referenced(block_id)
    assert after["ledgerInclusionState"] == "noTransaction"
    assert "shouldPromote" not in after
    assert "conflictReason" not in after
    confidence = after["confidence"]
    assert 0 <= confidence["low"] <= confidence["high"] <= 1
    assert 0 <= confidence["m"] <= confidence["n"]
    ours = node.get(f"/api/tangle/v1/confidence/0x{block_id.hex()}")
    assert ours["blockId"] == f"0x{block_id.hex()}"


def test_two_hundred_blocks_at_once(node: RunningNode) -> None:
    parents = node.tips()
    blocks = [node.finished(note(f"at once {i}"), parents) for i in range(200)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(node.post_bytes, [block.encoded for block in blocks]))
    assert [answer.json()["blockId"] for answer in answers] == [f"0x{block.id.hex()}" for block in blocks]
    assert all(node.get(f"{BLOCKS}/0x{block.id.hex()}") == block.to_json() for block in blocks[::20])
