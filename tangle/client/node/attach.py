"""Putting a payload into a block on current tips and posting it, with the work done here or by the node.

Tips age: while this machine searches for a nonce the network goes on, and a parent can fall below max depth. Then
the payload gets new tips, a bounded number of times. The payload stays the same, so a transaction keeps its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tangle.client.errors import NodeError
from tangle.client.node.pow import work
from tangle.client.node.rest import NodeClient
from tangle.protocol.blocks import Block, Payload
from tangle.protocol.errors import BelowMaxDepth, UnknownParent
from tangle.protocol.parameters import PARENTS_MAX

Pow = Literal["local", "node"]
"""who does the proof of work"""
ATTEMPTS_MAX = 3
"""blocks tried when their parents turn out too old"""
_STALE = frozenset({BelowMaxDepth.code, UnknownParent.code})


async def attach(
    node: NodeClient,
    payload: Payload | None,
    *,
    pow: Pow = "local",  # noqa: A002
    approving: Sequence[bytes] = (),
) -> bytes:
    """Post a block with `payload` that approves the blocks in `approving` and current tips.

    Returns
    -------
    the block id, 32 bytes

    Raises
    ------
    NodeError : the node refused the block; with `approving`, also when those are below max depth
    """
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            return await _attach(node, payload, pow, approving)
        except NodeError as error:
            if error.code not in _STALE or attempt == ATTEMPTS_MAX:
                raise
    raise AssertionError("the last attempt returns or raises")


async def _attach(node: NodeClient, payload: Payload | None, pow_by: Pow, approving: Sequence[bytes]) -> bytes:
    if pow_by == "node" and not approving:
        return await node.submit_payload(payload)
    tips = await node.tips()
    parents = sorted(dict.fromkeys([*approving, *tips][:PARENTS_MAX]))
    if pow_by == "node":
        return await node.submit_payload(payload, parents=parents)
    parameters = await node.parameters()
    return await node.submit(await work(Block(tuple(parents), payload), parameters.min_pow_score))
