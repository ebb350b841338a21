"""What this node adds to the TIPs: confidence, tags, events, histories, the faucet; with slices and tips."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from tangle.api import questions, schemas, views
from tangle.api.asking import ask, ask_window
from tangle.api.problems import BadParameter, UnsupportedMediaType
from tangle.api.routes import channels, graph, tags, tips
from tangle.api.routes.blocks import media_type, parse_json, read_body
from tangle.api.stream import TYPES, EventStream
from tangle.api.views import from_hex_id, json_response, service_of
from tangle.errors import NotFound
from tangle.protocol import answers
from tangle.protocol.addresses import from_bech32
from tangle.protocol.serial import Fields
from tangle.service.errors import FaucetDisabled
from tangle.store import queries

PREFIX = "/api/tangle/v1"
WALKS_MAX = 10_000
"""walks that one request may draw"""
router = APIRouter(prefix=PREFIX, tags=["tangle"])
router.include_router(graph.router)
router.include_router(tags.router)
router.include_router(channels.router)
router.include_router(tips.router)


@router.get(
    "/confidence/{blockId}",
    responses={**schemas.ok(answers.BlockConfidence), **schemas.OUR_NOT_FOUND},
    response_class=Response,
)
async def confidence(
    request: Request,
    block_id: schemas.BlockIdPath,
    n: Annotated[
        int | None, Query(ge=1, le=WALKS_MAX, description="walks to draw now; absent: the newest sample")
    ] = None,
    seed: tips.SeedQuery = None,
) -> Response:
    """In how many of n random walks the block was approved by the tip that they ended on.

    With `n` or `seed` walks are drawn for this request, on the Tangle as of event `asOf`.
    """
    service = service_of(request)

    def read() -> queries.BlockRecord | None:
        with service.connect() as connection:
            return queries.record(connection, from_hex_id(block_id))

    record = await asyncio.to_thread(read)
    if record is None:
        raise NotFound(f"no block {block_id}")
    number = record.block.number
    if (n is None and seed is None) or not service.reading.in_window(number):
        found = views.block_confidence(record.block.block_id, views.confidence(service, record))
        return json_response(found)
    walks, chosen = n or service.settings.confidence_walks, tips.drawn(seed)

    return await ask_window(request, number, questions.confidence, record, walks, chosen)


@router.get(
    "/events",
    responses={**schemas.STREAM, **schemas.OUR_PLACES},
    response_class=Response,
)
async def events(
    request: Request,
    after: schemas.ResumeQuery = None,
    store_id: schemas.StoreQuery = None,
    types: Annotated[
        str | None, Query(max_length=100, examples=["solid,milestone"], description="some, separated by commas")
    ] = None,
    details: Annotated[
        bool, Query(description="solid events with parents, payload, receivedMs and, for a milestone, its index")
    ] = False,
    last_event_id: schemas.LastEventHeader = None,
) -> EventStream:
    """Server-sent events: solid, referenced, confidence and milestone, numbered and resumable."""
    service = service_of(request)
    names = types.split(",") if types else list(TYPES)
    unknown = [name for name in names if name not in TYPES]
    if unknown:
        raise BadParameter(f"types: {unknown[0]!r} is none of {', '.join(TYPES)}", "types")
    start = tags.place(service, after, last_event_id, store_id)
    return EventStream(service, request.app.state.told, start, [TYPES[name] for name in names], details=details)


@router.get(
    "/addresses/{address}/history",
    responses={**schemas.ok(schemas.History, "a page, which may be empty"), **schemas.OUR_PLACES},
    response_class=Response,
)
async def history(
    request: Request,
    address: schemas.AddressPath,
    after: schemas.AfterQuery = 0,
    store_id: schemas.StoreQuery = None,
    page_size: schemas.PageSizeQuery = None,
) -> Response:
    """What every included transaction changed for an address, oldest first."""
    service = service_of(request)
    service.check_position("after", after, store_id)
    hrp = service.parameters.bech32_hrp
    found = from_bech32(address, hrp)
    return await ask(request, questions.history, found, address, hrp, after, service.page_size(page_size))


@router.get("/supply", responses={**schemas.ok(schemas.Supply), **schemas.OUR_BUSY}, response_class=Response)
async def supply(request: Request) -> Response:
    """The token supply, and the sum of all unspent outputs counted anew."""
    return await ask(request, questions.supply, service_of(request).parameters.token_supply)


@router.get("/metrics", responses=schemas.ok(schemas.Metrics), response_class=Response)
async def metrics(request: Request) -> Response:
    """Rates, tips, blocks in memory, queues, the age of the newest milestone."""
    service = service_of(request)
    reading = service.reading
    blocks, referenced = service.metrics.per_second()
    return json_response(
        {
            "blocksPerSecond": blocks,
            "referencedBlocksPerSecond": referenced,
            "referencedRate": service.metrics.referenced_rate,
            "tips": reading.tip_total,
            "windowBlocks": reading.window_count,
            "waitingBlocks": reading.waiting_count,
            "queuedBlocks": service.queued,
            "storeId": service.store_id,
            "eventNumber": service.feed.last,
            "eventStreams": service.feed.followers,
            "milestoneIndex": reading.milestone.index,
            "milestoneAgeSeconds": service.clock() - reading.milestone.timestamp,
            "isHealthy": service.healthy,
        }
    )


_FAUCET_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"address": {"type": "string", "description": "bech32 address"}},
                    "required": ["address"],
                },
                "example": {"address": "tgl1qpszqzadsym6wpppd6z037dvlejmjuke7s24hm95s9fg9vpua7vlupxvxq2"},
            }
        },
    }
}


@router.post(
    "/faucet/enqueue",
    status_code=202,
    responses={
        **schemas.ok(answers.FaucetReceipt, "taken", 202),
        **schemas.OUR_ERRORS,
        403: schemas.problem("this node has no faucet"),
        413: schemas.problem("the body is too large"),
        415: schemas.problem("the body is not JSON"),
        429: schemas.problem("a request waits already, the address holds enough, or was given to too often"),
    },
    openapi_extra=_FAUCET_BODY,
    response_class=Response,
)
async def enqueue(request: Request) -> Response:
    """Ask the faucet for coins; they come with one of the next milestones."""
    service = service_of(request)
    body = await read_body(request, service.settings.body_bytes_max)
    kind = media_type(request.headers.get("content-type", "application/json"))
    if kind != "application/json":
        raise UnsupportedMediaType(f"the request comes as application/json, not {kind}")
    text = Fields(parse_json(body), "body", exact=True).whole(lambda fields: fields.text("address"))
    address = from_bech32(text, service.parameters.bech32_hrp)
    if service.faucet is None:
        raise FaucetDisabled
    waiting = await service.faucet.ask(address, request.client.host if request.client else "")
    return json_response(answers.FaucetReceipt(text, waiting), 202)
