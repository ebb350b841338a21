"""Compiled passes over a whole result, one bit for each of up to 64 blocks that are followed."""

from __future__ import annotations

import numpy as np
from numba import njit

from tangle.tipselect.kernels import Bools, Float64, Int32, Int64, UInt64

SURE = 1.0 - 1e-9
"""probabilities above are taken to be 1: they are sums over tips"""


@njit(cache=True, nogil=True)
def grow(
    blocks: Int64, times: Float64, parents: Int32, own: Int64, ages: Float64, mask: UInt64, out: Float64
) -> None:
    """Cumulative weights of up to 64 blocks, ascending, at ages, ascending.

    mask : uint64[n], zero from blocks[0] on
    out : float64[blocks, ages], nan where the run ends before
    """
    count = blocks.size
    place = np.zeros(count, np.int64)
    weight = np.zeros(count, np.int64)
    followed = 0
    last = times[blocks[count - 1]] + ages[ages.size - 1]
    for b in range(blocks[0], times.size):
        if times[b] > last:
            break
        bits = np.uint64(0)
        for j in range(parents.shape[1]):
            p = parents[b, j]
            if p >= blocks[0]:
                bits |= mask[p]
        if followed < count and blocks[followed] == b:
            bits |= np.uint64(1) << np.uint64(followed)
            followed += 1
        mask[b] = bits
        i = 0
        while bits != np.uint64(0):
            if bits & np.uint64(1):
                while place[i] < ages.size and times[blocks[i]] + ages[place[i]] < times[b]:
                    out[i, place[i]] = weight[i]
                    place[i] += 1
                weight[i] += own[b]
            bits >>= np.uint64(1)
            i += 1
    for i in range(count):
        for j in range(place[i], ages.size):
            reached = times[blocks[i]] + ages[j] <= times[times.size - 1]
            out[i, j] = weight[i] if reached else np.nan


@njit(cache=True, nogil=True)
def survive(alive: Bools, parents: Int32) -> None:
    """Mark, beside the blocks marked already, all that they approve directly or not; alive bool[n], in place."""
    for b in range(alive.size - 1, -1, -1):
        if alive[b]:
            for j in range(parents.shape[1]):
                p = parents[b, j]
                if p >= 0:
                    alive[p] = True


@njit(cache=True, nogil=True)
def likeness(one: Float64, other: Float64, sure: bool) -> float:
    """Sum of the lesser values by the sum of the greater, 1 when all are 0.

    sure : leave out where both are 1, but for rounding
    """
    less = more = 0.0
    for i in range(one.size):
        a, b = one[i], other[i]
        if sure and a > SURE and b > SURE:
            continue
        less += min(a, b)
        more += max(a, b)
    return less / more if more > 0 else 1.0
