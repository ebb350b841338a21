"""Tips and what becomes of those that nobody takes: for operators who want to know why."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from tangle.api import questions, schemas
from tangle.api.asking import ask_window
from tangle.api.views import service_of
from tangle.protocol.parameters import PARENTS_MAX
from tangle.tipselect.orphans import AGE

SEED_MAX = 2**32 - 1
TIPS_LIMIT = 100
"""tips of a list when no number is named"""
SeedQuery = Annotated[
    int | None, Query(ge=0, le=SEED_MAX, description="the same seed on the same Tangle: the same answer")
]
router = APIRouter()


def drawn(seed: int | None) -> int:
    """The seed that was given, or a fresh one."""
    return secrets.randbelow(SEED_MAX + 1) if seed is None else seed


@router.get("/tips", responses={**schemas.ok(schemas.TipList), **schemas.OUR_ERRORS}, response_class=Response)
async def tips(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=2**31 - 1, description="tips; the node bounds it")] = TIPS_LIMIT,
) -> Response:
    """Blocks that nothing approves, oldest first, and whether walks would end on them."""
    service = service_of(request)
    most = min(limit, service.settings.page_size_max)
    return await ask_window(request, service.reading.newest, questions.tips, most)


@router.get(
    "/tips/explain", responses={**schemas.ok(schemas.Explanation), **schemas.OUR_ERRORS}, response_class=Response
)
async def explain(
    request: Request,
    seed: SeedQuery = None,
    k: Annotated[int, Query(ge=1, le=PARENTS_MAX, description="tips to select")] = 2,
) -> Response:
    """One weighted selection, step by step: entry points, candidates with weights and chances, who won."""
    chosen = drawn(seed)
    return await ask_window(request, None, questions.explanation, k, chosen)


@router.get("/orphans", responses={**schemas.ok(schemas.Orphans), **schemas.OUR_ERRORS}, response_class=Response)
async def orphans(
    request: Request,
    age: Annotated[int, Query(ge=1, le=2**31 - 1, description="blocks that have come since, at least")] = AGE,
) -> Response:
    """What the Tangle in memory loses: tips left behind, blocks orphaned, blocks that walks pass by."""
    return await ask_window(request, None, questions.orphans, age)
