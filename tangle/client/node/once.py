"""What a node is, asked once by a program that ends after it.

The standard library asks: loading what `NodeClient` needs to hold connections open takes ten times as long as the
question. Who asks anything more uses a `NodeClient`.
"""

from __future__ import annotations

from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

import orjson

from tangle.client.errors import JournalChanged, NodeError, NodeUnreachable, UnexpectedAnswer
from tangle.client.node.place import place_of
from tangle.protocol.answers import NodeInfo
from tangle.protocol.errors import MalformedJson
from tangle.protocol.serial import Fields

TIMEOUT_S = 10.0
"""seconds for connecting and between two pieces of the answer"""


def info(url: str) -> NodeInfo:
    """The node at a URL. Raises NodeUnreachable, NodeError and UnexpectedAnswer."""
    node = place_of(url)
    place = node.url + "/api/core/v2/info"
    try:
        # A proxy for the world outside must not swallow requests to this machine.
        proxies = [ProxyHandler({})] if node.is_here else []
        request = Request(place, headers={"Accept": "application/json"})  # noqa: S310, the scheme is checked
        if node.authorization:
            request.add_unredirected_header("Authorization", node.authorization)
        with build_opener(*proxies).open(request, timeout=TIMEOUT_S) as answer:
            body = answer.read()
    except HTTPError as error:
        raise error_of(error.code, error.read()) from None
    except URLError as error:
        raise NodeUnreachable(place, str(error.reason)) from None
    except (OSError, ValueError, HTTPException) as error:
        raise NodeUnreachable(place, str(error) or type(error).__name__) from None
    try:
        return NodeInfo.from_json(Fields(orjson.loads(body)))
    except (orjson.JSONDecodeError, MalformedJson) as error:
        raise UnexpectedAnswer(place, str(error)) from None


_POSITIONS = frozenset({"position_foreign", "position_ahead"})


def error_of(status: int, body: bytes) -> NodeError:
    """The error that an answer's status and body tell, in either of the two shapes."""
    try:
        members = orjson.loads(body)
    except orjson.JSONDecodeError:
        members = None
    if not isinstance(members, dict):
        text = body[:200].decode(errors="replace").strip()
        return NodeError(status, str(status), text or "no explanation")
    inner = members.get("error")
    inner = inner if isinstance(inner, dict) else {}
    # Beside TIP-25's form, whose code only repeats the status, our node names its own code and the field.
    code = _text(members, "code", "") or _text(inner, "code", str(status))
    texts = (_text(inner, "message", ""), _text(members, "detail", ""), _text(members, "title", ""))
    field = members.get("field")
    message = next(filter(None, texts), "no explanation")
    kind = JournalChanged if code in _POSITIONS else NodeError
    return kind(status, code, message, field if isinstance(field, str) else None)


def _text(members: dict[str, Any], name: str, absent: str) -> str:
    value = members.get(name)
    return absent if value is None else str(value)
