"""Blocks: posting one, and what is known of it (TIP-25).

Posting is the hot path. The body is read, decoded and checked on the event loop, all well under a millisecond.
Answered is what is durable. The node does a missing proof of work only while the client stays connected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from fastapi import APIRouter, Response
from starlette.requests import ClientDisconnect, Request

from tangle.api import questions, schemas
from tangle.api.accept import wants_raw
from tangle.api.asking import ask, while_connected
from tangle.api.clients import client_behind
from tangle.api.problems import BodyInvalid, BodyTooLarge, ClientGone, UnsupportedMediaType
from tangle.api.schemas import BINARY
from tangle.api.views import block_response, from_hex_id, json_response, metadata, service_of
from tangle.errors import NotFound, TangleError
from tangle.protocol import answers
from tangle.protocol.blocks import Block
from tangle.protocol.parameters import PARENTS_MAX, PROTOCOL_VERSION
from tangle.protocol.serial import to_hex
from tangle.service.door import Source
from tangle.store import queries
from tangle.store.journal import BlockRow

PATH = "/api/core/v2/blocks"
router = APIRouter(tags=["blocks"])
JSON = frozenset({"application/json", ""})
"""media types that are read as JSON; simple clients name none"""
MEMBERS_MAX = 8_192
"""members, arrays and objects of a body, counted before it is read: reading small ones costs the most a byte, and
the block of 32 KiB that has most of them has fewer than 6,000"""
LONG_BYTES = 4_096
"""bytes of a block whose JSON takes long to write"""

_POST_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "protocolVersion": {"type": "integer", "enum": [PROTOCOL_VERSION]},
                        "parents": {
                            "type": "array",
                            "maxItems": PARENTS_MAX,
                            "items": {"type": "string", "pattern": "^0x[0-9a-f]{64}$"},
                            "description": "sorted and unique; absent: the node chooses",
                        },
                        "payload": {"type": "object", "description": "tagged data, transaction or milestone"},
                        "nonce": {"type": "string", "description": "absent: the node does the proof of work"},
                    },
                },
                "example": {
                    "protocolVersion": PROTOCOL_VERSION,
                    "payload": {"type": 5, "tag": "0x7761746572", "data": "0x332e32"},
                },
            },
            BINARY: {"schema": {"type": "string", "format": "binary", "description": "the binary form (TIP-24)"}},
        },
    }
}
_POST_ANSWERS: dict[int | str, dict[str, Any]] = {
    201: {
        **schemas.json_of(answers.BlockId, description="attached and durable"),
        "headers": {"Location": {"description": "path of the block", "schema": {"type": "string"}}},
    },
    **schemas.TIP_ERRORS,
    413: schemas.tip_error("the body is too large"),
    415: schemas.tip_error("neither JSON nor raw bytes"),
}


@router.post(
    PATH,
    status_code=201,
    responses=_POST_ANSWERS,
    openapi_extra=_POST_BODY,
    response_class=Response,
)
async def submit_block(request: Request) -> Response:
    """Attach a block. Missing parents are chosen and a missing nonce is found by the node."""
    block_id = await admitted(request, _read)
    text = to_hex(block_id)
    return Response(
        b'{"blockId":"%b"}' % text.encode(),
        201,
        {"location": f"{request.scope['root_path']}{PATH}/{text}"},
        "application/json",
    )


@router.get(
    PATH + "/{blockId}",
    responses={**schemas.ok_or_raw(Block), **schemas.TIP_NOT_FOUND},
    response_class=Response,
)
async def block(request: Request, block_id: schemas.BlockIdPath) -> Response:
    """A block, in JSON or in raw bytes."""

    def read() -> BlockRow | None:
        with service_of(request).connect() as connection:
            return queries.block(connection, from_hex_id(block_id))

    row = await asyncio.to_thread(read)
    if row is None:
        raise NotFound(f"no block {block_id}")
    return await any_block(request, row.data)


async def any_block(request: Request, data: bytes) -> Response:
    """A block as the client wants it; writing a long one in JSON is dear."""
    if len(data) <= LONG_BYTES or wants_raw(request):
        return block_response(request, data)
    response = await ask(request, questions.block, data)
    response.headers["vary"] = "Accept"
    return response


@router.get(
    PATH + "/{blockId}/metadata",
    responses={**schemas.ok(answers.BlockMetadata), **schemas.TIP_NOT_FOUND},
    response_class=Response,
)
def block_metadata(request: Request, block_id: schemas.BlockIdPath) -> Response:
    """What became of a block, and its confidence."""
    service = service_of(request)
    with service.connect() as connection:
        record = queries.record(connection, from_hex_id(block_id))
    if record is None:
        raise NotFound(f"no block {block_id}")
    return json_response(metadata(service, record))


async def read_body(request: Request, most: int) -> bytes:
    """The body of a request, at most `most` bytes. Raises BodyTooLarge, ClientGone."""
    announced = request.headers.get("content-length")
    if announced is not None and announced.isdigit() and int(announced) > most:
        raise BodyTooLarge(f"the body has {announced} bytes, at most {most} are taken")
    pieces, size = [], 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > most:
                raise BodyTooLarge(f"the body has more than the {most} bytes that are taken")
            pieces.append(piece)
    except ClientDisconnect:
        raise ClientGone from None
    return b"".join(pieces)


def parse_json(body: bytes) -> Any:
    """The JSON value of a body. Raises BodyInvalid."""
    if max(body.count(b":"), body.count(b"["), body.count(b"{")) > MEMBERS_MAX:
        raise BodyInvalid(f"the body has more than {MEMBERS_MAX:,} members, arrays or objects")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyInvalid(f"the body is no JSON: {error}") from None


def media_type(header: str) -> str:
    """The media type of a header, without its parameters."""
    return header.partition(";")[0].strip().lower()


async def admitted(request: Request, read: Callable[[Request, bytes], Any]) -> bytes:
    """Let the block that `read` finds in the body enter; returns its id when it is durable. Raises TangleError."""
    service, client = service_of(request), client_behind(request.scope)
    body = await read_body(request, service.settings.body_bytes_max)

    def work(block: Block) -> Awaitable[Block]:
        return while_connected(request, service.work.for_client(block, client))

    source = Source(client, completes=True, work=work)
    try:
        given = read(request, body)
    except TangleError as error:
        source.refused(error)
        raise
    return (await service.door.admit(given, source)).block_id


def _read(request: Request, body: bytes) -> Any:
    kind = media_type(request.headers.get("content-type", ""))
    if kind == BINARY:
        return body
    if kind in JSON:
        return parse_json(body)
    raise UnsupportedMediaType(f"a block comes as application/json or {BINARY}, not {kind}")
