"""The Merkle tree hash over block ids in a milestone (TIP-4).

Leaves and nodes are prefixed differently (0x00, 0x01) so that no list of node hashes can pass for a list of
leaves. The tree over n entries splits at the largest power of two below n.
"""

from __future__ import annotations

from collections.abc import Sequence

from tangle.protocol.serial import blake2b_256


def merkle_root(entries: Sequence[bytes]) -> bytes:
    """MTH of TIP-4.

    Splitting at the largest power of two equals pairing neighbours level by level and carrying an odd last
    one up unchanged, which needs no recursion.
    """
    if not entries:
        return blake2b_256(b"")
    level = [blake2b_256(b"\x00" + entry) for entry in entries]
    while len(level) > 1:
        pairs = [blake2b_256(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = [*pairs, level[-1]] if len(level) % 2 else pairs
    return level[0]
