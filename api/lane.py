"""A short way for the two busiest requests: posting a block and asking for tips.

The framework's way to a handler (layers of middleware, routing, dependencies) costs more than attaching a block
does. Requests in this table go to the same handlers directly; everything else, and any request with a query, takes
the ordinary way. The OpenAPI document knows nothing of it, since the routes are declared as all others are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems
from tangle.protocol.errors import TangleError

Handler = Callable[[Request], Awaitable[Response]]


class Lane:
    """Middleware that answers the requests of its table itself.

    Parameters
    ----------
    handlers : (method, path) -> handler, which takes the request alone
    """

    def __init__(self, app: ASGIApp, handlers: Mapping[tuple[str, str], Handler]) -> None:
        self.app = app
        self.handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        handler = None
        if scope["type"] == "http" and not scope["query_string"]:
            handler = self.handlers.get((scope["method"], scope["path"]))
        if handler is None:
            await self.app(scope, receive, send)
            return
        try:
            response = await handler(Request(scope, receive))
        except TangleError as error:
            response = problems.answer(scope["path"], error)
        await response(scope, receive, send)
