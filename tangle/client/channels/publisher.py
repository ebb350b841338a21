"""Publishing to a channel: sign and write down first, then post, then note that it is posted.

    async with await Publisher.open(path, NodeCarrier(node)) as publisher:
        await publisher.publish({"pressure_bar": 3.2, "at": "2026-11-21T10:00:00Z"})

A message that is in the book goes out, whatever happens: what an earlier life of the program left behind goes
before anything new. Publishing it twice does no harm, for its bytes are the same and readers see a repetition.
All calls may run at the same time; messages are numbered in the order of the calls.

The book lives in a thread of its own, so waiting for the disk does not hold up the event loop, and what a
cancelled call has begun is finished before the next one looks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import orjson

from tangle.client.channels.book import ChannelBook, Outgoing
from tangle.client.channels.carrier import Carrier
from tangle.client.channels.errors import NotYetPublished
from tangle.client.errors import ClientError
from tangle.disk.errors import BookFailed
from tangle.mam import ArgumentInvalid, Channel, Invitation, Position, Sealed

T = TypeVar("T")
Body = bytes | str | dict[str, Any] | list[Any] | int | float | bool | None
"""bytes as they are; anything else becomes JSON"""
POSTS = 4
"""parts posted at a time, by default"""


@dataclass(frozen=True, slots=True)
class Published:
    """A message that a node holds: its index, its address, and the ids of the blocks of its parts."""

    index: int
    address: bytes
    block_ids: list[bytes]


@dataclass(frozen=True, slots=True)
class _Posted:
    """Messages that became complete, and by index why others did not."""

    messages: list[Published]
    failures: dict[int, BaseException]

    def check(self, indexes: set[int]) -> None:
        """Raise NotYetPublished if any of these messages is not out."""
        failed = sorted(indexes & self.failures.keys())
        if failed:
            error = self.failures[failed[0]]
            raise (
                NotYetPublished(failed, error) if isinstance(error, ClientError | BookFailed) else error
            ) from error


class Publisher:
    """The writer of a channel; `create` or `open` one, and use it as an asynchronous context manager."""

    def __init__(self, executor: ThreadPoolExecutor, book: ChannelBook, carrier: Carrier, posts: int) -> None:
        self._executor = executor
        self._book = book
        self._carrier = carrier
        self._slots = asyncio.Semaphore(posts)
        self._turn = asyncio.Lock()
        self._under_way: set[tuple[int, int]] = set()
        self._behind = True
        self._network_is_known = False

    @classmethod
    async def create(
        cls,
        path: Path,
        channel: Channel,
        carrier: Carrier,
        *,
        position: Position | None = None,
        posts: int = POSTS,
    ) -> Self:
        """The writer of a new channel, or of one recovered at `position`, kept in a new file.

        Raises
        ------
        ChannelExists, ChannelInUse, NoChannel, BookFailed
        """
        return await cls._started(lambda: ChannelBook.create(path, channel, position), carrier, posts)

    @classmethod
    async def open(cls, path: Path, carrier: Carrier, *, posts: int = POSTS) -> Self:
        """The writer of the channel in a file. Raises NoChannel, ChannelInUse, BookFailed."""
        return await cls._started(lambda: ChannelBook.open(path), carrier, posts)

    @classmethod
    async def _started(cls, opened: Callable[[], ChannelBook], carrier: Carrier, posts: int) -> Self:
        executor = ThreadPoolExecutor(1, "channel")
        try:
            book = await asyncio.get_running_loop().run_in_executor(executor, opened)
        except BaseException:
            executor.shutdown(wait=False)
            raise
        return cls(executor, book, carrier, posts)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the file free; what is not acknowledged stays in it."""
        try:
            await self._in_book(self._book.close)
        finally:
            self._executor.shutdown()

    @property
    def channel(self) -> Channel:
        """What is written."""
        return self._book.channel

    async def position(self) -> Position:
        """Where the writer stands."""
        return await self._in_book(lambda: self._book.position)

    async def subscribers(self) -> list[bytes]:
        """X25519 public keys that get the next side key."""
        return await self._in_book(lambda: self._book.subscribers)

    async def publish(self, body: Body) -> Published:
        """Publish one message.

        Raises
        ------
        ArgumentInvalid, BodyTooLong, ChannelExhausted, BookFailed : nothing was signed
        ChannelElsewhere : the node is of another network than the channel
        NotYetPublished : it is signed and kept, and will go out
        """
        return (await self.publish_many([body]))[0]

    async def publish_many(self, bodies: Iterable[Body]) -> list[Published]:
        """Publish messages in order, written down together: all are signed or none. Raises as `publish`."""
        encoded = [encode(body) for body in bodies]
        return await self._publish(lambda: self._book.reserve(encoded))

    async def grant(self, public_key: bytes) -> bytes:
        """Let a subscriber read from here on; everybody who may read gets a new side key.

        Returns
        -------
        an invitation, sealed for the subscriber's X25519 key: `Invitation.open` with the private key opens it

        Raises
        ------
        ArgumentInvalid : the channel is not restricted, or the key is none
        NotYetPublished : the invitation is good once the message is out; `invite` makes it again
        """
        invitations: list[bytes] = []

        def rekeyed() -> list[Sealed]:
            sealed = self._book.rekey(granted=[public_key])
            # Made at once, so that messages of other calls that follow are not left out of it.
            invitations.append(self.channel.invite(public_key, sealed.following))
            return [sealed]

        await self._publish(rekeyed)
        return invitations[0]

    async def revoke(self, public_key: bytes) -> None:
        """Let a subscriber read no further; everybody else gets a new side key.

        Raises
        ------
        NotASubscriber, ArgumentInvalid, NotYetPublished
        """
        await self._publish(lambda: [self._book.rekey(revoked=[public_key])])

    async def invite(self, public_key: bytes) -> bytes:
        """A sealed invitation to read from here on. See `mam.Channel.invite` for what it opens."""
        await self._bind()
        return await self._in_book(lambda: self.channel.invite(public_key, self._book.position))

    async def invitation(self) -> Invitation:
        """The same, not sealed: what a reader needs from here on."""
        return await self._in_book(
            lambda: Invitation(
                self.channel.access(self._book.position), self._book.position.index, self.channel.network
            )
        )

    async def resume(self) -> list[Published]:
        """Post what is kept and not acknowledged; the messages that this completes. Raises NotYetPublished."""
        await self._bind()
        async with self._turn:
            outgoing = await self._waiting()
        posted = await self._post(outgoing)
        posted.check({one.index for one in outgoing})
        return posted.messages

    async def _bind(self) -> None:
        """Ask for which network this is, until it is known: a channel is of the first one that it reaches.

        What is signed before is bound to none. Raises ChannelElsewhere.
        """
        if self._network_is_known:
            return
        try:
            network = (await self._carrier.parameters()).network_id
        except ClientError:
            return
        await self._in_book(lambda: self._book.bind(network))
        self._network_is_known = True

    async def _publish(self, reserve: Callable[[], list[Sealed]]) -> list[Published]:
        await self._bind()
        async with self._turn:
            behind, self._behind = self._behind, True
            messages = await self._in_book(reserve)
            if behind:
                outgoing = await self._waiting()
            else:
                outgoing = [
                    Outgoing(m.index, part, m.address, data) for m in messages for part, data in enumerate(m.parts)
                ]
                self._start(outgoing)
        own = {sealed.index for sealed in messages}
        posted = await self._post(outgoing)
        posted.check(own)
        return [message for message in posted.messages if message.index in own]

    async def _waiting(self) -> list[Outgoing]:
        """All that is kept and that no other call is posting."""
        kept = await self._in_book(self._book.outgoing)
        outgoing = [one for one in kept if (one.index, one.part) not in self._under_way]
        self._start(outgoing)
        return outgoing

    def _start(self, outgoing: Sequence[Outgoing]) -> None:
        self._behind = False
        self._under_way.update((one.index, one.part) for one in outgoing)

    async def _post(self, outgoing: Sequence[Outgoing]) -> _Posted:
        """Post parts in order; one failure does not keep the others from going."""
        tasks = [asyncio.create_task(self._post_one(one)) for one in outgoing]
        try:
            results = await asyncio.gather(*tasks, return_exceptions=True)
        except BaseException:
            self._behind = True
            for task in tasks:
                task.cancel()
            raise
        finally:
            self._under_way.difference_update((one.index, one.part) for one in outgoing)
        posted = _Posted([], {})
        for one, result in zip(outgoing, results, strict=True):
            if isinstance(result, Published):
                posted.messages.append(result)
            elif result is not None:
                self._behind = True
                posted.failures[one.index] = result
        return posted

    async def _post_one(self, one: Outgoing) -> Published | None:
        async with self._slots:
            block_id = await self._carrier.post(one.address, one.data)
        block_ids = await self._in_book(lambda: self._book.acknowledge(one.index, one.part, block_id))
        return None if block_ids is None else Published(one.index, one.address, block_ids)

    async def _in_book(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)


def encode(body: Body) -> bytes:
    """The bytes of a body: JSON unless it is bytes already.

    Whole numbers of any size stay exact.

    Raises
    ------
    ArgumentInvalid : it is neither bytes nor JSON, such as NaN
    """
    if isinstance(body, bytes):
        return body
    try:
        return json.dumps(
            body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_other
        ).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentInvalid("body", f"is neither bytes nor JSON ({error})") from None


def _other(value: object) -> Any:
    """What JSON has no kind for and has one usual form, as a time has. Raises TypeError."""
    return json.loads(orjson.dumps(value))
