"""Public channels decoded by the node: what a reader of the same blocks finds, in pages and live."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from tangle import mam
from tangle.api.channels import heard_json, place_text, read_place
from tangle.api.problems import BadParameter
from tangle.protocol.blocks import Block
from tangle.protocol.serial import to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.service.decoding import DECODING, GAP_MS, Decoding, Place, Walk
from tangle.store.queries import TaggedBlock, TaggedPage
from tests.nodes import RunningNode
from tests.tries import each, tries

SEED = bytes(range(32))


def written(
    bodies: list[bytes], height: int = 1, seed: bytes = SEED
) -> tuple[mam.Channel, list[tuple[bytes, bytes]]]:
    """A public channel and what it publishes: addresses and data, in order."""
    channel, position, parts = mam.Channel(seed, mam.Mode.PUBLIC, height), mam.Position(), []
    for body in bodies:
        sealed = channel.write(body, position)
        parts += [(sealed.address, data) for data in sealed.parts]
        position = sealed.following
    return channel, parts


class Blocks:
    """Blocks as the node would have them; a page holds three."""

    def __init__(self, parts: list[tuple[bytes, bytes]]) -> None:
        self.blocks = [self._block(i, *part) for i, part in enumerate(parts, 1)]

    @staticmethod
    def _block(number: int, tag: bytes, data: bytes) -> TaggedBlock:
        block = Block((bytes(32),), TaggedData(tag, data), 0)
        return TaggedBlock(number, number.to_bytes(32, "big"), tag, 1_000 * number, block.encoded)

    def read(self, address: bytes, after: int, upto: int) -> TaggedPage:
        found = [one for one in self.blocks if one.tag == address and after < one.number <= upto]
        return TaggedPage(tuple(found[:3]), len(found) > 3)

    def walk(self, place: Place, now_ms: float = 1e15) -> Walk:
        return Walk(place, self.read, lambda: now_ms)


def everything(
    blocks: Blocks, root: bytes, items_max: int = 1_000, now_ms: float = 1e15, *, resume: bool = True
) -> list[dict[str, Any]]:
    """All items; each page by a new walk from the position of the last."""
    walk = blocks.walk(Place(root), now_ms)
    items: list[dict[str, Any]] = []
    for _ in range(10_000):
        found = walk.advance(len(blocks.blocks), items_max)
        items += map(heard_json, found.items)
        if not found.more:
            return items
        if resume:
            walk = blocks.walk(read_place(place_text(walk.place), "after"), now_ms)
    raise AssertionError("the walk does not end")


def texts(items: list[dict[str, Any]]) -> list[Any]:
    return [item.get("text", item.get("type")) for item in items]


@pytest.mark.parametrize("height", [0, 1, 3])
@pytest.mark.parametrize("items_max", [1, 2, 1_000])
def test_pages_of_any_size_bring_all_messages_once(height: int, items_max: int) -> None:
    bodies = [b"reading %d" % n for n in range(13)]
    channel, parts = written(bodies, height)
    blocks = Blocks(parts)
    assert texts(everything(blocks, channel.root(0), items_max)) == [body.decode() for body in bodies]


@each("seed", range(tries(20)))
def test_order_junk_and_copies_change_nothing(seed: int) -> None:
    rng = random.Random(seed)
    bodies = [b"reading %d" % n for n in range(10)] + [bytes([255]) * 70_000]
    channel, parts = written(bodies, height=2)
    mixed = parts + rng.sample(parts, 4) + [(address, rng.randbytes(300)) for address, _ in parts]
    # Out of order by a few places, as blocks come.
    mixed = [part for _, part in sorted(enumerate(mixed), key=lambda pair: pair[0] + rng.random() * 6)]
    items = everything(Blocks(mixed), channel.root(0), rng.choice((1, 3, 100)), now_ms=0)
    assert [(item["index"], item.get("text", item.get("body"))) for item in items] == [
        *((n, body.decode()) for n, body in enumerate(bodies[:-1])),
        (10, to_hex(bodies[-1])),
    ], seed


def test_a_missing_message_is_awaited_and_then_reported() -> None:
    channel, parts = written([b"reading %d" % n for n in range(6)], height=3)
    blocks = Blocks(parts[:2] + parts[3:])
    came = blocks.blocks[2].received_at
    assert texts(everything(blocks, channel.root(0), now_ms=came + GAP_MS - 1)) == ["reading 0", "reading 1"]
    items = everything(blocks, channel.root(0), now_ms=came + GAP_MS)
    assert texts(items) == ["reading 0", "reading 1", "gap", "reading 3", "reading 4", "reading 5"]
    assert items[2] == {"type": "gap", "first": 2, "last": 2}


def test_two_messages_with_one_index_are_reported_with_both_blocks() -> None:
    channel, parts = written([b"one", b"two"])
    _, others = written([b"one", b"other"])
    blocks = Blocks([*parts, others[1]])
    items = everything(blocks, channel.root(0))
    assert texts(items) == ["one", "two", "fork"]
    assert items[-1]["blockIds"] == [to_hex(blocks.blocks[1].block_id), to_hex(blocks.blocks[2].block_id)]


def test_a_flood_of_junk_is_read_in_bounded_steps() -> None:
    channel, parts = written([b"before", b"after"])
    junk = [(channel.root(0), b"junk %d" % n) for n in range(2_500)]
    blocks = Blocks([parts[0], *junk, parts[1]])
    walk, pages = blocks.walk(Place(channel.root(0))), 1
    found = walk.advance(len(blocks.blocks), 10)
    while found.more:
        pages += 1
        found = walk.advance(len(blocks.blocks), 10)
    assert pages == 3
    assert walk.skipped == {"not_a_message": 2_500}
    assert texts(everything(blocks, channel.root(0))) == ["before", "after"]


@pytest.mark.parametrize("text", ["", "x", f"{'a' * 64}.1", f"{'a' * 64}.1.{2**63}", f"{'g' * 64}.1.1", "a" * 64])
def test_a_position_that_no_answer_told_is_refused(text: str) -> None:
    with pytest.raises(BadParameter):
        read_place(text, "after")
    assert read_place(place_text(Place(SEED, None, 7)), "after") == Place(SEED, None, 7)


# Over HTTP


def publish(node: RunningNode, parts: list[tuple[bytes, bytes]]) -> list[str]:
    return [to_hex(node.attach(TaggedData(address, data))) for address, data in parts]


def test_pages_and_positions_over_http(node: RunningNode) -> None:
    channel, parts = written([b"reading %d" % n for n in range(5)], seed=b"p" * 32)
    ids = publish(node, parts[:4])
    path = f"/api/tangle/v1/mam/{to_hex(channel.root(0))}"
    whole = node.get(path)
    assert [item["blockIds"] for item in whole["items"]] == [[one] for one in ids]
    assert "next" not in whole
    first = node.get(path, pageSize=3)
    assert node.get(path, after=first["next"])["items"] == whole["items"][3:]
    publish(node, parts[4:])
    assert texts(node.get(path, after=whole["position"])["items"]) == ["reading 4"]
    empty = node.get(f"/api/tangle/v1/mam/0x{'00' * 32}")
    assert (empty["items"], empty["skipped"]) == ([], {})
    refused = node.http.get(path, params={"after": "nonsense"})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_parameter")


def messages(lines: Iterator[str], count: int) -> list[tuple[str, dict[str, Any]]]:
    """The next messages of a stream, with the last id told."""
    found: list[tuple[str, dict[str, Any]]] = []
    last, data = "", ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            last = value
        elif name == "data":
            data = value
        elif not line and data:
            found.append((last, orjson.loads(data)))
            data = ""
            if len(found) == count:
                break
    return found


def test_a_stream_brings_what_is_there_and_what_comes_and_resumes(node: RunningNode) -> None:
    channel, parts = written([b"reading %d" % n for n in range(6)], height=1, seed=b"s" * 32)
    publish(node, parts[:2])
    path = f"/api/tangle/v1/mam/{to_hex(channel.root(0))}/events"
    with node.http.stream("GET", path) as response:
        lines = response.iter_lines()
        found = messages(lines, 2)
        for one in parts[2:5]:
            publish(node, [one])
            found += messages(lines, 1)
    assert texts([item for _, item in found]) == [f"reading {n}" for n in range(5)]
    publish(node, parts[5:])
    with node.http.stream("GET", path, headers={"last-event-id": found[-1][0]}) as response:
        assert texts([item for _, item in messages(response.iter_lines(), 1)]) == ["reading 5"]
    with node.http.stream("GET", path, params={"after": found[2][0]}) as response:
        again = [item for _, item in messages(response.iter_lines(), 3)]
    assert texts(again) == ["reading 3", "reading 4", "reading 5"]


async def test_decoding_takes_turns() -> None:
    channel, parts = written([b"reading %d" % n for n in range(4)])
    blocks, decoding = Blocks(parts), Decoding(Blocks(parts).read, lambda: 0, 0)
    running = most = 0
    lock = threading.Lock()

    def read(address: bytes, after: int, upto: int) -> TaggedPage:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return blocks.read(address, after, upto)

    walks = [Walk(Place(channel.root(0)), read, lambda: 0) for _ in range(12)]
    waiting = [asyncio.ensure_future(decoding.advance(walk, 10, 10)) for walk in walks]
    found = await asyncio.gather(*waiting)
    assert [len(one.items) for one in found] == [4] * len(walks)
    assert most == DECODING
