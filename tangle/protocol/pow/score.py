"""The work a block carries: its PoW score (TIP-12).

score = 3**zeros / size, where zeros counts the zero trits at the end of Curl-P-81 over the BLAKE2b-256 digest of
the block without its nonce, followed by the nonce, and size is that of the whole block in bytes. Whether a score
suffices is decided in integers: a float rounds.
"""

from __future__ import annotations

import hashlib

import numpy as np

from tangle.protocol.errors import LengthOutOfRange
from tangle.protocol.parameters import NONCE_BYTES
from tangle.protocol.pow import kernels


def trailing_zeros(block: bytes) -> int:
    """Zero trits at the end of the PoW hash of a whole block.

    Raises
    ------
    LengthOutOfRange : the block is shorter than a nonce
    """
    if len(block) < NONCE_BYTES:
        raise LengthOutOfRange("block", f"ends in a nonce of {NONCE_BYTES} bytes")
    digest = hashlib.blake2b(block[:-NONCE_BYTES], digest_size=32).digest()
    return int(kernels.trailing_zeros(np.frombuffer(digest + block[-NONCE_BYTES:], np.uint8)))


def score(block: bytes) -> float:
    """PoW score of a whole block, in expected hashes per byte.

    Raises
    ------
    LengthOutOfRange : the block is shorter than a nonce
    """
    return float(3 ** trailing_zeros(block) / len(block))


def has_score(block: bytes, min_score: int) -> bool:
    """Whether a whole block reaches a score, decided in integers.

    Raises
    ------
    LengthOutOfRange : the block is shorter than a nonce
    """
    return bool(3 ** trailing_zeros(block) >= min_score * len(block))


def zeros_needed(size: int, min_score: int) -> int:
    """Fewest trailing zero trits that give a block of this many bytes the score."""
    zeros, reached = 0, 1
    while reached < min_score * size:
        zeros, reached = zeros + 1, 3 * reached
    return zeros
