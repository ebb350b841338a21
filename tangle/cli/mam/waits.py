"""What `tangle mam follow` says while nothing comes: that the node is away, or what is waited for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, cast

from tangle.client.channels.subscription import Subscription
from tangle.client.channels.waiting import Waiting
from tangle.client.errors import ClientError
from tangle.client.node.rest import NodeClient
from tangle.mam import Access, Event, Mode, Rejected
from tangle.terminal.streams import note


class Outage:
    """Tells once that a node is away, however often it is asked, until something comes from it again."""

    def __init__(self) -> None:
        self._told = False

    def begun(self, error: ClientError) -> None:
        """A question went unanswered."""
        if not self._told:
            note(f"waiting for the node: {error}")
        self._told = True

    async def ending(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """The same events; each ends the outage."""
        async with aclosing(cast("Any", events)) as ending:
            async for event in ending:
                self._told = False
                yield event


class Waits:
    """Tells what is waited for: when all was read, and when a message turns out to be missing."""

    def __init__(self) -> None:
        self._missing: range | None = None
        self._is_told = False

    def told(self, waiting: Waiting) -> None:
        """All that the node holds was read."""
        if not self._is_told or (waiting.missing is not None and waiting.missing != self._missing):
            note(f"waiting for {waiting}")
        self._missing, self._is_told = waiting.missing, True

    async def warned(self, subscription: Subscription, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """The same events; told once if what comes is junk alone."""
        is_warned = False
        async with aclosing(cast("Any", events)) as ending:
            async for event in ending:
                yield event
                junk = isinstance(event, Rejected) and not subscription.has_read
                if junk and self._is_told and not is_warned:
                    note(f"waiting for {subscription.waiting}")
                    is_warned = True


async def nowhere(client: NodeClient, waiting: Waiting) -> str:
    """Why nothing was read; a root that was taken for that of a public channel may be one of a private channel."""
    access = waiting.access
    if access.mode is Mode.PUBLIC:
        async for _ in client.tagged_blocks(Access(Mode.PRIVATE, access.root).address):
            return f"{waiting}; a private channel of this root has blocks: read it with --mode private"
    return str(waiting)
