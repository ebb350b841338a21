"""Proof of work on this machine, without holding up the event loop.

The search runs in threads and releases the interpreter lock. When the awaiting task is cancelled, the search stops
within some milliseconds. numba is imported with the first search: a program that lets its node work never loads
it and needs none.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable

from tangle.extras import needs
from tangle.protocol import peek
from tangle.protocol.blocks import Block


async def work(
    block: Block,
    min_score: int,
    *,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Block:
    """The same block with a nonce that reaches a score (TIP-12).

    The search begins at a place drawn by lot: two equal readings on the same parents become two blocks.

    Parameters
    ----------
    min_score : expected hashes per byte
    workers : threads, all cores by default
    progress : called now and then, from a thread of the search, with the nonces tried so far
    """
    cancel = threading.Event()
    try:
        nonce = await asyncio.to_thread(
            _search, peek.without_nonce(block.encoded), min_score, workers, cancel, progress
        )
    finally:
        cancel.set()
    return block.with_nonce(nonce)


def _search(
    data: bytes,
    min_score: int,
    workers: int | None,
    cancel: threading.Event,
    progress: Callable[[int], None] | None,
) -> int:
    needs("pow", "proof of work on this machine", "numba", "numpy")
    from tangle.protocol.pow.search import search  # noqa: PLC0415

    start = secrets.randbits(64)
    return search(data, min_score, workers=workers, start_nonce=start, cancel=cancel, progress=progress)
