"""The feed: whole and in order, from memory and from what is read, for those who are slow as well."""

from __future__ import annotations

from tangle.service.feed import Feed
from tangle.store.events import Event, MilestoneEvent, SolidEvent


async def test_silence_is_an_empty_piece() -> None:
    feed = Feed(0, 10, lambda _after, _limit, _types: [])
    following = feed.follow(0, [SolidEvent], silence_s=0.01)
    assert await anext(following) == []
    feed.publish([MilestoneEvent(1, bytes(32), 1, 1), SolidEvent(2, bytes(32))])
    while not (piece := await anext(following)):
        pass
    assert piece == [SolidEvent(2, bytes(32))]


async def test_a_slow_reader_is_served_from_the_database_and_meets_the_ring_without_a_gap() -> None:
    journal: list[Event] = [SolidEvent(number, number.to_bytes(32, "big")) for number in range(1, 3_001)]

    def fetch(after: int, limit: int, types: object) -> list[Event]:
        return [event for event in journal if event.number > after][:limit]

    feed = Feed(0, 100, fetch)
    following = feed.follow(0, [SolidEvent])
    seen: list[int] = []
    for start in range(0, 3_000, 50):
        feed.publish(journal[start : start + 50])
        if start % 1_000 == 0:
            seen.extend(event.number for event in await anext(following))
    while seen[-1] < 3_000:
        seen.extend(event.number for event in await anext(following))
    assert seen == list(range(1, 3_001))
