"""Slices of an encoded block, without decoding it (TIP-24).

A block is its version (1 byte), the number of its parents (1), their ids (32 each), the length of its payload (4),
the payload and the nonce (8). What is sliced here was checked when it came in; nothing here checks it again.
"""

from __future__ import annotations

from collections.abc import Sequence

from tangle.protocol.parameters import NONCE_BYTES


def parents(block: bytes) -> list[bytes]:
    """The ids of the parents."""
    return [block[i : i + 32] for i in range(2, _after_parents(block), 32)]


def lacks_parents(block: bytes) -> bool:
    """Whether the block, which may be cut off anywhere, says that it has no parents."""
    return block[1:2] == b"\x00"


def with_parents(block: bytes, parents: Sequence[bytes]) -> bytes:
    """The block with `parents` in place of none."""
    return b"".join((block[:1], len(parents).to_bytes(1, "little"), *parents, block[2:]))


def without_nonce(block: bytes) -> bytes:
    """What the work of a block is done for."""
    return block[:-NONCE_BYTES]


def tagged_data(block: bytes) -> bytes:
    """The data of a block that carries tagged data (TIP-23)."""
    at = _after_parents(block) + 4 + 4
    at += 1 + block[at]
    return block[at + 4 : at + 4 + int.from_bytes(block[at : at + 4], "little")]


def _after_parents(block: bytes) -> int:
    return 2 + 32 * block[1]
