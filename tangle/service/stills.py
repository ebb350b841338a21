"""Copies of the window for questions that take long, made now and then and shared.

The writer is asked for a copy when somebody needs one and the last is too old or lacks a block. It spends no more
than SHARE of its time on copying: who asks too often waits. What is asked of a copy is asked at the `desk`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tangle.node import Still
from tangle.service.writer import Writer

AGE_S = 0.5
"""seconds that a copy serves, unless it lacks a block"""
SHARE = 0.05
"""of the writer's time that copying may take"""


class Stills:
    """The newest copy of the window.

    Parameters
    ----------
    ticks : seconds that only grow
    """

    def __init__(self, writer: Writer, ticks: Callable[[], float] = time.monotonic) -> None:
        self._writer = writer
        self._ticks = ticks
        self._last: Still | None = None
        self._old_at = self._next_at = ticks()
        self._asking = asyncio.Lock()

    async def newest(self, number: int | None = None) -> Still:
        """A copy that is not too old to hold the block of that number.

        Raises
        ------
        QueueFull : the writer stops
        """
        async with self._asking:
            still = self._last
            lacking = still is None or (number is not None and number > still.number)
            if still is None or lacking or self._ticks() >= self._old_at:
                await asyncio.sleep(max(self._next_at - self._ticks(), 0.0))
                fresh, taken = await self._writer.ask(self._copy)
                now, still = self._ticks(), fresh
                self._last, self._old_at, self._next_at = still, now + AGE_S, now + taken / SHARE
            return still

    def _copy(self) -> tuple[Still, float]:
        start = self._ticks()
        return self._writer.node.still(), self._ticks() - start
