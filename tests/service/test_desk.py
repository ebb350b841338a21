"""The desk: the same answers here and from another process, a limit of time, and nothing left of who leaves."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tangle.errors import NotFound
from tangle.protocol.errors import UnknownMember
from tangle.service.desk import CLIENT_MAX, Desk
from tangle.service.errors import ReaderEnded, TooBusy, TookTooLong
from tangle.service.reader import Library
from tangle.service.stills import Stills
from tangle.service.writer import Writer
from tangle.store import queries
from tests.networks import block_on, note, open_node
from tests.service.test_door import QUIET


def process(_library: Library) -> int:
    return os.getpid()


def ledger(library: Library) -> int:
    with library.connect() as connection:
        return queries.ledger_index(connection)


def newest(library: Library) -> tuple[int, int]:
    return library.window.number, library.window.confidence(library.window.graph.low, 50, 1)


def sleeps(_library: Library, seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def raises(_library: Library, which: str) -> None:
    raise NotFound("no such thing") if which == "plain" else UnknownMember("payload.x", "is not known")


def dies(_library: Library) -> None:
    os.kill(os.getpid(), 9)


@asynccontextmanager
async def standing(path: Path, *, readers: int, limit_s: float = 60) -> AsyncIterator[Desk]:
    node = open_node(path)
    writer = Writer(node, QUIET)
    writer.start(asyncio.get_running_loop())
    await writer.submit(block_on([bytes(32)], note("one")))
    desk = Desk(node.engine, Stills(writer), readers=readers, limit_s=limit_s, preload=[__name__])
    try:
        yield desk
    finally:
        await desk.stop()
        await asyncio.to_thread(writer.stop)


async def other_process(desk: Desk) -> int:
    """The process that answers, once it does: a slow question brings it."""
    await desk.ask("a", sleeps, 0.1)
    for _ in range(3_000):
        if (pid := await desk.ask("a", process)) != os.getpid():
            return pid
        await asyncio.sleep(0.02)
    raise AssertionError("no other process answers")


async def test_a_thread_answers_a_process_takes_over_and_says_the_same(tmp_path: Path) -> None:
    async with standing(tmp_path / "t.db", readers=1) as desk:
        assert await desk.ask("a", process) == os.getpid()
        here = await desk.ask("a", ledger), await desk.ask_window("a", None, newest)
        pid = await other_process(desk)
        assert (await desk.ask("a", ledger), await desk.ask_window("a", None, newest)) == here
        with pytest.raises(NotFound, match="no such thing"):
            await desk.ask("a", raises, "plain")
        with pytest.raises(UnknownMember) as refused:
            await desk.ask("a", raises, "broken")
        assert refused.value.field == "payload.x"
        assert await desk.ask("a", process) == pid

        # Who leaves takes his question along: the process ends, and another one answers the next.
        leaving = asyncio.ensure_future(desk.ask("a", sleeps, 3_600.0))
        await asyncio.sleep(0.05)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert await desk.ask("b", process) not in {pid, os.getpid()}
        with pytest.raises(ReaderEnded):
            await desk.ask("b", dies)
        assert (await desk.ask("a", ledger), await desk.ask_window("a", None, newest)) == here
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("begin", [other_process, None], ids=["process", "thread"])
async def test_an_answer_has_its_time(tmp_path: Path, begin: Callable[[Desk], Awaitable[int]] | None) -> None:
    limit_s = 0.3 if begin is None else 3.0
    async with standing(tmp_path / "t.db", readers=int(begin is not None), limit_s=limit_s) as desk:
        if begin is not None:
            await begin(desk)
        with pytest.raises(TookTooLong):
            await desk.ask("a", sleeps, limit_s + 0.2)
        assert await desk.ask("a", ledger) == 1


async def test_questions_for_which_there_is_no_turn_soon_are_refused(tmp_path: Path) -> None:
    async with standing(tmp_path / "t.db", readers=0) as desk:
        asked = [asyncio.ensure_future(desk.ask("a", sleeps, 0.2)) for _ in range(1 + CLIENT_MAX)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(TooBusy) as refused:
            await desk.ask("a", ledger)
        assert (refused.value.ending.status, refused.value.passes) == (503, True)
        others = asyncio.ensure_future(desk.ask("b", ledger))
        await asked[0]
        assert await others == 1
        assert desk.waiting > CLIENT_MAX - 10
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        assert desk.waiting == 0
