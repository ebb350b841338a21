"""Connections, and what each may take: a place, seconds and bytes.

uvicorn reads requests and writes answers. It bounds neither how many connections one client has, nor how long a
request may take to come, nor how large its header is, nor how long an answer may lie unread. This layer does, on
uvicorn's own protocol:

- A place is kept by who uses it. When all are taken, the connection that has waited longest for a request makes
  room; only where every one is busy the newcomer is refused. So silent connections shut nobody out.
- What a client owes has a time: the header of a request, its body. What it is sent must move. These are looked at
  twice a second for all connections together, which costs a request less than a timer of its own.
- Answers that nobody reads share one budget of memory. Who has kept one unread for longest pays first. The next
  request of a connection is read when the answer before it has gone.

A request that breaks a bound is refused in the form of all errors, then the connection is closed: the rest of what
the client sends is dropped for a moment, since closing at once would take the refusal away from it.

Another server was no shorter way. hypercorn and granian bound some of this (the header's bytes, the time of a
header), but no places per client, no unread answers and no eviction, so that a layer would be needed there too;
hypercorn parses in plain Python, and granian keeps the sockets to itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from itertools import islice
from typing import Any, cast

import httptools
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from tangle.api import problems
from tangle.api.clients import client_of, share_of
from tangle.api.gate import DEFAULTS
from tangle.api.problems import (
    HeaderTooLarge,
    RequestMalformed,
    RequestSlow,
    TooManyConnections,
    TooManyOfClient,
    UrlTooLong,
)
from tangle.errors import TangleError
from tangle.service import descriptors
from tangle.service.settings import Settings

LOOK_S = 0.5
"""seconds between two looks at all connections"""
KEEP_ALIVE_S = 120
"""seconds that an idle connection is kept: longer than clients keep theirs (90 s is common), so that it is always
the client who closes, and no request ever meets a connection that has just gone"""
LINGER_S = 5
"""seconds in which what a refused client still sends is dropped, before the connection is cut"""
LINGER_BYTES = 2**20
"""bytes of it"""
PIPELINED_MAX = 100
"""requests of one connection that may wait behind one another"""
REFUSED_MAX = 64
"""connections without a place that are told so at the same time; more are cut"""
HEAD, BODY, NOTHING = range(3)
"""what is awaited from a client; plain numbers, for each request meets them some ten times"""
GRACE_S = 0.5
"""seconds that an answer may lie unread even when memory is short"""


@dataclass(frozen=True)
class Bounds:
    """What connections may take; see the settings of these names."""

    settings: Settings
    connections: int

    @classmethod
    def of(cls, settings: Settings) -> Bounds:
        """Those of the settings, as far as this process may open files."""
        return cls(settings, min(settings.connections_max, descriptors.for_clients()))

    def places(self, host: str, client: str) -> int:
        """How many connections a client may have; a proxy's are those of many."""
        if self.settings.trusted_proxies and _is_among(host, self.settings.trusted_proxies):
            return self.connections
        return share_of(client, self.settings.connections_per_client_max, self.connections)


