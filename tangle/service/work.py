"""Proof of work for clients that send no nonce: bounded, and given up when the client goes away.

A search keeps all its threads busy, so few run at once and the others wait their turn; when too many wait, the
next one is told to come back. A cancelled task stops its search within milliseconds.
"""

from __future__ import annotations

import asyncio
import threading

from tangle.protocol import peek
from tangle.protocol.blocks import Block
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.pow.search import cores, search
from tangle.service.errors import PowBusy, PowDisabled


class WorkRoom:
    """Searches nonces.

    Parameters
    ----------
    workers : threads of one search; 0: all cores
    concurrency : searches at the same time
    queue_max : requests that may wait for their turn
    enabled : whether clients may ask at all
    """

    def __init__(
        self,
        parameters: ProtocolParameters,
        *,
        workers: int = 0,
        concurrency: int = 1,
        queue_max: int = 100,
        enabled: bool = True,
    ) -> None:
        self.enabled = enabled
        self._score = parameters.min_pow_score
        self._workers = workers or cores()
        self._turn = asyncio.Semaphore(concurrency)
        self._waiting = 0
        self._queue_max = queue_max

    async def for_client(self, block: Block) -> Block:
        """`block` with the first nonce from its own on that suffices. Raises PowDisabled, PowBusy."""
        if not self.enabled:
            raise PowDisabled
        if self._turn.locked() and self._waiting >= self._queue_max:
            raise PowBusy
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            return await self._search(block, self._workers)
        finally:
            self._turn.release()

    async def for_node(self, block: Block) -> Block:
        """`block` with the first such nonce, for a block of the node's own: one thread, no queue."""
        return await self._search(block, 1)

    async def _search(self, block: Block, workers: int) -> Block:
        cancel = threading.Event()
        data = peek.without_nonce(block.encoded)
        try:
            nonce = await asyncio.to_thread(
                search, data, self._score, workers=workers, start_nonce=block.nonce, cancel=cancel
            )
        finally:
            cancel.set()
        return block.with_nonce(nonce)
