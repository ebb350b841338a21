"""Public channels, decoded by the node for readers that cannot do it themselves.

Private and restricted channels are decoded where their keys are, over data by tag: the node is given none.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from starlette.requests import Request

from tangle.api import schemas
from tangle.api.channels import ChannelStream, heard_json, place_text, read_place
from tangle.api.views import from_hex_id, json_response, service_of
from tangle.service.decoding import STREAMS_MAX, Place, Walk
from tangle.service.errors import TooManyStreams
from tangle.service.running import Service

RootPath = Annotated[str, Path(pattern="^0x[0-9a-fA-F]{64}$", description="root to read from, 32 bytes")]
PlaceQuery = Annotated[
    str | None,
    Query(max_length=110, description="`position` or `next` of an answer, or the id of a stream's message"),
]
router = APIRouter()


@router.get(
    "/mam/{root}",
    responses={**schemas.ok(schemas.ChannelPage, "a page, which may be empty"), **schemas.OUR_PLACES},
    response_class=Response,
)
async def channel(
    request: Request,
    root: RootPath,
    after: PlaceQuery = None,
    store_id: schemas.StoreQuery = None,
    page_size: schemas.PageSizeQuery = None,
) -> Response:
    """The messages of a public channel from a root on, verified and decoded, in order.

    Nothing is found for the root of a private or restricted channel: the node has no key.
    """
    service = service_of(request)
    size = service.page_size(page_size)
    walk = _walk(service, root, after, "after", store_id)
    found = await service.decoding.page(walk, service.feed.last, size)
    here = place_text(walk.place)
    items = [heard_json(one) for one in found.items]
    body = {"root": root.lower(), "items": items, "skipped": dict(walk.skipped), "position": here}
    return json_response({**body, "next": here} if found.more else body)


@router.get("/mam/{root}/events", responses={**schemas.STREAM, **schemas.OUR_PLACES}, response_class=Response)
async def channel_events(
    request: Request,
    root: RootPath,
    after: PlaceQuery = None,
    store_id: schemas.StoreQuery = None,
    last_event_id: schemas.LastEventHeader = None,
) -> ChannelStream:
    """Server-sent events: the messages of a public channel, those that are there first, resumable."""
    service = service_of(request)
    field = "Last-Event-ID" if last_event_id else "after"
    walk = _walk(service, root, last_event_id or after, field, store_id)
    if service.decoding.streams >= STREAMS_MAX:
        raise TooManyStreams("too many decoded streams are open; data by tag is there for more")
    return ChannelStream(service, walk)


def _walk(service: Service, root: str, after: str | None, field: str, store_id: str | None) -> Walk:
    start = read_place(after, field) if after else Place(from_hex_id(root))
    service.check_position(field, start.number, store_id)
    return service.decoding.walk(start)
