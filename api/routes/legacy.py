"""Routes of the generation before, for clients that machines still carry: every answer lies in ``{"data": …}``.

There a block is called a message, tagged data an indexation payload (type 2), and hexadecimal digits have no
``0x`` in front.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from starlette.requests import Request

from tangle.api import questions, schemas
from tangle.api.asking import ask
from tangle.api.problems import BodyInvalid, UnsupportedMediaType
from tangle.api.routes.blocks import JSON, admitted, media_type, parse_json
from tangle.api.routes.core import NAME, VERSION
from tangle.api.views import json_response, metadata, service_of
from tangle.errors import NotFound
from tangle.protocol.blocks import Block, Payload
from tangle.protocol.errors import UnknownType
from tangle.protocol.parameters import PARENTS_MAX, TAG_BYTES_MAX
from tangle.protocol.serial import Fields, from_hex, to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.service.running import Service
from tangle.store import queries
from tangle.store.queries import BlockRecord

INDEXATION = 2
"""payload type of tagged data in that generation"""

router = APIRouter(prefix="/api/v1", tags=["generation before"])
MessageId = Annotated[str, Path(alias="messageId", pattern="^[0-9a-fA-F]{64}$", description="block id without 0x")]
_DATA: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "found",
        "content": {
            "application/json": {
                "schema": {"type": "object", "properties": {"data": {"type": "object"}}, "required": ["data"]}
            }
        },
    }
}
_FOUND = {**_DATA, **schemas.TIP_NOT_FOUND}
_POST_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object", "properties": {"payload": {"type": "object"}}},
                "example": {"payload": {"type": INDEXATION, "index": "7761746572", "data": "332e32"}},
            }
        },
    }
}


@router.get("/info", responses=_DATA, response_class=Response)
async def info(request: Request) -> Response:
    """Name, version and milestones of the node."""
    service = service_of(request)
    newest, parameters = service.reading.milestone, service.parameters
    blocks, referenced = service.metrics.per_second()
    return _data(
        {
            "name": NAME,
            "version": VERSION,
            "isHealthy": service.healthy,
            "networkId": parameters.network_name,
            "bech32HRP": parameters.bech32_hrp,
            "minPoWScore": parameters.min_pow_score,
            "messagesPerSecond": blocks,
            "referencedMessagesPerSecond": referenced,
            "referencedRate": service.metrics.referenced_rate,
            "latestMilestoneTimestamp": newest.timestamp,
            "latestMilestoneIndex": newest.index,
            "confirmedMilestoneIndex": newest.index,
            "pruningIndex": 0,
            "features": ["PoW"] if service.work.enabled else [],
        }
    )


@router.get("/tips", responses={**_DATA, **schemas.TIP_ERRORS}, response_class=Response)
async def tips(request: Request) -> Response:
    """Blocks to approve."""
    return _data({"tipMessageIds": [tip.hex() for tip in service_of(request).reading.tips()]})


@router.post(
    "/messages",
    status_code=201,
    responses={
        201: _DATA[200],
        **schemas.TIP_ERRORS,
        413: schemas.tip_error("the body is too large"),
        415: schemas.tip_error("the body is not JSON"),
    },
    openapi_extra=_POST_BODY,
    response_class=Response,
)
async def post_message(request: Request) -> Response:
    """Attach data: the node chooses what is missing, parents and nonce."""
    block_id = await admitted(request, _read)
    text = block_id.hex()
    response = _data({"messageId": text}, 201)
    response.headers["location"] = f"{request.scope['root_path']}/api/v1/messages/{text}"
    return response


@router.get("/messages", responses={**_DATA, **schemas.TIP_ERRORS}, response_class=Response)
async def find_messages(
    request: Request,
    index: Annotated[
        str, Query(pattern=f"^([0-9a-fA-F]{{2}}){{1,{TAG_BYTES_MAX}}}$", description="tag in hex, without 0x")
    ],
) -> Response:
    """Blocks with a tag: the first ones in order of attaching, up to the page size."""
    return await ask(request, questions.messages, index, service_of(request).settings.page_size_max)


@router.get("/messages/{messageId}", responses=_FOUND, response_class=Response)
def message(request: Request, message_id: MessageId) -> Response:
    """A block as a message."""
    service = service_of(request)
    block = Block.decode(_record(service, message_id).block.data)
    members: dict[str, Any] = {
        "networkId": str(service.parameters.network_id),
        "parentMessageIds": [parent.hex() for parent in block.parents],
    }
    if block.payload is not None:
        members["payload"] = _payload_json(block.payload)
    return _data({**members, "nonce": str(block.nonce)})


@router.get("/messages/{messageId}/metadata", responses=_FOUND, response_class=Response)
def message_metadata(request: Request, message_id: MessageId) -> Response:
    """What became of a block."""
    service = service_of(request)
    found = metadata(service, _record(service, message_id)).to_json()
    found["messageId"] = found.pop("blockId")[2:]
    found["parentMessageIds"] = [parent[2:] for parent in found.pop("parents")]
    return _data(found)


_RAW = {"description": "found", "content": {"application/octet-stream": {"schema": {"type": "string"}}}}


@router.get("/messages/{messageId}/raw", responses={200: _RAW, **schemas.TIP_NOT_FOUND}, response_class=Response)
def raw_message(request: Request, message_id: MessageId) -> Response:
    """The bytes of a block."""
    data = _record(service_of(request), message_id).block.data
    return Response(data, media_type="application/octet-stream")


def _data(members: dict[str, Any], status: int = 200) -> Response:
    return json_response({"data": members}, status)


def _record(service: Service, message_id: str) -> BlockRecord:
    with service.connect() as connection:
        record = queries.record(connection, bytes.fromhex(message_id))
    if record is None:
        raise NotFound(f"no message {message_id}")
    return record


def _read(request: Request, body: bytes) -> Any:
    """What the body says, in the words of today."""
    kind = media_type(request.headers.get("content-type", ""))
    if kind not in JSON:
        raise UnsupportedMediaType(f"a message comes as application/json, not {kind}")
    return Fields(parse_json(body), "message", exact=True).whole(_members)


def _members(fields: Fields) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name in ("networkId", "nonce"):
        fields.get(name)  # sent by those clients; both belong to the bytes of a message that is no block today
    if "payload" in fields:
        members["payload"] = fields.nested("payload", _indexation).to_json()
    names = ("parentMessageIds", "parents")
    given = next((fields.items(name) for name in names if name in fields), [])
    if len(given) > PARENTS_MAX:
        raise BodyInvalid(f"parentMessageIds: at most {PARENTS_MAX}, not {len(given)}", "parentMessageIds")
    if not all(isinstance(text, str) for text in given):
        raise BodyInvalid("parentMessageIds: must be hexadecimal digits", "parentMessageIds")
    parents = [from_hex("0x" + text, f"parentMessageIds[{i}]", size=32) for i, text in enumerate(given)]
    return {**members, "parents": [to_hex(parent) for parent in parents]}


def _indexation(fields: Fields) -> TaggedData:
    kind = fields.integer("type", 2**32 - 1)
    if kind != INDEXATION:
        raise UnknownType("type", f"{kind} is no payload type here (known: {INDEXATION})")
    tag = from_hex("0x" + fields.text("index"), "index")
    return TaggedData(tag, from_hex("0x" + fields.text("data"), "data") if "data" in fields else b"")


def _payload_json(payload: Payload) -> dict[str, Any]:
    if isinstance(payload, TaggedData):
        return {"type": INDEXATION, "index": payload.tag.hex(), "data": payload.data.hex()}
    return payload.to_json()
