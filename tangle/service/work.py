"""Proof of work for clients that send no nonce: bounded by hashes, fair between clients, given up when they leave.

A search keeps all its threads busy, so few run at once and the others wait for their turn (`turns`). What waits is
measured by the hashes that it takes on average: a block of 32 KiB takes 243 times those of a small one, and waits
behind the small ones of the same client. When too much waits, the next one is told to come back. A cancelled task
stops its search within milliseconds. The threads give way to those that write and serve.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tangle.protocol import peek
from tangle.protocol.blocks import Block
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.pow.score import zeros_needed
from tangle.protocol.pow.search import cores, search
from tangle.service.errors import PowBusy, PowDisabled, TooBusy, TookTooLong
from tangle.service.turns import Turns

CLIENT_SHARE = 0.5
"""of what may wait, for one client"""
LIMIT_S = 60.0
"""seconds of one search"""
NICENESS = 5
"""of the threads that search"""


class WorkRoom:
    """Searches nonces.

    Parameters
    ----------
    workers : threads of one search; 0: all cores
    concurrency : searches at the same time
    queue_max : blocks that may wait for their turn
    hashes_max : hashes that the blocks that wait for their turn may take on average, all together
    enabled : whether clients may ask at all
    """

    def __init__(
        self,
        parameters: ProtocolParameters,
        *,
        workers: int = 0,
        concurrency: int = 1,
        queue_max: int = 1_000,
        hashes_max: int = 100_000_000,
        enabled: bool = True,
    ) -> None:
        self.enabled = enabled
        self._score = parameters.min_pow_score
        self._workers = workers or cores()
        self._turns = Turns(concurrency, hashes_max, hashes_max * CLIENT_SHARE, count_max=queue_max)
        self._threads = ThreadPoolExecutor(concurrency, "work", initializer=_give_way)

    async def for_client(self, block: Block, client: str) -> Block:
        """`block` with the first nonce from its own on that suffices.

        Raises
        ------
        PowDisabled, PowBusy, TookTooLong
        """
        if not self.enabled:
            raise PowDisabled
        try:
            async with self._turns.turn(client, self.price(block)), asyncio.timeout(LIMIT_S):
                return await self._search(block, self._threads, self._workers)
        except TooBusy:
            raise PowBusy from None
        except TimeoutError:
            raise TookTooLong(LIMIT_S) from None

    async def for_node(self, block: Block) -> Block:
        """`block` with the first such nonce, for a block of the node's own: one thread, no queue."""
        return await self._search(block, None, 1)

    def price(self, block: Block) -> float:
        """Hashes that the work of a block takes on average."""
        return float(3 ** zeros_needed(len(block.encoded), self._score))

    async def _search(self, block: Block, threads: ThreadPoolExecutor | None, workers: int) -> Block:
        cancel = threading.Event()
        data = peek.without_nonce(block.encoded)
        searching = partial(search, data, self._score, workers=workers, start_nonce=block.nonce, cancel=cancel)
        try:
            nonce = await asyncio.get_running_loop().run_in_executor(threads, searching)
        finally:
            cancel.set()
        return block.with_nonce(nonce)


def _give_way() -> None:
    """Let other threads go first, and with this one all that it starts. Only Linux knows this of threads."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
