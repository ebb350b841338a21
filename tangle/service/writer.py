"""The one writer: a thread that owns the node, makes its steps durable, and tells of them.

Handlers hand checked blocks over with `submit`, into a bounded queue, and wait. The thread drains whatever has
gathered, attaches it as one batch with one commit (group commit: the more is waiting, the more each disk flush
carries), and wakes all of them. Between batches it does what is due: milestones, confidence, giving up on parents
that never came, and answers questions about what no other thread may look at (`ask`).

When a step or its commit fails, memory is dropped and read again before anything else is answered; what of the
step was kept is looked up in the database. Where that fails as well, all are answered `Rebuilding`, and it is
tried again after a while. Blocks that waited for parents are given up then; their senders send them again.

A block whose parents are missing is not answered until they come or its time is up. Nobody is told that a block is
safe while it only waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from tangle.errors import TangleError
from tangle.node import Node, Outcome, Receipt, Step
from tangle.protocol.blocks import Block
from tangle.protocol.errors import UnknownParent
from tangle.protocol.pow.search import search
from tangle.service.clock import ClockWatch
from tangle.service.errors import NotWritten, QueueFull, Rebuilding
from tangle.service.health import Problem
from tangle.service.signed import Signed
from tangle.store import journal, queries
from tangle.store.events import Event

log = logging.getLogger("tangle.writer")

Answer = Receipt | TangleError
T = TypeVar("T")

TIPS_INTERVAL_S = 0.05
"""seconds between selections of tips, at least; under load a batch takes less, and new tips for each batch would
cost as much as attaching it"""


RETRY_S = 0.05, 5.0
"""seconds between two attempts to write after the second failure in a row, and at most"""


def commit(node: Node, act: Callable[[], Step]) -> Step:
    """Have `node` take a step and make it durable; returns what is to be told and answered.

    When this raises, the database says what was kept. The node's memory equals it again, unless `node.lost`: then
    the next call begins by reading it.
    """
    if node.lost:
        node.reload()
    try:
        step = act()
        if step.events:
            journal.write(node.own, step.batch)
        node.publish()
    except BaseException:
        node.lose()
        with contextlib.suppress(Exception):
            node.reload()
        raise
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
    watch : says when the clock is not to be believed; None believes it
    signed : where it is written down, before, which milestone is signed
    """

    def __init__(
        self,
        node: Node,
        settings: WriterSettings | None = None,
        *,
        tell: Callable[[list[Event]], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        watch: ClockWatch | None = None,
        signed: Signed | None = None,
    ) -> None:
        self.node = node
        self.watch = watch
        self.signed = signed
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
        self._told = node.committed
        self._failures = 0
        self._retry_due = ticks()

    @property
    def queued(self) -> int:
        """Blocks that wait for the writer."""
        return len(self._queue)

    @property
    def alive(self) -> bool:
        """Whether the thread runs and its last commit succeeded."""
        return not self.problems()

    def problems(self) -> list[Problem]:
        """What keeps blocks from being written."""
        if not self._thread.is_alive():
            return [
                Problem("writer_stopped", "nothing is written: the node stops, or its log says why; restart it")
            ]
        if self.node.lost:
            found = "a write failed and the database cannot be read again yet; this is tried by itself"
            return [Problem("rebuilding", f"{found}. The failure was: {_cause(self.failure)}")]
        if self.failure is not None:
            return [
                Problem("not_written", f"the last write failed; this is tried by itself: {_cause(self.failure)}")
            ]
        return []

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
        Rebuilding : nobody knows yet whether it was kept; try again
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
        try:
            self._work()
        finally:  # when it stops, and should anything ever end it: nobody may wait for ever
            with self._ready:
                self._stopping = True
                left = [entry.future for entry in self._queue]
                self._queue.clear()
            left += [future for parked in self._parked.values() for future in parked.futures]
            self._answer([(future, Rebuilding()) for future in left])
            self._reply()

    def _work(self) -> None:
        while True:
            entries = self._gather(self._pause())
            try:
                self._turn(entries)
            except Exception as error:
                self._fail(error, entries)
            self._reply()
            if self._stopping and not entries:
                with contextlib.suppress(TangleError):
                    self._expire(everything=True)
                self._reply()
                return

    def _turn(self, entries: list[_Entry]) -> None:
        if self._failures and not self._recovered():
            refused: TangleError = Rebuilding() if self.node.lost else NotWritten()
            self._answer([(entry.future, refused) for entry in entries])
            return
        if entries:
            self._attach(entries)
        if not self._stopping:
            self._expire()
            self._milestone()
            self._refresh_tips()
            self._sample()

    def _recovered(self) -> bool:
        """Whether memory is sound again and it is time to try to write."""
        if self.ticks() < self._retry_due:
            return False
        if self.node.lost:
            self.node.reload()
            self._tell_missed()
            log.warning("memory was read from the database again; the node goes on")
        return True

    def _fail(self, error: Exception, entries: list[_Entry]) -> None:
        """After a step or its commit failed: answer by what the database says, or say that nobody knows yet."""
        self.failure = error
        self._failures += 1
        least, most = RETRY_S
        pause = min(least * 2 ** min(self._failures - 2, 10), most) if self._failures > 1 else 0.0
        self._retry_due = self.ticks() + pause
        trace = None if isinstance(error, SQLAlchemyError | OSError) else error
        log.error("a write failed: %s", _cause(error), exc_info=trace)
        doubtful = [(entry.block.id, entry.future) for entry in entries]
        if self._parked:  # and so that none of them comes in after all when it was given up
            self.node.lose()
        for block_id, parked in self._parked.items():
            doubtful += ((block_id, future) for future in parked.futures)
        self._parked.clear()
        futures = (future for _, future in doubtful)
        self._answer(list(zip(futures, self._kept(doubtful), strict=True)))

    def _kept(self, doubtful: list[tuple[bytes, asyncio.Future[Receipt]]]) -> list[Answer]:
        """What to say of blocks that a failed step may have held."""
        try:
            if self.node.lost:
                self.node.reload()
            with self.node.own.reading() as connection:
                kept = queries.block_numbers(connection, {block_id for block_id, _ in doubtful})
            self._tell_missed()
        except Exception:
            self.node.lose()
            return [Rebuilding()] * len(doubtful)
        return [Receipt(block_id, Outcome.KNOWN) if block_id in kept else NotWritten() for block_id, _ in doubtful]

    def _tell_missed(self) -> None:
        """Tell what is durable and was not told, because something failed after the commit."""
        while self._told < self.node.committed:
            with self.node.own.reading() as connection:
                missed = queries.events(connection, self._told, 1_000)
            self._tell_of(missed)

    def _tell_of(self, events: list[Event]) -> None:
        if events:
            self.tell(events)
            self._told = events[-1].number

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
        blocks = [entry.block for entry in entries]
        attached = self._commit(partial(self.node.attach, blocks, int(self.clock() * 1000)))
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
        self._tell_of(step.events)
        if step.events:
            self.failure = None
            self._failures = 0
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
        at = self.clock() if self.watch is None else self.watch.look(self.node.reading.milestone.timestamp)
        if self.watch is not None and self.watch.held:
            return
        if now >= self._silence_due or self.node.has_news():
            self._issue(int(at))
            self._silence_due = now + settings.milestone_silence_ms / 1000
            self._fresh = self._tips_stale = True

    def _issue(self, at: int) -> None:
        index = self.node.reading.milestone.index + 1
        if self.signed is not None and self.watch is not None:
            self.signed.signing(index, self.watch.now())
        self._commit(partial(self.node.issue, at, partial(search, workers=1)))
        if self.signed is not None:
            self.signed.kept(index)

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


def _cause(error: Exception | None) -> str:
    """What failed, in one line; what the database library adds to it would show whole blocks."""
    text = str(getattr(error, "orig", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__


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
