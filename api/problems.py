"""From an error to an answer.

The class of an error says which HTTP status it means. Routes of TIP-25 and TIP-26 answer in the TIP's form,
``{"error": {"code": "400", "message": …}}`` with our stable code beside it; ours under ``/api/tangle`` answer with
``application/problem+json`` (RFC 9457). 404 means that the thing asked for was not found, nothing else.

    ApiError                    (a TangleError)
    ├── NoSuchRoute, MethodNotAllowed, NotSupported
    ├── BadParameter, UnknownParameter, BodyInvalid, BodyTooLarge, UnsupportedMediaType, ContentEncoded
    ├── RequestMalformed, RequestSlow, HeaderTooLarge, UrlTooLong
    └── TooManyConnections, TooManyOfClient
    HostUnknown, OriginNotAllowed, ClientGone   (each a TangleError)
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from tangle.errors import Ending, TangleError

log = logging.getLogger("tangle.api")

RETRY_AFTER_S = 1
OURS = "/api/tangle/"
METHODS = ("DELETE", "GET", "POST")
"""of all routes together"""


class ApiError(TangleError):
    """Something about a request rather than about a block."""

    code = "request"
    ending = Ending.REFUSED
    reason: str
    field: str | None = None


class NoSuchRoute(ApiError):
    """No route has this path."""

    code = "no_such_route"
    ending = Ending.NOT_FOUND


class MethodNotAllowed(ApiError):
    """The route does not have this method."""

    code = "method_not_allowed"
    ending = Ending.NO_SUCH_METHOD


class NotSupported(ApiError):
    """A route of the TIP that this node does not offer."""

    code = "not_supported"
    ending = Ending.NOT_OFFERED


class BadParameter(ApiError):
    """A path or query parameter cannot be read."""

    code = "bad_parameter"


class UnknownParameter(ApiError):
    """A query parameter has a name that the route does not know."""

    code = "unknown_parameter"


class BodyInvalid(ApiError):
    """The request body cannot be read."""

    code = "body_invalid"


class BodyTooLarge(ApiError):
    """The request body is larger than the node takes."""

    code = "body_too_large"
    ending = Ending.TOO_LARGE


class UnsupportedMediaType(ApiError):
    """The request body has a media type that the route does not read."""

    code = "unsupported_media_type"
    ending = Ending.UNKNOWN_MEDIA_TYPE


class ContentEncoded(ApiError):
    """The request body is compressed or encoded otherwise; only bodies as they are are read."""

    code = "content_encoded"
    ending = Ending.UNKNOWN_MEDIA_TYPE


class RequestMalformed(ApiError):
    """The request is no HTTP, or its header contradicts itself."""

    code = "request_malformed"


class RequestSlow(ApiError):
    """The header or the body of the request did not come in time."""

    code = "request_slow"
    ending = Ending.TOO_SLOW
    passes = True


class HeaderTooLarge(ApiError):
    """The header of the request, or what surrounds the pieces of its body, has more bytes than the node takes."""

    code = "header_too_large"
    ending = Ending.HEADER_TOO_LARGE


class UrlTooLong(ApiError):
    """The URL of the request has more bytes than the node takes."""

    code = "url_too_long"
    ending = Ending.URL_TOO_LONG


class TooManyConnections(ApiError):
    """As many connections as the node takes are open and busy."""

    code = "too_many_connections"
    ending = Ending.UNAVAILABLE
    passes = True


class TooManyOfClient(ApiError):
    """One client has as many connections, requests or event streams open as it may have."""

    code = "too_many_of_client"
    ending = Ending.TOO_OFTEN
    passes = True


class HostUnknown(TangleError):
    """The request is meant for a host that this node does not answer to."""

    code = "host_unknown"
    template = "this node does not answer to the host {host}; the setting allowed_hosts names those that it does"
    ending = Ending.OTHER_HOST
    host: str


class OriginNotAllowed(TangleError):
    """A web page of another origin, which no setting allows, wants to change something."""

    code = "origin_not_allowed"
    template = "a page of {origin} may change nothing here; the setting cors_origins names those that may"
    ending = Ending.NOT_OFFERED
    origin: str


class ClientGone(TangleError):
    """The client closed the connection; nobody reads this answer."""

    code = "client_gone"
    template = "the client went away"
    ending = Ending.REFUSED


def code_table() -> list[tuple[str, int, str]]:
    """Code, status and meaning of every error that a request can meet, sorted by code."""
    rows = {
        (kind.code, kind.ending.status, (kind.__doc__ or "").strip().splitlines()[0])
        for kind in TangleError.kinds()
        if kind.ending.status != HTTPStatus.INTERNAL_SERVER_ERROR
    }
    return sorted(rows | {("internal", 500, "The node failed; its log says why.")})


def path_of(scope: Scope) -> str:
    """The path of a request as routes know it, without what a proxy put in front."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def answer(path: str, error: TangleError) -> Response:
    """The answer to a request for `path` that ended in `error`."""
    status = error.ending.status
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return failure(path, error)
    members = {name: getattr(error, name) for name in ("field", "rule") if name in error.fields}
    response = _response(path, status, error.code, str(error), **members)
    if error.passes:
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


def _allowed(request: Request) -> str:
    """What a route has beside the method that was asked for; HEAD wherever there is GET."""
    found = {
        method
        for method in METHODS
        for route in request.app.routes
        if route.matches({**request.scope, "method": method})[0] is Match.FULL
    }
    return ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set())))


def install(app: FastAPI) -> None:
    """Have `app` answer every error in these forms."""

    async def on_tangle_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, TangleError)
        return answer(path_of(request.scope), error)

    async def on_validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place, name = first["loc"][0], ".".join(str(part) for part in first["loc"][1:])
        kind = BodyInvalid if place == "body" else BadParameter
        return answer(path_of(request.scope), kind(f"{name or place}: {first['msg']}", name or str(place)))

    async def on_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = path_of(request.scope)
        if error.status_code == HTTPStatus.NOT_FOUND:
            return answer(path, NoSuchRoute(f"no route {path}"))
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            response = answer(path, MethodNotAllowed(f"{request.method} is not possible here"))
            response.headers["allow"] = _allowed(request)
            return response
        return _response(path, error.status_code, "request", str(error.detail))

    async def on_failure(request: Request, error: Exception) -> Response:
        return failure(path_of(request.scope), error)

    app.add_exception_handler(TangleError, on_tangle_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(SQLAlchemyError, on_failure)
    app.add_exception_handler(Exception, on_failure)
