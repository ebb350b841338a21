"""Public channels, decoded by the node for readers that cannot do it themselves.

Private and restricted channels are decoded where their keys are, over data by tag: the node is given none.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from starlette.requests import Request

from tangle.api import questions, schemas
from tangle.api.asking import ask
from tangle.api.channels import ChannelStream, read_place
from tangle.api.views import from_hex_id, service_of
from tangle.service.decoding import STREAMS_MAX, Place
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
    place = _place(service, root, after, "after", store_id)
    now_ms = 1_000 * service.clock()
    return await ask(request, questions.channel, root, place, service.feed.last, size, now_ms)


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
    walk = service.decoding.walk(_place(service, root, last_event_id or after, field, store_id))
    if service.decoding.streams >= STREAMS_MAX:
        raise TooManyStreams("too many decoded streams are open; data by tag is there for more")
    return ChannelStream(service, walk)


def _place(service: Service, root: str, after: str | None, field: str, store_id: str | None) -> Place:
    start = read_place(after, field) if after else Place(from_hex_id(root))
    service.check_position(field, start.number, store_id)
    return start
