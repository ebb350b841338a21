"""Events of the Tangle, followed over server-sent events without a loss and without a repeat.

Every event has a number from one counter, so the last number seen is the whole state of a reader: after a break
the stream is opened again with ``after=<last number>``, and whatever comes at or below it is dropped. Source: the
event stream format of the HTML Living Standard, section 9.2.6; comments keep the connection alive.
"""

from __future__ import annotations

import asyncio
import codecs
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx
import orjson

from tangle.client.errors import ClientError, NodeError, NodeUnreachable, UnexpectedAnswer
from tangle.client.node.transport import Transport, raise_for_status, reason_of
from tangle.protocol.errors import ProtocolError
from tangle.protocol.serial import Fields

T = TypeVar("T")
SILENCE_S = 45.0
"""seconds without a byte, not even a comment, after which a stream counts as broken"""
BACKOFF_S = (0.1, 5.0)
"""seconds before the first attempt to connect again, and at most"""


@dataclass(frozen=True, slots=True)
class StreamMessage:
    """One dispatched message of an event stream; `last_id` stays from earlier messages when it names none."""

    last_id: str
    data: str


class StreamParser:
    """Bytes of an event stream in, in pieces of any size; messages out."""

    def __init__(self) -> None:
        self.last_id = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> Iterator[StreamMessage]:
        """The messages that `piece` completes."""
        text = (self._rest + self._decoder.decode(piece)).replace("\r\n", "\n")
        # A carriage return at the end may be the first half of a line end.
        held = "\r" if text.endswith("\r") else ""
        lines = text[: len(text) - len(held)].replace("\r", "\n").split("\n")
        self._rest = lines.pop() + held
        for line in lines:
            if line:
                self._field(line)
            elif self._data:
                message = StreamMessage(self.last_id, "\n".join(self._data))
                self._data = []
                yield message

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self.last_id = value


async def follow(
    transport: Transport,
    path: str,
    params: Mapping[str, str],
    after: int | None,
    parse: Callable[[Fields], T | None],
    *,
    give_up_after: float | None,
    on_break: Callable[[ClientError], None] | None = None,
) -> AsyncIterator[T]:
    """What a numbered stream tells above number `after`, forever, through breaks of the connection.

    Parameters
    ----------
    parse : makes something of the JSON object of a message; None for what is to be passed over
    give_up_after : seconds of breaks and failures in a row after which the last one is raised; None: never
    on_break : told of every failure that is waited out

    Raises
    ------
    NodeUnreachable, NodeError, UnexpectedAnswer
    """
    last, lost_since, pause = after, None, BACKOFF_S[0]
    while True:
        parser = StreamParser()
        try:
            async for message in _messages(transport, path, params, last, parser):
                lost_since, pause = None, BACKOFF_S[0]
                at, told = _read(transport.url, message, parse)
                if last is not None and at <= last:
                    continue
                last = at
                if told is not None:
                    yield told
            raise NodeUnreachable(transport.url, "the event stream ended")
        except (NodeUnreachable, NodeError) as error:
            if not error.passes:
                raise
            failure = error
        if parser.last_id.isdecimal():
            # An id alone tells where a stream of only new events began, or how far a silent one has come.
            last = max(last or 0, int(parser.last_id))
        now = time.monotonic()
        lost_since = now if lost_since is None else lost_since
        if give_up_after is not None and now - lost_since >= give_up_after:
            raise failure
        if on_break is not None:
            on_break(failure)
        await asyncio.sleep(pause)
        pause = min(2 * pause, BACKOFF_S[1])


async def _messages(
    transport: Transport, path: str, params: Mapping[str, str], after: int | None, parser: StreamParser
) -> AsyncIterator[StreamMessage]:
    """Messages of one connection, until it breaks."""
    place: dict[str, str | int] = {} if after is None else {"after": after}
    if after is not None and transport.store_id:
        place["storeId"] = transport.store_id
    url = transport.url + path
    timeout = httpx.Timeout(SILENCE_S, connect=5.0)
    try:
        async with transport.http.stream(
            "GET", url, params={**params, **place}, headers={"accept": "text/event-stream"}, timeout=timeout
        ) as response:
            if not response.is_success:
                await response.aread()
                raise_for_status(response)
            transport.store_id = transport.store_id or response.headers.get("store-id")
            async for piece in response.aiter_bytes():
                for message in parser.feed(piece):
                    yield message
    except httpx.HTTPError as error:
        raise NodeUnreachable(url, reason_of(error)) from error


def _read(url: str, message: StreamMessage, parse: Callable[[Fields], T | None]) -> tuple[int, T | None]:
    try:
        fields = Fields(orjson.loads(message.data))
        return fields.count("number"), parse(fields)
    except (orjson.JSONDecodeError, ProtocolError) as error:
        raise UnexpectedAnswer(url, f"event stream: {error}") from None
