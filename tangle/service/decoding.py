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
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from tangle import mam
from tangle.protocol import peek
from tangle.store.queries import TaggedBlock, TaggedFilter, TaggedPage, tagged_page

READ, READ_BYTES = 200, 2 * 2**20
"""blocks read from the database at once, and bytes of them"""
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
"""streams that decode at the same time; it is work for a core, and others want to be answered too"""

Read = Callable[[bytes, int, int], TaggedPage]
"""(address, after, upto) -> at most `READ` blocks under the address with numbers above `after` up to `upto`"""


@dataclass(frozen=True)
class Place:
    """Where a walk stands; `index` is None before the first message."""

    root: bytes
    index: int | None = None
    number: int = 0


@dataclass(frozen=True)
class Heard:
    """What a walk came upon; `received_ms` is when the last block of a message came, 0 for what is no message."""

    event: mam.Message | mam.Gap | mam.Fork
    received_ms: int = 0

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self.event.body) if isinstance(self.event, mam.Message) else 0


@dataclass(frozen=True)
class Found:
    """What a call of `Walk.advance` found; `more` when it stopped before the end."""

    items: list[Heard]
    more: bool


class Walk:
    """A walk along a public channel.

    Parameters
    ----------
    place : where it begins
    read : reads blocks
    clock_ms : milliseconds since the Unix epoch, to give up what is missing
    network : id of the network of this node: what was written for another one is skipped

    Attributes
    ----------
    skipped : how often what was skipped, by the code of why
    """

    def __init__(
        self, place: Place, read: Read, clock_ms: Callable[[], float], network: int | None = None
    ) -> None:
        self.skipped: Counter[str] = Counter()
        access = mam.Access(mam.Mode.PUBLIC, place.root)
        self._reader = mam.Reader(access, place.index, network=network)
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
        items: list[Heard] = []
        taken = size = 0
        while (address := self._unread(upto)) is not None:
            page = self._read(address, self._numbers.get(address, 0), upto)
            for block in page.blocks:
                found = self._take(address, block)
                items += found
                taken += 1
                size += sum(heard.size for heard in found)
                full = len(items) >= items_max or size >= BODIES_BYTES_MAX
                if full or taken >= (APART_MAX if self._pending else BLOCKS_MAX):
                    self._give_up_parts(taken)
                    return Found(items, more=True)
            if not page.more:
                self._numbers[address] = max(upto, self._numbers.get(address, 0))
        items += self._pass_due_gap()
        return Found(items, more=self._unread(upto) is not None)

    def _unread(self, upto: int) -> bytes | None:
        """The first address that was not read up to `upto`."""
        for address in self._reader.addresses:
            if self._numbers.get(address, 0) < upto:
                return address
        return None

    def _take(self, address: bytes, block: TaggedBlock) -> list[Heard]:
        self._numbers[address] = block.number
        data = peek.tagged_data(block.data)
        events = self._reader.take(address, data, block.block_id)
        # Nothing said means that the part waits, or that it is older than where this walk began. Taken once more,
        # only a part that waits is a repetition.
        if not events and self._reader.take(address, data, block.block_id):
            self._pending[block.block_id] = block.number
            self._received[block.block_id] = block.received_at
        if self._missing_since_ms is None and self._reader.missing is not None:
            self._missing_since_ms = block.received_at
        return self._told(events, block)

    def _told(self, events: list[mam.Event], block: TaggedBlock | None) -> list[Heard]:
        items = [item for event in events if (item := self._heard(event, block)) is not None]
        if self._reader.missing is None:
            self._missing_since_ms = None
        for address in set(self._numbers) - set(self._reader.addresses):
            del self._numbers[address]
        return items

    def _heard(self, event: mam.Event, block: TaggedBlock | None) -> Heard | None:
        """An event; None for what is only counted."""
        if isinstance(event, mam.Rejected):
            self._pending.pop(event.source, None)
            self.skipped[event.error.code] += 1
        elif isinstance(event, mam.Repeated):
            self.skipped["repeated"] += 1
        elif isinstance(event, mam.Gap | mam.Fork):
            return Heard(event)
        elif isinstance(event, mam.Message):
            for source in event.sources:
                self._pending.pop(source, None)
            times = [self._received.pop(source, 0) for source in event.sources]
            received = max(*times, block.received_at if block is not None else 0)
            return Heard(event, received)
        return None

    def _pass_due_gap(self) -> list[Heard]:
        since = self._missing_since_ms
        if since is None or self._clock_ms() - since < GAP_MS:
            return []
        return self._told(self._reader.pass_gap(), None)

    def _give_up_parts(self, taken: int) -> None:
        if taken >= APART_MAX:
            self._pending.clear()
            self._received.clear()


class Decoding:
    """How many streams there are, and the turns in which they decode; pages are decoded at the `desk`.

    Parameters
    ----------
    read, clock_ms, network : see `Walk`
    """

    def __init__(self, read: Read, clock_ms: Callable[[], float], network: int) -> None:
        self._network = network
        self.streams = 0
        self._read = read
        self._clock_ms = clock_ms
        self._turns = asyncio.Semaphore(DECODING)

    def walk(self, place: Place) -> Walk:
        """A walk over the blocks that this node has."""
        return Walk(place, self._read, self._clock_ms, self._network)

    async def advance(self, walk: Walk, upto: int, items_max: int) -> Found:
        """`walk.advance` on another thread, in turn."""
        async with self._turns:
            return await asyncio.to_thread(walk.advance, upto, items_max)


def reading(engine: Engine) -> Read:
    """What reads the blocks of a database."""

    def read(address: bytes, after: int, upto: int) -> TaggedPage:
        chosen = TaggedFilter(after=after, before=upto + 1)
        with engine.connect() as connection:
            return tagged_page(connection, [address], chosen, READ, READ_BYTES)

    return read
