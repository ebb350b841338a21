"""Turns at what is dear: few at once, a bounded queue for the rest, and fair between those who ask.

Whoever has used least comes next. What somebody has used is the time that his turns took, so many cheap questions
and few dear ones weigh the same; among his own questions the cheapest comes first. A client who was away has no
claim on the time in which he asked nothing: he begins where the others are (start-time fair queueing, Goyal, Vin
and Cheng 1996, with times measured afterwards instead of lengths known before).

Who leaves gives his place up, and nobody waits for ever.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from tangle.service.errors import TooBusy

WAIT_S = 30.0
"""seconds that a question may wait for its turn"""


@dataclass(slots=True)
class _Client:
    """What one client waits for, cheapest first, and how far his turns have brought him, in seconds."""

    used: float
    price: float = 0.0
    running: int = 0
    waiting: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)


class Turns:
    """Turns for clients, on the event loop's thread.

    Parameters
    ----------
    at_once : turns at the same time
    waiting_max : sum of the prices of all that may wait
    client_max : the same of one client
    count_max : how many may wait
    wait_s : seconds after which a question is told to come back
    ticks : seconds that only grow

    Attributes
    ----------
    waiting : questions that wait
    """

    def __init__(
        self,
        at_once: int,
        waiting_max: float,
        client_max: float,
        *,
        count_max: float = math.inf,
        wait_s: float = WAIT_S,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.waiting = 0
        self._free = at_once
        self._waiting_max = waiting_max
        self._client_max = client_max
        self._count_max = count_max
        self._wait_s = wait_s
        self._ticks = ticks
        self._price = 0.0
        self._reached = 0.0
        self._clients: dict[str, _Client] = {}
        self._arrivals = count()

    @asynccontextmanager
    async def turn(self, name: str, price: float = 1.0) -> AsyncIterator[None]:
        """A turn of client `name` for a question of some price. Raises TooBusy."""
        client = self._clients.setdefault(name, _Client(self._reached))
        if not (client.running or client.waiting):
            client.used = max(client.used, self._reached)
        await self._come(client, price)
        began = self._ticks()
        try:
            yield
        finally:
            client.used += self._ticks() - began
            client.running -= 1
            self._free += 1
            self._next()

    async def _come(self, client: _Client, price: float) -> None:
        if self._free and not self.waiting:
            self._free -= 1
            client.running += 1
            return
        if (
            self.waiting >= self._count_max
            or self._price + price > self._waiting_max
            or client.price + price > self._client_max
        ):
            raise TooBusy
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(client.waiting, (price, next(self._arrivals), ready))
        self._queued(client, price, 1)
        try:
            async with asyncio.timeout(self._wait_s):
                await ready
        except (TimeoutError, asyncio.CancelledError) as error:
            if ready.done() and not ready.cancelled():  # the turn came in the moment in which nobody wanted it
                client.running -= 1
                self._free += 1
                self._next()
            elif self._forget(client, ready):
                self._queued(client, -price, -1)
            if isinstance(error, TimeoutError):
                raise TooBusy from None
            raise

    def _next(self) -> None:
        """Give free turns to those who wait."""
        while self._free and self.waiting:
            client = min((one for one in self._clients.values() if one.waiting), key=lambda one: one.used)
            price, _, ready = heappop(client.waiting)
            self._queued(client, -price, -1)
            if ready.done():
                continue
            self._reached = max(self._reached, client.used)
            self._free -= 1
            client.running += 1
            ready.set_result(None)
        self._clients = {
            name: one
            for name, one in self._clients.items()
            if one.waiting or one.running or one.used > self._reached
        }

    def _queued(self, client: _Client, price: float, change: int) -> None:
        client.price += price
        self._price += price
        self.waiting += change

    @staticmethod
    def _forget(client: _Client, ready: asyncio.Future[None]) -> bool:
        """Take what waits out of the queue; whether it still was there."""
        kept = [entry for entry in client.waiting if entry[2] is not ready]
        found = len(kept) < len(client.waiting)
        client.waiting = sorted(kept)
        return found
