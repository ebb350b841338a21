"""Curl-P-81 and the PoW hash in plain Python, straight from their definition: the oracle of the tests.

Slow and obvious. Curl-P is a sponge over 729 trits with a rate of 243. A round replaces every trit by a function
of two, which a walk through the state picks: position 0, then 364 further as long as that stays inside, else 365
back. P-81 means 81 rounds. Source: TIP-12 for its use here; the table of the function is the one that IRI and all
its successors share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from tangle.protocol.pow.ternary import encode

STATE_TRITS: Final = 729
HASH_TRITS: Final = 243
ROUNDS: Final = 81

SBOX: Final = {
    (-1, -1): 1, (0, -1): 0, (1, -1): -1,
    (-1, 0): 1, (0, 0): -1, (1, 0): 0,
    (-1, 1): -1, (0, 1): 1, (1, 1): 0,
}  # fmt: skip
"""(first trit, second trit) of the walk -> new trit"""


def _permute(state: list[int]) -> list[int]:
    for _ in range(ROUNDS):
        position, changed = 0, []
        for _ in range(STATE_TRITS):
            following = position + 364 if position < 365 else position - 365
            changed.append(SBOX[state[position], state[following]])
            position = following
        state = changed
    return state


def curl(trits: Sequence[int]) -> list[int]:
    """Curl-P-81 hash, 243 trits, of a whole number of 243-trit blocks."""
    if not trits or len(trits) % HASH_TRITS:
        raise ValueError(f"Curl absorbs blocks of {HASH_TRITS} trits, not {len(trits)}")
    state = [0] * STATE_TRITS
    for start in range(0, len(trits), HASH_TRITS):
        state = _permute([*trits[start : start + HASH_TRITS], *state[HASH_TRITS:]])
    return state[:HASH_TRITS]


def pow_hash(block: bytes) -> list[int]:
    """PoW hash (TIP-12) of a block whose last eight bytes are the nonce: 243 trits."""
    digest = hashlib.blake2b(block[:-8], digest_size=32).digest()
    return curl([*map(int, encode(digest + block[-8:])), 0, 0, 0])


def trailing_zeros(block: bytes) -> int:
    """Zero trits at the end of the PoW hash."""
    count = 0
    for trit in reversed(pow_hash(block)):
        if trit:
            break
        count += 1
    return count
