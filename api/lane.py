"""A short way for the busiest requests: posting a block, asking for tips, and looking how the node is.

The framework's way to a handler (layers of middleware, routing, dependencies) costs more than attaching a block
does. Requests in this table go to the same handlers directly; everything else takes the ordinary way, and so does
a request with a query, or with an origin, whose answer needs what the framework adds for browsers. The OpenAPI
document knows nothing of it, since the routes are declared as all others are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tangle.api import problems
from tangle.errors import TangleError

Handler = Callable[[Request], Awaitable[Response]]


class Lane:
    """The application with a short way into it.

    Parameters
    ----------
    handlers : (method, path) -> handler, which takes the request alone
    """

    def __init__(self, app: FastAPI, handlers: Mapping[tuple[str, str], Handler]) -> None:
        self.app = app
        self.handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the application's lifespan."""
        handler = self._handler(scope) if scope["type"] == "http" else None
        if handler is None:
            await self.app(scope, receive, send)
            return
        scope["app"] = self.app
        try:
            response = await handler(Request(scope, receive))
        except TangleError as error:
            response = problems.answer(problems.path_of(scope), error)
        except Exception as error:
            response = problems.failure(problems.path_of(scope), error)
        await response(scope, receive, send)

    def _handler(self, scope: Scope) -> Handler | None:
        handler = self.handlers.get((scope["method"], problems.path_of(scope)))
        if handler is None or scope["query_string"] or any(name == b"origin" for name, _ in scope["headers"]):
            return None
        return handler
