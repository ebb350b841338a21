"""Data by tag as JSON, and as server-sent events for thousands of listeners.

A block is framed once however many listen. Every frame carries its number, and so do the opening and the comments
in silence: a listener that was disconnected goes on with ``?after=`` or ``Last-Event-ID``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from functools import partial

import orjson

from tangle.api.frames import Frames
from tangle.api.stream import Streaming
from tangle.protocol import peek
from tangle.protocol.answers import FoundData
from tangle.service.running import Service
from tangle.store.queries import TaggedBlock


def frame(one: TaggedBlock) -> bytes:
    """One message of the stream."""
    found = FoundData(one.number, one.block_id, one.tag, peek.tagged_data(one.data), one.received_at)
    json = orjson.dumps(found.to_json())
    return b"id: %d\nevent: block\ndata: %s\n\n" % (one.number, json)


def framed(frames: Frames, blocks: Sequence[TaggedBlock]) -> Iterator[bytes]:
    """The messages of some blocks, each made once."""
    return (frames.of(block.number, partial(frame, block)) for block in blocks)


class TagStream(Streaming):
    """Sends what lies under some tags."""

    def __init__(self, service: Service, frames: Frames, tags: Sequence[bytes], after: int) -> None:
        super().__init__(service)
        self.frames = frames
        self.tags = tags
        self.after = after

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Frames; an id alone, which moves the position on, at the beginning and in silence."""
        yield b"id: %d\n\n" % self.after
        async with aclosing(self.service.topics.follow(self.tags, self.after)) as pieces:
            async for seen, piece in pieces:
                yield b"".join(framed(self.frames, piece)) or b"id: %d\n\n" % seen
