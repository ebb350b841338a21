"""Following a channel: its history first and then what comes, in order, each message once, through any break.

    async for message in Subscription(node, root, side_key=key):
        print(message.index, message.body)

Iterating gives messages. `events` gives everything that happens, as the types of `tangle.mam.events`: new side
keys, gaps, forks with both block ids, repetitions, and junk with the reason why it is none of the channel's;
`counts` counts them, so nothing is passed over in silence. A reader that was left out of a new side key is told
with AccessRevoked.

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
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from tangle.client.channels.bookmark import Bookmark
from tangle.client.channels.errors import AccessRevoked, ChannelElsewhere
from tangle.client.channels.inbox import Inbox
from tangle.client.channels.progress import ReaderProgress
from tangle.client.channels.waiting import Waiting
from tangle.client.errors import ClientError, NodeError, NodeUnreachable, UnexpectedAnswer
from tangle.client.node.rest import NodeClient
from tangle.mam import (
    Access,
    Channel,
    Event,
    Invitation,
    Message,
    Mode,
    Position,
    Reader,
    Revoked,
    opener,
)
from tangle.protocol.answers import FoundData
from tangle.protocol.serial import to_hex
from tangle.protocol.tagged_data import TaggedData

T = TypeVar("T")
GAP_AFTER_S = 60.0
"""seconds that a missing message is awaited; a writer whose node is away sends it later"""
GIVE_UP_AFTER_S = 60.0
"""seconds without an answer from the node after which the failure is raised"""
BACKOFF_S = (0.1, 5.0)
"""seconds before a question is asked again, at first and at most"""
_OWN = ("message", "rekeyed", "revoked")
"""events that show that a channel was read, and not only looked at"""


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
    on_wait : told, once all that the node holds was read, what is waited for
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
        on_wait: Callable[[Waiting], None] | None = None,
        prove_blocks: bool = False,
    ) -> None:
        mark = _bookmark(where, mode, side_key, start)
        reader = Reader(mark.access, mark.start, opener(private_key)) if private_key else None
        self._gap_after_s = gap_after_s
        self._give_up_after = give_up_after
        self._on_break = on_break
        self._on_wait = on_wait
        self._access = mark.access
        self._named = where.network if isinstance(where, Invitation) else 0
        self._prove_blocks = prove_blocks
        self._begin(node, mark, reader or Reader(mark.access, mark.start))

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
        self._progress = ReaderProgress(node.url, mark, reader, self._gap_after_s)
        self._position: int | None = None
        self._on_journal = False
        self._lost_since: float | None = None
        self._pause = BACKOFF_S[0]

    def __repr__(self) -> str:
        return f"Subscription(index={self.index})"

    @property
    def index(self) -> int:
        """Index after the last message, gap or new side key that was delivered."""
        return self._progress.index

    @property
    def counts(self) -> Counter[str]:
        """How many events of which kind were delivered."""
        return self._progress.counts

    @property
    def bookmark(self) -> Bookmark:
        """Where to go on after what has been delivered so far. As secret as the access it holds."""
        return self._progress.bookmark

    @property
    def has_read(self) -> bool:
        """Whether anything of the channel was read: without it nothing was verified."""
        return any(self.counts[kind] for kind in _OWN)

    @property
    def waiting(self) -> Waiting:
        """What comes next, and what lies there so far."""
        reader = self._progress.reader
        access = reader.access or self._access
        return Waiting(self.index, access, self._progress.seen, self.has_read, reader.missing)

    @property
    def version(self) -> int | None:
        """Of the format of the channel, None before its first message."""
        return self._progress.reader.version

    @property
    def rekeyed_at(self) -> int | None:
        """Index of the last rekey message read, None before the first."""
        return self._progress.reader.rekeyed_at

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
        await self._learn_network()
        if self._position is None:
            # What comes from here on is told by the stream, and what was there before by pages.
            self._position = await self._enduring(self._node.newest_event)
        while not self._progress.is_over:
            async for event in self._pages():
                yield event
            if self._progress.gap_is_overdue():
                # The node may have been away meanwhile: what it holds is read before anything is given up.
                self._progress.read_again()
                async for event in self._pages():
                    yield event
                if self._progress.gap_is_overdue():
                    self._progress.give_up_gap()
            elif watched := self._progress.watched():
                if self._on_wait is not None:
                    self._on_wait(self.waiting)
                async for event in self._stream(watched):
                    yield event

    async def history(self) -> AsyncIterator[Event]:
        """What the node holds by now, and then an end; what is missing is given up at once. Raises as `events`."""
        await self._learn_network()
        self._progress.read_again()
        while True:
            async for event in self._pages():
                yield event
            if self._progress.reader.missing is None:
                return
            self._progress.give_up_gap()

    async def _pages(self) -> AsyncIterator[Event]:
        """Read all addresses that have not been read yet to their end."""
        if not self._on_journal:
            self._progress.on_journal(await self._enduring(self._node.store_id))
            self._on_journal = True
        while True:
            for event in self._progress.deliveries():
                yield event
            unread = [address for address in self._progress.watched() if not self._progress.place(address).whole]
            if not unread:
                return
            place = self._progress.place(unread[0])
            async for found in self._found(unread[0]):
                self._progress.take(found)
                for event in self._progress.deliveries():
                    yield event
            place.whole = True

    async def _stream(self, watched: tuple[bytes, ...]) -> AsyncIterator[Event]:
        """What comes, until other addresses are to be watched or a message has been missing for too long."""
        assert self._position is not None
        stream = self._node.new_data(
            watched, self._position, give_up_after=self._give_up_after, on_break=self._on_break
        )
        async with Inbox(stream) as inbox:
            while self._progress.watched() == watched and not self._progress.gap_is_overdue():
                found = await inbox.next(self._progress.wait_s())
                if found is None:
                    continue
                if found.number > self._progress.place(found.tag).read:
                    if self._prove_blocks:
                        await self._prove(found)
                    self._progress.take(found)
                self._position = found.number
                for event in self._progress.deliveries():
                    yield event

    async def _learn_network(self) -> None:
        """Have the reader refuse what was written for another network. Raises ChannelElsewhere."""
        if self._progress.reader.network is None:
            here = (await self._enduring(self._node.parameters)).network_id
            if self._named not in {0, here}:
                raise ChannelElsewhere("the invitation", self._named, here)
            self._progress.reader.network = here

    async def _enduring(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await ask()
            except (NodeUnreachable, NodeError) as error:
                await self._endure(error)

    async def _found(self, address: bytes) -> AsyncIterator[FoundData]:
        """What lies under an address and was not read yet, through breaks."""
        while True:
            try:
                async for found in self._node.tagged_data(address, after=self._progress.place(address).read):
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
        if lasting or not error.passes:
            raise error
        if self._on_break is not None:
            self._on_break(error)
        await asyncio.sleep(self._pause)
        self._pause = min(2 * self._pause, BACKOFF_S[1])


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
