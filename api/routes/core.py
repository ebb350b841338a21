"""The node itself: health, info, tips, peers and control (TIP-25)."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from tangle.api import schemas
from tangle.api.problems import NotSupported
from tangle.api.views import json_response, service_of
from tangle.errors import NotFound
from tangle.protocol.parameters import PARENTS_MAX
from tangle.protocol.serial import to_hex
from tangle.service.running import Service

NAME = "tangle-ledger"
VERSION = version(NAME)
ROUTES = ("core/v2", "indexer/v1", "tangle/v1", "v1")
BASE_TOKEN = {
    "name": "Tangle",
    "tickerSymbol": "TGL",
    "unit": "TGL",
    "decimals": 0,
    "useMetricPrefix": False,
}

TIPS_PATH = "/api/core/v2/tips"
router = APIRouter(tags=["node"])


@router.get(
    TIPS_PATH,
    responses={**schemas.ok(schemas.Tips), **schemas.TIP_ERRORS},
    response_class=Response,
)
async def tips(
    request: Request,
    count: Annotated[int | None, Query(ge=1, le=PARENTS_MAX, description="tips wanted")] = None,
) -> Response:
    """1 to 8 blocks to approve, as the node's tip selection chose them; sorted and unique."""
    return json_response({"tips": ["0x" + tip.hex() for tip in service_of(request).reading.tips(count)]})


@router.get(
    "/health",
    responses={200: {"description": "healthy"}, 503: {"description": "not healthy"}},
    response_class=Response,
)
async def health(request: Request) -> Response:
    """200 when blocks are written and the newest milestone is at most 5 minutes old, otherwise 503."""
    return Response(status_code=200 if service_of(request).healthy else 503)


@router.get("/api/routes", responses=schemas.ok(schemas.Routes), response_class=Response)
async def routes() -> Response:
    """The groups of routes under /api."""
    return json_response({"routes": list(ROUTES)})


@router.get("/api/core/v2/info", responses=schemas.ok(schemas.Info), response_class=Response)
async def info(request: Request) -> Response:
    """Name, version, milestones, protocol parameters, rates and features of the node."""
    service = service_of(request)
    milestone = milestone_info(service)
    blocks, referenced = service.metrics.per_second()
    return json_response(
        {
            "name": NAME,
            "version": VERSION,
            "status": {
                "isHealthy": service.healthy,
                "latestMilestone": milestone,
                "confirmedMilestone": milestone,
                "pruningIndex": 0,
            },
            "supportedProtocolVersions": [service.parameters.protocol_version],
            "protocol": service.parameters.to_json(),
            "pendingProtocolParameters": [],
            "baseToken": BASE_TOKEN,
            "metrics": {
                "blocksPerSecond": blocks,
                "referencedBlocksPerSecond": referenced,
                "referencedRate": service.metrics.referenced_rate,
            },
            "features": ["pow"] if service.work.enabled else [],
        }
    )


def milestone_info(service: Service) -> dict[str, Any]:
    """The newest milestone; before the first one there is only its index, 0."""
    newest = service.reading.milestone
    if newest.index == 0:
        return {"index": 0}
    return {"index": newest.index, "timestamp": newest.timestamp, "milestoneId": to_hex(newest.id)}


@router.get(
    "/api/core/v2/peers",
    responses={200: {"description": "always empty: this node works alone", "content": {"application/json": {}}}},
    response_class=Response,
)
async def peers() -> Response:
    """No peers: one node serves the network."""
    return json_response([])


_NO_PEER = {**schemas.TIP_ERRORS, 404: {"model": schemas.TipError, "description": "no such peer"}}


@router.get("/api/core/v2/peers/{peerId}", responses=_NO_PEER, status_code=404, response_class=Response)
@router.delete("/api/core/v2/peers/{peerId}", responses=_NO_PEER, status_code=404, response_class=Response)
async def peer(peerId: str) -> Response:  # noqa: N803 -- the name in the path
    """No peer has this id, since there is none."""
    raise NotFound(f"no peer {peerId[:100]!r}")


_UNSUPPORTED: dict[int | str, dict[str, Any]] = {
    403: {"model": schemas.TipError, "description": "this node does not offer it"}
}


@router.post("/api/core/v2/peers", responses=_UNSUPPORTED, status_code=403, response_class=Response)
async def add_peer() -> Response:
    """Refused: this node works alone."""
    raise NotSupported("this node works alone and takes no peers")


@router.post(
    "/api/core/v2/control/database/prune", responses=_UNSUPPORTED, status_code=403, response_class=Response
)
async def prune() -> Response:
    """Refused: the journal is kept whole."""
    raise NotSupported("the journal is kept whole, nothing is pruned")


@router.post(
    "/api/core/v2/control/snapshot/create", responses=_UNSUPPORTED, status_code=403, response_class=Response
)
async def create_snapshot() -> Response:
    """Refused: the database is the snapshot."""
    raise NotSupported("there are no snapshots; back up the data directory")


@router.post("/api/core/v2/whiteflag", responses=_UNSUPPORTED, status_code=403, response_class=Response)
async def compute_white_flag() -> Response:
    """Refused: the coordinator is part of the node."""
    raise NotSupported("the coordinator is part of the node and needs no such route")