class Connections:
    """All connections of a server. Belongs to the event loop's thread.

    Attributes
    ----------
    unread : bytes of answers that wait to be read
    """

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.unread = 0
        self._open: set[Connection] = set()
        self._refused: set[Connection] = set()
        self._count: Counter[str] = Counter()
        # In order of the time since which they wait for a request.
        self._idle: OrderedDict[Connection, None] = OrderedDict()
        self._idle_of: dict[str, OrderedDict[Connection, None]] = {}
        # In order of the time since which their answers are too long to be sent at once.
        self._full: OrderedDict[Connection, None] = OrderedDict()

    async def watch(self) -> None:
        """Look at all connections now and then, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_S)
            now = loop.time()
            for connection in (*self._open, *self._refused):
                connection.look(now)
            if self._is_short:
                self._relieve(sorted((one for one in self._open if one.unread), key=_full_since), now)

    def admit(self, connection: Connection, host: str) -> TangleError | None:
        """Give a new connection a place; the reason where there is none."""
        client = connection.peer
        most = self.bounds.places(host, client)
        refusal: TangleError | None = None
        if self._count[client] >= most and not self._make_room(self._idle_of[client]):
            refusal = TooManyOfClient(f"one client may have {most} connections at a time")
        elif len(self._open) >= self.bounds.connections and not self._make_room(self._idle):
            refusal = TooManyConnections("all connections that this node takes are busy")
        if refusal is None:
            self._open.add(connection)
            self._count[client] += 1
            self.rests(connection)
        elif len(self._refused) < REFUSED_MAX:
            self._refused.add(connection)
        else:
            connection.transport.abort()
        return refusal

    def rests(self, connection: Connection) -> None:
        """A connection waits for a request."""
        if connection in self._open:
            self._idle[connection] = None
            self._idle_of.setdefault(connection.peer, OrderedDict())[connection] = None

    def works(self, connection: Connection) -> None:
        """A request has come on it."""
        if self._idle.pop(connection, connection) is None:
            del self._idle_of[connection.peer][connection]

    def leaves(self, connection: Connection) -> None:
        """A connection is gone, or is going."""
        self.works(connection)
        self.drained(connection)
        self.unread -= connection.unread
        connection.unread = 0
        self._refused.discard(connection)
        if connection in self._open:
            self._open.remove(connection)
            self._count[connection.peer] -= 1
            if not self._count[connection.peer]:
                del self._count[connection.peer]
                self._idle_of.pop(connection.peer, None)

    def filled(self, connection: Connection, now: float) -> None:
        """The answer of a connection is longer than what goes out at once."""
        self._full[connection] = None
        if self._is_short:
            self._relieve(list(self._full), now)

    def drained(self, connection: Connection) -> None:
        """It has gone out."""
        self._full.pop(connection, None)

    @property
    def _is_short(self) -> bool:
        return self.unread > self.bounds.settings.unread_bytes_max

    def _relieve(self, eldest: Iterable[Connection], now: float) -> None:
        """Cut off those who have left an answer unread for longest, until there is memory again."""
        for connection in eldest:
            if not self._is_short or now - connection.full_since < GRACE_S:
                return
            self.leaves(connection)
            connection.transport.abort()

    def _make_room(self, idle: OrderedDict[Connection, None]) -> bool:
        """Cut off the one that has waited longest for a request; its client has been answered."""
        for connection in islice(idle, 8):
            if not connection.transport.get_write_buffer_size():
                self.leaves(connection)
                connection.transport.abort()
                return True
        return False


class Config(uvicorn.Config):
    """uvicorn's configuration, and the connections that this layer keeps."""

    def __init__(self, app: ASGIApp, connections: Connections, **options: Any) -> None:
        super().__init__(app, http=Connection, **options)
        self.connections = connections


