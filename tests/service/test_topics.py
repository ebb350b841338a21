"""Topics: what is kept, what is forgotten, who is woken."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

import pytest

from tangle.api.frames import Frames
from tangle.api.tagged import frame, framed
from tangle.protocol import peek
from tangle.protocol.blocks import Block
from tangle.protocol.tagged_data import TaggedData
from tangle.service.feed import Feed
from tangle.service.topics import Topics
from tangle.store.events import SolidEvent
from tangle.store.queries import TaggedBlock


def a_block(number: int, tag: bytes, size: int = 10) -> TaggedBlock:
    block = Block((bytes(32),), TaggedData(tag, bytes(size)), 7)
    return TaggedBlock(number, number.to_bytes(32, "big"), tag, number, block.encoded)


class Journal:
    """Blocks that are read as the database would be, with counts of how often."""

    def __init__(self) -> None:
        self.blocks: list[TaggedBlock] = []
        self.fetched = 0

    def fetch(self, tags: Collection[bytes], after: int, last: int) -> tuple[Sequence[TaggedBlock], bool]:
        self.fetched += 1
        found = [one for one in self.blocks if one.tag in tags and after < one.number <= last]
        return found[:7], len(found) > 7

    def news(self, first: int, last: int, tags: Collection[bytes]) -> Sequence[TaggedBlock]:
        return [one for one in self.blocks if first <= one.number <= last and one.tag in tags]

    def commit(self, feed: Feed, tags: Sequence[bytes]) -> None:
        start = feed.last + 1
        self.blocks += [a_block(start + i, tag) for i, tag in enumerate(tags)]
        feed.publish([SolidEvent(start + i, b"") for i in range(len(tags))])


async def collect(
    topics: Topics, frames: Frames, chosen: Sequence[bytes], after: int, until: int, pause_s: float = 0
) -> bytes:
    text = b""
    async for seen, piece in topics.follow(chosen, after, silence_s=0.01):
        text += b"".join(framed(frames, piece))
        if seen >= until:
            break
        await asyncio.sleep(pause_s)
    return text


@pytest.mark.parametrize("kept", [500, 5_000, 16 * 2**20])
async def test_listeners_of_every_speed_get_the_same(kept: int) -> None:
    journal, feed = Journal(), Feed(0, 10, lambda _after, _limit, _types: [])
    topics, frames = Topics(feed, journal.fetch, journal.news, kept), Frames(kept)
    running = asyncio.create_task(topics.run())
    every = (b"a", b"b", b"c")
    journal.commit(feed, every * 10)
    reading = [
        asyncio.create_task(collect(topics, frames, chosen, after, 600, pause_s))
        for chosen in ((b"a",), (b"a", b"b"), every)
        for after in (0, 13)
        for pause_s in (0, 0.002, 0.05)
    ]
    while feed.last < 600:
        journal.commit(feed, (every * 10)[: 600 - feed.last])
        await asyncio.sleep(0.001)
    async with asyncio.timeout(60):
        texts = await asyncio.gather(*reading)
    feed.close()
    await running
    expected = [
        b"".join(frame(one) for one in journal.blocks if one.tag in chosen and one.number > after)
        for chosen in ((b"a",), (b"a", b"b"), every)
        for after in (0, 13)
        for _ in range(3)
    ]
    assert texts == expected


async def test_only_those_who_follow_the_tag_are_woken_and_nothing_is_read_for_nobody() -> None:
    journal, feed = Journal(), Feed(0, 10, lambda _after, _limit, _types: [])
    topics = Topics(feed, journal.fetch, journal.news)
    running = asyncio.create_task(topics.run())
    journal.commit(feed, [b"a"] * 5)
    await asyncio.sleep(0.02)
    followed = topics.follow([b"b"], feed.last, silence_s=0.2)
    waiting = asyncio.ensure_future(anext(followed))
    await asyncio.sleep(0.02)
    journal.commit(feed, [b"a"] * 5)
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert await waiting == (5, ())
    journal.commit(feed, [b"b"])
    while not (told := await anext(followed))[1]:
        pass
    assert told == (11, [journal.blocks[-1]])
    assert journal.fetched == 0
    feed.close()
    await running
    assert [piece async for piece in followed] == []


def test_the_data_of_a_block_is_found_without_decoding_it() -> None:
    for parents in (1, 8):
        for tag in (b"", b"t" * 64):
            for data in (b"", b"d" * 30_000):
                block = Block(tuple(bytes([i]) * 32 for i in range(parents)), TaggedData(tag, data), 1)
                assert peek.tagged_data(block.encoded) == data
