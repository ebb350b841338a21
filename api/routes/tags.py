"""Data by tag: its history in pages, and what is new as a stream."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from tangle.api import questions, schemas
from tangle.api.asking import ask
from tangle.api.problems import BadParameter
from tangle.api.tagged import TagStream
from tangle.api.views import from_hex_id, service_of
from tangle.service.running import Service
from tangle.store import queries

PAGE_BYTES = 2 * 2**20
"""bytes of encoded blocks in a page with data; a page is cut there, with at least one block in it"""
EVENT_NUMBER_MAX = 2**63 - 1
NUMBER_DIGITS = 19
"""of that number; Python refuses to read very long ones"""
TAGS_MAX = 16
"""tags that one stream follows"""
_ONE = "0x([0-9a-fA-F]{2}){1,64}"
router = APIRouter()


@router.get(
    "/tags/{tag}/blocks",
    responses={**schemas.ok(schemas.TaggedBlocks, "a page, which may be empty"), **schemas.OUR_PLACES},
    response_class=Response,
)
async def tagged_blocks(
    request: Request,
    tag: schemas.TagPath,
    after: schemas.AfterQuery = 0,
    store_id: schemas.StoreQuery = None,
    before: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="only what has a smaller event number than this one")
    ] = None,
    from_ms: Annotated[
        int | None,
        Query(alias="fromMs", ge=0, le=2**63 - 1, description="taken at this time or later, by the node's clock"),
    ] = None,
    to_ms: Annotated[int | None, Query(alias="toMs", ge=0, le=2**63 - 1, description="taken before")] = None,
    newest_first: Annotated[
        bool, Query(alias="newestFirst", description="`next` is then the `before` of the next page")
    ] = False,
    data: Annotated[bool, Query(description="each item with the data of its block")] = False,
    page_size: schemas.PageSizeQuery = None,
) -> Response:
    """Blocks whose tagged data has this tag, in order of attaching or the other way round."""
    service = service_of(request)
    service.check_position("after", after, store_id)
    size = service.page_size(page_size)
    chosen = queries.TaggedFilter(after, before, from_ms, to_ms, newest_first)
    return await ask(request, questions.tagged, tag, chosen, size, PAGE_BYTES if data else None)


@router.get("/tags/{tag}/events", responses={**schemas.STREAM, **schemas.OUR_PLACES}, response_class=Response)
async def tag_events(
    request: Request,
    tag: schemas.TagPath,
    after: schemas.ResumeQuery = None,
    store_id: schemas.StoreQuery = None,
    also: Annotated[
        str | None,
        Query(
            pattern=f"^{_ONE}(,{_ONE}){{0,{TAGS_MAX - 2}}}$",
            description=f"more tags, separated by commas; {TAGS_MAX} in all",
        ),
    ] = None,
    last_event_id: schemas.LastEventHeader = None,
) -> TagStream:
    """Server-sent events: each block under the tag, with its data, numbered and resumable."""
    service = service_of(request)
    chosen = [from_hex_id(one) for one in (tag, *(also.split(",") if also else ()))]
    return TagStream(service, request.app.state.frames, chosen, place(service, after, last_event_id, store_id))


def place(service: Service, after: int | None, last_event_id: str | None, store_id: str | None) -> int:
    """The event number that a new stream begins behind.

    Raises
    ------
    BadParameter, PositionInvalid
    """
    known = _last_event(last_event_id)
    start = max((number for number in (after, known) if number is not None), default=None)
    field = "after" if known is None or known != start else "Last-Event-ID"
    service.check_position(field, start or 0, store_id)
    return service.feed.last if start is None else start


def _last_event(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS and int(text) <= EVENT_NUMBER_MAX):
        raise BadParameter("Last-Event-ID: must be an event number", "Last-Event-ID")
    return int(text)
