"""Data by tag as JSON, and as server-sent events for thousands of listeners.

A block is framed once however many listen. Every frame carries its number, and so do the opening and the comments
in silence: a listener that was disconnected goes on with ``?after=`` or ``Last-Event-ID``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import orjson

from tangle.api.stream import Streaming
from tangle.protocol import peek
from tangle.protocol.answers import FoundData
from tangle.service.running import Service
from tangle.store.queries import TaggedBlock

FRAMES_BYTES = 4 * 2**20
"""bytes of frames kept for all listeners together"""


def frame(one: TaggedBlock) -> bytes:
    """One message of the stream."""
    found = FoundData(one.number, one.block_id, one.tag, peek.tagged_data(one.data), one.received_at)
    json = orjson.dumps(found.to_json())
    return b"id: %d\nevent: block\ndata: %s\n\n" % (one.number, json)


class Frames:
    """The newest frames, by number, for all who listen.

    Parameters
    ----------
    kept_bytes : of frames
    """

    def __init__(self, kept_bytes: int = FRAMES_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._frames: OrderedDict[int, bytes] = OrderedDict()
        self._size = 0

    def of(self, block: TaggedBlock) -> bytes:
        """The frame of a block."""
        text = self._frames.get(block.number)
        if text is None:
            text = self._frames[block.number] = frame(block)
            self._size += len(text)
            while self._size > self._kept_bytes:
                self._size -= len(self._frames.popitem(last=False)[1])
        return text


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
                yield b"".join(map(self.frames.of, piece)) or b"id: %d\n\n" % seen
