"""Compiled passes over a whole result: when views received what, sums over all that approve a block."""

from __future__ import annotations

import numpy as np
from numba import njit

from tangle.tipselect.kernels import Float64, Int32, Int64


@njit(cache=True, nogil=True)
def receive(
    agent: int,
    start: int,
    sent: Float64,
    issuers: Int32,
    parents: Int32,
    travel: Float64,
    delays: Float64,
    spans: Float64,
    groups: Int32,
) -> Float64:
    """float64[n]: when an agent receives each block, as `kernels.arrival` has it.

    Blocks before `start` were received by everybody at their own times. `travel` float64[n], or empty for fixed
    delays.
    """
    out = np.zeros(sent.size)
    out[:start] = sent[:start]
    for block in range(start, sent.size):
        issuer = issuers[block]
        time = sent[block] + delays[issuer, agent] * (travel[block] if travel.size > 0 else 1.0)
        for i in range(spans.shape[0]):
            mine, yours = groups[i, issuer], groups[i, agent]
            if mine != yours and mine >= 0 and yours >= 0 and time >= spans[i, 0] and sent[block] < spans[i, 1]:
                time = max(time, spans[i, 1])
        for j in range(parents.shape[1]):
            p = parents[block, j]
            if p >= 0:
                time = max(time, out[p])
        out[block] = time
    return out


@njit(cache=True, nogil=True)
def future(block: int, parents: Int32, mark: Int64) -> None:
    """Set mark[b] for the block and all that approve it, directly or not; mark int64[n] is 0 before."""
    mark[block] = 1
    for b in range(block + 1, mark.size):
        for j in range(parents.shape[1]):
            p = parents[b, j]
            if p >= block and mark[p] != 0:
                mark[b] = 1
                break


@njit(cache=True, nogil=True)
def weighted_sums(parents: Int32, own: Int64) -> Int64:
    """int64[n]: own weight of each block and of all that approve it; 64 blocks in a sweep.

    Slower than the kernels of tipselect, which count: here each mark is worth its block's own weight.
    """
    n = own.size
    out = np.zeros(n, np.int64)
    mask = np.zeros(n, np.uint64)
    for end in range(n, 0, -64):
        begin = max(end - 64, 0)
        for b in range(begin, end):
            mask[b] = np.uint64(1) << np.uint64(b - begin)
        for b in range(end - 1, -1, -1):
            bits = mask[b]
            if bits == np.uint64(0):
                continue
            mask[b] = np.uint64(0)
            at = begin
            left = bits
            while left != np.uint64(0):
                if left & np.uint64(1):
                    out[b] += own[at]
                left >>= np.uint64(1)
                at += 1
            for j in range(parents.shape[1]):
                p = parents[b, j]
                if p >= 0:
                    mask[p] |= bits
    return out
