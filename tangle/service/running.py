"""The running node: its parts in one object, started and stopped in order.

Started: the writer, then what follows the feed. Stopped: the feed ends, then the writer writes what is queued.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from tangle.node import Node
from tangle.protocol.keys import Keys
from tangle.service.decoding import Decoding
from tangle.service.door import Door
from tangle.service.faucet import Faucet
from tangle.service.feed import Feed
from tangle.service.founding import OpenNode
from tangle.service.metrics import Metrics
from tangle.service.settings import Settings
from tangle.service.stills import Stills
from tangle.service.topics import PIECE, PIECE_BYTES, Topics
from tangle.service.work import WorkRoom
from tangle.service.writer import Writer
from tangle.store import journal, queries
from tangle.store.events import Event

HEALTHY_MILESTONE_AGE_S = 300
"""seconds; TIP-25 `/health`"""


@dataclass(slots=True)
class Service:
    """The running parts of a node.

    Attributes
    ----------
    door : where blocks enter
    feed : what happened, for all who follow
    topics : what was written under tags, for all who follow some
    clock : seconds since the Unix epoch
    faucet : None when this node gives nothing away
    stills : for questions about the graph
    decoding : of streams of public channels
    """

    settings: Settings
    node: Node
    writer: Writer
    door: Door
    feed: Feed
    topics: Topics
    metrics: Metrics
    work: WorkRoom
    clock: Callable[[], float]
    faucet: Faucet | None = None
    stills: Stills = field(init=False)
    decoding: Decoding = field(init=False)

    def __post_init__(self) -> None:
        self.stills = Stills(self.writer)
        self.decoding = Decoding()

    @property
    def healthy(self) -> bool:
        """Whether blocks are written and milestones come."""
        age = self.clock() - self.node.reading.milestone.timestamp
        return self.writer.alive and age <= HEALTHY_MILESTONE_AGE_S

    def connect(self) -> Connection:
        """A connection to read with; use it as a context manager."""
        return self.node.engine.connect()


def feed_of(node: Node, settings: Settings) -> Feed:
    """The feed of a node's events."""

    def fetch(after: int, limit: int, types: Sequence[type[Event]]) -> list[Event]:
        with node.engine.connect() as connection:
            return queries.events(connection, after, limit, types)

    with node.engine.connect() as connection:
        last = journal.next_number(connection) - 1
    return Feed(last, settings.event_ring, fetch)


def topics_of(node: Node, feed: Feed, settings: Settings) -> Topics:
    """The topics of a node's blocks."""

    def fetch(tags: Collection[bytes], after: int, last: int) -> tuple[Sequence[queries.TaggedBlock], bool]:
        chosen = queries.TaggedFilter(after=after, before=last + 1)
        with node.engine.connect() as connection:
            page = queries.tagged_page(connection, tags, chosen, PIECE, PIECE_BYTES)
        return page.blocks, page.more

    def news(first: int, last: int, tags: Collection[bytes]) -> Sequence[queries.TaggedBlock]:
        with node.engine.connect() as connection:
            return queries.tagged_between(connection, first, last, tags)

    return Topics(feed, fetch, news, settings.tag_ring_bytes)


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    opened: OpenNode,
    clock: Callable[[], float] = time.time,
    ticks: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Service]:
    """Start the parts of a node that is open, and stop them in order; the clocks are those of the writer."""
    loop = asyncio.get_running_loop()
    node = opened.node
    feed = feed_of(node, settings)
    topics, metrics = topics_of(node, feed, settings), Metrics(time.monotonic)

    def from_writer(events: list[Event]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(feed.publish, events)

    writer = Writer(node, settings.writer_settings(), tell=from_writer, clock=clock, ticks=ticks)
    door = Door(node, writer)
    work = WorkRoom(
        node.parameters,
        workers=settings.pow_workers,
        concurrency=settings.pow_concurrency,
        queue_max=settings.pow_queue_max,
        enabled=settings.pow,
    )
    faucet = None
    if settings.faucet and opened.keys is not None:
        faucet = Faucet(node, door, work, Keys.from_mnemonic(opened.keys.mnemonic).derive(), settings)
    writer.start(loop)
    following = [loop.create_task(topics.run()), loop.create_task(metrics.run(feed))]
    paying = loop.create_task(faucet.run()) if faucet else None
    try:
        yield Service(settings, node, writer, door, feed, topics, metrics, work, clock, faucet)
    finally:
        feed.close()
        await asyncio.gather(*following, return_exceptions=True)
        if paying is not None:
            paying.cancel()
            await asyncio.gather(paying, return_exceptions=True)
        await asyncio.to_thread(writer.stop)
