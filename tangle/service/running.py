"""The running node: its parts in one object, started and stopped in order.

Started: the writer, then what follows the feed. Stopped: the feed ends, then the writer writes what is queued.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence

from sqlalchemy import Connection, Engine

from tangle.node.reading import Reading
from tangle.service.clock import ClockWatch, agreed
from tangle.service.decoding import Decoding, reading
from tangle.service.desk import Desk
from tangle.service.directory import read_fund
from tangle.service.door import Door
from tangle.service.errors import PositionAhead, PositionForeign
from tangle.service.faucet import Faucet
from tangle.service.feed import Feed
from tangle.service.founding import OpenNode
from tangle.service.health import Problem
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


class Service:
    """The running parts of a node.

    Parameters
    ----------
    clock : seconds since the Unix epoch
    ticks : seconds that only grow, for what the writer waits for
    questions : modules with what the desk is asked

    Attributes
    ----------
    door : where blocks enter
    feed : what happened, for all who follow
    topics : what was written under tags, for all who follow some
    desk : where dear questions are asked
    decoding : of public channels
    faucet : None when this node gives nothing away
    """

    def __init__(
        self,
        settings: Settings,
        opened: OpenNode,
        clock: Callable[[], float],
        ticks: Callable[[], float],
        questions: Sequence[str] = (),
    ) -> None:
        node = self._node = opened.node
        self.settings = settings
        self.parameters = node.parameters
        self.clock = clock
        self.feed = _feed(node.engine, settings)
        self.topics = _topics(node.engine, self.feed, settings)
        self.metrics = Metrics(time.monotonic)
        self._watch = _watch(settings, opened, clock) if settings.coordinator else None
        self._writer = Writer(
            node,
            settings.writer_settings(),
            tell=self._tell,
            clock=clock,
            ticks=ticks,
            watch=self._watch,
            signed=opened.signed,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self.desk = Desk(
            node.engine,
            Stills(self._writer),
            readers=settings.readers,
            limit_s=settings.answer_limit_s,
            preload=questions,
        )
        self.door = Door(node, self._writer)
        self.work = WorkRoom(
            node.parameters,
            workers=settings.pow_workers,
            concurrency=settings.pow_concurrency,
            queue_max=settings.pow_queue_max,
            hashes_max=settings.pow_hashes_max,
            enabled=settings.pow,
        )
        self.decoding = Decoding(reading(node.engine), lambda: 1_000 * clock(), node.parameters.network_id)
        self.faucet: Faucet | None = None
        if settings.faucet and opened.keys is not None:
            self.faucet = Faucet(
                node, self.door, self.work, opened.keys.faucet, settings, read_fund(settings.data)
            )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start all parts, and stop them in order."""
        loop = self._loop = asyncio.get_running_loop()
        self._writer.start(loop)
        following = [loop.create_task(self.topics.run()), loop.create_task(self.metrics.run(self.feed))]
        paying = loop.create_task(self.faucet.run()) if self.faucet else None
        try:
            yield
        finally:
            self.feed.close()
            await asyncio.gather(*following, return_exceptions=True)
            if paying is not None:
                paying.cancel()
                await asyncio.gather(paying, return_exceptions=True)
            await self.desk.stop()
            await asyncio.to_thread(self._writer.stop)

    @property
    def reading(self) -> Reading:
        """The node as of its last durable step. Take it once for answers that belong together."""
        return self._node.reading

    @property
    def queued(self) -> int:
        """Blocks that wait for the writer."""
        return self._writer.queued

    @property
    def healthy(self) -> bool:
        """Whether blocks are written and milestones come."""
        return not self.problems()

    def problems(self) -> list[Problem]:
        """What keeps this node from being healthy."""
        found, age = self._writer.problems(), self.clock() - self.reading.milestone.timestamp
        if self._watch is not None and self._watch.problem is not None:
            found.append(self._watch.problem)
        elif age > HEALTHY_MILESTONE_AGE_S:
            found.append(Problem("milestone_old", f"the newest milestone is {age:,.0f} s old; the log says why"))
        return found

    @property
    def store_id(self) -> str:
        """Names the journal in which event numbers mean something."""
        return self._node.network.store_id

    def check_position(self, field: str, after: int, store_id: str | None) -> None:
        """Raise PositionForeign or PositionAhead unless this journal may have given the position."""
        if store_id is not None and store_id != self.store_id:
            raise PositionForeign(field, store_id, self.store_id)
        last = self.reading.last
        if after > last:
            raise PositionAhead(field, after, last)

    def connect(self) -> Connection:
        """A connection to read with; use it as a context manager."""
        return self._node.engine.connect()

    def page_size(self, asked: int | None) -> int:
        """Elements of one page of an answer."""
        most = self.settings.page_size_max
        return min(asked or most, most)

    def _tell(self, events: list[Event]) -> None:
        """On the writer's thread: have the feed publish."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(self.feed.publish, events)


def _watch(settings: Settings, opened: OpenNode, clock: Callable[[], float]) -> ClockWatch:
    accepted = bool(settings.accept_clock) and agreed(settings.accept_clock, clock())
    newest = opened.node.reading.milestone.timestamp
    watch = ClockWatch(clock, newest, settings.clock_step_max_s, last=opened.last, accepted=accepted)
    watch.look(newest)
    return watch


def _feed(engine: Engine, settings: Settings) -> Feed:
    def fetch(after: int, limit: int, types: Sequence[type[Event]]) -> list[Event]:
        with engine.connect() as connection:
            return queries.events(connection, after, limit, types)

    with engine.connect() as connection:
        last = journal.next_number(connection) - 1
    return Feed(last, settings.event_ring, fetch)


def _topics(engine: Engine, feed: Feed, settings: Settings) -> Topics:
    def fetch(tags: Collection[bytes], after: int, last: int) -> tuple[Sequence[queries.TaggedBlock], bool]:
        chosen = queries.TaggedFilter(after=after, before=last + 1)
        with engine.connect() as connection:
            page = queries.tagged_page(connection, tags, chosen, PIECE, PIECE_BYTES)
        return page.blocks, page.more

    def news(first: int, last: int, tags: Collection[bytes]) -> Sequence[queries.TaggedBlock]:
        with engine.connect() as connection:
            return queries.tagged_between(connection, first, last, tags)

    return Topics(feed, fetch, news, settings.tag_ring_bytes)
