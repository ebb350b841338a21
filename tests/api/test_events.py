"""The event stream: in order, whole, resumable, from memory and from the database alike."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson
import pytest

from tangle.api import stream
from tangle.api.app import STOP_S
from tangle.api.stream import event_json
from tangle.client.node.rest import NodeClient
from tangle.store.events import SolidEvent
from tests.networks import note
from tests.nodes import RunningNode, running_node

EVENTS = "/api/tangle/v1/events"


def _read(node: RunningNode, until: int, headers: dict[str, str] | None = None, **query: str | int) -> list[dict]:
    """The data of all messages up to event number `until`; checks that each repeats its id and type."""
    found, message = [], {}
    with node.http.stream("GET", EVENTS, params=query, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if name in {"id", "event", "data"}:
                message[name] = value
            elif message:
                data = orjson.loads(message["data"])
                assert (int(message["id"]), message["event"]) == (data["number"], data["type"])
                found.append(data)
                message = {}
                if data["number"] >= until:
                    break
    return found


def _last(node: RunningNode) -> int:
    return int(node.get("/api/tangle/v1/metrics")["eventNumber"])


@pytest.mark.parametrize("ring", [1, 20_000], ids=["from the database", "from memory"])
def test_a_resumed_stream_misses_and_repeats_nothing(tmp_path: Path, ring: int) -> None:
    with running_node(tmp_path / "data", event_ring=ring) as node:
        ids = [f"0x{node.attach(note(f'event {i}')).hex()}" for i in range(10)]
        node.wait_referenced(bytes.fromhex(ids[-1][2:]))
        last = _last(node)
        everything = _read(node, last, after=0)
        numbers = [event["number"] for event in everything]
        assert numbers == list(range(1, last + 1))
        assert [
            event["blockId"] for event in everything if event["type"] == "solid" and event["blockId"] in ids
        ] == ids
        middle = numbers[len(numbers) // 2]
        assert _read(node, last, after=middle) == everything[len(numbers) // 2 + 1 :]
        assert _read(node, last, headers={"last-event-id": str(middle)}) == everything[len(numbers) // 2 + 1 :]
        assert _read(node, last, headers={"last-event-id": str(middle)}, after=1)[0]["number"] == middle + 1


def test_only_the_types_asked_for(node: RunningNode) -> None:
    block_id = node.attach(note("types"))
    node.wait_referenced(block_id)
    milestone = next(reversed(_read_types(node, "milestone")))
    assert set(milestone) == {"number", "type", "index", "milestoneId", "timestamp"}
    answer = node.get(f"/api/core/v2/milestones/by-index/{milestone['index']}")
    assert answer["timestamp"] == milestone["timestamp"]
    kinds = {event["type"] for event in _read_types(node, "solid,referenced")}
    assert kinds == {"solid", "referenced"}


def _read_types(node: RunningNode, types: str) -> list[dict]:
    known = [event for event in _read(node, _last(node), after=0) if event["type"] in types.split(",")]
    found = _read(node, known[-1]["number"], after=0, types=types)
    assert found == known
    return found


@pytest.mark.parametrize("ring", [1, 20_000], ids=["from the database", "from memory"])
def test_details_say_of_each_block_what_the_graph_says(tmp_path: Path, ring: int) -> None:
    with running_node(tmp_path / "data", event_ring=ring) as node:
        node.wait_referenced(node.attach(note("detailed")))
        node.wait_referenced(node.attach(None))
        last = _last(node)
        plain, detailed = _read(node, last, after=0), _read(node, last, after=0, details="true")
        added = {"parents", "payload", "receivedMs", "milestoneIndex"}
        assert plain == [
            {name: value for name, value in event.items() if event["type"] != "solid" or name not in added}
            for event in detailed
        ]
        told = {event["number"]: event for event in detailed if event["type"] == "solid"}
        slice_ = [one for one in node.get("/api/tangle/v1/graph")["nodes"] if one["number"] <= last]
        assert told.keys() == {one["number"] for one in slice_}
        assert {one["payload"] for one in slice_} == {"none", "taggedData", "milestone"}
        for one in slice_:
            members = added & one.keys()
            event = told[one["number"]]
            assert {name: event[name] for name in added & event.keys()} == {name: one[name] for name in members}
            assert ("milestoneIndex" in members) == (one["payload"] == "milestone")


def test_without_a_start_only_what_is_new_comes(node: RunningNode) -> None:
    before = _last(node)
    first = _read(node, before + 1)[0]
    assert first["number"] > before


def test_confidence_rises_over_its_thresholds_and_is_told_once(node: RunningNode) -> None:
    block_id = node.attach(note("confident"))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        node.attach(note(f"above {time.monotonic_ns()}"))
        told = [
            event
            for event in _read(node, _last(node), after=0)
            if event["type"] == "confidence" and event["blockId"] == f"0x{block_id.hex()}"
        ]
        if len(told) == len(node.settings.confidence_thresholds):
            break
    assert [event["threshold"] for event in told] == list(node.settings.confidence_thresholds)
    assert all(event["m"] >= event["threshold"] * event["n"] for event in told)


async def test_the_client_follows_history_and_news(node: RunningNode) -> None:
    start = _last(node)
    tag = note("followed")
    async with NodeClient(node.url) as client:
        block_id = await client.submit_data(tag.tag, tag.data)
        async with asyncio.timeout(20):
            async for event in client.events(after=start):
                if getattr(event, "block_id", None) == block_id:
                    break
    assert event.number > start


def test_an_open_stream_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with _open_stream(tmp_path) as (node, lines):
        next(lines)
        began = time.monotonic()
        node.server.should_exit = True
        assert [line for line in lines if line.startswith("error")] == []
        # After so long the server would have cut it off.
        assert time.monotonic() - began < STOP_S


@contextmanager
def _open_stream(tmp_path: Path) -> Iterator[tuple[RunningNode, Iterator[str]]]:
    with (
        running_node(tmp_path / "data") as node,
        httpx.Client(base_url=node.url, timeout=30, trust_env=False) as http,
        http.stream("GET", EVENTS) as response,
    ):
        yield node, response.iter_lines()


def test_streams_are_bounded(tmp_path: Path) -> None:
    with running_node(tmp_path / "data", event_subscribers_max=1) as node:
        with node.http.stream("GET", EVENTS) as response:
            lines = response.iter_lines()
            next(lines)
            refused = httpx.get(node.url + EVENTS, trust_env=False)
            assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
        deadline = time.monotonic() + 10
        while node.service.feed.followers:
            assert time.monotonic() < deadline, "a stream that was left is still counted"
            time.sleep(0.02)


def test_the_json_of_every_type_has_its_members() -> None:
    assert event_json(SolidEvent(3, bytes(32)))["type"] == "solid"
    assert stream.TYPES.keys() == {"solid", "referenced", "confidence", "milestone"}
