"""Asking a dear question for a client: for as long as it stays connected, and in its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from tangle.api.clients import client_behind
from tangle.api.problems import ClientGone
from tangle.api.views import service_of
from tangle.service.reader import Library

P = ParamSpec("P")
T = TypeVar("T")


async def ask(
    request: Request, question: Callable[Concatenate[Library, P], bytes], *args: P.args, **named: P.kwargs
) -> Response:
    """The JSON that a question about the database returns. Raises TooBusy, TookTooLong and what it raises."""
    desk = service_of(request).desk
    return _json(await while_connected(request, desk.ask(client_behind(request.scope), question, *args, **named)))


async def ask_window(
    request: Request,
    number: int | None,
    question: Callable[Concatenate[Library, P], bytes],
    *args: P.args,
    **named: P.kwargs,
) -> Response:
    """`ask` about the window, as it stood when the block of that number was in it, or later."""
    desk = service_of(request).desk
    asked = desk.ask_window(client_behind(request.scope), number, question, *args, **named)
    return _json(await while_connected(request, asked))


async def while_connected(request: Request, work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled when the client goes away."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _json(data: bytes) -> Response:
    return Response(data, media_type="application/json")
