"""The one writer: a thread that owns the node, makes its steps durable, and tells of them.

Handlers hand checked blocks over with `submit`, into a bounded queue, and wait. The thread drains whatever has
gathered, attaches it as one batch with one commit (group commit: the more is waiting, the more each disk flush
carries), and wakes all of them. Between batches it does what is due: milestones, confidence, giving up on parents
that never came, and answers questions about what no other thread may look at (`ask`).

A block whose parents are missing is not answered until they come or its time is up. Nobody is told that a block is
safe while it only waits.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from tangle.errors import TangleError
from tangle.node import Node, Outcome, Receipt, Step
from tangle.protocol.blocks import Block
from tangle.protocol.errors import UnknownParent
from tangle.protocol.pow.search import search
from tangle.service.errors import NotWritten, QueueFull
from tangle.store import journal
from tangle.store.events import Event

log = logging.getLogger("tangle.writer")

Answer = Receipt | TangleError
T = TypeVar("T")

TIPS_INTERVAL_S = 0.05
"""seconds between selections of tips, at least; under load a batch takes less, and new tips for each batch would
cost as much as attaching it"""


def commit(node: Node, act: Callable[[], Step]) -> Step:
    """Have `node` take a step and make it durable; returns what is to be told and answered.

    Raises
    ------
    sqlalchemy.exc.SQLAlchemyError : nothing of the step was kept, and the node's memory equals the database again
    """
    try:
        step = act()
        if step.events:
            journal.write(node.engine, step.batch)
    except Exception:
        node.reload()
        raise
    node.publish()
    return step


@dataclass(frozen=True, slots=True)
class WriterSettings:
    """How the writer works.

    Attributes
    ----------
    queue_max : blocks that may wait for the writer
    batch_max : blocks per commit
    parents_wait_ms : how long a block may wait for missing parents
    milestone_interval_ms : between milestones while there is something new; 1,000 at least
    milestone_silence_ms : between milestones when there is nothing new
    confidence_interval_ms : between samplings, at least
    confidence_share : of this thread's time that sampling takes, at most, when blocks keep coming
    coordinator : whether this node issues milestones
    """

    queue_max: int = 10_000
    batch_max: int = 1_000
    parents_wait_ms: int = 3_000
    milestone_interval_ms: int = 1_000
    milestone_silence_ms: int = 10_000
    confidence_interval_ms: int = 500
    confidence_share: float = 0.1
    coordinator: bool = True


@dataclass(slots=True)
class _Entry:
    block: Block
    future: asyncio.Future[Receipt]


@dataclass(slots=True)
class _Parked:
    deadline: float
    futures: list[asyncio.Future[Receipt]] = field(default_factory=list)


class Writer:
    """Runs a `Node` on a thread of its own.

    Parameters
    ----------
    node : used by nobody else, save for its `reading`, from `start` to `stop`
    tell : told on the writer's thread what each commit added, in order of number
    clock : seconds since the Unix epoch, for what is written down
    ticks : seconds that only grow, for what is waited for; a clock that is set back must stop no milestone
    """

    def __init__(
        self,
        node: Node,
        settings: WriterSettings | None = None,
        *,
        tell: Callable[[list[Event]], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.node = node
        self.settings = settings or WriterSettings()
        self.tell = tell
        self.clock = clock
        self.ticks = ticks
        self.failure: Exception | None = None
        self._queue: deque[_Entry] = deque()
        self._ready = threading.Condition()
        self._stopping = False
        self._questions: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._parked: dict[bytes, _Parked] = {}
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._milestone_due = self._silence_due = self._sample_due = self._tips_due = ticks()
        self._fresh = True
        self._tips_stale = False

    @property
    def queued(self) -> int:
        """Blocks that wait for the writer."""
        return len(self._queue)

    @property
    def alive(self) -> bool:
        """Whether the thread runs and its last commit succeeded."""
        return self._thread.is_alive() and self.failure is None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the thread; answers are delivered on `loop`."""
        self._loop = loop
        age = max(self.clock() - self.node.reading.milestone.timestamp, 0.0)
        self._silence_due = self.ticks() + self.settings.milestone_silence_ms / 1000 - age
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, then end the thread; returns when it has ended."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        if self._thread.is_alive():
            self._thread.join()

    async def submit(self, block: Block) -> Receipt:
        """Attach `block`, which has passed `check_block`; returns when it is durable.

        Raises
        ------
        QueueFull, NotWritten : nothing was kept; try again
        AttachError, MilestoneInvalid : the block does not fit the Tangle
        """
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        with self._ready:
            if self._stopping or len(self._queue) >= self.settings.queue_max:
                raise QueueFull
            if not self._queue:  # else the thread is at work and will look into the queue again
                self._ready.notify()
            self._queue.append(_Entry(block, future))
        return await future

    async def ask(self, question: Callable[[], T]) -> T:
        """What `question` returns, asked on the writer's thread between two batches; it should be quick.

        Raises
        ------
        QueueFull : the writer stops
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._ready:
            if self._stopping or not self._thread.is_alive():
                raise QueueFull
            self._questions.append((question, future))
            self._ready.notify()
        return await future

    # On the writer's thread.

    def _run(self) -> None:
        while True:
            entries = self._gather(self._pause())
            if entries:
                self._attach(entries)
            self._reply()
            if self._stopping and not entries:
                self._expire(everything=True)
                self._reply()
                return
            try:
                self._expire()
                self._milestone()
                self._refresh_tips()
                self._sample()
            except Exception as error:
                self.failure = error
                log.exception("a milestone or a confidence sample was not written")

    def _pause(self) -> float:
        """Seconds until something is due."""
        if self._tips_stale:
            return max(self._tips_due - self.ticks(), 0.0)
        return 0.05 if self._parked or self._fresh else 0.2

    def _gather(self, timeout: float) -> list[_Entry]:
        with self._ready:
            if not self._queue and not self._questions and not self._stopping:
                self._ready.wait(timeout)
            count = min(len(self._queue), self.settings.batch_max)
            return [self._queue.popleft() for _ in range(count)]

    def _attach(self, entries: list[_Entry]) -> None:
        try:
            blocks = [entry.block for entry in entries]
            attached = self._commit(partial(self.node.attach, blocks, int(self.clock() * 1000)))
        except Exception as error:
            self.failure = error
            log.exception("a batch of %d blocks was not written", len(entries))
            self._answer([(entry.future, NotWritten()) for entry in entries])
            return
        self.failure = None
        self._fresh = True
        answers: list[tuple[asyncio.Future[Receipt], Answer]] = []
        for entry, answer in zip(entries, attached.answers, strict=True):
            if isinstance(answer, Receipt) and answer.outcome is Outcome.WAITING:
                deadline = self.ticks() + self.settings.parents_wait_ms / 1000
                parked = self._parked.setdefault(entry.block.id, _Parked(deadline))
                parked.futures.append(entry.future)
            else:
                answers.append((entry.future, answer))
        for block_id, answer in attached.released.items():
            waiting = self._parked.pop(block_id, None)
            answers.extend((future, answer) for future in (waiting.futures if waiting else []))
        self._answer(answers)
        self._tips_stale = True

    def _commit(self, act: Callable[[], Step]) -> Step:
        step = commit(self.node, act)
        if step.events:
            self.tell(step.events)
        return step

    def _reply(self) -> None:
        """Answer what was asked."""
        while self._questions:
            question, future = self._questions.popleft()
            try:
                self._settle(partial(_resolve, future, question()))
            except Exception as error:
                self._settle(partial(_reject, future, error))

    def _expire(self, *, everything: bool = False) -> None:
        now = self.ticks()
        overdue = [i for i, parked in self._parked.items() if everything or parked.deadline <= now]
        for block_id in overdue:
            missing = self.node.forget_waiting(block_id)
            error = UnknownParent(missing) if missing else NotWritten()
            self._answer([(future, error) for future in self._parked.pop(block_id).futures])

    def _milestone(self) -> None:
        settings, now = self.settings, self.ticks()
        if not settings.coordinator or now < self._milestone_due:
            return
        self._milestone_due = now + settings.milestone_interval_ms / 1000
        if now >= self._silence_due or self.node.has_news():
            self._commit(partial(self.node.issue, int(self.clock()), partial(search, workers=1)))
            self.failure = None
            self._silence_due = now + settings.milestone_silence_ms / 1000
            self._fresh = self._tips_stale = True

    def _refresh_tips(self) -> None:
        now = self.ticks()
        if self._tips_stale and now >= self._tips_due:
            self.node.refresh_tips()
            self._tips_stale = False
            self._tips_due = now + TIPS_INTERVAL_S

    def _sample(self) -> None:
        now = self.ticks()
        if self._fresh and now >= self._sample_due:
            self._commit(self.node.sample)
            self._fresh = False
            taken = self.ticks() - now
            idle = taken * (1 / self.settings.confidence_share - 1)
            self._sample_due = now + taken + max(idle, self.settings.confidence_interval_ms / 1000)

    def _answer(self, answers: list[tuple[asyncio.Future[Receipt], Answer]]) -> None:
        if answers:
            self._settle(partial(_deliver, answers))

    def _settle(self, act: Callable[[], None]) -> None:
        """Let the event loop do it."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(act)


def _deliver(answers: list[tuple[asyncio.Future[Receipt], Answer]]) -> None:
    for future, answer in answers:
        if future.done():
            continue
        if isinstance(answer, Receipt):
            future.set_result(answer)
        else:
            future.set_exception(answer)


def _resolve(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _reject(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
