"""`tangle graph`: slices of the Tangle for graph programs."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tangle.api.graphs import dot, graphml, node_link
from tangle.cli.errors import FileUnwritable
from tangle.cli.group import command
from tangle.cli.options import NODE_URL, NodeUrl
from tangle.cli.session import block_id_of, known_block, run_async
from tangle.client.node.rest import NodeClient
from tangle.protocol.serial import Json

LIMIT = 1_000
"""blocks unless told otherwise"""
PAGE = 1_000
"""blocks asked for at once"""


class Form(StrEnum):
    """What graph programs read."""

    GRAPHML = "graphml"
    JSON = "json"
    DOT = "dot"


@command()
def export(
    form: Annotated[
        Form, typer.Option("--format", help="GraphML, node-link JSON, or DOT for Graphviz.")
    ] = Form.JSON,
    first: Annotated[
        int | None, typer.Option("--from", min=0, metavar="NUMBER", help="Start at this event number.")
    ] = None,
    around: Annotated[
        str | None, typer.Option("--around", metavar="BLOCK_ID", help="What came about when this block did.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="COUNT", help="At most so many blocks.")] = LIMIT,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write here, not to stdout.")] = None,
    node: NodeUrl = NODE_URL,
) -> None:
    if first is not None and around is not None:
        raise typer.BadParameter("give either --from or --around")

    nodes = run_async(_fetch(node, first, None if around is None else block_id_of(around), limit))
    data = {Form.GRAPHML: graphml, Form.JSON: node_link, Form.DOT: dot}[form](nodes)
    if out is None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise FileUnwritable(out, error.strerror or "it cannot be written") from None


async def _fetch(url: str, first: int | None, around: bytes | None, limit: int) -> list[Json]:
    async with NodeClient(url) as node:
        if around is not None:
            return list((await known_block(node.graph(limit, around=around), around))["nodes"])
        if first is None:
            return list((await node.graph(limit))["nodes"])
        found: list[Json] = []
        while len(found) < limit:
            page = (await node.graph(min(limit - len(found), PAGE), first=first))["nodes"]
            if not page:
                break
            found += page
            first = page[-1]["number"] + 1
        return found
