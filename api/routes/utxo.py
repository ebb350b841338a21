"""Outputs, and the blocks that carried transactions into the ledger (TIP-25)."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from starlette.requests import Request

from tangle.api import schemas, views
from tangle.api.routes.blocks import any_block
from tangle.api.views import chosen, from_hex_id, json_response, output_of, service_of
from tangle.errors import NotFound
from tangle.protocol import answers
from tangle.protocol.blocks import Block
from tangle.protocol.milestones import NO_ID
from tangle.protocol.serial import to_hex
from tangle.store import queries
from tangle.store.journal import OutputRow
from tangle.store.queries import BlockRecord

router = APIRouter(tags=["utxo"])


@router.get(
    "/api/core/v2/outputs/{outputId}",
    responses={**schemas.ok_or_raw(answers.FoundOutput), **schemas.TIP_NOT_FOUND},
    response_class=Response,
)
def output(request: Request, output_id: schemas.OutputIdPath) -> Response:
    """An output and its metadata; raw bytes hold the output alone."""
    row, ledger_index = _row(request, output_id)

    def found() -> answers.FoundOutput:
        return answers.FoundOutput(views.output_metadata(row, ledger_index), output_of(row))

    return chosen(request, row.data, found)


@router.get(
    "/api/core/v2/outputs/{outputId}/metadata",
    responses={**schemas.ok(answers.OutputMetadata), **schemas.TIP_NOT_FOUND},
    response_class=Response,
)
def output_metadata(request: Request, output_id: schemas.OutputIdPath) -> Response:
    """Where an output comes from and whether it is spent."""
    return json_response(views.output_metadata(*_row(request, output_id)))


@router.get(
    "/api/core/v2/transactions/{transactionId}/included-block",
    responses={**schemas.ok_or_raw(Block), **schemas.TIP_NOT_FOUND},
    response_class=Response,
)
async def included_block(request: Request, transaction_id: schemas.TransactionIdPath) -> Response:
    """The block with which the ledger took a transaction."""
    record = await asyncio.to_thread(_included, request, transaction_id)
    return await any_block(request, record.block.data)


@router.get(
    "/api/core/v2/transactions/{transactionId}/included-block/metadata",
    responses={**schemas.ok(answers.BlockMetadata), **schemas.TIP_NOT_FOUND},
    response_class=Response,
)
def included_block_metadata(request: Request, transaction_id: schemas.TransactionIdPath) -> Response:
    """The metadata of the block with which the ledger took a transaction."""
    return json_response(views.metadata(service_of(request), _included(request, transaction_id)))


@router.get("/api/core/v2/receipts", responses=schemas.ok(schemas.Receipts), response_class=Response)
async def receipts() -> Response:
    """None: nothing was migrated into this network."""
    return json_response({"receipts": []})


@router.get(
    "/api/core/v2/receipts/{index}",
    responses={**schemas.ok(schemas.Receipts), **schemas.TIP_ERRORS},
    response_class=Response,
)
async def receipts_of(index: schemas.IndexPath) -> Response:  # noqa: ARG001 -- checked, then not needed
    """None: nothing was migrated into this network."""
    return json_response({"receipts": []})


@router.get("/api/core/v2/treasury", responses=schemas.ok(schemas.Treasury), response_class=Response)
async def treasury() -> Response:
    """Empty: nothing was migrated into this network."""
    return json_response({"milestoneId": to_hex(NO_ID), "amount": "0"})


def _row(request: Request, output_id: str) -> tuple[OutputRow, int]:
    service = service_of(request)
    ledger_index = service.reading.milestone.index
    with service.connect() as connection:
        row = queries.output(connection, from_hex_id(output_id))
    if row is None:
        raise NotFound(f"no output {output_id}")
    return row, ledger_index


def _included(request: Request, transaction_id: str) -> BlockRecord:
    with service_of(request).connect() as connection:
        record = queries.included_block(connection, from_hex_id(transaction_id))
    if record is None:
        raise NotFound(f"the ledger holds no transaction {transaction_id}")
    return record
