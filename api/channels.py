"""Public channels as JSON and as server-sent events, with positions from which a reader goes on."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import orjson

from tangle import mam
from tangle.api.problems import BadParameter
from tangle.api.stream import SILENCE, Streaming
from tangle.protocol.serial import to_hex
from tangle.service.decoding import LOOK_S, READ, Heard, Place, Walk
from tangle.service.running import Service

_PLACE = re.compile(r"(?:0x)?([0-9a-f]{64})\.(\d{0,19})\.(\d{1,19})")
_NUMBER_MAX = 2**63 - 1


def place_text(place: Place) -> str:
    """The text that names a place."""
    return f"{place.root.hex()}.{'' if place.index is None else place.index}.{place.number}"


def read_place(text: str, field: str) -> Place:
    """The place that a text names. Raises BadParameter."""
    found = _PLACE.fullmatch(text)
    if found is None or any(int(number or 0) > _NUMBER_MAX for number in found.groups()[1:]):
        raise BadParameter(f"{field}: must be a position that this node has told", field)
    return Place(bytes.fromhex(found[1]), int(found[2]) if found[2] else None, int(found[3]))


def heard_json(heard: Heard) -> dict[str, Any]:
    """A message, a gap or a fork; the body as text where it is UTF-8, otherwise in hexadecimal digits."""
    event = heard.event
    if isinstance(event, mam.Gap):
        return {"type": "gap", "first": event.first, "last": event.last}
    if isinstance(event, mam.Fork):
        return {"type": "fork", "index": event.index, "blockIds": [to_hex(event.first), to_hex(event.second)]}
    json: dict[str, Any] = {
        "type": "message",
        "index": event.index,
        "receivedMs": heard.received_ms,
        "blockIds": [to_hex(source) for source in event.sources],
    }
    try:
        json["text"] = event.body.decode()
    except UnicodeDecodeError:
        json["body"] = to_hex(event.body)
    return json | {"late": True} if event.late else json


class ChannelStream(Streaming):
    """Sends the messages of a public channel, those that are there first."""

    def __init__(self, service: Service, walk: Walk) -> None:
        super().__init__(service)
        self.walk = walk

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Frames; a comment in silence."""
        feed, decoding = self.service.feed, self.service.decoding
        decoding.streams += 1
        try:
            while not feed.closed:
                upto = feed.last
                found = await decoding.advance(self.walk, upto, READ)
                yield self._frames(found.items) or SILENCE
                if not found.more:
                    await self._news(upto)
        finally:
            decoding.streams -= 1

    async def _news(self, after: int) -> None:
        """Returns when there is something new under the addresses, and now and then without."""
        news = self.service.topics.follow(self.walk.addresses, after, silence_s=LOOK_S)
        async with aclosing(news) as pieces:
            await anext(pieces, None)

    def _frames(self, heard: Sequence[Heard]) -> bytes:
        """Only the last frame names the position, for all of them are found by then."""
        items = [heard_json(one) for one in heard]
        frames = [b"event: %s\ndata: %s\n" % (item["type"].encode(), orjson.dumps(item)) for item in items]
        return b"\n".join(frames) + b"id: %s\n\n" % place_text(self.walk.place).encode() if frames else b""
