"""One request to one node: sent, retried where that is safe, and its errors told apart.

A node that is busy answers 503 with ``Retry-After`` and has accepted nothing; such a request is sent again after
that time, a bounded number of times. A connection that breaks is tried once more for requests that may be repeated
without harm: all reads, and the posting of a finished block, whose id answers itself the second time.

Errors come in two shapes: ``application/problem+json`` (RFC 9457) and TIP-25's ``{"error": {"code", "message"}}``.
Our node adds its ``code`` and ``field`` to both. Anything else is told by its status alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import orjson

from tangle.client.errors import AnswerLost, NodeUnreachable, UnexpectedAnswer
from tangle.client.node.once import error_of
from tangle.client.node.place import place_of

BINARY = "application/vnd.iota.serializer-v1"
"""media type of raw blocks; TIP-25"""
BUSY_RETRIES = 6
"""times a request is sent again after 503"""
RETRY_AFTER_MAX_S = 10.0
"""seconds; no node may ask for a longer pause"""


class Transport:
    """HTTP to one node.

    Parameters
    ----------
    url : scheme, host and port, such as ``http://127.0.0.1:14265``
    timeout : seconds for connecting and between two pieces of an answer
    busy_retries : times a request is sent again after 503 with Retry-After

    Attributes
    ----------
    store_id : the journal that this client's event numbers belong to, sent with each; None until it is known
    """

    def __init__(self, url: str, *, timeout: float, busy_retries: int) -> None:
        self.store_id: str | None = None
        self.busy_retries = busy_retries
        place = place_of(url)
        self.url = place.url
        try:
            # It is stricter about names of other alphabets than the name service is.
            _ = httpx.URL(self.url).host
        except (httpx.InvalidURL, UnicodeError) as error:
            raise NodeUnreachable(self.url, str(error)) from None
        signed_in = {"authorization": place.authorization} if place.authorization else {}
        # A proxy for the world outside must not swallow requests to this machine; and where no TLS can occur, the
        # authorities that it would trust are not read, which takes longer than the requests of a short command.
        self.http = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            trust_env=not place.is_here,
            verify=place.needs_tls or not place.is_here,
            headers={"accept": "application/json", **signed_in},
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        read_timeout_s: float | None = None,
        repeatable: bool = True,
        busy_retries: int | None = None,
    ) -> httpx.Response:
        """Send, and return the answer whatever its status.

        Raises
        ------
        NodeUnreachable : no answer came
        """
        url = self.url + path
        request = self.http.build_request(method, url, params=params, content=content, headers=headers)
        if read_timeout_s is not None:
            request.extensions["timeout"] = {**request.extensions["timeout"], "read": read_timeout_s}
        breaks_allowed = 1 if repeatable else 0
        busy_allowed = self.busy_retries if busy_retries is None else busy_retries
        while True:
            try:
                response = await self.http.send(request)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
                if not breaks_allowed:
                    raise _silence(method)(url, reason_of(error)) from error
                breaks_allowed -= 1
            except httpx.ReadTimeout as error:
                raise _silence(method)(url, reason_of(error)) from error
            except httpx.HTTPError as error:
                raise NodeUnreachable(url, reason_of(error)) from error
            else:
                pause = retry_after_s(response)
                if pause is None or not busy_allowed:
                    return response
                busy_allowed -= 1
                await asyncio.sleep(pause)

    async def answer(self, method: str, path: str, **options: Any) -> httpx.Response:
        """`request`, and NodeError unless the status is a success."""
        response = await self.request(method, path, **options)
        raise_for_status(response)
        return response


def _silence(method: str) -> type[NodeUnreachable]:
    """What it means that no answer came to a request that was sent."""
    return AnswerLost if method == "POST" else NodeUnreachable


def reason_of(error: Exception) -> str:
    """What a connection error says; some say nothing but their name."""
    return str(error) or type(error).__name__


def retry_after_s(response: httpx.Response) -> float | None:
    """Seconds after which a 503 wants to be tried again; None when it does not say so."""
    value = response.headers.get("retry-after")
    if response.status_code != 503 or value is None:
        return None
    # The other form the header allows, a date, is no use without a common clock.
    return min(float(value), RETRY_AFTER_MAX_S) if value.isascii() and value.isdigit() else 1.0


def raise_for_status(response: httpx.Response) -> None:
    """Raise NodeError unless the status is 2xx. The body must have been read."""
    if not response.is_success:
        raise error_of(response.status_code, response.content)


def json_of(response: httpx.Response) -> Any:
    """The JSON value of an answer. Raises UnexpectedAnswer."""
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise UnexpectedAnswer(str(response.url), f"no JSON: {error}") from None
