"""The desk for dear questions: what costs more than a look at one row is asked here, by whoever asks.

    ask ──▶ a turn (bounded, fair between clients) ──▶ a copy of the window, where it is about that
                                                   ──▶ a reader, a process of its own; or a thread of the node

A node that nobody asks much stays one process: its thread answers. The readers are started when somebody has to
wait, or when an answer took longer than `SLOW_S`. A question has `limit_s`; who leaves takes his question along.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine

from tangle.node import Still
from tangle.service.errors import TookTooLong
from tangle.service.reader import Library, Reader
from tangle.service.stills import Stills
from tangle.service.turns import Turns

SLOW_S = 0.05
"""seconds of an answer after which the next ones come from a process of their own"""
WAITING_MAX = 1_024
"""questions that may wait"""
CLIENT_MAX = 256
"""those of one client: wallets that recover send some hundred at once"""

P = ParamSpec("P")
T = TypeVar("T")


class Desk:
    """Where dear questions are asked.

    Parameters
    ----------
    readers : processes that answer; with 0 only a thread of the node does
    limit_s : seconds that an answer may take
    preload : modules that hold the questions
    """

    def __init__(
        self,
        engine: Engine,
        stills: Stills,
        *,
        readers: int,
        limit_s: float,
        preload: Sequence[str] = (),
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._stills = stills
        self._limit_s = limit_s
        self._ticks = ticks
        self._turns = Turns(max(readers, 1), WAITING_MAX, CLIENT_MAX)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="desk")
        url = engine.url.render_as_string(hide_password=False)
        # A database in memory is nobody else's to read.
        shared = engine.url.database not in {None, "", ":memory:"}
        self._idle = [Reader(url, limit_s, preload) for _ in range(readers)] if shared else []
        self._readers = tuple(self._idle)
        self._begun = False

    @property
    def waiting(self) -> int:
        """Questions that wait for their turn."""
        return self._turns.waiting

    async def ask(
        self, client: str, question: Callable[Concatenate[Library, P], T], *args: P.args, **named: P.kwargs
    ) -> T:
        """What `question` returns, asked of the database.

        Parameters
        ----------
        question : a function of a module; what it is given and returns can be pickled

        Raises
        ------
        TooBusy, TookTooLong : try again later
        """
        assert not named, "questions take their arguments in order"
        return await self._ask(client, question, args, _no_window)

    async def ask_window(
        self,
        client: str,
        number: int | None,
        question: Callable[Concatenate[Library, P], T],
        *args: P.args,
        **named: P.kwargs,
    ) -> T:
        """`ask`, with a copy of the window that is not too old to hold the block of that number."""
        assert not named, "questions take their arguments in order"
        return await self._ask(client, question, args, lambda: self._stills.newest(number))

    async def stop(self) -> None:
        """End the readers."""
        for reader in self._readers:
            await asyncio.to_thread(reader.stop)
        self._thread.shutdown(wait=False)

    async def _ask(
        self,
        client: str,
        question: Callable[..., T],
        arguments: tuple[Any, ...],
        window: Callable[[], Awaitable[Still | None]],
    ) -> T:
        if self._turns.waiting:
            self._start()
        async with self._turns.turn(client):
            began = self._ticks()
            try:
                return await self._answer(question, arguments, await window())
            finally:
                if self._ticks() - began > SLOW_S:
                    self._start()

    async def _answer(self, question: Callable[..., T], arguments: tuple[Any, ...], still: Still | None) -> T:
        reader = next((one for one in self._idle if one.ready), None)
        if reader is None:
            asked = partial(question, Library(self._engine, still), *arguments)
            try:
                async with asyncio.timeout(self._limit_s):
                    return await asyncio.get_running_loop().run_in_executor(self._thread, asked)
            except TimeoutError:
                raise TookTooLong(self._limit_s) from None
        self._idle.remove(reader)
        try:
            answer: T = await reader.ask(question, arguments, still)
            return answer
        finally:
            self._idle.append(reader)

    def _start(self) -> None:
        if not self._begun:
            self._begun = True
            for reader in self._readers:
                reader.start()


async def _no_window() -> None:
    return None
