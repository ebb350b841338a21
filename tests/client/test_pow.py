"""Local work: it reaches the score, keeps the loop free, and stops when its task is cancelled."""

import asyncio
import threading

import pytest

from tangle.client.node.pow import work
from tangle.protocol.blocks import Block, check_block
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.tagged_data import TaggedData

BLOCK = Block((bytes(32),), TaggedData(b"tag", b"data"))


async def test_work_reaches_the_score() -> None:
    tried: list[int] = []
    block = await work(BLOCK, 100, progress=tried.append)
    check_block(block, ProtocolParameters(min_pow_score=100))
    assert (block.parents, block.payload) == (BLOCK.parents, BLOCK.payload)
    assert tried


async def test_cancelled_work_stops() -> None:
    started = threading.Event()
    # 3^80 hashes: it cannot end by finding a nonce.
    task = asyncio.create_task(work(BLOCK, 2**120, workers=1, progress=lambda _: started.set()))
    while not started.is_set():  # noqa: ASYNC110 - the search tells it from another thread
        await asyncio.sleep(0.01)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # The executor joins its threads here, which would hang if the search went on.
    await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), 30)
