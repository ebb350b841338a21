"""Slices of the Tangle: for drawing, and for graph programs."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from tangle.api import questions, schemas
from tangle.api.asking import ask_window
from tangle.api.graphs import WRITERS
from tangle.api.problems import BadParameter
from tangle.api.views import from_hex_id, service_of

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

    place: questions.Start = ("newest", after or 0)
    if around is not None:
        place = "around", from_hex_id(around)
    elif first is not None:
        place = "from", first
    most = min(limit, service.settings.page_size_max)
    answer = await ask_window(request, service.reading.newest, questions.slice_of, place, most, form)
    if form != "json":
        answer.headers["content-type"] = WRITERS[form][0]
    return answer
