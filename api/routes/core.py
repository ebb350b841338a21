"""The node itself: health, routes, info, tips (TIP-25)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.service import json_response, service_of

router = APIRouter()


@router.get("/health")
async def health(request: Request) -> Response:
    """Whether blocks are written and milestones come."""
    return Response(status_code=200 if service_of(request).healthy else 503)


@router.get("/api/core/v2/tips")
async def tips(request: Request) -> Response:
    """Tips."""
    return json_response({"tips": ["0x" + tip.hex() for tip in service_of(request).node.tips()]})
