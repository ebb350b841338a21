"""Data by tag over HTTP: history in pages and live, whole and in order, for those who are slow as well."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tangle.protocol.serial import to_hex
from tangle.protocol.tagged_data import TaggedData
from tests.nodes import RunningNode, running_node

OURS = "/api/tangle/v1/tags"


def _path(tag: bytes, what: str) -> str:
    return f"{OURS}/{to_hex(tag)}/{what}"


def _read(node: RunningNode, tag: bytes, count: int, **query: Any) -> list[dict[str, Any]]:
    """The next `count` messages of a tag's stream."""
    headers = query.pop("headers", None)
    found: list[dict[str, Any]] = []
    message: dict[str, str] = {}
    with node.http.stream("GET", _path(tag, "events"), params=query, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if name in {"id", "event", "data"}:
                message[name] = value
            elif "data" in message:
                data = orjson.loads(message["data"])
                assert (int(message["id"]), message["event"]) == (data["number"], "block")
                found.append(data)
                message = {}
                if len(found) == count:
                    break
    return found


@contextmanager
def _open(node: RunningNode, tag: bytes, **query: Any) -> Iterator[httpx.Response]:
    """A stream on a connection of its own."""
    with (
        httpx.Client(base_url=node.url, timeout=30, trust_env=False) as http,
        http.stream("GET", _path(tag, "events"), params=query) as response,
    ):
        yield response


def test_history_in_both_directions_with_data_and_times(node: RunningNode) -> None:
    tag = b"history"
    ids = [to_hex(node.attach(TaggedData(tag, b"%d" % i))) for i in range(7)]
    node.attach(TaggedData(b"other", b"x"))
    items = node.get(_path(tag, "blocks"))["items"]
    assert [one["blockId"] for one in items] == ids
    assert all(set(one) == {"number", "blockId", "receivedMs"} for one in items)
    full = node.get(_path(tag, "blocks"), data=True)["items"]
    assert [one["data"] for one in full] == [to_hex(b"%d" % i) for i in range(7)]
    assert [{name: one[name] for name in items[0]} for one in full] == items
    newest = node.get(_path(tag, "blocks"), newestFirst=True, pageSize=4)
    assert newest["items"] == items[:2:-1]
    assert node.get(_path(tag, "blocks"), newestFirst=True, before=newest["next"])["items"] == items[2::-1]
    middle = items[3]["receivedMs"]
    within = node.get(_path(tag, "blocks"), fromMs=middle, toMs=items[6]["receivedMs"])["items"]
    assert within == [one for one in items if middle <= one["receivedMs"] < items[6]["receivedMs"]]


@pytest.mark.parametrize("query", ["fromMs=-1", "before=x", f"toMs={2**63}", "newestFirst=7"])
def test_bad_bounds_are_named(node: RunningNode, query: str) -> None:
    answer = node.http.get(f"{_path(b'a', 'blocks')}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
    assert query.partition("=")[0] in answer.json()["detail"]


def test_pages_with_long_data_are_cut_by_bytes(node: RunningNode) -> None:
    tag, data = b"long", bytes(32_000)
    for i in range(70):
        node.attach(TaggedData(tag, data + b"%d" % i))
    first = node.get(_path(tag, "blocks"), data=True)
    assert 60 < len(first["items"]) <= 2 * 2**20 // 32_000
    rest = node.get(_path(tag, "blocks"), data=True, after=first["next"])
    assert "next" not in rest
    assert len(first["items"]) + len(rest["items"]) == 70


@pytest.mark.parametrize("kept", [200, 16 * 2**20], ids=["much forgotten", "all kept"])
def test_a_stream_brings_history_then_news_and_resumes_anywhere(tmp_path: Path, kept: int) -> None:
    tag, also = b"live", b"live too"
    with running_node(tmp_path / "data", tag_ring_bytes=kept) as node:
        for i in range(3):
            node.attach(TaggedData(tag, b"old %d" % i))
        with _open(node, tag, after=0, also=to_hex(also)) as response:
            lines = (line for line in response.iter_lines() if line.startswith("data: "))
            found = [orjson.loads(next(lines)[6:]) for _ in range(3)]
            for i in range(12):
                node.attach(TaggedData((tag, also, b"not this")[i % 3], b"new %d" % i))
            found += [orjson.loads(next(lines)[6:]) for _ in range(8)]
        texts = [bytes.fromhex(one["data"][2:]).decode() for one in found]
        assert texts == [*(f"old {i}" for i in range(3)), *(f"new {i}" for i in range(12) if i % 3 < 2)]
        assert {one["tag"] for one in found} == {to_hex(tag), to_hex(also)}
        middle = found[5]["number"]
        assert _read(node, tag, 5, after=middle, also=to_hex(also)) == found[6:]
        assert _read(node, tag, 5, headers={"last-event-id": str(middle)}, also=to_hex(also)) == found[6:]


def test_without_a_start_only_what_is_new_comes_and_the_position_is_told(node: RunningNode) -> None:
    node.attach(TaggedData(b"quiet", b"before"))
    last = node.get("/api/tangle/v1/metrics")["eventNumber"]
    with node.http.stream("GET", _path(b"quiet", "events")) as response:
        told = next(line for line in response.iter_lines() if line.startswith("id: "))
    assert int(told[4:]) >= last


def test_unusable_streams_are_refused(tmp_path: Path) -> None:
    with running_node(tmp_path / "data", event_subscribers_max=1) as node:
        for path in (
            f"{OURS}/0x/events",
            f"{_path(b'a', 'events')}?also=0x6",
            f"{_path(b'a', 'events')}?after=-1",
        ):
            assert (node.http.get(path).status_code, node.http.get(path).json()["code"]) == (400, "bad_parameter")
        many = ",".join(["0x61"] * 16)
        assert node.http.get(_path(b"a", "events"), params={"also": many}).status_code == 400
        with node.http.stream("GET", _path(b"a", "events")) as response:
            lines = response.iter_lines()
            next(lines)
            refused = httpx.get(node.url + _path(b"b", "events"), trust_env=False)
            assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")


def test_a_listener_that_takes_nothing_is_disconnected_and_goes_on_later(
    tmp_path: Path,
) -> None:
    tag, data = b"slow", bytes(30_000)
    with running_node(tmp_path / "data", stalled_s=0.5) as node:
        numbers = seen = 0
        with _open(node, tag, after=0) as response:
            deadline = time.monotonic() + 60
            while node.service.feed.followers or not numbers:
                assert time.monotonic() < deadline, "a listener that takes nothing is still connected"
                node.attach(TaggedData(tag, data + b"%d" % numbers))
                numbers += 1
            with suppress(httpx.HTTPError):
                for line in response.iter_lines():
                    seen = int(line[4:]) if line.startswith("id: ") else seen
        every = [one["number"] for one in node.get(_path(tag, "blocks"))["items"]]
        assert len(every) == numbers
        rest = [number for number in every if number > seen]
        assert rest
        assert [one["number"] for one in _read(node, tag, len(rest), after=seen)] == rest


def test_numbers_of_a_busy_stream_only_grow(node: RunningNode) -> None:
    for i in range(20):
        node.attach(TaggedData(b"busy", b"%d" % i))
    found = _read(node, b"busy", 20, after=0)
    assert all(one["number"] < other["number"] for one, other in pairwise(found))
