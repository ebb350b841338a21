"""Live data by tag: what lies under some tags, for thousands of listeners at a time.

A listener is nothing but the number of the last event it was given and the tags it follows. After each commit one
task reads once which of the new blocks lie under a tag that somebody follows, keeps them for a while and wakes
those who follow that tag and nobody else. A listener that is behind what is kept reads from the database. So the
writer never waits for a listener, a block is read once however many listen, and a slow listener costs one piece of
`PIECE_BYTES`.

Serving many takes the event loop's time. Listeners are therefore woken a few at a time, with a rest in proportion
(`REST_PER_WOKEN_S`): they take at most about a third of the loop whatever the rate of blocks, and no request waits
for more than a few of them. What comes meanwhile goes out together in the next round.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain

from tangle.service.feed import SILENCE_S, Feed
from tangle.store.queries import TaggedBlock

PIECE_BYTES = 131_072
"""bytes of encoded blocks in one piece, but for a single longer one"""
PIECE = 500
"""blocks in one piece"""
KEPT_BYTES = 16 * 2**20
"""bytes of encoded blocks kept for all tags together"""
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


@dataclass(slots=True, eq=False)
class _Listener:
    news: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class _Topic:
    """A tag that somebody follows: the blocks kept, all above number `kept_after`."""

    kept_after: int
    listeners: set[_Listener] = field(default_factory=set)
    numbers: list[int] = field(default_factory=list)
    blocks: list[TaggedBlock] = field(default_factory=list)

    def forget(self, number: int) -> None:
        """Drop what is kept up to `number`."""
        excess = bisect_right(self.numbers, number)
        del self.numbers[:excess], self.blocks[:excess]
        self.kept_after = max(self.kept_after, number)

    def above(self, after: int) -> list[TaggedBlock]:
        """The blocks kept above `after`, as far as a piece can need them."""
        first = bisect_right(self.numbers, after)
        size = 0
        for end in range(first, len(self.blocks)):
            size += len(self.blocks[end].data)
            if size > PIECE_BYTES:
                return self.blocks[first : end + 1]
        return self.blocks[first:]


class Topics:
    """Whoever follows tags, and what was lately written under them. Belongs to the event loop's thread.

    Parameters
    ----------
    feed : tells when there is something new
    fetch, news : read from the database; called on other threads
    kept_bytes : of encoded blocks, for all tags together
    """

    def __init__(self, feed: Feed, fetch: Fetch, news: News, kept_bytes: int = KEPT_BYTES) -> None:
        self._feed = feed
        self._kept_bytes = kept_bytes
        self._fetch = fetch
        self._read_news = news
        self._topics: dict[bytes, _Topic] = {}
        self._seen = feed.last
        self._reading_to = feed.last
        # Blocks up to this number are old; when half of what is kept has come behind it, they go.
        self._old_until = feed.last
        self._young_bytes = 0
        self._readers = asyncio.Semaphore(READERS)

    async def run(self) -> None:
        """Spread what commits bring, until the feed closes."""
        async for last in self._feed.moves():
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
        waiting: set[_Listener] = set()
        for block in await asyncio.to_thread(self._read_news, first, self._reading_to, tags):
            topic = self._topics.get(block.tag)
            if topic is not None and block.number > topic.kept_after:
                topic.numbers.append(block.number)
                topic.blocks.append(block)
                self._young_bytes += len(block.data)
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
        self, tags: Collection[bytes], after: int, *, silence_s: float = SILENCE_S
    ) -> AsyncGenerator[tuple[int, Sequence[TaggedBlock]], None]:
        """Pieces of the blocks above `after`, for ever, each with the number up to which nothing is missing.

        An empty piece stands for `silence_s` of silence.
        """
        with self._listening(tuple(dict.fromkeys(tags))) as (listener, topics):
            while not self._feed.closed:
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
                    await asyncio.wait_for(listener.news.wait(), silence_s)
                except TimeoutError:
                    yield after, ()

    async def _older(self, tags: Collection[bytes], after: int, last: int) -> tuple[Sequence[TaggedBlock], int]:
        """From the database, which holds all up to `last`, the number up to which blocks are forgotten."""
        async with self._readers:
            blocks, more = await asyncio.to_thread(self._fetch, tags, after, last)
        return blocks, blocks[-1].number if more else last

    def _recent(self, topics: list[_Topic], after: int) -> tuple[Sequence[TaggedBlock], int]:
        """From what is kept; up to `_seen` everything is there."""
        piece: list[TaggedBlock] = []
        size = 0
        for block in sorted(chain.from_iterable(topic.above(after) for topic in topics), key=_number):
            size += len(block.data)
            if piece and size > PIECE_BYTES:
                return piece, piece[-1].number
            piece.append(block)
        return piece, self._seen


def _number(block: TaggedBlock) -> int:
    return block.number
