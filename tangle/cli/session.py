"""What commands that talk to a node have in common: running, reading ids and tags, telling of blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any, TypeVar

import typer

from tangle.client.errors import NodeError
from tangle.client.node.attach import Pow
from tangle.client.node.rest import NodeClient
from tangle.errors import Ending, NotFound
from tangle.protocol.answers import Confidence
from tangle.protocol.serial import from_hex, to_hex

T = TypeVar("T")
WAIT_S = 60.0
"""seconds to wait for a milestone unless told otherwise"""


class Worker(StrEnum):
    """Who does the proof of work."""

    AUTO = "auto"
    LOCAL = "local"
    NODE = "node"


def run_async(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end; Ctrl-C ends the process with its own exit code."""
    try:
        return asyncio.run(main)
    except KeyboardInterrupt:
        raise typer.Exit(Ending.INTERRUPTED.exit_code) from None


async def pow_by(node: NodeClient, worker: Worker) -> Pow:
    """Who does the proof of work; `auto` leaves it to nodes that offer it."""
    if worker is Worker.AUTO:
        return "node" if "pow" in (await node.info()).features else "local"
    return "local" if worker is Worker.LOCAL else "node"


def block_id_of(text: str) -> bytes:
    """The 32 bytes that `0x…` names. Raises ProtocolError."""
    return from_hex(text.lower(), "block id", size=32)


def tag_of(text: str) -> bytes:
    """A tag given as text, or as bytes after 0x. Raises ProtocolError."""
    return from_hex(text.lower(), "tag") if text.lower().startswith("0x") else text.encode()


def confidence_text(confidence: Confidence) -> str:
    """Share, walks and interval."""
    share = confidence.m / confidence.n if confidence.n else 0.0
    walks = f"{confidence.m} of {confidence.n} walks"
    return f"{share:.2f}  ({walks}; 95 % interval {confidence.low:.2f} to {confidence.high:.2f})"


async def known_block(found: Coroutine[Any, Any, T], block_id: bytes) -> T:
    """What the node says of a block. Raises NotFound when it does not know it."""
    try:
        return await found
    except NodeError as error:
        if error.status == 404:
            raise NotFound(f"the node does not know block {to_hex(block_id)}") from None
        raise