class Connection(HttpToolsProtocol):
    """One connection.

    Attributes
    ----------
    peer : the client at its other end
    unread : bytes that were in its buffer when it was last looked at
    full_since : since when there were some
    """

    config: Config

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.all = config.connections
        self.limits = config.connections.bounds.settings
        self.peer = ""
        self.url = b""
        self.unread = 0
        self.full_since = self._moved = self._since = self.loop.time()
        self._owed = HEAD
        self._active: RequestResponseCycle | None = None
        self._piece = 0
        # Bytes of this header, or those since the last byte of the body.
        self._around = 0
        self._begun = False
        self._held = False
        self._refusal: TangleError | None = None
        self._told = False
        self._dropped = 0

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, or be refused."""
        super().connection_made(cast("asyncio.Transport", transport))
        host = self.client[0] if self.client else ""
        self.peer = client_of(host)
        refusal = self.all.admit(self, host)
        if refusal is not None:
            self._refuse(refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        """Free the place, and tell the request that is under way: uvicorn tells the newest one only."""
        self.all.leaves(self)
        self.pipeline.clear()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        if self._active is not None:
            self._forget(self._active)

    def data_received(self, data: bytes) -> None:
        """Read what came, as far as it may be read."""
        if self._refusal is not None:
            self._dropped += len(data)
            if self._dropped > LINGER_BYTES:
                self.transport.abort()
            return
        self._unset_keepalive_if_required()
        self._piece = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No other protocol is spoken here. The request is answered; what follows it is no HTTP.
            self.cycle.keep_alive = False
        except httptools.HttpParserError as error:
            reason = error.__context__
            told = reason if isinstance(reason, TangleError) else RequestMalformed("the request is no HTTP/1.1")
            self._refuse(told)
            return
        self._around += self._piece
        if self._owed != NOTHING and self._around > self.limits.head_bytes_max:
            self._refuse(self._too_large())

    def pause_writing(self) -> None:
        """Count what the client has not read."""
        super().pause_writing()
        now = self.loop.time()
        self._count_unread(now)
        self.all.filled(self, now)

    def resume_writing(self) -> None:
        """Go on with the next request, if one was held."""
        self._count_unread(self.loop.time())
        self.all.drained(self)
        super().resume_writing()
        if self._held:
            self._held = False
            self._go_on()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._begun = True
        self._owed = HEAD
        self._since = self.loop.time()
        self._around = -self._piece

    def on_url(self, url: bytes) -> None:
        """A part of the URL. Raises UrlTooLong."""
        super().on_url(url)
        if len(self.url) > self.limits.url_bytes_max:
            raise self._too_large()

    def on_headers_complete(self) -> None:
        """The request can begin. Raises HeaderTooLarge, TooManyOfClient."""
        most = self.limits.head_bytes_max
        if (self._piece > most or self._around + self._piece > most) and self._head_bytes() > most:
            raise self._too_large()
        if len(self.pipeline) >= PIPELINED_MAX:
            raise TooManyOfClient(f"at most {PIPELINED_MAX} requests may wait on one connection")
        self._owed = BODY
        self._since = self.loop.time()
        self.all.works(self)
        super().on_headers_complete()
        # What comes behind the body is no header: the request keeps its list, and the parser fills another.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._around = -self._piece
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here."""
        super().on_message_complete()
        self._owed = NOTHING
        if self.cycle.response_complete:
            self._rest()

    # What the application's side calls.

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._active = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """An answer was written. What follows waits until it has gone: nobody has two of them in memory."""
        if self.flow.write_paused and not self.transport.is_closing():
            self._held = True
            self.flow.pause_reading()
        else:
            self._go_on()

    def _go_on(self) -> None:
        super().on_response_complete()
        if self._active is None or not self._active.response_complete:
            return
        if self._refusal is not None:
            self._tell(self._refusal)
        elif self._owed == NOTHING:
            self._rest()
        else:
            self._since = self.loop.time()

    def _rest(self) -> None:
        self._since = self.loop.time()
        self.all.rests(self)

    # What is looked at now and then.

    def look(self, now: float) -> None:
        """Refuse or close what has taken too long."""
        self._count_unread(now)
        waited = now - self._since
        if (self.unread and now - self._moved > self.limits.stalled_s) or (self._told and waited > LINGER_S):
            self.transport.abort()
        elif self._refusal is not None or self.transport.is_closing():
            return
        elif self._owed == HEAD:
            self._look_at_head(waited)
        elif self._owed == BODY and self.cycle.response_complete:
            if waited > LINGER_S:
                self.transport.close()
        elif self._owed == BODY:
            if waited > self.limits.body_s:
                self._refuse(RequestSlow(f"the body did not come within {self.limits.body_s:g} s"))
        elif waited > KEEP_ALIVE_S and (self._active is None or self._active.response_complete):
            self.transport.close()

    def _look_at_head(self, waited: float) -> None:
        if waited <= self.limits.head_s:
            return
        if self._begun:
            self._refuse(RequestSlow(f"the header did not come within {self.limits.head_s:g} s"))
        else:
            self.transport.close()

    def _count_unread(self, now: float) -> None:
        """Take note of what lies unread. It has moved when it is less than it was."""
        size = self.transport.get_write_buffer_size()
        if not self.unread:
            self.full_since = self._moved = now
        elif size < self.unread:
            self._moved = now
        self.all.unread += size - self.unread
        self.unread = size

    # Refusing.

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _too_large(self) -> TangleError:
        if len(self.url) > self.limits.url_bytes_max:
            return UrlTooLong(f"a URL has at most {self.limits.url_bytes_max} bytes")
        what = "a header has" if self._owed == HEAD else "between the bytes of a body there are"
        return HeaderTooLarge(f"{what} at most {self.limits.head_bytes_max} bytes")

    def _refuse(self, error: TangleError) -> None:
        """Read nothing more; answer with `error` when the requests before are answered."""
        self._refusal = error
        active = self._active
        if active is None or active.response_complete:
            self._tell(error)
        elif self._owed == BODY and active is self.cycle:
            self._forget(active)
            if active.response_started:
                self.transport.close()
            else:
                self._tell(error)
        elif self._owed == BODY:
            # The request that is not whole waits behind others.
            self.pipeline.popleft()

    def _tell(self, error: TangleError) -> None:
        """Answer, and say that nothing more will come."""
        if self.transport.is_closing() or self._told:
            return
        response = problems.answer(self.url.decode("latin-1"), error)
        headers = [*self.server_state.default_headers, *DEFAULTS.items(), *response.raw_headers]
        lines = [b"HTTP/1.1 %d %b" % (error.ending.status, HTTPStatus(error.ending.status).phrase.encode())]
        lines += [name + b": " + value for name, value in headers]
        self.transport.write(b"\r\n".join([*lines, b"connection: close", b"", bytes(response.body)]))
        self.transport.write_eof()
        self._told = True
        self._since = self.loop.time()

    def _forget(self, cycle: RequestResponseCycle) -> None:
        """Tell a request that nobody waits for its answer."""
        cycle.disconnected = True
        cycle.message_event.set()


def _full_since(connection: Connection) -> float:
    return connection.full_since


def _is_among(host: str, proxies: Iterable[str]) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in ip_network(proxy) for proxy in proxies)
