"""The writer: group commit, backpressure, waiting blocks, and what happens when the disk refuses."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import text

from tangle.node import Node, NodeSettings, Outcome, Receipt, Step
from tangle.protocol.errors import UnknownParent
from tangle.service.errors import NotWritten, QueueFull
from tangle.service.writer import Writer, WriterSettings
from tangle.store import journal
from tangle.store.engine import open_engine
from tests.networks import T0, block_on, note, open_node

QUIET = WriterSettings(coordinator=False, confidence_interval_ms=3_600_000)


@asynccontextmanager
async def running(node: Node, settings: WriterSettings = QUIET) -> AsyncIterator[Writer]:
    writer = Writer(node, settings)
    writer.start(asyncio.get_running_loop())
    try:
        yield writer
    finally:
        await asyncio.to_thread(writer.stop)


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came true")


def healthy(writer: Writer) -> bool:
    return writer.alive


def stored(node: Node) -> int:
    with node.engine.connect() as connection:
        return journal.block_total(connection)


async def test_what_is_answered_is_on_disk(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    async with running(node) as writer:
        blocks = [block_on(node.reading.tips(), note(str(number))) for number in range(200)]
        receipts = await asyncio.gather(*(writer.submit(block) for block in blocks))
        other = open_node(tmp_path / "t.db")
        assert receipts == [Receipt(block.id, Outcome.ATTACHED) for block in blocks]
        assert stored(other) == 201


async def test_child_before_parent_is_answered_when_the_parent_comes(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    first = block_on(node.reading.tips(), note("first"))
    second = block_on([first.id], note("second"))
    async with running(node) as writer:
        waiting = asyncio.create_task(writer.submit(second))
        again = asyncio.create_task(writer.submit(second))
        await until(lambda: node.reading.waiting_count == 1)
        assert not waiting.done()
        await writer.submit(first)
        assert await waiting == await again == Receipt(second.id, Outcome.ATTACHED)


async def test_parent_that_never_comes_is_named(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    orphan = block_on([b"\x09" * 32], note("orphan"))
    async with running(node, WriterSettings(coordinator=False, parents_wait_ms=50)) as writer:
        with pytest.raises(UnknownParent, match="0x0909"):
            await writer.submit(orphan)
        assert node.reading.waiting_count == 0
    assert stored(node) == 1


async def test_full_queue_refuses_and_keeps_nothing(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    writer = Writer(node, WriterSettings(queue_max=2, coordinator=False))
    tasks = [asyncio.create_task(writer.submit(block_on(node.reading.tips(), note(str(n))))) for n in range(2)]
    await asyncio.sleep(0)
    assert writer.queued == 2
    with pytest.raises(QueueFull):
        await writer.submit(block_on(node.reading.tips(), note("one too many")))
    writer.start(asyncio.get_running_loop())
    await asyncio.gather(*tasks)
    await asyncio.to_thread(writer.stop)
    assert stored(node) == 3
    with pytest.raises(QueueFull):
        await writer.submit(block_on(node.reading.tips(), note("after the stop")))


async def test_refused_commit_is_told_and_healed(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    block = block_on(node.reading.tips(), note("x"))
    with node.engine.begin() as connection:
        connection.execute(
            text("CREATE TRIGGER no_more BEFORE INSERT ON blocks BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
        )
    async with running(node) as writer:
        with pytest.raises(NotWritten):
            await writer.submit(block)
        assert not healthy(writer)
        with node.engine.begin() as connection:
            connection.execute(text("DROP TRIGGER no_more"))
        assert (await writer.submit(block)).outcome is Outcome.ATTACHED
        assert healthy(writer)
    assert not healthy(writer)


async def test_stop_writes_what_is_queued(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    writer = Writer(node, QUIET)
    tasks = [asyncio.create_task(writer.submit(block_on(node.reading.tips(), note(str(n))))) for n in range(50)]
    await asyncio.sleep(0)
    writer.start(asyncio.get_running_loop())
    await asyncio.to_thread(writer.stop)
    await asyncio.gather(*tasks)
    assert stored(node) == 51


async def test_milestones_follow_news_and_otherwise_keep_coming(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    passed = 0.0

    def ticks() -> float:
        return passed

    # The clock on the wall stands an hour back, as after a correction; milestones come and go on in time.
    writer = Writer(node, WriterSettings(milestone_silence_ms=10_000), clock=lambda: T0 - 3_600.0, ticks=ticks)
    writer.start(asyncio.get_running_loop())
    try:
        passed += 5
        await asyncio.sleep(0.5)
        assert node.reading.milestone.index == 1
        await writer.submit(block_on(node.reading.tips(), note("news")))
        passed += 1
        await until(lambda: node.reading.milestone.index == 2)
        passed += 9
        await asyncio.sleep(0.5)
        assert node.reading.milestone.index == 2
        passed += 1
        await until(lambda: node.reading.milestone.index == 3)
        assert node.reading.milestone.timestamp == T0 + 2
    finally:
        await asyncio.to_thread(writer.stop)


async def test_an_old_milestone_is_followed_at_once(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    async with running(node, WriterSettings(milestone_silence_ms=10_000)):
        await until(lambda: node.reading.milestone.index == 2)


async def test_questions_are_answered_between_batches(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")

    def wrong() -> int:
        raise LookupError("nothing here")

    async with running(node) as writer:
        block = block_on(node.reading.tips(), note("one"))
        _, name, high = await asyncio.gather(
            writer.submit(block),
            writer.ask(lambda: threading.current_thread().name),
            writer.ask(lambda: node.still().graph.high),
        )
        assert (name, high) in {("writer", 2), ("writer", 3)}
        with pytest.raises(LookupError):
            await writer.ask(wrong)
        assert writer.alive
    with pytest.raises(QueueFull):
        await writer.ask(lambda: 1)


class Slow(Node):
    """A node whose samplings take a second of a clock that only they move."""

    now = 0.0
    sampled: ClassVar[list[float]] = []

    def sample(self) -> Step:
        self.sampled.append(self.now)
        Slow.now += 1.0
        return Step()


async def test_sampling_keeps_to_its_share(tmp_path: Path) -> None:
    open_node(tmp_path / "t.db").close()
    node = Slow(open_engine(f"sqlite:///{tmp_path / 't.db'}"), NodeSettings(seed=1))
    settings = WriterSettings(coordinator=False, confidence_interval_ms=10, confidence_share=0.2)
    writer = Writer(node, settings, ticks=lambda: Slow.now)
    writer.start(asyncio.get_running_loop())
    try:
        for number in range(60):
            await writer.submit(block_on(node.reading.tips(), note(str(number))))
            await writer.ask(lambda: None)
            Slow.now += 0.5
    finally:
        await asyncio.to_thread(writer.stop)
        node.close()
    gaps = [later - earlier for earlier, later in pairwise(Slow.sampled)]
    assert len(gaps) >= 3
    assert all(gap >= 5.0 for gap in gaps), gaps
