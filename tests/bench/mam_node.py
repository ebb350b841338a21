"""Channels end to end: 1 KB messages published through a node, against the same bytes posted bare in the same run.

The node is a process of its own on fresh data; this process signs, keeps (a book on the disk), does the proof of
work and posts, as a machine would. Once with the node's default proof of work, once with none, so that the cost
of a channel shows. Mark: with the default, channel code takes less than 10 % of the time. Its time is the
processor time of signing and of both writes to the book.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from tangle.client.channels import ChannelBook, NodeCarrier, Publisher
from tangle.client.node.rest import NodeClient
from tangle.mam import Channel, Mode
from tests.bench import processes

BODY = bytes(n * n % 251 for n in range(1_024))
POSTS = 4
"""messages under way at a time, in both ways"""
SEED = bytes(range(32))
WAYS: tuple[tuple[str, dict[str, int], int, int], ...] = (
    ("default proof of work", {}, 20, 200),
    ("no proof of work", {"min_pow_score": 0}, 100, 2_000),
)
"""name, settings of the node, messages of the small and of the large table"""


def run(small: bool) -> list[dict[str, str]]:
    """Rows as `tests.bench.mam` has them; for the numbers of messages see `WAYS`."""
    rows = []
    for what, settings, few, many in WAYS:
        count = few if small else many
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            with processes.node(directory / "node", log_level="warning", **settings) as server:
                rows.append(asyncio.run(measured(what, directory, server, count, 3 if small else 7)))
    return rows


async def measured(
    what: str, directory: Path, server: processes.Server, count: int, rounds: int
) -> dict[str, str]:
    """Both ways in turns."""
    ours, bare = [], []
    sealed = Channel(SEED, Mode.PRIVATE).reader().addresses[0], bytes(len(BODY) + 184 + 32 * 6)
    async with NodeClient(f"http://127.0.0.1:{server.port}") as node:
        carrier = NodeCarrier(node)
        await carrier.post(*sealed)
        path = directory / "channel.db"
        async with await Publisher.create(path, Channel(SEED, Mode.PRIVATE), carrier, posts=POSTS) as publisher:
            for _ in range(rounds):
                ours.append(await rate(publisher.publish_many([BODY] * count), count))
                bare.append(await rate(all_bare(carrier, *sealed, count), count))
    middle, rival, own_s = statistics.median(ours), statistics.median(bare), book_s(directory, count)
    return {
        "what": f"publish 1 KB through a node, {what}",
        "ours": f"{middle:,.0f}/s ({min(ours):,.0f} … {max(ours):,.0f})",
        "rival": f"{rival:,.0f}/s",
        "ratio": f"{middle / rival:.2f} x",
        "note": f"{count:,} a round; channel code {own_s * 1e6:,.0f} µs of a core each, {own_s * middle:.1%} of "
        "the time; rival: the same bytes posted without a channel",
    }


async def all_bare(carrier: NodeCarrier, tag: bytes, data: bytes, count: int) -> None:
    """Post the same data `count` times."""
    slots = asyncio.Semaphore(POSTS)

    async def one() -> None:
        async with slots:
            await carrier.post(tag, data)

    await asyncio.gather(*(one() for _ in range(count)))


async def rate(work: Awaitable[object], count: int) -> float:
    """Messages per second."""
    start = time.perf_counter()
    await work
    return count / (time.perf_counter() - start)


def book_s(directory: Path, count: int) -> float:
    """Processor seconds of a message for signing, keeping and acknowledging it, as one of `count`."""
    book = ChannelBook.create(directory / "timed.db", Channel(SEED, Mode.PRIVATE))
    start = time.process_time()
    for sealed in book.reserve([BODY] * count):
        book.acknowledge(sealed.index, 0, sealed.address)
    seconds = (time.process_time() - start) / count
    book.close()
    return seconds
