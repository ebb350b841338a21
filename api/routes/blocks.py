"""Blocks: posting one, and what is known of it (TIP-25).

Posting is the hot path. The body is read, decoded and checked on the event loop, all well under a millisecond; what
a check refuses never reaches the writer. Answered is what is durable. A block whose nonce is zero and does not
suffice is finished by the node, while the client stays connected.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.problems import BodyInvalid, BodyTooLarge, UnsupportedMediaType
from api.service import Service, service_of
from tangle.protocol.blocks import Block, check_block
from tangle.protocol.errors import TangleError, UnexpectedEnd
from tangle.protocol.milestones import Milestone, check_milestone
from tangle.protocol.parameters import PARENTS_MAX, PROTOCOL_VERSION
from tangle.protocol.pow.score import has_score
from tangle.protocol.serial import Fields, to_hex, within

log = logging.getLogger("tangle.api.blocks")

BINARY = "application/vnd.iota.serializer-v1"
"""media type of raw bytes; TIP-25"""
router = APIRouter()


@router.post("/api/core/v2/blocks", status_code=201)
async def submit_block(request: Request) -> Response:
    """Attach a block. Missing parents are chosen and a missing nonce is found by the node."""
    service = service_of(request)
    body = await read_body(request, service.settings.body_bytes_max)
    try:
        block = _read(request.headers.get("content-type", ""), body, service)
        block_id = await attach(request, service, block)
    except TangleError as error:
        host = request.client.host if request.client else "?"
        log.info("refused a block of %d bytes from %s: %s: %s", len(body), host, error.code, error)
        raise
    text = to_hex(block_id)
    return Response(
        b'{"blockId":"%b"}' % text.encode(),
        201,
        {"location": f"/api/core/v2/blocks/{text}"},
        "application/json",
    )


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
            raise BodyInvalid("the client went away")
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
