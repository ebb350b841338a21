"""From an error to an answer: the one place that knows which code means which status.

Every error of the project carries a stable code. Routes of TIP-25 and TIP-26 answer in the TIP's form,
``{"error": {"code": "400", "message": …}}`` with our stable code beside it; ours under ``/api/tangle`` answer with
``application/problem+json`` (RFC 9457). 404 means that the thing asked for was not found, nothing else.

    ApiError                    (a TangleError)
    ├── NotFound, NoSuchRoute, MethodNotAllowed, NotSupported
    ├── BadParameter, BodyInvalid, BodyTooLarge, UnsupportedMediaType, ClientGone
    ├── FaucetDisabled
    └── TooManyStreams
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, ClassVar

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tangle.errors import TangleError
from tangle.protocol.errors import AttachError, ProtocolError, WaitingRoomFull, WindowFull
from tangle.protocol.pow.search import SearchCancelled
from tangle.service.decoding import DecodingBusy
from tangle.service.faucet import FaucetBalanceHigh, FaucetBusy, FaucetEmpty, FaucetRequestPending
from tangle.service.work import PowBusy, PowDisabled
from tangle.service.writer import NotWritten, QueueFull
from tangle.store.errors import MalformedCursor

log = logging.getLogger("tangle.api")

RETRY_AFTER_S = 1
OURS = "/api/tangle/"


class ApiError(TangleError):
    """Something about a request rather than about a block."""

    code = "request"
    status: ClassVar[int] = 400

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return self.message


class NotFound(ApiError):
    """The thing asked for is not here."""

    code = "not_found"
    status = 404


class NoSuchRoute(ApiError):
    """No route has this path."""

    code = "no_such_route"
    status = 404


class MethodNotAllowed(ApiError):
    """The route does not have this method."""

    code = "method_not_allowed"
    status = 405


class NotSupported(ApiError):
    """A route of the TIP that this node does not offer."""

    code = "not_supported"
    status = 403


class BadParameter(ApiError):
    """A path or query parameter cannot be read."""

    code = "bad_parameter"


class BodyInvalid(ApiError):
    """The request body cannot be read."""

    code = "body_invalid"


class BodyTooLarge(ApiError):
    """The request body is larger than the node takes."""

    code = "body_too_large"
    status = 413


class ClientGone(ApiError):
    """The client closed the connection; nobody reads this answer."""

    code = "client_gone"


class UnsupportedMediaType(ApiError):
    """The request body has a media type that the route does not read."""

    code = "unsupported_media_type"
    status = 415


class FaucetDisabled(ApiError):
    """This node has no faucet."""

    code = "faucet_disabled"
    status = 403


class TooManyStreams(ApiError):
    """Too many event streams are open."""

    code = "too_many_streams"
    status = 503


STATUS: tuple[tuple[type[TangleError], int], ...] = (
    (QueueFull, 503),
    (NotWritten, 503),
    (PowDisabled, 503),
    (PowBusy, 503),
    (FaucetBusy, 503),
    (FaucetEmpty, 403),
    (FaucetRequestPending, 429),
    (FaucetBalanceHigh, 429),
    (DecodingBusy, 503),
    (WaitingRoomFull, 503),
    (WindowFull, 503),
    (SearchCancelled, 503),
    (AttachError, 400),
    (ProtocolError, 400),
    (MalformedCursor, 400),
)
"""the first row whose class fits decides; ApiErrors bring their own status"""
_COME_AGAIN = (
    QueueFull,
    NotWritten,
    WaitingRoomFull,
    WindowFull,
    SearchCancelled,
    PowBusy,
    FaucetBusy,
    TooManyStreams,
    DecodingBusy,
)


def status_of(error: TangleError | type[TangleError]) -> int:
    """The HTTP status of an error or a class of errors; 500 for one that no caller can have caused."""
    kind = error if isinstance(error, type) else type(error)
    if issubclass(kind, ApiError):
        return kind.status
    return next((status for base, status in STATUS if issubclass(kind, base)), 500)


def code_table() -> list[tuple[str, int, str]]:
    """Code, status and meaning of every error that a request can meet, sorted by code."""
    bases: list[type[TangleError]] = [ApiError, *(row[0] for row in STATUS)]
    rows = {
        (kind.code, status_of(kind), (kind.__doc__ or "").strip().splitlines()[0])
        for base in bases
        for kind in _tree(base)
    }
    return sorted(rows | {("internal", 500, "The node failed; its log says why.")})


def _tree(base: type[TangleError]) -> Iterator[type[TangleError]]:
    yield base
    for kind in base.__subclasses__():
        yield from _tree(kind)


def answer(path: str, error: TangleError) -> Response:
    """The answer to a request for `path` that ended in `error`."""
    status = status_of(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s: %s: %s", path, error.code, error)
        return _response(path, status, "internal", "the node failed; its log says why")
    field = getattr(error, "field", None)
    rule = getattr(error, "rule", None)
    response = _response(path, status, error.code, str(error), field=field, rule=rule)
    if isinstance(error, _COME_AGAIN):
        response.headers["retry-after"] = str(RETRY_AFTER_S)
    return response


def failure(path: str, error: Exception) -> Response:
    """The answer to a request for `path` that failed for no reason the caller could mend."""
    log.error("%s failed", path, exc_info=error)
    return _response(path, 500, "internal", "the node failed; its log says why")


def _response(path: str, status: int, code: str, message: str, **members: str | None) -> Response:
    extra = {name: value for name, value in members.items() if value}
    if path.startswith(OURS):
        title = HTTPStatus(status).phrase
        body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": message}
        media_type = "application/problem+json"
    else:
        body = {"error": {"code": str(status), "message": message}}
        media_type = "application/json"
    return Response(orjson.dumps({**body, "code": code, **extra}), status, media_type=media_type)


def install(app: FastAPI) -> None:
    """Have `app` answer every error in these forms."""

    async def on_tangle_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, TangleError)
        return answer(request.url.path, error)

    async def on_validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place, name = first["loc"][0], ".".join(str(part) for part in first["loc"][1:])
        kind = BodyInvalid if place == "body" else BadParameter
        return answer(request.url.path, kind(f"{name or place}: {first['msg']}", name or str(place)))

    async def on_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = request.url.path
        if error.status_code == HTTPStatus.NOT_FOUND:
            return answer(path, NoSuchRoute(f"no route {path}"))
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            response = answer(path, MethodNotAllowed(f"{request.method} is not possible here"))
            response.headers.update(error.headers or {})
            return response
        return _response(path, error.status_code, "request", str(error.detail))

    async def on_failure(request: Request, error: Exception) -> Response:
        return failure(request.url.path, error)

    app.add_exception_handler(TangleError, on_tangle_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(SQLAlchemyError, on_failure)
    app.add_exception_handler(Exception, on_failure)
