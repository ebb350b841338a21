"""Milestones by id and by index, and what they changed in the ledger (TIP-25)."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from starlette.requests import Request

from tangle.api import questions, schemas
from tangle.api.asking import ask
from tangle.api.views import chosen, from_hex_id, service_of
from tangle.errors import NotFound
from tangle.protocol import answers
from tangle.protocol.milestones import Milestone
from tangle.store import queries
from tangle.store.journal import MilestoneRow

router = APIRouter(tags=["milestones"])
_MILESTONE = {**schemas.ok_or_raw(Milestone), **schemas.TIP_NOT_FOUND}
_CHANGES = {**schemas.ok(answers.UtxoChanges), **schemas.TIP_NOT_FOUND}


@router.get("/api/core/v2/milestones/by-index/{index}", responses=_MILESTONE, response_class=Response)
def milestone_by_index(request: Request, index: schemas.IndexPath) -> Response:
    """The milestone of an index."""
    return _milestone(request, _by_index(request, index))


@router.get("/api/core/v2/milestones/by-index/{index}/utxo-changes", responses=_CHANGES, response_class=Response)
async def changes_by_index(request: Request, index: schemas.IndexPath) -> Response:
    """The outputs that the milestone of an index created and consumed."""
    return await _changes(request, await asyncio.to_thread(_by_index, request, index))


@router.get("/api/core/v2/milestones/{milestoneId}", responses=_MILESTONE, response_class=Response)
def milestone_by_id(request: Request, milestone_id: schemas.MilestoneIdPath) -> Response:
    """The milestone of an id."""
    return _milestone(request, _by_id(request, milestone_id))


@router.get("/api/core/v2/milestones/{milestoneId}/utxo-changes", responses=_CHANGES, response_class=Response)
async def changes_by_id(request: Request, milestone_id: schemas.MilestoneIdPath) -> Response:
    """The outputs that the milestone of an id created and consumed."""
    return await _changes(request, await asyncio.to_thread(_by_id, request, milestone_id))


def _by_index(request: Request, index: int) -> MilestoneRow:
    with service_of(request).connect() as connection:
        row = queries.milestone_by_index(connection, index)
    if row is None:
        raise NotFound(f"no milestone {index}")
    return row


def _by_id(request: Request, milestone_id: str) -> MilestoneRow:
    with service_of(request).connect() as connection:
        row = queries.milestone_by_id(connection, from_hex_id(milestone_id))
    if row is None:
        raise NotFound(f"no milestone {milestone_id}")
    return row


def _milestone(request: Request, row: MilestoneRow) -> Response:
    return chosen(request, row.payload, lambda: Milestone.decode(row.payload))


async def _changes(request: Request, row: MilestoneRow) -> Response:
    return await ask(request, questions.utxo_changes, row.index)
