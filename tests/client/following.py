"""Writing channels block by block, and reading them with a limit on how long that may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any, TypeVar, cast

from tangle.client.node.rest import NodeClient
from tangle.mam import Channel, Position, Sealed

T = TypeVar("T")
WITHIN_S = 60
"""seconds after which a test that waits fails"""


def written(channel: Channel, bodies: Iterable[bytes], position: Position | None = None) -> list[Sealed]:
    """The messages with these bodies, one after the other."""
    position = position or Position()
    messages = []
    for body in bodies:
        messages.append(channel.write(body, position))
        position = messages[-1].following
    return messages


async def post(node: NodeClient, *messages: Sealed) -> list[bytes]:
    """Post all parts; returns the block ids."""
    return [await node.submit_data(sealed.address, part) for sealed in messages for part in sealed.parts]


async def first(events: AsyncIterator[T], count: int) -> list[T]:
    """So many of what comes; then the iterator is closed."""
    found: list[T] = []
    if not count:
        return found
    async with asyncio.timeout(WITHIN_S), aclosing(cast("Any", events)) as closing:
        async for event in closing:
            found.append(event)
            if len(found) == count:
                break
    return found


async def everything(events: AsyncIterator[T]) -> list[T]:
    """All that comes until it ends."""
    async with asyncio.timeout(WITHIN_S):
        return [event async for event in events]
