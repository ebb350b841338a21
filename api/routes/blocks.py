"""Blocks: posting one, and what is known of it (TIP-25).

Posting is the hot path. The body is read, decoded and checked on the event loop, all well under a millisecond;
what a check refuses never reaches the writer. Answered is what is durable. A block whose nonce is zero and does
not suffice is finished by the node, while the client stays connected.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import orjson
from fastapi import APIRouter, Response
from starlette.requests import Request

from tangle.api import schemas
from tangle.api.problems import BodyInvalid, BodyTooLarge, ClientGone, NotFound, UnsupportedMediaType
from tangle.api.schemas import BINARY
from tangle.api.views import block_response, from_hex_id, json_response, metadata_json, service_of
from tangle.errors import TangleError
from tangle.protocol.blocks import Block, check_block
from tangle.protocol.errors import UnexpectedEnd
from tangle.protocol.milestones import Milestone, check_milestone
from tangle.protocol.parameters import PARENTS_MAX, PROTOCOL_VERSION
from tangle.protocol.pow.score import has_score
from tangle.protocol.serial import Fields, to_hex, within
from tangle.service.running import Service
from tangle.store import queries

log = logging.getLogger("tangle.api.blocks")

PATH = "/api/core/v2/blocks"
router = APIRouter(tags=["blocks"])

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
        "model": schemas.BlockId,
        "description": "attached and durable",
        "headers": {"Location": {"description": "path of the block", "schema": {"type": "string"}}},
    },
    **schemas.TIP_ERRORS,
    413: {"model": schemas.TipError, "description": "the body is too large"},
    415: {"model": schemas.TipError, "description": "neither JSON nor raw bytes"},
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
    service = service_of(request)
    body = await read_body(request, service.settings.body_bytes_max)
    try:
        block = _read(request.headers.get("content-type", ""), body, service)
        block_id = await attach(request, service, block)
    except TangleError as error:
        refused(request, len(body), error)
        raise
    text = to_hex(block_id)
    return Response(
        b'{"blockId":"%b"}' % text.encode(),
        201,
        {"location": f"{PATH}/{text}"},
        "application/json",
    )


def refused(request: Request, size: int, error: TangleError) -> None:
    """Log why a block was refused: wallets swallow what they are answered."""
    host = request.client.host if request.client else "?"
    log.info("refused a block of %d bytes from %s: %s: %s", size, host, error.code, error)


@router.get(
    PATH + "/{blockId}",
    responses={**schemas.ok_or_raw(schemas.Block), **schemas.TIP_NOT_FOUND},
    response_class=Response,
)
def block(request: Request, block_id: schemas.BlockIdPath) -> Response:
    """A block, in JSON or in raw bytes."""
    with service_of(request).connect() as connection:
        row = queries.block(connection, from_hex_id(block_id))
    if row is None:
        raise NotFound(f"no block {block_id}")
    return block_response(request, row.data)


@router.get(
    PATH + "/{blockId}/metadata",
    responses={**schemas.ok(schemas.BlockMetadata), **schemas.TIP_NOT_FOUND},
    response_class=Response,
)
def block_metadata(request: Request, block_id: schemas.BlockIdPath) -> Response:
    """What became of a block, and its confidence."""
    service = service_of(request)
    with service.connect() as connection:
        record = queries.record(connection, from_hex_id(block_id))
    if record is None:
        raise NotFound(f"no block {block_id}")
    return json_response(metadata_json(service, record))


async def read_body(request: Request, most: int) -> bytes:
    """The body of a request, at most `most` bytes. Raises BodyTooLarge."""
    announced = request.headers.get("content-length")
    if announced is not None and announced.isdigit() and int(announced) > most:
        raise BodyTooLarge(f"the body has {announced} bytes, at most {most} are taken")
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise BodyTooLarge(f"the body has more than the {most} bytes that are taken")
        pieces.append(piece)
    return b"".join(pieces)


def parse_json(body: bytes) -> Any:
    """The JSON value of a body. Raises BodyInvalid."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyInvalid(f"the body is no JSON: {error}") from None


def media_type(header: str) -> str:
    """The media type of a header, without its parameters."""
    return header.partition(";")[0].strip().lower()


async def attach(request: Request, service: Service, block: Block) -> bytes:
    """Finish, check and attach a block; returns its id when it is durable. Raises TangleError."""
    parameters = service.node.parameters
    if isinstance(block.payload, Milestone):
        milestone = block.payload
        within("payload", lambda: check_milestone(milestone, service.node.network.keys, parameters))
    elif block.nonce == 0 and not has_score(block.encoded, parameters.min_pow_score):
        block = await while_connected(request, service.work.for_client(block))
    check_block(block, parameters)
    receipt = await service.writer.submit(block)
    return receipt.block_id


async def while_connected(request: Request, work: Any) -> Any:
    """The result of `work`, which is cancelled when the client goes away."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone("the client went away")
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _read(content_type: str, body: bytes, service: Service) -> Block:
    kind = media_type(content_type)
    if kind == BINARY:
        return _from_bytes(body, service)
    if kind in {"application/json", ""}:
        return _from_json(parse_json(body), service)
    raise UnsupportedMediaType(f"a block comes as application/json or {BINARY}, not {kind}")


def _from_bytes(body: bytes, service: Service) -> Block:
    if len(body) > 1 and body[1] == 0:
        parents = service.node.tips(PARENTS_MAX)
        body = body[:1] + bytes([len(parents)]) + b"".join(parents) + body[2:]
    try:
        return Block.decode(body)
    except UnexpectedEnd as error:
        # A block that ends where its nonce would begin is one without a nonce.
        if error.field != "nonce" or not error.rule.endswith(" 0 remain"):
            raise
        return Block.decode(body + bytes(8))


def _from_json(value: Any, service: Service) -> Block:
    members = dict(Fields(value, "block").members)
    if not members.get("parents"):
        members["parents"] = [to_hex(tip) for tip in service.node.tips(PARENTS_MAX)]
    if members.get("protocolVersion") is None:
        members["protocolVersion"] = PROTOCOL_VERSION
    return Block.from_json(Fields(members))
