"""Bytes as balanced ternary digits, six trits to a byte (b1t6, TIP-5).

A byte is read as a signed 8-bit number and written as six trits, least significant first, each -1, 0 or 1. Six
trits reach further than a byte (-364 to 364), so decoding must refuse what encoding never yields.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from tangle.protocol.errors import Malformed

TRITS_PER_BYTE: Final = 6
"""trits; TIP-5, detailed design"""

Trits = npt.NDArray[np.int8]
"""int8[n_trits], each -1, 0 or 1"""

_WEIGHTS: Final = np.array([1, 3, 9, 27, 81, 243], dtype=np.int16)


def _trits_of(value: int) -> list[int]:
    """Balanced ternary digits of a number from -364 to 364, least significant first."""
    trits = []
    for _ in range(TRITS_PER_BYTE):
        trit = (value + 1) % 3 - 1
        trits.append(trit)
        value = (value - trit) // 3
    return trits


BYTE_TRITS: Final[Trits] = np.array(
    [_trits_of(byte - 256 if byte > 127 else byte) for byte in range(256)], dtype=np.int8
)
"""int8[256, 6], the trits of every byte"""


def encode(data: bytes) -> Trits:
    """Trits of some bytes.

    Returns
    -------
    int8[6 * len(data)]
    """
    return BYTE_TRITS[np.frombuffer(data, dtype=np.uint8)].reshape(-1)


def decode(trits: Trits) -> bytes:
    """Bytes whose encoding these trits are.

    Raises
    ------
    Malformed : the length is no multiple of six, a value is no trit, or a group lies outside a signed byte
    """
    if trits.ndim != 1 or len(trits) % TRITS_PER_BYTE:
        raise Malformed("trits", f"come in groups of {TRITS_PER_BYTE}")
    if not np.isin(trits, (-1, 0, 1)).all():
        raise Malformed("trits", "are -1, 0 or 1")
    values = trits.reshape(-1, TRITS_PER_BYTE).astype(np.int16) @ _WEIGHTS
    if ((values < -128) | (values > 127)).any():
        raise Malformed("trits", "hold a group that is no signed byte")
    return values.astype(np.int8).tobytes()
