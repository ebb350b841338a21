"""A seed's signing keys, and the Merkle trees over them whose roots name a channel.

Message n of a channel of height h is signed with leaf ``n mod 2^h`` of tree ``n div 2^h``. Every message carries
the path from its key to the root, so knowing a root is enough to know the writer of each of its 2^h messages.
The root also fixes version, mode, height and tree number: no path of one tree, mode or height proves anything for
another, and nobody can answer a channel with messages of an older format.

A tree of height h costs 2^h key pairs to make, about 20 µs each, and 200 bytes of memory for each.

Source: docs/mam.md, "Keys and trees".
"""

from __future__ import annotations

from collections.abc import Sequence

from nacl.bindings import crypto_sign_seed_keypair

from tangle.mam.access import Mode
from tangle.mam.hashes import HASH_BYTES, KEY, LEAF, NODE, ROOT, VERSIONS, blake, uint

HEIGHT_MAX = 16
"""65,536 messages under one root; a tree that high takes more than a second to make"""


class Tree:
    """One Merkle tree of a channel with its signing keys.

    Attributes
    ----------
    root : 32 bytes
    version : of the format
    """

    def __init__(self, seed: bytes, mode: Mode, height: int, number: int, version: int = VERSIONS[-1]) -> None:
        prefix, first = bytes((mode, height)), number << height
        self._pairs = [
            crypto_sign_seed_keypair(blake(KEY[version], prefix + uint(index, 8), key=seed))
            for index in range(first, first + (1 << height))
        ]
        level = [blake(LEAF, public_key) for public_key, _ in self._pairs]
        self._levels = []
        while len(level) > 1:
            self._levels.append(level)
            level = [blake(NODE, left + right) for left, right in zip(level[::2], level[1::2], strict=True)]
        self.version = version
        self.root = root_over(version, mode, height, number, level[0])

    def __repr__(self) -> str:
        return f"Tree(height={len(self._levels)})"

    def pair(self, leaf: int) -> tuple[bytes, bytes]:
        """Public key (32 bytes) and secret key (64 bytes) of a leaf."""
        return self._pairs[leaf]

    def path(self, leaf: int) -> list[bytes]:
        """The siblings on the way from a leaf up, lowest first; as many as the tree is high."""
        return [level[(leaf >> depth) ^ 1] for depth, level in enumerate(self._levels)]


def root_of(version: int, mode: Mode, height: int, index: int, public_key: bytes, path: Sequence[bytes]) -> bytes:
    """The root to which the key of message `index` leads by `path`, which has `height` nodes."""
    node = blake(LEAF, public_key)
    for depth, sibling in enumerate(path):
        node = blake(NODE, sibling + node if index >> depth & 1 else node + sibling)
    return root_over(version, mode, height, index >> height, node)


def root_over(version: int, mode: Mode, height: int, number: int, top: bytes) -> bytes:
    """The root of tree `number` of a channel, given the node at its top."""
    return blake(ROOT[version], bytes((mode, height)) + uint(number, 8) + top)


def path_of(data: bytes) -> list[bytes]:
    """The nodes of a path from their concatenation."""
    return [data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES)]
