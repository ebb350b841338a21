"""How far a reader of a channel has come: what was read, what was delivered, and what is still missing. No I/O.

Three things can differ: the reader is further than what was delivered, what was delivered is further than what a
bookmark may say, and what was read of an address is further than what its messages have settled. This module keeps
them apart; `tangle.client.channels.subscription` asks the node.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tangle.client.channels.bookmark import Bookmark
from tangle.mam import Event, Fork, Gap, Message, Reader, Rejected, Rekeyed, Repeated, Revoked, unseal
from tangle.protocol.answers import FoundData

PAST_WATCHED = 8
"""addresses behind the reader where forks are still looked for"""


@dataclass(slots=True)
class AddressProgress:
    """Numbers of blocks under an address: the last read, the last that settled a message, the last told before.

    `whole` says that all was read that lay there when the subscription began to listen.
    """

    read: int = 0
    settled: int = 0
    told: int = 0
    whole: bool = False


class ReaderProgress:
    """How far one reader has come on one node.

    Attributes
    ----------
    reader : of the channel
    index : after the last message, gap or new side key that was delivered
    counts : events delivered, by kind
    seen : blocks that lay under the addresses of the channel, whatever they hold
    """

    def __init__(self, url: str, mark: Bookmark, reader: Reader, gap_after_s: float | None) -> None:
        self.reader = reader
        self.index = mark.index
        self.counts: Counter[str] = Counter()
        self.seen = 0
        self._url = url
        self._store = mark.store
        self._gap_after_s = gap_after_s
        self._places = {mark.access.address: AddressProgress(mark.after, 0, mark.told)} if mark.node == url else {}
        self._held: dict[bytes, tuple[bytes, int]] = {}
        self._queue: deque[Event] = deque()
        self._before = mark
        self._addresses: tuple[bytes, ...] = ()
        self._missing: tuple[int, float] | None = None

    @property
    def bookmark(self) -> Bookmark:
        """Where to go on after what has been delivered so far. As secret as the access it holds."""
        if self._queue or self.reader.access is None:
            # The reader is further than what was delivered; what comes twice is left out by its index.
            return replace(self._before, index=self.index)
        return self._mark()

    def on_journal(self, store: str) -> None:
        """Numbers from here on belong to the journal `store`; those of another one mean nothing in it."""
        if self._store and store != self._store:
            self._places.clear()
        self._store = store

    @property
    def is_over(self) -> bool:
        """Whether all was delivered and nothing more can come."""
        return not self._queue and not self.reader.addresses

    def deliveries(self) -> Iterator[Event]:
        """What is due, each once."""
        while self._queue:
            yield self._delivered(self._queue.popleft())

    def watched(self) -> tuple[bytes, ...]:
        """Where messages can appear, and behind the reader, where forks can."""
        addresses = self.reader.addresses
        return addresses + self.reader.past_addresses[:PAST_WATCHED] if addresses else ()

    def read_again(self) -> None:
        """Have all addresses read on to their end."""
        for place in self._places.values():
            place.whole = False

    def take(self, found: FoundData) -> None:
        """Give one block to the reader and queue what is worth telling."""
        if self.reader.access is not None:
            self._before = self._mark()
        self.seen += 1
        place = self.place(found.tag)
        events = self.reader.take(found.tag, found.data, found.block_id)
        place.read = found.number
        if not events and self._is_awaited(found.tag, found.data):
            self._held[found.block_id] = (found.tag, found.number)
        for event in events:
            if isinstance(event, Message | Rekeyed | Revoked):
                place.settled = found.number
                for source in event.sources:
                    self._held.pop(source, None)
        known = found.number <= place.told
        self._queue.extend(event for event in events if not self._is_told(event, known=known))
        self._forget_places()

    def _is_awaited(self, address: bytes, data: bytes) -> bool:
        """Whether a part that made no event waits for others, rather than lying before the start."""
        access = self.reader.access
        if access is None or address != access.address:
            return access is not None and address in self.reader.addresses
        return unseal(access, address, data).index >= (self.reader.index or 0)

    def _is_told(self, event: Event, *, known: bool) -> bool:
        """Whether an event was delivered before this subscription began, or by it."""
        match event:
            case Message(index=index, late=late):
                return index < self.index and not late
            case Rekeyed(index=index):
                return index < self.index
            case Gap(last=last):
                return last < self.index
            case Revoked():
                return False
            case Fork() | Repeated() | Rejected():
                return known

    def _delivered(self, event: Event) -> Event:
        self.counts[type(event).__name__.lower()] += 1
        match event:
            case Message(index=index) | Rekeyed(index=index) | Revoked(index=index) | Gap(last=index):
                self.index = max(self.index, index + 1)
        return event

    def _mark(self) -> Bookmark:
        """A bookmark of where the reader is.

        The block that settled the last message is read once more: it tells the height and the next root.
        """
        access = self.reader.access
        assert access is not None
        place = self.place(access.address)
        needed = [number for address, number in self._held.values() if address == access.address]
        if place.settled:
            needed.append(place.settled)
        after = min(needed) - 1 if needed else place.read
        told = max(place.read, place.told)
        return Bookmark(access, self.reader.index, self.index, after, told, self._url, self._store)

    def place(self, address: bytes) -> AddressProgress:
        """How far an address has been read."""
        return self._places.setdefault(address, AddressProgress())

    def _forget_places(self) -> None:
        """Keep what belongs to addresses that the reader still knows."""
        if self.reader.addresses == self._addresses:
            return
        self._addresses = self.reader.addresses
        known = {*self._addresses, *self.reader.past_addresses}
        self._places = {address: place for address, place in self._places.items() if address in known}
        ahead = set(self._addresses)
        self._held = {source: entry for source, entry in self._held.items() if entry[0] in ahead}

    def gap_is_overdue(self) -> bool:
        """Whether the same message has been missing for too long."""
        missing = self.reader.missing
        if missing is None:
            self._missing = None
            return False
        now = time.monotonic()
        if self._missing is None or self._missing[0] != missing.start:
            self._missing = (missing.start, now)
        return self._gap_after_s is not None and now - self._missing[1] >= self._gap_after_s

    def give_up_gap(self) -> None:
        """Go on behind what is missing."""
        self._before = self._mark()
        self._queue.extend(event for event in self.reader.pass_gap() if not self._is_told(event, known=False))
        self._missing = None
        self._forget_places()

    def wait_s(self) -> float | None:
        """Seconds until a gap is overdue; None without one."""
        if self._missing is None or self._gap_after_s is None:
            return None
        return max(0.0, self._missing[1] + self._gap_after_s - time.monotonic())
