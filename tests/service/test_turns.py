"""Turns: bounded, fair between clients by what their turns took, and given back by who leaves."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tangle.service.errors import TooBusy
from tangle.service.turns import Turns


class Room:
    """Turns under a clock of our own: each takes as many seconds as it costs."""

    def __init__(self, at_once: int = 1, waiting_max: float = 100, client_max: float = 100) -> None:
        self.now = 0.0
        self.served: list[str] = []
        self.turns = Turns(at_once, waiting_max, client_max, ticks=lambda: self.now)

    async def take(self, name: str, cost: float = 1.0) -> None:
        async with self.turns.turn(name, cost):
            self.served.append(name)
            await asyncio.sleep(0)
            self.now += cost

    def asks(self, name: str, *costs: float) -> list[asyncio.Task[None]]:
        return [asyncio.ensure_future(self.take(name, cost)) for cost in costs]


async def settled() -> None:
    """Let everything that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_many_questions_of_one_do_not_hold_up_another() -> None:
    room = Room()
    many = room.asks("many", *[1.0] * 20)
    await asyncio.sleep(0)
    few = room.asks("few", 1.0, 1.0)
    await asyncio.gather(*many, *few)
    assert room.served[:5].count("few") == 2
    assert room.turns.waiting == 0


async def test_dear_questions_weigh_as_much_as_many_cheap_ones() -> None:
    room = Room()
    tasks = [*room.asks("dear", *[10.0] * 4), *room.asks("cheap", *[1.0] * 40)]
    await asyncio.gather(*tasks)
    assert Counter(room.served) == {"dear": 4, "cheap": 40}
    second = [i for i, name in enumerate(room.served) if name == "dear"][1]
    assert 5 <= room.served[:second].count("cheap") <= 15


async def test_who_was_away_has_no_claim_on_the_past() -> None:
    room = Room()
    await asyncio.gather(*room.asks("early", *[1.0] * 30))
    tasks = [*room.asks("early", *[1.0] * 10), *room.asks("late", *[1.0] * 10)]
    await asyncio.gather(*tasks)
    assert 3 <= room.served[30:40].count("early") <= 7


async def test_the_cheapest_of_ones_own_comes_first() -> None:
    room = Room()
    order: list[float] = []

    async def take(cost: float) -> None:
        async with room.turns.turn("one", cost):
            order.append(cost)
            await asyncio.sleep(0)

    await asyncio.gather(*map(take, (5.0, 9.0, 1.0, 4.0)))
    assert order == [5.0, 1.0, 4.0, 9.0]


async def test_what_waits_is_bounded_in_all_and_for_each() -> None:
    room = Room(waiting_max=10, client_max=6)
    async with room.turns.turn("a", 100.0):
        waiting = room.asks("a", 5.0)
        await asyncio.sleep(0)
        with pytest.raises(TooBusy):
            await room.take("a", 2.0)
        waiting += room.asks("b", 5.0)
        await asyncio.sleep(0)
        with pytest.raises(TooBusy):
            await room.take("c", 1.0)
    await asyncio.gather(*waiting)
    await room.take("c", 1_000.0)
    assert sorted(room.served) == ["a", "b", "c"]


async def test_who_leaves_gives_the_place_back() -> None:
    room = Room(waiting_max=2, client_max=2)
    async with room.turns.turn("holder"):
        for _ in range(5):
            leaving = room.asks("a", 1.0, 1.0)
            await settled()
            assert room.turns.waiting == 2
            for task in leaving:
                task.cancel()
            await asyncio.gather(*leaving, return_exceptions=True)
            assert room.turns.waiting == 0
        waiting = room.asks("b", 1.0)
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert room.served == ["b"]


async def test_a_turn_that_comes_to_one_who_leaves_goes_on_to_the_next() -> None:
    room = Room()
    async with room.turns.turn("a"):
        leaving = room.asks("b", 1.0)
        waiting = room.asks("c", 1.0)
        await settled()
    leaving[0].cancel()  # its turn has come, and it has not run since
    await asyncio.gather(*leaving, *waiting, return_exceptions=True)
    assert room.served == ["c"]
    await room.take("d")


async def test_nobody_waits_for_ever() -> None:
    turns = Turns(1, 10, 10, wait_s=0.01)
    async with turns.turn("holder"):
        with pytest.raises(TooBusy):
            async with turns.turn("other"):
                pass
    assert turns.waiting == 0
