"""What the routes work with: one object, reached from every request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from tangle.api.channels import Decoding
from tangle.api.faucet import Faucet
from tangle.api.rates import Rates
from tangle.api.settings import Settings
from tangle.api.snapshots import Snapshots
from tangle.api.stream import Hub
from tangle.api.tags import Tags
from tangle.api.work import WorkRoom
from tangle.api.writer import Writer
from tangle.node import Node

HEALTHY_MILESTONE_AGE_S = 300
"""seconds; TIP-25 `/health`"""


@dataclass(slots=True)
class Service:
    """The running parts of a node's service.

    Attributes
    ----------
    clock : seconds since the Unix epoch
    faucet : None when this node gives nothing away
    snapshots : for questions about the graph
    decoding : of streams of public channels
    """

    settings: Settings
    node: Node
    writer: Writer
    hub: Hub
    tags: Tags
    rates: Rates
    work: WorkRoom
    clock: Callable[[], float]
    faucet: Faucet | None = None
    snapshots: Snapshots = field(init=False)
    decoding: Decoding = field(init=False)

    def __post_init__(self) -> None:
        self.snapshots = Snapshots(self.writer)
        self.decoding = Decoding()

    @property
    def healthy(self) -> bool:
        """Whether blocks are written and milestones come."""
        age = self.clock() - self.node.latest_milestone.timestamp
        return self.writer.alive and age <= HEALTHY_MILESTONE_AGE_S

    def connect(self) -> Connection:
        """A connection to read with; use it as a context manager."""
        return self.node.engine.connect()


def service_of(request: Request) -> Service:
    """The service behind a request."""
    service: Service = request.app.state.service
    return service


def json_response(body: Any, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(orjson.dumps(body), status, media_type="application/json")
