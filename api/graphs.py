"""A slice of the Tangle in the forms that graph programs read.

Edges lead from a block to what it approves, where that is in the slice too. What is known of a block are the
attributes of its node, flat and named as in JSON; what is not known is absent.

| format    | for                                     |
|-----------|-----------------------------------------|
| node-link | networkx, D3: JSON with nodes and edges |
| graphml   | networkx, Gephi, yEd, igraph            |
| dot       | Graphviz                                |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import networkx as nx
import orjson

Json = dict[str, Any]

_SHORT = 10
"""characters of an id that name a block in a drawing"""


def graph_of(nodes: Sequence[Json]) -> nx.DiGraph:
    """The slice as networkx has it.

    Parameters
    ----------
    nodes : as `GET /api/tangle/v1/graph` answers them
    """
    graph = nx.DiGraph()
    for node in nodes:
        known = {key: value for key, value in node.items() if key not in {"blockId", "parents", "confidence"}}
        confidence = node["confidence"]
        if confidence["n"]:
            known["confidence"] = confidence["m"] / confidence["n"]
        known |= {"m": confidence["m"], "n": confidence["n"]}
        known |= {"confidenceLow": confidence["low"], "confidenceHigh": confidence["high"]}
        graph.add_node(node["blockId"], **known)
    for node in nodes:
        graph.add_edges_from((node["blockId"], parent) for parent in node["parents"] if parent in graph)
    return graph


def node_link(nodes: Sequence[Json]) -> bytes:
    """Node-link JSON."""
    return orjson.dumps(nx.node_link_data(graph_of(nodes), edges="edges"))


def graphml(nodes: Sequence[Json]) -> bytes:
    """GraphML (XML)."""
    lines = nx.generate_graphml(graph_of(nodes))
    return "\n".join(["<?xml version='1.0' encoding='utf-8'?>", *lines, ""]).encode()


def dot(nodes: Sequence[Json]) -> bytes:
    """The language of Graphviz: newer blocks to the right of what they approve."""
    graph = graph_of(nodes)
    lines = ["digraph tangle {", "  rankdir=RL;", "  node [shape=box, fontsize=10];"]
    for block_id, known in graph.nodes(data=True):
        label = f"milestone {known['milestoneIndex']}" if "milestoneIndex" in known else block_id[:_SHORT]
        pairs = ", ".join(f'{key}="{value}"' for key, value in {"label": label, **known}.items())
        lines.append(f'  "{block_id}" [{pairs}];')
    lines += [f'  "{block}" -> "{parent}";' for block, parent in graph.edges]
    return "\n".join([*lines, "}", ""]).encode()


WRITERS: dict[str, tuple[str, Callable[[Sequence[Json]], bytes]]] = {
    "node-link": ("application/json", node_link),
    "graphml": ("application/graphml+xml", graphml),
    "dot": ("text/vnd.graphviz", dot),
}
"""format -> media type and writer"""
