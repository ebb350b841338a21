"""Waiting until the ledger has decided about a block or a transaction, and helping it along.

A transaction may sit in several blocks. One of them is included; the others are then conflicting with reason 1,
since the transaction itself spent the inputs. So a conflicting block proves nothing: what counts is whether the
ledger names a block that included the transaction.

A block that no milestone reaches for long is helped as its metadata asks: promoted (an empty block approves it and
a tip) while it can still be referenced, reattached (the same payload in a new block) when it cannot.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tangle.client.errors import Conflicting, NodeError, NodeUnreachable, NotIncludedInTime
from tangle.client.node.attach import Pow, attach
from tangle.client.node.rest import NodeClient
from tangle.protocol.answers import BlockMetadata
from tangle.protocol.blocks import Payload
from tangle.protocol.transactions import Transaction

T = TypeVar("T")

WAIT_S = 120.0
"""seconds that a wait lasts unless told otherwise"""
POLL_S = (0.05, 1.0)
"""seconds between two questions, at first and at most"""
RENEW_S = 3.0
"""seconds between two promotions or reattachments, which need time to take effect"""


@dataclass(frozen=True, slots=True)
class Included:
    """A transaction is in the ledger.

    Attributes
    ----------
    block_id : the block that brought it there, not always the first one posted
    milestone_index : the milestone that confirmed it
    """

    transaction_id: bytes
    block_id: bytes
    milestone_index: int


class Posted:
    """A payload and the blocks that carry it.

    Parameters
    ----------
    attachments : ids of its blocks, oldest first; extended in place by reattaching
    """

    def __init__(self, node: NodeClient, payload: Payload | None, attachments: list[bytes], pow_by: Pow) -> None:
        self.node = node
        self.payload = payload
        self.attachments = attachments
        self.pow_by = pow_by
        self._renewed_at = float("-inf")

    async def metadata(self, block_id: bytes) -> BlockMetadata | None:
        """What became of a block; None when the node does not know it."""
        try:
            return await self.node.metadata(block_id)
        except NodeError as error:
            if error.status == 404:
                return None
            raise

    async def renew(self, newest: BlockMetadata | None) -> None:
        """Promote or reattach as the metadata of the newest block asks; None means that it is lost."""
        now = time.monotonic()
        if now - self._renewed_at < RENEW_S:
            return
        if newest is None or newest.should_reattach:
            self._renewed_at = now
            self.attachments.append(await attach(self.node, self.payload, pow=self.pow_by))
        elif newest.should_promote:
            self._renewed_at = now
            await self._promote(newest.block_id)

    async def _promote(self, block_id: bytes) -> None:
        try:
            await attach(self.node, None, pow=self.pow_by, approving=[block_id])
        except NodeError as error:
            # Fallen below max depth meanwhile: the next metadata will ask to reattach.
            if error.passes:
                raise


async def wait_included(
    node: NodeClient,
    transaction: Transaction,
    attachments: list[bytes],
    *,
    pow_by: Pow = "local",
    within_s: float | None = WAIT_S,
) -> Included:
    """Wait until the ledger took `transaction`; post it first when no block of it is known anywhere.

    Parameters
    ----------
    attachments : ids of its blocks, oldest first; extended in place
    within_s : seconds to wait; None: forever. Breaks of the connection are waited out.

    Raises
    ------
    Conflicting : the ledger refused it
    NotIncludedInTime : nothing is decided yet
    """
    posted = Posted(node, transaction, attachments, pow_by)
    return await _poll(lambda: _look(posted, transaction.id), attachments, within_s)


async def wait_referenced(
    node: NodeClient,
    block_id: bytes,
    *,
    pow_by: Pow = "local",
    within_s: float | None = WAIT_S,
) -> BlockMetadata:
    """Wait until a milestone references a block, or another one that carries the same payload after reattaching.

    Returns
    -------
    the metadata of the referenced block

    Raises
    ------
    NotIncludedInTime : no milestone did
    """
    posted = Posted(node, (await node.block(block_id)).payload, [block_id], pow_by)

    async def look() -> BlockMetadata | None:
        newest = None
        for attachment in posted.attachments:
            newest = await posted.metadata(attachment)
            if newest is not None and newest.milestone_index is not None:
                return newest
        await posted.renew(newest)
        return None

    return await _poll(look, posted.attachments, within_s)


async def _look(posted: Posted, transaction_id: bytes) -> Included | None:
    """One round: decided, or helped along."""
    if not posted.attachments:
        # Another program may have posted it, such as this one before it was started again.
        found = await _included(posted, transaction_id)
        if found is not None:
            return found
    conflict = newest = None
    for block_id in posted.attachments:
        newest = await posted.metadata(block_id)
        if newest is None or newest.milestone_index is None:
            continue
        if newest.inclusion == "included":
            return Included(transaction_id, block_id, newest.milestone_index)
        if newest.inclusion == "conflicting":
            conflict = newest.conflict_reason or 255
    if conflict is not None:
        found = await _included(posted, transaction_id)
        if found is None:
            raise Conflicting(transaction_id, conflict)
        return found
    await posted.renew(newest)
    return None


async def _included(posted: Posted, transaction_id: bytes) -> Included | None:
    """What the ledger says about the transaction itself."""
    block = await posted.node.included_block(transaction_id)
    if block is None:
        return None
    metadata = await posted.metadata(block.id)
    if metadata is None or metadata.milestone_index is None:
        return None
    return Included(transaction_id, block.id, metadata.milestone_index)


async def _poll(
    look: Callable[[], Awaitable[T | None]], attachments: Sequence[bytes], within_s: float | None
) -> T:
    """The first answer of `look` that is not None."""
    start, pause = time.monotonic(), POLL_S[0]
    while True:
        failure: NodeUnreachable | NodeError | None = None
        try:
            found = await look()
            if found is not None:
                return found
        except (NodeUnreachable, NodeError) as error:
            if not error.passes:
                raise
            failure = error
        if within_s is not None and time.monotonic() - start + pause > within_s:
            raise NotIncludedInTime(attachments[-1] if attachments else None, within_s) from failure
        await asyncio.sleep(pause)
        pause = min(1.5 * pause, POLL_S[1])
