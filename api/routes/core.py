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
from tangle.protocol import answers
from tangle.protocol.parameters import PARENTS_MAX
from tangle.service.running import Service

NAME = "tangle-ledger"
VERSION = version(NAME)
ROUTES = ("core/v2", "indexer/v1", "tangle/v1", "v1")
BASE_TOKEN = answers.BaseToken("Tangle", "TGL", "TGL", decimals=0, use_metric_prefix=False)

TIPS_PATH = "/api/core/v2/tips"
router = APIRouter(tags=["node"])


@router.get(
    TIPS_PATH,
    responses={**schemas.ok(answers.Tips), **schemas.TIP_ERRORS},
    response_class=Response,
)
async def tips(
    request: Request,
    count: Annotated[int | None, Query(ge=1, le=PARENTS_MAX, description="tips wanted")] = None,
) -> Response:
    """1 to 8 blocks to approve, as the node's tip selection chose them; sorted and unique."""
    return json_response(answers.Tips(tuple(service_of(request).reading.tips(count))))


@router.get(
    "/health",
    responses={
        200: schemas.json_of(schemas.Health, description="healthy"),
        503: schemas.json_of(schemas.Health, description="not healthy; `problems` says why"),
    },
    response_class=Response,
)
async def health(request: Request) -> Response:
    """200 when blocks are written and the newest milestone is at most 5 minutes old, otherwise 503 and why."""
    problems = service_of(request).problems()
    found = {"isHealthy": not problems, "problems": [problem.to_json() for problem in problems]}
    return json_response(found, status=503 if problems else 200)


@router.get("/api/routes", responses=schemas.ok(schemas.Routes), response_class=Response)
async def routes() -> Response:
    """The groups of routes under /api."""
    return json_response({"routes": list(ROUTES)})


@router.get("/api/core/v2/info", responses=schemas.ok(answers.NodeInfo), response_class=Response)
async def info(request: Request) -> Response:
    """Name, version, milestones, protocol parameters, rates and features of the node."""
    service = service_of(request)
    milestone = milestone_info(service)
    blocks, referenced = service.metrics.per_second()
    return json_response(
        answers.NodeInfo(
            NAME,
            VERSION,
            answers.Status(service.healthy, milestone, milestone, 0),
            service.parameters,
            ("pow",) if service.work.enabled else (),
            (service.parameters.protocol_version,),
            (),
            BASE_TOKEN,
            answers.InfoMetrics(blocks, referenced, service.metrics.referenced_rate),
            service.store_id,
            tuple(sorted(service.reading.milestone.rules)),
        )
    )


def milestone_info(service: Service) -> answers.MilestoneInfo:
    """The newest milestone; before the first one there is only its index, 0."""
    newest = service.reading.milestone
    return answers.MilestoneInfo(newest.index, *((newest.timestamp, newest.id) if newest.index else ()))


@router.get(
    "/api/core/v2/peers",
    responses={200: {"description": "always empty: this node works alone", "content": {"application/json": {}}}},
    response_class=Response,
)
async def peers() -> Response:
    """No peers: one node serves the network."""
    return json_response([])


_NO_PEER = {**schemas.TIP_ERRORS, 404: schemas.tip_error("no such peer")}


@router.get("/api/core/v2/peers/{peerId}", responses=_NO_PEER, status_code=404, response_class=Response)
@router.delete("/api/core/v2/peers/{peerId}", responses=_NO_PEER, status_code=404, response_class=Response)
async def peer(peerId: str) -> Response:  # noqa: N803 -- the name in the path
    """No peer has this id, since there is none."""
    raise NotFound(f"no peer {peerId[:100]!r}")


_UNSUPPORTED: dict[int | str, dict[str, Any]] = {403: schemas.tip_error("this node does not offer it")}


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
