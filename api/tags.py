"""Live data by tag: what lies under some tags, as server-sent events, for thousands of listeners at a time.

A listener is nothing but the number of the last event it was sent and the tags it follows. After each commit one
task reads once which of the new blocks lie under a tag that somebody follows, makes one frame of each, keeps it
for a while and wakes those who follow that tag and nobody else. Whoever is behind what is kept reads from the
database. So the writer never waits for a listener, a block costs one frame however many listen, and a slow
listener costs one piece of `PIECE_BYTES` until it is disconnected; it goes on later with ``?after=`` or
``Last-Event-ID``, for every frame carries its number and so do the opening and the comments in silence.

Serving many takes the event loop's time. Listeners are therefore woken a few at a time, with a rest in proportion
(`REST_PER_WOKEN_S`): they take at most about a third of the loop whatever the rate of blocks, and no request waits
for more than a few of them. What comes meanwhile goes out together in the next round.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import orjson

from tangle.api.stream import HEARTBEAT_S, Hub, Streaming
from tangle.protocol.serial import to_hex
from tangle.store.queries import TaggedBlock

PIECE_BYTES = 131_072
"""bytes of encoded blocks, or of frames, in one piece, but for a single longer one"""
PIECE = 500
"""blocks in one piece"""
KEPT_BYTES = 16 * 2**20
"""bytes of frames kept for all tags together"""
READERS = 2
"""listeners for whom the database is read at the same time; others wait and requests do not"""
ROUND = 256
"""event numbers looked at in one round, so that a flood is never in memory at once (32 KiB per block at most)"""
WOKEN = 25
"""listeners woken at once"""
REST_PER_WOKEN_S = 0.000_2
"""seconds of rest per listener woken; serving one takes about half of that"""

Fetch = Callable[[Collection[bytes], int, int], tuple[Sequence[TaggedBlock], bool]]
"""(tags, after, last) -> a piece of the blocks with numbers above `after` up to `last`, and whether more follow"""
News = Callable[[int, int, Collection[bytes]], Sequence[TaggedBlock]]
"""(first, last, tags) -> all blocks under these tags with numbers from `first` to `last`"""


def tagged_data(block: bytes) -> bytes:
    """The data of an encoded block that carries tagged data, without decoding the rest (TIP-23, TIP-24)."""
    at = 2 + 32 * block[1] + 4 + 4
    at += 1 + block[at]
    return block[at + 4 : at + 4 + int.from_bytes(block[at : at + 4], "little")]


def block_json(one: TaggedBlock) -> dict[str, Any]:
    """A block under a tag with its data."""
    return {
        "number": one.number,
        "blockId": to_hex(one.block_id),
        "receivedMs": one.received_at,
        "data": to_hex(tagged_data(one.data)),
    }


def frame(one: TaggedBlock) -> bytes:
    """One message of the stream."""
    json = orjson.dumps({**block_json(one), "tag": to_hex(one.tag)})
    return b"id: %d\nevent: block\ndata: %s\n\n" % (one.number, json)


@dataclass(slots=True, eq=False)
class _Listener:
    news: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class _Topic:
    """A tag that somebody follows: the frames kept, all above number `kept_after`."""

    kept_after: int
    listeners: set[_Listener] = field(default_factory=set)
    numbers: list[int] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)

    def forget(self, number: int) -> None:
        """Drop what is kept up to `number`."""
        excess = bisect_right(self.numbers, number)
        del self.numbers[:excess], self.frames[:excess]
        self.kept_after = max(self.kept_after, number)

    def above(self, after: int) -> list[tuple[int, bytes]]:
        """The frames kept above `after`, as far as a piece can need them."""
        found: list[tuple[int, bytes]] = []
        size = 0
        for i in range(bisect_right(self.numbers, after), len(self.numbers)):
            found.append((self.numbers[i], self.frames[i]))
            size += len(self.frames[i])
            if size > PIECE_BYTES:
                break
        return found


class Tags:
    """Whoever follows tags, and what was lately written under them. Belongs to the event loop's thread.

    Parameters
    ----------
    hub : tells when there is something new
    fetch, news : read from the database; called on other threads
    kept_bytes : of frames, for all tags together
    """

    def __init__(self, hub: Hub, fetch: Fetch, news: News, kept_bytes: int = KEPT_BYTES) -> None:
        self._hub = hub
        self._kept_bytes = kept_bytes
        self._fetch = fetch
        self._read_news = news
        self._topics: dict[bytes, _Topic] = {}
        self._seen = hub.last
        self._reading_to = hub.last
        # Frames up to this number are old; when half of what is kept has come behind it, they go.
        self._old_until = hub.last
        self._young_bytes = 0
        self._readers = asyncio.Semaphore(READERS)

    async def run(self) -> None:
        """Spread what commits bring, until the hub closes."""
        async for last in self._hub.moves():
            while self._seen < last:
                waiting = await self._round(last)
                for start in range(0, len(waiting), WOKEN):
                    part = waiting[start : start + WOKEN]
                    self._wake(part)
                    await asyncio.sleep(REST_PER_WOKEN_S * len(part))
        self._wake([listener for topic in self._topics.values() for listener in topic.listeners])

    async def _round(self, last: int) -> list[_Listener]:
        """Read on, at most to `last`; returns whom this concerns."""
        if not self._topics:
            self._seen = self._reading_to = last
            return []
        first, self._reading_to = self._seen + 1, min(last, self._seen + ROUND)
        tags = frozenset(self._topics)
        framed = await asyncio.to_thread(self._framed, first, self._reading_to, tags)
        waiting: set[_Listener] = set()
        for number, tag, text in framed:
            topic = self._topics.get(tag)
            if topic is not None and number > topic.kept_after:
                topic.numbers.append(number)
                topic.frames.append(text)
                self._young_bytes += len(text)
                waiting |= topic.listeners
        self._seen = self._reading_to
        self._forget()
        return list(waiting)

    def _wake(self, listeners: Iterable[_Listener]) -> None:
        for listener in listeners:
            listener.news.set()

    def _forget(self) -> None:
        if self._young_bytes > self._kept_bytes // 2:
            for topic in self._topics.values():
                topic.forget(self._old_until)
            self._old_until, self._young_bytes = self._seen, 0

    def _framed(self, first: int, last: int, tags: Collection[bytes]) -> list[tuple[int, bytes, bytes]]:
        return [(one.number, one.tag, frame(one)) for one in self._read_news(first, last, tags)]

    @contextmanager
    def _listening(self, tags: Collection[bytes]) -> Iterator[tuple[_Listener, list[_Topic]]]:
        """A listener in all its topics; a topic begins with the first and ends with the last one."""
        listener = _Listener()
        # What a round under way reads does not look at tags that come now; it is read from the database.
        topics = [self._topics.setdefault(tag, _Topic(self._reading_to)) for tag in tags]
        for topic in topics:
            topic.listeners.add(listener)
        try:
            yield listener, topics
        finally:
            for tag, topic in zip(tags, topics, strict=True):
                topic.listeners.discard(listener)
                if not topic.listeners and self._topics.get(tag) is topic:
                    del self._topics[tag]

    async def follow(
        self, tags: Collection[bytes], after: int, *, heartbeat_s: float = HEARTBEAT_S
    ) -> AsyncGenerator[tuple[int, bytes], None]:
        """Pieces of the frames above `after`, for ever, each with the number up to which nothing is missing.

        An empty piece stands for `heartbeat_s` of silence.
        """
        with self._listening(tuple(dict.fromkeys(tags))) as (listener, topics):
            while not self._hub.closed:
                listener.news.clear()
                forgotten = max(topic.kept_after for topic in topics)
                if after < forgotten:
                    piece, seen = await self._older(tags, after, forgotten)
                else:
                    piece, seen = self._recent(topics, after)
                moved, after = seen > after, max(seen, after)
                if piece:
                    yield after, piece
                if moved:
                    continue
                try:
                    await asyncio.wait_for(listener.news.wait(), heartbeat_s)
                except TimeoutError:
                    yield after, b""

    async def _older(self, tags: Collection[bytes], after: int, last: int) -> tuple[bytes, int]:
        """From the database, which holds all up to `last`, the number up to which frames are forgotten."""

        def read() -> tuple[bytes, int]:
            blocks, more = self._fetch(tags, after, last)
            return b"".join(map(frame, blocks)), blocks[-1].number if more else last

        async with self._readers:
            return await asyncio.to_thread(read)

    def _recent(self, topics: list[_Topic], after: int) -> tuple[bytes, int]:
        """From what is kept; up to `_seen` everything is there."""
        piece: list[bytes] = []
        size, seen = 0, after
        for number, text in sorted(chain.from_iterable(topic.above(after) for topic in topics)):
            size += len(text)
            if piece and size > PIECE_BYTES:
                return b"".join(piece), seen
            piece.append(text)
            seen = number
        return b"".join(piece), self._seen


class TagStream(Streaming):
    """Sends what lies under some tags."""

    def __init__(self, hub: Hub, tags: Tags, chosen: Sequence[bytes], after: int) -> None:
        super().__init__(hub)
        self.tags = tags
        self.chosen = chosen
        self.after = after

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Frames; an id alone, which moves the position on, at the beginning and in silence."""
        yield b"id: %d\n\n" % self.after
        async with aclosing(self.tags.follow(self.chosen, self.after)) as pieces:
            async for seen, piece in pieces:
                yield piece or b"id: %d\n\n" % seen
