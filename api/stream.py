"""The event stream: what happens, as server-sent events, without a loss and without a repeat.

Every event has a number from one counter. A subscriber is nothing but the number of the last event it was sent:
it pulls what follows from a ring in memory, and from the database what the ring has forgotten already. The
writer never waits for a subscriber, and a slow one costs no memory; one that takes nothing for `STALLED_S` is
disconnected and can go on later with ``?after=`` or ``Last-Event-ID``. Source of the format: HTML Living
Standard, section 9.2.

A reader that draws the Tangle asks for details: what a block approves, what it carries and when it came. Events
stay as small as they are; the details of a piece come with one query by number, and pieces are gathered for
`DETAILS_PAUSE_S`, so that a page under load costs some 20 queries a second and not one per commit.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tangle.protocol.milestones import Milestone
from tangle.protocol.serial import to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction
from tangle.store.events import (
    EVENT_TYPES,
    CrossingEvent,
    Event,
    ReferencedEvent,
    SolidEvent,
)
from tangle.store.journal import Inclusion
from tangle.store.queries import BlockHead

HEARTBEAT_S = 15.0
"""seconds of silence after which a comment is sent; readers take three times as long for a dead stream"""
STALLED_S = 30.0
"""seconds that one piece may take to be sent"""
PIECE = 500
"""events sent, or read from the database, at once"""
DETAILS_PAUSE_S = 0.05
"""seconds between two pieces with details, unless a piece is full: whoever is behind is not held up"""
SILENCE = b":\n\n"
"""a comment, so that neither side takes the other for dead"""
TYPES: dict[str, type[Event]] = {kind.TYPE: kind for kind in EVENT_TYPES}
INCLUSION = {
    Inclusion.NO_TRANSACTION: "noTransaction",
    Inclusion.INCLUDED: "included",
    Inclusion.CONFLICTING: "conflicting",
}
"""names of TIP-25, `ledgerInclusionState`"""

Fetch = Callable[[int, int, Sequence[type[Event]]], list[Event]]
"""(after, limit, types) -> events from the database"""
Heads = Callable[[int, int], Mapping[int, BlockHead]]
"""(first, last) -> heads of the blocks with these numbers, from the database"""

KINDS = {
    None: "none",
    TaggedData.TYPE: "taggedData",
    Transaction.TYPE: "transaction",
    Milestone.TYPE: "milestone",
}
"""what a block carries, by the type number of its payload"""


def parents_of(data: bytes) -> list[str]:
    """The parents of an encoded block, without decoding the rest (TIP-24)."""
    return [to_hex(data[2 + 32 * i : 34 + 32 * i]) for i in range(data[1])]


def head_json(head: BlockHead) -> dict[str, Any]:
    """The details of a solid event; `milestoneIndex` only where the block carries an applied milestone."""
    json = {
        "parents": parents_of(head.data),
        "payload": KINDS[head.payload_type],
        "receivedMs": head.received_at,
    }
    return json if head.milestone_index is None else {**json, "milestoneIndex": head.milestone_index}


def event_json(event: Event) -> dict[str, Any]:
    """The JSON form of an event."""
    if isinstance(event, SolidEvent):
        return {"number": event.number, "type": event.TYPE, "blockId": to_hex(event.block_id)}
    if isinstance(event, ReferencedEvent):
        json = {
            "number": event.number,
            "type": event.TYPE,
            "blockId": to_hex(event.block_id),
            "milestoneIndex": event.milestone_index,
            "ledgerInclusionState": INCLUSION[Inclusion(event.inclusion)],
        }
        return json if event.conflict_reason is None else {**json, "conflictReason": event.conflict_reason}
    if isinstance(event, CrossingEvent):
        return {
            "number": event.number,
            "type": event.TYPE,
            "blockId": to_hex(event.block_id),
            "threshold": event.threshold_permille / 1000,
            "m": event.hits,
            "n": event.walks,
        }
    return {
        "number": event.number,
        "type": event.TYPE,
        "index": event.index,
        "milestoneId": to_hex(event.milestone_id),
        "timestamp": event.timestamp,
    }


def frame(event: Event, head: BlockHead | None = None) -> bytes:
    """One message of the stream; `head` adds the details of a solid event."""
    json = event_json(event)
    if head is not None:
        json |= head_json(head)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.number, event.TYPE.encode(), orjson.dumps(json))


class Hub:
    """Recent events, and whoever waits for more. Belongs to the event loop's thread.

    Parameters
    ----------
    last : number of the newest event there is
    ring : events kept
    fetch : reads older ones; called on another thread
    stalled_s : seconds that one piece may take to be sent to a subscriber, before it is disconnected
    """

    def __init__(self, last: int, ring: int, fetch: Fetch, *, stalled_s: float = STALLED_S) -> None:
        self.last = last
        self.stalled_s = stalled_s
        self.subscribers = 0
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
        """End all streams; the service stops."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def moves(self) -> AsyncIterator[int]:
        """The number of the newest event, now and whenever it has grown, until the hub closes."""
        told = -1
        while not self.closed:
            news = self._news
            if self.last == told:
                await news.wait()
                continue
            told = self.last
            yield told

    async def follow(
        self, after: int, types: Sequence[type[Event]], *, heartbeat_s: float = HEARTBEAT_S
    ) -> AsyncIterator[list[Event]]:
        """Pieces of the events above `after`, for ever; an empty piece stands for `heartbeat_s` of silence."""
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
                await asyncio.wait_for(news.wait(), heartbeat_s)
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


class Streaming(Response):
    """Sends pieces until they end, the subscriber leaves, or it takes too long for one.

    Parameters
    ----------
    hub : counts the subscriber while it is served
    """

    OPENING = b": events\nretry: 1000\n\n"
    """sent at once: lets proxies and browsers see the stream open before the first event"""

    def __init__(self, hub: Hub) -> None:
        super().__init__(media_type="text/event-stream", headers={"cache-control": "no-store"})
        self.hub = hub

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """What is sent, piece by piece."""
        raise NotImplementedError

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one subscriber."""
        self.hub.subscribers += 1
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.hub.subscribers -= 1
            leaving.cancel()
            sending.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        headers = [header for header in self.raw_headers if header[0] != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._write(send, self.OPENING)
        async with aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                await self._write(send, piece)
        await send({"type": "http.response.body", "body": b""})

    async def _write(self, send: Send, body: bytes) -> None:
        async with asyncio.timeout(self.hub.stalled_s):
            await send({"type": "http.response.body", "body": body, "more_body": True})


class EventStream(Streaming):
    """Sends the hub's events.

    Parameters
    ----------
    heads : reads the details of solid events, on another thread; None sends them without
    """

    def __init__(self, hub: Hub, after: int, types: Sequence[type[Event]], heads: Heads | None = None) -> None:
        super().__init__(hub)
        self.after = after
        self.types = types
        self.heads = heads

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Frames, and comments in silence."""
        async for piece in self.hub.follow(self.after, self.types):
            yield await self._frames(piece) or SILENCE
            if self.heads is not None and len(piece) < PIECE:
                await asyncio.sleep(DETAILS_PAUSE_S)

    async def _frames(self, piece: Sequence[Event]) -> bytes:
        heads: Mapping[int, BlockHead] = {}
        numbers = [event.number for event in piece if isinstance(event, SolidEvent)]
        if self.heads is not None and numbers:
            heads = await asyncio.to_thread(self.heads, numbers[0], numbers[-1])
        return b"".join(frame(event, heads.get(event.number)) for event in piece)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
