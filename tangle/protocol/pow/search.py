"""Search for a nonce that gives a block its PoW score (TIP-12), on all cores.

Threads over kernels that release the GIL. Worker k of n starts at ``start_nonce + k * 2**64 // n`` modulo 2**64
and counts up, so no two workers meet; one worker finds the first sufficient nonce from its start on. A kernel call
takes some milliseconds, after which a worker looks whether it should stop. Searches share nothing: any number of
threads may run one each.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from tangle.errors import Ending, TangleError
from tangle.protocol.parameters import NONCE_BYTES
from tangle.protocol.pow import kernels
from tangle.protocol.pow.score import zeros_needed

_BATCHES_PER_CALL: Final = 64
"""3 ms for 65,536 hashes with AVX-512; narrower processors try fewer lanes per batch and take about 10 ms"""

_NONCES: Final = 1 << 64


class SearchCancelled(TangleError):
    """The caller cancelled the search before a nonce was found."""

    code = "pow_cancelled"
    template = "proof of work cancelled after {tried} nonces"
    ending = Ending.UNAVAILABLE
    passes = True
    tried: int


def cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _aligned_state() -> kernels.Words:
    """Working memory of one worker, on a cache line boundary."""
    words = np.empty(kernels.STATE_WORDS + 7, dtype=np.uint64)
    start = -words.ctypes.data // 8 % 8
    return words[start : start + kernels.STATE_WORDS]


class _Search:
    """One search: what its workers share."""

    def __init__(
        self, digest: bytes, zeros: int, cancel: threading.Event, progress: Callable[[int], None] | None
    ) -> None:
        self.digest = np.frombuffer(digest, dtype=np.uint8)
        self.zeros = zeros
        self.low_rows = kernels.low_byte_rows().reshape(-1)
        self.cancel = cancel
        self.progress = progress
        self.done = threading.Event()
        self.lock = threading.Lock()
        self.nonce: int | None = None
        self.tried = 0

    def work(self, start: int) -> None:
        """Count up from ``start`` until some worker has found a nonce or the search is cancelled."""
        state = _aligned_state()
        skip = start % kernels.LANES
        base = start - skip
        try:
            while not (self.done.is_set() or self.cancel.is_set()):
                found = kernels.search_span(
                    self.digest, np.uint64(base), skip, _BATCHES_PER_CALL, self.zeros, self.low_rows, state
                )
                self._report((_BATCHES_PER_CALL * kernels.LANES if found < 0 else found + 1) - skip)
                if found >= 0:
                    self.nonce = (base + int(found)) % _NONCES
                    return
                base, skip = (base + _BATCHES_PER_CALL * kernels.LANES) % _NONCES, 0
        finally:
            self.done.set()

    def _report(self, tried: int) -> None:
        with self.lock:
            self.tried += int(tried)
            if self.progress is not None:
                self.progress(self.tried)


def search(
    block_without_nonce: bytes,
    min_score: int,
    *,
    workers: int | None = None,
    start_nonce: int = 0,
    cancel: threading.Event | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Find a nonce with which the block reaches a score.

    Parameters
    ----------
    block_without_nonce : the block's bytes up to its nonce; its size counts eight bytes more
    min_score : in expected hashes per byte, at least 0
    workers : threads, all cores by default; with one, the search runs in the calling thread
    start_nonce : where the first worker starts, an unsigned 64-bit number
    cancel : set it from any thread to give up within some milliseconds
    progress : called now and then, by one worker at a time and from its thread, with the nonces tried so far

    Returns
    -------
    the nonce, 0 to 2**64 - 1, which goes behind the block in little endian

    Raises
    ------
    SearchCancelled : ``cancel`` was set before a nonce was found
    ValueError : an argument is out of range
    """
    workers = cores() if workers is None else workers
    if workers < 1:
        raise ValueError(f"workers must be at least 1, not {workers}")
    if min_score < 0:
        raise ValueError(f"min_score must be at least 0, not {min_score}")
    if not 0 <= start_nonce < _NONCES:
        raise ValueError(f"start_nonce must be an unsigned 64-bit number, not {start_nonce}")
    zeros = zeros_needed(len(block_without_nonce) + NONCE_BYTES, min_score)
    if zeros > kernels.HASH_TRITS:
        raise ValueError(f"min_score {min_score} needs more zeros than a hash has trits")
    digest = hashlib.blake2b(block_without_nonce, digest_size=32).digest()
    running = _Search(digest, zeros, cancel or threading.Event(), progress)
    _run(running, [(start_nonce + k * _NONCES // workers) % _NONCES for k in range(workers)])
    if running.nonce is None:
        raise SearchCancelled(running.tried)
    return running.nonce


def _run(running: _Search, starts: list[int]) -> None:
    if len(starts) == 1:
        running.work(starts[0])
        return
    with ThreadPoolExecutor(len(starts), thread_name_prefix="pow") as pool:
        futures = [pool.submit(running.work, start) for start in starts]
        try:
            for future in futures:
                future.result()
        finally:
            running.done.set()


def compile_kernels(report: Callable[[str], None] | None = None) -> None:
    """Compile every kernel, or load it from numba's cache, so that the first block does not wait for it.

    report : told what is being compiled, for a progress line
    """
    tell = report or (lambda _: None)
    tell("proof of work: score")
    kernels.trailing_zeros(np.frombuffer(bytes(40), dtype=np.uint8))
    tell("proof of work: search")
    search(b"", 0, workers=1)
