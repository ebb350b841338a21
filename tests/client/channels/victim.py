"""A writer that the tests kill. It prints what is acknowledged."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tangle.client.channels import Publisher
from tests.client.channels.tables import TableCarrier


def main(directory: Path) -> None:
    """Publish until it is killed."""
    asyncio.run(publish(directory))


async def publish(directory: Path) -> None:
    """Publish for ever: numbers, now and then a body of several parts, some at once, or a rekey message."""
    carrier = TableCarrier(directory / "tangle.db", delay_s=0.0005)
    async with await Publisher.open(directory / "channel.db", carrier) as publisher:
        print("ready", flush=True)
        while True:
            index = (await publisher.position()).index
            if index % 11 == 10:
                await publisher.grant(bytes([1 + index % 100]) * 32)
                continue
            size = 70_000 if index % 7 == 6 else 20
            bodies = [b"%d " % n + bytes(size) for n in range(index, index + 1 + index % 3)]
            for published in await publisher.publish_many(bodies):
                print(published.index, flush=True)
