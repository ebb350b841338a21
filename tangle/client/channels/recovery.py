"""Where the writer of a channel stood, found from its seed alone.

The writer reads its own channel from the beginning, as a reader that knows all keys. The index behind the last
message is the next to write. Three things make it more than that:

- A message of which some parts are there has used its index up.
- Where all messages of a tree are missing no reader gets beyond it. The writer can compute the trees that follow
  and looks into some of them.
- Messages that were on their way when the state was lost may still come. `skip` leaves some indexes out for them:
  readers see a gap, which is harmless, instead of a fork, which is not.

Source: docs/mam.md, "A writer that lost everything but the seed".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from tangle.client.channels.subscription import GIVE_UP_AFTER_S, Subscription
from tangle.client.node.rest import NodeClient
from tangle.mam import Channel, Fork, Gap, Position, Unreadable, unseal

AHEAD_MESSAGES = 64
"""indexes behind the last message found, one tree at least, in which the writer looks for more"""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the node holds of a channel, and where its writer goes on.

    Attributes
    ----------
    position : of the next message
    counts : how often each event happened, by name as in `Subscription.counts`
    gaps : of messages that the node does not hold
    forks : indexes that two writers have used
    """

    position: Position
    counts: Counter[str]
    gaps: tuple[Gap, ...]
    forks: tuple[Fork, ...]


async def recover(
    node: NodeClient, channel: Channel, *, skip: int = 0, give_up_after: float | None = GIVE_UP_AFTER_S
) -> Recovered:
    """Read a whole channel and tell where its writer stood; see `Publisher.create` for going on.

    Parameters
    ----------
    skip : indexes to leave out if anything was written

    Raises
    ------
    NodeUnreachable, NodeError, UnexpectedAnswer
    """
    found = Recovered(Position(), Counter(), (), ())
    begin: Position | None = Position()
    while begin is not None:
        found = await _read(node, channel, begin, found, give_up_after)
        begin = await _further(node, channel, found.position)
        if begin is not None and begin.index > found.position.index:
            gap = Gap(found.position.index, begin.index - 1)
            found = replace(found, gaps=(*found.gaps, gap))
    written = found.position.index > 0
    return replace(found, position=replace(found.position, index=found.position.index + skip * written))


async def _read(
    node: NodeClient, channel: Channel, begin: Position, before: Recovered, give_up_after: float | None
) -> Recovered:
    """What the channel holds from the tree of a position on."""
    reader = Subscription.of_writer(node, channel, begin, give_up_after=give_up_after)
    events = [event async for event in reader.history()]
    rekeyed_at = before.position.rekeyed_at if reader.rekeyed_at is None else reader.rekeyed_at
    reached = reader.bookmark.start
    position = Position(begin.index if reached is None else reached, rekeyed_at)
    return Recovered(
        await _behind_parts(node, channel, position),
        before.counts + reader.counts,
        (*before.gaps, *(event for event in events if isinstance(event, Gap))),
        (*before.forks, *(event for event in events if isinstance(event, Fork))),
    )


async def _behind_parts(node: NodeClient, channel: Channel, position: Position) -> Position:
    """A position behind the messages in its tree of which only some parts are there."""
    indexes = [index async for index in _indexes(node, channel, position)]
    return replace(position, index=max([position.index, *(index + 1 for index in indexes)]))


async def _further(node: NodeClient, channel: Channel, position: Position) -> Position | None:
    """The first index of a later tree in which something lies, None if nothing does in those near."""
    size = 1 << channel.height
    first = (position.index // size + 1) * size
    for index in range(first, first + max(size, AHEAD_MESSAGES), size):
        there = replace(position, index=index)
        async for _ in _indexes(node, channel, there):
            return there
    return None


async def _indexes(node: NodeClient, channel: Channel, position: Position) -> AsyncIterator[int]:
    """The index of every part that lies under the address of a position."""
    access = channel.access(position)
    async for found in node.tagged_data(access.address):
        try:
            yield unseal(access, access.address, found.data).index
        except Unreadable:
            continue
