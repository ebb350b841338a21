"""What fails on the way to the disk: nothing is answered as durable that is not, and the writer recovers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from tangle.audit import audit
from tangle.errors import TangleError
from tangle.node import Outcome, Receipt
from tangle.node.errors import MemoryUnsound
from tangle.protocol.blocks import Block
from tangle.service.errors import NotWritten, Rebuilding
from tangle.service.writer import Writer, WriterSettings, commit
from tangle.store import queries
from tangle.store.events import Event
from tests.networks import T0, Alone, block_on, note, open_node

QUIET = WriterSettings(coordinator=False, confidence_interval_ms=3_600_000)


class Fault:
    """What happens at each COMMIT and BEGIN of a node's engine; set the attributes."""

    def __init__(self, node: Alone) -> None:
        self.begin = self.commit = self.after_commit = self.reading_after = False
        self.begun = 0
        event.listen(node.engine, "begin", self._begin)
        event.listen(node.engine, "commit", self._commit)

    def _begin(self, connection: Connection) -> None:
        self.begun += 1
        if self.begin:
            raise OperationalError("BEGIN", {}, Exception("unable to open database file"))

    def _commit(self, connection: Connection) -> None:
        if self.after_commit:
            connection.exec_driver_sql("COMMIT")
            raise OperationalError("COMMIT", {}, Exception("disk I/O error after the last byte"))
        if self.commit:
            self.begin = self.reading_after
            raise OperationalError("COMMIT", {}, Exception("disk I/O error"))


def there(node: Alone, *blocks: Block) -> list[bool]:
    with node.engine.connect() as connection:
        found = queries.block_numbers(connection, [block.id for block in blocks])
    return [block.id in found for block in blocks]


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came true")


async def patient(writer: Writer, block: Block) -> Receipt:
    """Post until it is answered, as a careful client does."""
    for _ in range(200):
        try:
            return await writer.submit(block)
        except (Rebuilding, NotWritten):
            await asyncio.sleep(0.05)
    pytest.fail("the writer does not recover")


def codes(writer: Writer) -> list[str]:
    return [problem.code for problem in writer.problems()]


def test_memory_that_could_not_be_read_again_answers_nothing(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    fault = Fault(node)
    first = block_on(node.reading.tips(), note("lost"))
    fault.commit = True
    fault.reading_after = True
    with pytest.raises(OperationalError):
        node.add([first])
    assert node.lost
    with pytest.raises(MemoryUnsound):
        node.attach([first])
    with pytest.raises(OperationalError):
        node.add([first])
    fault.begin = fault.commit = False
    child = block_on([first.id], note("child"))
    assert node.add([child]).answers == [Receipt(child.id, Outcome.WAITING)]
    assert node.add([first]).answers == [Receipt(first.id, Outcome.ATTACHED)]
    assert there(node, first, child) == [True, True]
    node.issue_milestone(T0 + 1)
    audit(node.engine)


def test_a_step_begins_only_on_what_is_durable(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    block = block_on(node.reading.tips(), note("never written"))
    node.attach([block])
    for act in (partial(node.attach, [block]), partial(node.issue, T0 + 1), node.sample):
        with pytest.raises(MemoryUnsound, match="never written"):
            act()
    with pytest.raises(MemoryUnsound):
        commit(node, partial(node.attach, [block]))
    assert commit(node, partial(node.attach, [block])).answers == [Receipt(block.id, Outcome.ATTACHED)]


@asynccontextmanager
async def running(node: Alone, told: list[Event], settings: WriterSettings = QUIET) -> AsyncIterator[Writer]:
    writer = Writer(node, settings, tell=told.extend)
    writer.start(asyncio.get_running_loop())
    try:
        yield writer
    finally:
        await asyncio.to_thread(writer.stop)


async def test_until_memory_is_read_again_all_are_told_so_and_then_it_goes_on(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    fault, told = Fault(node), list[Event]()
    tips = node.reading.tips()
    first, orphan = block_on(tips, note("first")), block_on([b"\x09" * 32], note("waits"))
    async with running(node, told) as writer:
        waiting = asyncio.create_task(writer.submit(orphan))
        await until(lambda: node.reading.waiting_count == 1)
        fault.begin = True
        with pytest.raises(Rebuilding):
            await writer.submit(first)
        with pytest.raises(Rebuilding):
            await waiting
        assert codes(writer) == ["rebuilding"]
        for _ in range(3):
            with pytest.raises(Rebuilding):
                await writer.submit(first)
        with pytest.raises(TangleError):
            await writer.ask(node.still)
        tried = fault.begun
        fault.begin = False
        assert (await patient(writer, first)).outcome is Outcome.ATTACHED
        assert not codes(writer)
        assert tried < 20, "attempts have pauses between them"
    assert there(node, first, orphan) == [True, False]
    assert [event.number for event in told] == list(range(told[0].number, told[-1].number + 1))


async def test_what_was_kept_in_spite_of_an_error_is_answered_and_told(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    fault, told = Fault(node), list[Event]()
    async with running(node, told) as writer:
        blocks = [block_on(node.reading.tips(), note(str(number))) for number in range(3)]
        await writer.submit(blocks[0])
        fault.after_commit = True
        assert await writer.submit(blocks[1]) == Receipt(blocks[1].id, Outcome.KNOWN)
        fault.after_commit = False
        await patient(writer, blocks[2])
    assert there(node, *blocks) == [True, True, True]
    solid = [event.block_id for event in told if isinstance(event, queries.SolidEvent)]
    assert solid == [block.id for block in blocks]
    assert all(later.number == earlier.number + 1 for earlier, later in pairwise(told))


async def test_the_teller_may_fail_and_the_answer_stays_true(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    told: list[Event] = []
    failing = [True]

    def tell(events: list[Event]) -> None:
        if failing.pop():
            failing.append(False)
            raise MemoryError
        failing.append(False)
        told.extend(events)

    writer = Writer(node, QUIET, tell=tell)
    writer.start(asyncio.get_running_loop())
    block = block_on(node.reading.tips(), note("kept"))
    assert (await writer.submit(block)).block_id == block.id
    await asyncio.to_thread(writer.stop)
    assert there(node, block) == [True]
    assert [event.number for event in told] == [node.committed]


async def test_a_full_disk_is_tried_again_with_pauses(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    fault, told = Fault(node), list[Event]()
    settings = WriterSettings(milestone_interval_ms=1_000, milestone_silence_ms=1_000)
    fault.commit = True
    async with running(node, told, settings) as writer:
        for number in range(4):
            with pytest.raises(NotWritten):
                await writer.submit(block_on(node.reading.tips(), note(str(number))))
        await asyncio.sleep(0.3)
        assert codes(writer) == ["not_written"]
    fault.commit = False
    assert fault.begun < 60
    assert node.add([block_on(node.reading.tips(), note("room again"))]).answers
    audit(node.engine)


def test_a_long_chain_that_waited_comes_in_at_once(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    chain = [block_on(node.reading.tips(), note("root"))]
    for number in range(3_000):
        chain.append(block_on([chain[-1].id], note(str(number))))
    node.add(chain[:0:-1])
    step = node.add(chain[:1])
    assert len(step.released) == 3_000
    assert all(there(node, *chain))
