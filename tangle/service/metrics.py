"""How fast the Tangle grows, counted from its events (TIP-25, `metrics` of the node info)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from tangle.service.feed import Feed
from tangle.store.events import Event, MilestoneEvent, ReferencedEvent, SolidEvent

SPAN_S = 10.0
"""seconds over which rates are averaged: at least one milestone even in silence"""


class Metrics:
    """Counts of new and referenced blocks; follows the feed.

    Parameters
    ----------
    now : monotonic seconds

    Attributes
    ----------
    referenced_rate : referenced blocks in percent of the new ones, between the two newest milestones
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.referenced_rate = 0.0
        self._now = now
        self._since = now()
        self._counts: deque[tuple[float, int, int]] = deque()
        self._solid = 0
        self._referenced = 0

    async def run(self, feed: Feed) -> None:
        """Count what the feed tells from now on, until it closes."""
        async for events in feed.follow(feed.last, (SolidEvent, ReferencedEvent, MilestoneEvent)):
            self.add(events)

    def add(self, events: Sequence[Event]) -> None:
        """Count events."""
        solid = referenced = 0
        for event in events:
            if isinstance(event, SolidEvent):
                solid += 1
            elif isinstance(event, ReferencedEvent):
                referenced += 1
            elif isinstance(event, MilestoneEvent):
                self._milestone(solid, referenced)
                self._solid, self._referenced = -solid, -referenced
        self._solid += solid
        self._referenced += referenced
        self._counts.append((self._now(), solid, referenced))
        self._forget()

    def per_second(self) -> tuple[float, float]:
        """New blocks and referenced blocks per second."""
        self._forget()
        span = min(max(self._now() - self._since, 1.0), SPAN_S)
        return sum(row[1] for row in self._counts) / span, sum(row[2] for row in self._counts) / span

    def _milestone(self, solid: int, referenced: int) -> None:
        new = self._solid + solid
        self.referenced_rate = 100.0 * (self._referenced + referenced) / new if new else 0.0

    def _forget(self) -> None:
        oldest = self._now() - SPAN_S
        while self._counts and self._counts[0][0] < oldest:
            self._counts.popleft()
