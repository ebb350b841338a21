"""Where DAGs come from: a node, an export of `tangle graph export` (node-link JSON, GraphML), a saved result."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson

from tangle.client.errors import ClientError
from tangle.client.node.rest import NodeClient
from tangle.sim.errors import BadReplay
from tangle.sim.replay.recording import Recording

PAGE = 1_000
"""blocks asked for at once"""
ML = "{http://graphml.graphdrawing.org/xmlns}"

Json = Mapping[str, Any]


def load(source: str | Path, *, first: int = 0, limit: int | None = None) -> Recording:
    """Load a DAG.

    source : URL of a node; a file, node-link JSON or GraphML; or the directory of a saved result
    first, limit : of a node: from this event number on, at most so many blocks

    BadReplay names what is wrong with it: no answer, no such file, no blocks, a cycle, an id that is there twice,
    times that run backwards.
    """
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        return dag_of(_awaited(source, first, limit))
    path = Path(source)
    if path.is_dir():
        from tangle.sim.store import load as load_result

        return Recording.of(load_result(path))
    try:
        data = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise BadReplay(str(path), error.strerror or "it cannot be read") from None
    return dag_of(_graphml(data) if data.lstrip()[:1] == b"<" else _json(data))


def dag_of(nodes: Sequence[Json]) -> Recording:
    """Build a DAG of blocks as `GET /api/tangle/v1/graph` answers them: blockId, parents, number, receivedMs."""
    for i, node in enumerate(nodes):
        name = node.get("blockId", f"number {i} of the list")
        for member, kinds in (("blockId", str), ("parents", list), ("number", int), ("receivedMs", int | float)):
            if not isinstance(node.get(member), kinds) or isinstance(node[member], bool):
                raise BadReplay(member, f"block {name} has none, or none that can be read")
    ordered = sorted(nodes, key=lambda node: node["number"])
    return Recording.build(
        [node["blockId"] for node in ordered],
        [node["parents"] for node in ordered],
        [node["receivedMs"] / 1_000 for node in ordered],
        [node.get("milestoneIndex") if node.get("payload") == "milestone" else None for node in ordered],
    )


# --- nodes --------------------------------------------------------------------------------------------------


def _awaited(url: str, first: int, limit: int | None) -> list[Json]:
    """Fetch, also where a loop runs already, as in a notebook."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _fetch(url, first, limit)).result()


async def _fetch(url: str, first: int, limit: int | None) -> list[Json]:
    found: list[Json] = []
    try:
        async with NodeClient(url) as node:
            while limit is None or len(found) < limit:
                size = PAGE if limit is None else min(limit - len(found), PAGE)
                page = (await node.graph(size, first=first))["nodes"]
                if not page:
                    break
                found += page
                first = page[-1]["number"] + 1
    except ClientError as error:
        raise BadReplay(url, str(error)) from None
    except (KeyError, TypeError):
        raise BadReplay(url, "it answers, but not as a node does") from None
    return found


# --- files --------------------------------------------------------------------------------------------------


def _json(data: bytes) -> list[Json]:
    """Read node-link JSON, or the JSON of the node's own answer."""
    try:
        table = orjson.loads(data)
        nodes = table["nodes"]
        if "edges" not in table and "links" not in table:
            return [dict(node) for node in nodes]
        edges = table.get("edges", table.get("links"))
        return _joined([(node["id"], dict(node)) for node in nodes], [(e["source"], e["target"]) for e in edges])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadReplay("file", f"it is no node-link JSON of a Tangle: {error!r}") from None


def _graphml(data: bytes) -> list[Json]:
    try:
        # expat itself bounds what entities grow to, and opens no other file.
        root = ElementTree.fromstring(data)  # noqa: S314
    except ElementTree.ParseError as error:
        raise BadReplay("file", f"it is no GraphML: {error}") from None
    names = {key.get("id"): (key.get("attr.name"), key.get("attr.type")) for key in root.iter(f"{ML}key")}
    nodes: list[tuple[Any, dict[str, Any]]] = []
    for node in root.iter(f"{ML}node"):
        known: dict[str, Any] = {}
        for item in node.iter(f"{ML}data"):
            name, kind = names.get(item.get("key"), (None, None))
            if name is not None:
                known[name] = _value(item.text or "", kind, name)
        nodes.append((node.get("id"), known))
    return _joined(nodes, [(edge.get("source"), edge.get("target")) for edge in root.iter(f"{ML}edge")])


def _value(text: str, kind: str | None, name: str) -> Any:
    try:
        if kind in {"int", "long"}:
            return int(text)
        return float(text) if kind in {"float", "double"} else text
    except ValueError:
        raise BadReplay(name, f"{text!r} is no number") from None


def _joined(nodes: Sequence[tuple[Any, dict[str, Any]]], edges: Sequence[tuple[Any, Any]]) -> list[Json]:
    """Put nodes and edges together as a node answers them."""
    parents: dict[Any, list[Any]] = {}
    for block, parent in edges:
        parents.setdefault(block, []).append(parent)
    return [{**known, "blockId": block, "parents": parents.get(block, [])} for block, known in nodes]
