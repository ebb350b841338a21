"""What happened: events numbered by one counter, for whoever follows, without a loss and without a repeat.

A follower is nothing but the number of the last event it was given: it pulls what comes after it from a ring in
memory, and from the database what the ring has forgotten already. The writer never waits for a follower, and a
slow one costs no memory. Transports (server-sent events today) make of the events what they send.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence

from tangle.store.events import Event

SILENCE_S = 15.0
"""seconds without an event after which a follower is given an empty piece"""
PIECE = 500
"""events in one piece"""

Fetch = Callable[[int, int, Sequence[type[Event]]], list[Event]]
"""(after, limit, types) -> events from the database"""


class Feed:
    """Recent events, and the way to follow them. Belongs to the event loop's thread.

    Parameters
    ----------
    last : number of the newest event there is
    ring : events kept
    fetch : reads older ones; called on another thread

    Attributes
    ----------
    followers : how many are counted by those who serve them
    """

    def __init__(self, last: int, ring: int, fetch: Fetch) -> None:
        self.last = last
        self.followers = 0
        self.closed = False
        self._ring = ring
        self._fetch = fetch
        self._kept_after = last
        self._numbers: list[int] = []
        self._events: list[Event] = []
        self._news = asyncio.Event()

    def publish(self, events: Sequence[Event]) -> None:
        """Take what one commit added, in order of number."""
        self._numbers.extend(event.number for event in events)
        self._events.extend(events)
        if len(self._events) >= 2 * self._ring:
            excess = len(self._events) - self._ring
            self._kept_after = self._numbers[excess - 1]
            del self._numbers[:excess], self._events[:excess]
        if events:
            self.last = events[-1].number
        self._wake()

    def close(self) -> None:
        """End what all followers are given; the service stops."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def moves(self) -> AsyncIterator[int]:
        """The number of the newest event, now and whenever it has grown, until the feed closes."""
        told = -1
        while not self.closed:
            news = self._news
            if self.last == told:
                await news.wait()
                continue
            told = self.last
            yield told

    async def follow(
        self, after: int, types: Sequence[type[Event]], *, silence_s: float = SILENCE_S
    ) -> AsyncIterator[list[Event]]:
        """Pieces of the events above `after`, for ever; an empty piece stands for `silence_s` of silence."""
        wanted = tuple(types)
        while not self.closed:
            news = self._news
            if after < self._kept_after:
                piece, seen = await self._older(after, wanted)
            else:
                piece, seen = self._recent(after, wanted)
            if piece:
                yield piece
            moved, after = seen > after, seen
            if moved:
                continue
            try:
                await asyncio.wait_for(news.wait(), silence_s)
            except TimeoutError:
                yield []

    def _recent(self, after: int, wanted: tuple[type[Event], ...]) -> tuple[list[Event], int]:
        """Events above `after` in the ring, and the number up to which nothing is missing."""
        start = bisect_right(self._numbers, after)
        piece = self._events[start : start + PIECE]
        seen = piece[-1].number if piece else after
        return [event for event in piece if isinstance(event, wanted)], seen

    async def _older(self, after: int, wanted: tuple[type[Event], ...]) -> tuple[list[Event], int]:
        """The same from the database, which holds at least what the ring had forgotten before the question."""
        forgotten = self._kept_after
        piece = await asyncio.to_thread(self._fetch, after, PIECE, wanted)
        newest = piece[-1].number if piece else after
        return piece, newest if len(piece) == PIECE else max(newest, forgotten)
