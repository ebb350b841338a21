"""Slices of the Tangle: for drawing, and for graph programs."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from tangle.api import schemas
from tangle.api.graphs import WRITERS
from tangle.api.problems import BadParameter
from tangle.api.stream import KINDS
from tangle.api.views import confidence, from_hex_id, json_response, service_of, settled
from tangle.errors import NotFound
from tangle.protocol import peek
from tangle.service.running import Service
from tangle.store import queries
from tangle.store.queries import BlockRecord

GRAPH_LIMIT = 100
"""blocks of a slice when no number is named"""
router = APIRouter()

_TEXT = {"schema": {"type": "string"}}
_GRAPH = schemas.json_of(schemas.Graph, schemas.NodeLink, description="oldest first")
_GRAPH["content"] |= {kind: _TEXT for kind, _ in WRITERS.values() if kind != "application/json"}
_ANSWERS: schemas.Responses = {200: _GRAPH, **schemas.OUR_NOT_FOUND, **schemas.OUR_PLACES}


@router.get("/graph", responses=_ANSWERS, response_class=Response)
async def graph(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=2**31 - 1, description="blocks; the node bounds it")] = GRAPH_LIMIT,
    after: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="the newest with a larger event number than this one")
    ] = None,
    first: Annotated[
        int | None, Query(alias="from", ge=0, le=2**63 - 1, description="the oldest from this event number on")
    ] = None,
    store_id: schemas.StoreQuery = None,
    around: Annotated[
        str | None, Query(pattern="^0x[0-9a-fA-F]{64}$", description="block id: those that came about when it did")
    ] = None,
    form: Annotated[
        Literal["json", "node-link", "graphml", "dot"],
        Query(alias="format", description="json, or a form that graph programs read"),
    ] = "json",
) -> Response:
    """A slice of blocks with their parents, weights and confidence; without a place to start, the newest."""
    service = service_of(request)
    if sum(place is not None for place in (after, first, around)) > 1:
        raise BadParameter("only one of after, from and around can be followed", "after")
    service.check_position("after" if first is None else "from", after or first or 0, store_id)

    def read() -> list[BlockRecord]:
        most = min(limit, service.settings.page_size_max)
        with service.connect() as connection:
            if around is not None:
                middle = queries.record(connection, from_hex_id(around))
                if middle is None:
                    raise NotFound(f"no block {around}")
                return queries.blocks_around(connection, middle.block.number, most)
            if first is not None:
                return queries.blocks_from(connection, first, most)
            return queries.latest_blocks(connection, most, after=after or 0)

    ledger_index = service.reading.milestone.index
    records = await asyncio.to_thread(read)
    nodes = await _nodes(service, records)
    if form == "json":
        return json_response({"ledgerIndex": ledger_index, "nodes": nodes})
    media_type, write = WRITERS[form]
    return Response(await asyncio.to_thread(write, nodes), media_type=media_type)


async def _nodes(service: Service, records: list[BlockRecord]) -> list[dict[str, Any]]:
    inside = [record.block.number for record in records if service.reading.in_window(record.block.number)]
    weights: dict[int, int] = {}
    if inside:
        weights = await service.stills.ask(lambda still: still.weights(inside), number=max(inside))
    return [
        schemas.GraphNode(
            record.block.block_id,
            record.block.number,
            tuple(peek.parents(record.block.data)),
            KINDS[record.block.payload_type],
            record.block.received_at,
            confidence(service, record),
            weight=weights.get(record.block.number),
            **settled(record),
        ).to_json()
        for record in records
    ]
