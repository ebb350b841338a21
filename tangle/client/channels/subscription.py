"""Following a channel: its history first and then what comes, in order, each message once, through any break.

    async for message in Subscription(node, root, side_key=key):
        print(message.index, message.body)

Iterating gives messages. `events` gives everything that happens, as the types of `tangle.mam.events`: new side
keys,
gaps, forks with both block ids, repetitions, and junk with the reason why it is none of the channel's; `counts`
counts them, so nothing is passed over in silence. A reader that was left out of a new side key is told with
AccessRevoked.

What a reader stands for is its `bookmark`, which covers all events delivered so far and can be kept: reading goes
on from it in another process. Messages are then neither lost nor repeated. Two things are forgotten with a
process: gaps that were given up stay closed, and forks are noticed only against messages read since.

The stream of what is new is opened behind the event that was the newest before the history is read, and a block
that comes both ways counts once; so nothing falls between the two. Blocks come in the order in which the node
attached them, and messages leave in the order of their indexes. No
clock takes part but one: a message that is missing while later ones are there is awaited for `gap_after_s`,
measured here and only after all that the node holds has been read. Clocks of writers, nodes and readers are never
compared.

Source: docs/mam.md, "Reading".
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace

from tangle.client.channels.bookmark import Bookmark
from tangle.client.channels.errors import AccessRevoked
from tangle.client.channels.inbox import Inbox
from tangle.client.errors import ClientError, NodeError, NodeUnreachable, UnexpectedAnswer
from tangle.client.node.answers import FoundData
from tangle.client.node.rest import NodeClient
from tangle.mam import (
    Access,
    Channel,
    Event,
    Fork,
    Gap,
    Invitation,
    Message,
    Mode,
    Position,
    Reader,
    Rejected,
    Rekeyed,
    Repeated,
    Revoked,
    opener,
    unseal,
)
from tangle.protocol.serial import to_hex
from tangle.protocol.tagged_data import TaggedData

GAP_AFTER_S = 60.0
"""seconds that a missing message is awaited; a writer whose node is away sends it later"""
GIVE_UP_AFTER_S = 60.0
"""seconds without an answer from the node after which the failure is raised"""
BACKOFF_S = (0.1, 5.0)
"""seconds before a question is asked again, at first and at most"""
PAST_WATCHED = 8
"""addresses behind the reader where forks are still looked for"""

NewSideKey = Callable[[int, bytes], bytes | None]
"""(index, body of a rekey message) -> the side key in it for this reader, None if there is none"""


@dataclass(slots=True)
class _Place:
    """Numbers of blocks under an address: the last read, the last that settled a message, the last told before.

    `whole` says that all was read that lay there when the subscription began to listen.
    """

    read: int = 0
    settled: int = 0
    told: int = 0
    whole: bool = False


class Subscription:
    """A reader of one channel through one node. Iterate it, or its `events`, or its `history`.

    Parameters
    ----------
    where : root of the tree to begin with, as bytes; or an access, an invitation, a bookmark
    mode : of the channel, with a root only; without it restricted if there is a side key, otherwise public
    side_key : with a root only
    start : index of the first message wanted; by default the first of the tree, or what `where` says
    private_key : X25519 key of this subscriber, which opens new side keys
    gap_after_s : seconds that a missing message is awaited; None: forever
    give_up_after : seconds of breaks and failures in a row after which the last one is raised; None: never
    on_break : told of every failure that is waited out
    prove_blocks : fetch every block and hash it, rather than believe the node which block carries what

    Raises
    ------
    mam.ArgumentInvalid : a key has the wrong size, or none or one too many for the mode
    """

    def __init__(
        self,
        node: NodeClient,
        where: Access | Invitation | Bookmark | bytes,
        *,
        mode: Mode | None = None,
        side_key: bytes | None = None,
        start: int | None = None,
        private_key: bytes | None = None,
        gap_after_s: float | None = GAP_AFTER_S,
        give_up_after: float | None = GIVE_UP_AFTER_S,
        on_break: Callable[[ClientError], None] | None = None,
        prove_blocks: bool = False,
    ) -> None:
        mark = _bookmark(where, mode, side_key, start)
        reader = Reader(mark.access, mark.start, opener(private_key)) if private_key else None
        self._begin(node, mark, reader or Reader(mark.access, mark.start))
        self._gap_after_s = gap_after_s
        self._give_up_after = give_up_after
        self._on_break = on_break
        self._prove_blocks = prove_blocks

    @classmethod
    def of_writer(
        cls,
        node: NodeClient,
        channel: Channel,
        position: Position | None = None,
        *,
        give_up_after: float | None = GIVE_UP_AFTER_S,
    ) -> Subscription:
        """A reader with the writer's keys, from the tree of a position on, by default of the whole channel."""
        subscription = cls(node, channel.access(position), give_up_after=give_up_after)
        reader = Reader(channel.access(position), None, lambda index, _body: channel.side_key(index))
        subscription._begin(node, Bookmark(channel.access(position)), reader)
        return subscription

    def _begin(self, node: NodeClient, mark: Bookmark, reader: Reader) -> None:
        self._node = node
        self._reader = reader
        self._index = mark.index
        mine = mark.node == node.url
        self._places = {mark.access.address: _Place(mark.after, 0, mark.told)} if mine else {}
        self._held: dict[bytes, tuple[bytes, int]] = {}
        self._queue: deque[Event] = deque()
        self._before = mark
        self._addresses: tuple[bytes, ...] = ()
        self._missing: tuple[int, float] | None = None
        self._position: int | None = None
        self._lost_since: float | None = None
        self._pause = BACKOFF_S[0]
        self.counts: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"Subscription(index={self._index})"

    @property
    def index(self) -> int:
        """Index after the last message, gap or new side key that was delivered."""
        return self._index

    @property
    def rekeyed_at(self) -> int | None:
        """Index of the last rekey message read, None before the first."""
        return self._reader.rekeyed_at

    @property
    def bookmark(self) -> Bookmark:
        """Where to go on after what has been delivered so far. As secret as the access it holds."""
        if self._queue or self._reader.access is None:
            # The reader is further than what was delivered; what comes twice is left out by its index.
            return replace(self._before, index=self._index)
        return self._mark()

    def __aiter__(self) -> AsyncIterator[Message]:
        """Messages, for ever. Raises AccessRevoked, NodeUnreachable, NodeError, UnexpectedAnswer."""
        return self._messages()

    async def _messages(self) -> AsyncIterator[Message]:
        async for event in self.events():
            if isinstance(event, Message):
                yield event
            elif isinstance(event, Revoked):
                raise AccessRevoked(event.index)

    async def events(self) -> AsyncIterator[Event]:
        """Everything that happens, for ever; ends after Revoked.

        Raises
        ------
        NodeUnreachable, NodeError, UnexpectedAnswer
        """
        if self._position is None:
            # What comes from here on is told by the stream, and what was there before by pages.
            self._position = await self._newest_event()
        while self._queue or self._reader.addresses:
            async for event in self._pages():
                yield event
            if self._gap_is_overdue():
                # The node may have been away meanwhile: what it holds is read before anything is given up.
                self._read_again()
                async for event in self._pages():
                    yield event
                if self._gap_is_overdue():
                    self._give_up_gap()
            elif watched := self._watched():
                async for event in self._stream(watched):
                    yield event

    async def history(self) -> AsyncIterator[Event]:
        """What the node holds by now, and then an end; what is missing is given up at once. Raises as `events`."""
        self._read_again()
        while True:
            async for event in self._pages():
                yield event
            if self._reader.missing is None:
                return
            self._give_up_gap()

    def _read_again(self) -> None:
        """Have all addresses read on to their end."""
        for place in self._places.values():
            place.whole = False

    async def _pages(self) -> AsyncIterator[Event]:
        """Read all addresses that have not been read yet to their end."""
        while True:
            for event in self._deliveries():
                yield event
            unread = [address for address in self._watched() if not self._place(address).whole]
            if not unread:
                return
            place = self._place(unread[0])
            async for found in self._found(unread[0]):
                self._take(found)
                for event in self._deliveries():
                    yield event
            place.whole = True

    async def _stream(self, watched: tuple[bytes, ...]) -> AsyncIterator[Event]:
        """What comes, until other addresses are to be watched or a message has been missing for too long."""
        assert self._position is not None
        stream = self._node.new_data(
            watched, self._position, give_up_after=self._give_up_after, on_break=self._on_break
        )
        async with Inbox(stream) as inbox:
            while self._watched() == watched and not self._gap_is_overdue():
                found = await inbox.next(self._wait_s())
                if found is None:
                    continue
                if found.number > self._place(found.tag).read:
                    if self._prove_blocks:
                        await self._prove(found)
                    self._take(found)
                self._position = found.number
                for event in self._deliveries():
                    yield event

    def _deliveries(self) -> Iterator[Event]:
        while self._queue:
            yield self._delivered(self._queue.popleft())

    def _watched(self) -> tuple[bytes, ...]:
        """Where messages can appear, and behind the reader, where forks can."""
        addresses = self._reader.addresses
        return addresses + self._reader.past_addresses[:PAST_WATCHED] if addresses else ()

    async def _newest_event(self) -> int:
        while True:
            try:
                return await self._node.newest_event()
            except (NodeUnreachable, NodeError) as error:
                await self._endure(error)

    async def _found(self, address: bytes) -> AsyncIterator[FoundData]:
        """What lies under an address and was not read yet, through breaks."""
        while True:
            try:
                async for found in self._node.tagged_data(address, after=self._place(address).read):
                    if self._prove_blocks:
                        await self._prove(found)
                    self._lost_since = None
                    yield found
            except (NodeUnreachable, NodeError) as error:
                await self._endure(error)
            else:
                self._lost_since = None
                return

    async def _prove(self, found: FoundData) -> None:
        """Raise UnexpectedAnswer unless the block of this id carries the data under the tag."""
        block = await self._node.block(found.block_id)
        if block.payload != TaggedData(found.tag, found.data):
            raise UnexpectedAnswer(self._node.url, f"block {to_hex(found.block_id)} does not carry this data")

    async def _endure(self, error: NodeUnreachable | NodeError) -> None:
        """Wait before the next try; raises the error if it will not pass, or has lasted too long."""
        now = time.monotonic()
        if self._lost_since is None:
            self._lost_since, self._pause = now, BACKOFF_S[0]
        lasting = self._give_up_after is not None and now - self._lost_since >= self._give_up_after
        if lasting or (isinstance(error, NodeError) and error.status < 500):
            raise error
        if self._on_break is not None:
            self._on_break(error)
        await asyncio.sleep(self._pause)
        self._pause = min(2 * self._pause, BACKOFF_S[1])

    def _take(self, found: FoundData) -> None:
        """Give one block to the reader and queue what is worth telling."""
        if self._reader.access is not None:
            self._before = self._mark()
        place = self._place(found.tag)
        events = self._reader.take(found.tag, found.data, found.block_id)
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
        access = self._reader.access
        if access is None or address != access.address:
            return access is not None and address in self._reader.addresses
        return unseal(access, address, data).index >= (self._reader.index or 0)

    def _is_told(self, event: Event, *, known: bool) -> bool:
        """Whether an event was delivered before this subscription began, or by it."""
        match event:
            case Message(index=index, late=late):
                return index < self._index and not late
            case Rekeyed(index=index):
                return index < self._index
            case Gap(last=last):
                return last < self._index
            case Revoked():
                return False
            case Fork() | Repeated() | Rejected():
                return known

    def _delivered(self, event: Event) -> Event:
        self.counts[type(event).__name__.lower()] += 1
        match event:
            case Message(index=index) | Rekeyed(index=index) | Revoked(index=index) | Gap(last=index):
                self._index = max(self._index, index + 1)
        return event

    def _mark(self) -> Bookmark:
        """A bookmark of where the reader is.

        The block that settled the last message is read once more: it tells the height and the next root.
        """
        access = self._reader.access
        assert access is not None
        place = self._place(access.address)
        needed = [number for address, number in self._held.values() if address == access.address]
        if place.settled:
            needed.append(place.settled)
        after = min(needed) - 1 if needed else place.read
        told = max(place.read, place.told)
        return Bookmark(access, self._reader.index, self._index, after, told, self._node.url)

    def _place(self, address: bytes) -> _Place:
        return self._places.setdefault(address, _Place())

    def _forget_places(self) -> None:
        """Keep what belongs to addresses that the reader still knows."""
        if self._reader.addresses == self._addresses:
            return
        self._addresses = self._reader.addresses
        known = {*self._addresses, *self._reader.past_addresses}
        self._places = {address: place for address, place in self._places.items() if address in known}
        ahead = set(self._addresses)
        self._held = {source: entry for source, entry in self._held.items() if entry[0] in ahead}

    def _gap_is_overdue(self) -> bool:
        """Whether the same message has been missing for too long."""
        missing = self._reader.missing
        if missing is None:
            self._missing = None
            return False
        now = time.monotonic()
        if self._missing is None or self._missing[0] != missing.start:
            self._missing = (missing.start, now)
        return self._gap_after_s is not None and now - self._missing[1] >= self._gap_after_s

    def _give_up_gap(self) -> None:
        self._before = self._mark()
        self._queue.extend(event for event in self._reader.pass_gap() if not self._is_told(event, known=False))
        self._missing = None
        self._forget_places()

    def _wait_s(self) -> float | None:
        """Seconds until a gap is overdue; None without one."""
        if self._missing is None or self._gap_after_s is None:
            return None
        return max(0.0, self._missing[1] + self._gap_after_s - time.monotonic())


def _bookmark(
    where: Access | Invitation | Bookmark | bytes, mode: Mode | None, side_key: bytes | None, start: int | None
) -> Bookmark:
    if isinstance(where, Bookmark):
        return where
    if isinstance(where, Invitation):
        start = where.start if start is None else start
        where = where.access
    if isinstance(where, bytes):
        if mode is None:
            mode = Mode.PUBLIC if side_key is None else Mode.RESTRICTED
        where = Access(mode, where, side_key)
    return Bookmark(where, start, start or 0)
