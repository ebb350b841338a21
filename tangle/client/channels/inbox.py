"""A stream read ahead by a task of its own, so that waiting for its next item can be given up without a loss.

The task reads a bounded number of items ahead. A reader that is slower leaves the rest to the connection, and so
to the node, which disconnects it in the end; the stream then goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")
AHEAD = 64
"""items read before they are asked for"""


class Inbox(Generic[T]):
    """What a stream brings, as an asynchronous context manager that ends the stream when it is left."""

    def __init__(self, stream: AsyncIterator[T]) -> None:
        self._stream = stream
        self._items: asyncio.Queue[T | BaseException] = asyncio.Queue(AHEAD)
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def next(self, within_s: float | None) -> T | None:
        """The next item; None after `within_s` seconds. Raises what the stream raises, EOFError at its end."""
        try:
            async with asyncio.timeout(within_s):
                item = await self._items.get()
        except TimeoutError:
            return None
        if isinstance(item, BaseException):
            raise item
        return item

    async def _read(self) -> None:
        try:
            async for item in self._stream:
                await self._items.put(item)
            await self._items.put(EOFError())
        except Exception as error:
            await self._items.put(error)
