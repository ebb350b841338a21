"""Public channels, decoded: a walk along a channel over the blocks that this node has, resumable anywhere.

A walk is a reader (`mam.Reader`) and how far each of its addresses was read. It reads the address of the current
tree to its end before it looks at the next one's, so that after a pause little is read twice. Its position is a
text with all that is needed to go on: the root of the current tree, the index awaited and the event number behind
which nothing that matters was read. Parts that wait for others hold that number back.

What each call takes is bounded in blocks, and a walk always gets on: junk under an address costs its reading, and
a message whose parts lie further apart than `APART_MAX` blocks is given up like a missing one. Only public
channels can be read so: for the others the node would have to be given a key.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson

from tangle import mam
from tangle.api.problems import BadParameter
from tangle.api.stream import SILENCE, Hub, Streaming
from tangle.api.tags import Tags, tagged_data
from tangle.protocol.serial import to_hex
from tangle.store.queries import TaggedBlock, TaggedPage

READ = 200
"""blocks read from the database at once"""
BLOCKS_MAX = 1_000
"""blocks taken by one call while nothing waits for other parts"""
APART_MAX = 20_000
"""blocks taken by one call in any case"""
BODIES_BYTES_MAX = 2 * 2**20
"""bytes of bodies after which a page ends"""
GAP_MS = 10_000
"""milliseconds that a missing message is awaited once a later one is whole"""
LOOK_S = 5.0
"""seconds of silence after which a stream looks whether a gap has become due"""
STREAMS_MAX = 100
"""decoded streams at the same time; data by tag is there for more"""
DECODING = 2
"""requests and streams that decode at the same time; it is work for a core, and others want to be answered too"""
WAITING_MAX = 100
"""requests that may wait for their turn"""
_PLACE = re.compile(r"(?:0x)?([0-9a-f]{64})\.(\d{0,19})\.(\d{1,19})")
_NUMBER_MAX = 2**63 - 1

Read = Callable[[bytes, int, int], TaggedPage]
"""(address, after, upto) -> at most `READ` blocks under the address with numbers above `after` up to `upto`"""


@dataclass(frozen=True)
class Place:
    """Where a walk stands; `index` is None before the first message."""

    root: bytes
    index: int | None = None
    number: int = 0

    def __str__(self) -> str:
        return f"{self.root.hex()}.{'' if self.index is None else self.index}.{self.number}"

    @classmethod
    def parse(cls, text: str, field: str) -> Place:
        """The place that a text names. Raises BadParameter."""
        found = _PLACE.fullmatch(text)
        if found is None or any(int(number or 0) > _NUMBER_MAX for number in found.groups()[1:]):
            raise BadParameter(f"{field}: must be a position that this node has told", field)
        return cls(bytes.fromhex(found[1]), int(found[2]) if found[2] else None, int(found[3]))


@dataclass(frozen=True)
class Found:
    """What a call of `Walk.advance` found; `more` when it stopped before the end."""

    items: list[dict[str, Any]]
    more: bool


class Walk:
    """A walk along a public channel.

    Parameters
    ----------
    place : where it begins
    read : reads blocks
    clock_ms : milliseconds since the Unix epoch, to give up what is missing

    Attributes
    ----------
    skipped : how often what was skipped, by the code of why
    """

    def __init__(self, place: Place, read: Read, clock_ms: Callable[[], float]) -> None:
        self.skipped: Counter[str] = Counter()
        self._reader = mam.Reader(mam.Access(mam.Mode.PUBLIC, place.root), place.index)
        self._root = place.root
        self._read = read
        self._clock_ms = clock_ms
        self._numbers = {place.root: place.number}
        self._pending: dict[bytes, int] = {}
        self._received: dict[bytes, int] = {}
        self._missing_since_ms: int | None = None

    @property
    def place(self) -> Place:
        """Where to go on; what was found so far is neither missed nor repeated from there."""
        access = self._reader.access
        assert access is not None
        number = min(self._pending.values(), default=self._numbers.get(access.address, 0) + 1) - 1
        return Place(access.root, self._reader.index, number)

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """Where something new can appear."""
        return self._reader.addresses

    def advance(self, upto: int, items_max: int) -> Found:
        """Go on until the event number `upto`, or until enough was found."""
        items: list[dict[str, Any]] = []
        taken = size = 0
        while (address := self._unread(upto)) is not None:
            page = self._read(address, self._numbers.get(address, 0), upto)
            for block in page.blocks:
                found = self._take(address, block)
                items += found
                taken += 1
                size += sum(item.pop("bytes", 0) for item in found)
                full = len(items) >= items_max or size >= BODIES_BYTES_MAX
                if full or taken >= (APART_MAX if self._pending else BLOCKS_MAX):
                    self._give_up_parts(taken)
                    return Found(items, more=True)
            if not page.more:
                self._numbers[address] = max(upto, self._numbers.get(address, 0))
        items += self._pass_due_gap()
        for item in items:
            item.pop("bytes", None)
        return Found(items, more=self._unread(upto) is not None)

    def _unread(self, upto: int) -> bytes | None:
        """The first address that was not read up to `upto`."""
        for address in self._reader.addresses:
            if self._numbers.get(address, 0) < upto:
                return address
        return None

    def _take(self, address: bytes, block: TaggedBlock) -> list[dict[str, Any]]:
        self._numbers[address] = block.number
        data = tagged_data(block.data)
        events = self._reader.take(address, data, block.block_id)
        # Nothing said means that the part waits, or that it is older than where this walk began. Taken once more,
        # only a part that waits is a repetition.
        if not events and self._reader.take(address, data, block.block_id):
            self._pending[block.block_id] = block.number
            self._received[block.block_id] = block.received_at
        if self._missing_since_ms is None and self._reader.missing is not None:
            self._missing_since_ms = block.received_at
        return self._told(events, block)

    def _told(self, events: list[mam.Event], block: TaggedBlock | None) -> list[dict[str, Any]]:
        items = [item for event in events if (item := self._item(event, block)) is not None]
        if self._reader.missing is None:
            self._missing_since_ms = None
        for address in set(self._numbers) - set(self._reader.addresses):
            del self._numbers[address]
        return items

    def _item(self, event: mam.Event, block: TaggedBlock | None) -> dict[str, Any] | None:
        """The JSON of an event; None for what is only counted."""
        if isinstance(event, mam.Rejected):
            self._pending.pop(event.source, None)
            self.skipped[event.error.code] += 1
        elif isinstance(event, mam.Repeated):
            self.skipped["repeated"] += 1
        elif isinstance(event, mam.Gap):
            return {"type": "gap", "first": event.first, "last": event.last}
        elif isinstance(event, mam.Fork):
            return {"type": "fork", "index": event.index, "blockIds": [to_hex(event.first), to_hex(event.second)]}
        elif isinstance(event, mam.Message):
            for source in event.sources:
                self._pending.pop(source, None)
            times = [self._received.pop(source, 0) for source in event.sources]
            received = max(*times, block.received_at if block is not None else 0)
            return message_json(event, received)
        return None

    def _pass_due_gap(self) -> list[dict[str, Any]]:
        since = self._missing_since_ms
        if since is None or self._clock_ms() - since < GAP_MS:
            return []
        return self._told(self._reader.pass_gap(), None)

    def _give_up_parts(self, taken: int) -> None:
        if taken >= APART_MAX:
            self._pending.clear()
            self._received.clear()


def message_json(message: mam.Message, received_ms: int) -> dict[str, Any]:
    """A message: its body as text where it is UTF-8, otherwise in hexadecimal digits."""
    json: dict[str, Any] = {
        "type": "message",
        "index": message.index,
        "receivedMs": received_ms,
        "blockIds": [to_hex(source) for source in message.sources],
        "bytes": len(message.body),
    }
    try:
        json["text"] = message.body.decode()
    except UnicodeDecodeError:
        json["body"] = to_hex(message.body)
    return json | {"late": True} if message.late else json


class Decoding:
    """How many streams and waiting requests there are, and the turns in which they decode."""

    def __init__(self) -> None:
        self.streams = 0
        self.waiting = 0
        self._turns = asyncio.Semaphore(DECODING)

    async def advance(self, walk: Walk, upto: int, items_max: int) -> Found:
        """`walk.advance` on another thread, in turn."""
        self.waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(walk.advance, upto, items_max)
        finally:
            self.waiting -= 1


class ChannelStream(Streaming):
    """Sends the messages of a public channel, those that are there first.

    Parameters
    ----------
    decoding : counts the stream while it is served, and gives it its turns
    """

    def __init__(self, hub: Hub, tags: Tags, walk: Walk, decoding: Decoding) -> None:
        super().__init__(hub)
        self.tags = tags
        self.walk = walk
        self.decoding = decoding

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Frames; a comment in silence."""
        self.decoding.streams += 1
        try:
            while not self.hub.closed:
                upto = self.hub.last
                found = await self.decoding.advance(self.walk, upto, READ)
                yield self._frames(found.items) or SILENCE
                if not found.more:
                    await self._news(upto)
        finally:
            self.decoding.streams -= 1

    async def _news(self, after: int) -> None:
        """Returns when there is something new under the addresses, and now and then without."""
        async with aclosing(self.tags.follow(self.walk.addresses, after, heartbeat_s=LOOK_S)) as pieces:
            await anext(pieces, None)

    def _frames(self, items: list[dict[str, Any]]) -> bytes:
        """Only the last frame names the position, for all of them are found by then."""
        frames = [b"event: %s\ndata: %s\n" % (item["type"].encode(), orjson.dumps(item)) for item in items]
        return b"\n".join(frames) + b"id: %s\n\n" % str(self.walk.place).encode() if frames else b""
