"""Tips and what becomes of those that nobody takes: for operators who want to know why."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from tangle.api import schemas
from tangle.api.explanations import explanation_json
from tangle.api.views import json_response, service_of
from tangle.node.still import Still
from tangle.protocol.parameters import PARENTS_MAX
from tangle.protocol.serial import to_hex
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
    return json_response(await service.stills.ask(lambda still: _tips_json(still, most)))


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
    return json_response(await service_of(request).stills.ask(lambda still: explanation_json(still, k, chosen)))


@router.get("/orphans", responses={**schemas.ok(schemas.Orphans), **schemas.OUR_ERRORS}, response_class=Response)
async def orphans(
    request: Request,
    age: Annotated[int, Query(ge=1, le=2**31 - 1, description="blocks that have come since, at least")] = AGE,
) -> Response:
    """What the Tangle in memory loses: tips left behind, blocks orphaned, blocks that walks pass by."""
    return json_response(await service_of(request).stills.ask(lambda still: _orphans_json(still, age)))


def _tips_json(still: Still, most: int) -> dict[str, Any]:
    found = still.unapproved().tolist()
    low = still.graph.low
    items = [
        {
            "blockId": to_hex(still.id_of(index)),
            "number": still.number_of(index),
            "state": still.state_of(index),
            "blocksSince": still.graph.high - 1 - index,
            "oldestRoot": int(still.oldest[index - low]),
            "youngestRoot": int(still.youngest[index - low]),
        }
        for index in found[:most]
    ]
    counts = Counter(still.state_of(index) for index in found)
    states = ("good", "semiLazy", "lazy", "contested")
    return {
        "asOf": still.number,
        "milestoneIndex": still.milestone,
        "counts": {state: counts[state] for state in states},
        "items": items,
    }


def _orphans_json(still: Still, age: int) -> dict[str, Any]:
    losses = still.losses(age)
    return {
        "asOf": still.number,
        "milestoneIndex": still.milestone,
        "age": losses.age,
        "blocks": losses.vertices,
        "tips": losses.tips,
        "leftBehind": losses.left_behind,
        "lazyTips": losses.lazy_tips,
        "semiLazyTips": losses.semi_lazy_tips,
        "contested": still.contested_count,
        "orphaned": losses.orphaned,
        "orphanedShare": losses.orphaned_share,
        "belowMaxDepth": losses.forbidden,
    }
