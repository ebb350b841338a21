"""How blocks under a tag come from a node: all there are in order, and a bell that rings when there may be more.

This is all that a subscription knows of the node. Blocks are only ever read by `arrivals`, in order of their
numbers, each once; `Bell` carries no data and may ring too often, but never too late. So nothing can be lost or
read twice where history ends and live begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from client.answers import TaggedBlock
from client.rest import NodeClient
from tangle.protocol.tagged_data import TaggedData

FETCHED_AT_ONCE = 16
"""blocks that are asked for at the same time"""
PAUSE_S = 0.05
"""seconds between two rounds of questions, however often the bell rings"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A block under a tag.

    Attributes
    ----------
    number : of the event that attached it; grows from block to block
    data : of its payload
    """

    number: int
    block_id: bytes
    data: bytes = field(repr=False)


async def arrivals(node: NodeClient, tag: bytes, *, after: int = 0) -> AsyncIterator[Arrival]:
    """All blocks that the node has under `tag` with a number above `after`, in order. Raises ClientError."""
    batch: list[TaggedBlock] = []
    async for found in node.tagged_blocks(tag, after=after):
        batch.append(found)
        if len(batch) == FETCHED_AT_ONCE:
            for arrival in await _fetch(node, batch):
                yield arrival
            batch.clear()
    for arrival in await _fetch(node, batch):
        yield arrival


async def _fetch(node: NodeClient, batch: Sequence[TaggedBlock]) -> list[Arrival]:
    blocks = await asyncio.gather(*(node.block(found.block_id) for found in batch))
    return [
        Arrival(found.number, found.block_id, block.payload.data)
        for found, block in zip(batch, blocks, strict=True)
        if isinstance(block.payload, TaggedData)
    ]


class Bell:
    """Rings when a node has attached blocks; an asynchronous context manager."""

    def __init__(self, node: NodeClient) -> None:
        self._node = node
        self._rung = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listening is not None
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    async def wait(self, within_s: float) -> None:
        """Return when it has rung since the last time, or after `within_s` seconds."""
        await asyncio.sleep(PAUSE_S)
        try:
            await asyncio.wait_for(self._rung.wait(), within_s)
        except TimeoutError:
            return
        self._rung.clear()

    async def _listen(self) -> None:
        async for _ in self._node.events(types=("solid",), give_up_after=None):
            self._rung.set()
