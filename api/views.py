"""From rows of the journal to the JSON that clients see."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from tangle.api.schemas import BINARY
from tangle.api.stream import INCLUSION, parents_of
from tangle.protocol.blocks import Block
from tangle.protocol.outputs import OUTPUTS, Output
from tangle.protocol.serial import Reader, to_hex
from tangle.service.running import Service
from tangle.store.journal import Inclusion, OutputRow
from tangle.store.queries import BlockRecord
from tangle.tipselect.confidence import wilson

Json = dict[str, Any]


def service_of(request: Request) -> Service:
    """The service behind a request."""
    service: Service = request.app.state.service
    return service


def json_response(body: Any, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(orjson.dumps(body), status, media_type="application/json")


def from_hex_id(text: str) -> bytes:
    """The bytes of an id whose form the route has checked."""
    return bytes.fromhex(text[2:])


def wants_raw(request: Request) -> bool:
    """Whether the client prefers raw bytes to JSON."""
    kinds = [part.partition(";")[0].strip() for part in request.headers.get("accept", "").lower().split(",")]
    if BINARY not in kinds:
        return False
    return "application/json" not in kinds or kinds.index(BINARY) < kinds.index("application/json")


def raw_response(data: bytes) -> Response:
    """An answer in raw bytes."""
    return Response(data, media_type=BINARY)


def confidence_json(service: Service, record: BlockRecord) -> Json:
    """The confidence of a block and its interval."""
    milestone = record.referenced.milestone_index if record.referenced else None
    m, n = service.reading.confidence(record.block.number, milestone)
    return share_json(m, n)


def share_json(m: int, n: int) -> Json:
    """m of n walks, and the interval of their share."""
    # A block that no sample has met yet can have any confidence.
    low, high = wilson(m, n) if n else (0.0, 1.0)
    return {"m": m, "n": n, "low": low, "high": high}


def settled_json(record: BlockRecord) -> Json:
    """What milestones made of a block; empty for one that is not referenced."""
    json: Json = {}
    if record.milestone_index is not None:
        json["milestoneIndex"] = record.milestone_index
    if record.referenced is not None:
        json["referencedByMilestoneIndex"] = record.referenced.milestone_index
        json["ledgerInclusionState"] = INCLUSION[Inclusion(record.referenced.inclusion)]
        if record.referenced.conflict_reason is not None:
            json["conflictReason"] = record.referenced.conflict_reason
    return json


def metadata_json(service: Service, record: BlockRecord) -> Json:
    """The metadata of a block."""
    json: Json = {
        "blockId": to_hex(record.block.block_id),
        "parents": parents_of(record.block.data),
        "isSolid": True,
        **settled_json(record),
    }
    if record.referenced is None and record.milestone_index is None:
        json["shouldPromote"], json["shouldReattach"] = service.reading.advice(record.block.number)
    return {**json, "confidence": confidence_json(service, record)}


def block_response(request: Request, data: bytes) -> Response:
    """A block as the client wants it."""
    return raw_response(data) if wants_raw(request) else json_response(Block.decode(data).to_json())


def output_of(row: OutputRow) -> Output:
    """The output in a row."""
    return OUTPUTS.decode(Reader(row.data))


def output_metadata_json(row: OutputRow, ledger_index: int) -> Json:
    """Where an output comes from and whether it is spent."""
    json: Json = {
        "blockId": to_hex(row.block_id),
        "transactionId": to_hex(row.output_id[:32]),
        "outputIndex": int.from_bytes(row.output_id[32:], "little"),
        "isSpent": row.spent_index is not None,
        "milestoneIndexBooked": row.created_index,
        "milestoneTimestampBooked": row.created_at,
        "ledgerIndex": ledger_index,
    }
    if row.spent_index is not None and row.spent_by is not None:
        json["milestoneIndexSpent"] = row.spent_index
        json["milestoneTimestampSpent"] = row.spent_at
        json["transactionIdSpent"] = to_hex(row.spent_by)
    return json
