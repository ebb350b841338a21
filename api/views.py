"""From rows of the journal to the JSON that clients see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from tangle.api.accept import wants_raw
from tangle.api.schemas import BINARY
from tangle.api.stream import INCLUSION
from tangle.protocol import peek
from tangle.protocol.answers import BlockConfidence, BlockMetadata, Confidence, OutputMetadata
from tangle.protocol.blocks import Block
from tangle.protocol.codec import Declared
from tangle.protocol.outputs import OUTPUTS, Output
from tangle.protocol.serial import Reader
from tangle.service.running import Service
from tangle.store.journal import Inclusion, OutputRow
from tangle.store.queries import BlockRecord
from tangle.tipselect.confidence import wilson


def service_of(request: Request) -> Service:
    """The service behind a request."""
    service: Service = request.app.state.service
    return service


def json_response(body: Any, status: int = 200) -> Response:
    """An answer in JSON: an object of a declared class, or what orjson writes."""
    body = body.to_json() if isinstance(body, Declared) else body
    return Response(orjson.dumps(body), status, media_type="application/json")


def from_hex_id(text: str) -> bytes:
    """The bytes of an id whose form the route has checked."""
    return bytes.fromhex(text[2:])


def chosen(request: Request, data: bytes, read: Callable[[], Any]) -> Response:
    """`data` as it is, or the JSON of what `read` returns, whichever the client prefers."""
    response = Response(data, media_type=BINARY) if wants_raw(request) else json_response(read())
    response.headers["vary"] = "Accept"
    return response


def confidence(service: Service, record: BlockRecord) -> Confidence:
    """The confidence of a block and its interval."""
    milestone = record.referenced.milestone_index if record.referenced else None
    return share(*service.reading.confidence(record.block.number, milestone))


def share(m: int, n: int) -> Confidence:
    """m of n walks, and the interval of their share."""
    # A block that no sample has met yet can have any confidence.
    return Confidence(m, n, *(wilson(m, n) if n else (0.0, 1.0)))


def block_confidence(
    block_id: bytes, found: Confidence, seed: int | None = None, as_of: int | None = None
) -> BlockConfidence:
    """The confidence of one block; with the seed and the event number of walks that were drawn for it."""
    return BlockConfidence(found.m, found.n, found.low, found.high, block_id, seed, as_of)


def settled(record: BlockRecord) -> dict[str, Any]:
    """What milestones made of a block, as members of `BlockMetadata`; empty for one that is not referenced."""
    found: dict[str, Any] = {"carried_index": record.milestone_index}
    if record.referenced is not None:
        found["milestone_index"] = record.referenced.milestone_index
        found["inclusion"] = INCLUSION[Inclusion(record.referenced.inclusion)]
        found["conflict_reason"] = record.referenced.conflict_reason
    return found


def metadata(service: Service, record: BlockRecord) -> BlockMetadata:
    """What became of a block, and its confidence."""
    open_ = record.referenced is None and record.milestone_index is None
    promote, reattach = service.reading.advice(record.block.number) if open_ else (None, None)
    return BlockMetadata(
        record.block.block_id,
        tuple(peek.parents(record.block.data)),
        is_solid=True,
        **settled(record),
        white_flag_index=record.white_flag_index,
        should_promote=promote,
        should_reattach=reattach,
        confidence=confidence(service, record),
    )


def block_response(request: Request, data: bytes) -> Response:
    """A block as the client wants it."""
    return chosen(request, data, lambda: Block.decode(data))


def output_of(row: OutputRow) -> Output:
    """The output in a row."""
    return OUTPUTS.decode(Reader(row.data))


def output_metadata(row: OutputRow, ledger_index: int) -> OutputMetadata:
    """Where an output comes from and whether it is spent."""
    return OutputMetadata(
        row.block_id,
        row.output_id[:32],
        int.from_bytes(row.output_id[32:], "little"),
        row.spent_index is not None,
        row.created_index,
        row.created_at,
        ledger_index,
        row.spent_index,
        row.spent_at,
        row.spent_by,
    )
