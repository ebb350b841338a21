"""The event stream: what `tangle.service.feed` tells, as server-sent events.

A subscriber that takes nothing for `stalled_s` is disconnected and can go on later with ``?after=`` or
``Last-Event-ID``. Source of the format: HTML Living Standard, section 9.2.

A reader that draws the Tangle asks for details: what a block approves, what it carries and when it came. Events
stay as small as they are; the details of a piece come with one query by number, and pieces are gathered for
`DETAILS_PAUSE_S`, so that a page under load costs some 20 queries a second and not one per commit.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, nullcontext
from functools import partial
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tangle.api import problems
from tangle.api.clients import client_behind
from tangle.api.frames import Frames
from tangle.api.schemas import PayloadKind
from tangle.errors import TangleError
from tangle.protocol import peek
from tangle.protocol.milestones import Milestone
from tangle.protocol.serial import to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction
from tangle.service.errors import TooManyStreams
from tangle.service.feed import PIECE
from tangle.service.running import Service
from tangle.store import queries
from tangle.store.events import (
    EVENT_TYPES,
    CrossingEvent,
    Event,
    ReferencedEvent,
    SolidEvent,
)
from tangle.store.journal import Inclusion
from tangle.store.queries import BlockHead

log = logging.getLogger("tangle.api")

DETAILS_PAUSE_S = 0.05
"""seconds between two pieces with details, unless a piece is full: whoever is behind is not held up"""
PAUSE_PER_FOLLOWER_S = 0.000_4
"""seconds of pause for each stream that is open: serving one takes about a quarter of that, so that however many
follow, all of them together leave most of the event loop to requests"""
HEADERS = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}
"""no proxy may keep a stream, compress it or gather it first; nginx does the last unless it is told"""
STORE_HEADER = "store-id"
"""names the journal whose numbers the stream tells"""
SILENCE = b":\n\n"
"""a comment, so that neither side takes the other for dead"""
TYPES: dict[str, type[Event]] = {kind.TYPE: kind for kind in EVENT_TYPES}
INCLUSION = {
    Inclusion.NO_TRANSACTION: "noTransaction",
    Inclusion.INCLUDED: "included",
    Inclusion.CONFLICTING: "conflicting",
}
"""names of TIP-25, `ledgerInclusionState`"""

KINDS: dict[int | None, PayloadKind] = {
    None: "none",
    TaggedData.TYPE: "taggedData",
    Transaction.TYPE: "transaction",
    Milestone.TYPE: "milestone",
}
"""what a block carries, by the type number of its payload"""


def head_json(head: BlockHead) -> dict[str, Any]:
    """The details of a solid event; `milestoneIndex` only where the block carries an applied milestone."""
    json = {
        "parents": [to_hex(parent) for parent in peek.parents(head.data)],
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


class Streaming(Response):
    """Sends pieces until they end or the subscriber leaves. Who takes nothing is cut off by its connection.

    Parameters
    ----------
    service : its feed counts the subscriber while it is served
    """

    OPENING = b": events\nretry: 1000\n\n"
    """sent at once: lets proxies and browsers see the stream open before the first event"""

    def __init__(self, service: Service) -> None:
        super().__init__(media_type="text/event-stream", headers={**HEADERS, STORE_HEADER: service.store_id})
        self.service = service

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """What is sent, piece by piece."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one subscriber, or say that there is no place for it."""
        feed, seats = self.service.feed, scope["app"].state.seats
        try:
            if feed.followers >= self.service.settings.event_subscribers_max:
                raise TooManyStreams("too many event streams are open")
            with seats.taken(client_behind(scope)):
                await self._serve(receive, send)
        except TangleError as error:
            await problems.answer(problems.path_of(scope), error)(scope, receive, send)

    async def _serve(self, receive: Receive, send: Send) -> None:
        self.service.feed.followers += 1
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and sending.exception() is not None:
                log.error("an event stream failed", exc_info=sending.exception())
        finally:
            self.service.feed.followers -= 1
            leaving.cancel()
            sending.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        headers = [header for header in self.raw_headers if header[0] != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.OPENING, "more_body": True})
        async with aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class Told:
    """Messages about events, for all who follow: plain ones, and with the details of solid blocks.

    The details of what is new are read by one follower, while the others who want them wait for it.
    """

    def __init__(self) -> None:
        self._plain = Frames()
        self._detailed = Frames()
        self._reading = asyncio.Lock()

    def plain(self, piece: Sequence[Event]) -> bytes:
        """The messages of some events."""
        return b"".join(self._plain.of(event.number, partial(frame, event)) for event in piece)

    async def detailed(self, service: Service, piece: Sequence[Event]) -> bytes:
        """The messages of some events with details."""
        numbers = [event.number for event in piece if isinstance(event, SolidEvent)]
        if not numbers:
            return self.plain(piece)
        # What is old is read by each for itself: those who read it are at many places.
        async with self._reading if numbers[0] > service.feed.last - PIECE else nullcontext():
            kept = {number: text for number in numbers if (text := self._detailed.get(number)) is not None}
            missing = [number for number in numbers if number not in kept]
            heads: Mapping[int, BlockHead] = {}
            if missing:
                heads = await asyncio.to_thread(_heads, service, missing[0], missing[-1])
        return b"".join(
            kept.get(event.number)
            or self._detailed.of(event.number, partial(frame, event, heads.get(event.number)))
            for event in piece
        )


def _heads(service: Service, first: int, last: int) -> Mapping[int, BlockHead]:
    with service.connect() as connection:
        return queries.block_heads(connection, first, last)


class EventStream(Streaming):
    """Sends what the feed tells; `details` with what is known of solid blocks."""

    def __init__(
        self, service: Service, told: Told, after: int, types: Sequence[type[Event]], *, details: bool
    ) -> None:
        super().__init__(service)
        self.told = told
        self.after = after
        self.types = types
        self.details = details

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Frames, and comments in silence."""
        least_s = DETAILS_PAUSE_S if self.details else 0
        async for piece in self.service.feed.follow(self.after, self.types):
            yield await self._frames(piece) or SILENCE
            if len(piece) < PIECE:
                await asyncio.sleep(max(least_s, PAUSE_PER_FOLLOWER_S * self.service.feed.followers))

    async def _frames(self, piece: Sequence[Event]) -> bytes:
        return await self.told.detailed(self.service, piece) if self.details else self.told.plain(piece)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
