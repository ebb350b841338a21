"""What holds for every request and every answer, before any route is looked for.

A node on a loopback address is reached by every page that its owner opens, and a browser lets each of them send a
request without asking, if the request looks plain enough. So the gate judges by what only a browser writes, and no
page can change:

- `Host` names the node. A page of another name that was made to point here (DNS rebinding) is refused. Addresses
  and names without a dot cannot be had by strangers: public name servers give out neither.
- What changes something comes from a page of this node, from an allowed origin, or from no page at all. The media
  type of the body does not matter.

Every answer gets the headers that keep a browser from making more of it than it is. HEAD is GET without a body,
whichever route it asks for. A path that a proxy puts in front (`root_path`) is understood whether the proxy takes
it away or not. Sources: RFC 9110; Fetch Metadata Request Headers; the ASGI specification on `root_path`.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tangle.api import problems
from tangle.api.clients import Seats, client_behind
from tangle.api.problems import (
    ContentEncoded,
    HostUnknown,
    OriginNotAllowed,
    RequestMalformed,
)
from tangle.errors import TangleError
from tangle.service.names import EVERY
from tangle.service.settings import Settings

POLICY = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""of answers that are no pages"""
DEFAULTS: Mapping[bytes, bytes] = {
    b"cache-control": b"no-cache",
    b"content-security-policy": POLICY,
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}
"""headers of every answer that does not bring its own"""
_DEFAULTS = tuple(DEFAULTS.items())
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""methods that change nothing"""
_ONCE = frozenset({b"host", b"origin", b"sec-fetch-site", b"content-encoding", b"transfer-encoding"})
"""headers that are judged, and so may not stand twice"""
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{0,5})?")
_KNOWN_HOSTS = 1_024
"""values of Host whose verdict is kept"""


class Gate:
    """The application behind the gate.

    Parameters
    ----------
    app : answers requests that may enter
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._prefix = settings.root_path
        self._origins = frozenset(origin.encode() for origin in settings.cors_origins)
        self._every_origin = EVERY in settings.cors_origins
        self._every_host = EVERY in settings.allowed_hosts
        self._hosts = frozenset((*settings.allowed_hosts, settings.host.lower(), *_own_names()))
        self._answers_to = lru_cache(_KNOWN_HOSTS)(self._judge_host)
        # The connections of a proxy are those of many clients, whose requests are counted one by one.
        counted = settings.connections_per_client_max, settings.connections_max
        self._seats = Seats("requests", *counted) if settings.trusted_proxies else None
        # Caches must not hand the answer to one origin on to another.
        self._vary = [(b"vary", b"Origin")] if self._origins and not self._every_origin else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the application's lifespan."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._prefix:
            _under(self._prefix, scope)
        covered = self._covering(send)
        try:
            self._judge(scope)
            if self._seats is None:
                await self._enter(scope, receive, covered)
            else:
                with self._seats.taken(client_behind(scope)):
                    await self._enter(scope, receive, covered)
        except TangleError as error:
            await problems.answer(problems.path_of(scope), error)(scope, receive, covered)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            head = Head(receive, send)
            await self.app({**scope, "method": "GET"}, head.receive, head.send)
        else:
            await self.app(scope, receive, send)

    def _covering(self, send: Send) -> Send:
        """`send` that gives every answer its headers."""

        def covering(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                headers = message["headers"] = [*message.get("headers", ()), *self._vary]
                there = [name for name, _ in headers if name in DEFAULTS]
                headers += _DEFAULTS if not there else [one for one in _DEFAULTS if one[0] not in there]
            return send(message)

        return covering

    def _judge(self, scope: Scope) -> None:
        """Raises RequestMalformed, HostUnknown, OriginNotAllowed, ContentEncoded."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if len(headers) != len(scope["headers"]):
            _check_repeated(scope["headers"])
        host = headers.get(b"host")
        if host is not None:
            self._check_host(host)
        elif scope["http_version"] == "1.1":
            raise RequestMalformed("a request names its Host", "Host")
        if scope["method"] not in SAFE:
            self._check_origin(headers, host or b"")
        if b"content-encoding" in headers or b"transfer-encoding" in headers:
            _check_encoding(headers)

    def _check_host(self, host: bytes) -> None:
        answers = self._answers_to(host)
        if answers is None:
            raise RequestMalformed("Host: must be a name or an address, and a port", "Host")
        if not answers:
            raise HostUnknown(_shown(host))

    def _judge_host(self, value: bytes) -> bool | None:
        """Whether this node answers to a Host; None when it is none."""
        found = _HOST.fullmatch(value.decode("latin-1").lower())
        if found is None:
            return None
        name = found[1].rstrip(".")
        return self._every_host or name in self._hosts or _is_local(name)

    def _check_origin(self, headers: Mapping[bytes, bytes], host: bytes) -> None:
        origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site")
        if (origin is None and site is None) or self._every_origin or origin in self._origins:
            return
        if site in {None, b"same-origin", b"none"}:
            # A proxy may have put its own name for the node into Host; then only the browser knows.
            own = origin is None or origin.partition(b"://")[2].lower() == host.lower()
            if own or site == b"same-origin":
                return
        raise OriginNotAllowed(_shown(origin or b"another site"))


class Head:
    """An answer without its body: the application answers GET, and is told to stop once the header is out.

    Parameters
    ----------
    receive, send : of the request
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._begun = asyncio.Event()
        self._asked = False

    async def receive(self) -> Message:
        """The request; then, for answers that go on for ever, that the client has left."""
        if not self._asked:
            self._asked = True
            return await self._receive()
        await self._begun.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send the header, and nothing of the body."""
        if message["type"] == "http.response.start":
            await self._send(message)
            await self._send({"type": "http.response.body", "body": b""})
            self._begun.set()


def _under(prefix: str, scope: Scope) -> None:
    """Put what a proxy has in front of the path where ASGI wants it."""
    scope["root_path"] = prefix
    path: str = scope["path"]
    if not (path == prefix or path.startswith(f"{prefix}/")):
        scope["path"] = prefix + path


def _check_repeated(headers: Iterable[tuple[bytes, bytes]]) -> None:
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in _ONCE and name in seen:
            title = name.decode().title()
            raise RequestMalformed(f"{title}: stands more than once", title)
        seen.add(name)


def _check_encoding(headers: Mapping[bytes, bytes]) -> None:
    for name, plain in ((b"content-encoding", b"identity"), (b"transfer-encoding", b"chunked")):
        coding = headers.get(name)
        if coding is not None and coding.strip().lower() not in {plain, b""}:
            title = name.decode().title()
            raise ContentEncoded(f"{title}: {_shown(coding)} is not read here, only a body as it is", title)


def _is_local(name: str) -> bool:
    """Whether a name cannot be that of a stranger: an address, a name without a dot, or one of this machine."""
    if "." not in name or name.endswith(".localhost"):
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _own_names() -> tuple[str, ...]:
    name = socket.gethostname().lower()
    return name, f"{name}.local"


def _shown(value: bytes) -> str:
    return repr(value[:100].decode("latin-1"))
