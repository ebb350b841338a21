"""The service put together, started and stopped.

Order of starting: the port is taken, the network made or opened, the writer started, then the first request
served. Order of stopping: event streams end, requests under way are answered, the writer writes what is queued,
the database is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import quote

import anyio.to_thread
import uvicorn
from fastapi import Depends, FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from tangle.api import problems, questions
from tangle.api.clients import Seats
from tangle.api.connections import KEEP_ALIVE_S, Bounds, Config, Connections
from tangle.api.documentation import describe
from tangle.api.frames import Frames
from tangle.api.gate import Gate
from tangle.api.lane import Handler, Lane
from tangle.api.parameters import known_names
from tangle.api.routes import blocks, core, indexer, legacy, milestones, tangle, utxo, web
from tangle.api.stream import Told
from tangle.service import descriptors
from tangle.service.errors import PortUnusable
from tangle.service.founding import OpenNode, Report, make_network, open_node
from tangle.service.running import Service
from tangle.service.settings import Settings

log = logging.getLogger("tangle.api")

GC_THRESHOLDS = 50_000, 20, 100
"""new objects between two collections of the youngest generation, and how many of those between the older ones"""
SWITCH_S = 0.001
"""seconds after which a thread that computes gives way. A post takes the interpreter a few times,
on two threads; with Python's own 5 ms each of them would cost that much beside an answer that is long to write"""
M_MMAP_THRESHOLD = -3
"""number of that option in malloc.h of the GNU C library"""
LARGE_BYTES = 2**18
BACKLOG = 2_048
"""connections that may wait to be accepted"""
SHORT: dict[tuple[str, str], Handler] = {
    ("POST", blocks.PATH): blocks.submit_block,
    ("GET", core.TIPS_PATH): core.tips,
    ("GET", "/health"): core.health,
    ("GET", "/api/core/v2/info"): core.info,
    ("GET", f"{tangle.PREFIX}/metrics"): tangle.metrics,
}
"""what goes the short way (`tangle.api.lane`)"""
SOCKET_OPTIONS = (
    ((socket.SOL_SOCKET, socket.SO_SNDBUF), 2**17),
    ((socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1),
    ((socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), 30),
    ((socket.IPPROTO_TCP, socket.TCP_KEEPINTVL), 10),
    ((socket.IPPROTO_TCP, socket.TCP_KEEPCNT), 3),
    ((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), 60_000),
)
"""options of all connections: how many bytes of an answer the system takes ahead, which the node then does not see
(it counts them twice). It also asks a silent client whether it is still there, and gives up one that confirms
nothing for a minute; by itself it would wait for hours"""
READERS = 8
"""threads that read for requests, fewer than the connections the engine keeps open: opening one costs more than a
query, and more threads only wait for one another"""
STOP_S = 15
"""seconds that requests under way are given when the service stops"""


def create_app(
    settings: Settings, opened: OpenNode | None = None, *, ticks: Callable[[], float] = time.monotonic
) -> FastAPI:
    """The application; its lifespan opens the network (made before, unless `opened` is given) and closes it."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        node = opened if opened is not None else await asyncio.to_thread(open_node, settings)
        try:
            anyio.to_thread.current_default_thread_limiter().total_tokens = READERS
            service = app.state.service = Service(settings, node, time.time, ticks, [questions.__name__])
            async with service.running():
                app.state.frames = Frames()
                app.state.told = Told()
                app.state.seats = Seats(
                    "event streams", settings.event_subscribers_per_client_max, settings.event_subscribers_max
                )
                yield
        finally:
            await asyncio.to_thread(node.close)

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(known_names)],
    )
    app.router.default = no_route
    problems.install(app)
    # Routes are looked through in this order: the busiest come first.
    for module in (blocks, core, utxo, milestones, indexer, tangle, legacy, web):
        app.include_router(module.router)
    describe(app)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["Location", "Retry-After"],
            # A page of the open internet that was allowed may also call a node on this machine.
            allow_private_network=True,
        )
    return app


async def no_route(scope: Scope, receive: Receive, send: Send) -> None:
    """Lead from a path with a slash too many to the route without it.

    The target is relative: the name and the path under which a client reaches the node need not be known.
    """
    path, query = problems.path_of(scope), scope["query_string"].decode("ascii")
    plain = {**scope, "path": scope["path"].removesuffix("/")}
    if not path:
        target = scope["path"].rpartition("/")[2] + "/"
    elif path.endswith("/") and any(route.matches(plain)[0] is not Match.NONE for route in scope["app"].routes):
        target = "../" + plain["path"].rpartition("/")[2]
    else:
        raise HTTPException(404)
    await RedirectResponse(f"{quote(target)}?{query}" if query else quote(target))(scope, receive, send)


class Server(uvicorn.Server):
    """A server that ends event streams first when it stops, so that it need not wait for them."""

    def __init__(self, config: Config, app: FastAPI, report: Report) -> None:
        super().__init__(config)
        self.app = app
        self.connections = config.connections
        self.report = report

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the service, then say where it is."""
        await super().startup(sockets)
        self._watching = asyncio.create_task(self.connections.watch())
        # What was loaded so far stays for good. Looking through it for garbage would stop every thread for 200 ms
        # whenever enough new objects have come. Blocks have no reference cycles, so looking often finds nothing:
        # with Python's own thresholds half the time of decoding a transaction goes there.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        sys.setswitchinterval(SWITCH_S)
        _give_back_large_pieces()
        if self.started and sockets:
            self.report(f"ready on {url_of(sockets[0])}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then the rest."""
        service: Service | None = getattr(self.app.state, "service", None)
        if service is not None:
            service.feed.close()
        await super().shutdown(sockets)
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)


@contextlib.contextmanager
def prepared(
    settings: Settings, report: Report | None = None, ticks: Callable[[], float] = time.monotonic
) -> Iterator[tuple[Server, socket.socket]]:
    """A server and the socket to run it on: ``server.run(sockets=[listener])``.

    Parameters
    ----------
    report : told what happens during the start; the last line names the URL
    ticks : what the writer's waits are measured by

    Raises
    ------
    PortUnusable, SetupError, StoreError, NodeError, SettingInvalid : the service cannot start
    """
    tell = report or (lambda _: None)
    descriptors.raise_limit()
    with listen(settings.host, settings.port) as listener:
        make_network(settings, report=tell)
        app = create_app(settings, open_node(settings, tell), ticks=ticks)
        lane = Lane(app, SHORT)
        connections = Connections(Bounds.of(settings))
        config = Config(
            Gate(lane, settings),
            connections,
            loop="uvloop",
            ws="none",
            lifespan="on",
            access_log=False,
            log_level=settings.log_level,
            log_config=None,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_graceful_shutdown=STOP_S,
        )
        yield Server(config, app, tell), listener


def _give_back_large_pieces() -> None:
    """Have the system's allocator return large answers to the system when they are freed, as it does at first.

    By itself it keeps what once was large: after a burst of long pages their memory would stay with the process.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)


def serve(settings: Settings, report: Report | None = None, ticks: Callable[[], float] = time.monotonic) -> None:
    """Run the service until SIGINT or SIGTERM; the first start makes the network. See `prepared`."""
    with prepared(settings, report, ticks) as (server, listener):
        server.run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on host and port. Raises PortUnusable.

    It listens from the first moment: two sockets that are only bound can share a port until one of them listens,
    and the other service would fail after it had started. Who connects early waits for the start.
    """
    listener: socket.socket | None = None
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option, value in SOCKET_OPTIONS:
            listener.setsockopt(*option, value)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        if listener is not None:
            listener.close()
        raise PortUnusable(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    return listener


def url_of(listener: socket.socket) -> str:
    """The URL under which a bound socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
