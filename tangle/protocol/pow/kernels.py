"""Curl-P-81 as compiled bit arithmetic: one hash packed into words, or a thousand hashes side by side.

One file on purpose: numba's disk cache does not notice an edit to a callee in another file.

**The walk becomes a rotation.** A Curl round is ``new[i] = f(old[364 i], old[364 i + 364])``, indices modulo 729.
Rename position ``j`` of round ``r`` to ``old[m j]`` with ``m = (-2)**r`` and the scattered reads line up:
``new[j] = f(old[j], old[j + k])`` where ``k = 364**(r + 1)``. No trit moves during 81 rounds; at the end trit
``i`` of the hash sits at ``i * 364**81``. A round can thus work in place.

**Two bits, four operations.** A trit is a pair of bits: P set for 1, N set for -1. With ``a`` the first and ``b``
the second trit the function is ``P' = ~a.P & (a.N ^ b.P)`` and ``N' = ~P' & ~(a.P ^ b.N)``: two three-input
operations where the processor has them (AVX-512). Elsewhere a ``not`` would cost, so rounds alternate between bits
and their complements (Q = ~P, M = ~N): (Q, N) -> (P, N) -> (P, M) -> (Q, N) takes four operations each.

**Three rounds in one pass.** Each ``k`` is -2 times the next, so with ``u`` the step of the third round the three
reach 4u ahead, 2u back and u ahead. Walking the state in steps of ``u`` keeps what they need of each other in
registers: one load and one store per three rounds, 27 passes in all.

Kernels write into arrays they are given, never raise, and release the GIL. Invariant of the lanes kernel: lane
``l`` of a batch tries nonce ``base + l`` and ``base`` is a multiple of `LANES`, so that only the two low bytes of
the nonce differ within a batch and the lowest is the same in every batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from llvmlite.binding import get_host_cpu_features  # type: ignore[import-untyped]
from numba import njit, types
from numba.core import config
from numba.extending import intrinsic, models, register_model

from tangle.protocol.pow.ternary import BYTE_TRITS


def _lane_words() -> int:
    """Row width that measured best: two registers' worth, which hides latency, as long as they do not spill."""
    features = getattr(config, "CPU_FEATURES", None)
    if features is None:
        features = ",".join(f"+{name}" for name, has in get_host_cpu_features().items() if has)
    if "+avx512f" in features:
        return 16
    return 8 if "+avx2" in features else 4


LANE_WORDS: Final = _lane_words()
"""64-bit words per trit and bit, a multiple of 4: a low nonce byte fills four. Part of numba's cache key through
the processor's features."""

LANES: Final = 64 * LANE_WORDS
"""nonces per batch"""

STATE_TRITS: Final = 729
HASH_TRITS: Final = 243
PASSES: Final = 27

SPARE_ROWS: Final = 4
"""rows after the state that keep the first trits of a pass until it ends"""

STATE_WORDS: Final = (STATE_TRITS + SPARE_ROWS) * 2 * LANE_WORDS
"""uint64 words of the state array that `search_span` works in"""

Words = npt.NDArray[np.uint64]

_SHIFTS: Final = np.array([pow(364, r + 1, STATE_TRITS) for r in range(81)], dtype=np.int64)
_STEPS: Final = np.array([pow(364, 3 * g + 3, STATE_TRITS) for g in range(PASSES)], dtype=np.int64)
_HOME: Final = pow(364, 81, STATE_TRITS)


def _byte_masks(trit: int) -> Words:
    """Six bits per byte value: where its b1t6 encoding holds this trit."""
    masks: Words = np.where(np.equal(BYTE_TRITS, trit), 1 << np.arange(6), 0).sum(axis=1).astype(np.uint64)
    return masks


_POSITIVE: Final = _byte_masks(1)
_NEGATIVE: Final = _byte_masks(-1)


def low_byte_rows() -> Words:
    """Bits of the six trits of the lowest nonce byte in every lane: uint64[6, 2, LANE_WORDS], Q then N."""
    bits = BYTE_TRITS[np.arange(LANES) % 256].T
    pairs = np.stack([bits != 1, bits == -1], axis=1)
    return np.packbits(pairs, axis=2, bitorder="little").view("<u8").astype(np.uint64)


# One hash, packed: 729 trits in twelve words.


@njit(cache=True, nogil=True)
def _turned(low: np.uint64, high: np.uint64, bits: np.uint64) -> np.uint64:
    """The 64 bits that start ``bits`` above the bottom of two words; well defined for 0 as well."""
    return (low >> bits) | ((high << np.uint64(1)) << (np.uint64(63) - bits))


@njit(cache=True, nogil=True)
def _unroll(words: Words) -> None:
    """Append a second turn of the 729-bit ring to uint64[24], so that a rotation is a plain shift."""
    words[11] = (words[11] & np.uint64(0x1FFFFFF)) | (words[0] << np.uint64(25))
    for i in range(11):
        words[12 + i] = (words[i] >> np.uint64(39)) | (words[i + 1] << np.uint64(25))
    words[23] = np.uint64(0)


# Keeps the GIL, unlike the others: in 3 us nobody else gets anything done, and asking for it back may take 5 ms.
@njit(cache=True)
def trailing_zeros(data: npt.NDArray[np.uint8]) -> int:
    """Trailing zero trits of the PoW hash.

    data : uint8[40], the 32-byte digest and the nonce in little endian
    """
    p = np.zeros(24, np.uint64)
    n = np.zeros(24, np.uint64)
    new_p = np.zeros(24, np.uint64)
    new_n = np.zeros(24, np.uint64)
    for i in range(40):
        word, bit = (6 * i) >> 6, np.uint64((6 * i) & 63)
        p[word] |= _POSITIVE[data[i]] << bit
        n[word] |= _NEGATIVE[data[i]] << bit
        if bit > np.uint64(58):
            p[word + 1] |= _POSITIVE[data[i]] >> (np.uint64(64) - bit)
            n[word + 1] |= _NEGATIVE[data[i]] >> (np.uint64(64) - bit)
    for shift in _SHIFTS:
        _unroll(p)
        _unroll(n)
        skip, bits = shift >> 6, np.uint64(shift & 63)
        for i in range(12):
            b_p = _turned(p[i + skip], p[i + skip + 1], bits)
            b_n = _turned(n[i + skip], n[i + skip + 1], bits)
            c_p = ~p[i] & (n[i] ^ b_p)
            new_p[i] = c_p
            new_n[i] = ~(c_p | (p[i] ^ b_n))
        p, new_p = new_p, p
        n, new_n = new_n, n
    for count in range(HASH_TRITS):
        at = (HASH_TRITS - 1 - count) * _HOME % STATE_TRITS
        if ((p[at >> 6] | n[at >> 6]) >> np.uint64(at & 63)) & np.uint64(1):
            return count
    return HASH_TRITS


# Many hashes, bit-sliced: a register type as wide as a row, which LLVM splits into what the processor has.


class _Lanes(types.Type):
    """numba type of LANE_WORDS x 64 bits held in vector registers."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes({LANE_WORDS})")


_lanes = _Lanes()
_vector = ir.VectorType(ir.IntType(64), LANE_WORDS)


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, frontend: Any) -> None:
        super().__init__(manager, frontend, _vector)  # type: ignore[no-untyped-call]


_ALIGNMENT: Final = 64
"""bytes; a cache line. A row that straddled two would cost a third of the speed."""


def _row(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    words = context.make_array(signature.args[0])(context, builder, arguments[0])
    offset = builder.mul(arguments[1], ir.Constant(arguments[1].type, LANE_WORDS))
    return builder.bitcast(builder.gep(words.data, [offset]), _vector.as_pointer())


def _loads(_: Any, state: Any, _at: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_row(context, builder, signature, arguments), align=_ALIGNMENT)

    return _lanes(state, types.intp), generate


def _stores(_: Any, state: Any, _at: Any, _value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _row(context, builder, signature, arguments), align=_ALIGNMENT)
        return context.get_dummy_value()

    return types.void(state, types.intp, _lanes), generate


def _spreads(_: Any, _word: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        first = builder.insert_element(ir.Constant(_vector, ir.Undefined), arguments[0], ir.IntType(32)(0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANE_WORDS), [0] * LANE_WORDS)
        return builder.shuffle_vector(first, first, mask)

    return _lanes(types.uint64), generate


_load: Final[Any] = intrinsic(_loads)
_spread: Final[Any] = intrinsic(_spreads)
_store: Final[Any] = intrinsic(_stores)


def _bitwise(formula: Callable[[Any, Any, Any, Any], Any]) -> Any:
    """Make a function of three rows from a formula over an LLVM builder."""

    def typed(_: Any, _x: Any, _y: Any, _z: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return formula(builder, *arguments)

        return _lanes(_lanes, _lanes, _lanes), generate

    return intrinsic(typed)


# The three rounds of a pass, named by what they yield from which arguments (module docstring).
_first_p = _bitwise(lambda ir_, a_q, a_n, b_q: ir_.and_(a_q, ir_.not_(ir_.xor(a_n, b_q))))
_first_n = _bitwise(lambda ir_, c_p, a_q, b_n: ir_.and_(ir_.not_(c_p), ir_.xor(a_q, b_n)))
_second_p = _bitwise(lambda ir_, a_p, a_n, b_p: ir_.and_(ir_.not_(a_p), ir_.xor(a_n, b_p)))
_second_m = _bitwise(lambda ir_, c_p, a_p, b_n: ir_.or_(c_p, ir_.xor(a_p, b_n)))
_third_q = _bitwise(lambda ir_, a_p, a_m, b_p: ir_.or_(a_p, ir_.xor(a_m, b_p)))
_third_n = _bitwise(lambda ir_, c_q, a_p, b_m: ir_.and_(c_q, ir_.xor(a_p, b_m)))


@njit(cache=True, nogil=True)
def _first(state: Words, at: int, ahead: int) -> tuple[Any, Any]:
    """First round of a pass for one trit, from rows of the state."""
    q, n = _load(state, 2 * at), _load(state, 2 * at + 1)
    new_p = _first_p(q, n, _load(state, 2 * ahead))
    return new_p, _first_n(new_p, q, _load(state, 2 * ahead + 1))


@njit(cache=True, nogil=True)
def _pass(state: Words, step: int) -> None:
    """Three rounds in place; the walk visits rows 0, step, 2 step, ... modulo 729."""
    for i in range(SPARE_ROWS):
        row = i * step % STATE_TRITS
        _store(state, 2 * (STATE_TRITS + i), _load(state, 2 * row))
        _store(state, 2 * (STATE_TRITS + i) + 1, _load(state, 2 * row + 1))
    back_2_p, back_2_n = _first(state, STATE_TRITS - 2 * step % STATE_TRITS, 2 * step % STATE_TRITS)
    back_1_p, back_1_n = _first(state, STATE_TRITS - step, 3 * step % STATE_TRITS)
    ahead = 4 * step % STATE_TRITS
    p, n = _first(state, 0, ahead)
    start_p = _second_p(p, n, back_2_p)
    start_m = _second_m(start_p, p, back_2_n)
    last_p, last_m = start_p, start_m
    here, following = 0, step
    for i in range(STATE_TRITS - 1):
        ahead += step
        if ahead >= STATE_TRITS:
            ahead -= STATE_TRITS
        # The last trits look ahead to the first, which this pass has overwritten: their copies stand in.
        late = i - (STATE_TRITS - 1 - SPARE_ROWS)
        row = ahead if late < 0 else STATE_TRITS + late
        back_2_p, back_2_n = back_1_p, back_1_n
        back_1_p, back_1_n = p, n
        p, n = _first(state, following, row)
        next_p = _second_p(p, n, back_2_p)
        next_m = _second_m(next_p, p, back_2_n)
        q = _third_q(last_p, last_m, next_p)
        _store(state, 2 * here, q)
        _store(state, 2 * here + 1, _third_n(q, last_p, next_m))
        last_p, last_m = next_p, next_m
        here = following
        following += step
        if following >= STATE_TRITS:
            following -= STATE_TRITS
    q = _third_q(last_p, last_m, start_p)
    _store(state, 2 * here, q)
    _store(state, 2 * here + 1, _third_n(q, last_p, start_m))


@njit(cache=True, nogil=True)
def _fill_byte(state: Words, row: int, byte: np.intp) -> None:
    """Write the six trits of a byte that all lanes share."""
    for trit in range(6):
        bit = np.uint64(trit)
        q = ((_POSITIVE[byte] >> bit) & np.uint64(1)) - np.uint64(1)
        n = np.uint64(0) - ((_NEGATIVE[byte] >> bit) & np.uint64(1))
        _store(state, 2 * (row + trit), _spread(q))
        _store(state, 2 * (row + trit) + 1, _spread(n))


@njit(cache=True, nogil=True)
def _fill_second_byte(state: Words, row: int, byte: np.intp) -> None:
    """Write the six trits of the second nonce byte, which counts up every four words."""
    for word in range(LANE_WORDS):
        value = (byte + (word >> 2)) & 255
        for trit in range(6):
            bit = np.uint64(trit)
            at = 2 * (row + trit) * LANE_WORDS + word
            state[at] = ((_POSITIVE[value] >> bit) & np.uint64(1)) - np.uint64(1)
            state[at + LANE_WORDS] = np.uint64(0) - ((_NEGATIVE[value] >> bit) & np.uint64(1))


@njit(cache=True, nogil=True)
def _fill(state: Words, digest: npt.NDArray[np.uint8], base: np.uint64, low_rows: Words) -> None:
    """Write the input of LANES hashes: digest, nonces from base on, zeros."""
    for i in range(32):
        _fill_byte(state, 6 * i, np.intp(digest[i]))
    state[2 * 192 * LANE_WORDS : 2 * 198 * LANE_WORDS] = low_rows
    _fill_second_byte(state, 198, np.intp((base >> np.uint64(8)) & np.uint64(255)))
    for i in range(2, 8):
        _fill_byte(state, 192 + 6 * i, np.intp((base >> np.uint64(8 * i)) & np.uint64(255)))
    for row in range(240, STATE_TRITS):
        _store(state, 2 * row, _spread(~np.uint64(0)))
        _store(state, 2 * row + 1, _spread(np.uint64(0)))


@njit(cache=True, nogil=True)
def _first_hit(state: Words, zeros: int, skip: int) -> int:
    """First lane from ``skip`` on whose hash ends in enough zero trits, or -1."""
    for word in range(skip >> 6, LANE_WORDS):
        hits = ~np.uint64(0)
        for count in range(zeros):
            at = 2 * ((HASH_TRITS - 1 - count) * _HOME % STATE_TRITS) * LANE_WORDS + word
            hits &= state[at] & ~state[at + LANE_WORDS]
            if not hits:
                break
        for bit in range(64):
            if (hits >> np.uint64(bit)) & np.uint64(1) and 64 * word + bit >= skip:
                return 64 * word + bit
    return -1


@njit(cache=True, nogil=True)
def search_span(
    digest: npt.NDArray[np.uint8],
    base: np.uint64,
    skip: int,
    batches: int,
    zeros: int,
    low_rows: Words,
    state: Words,
) -> int:
    """Try ``batches * LANES`` nonces from ``base`` on, modulo 2**64.

    digest : uint8[32], BLAKE2b-256 of the block without its nonce
    base : a multiple of LANES; the first ``skip`` nonces are passed over
    zeros : trailing zero trits to reach, at most 243
    low_rows : uint64[12 * LANE_WORDS], `low_byte_rows` flattened
    state : uint64[STATE_WORDS], aligned to 64 bytes, overwritten

    Returns the offset from base of the first nonce that reaches them, or -1.
    """
    for batch in range(batches):
        _fill(state, digest, base + np.uint64(batch * LANES), low_rows)
        for step in _STEPS:
            _pass(state, step)
        lane = _first_hit(state, zeros, skip if batch == 0 else 0)
        if lane >= 0:
            return batch * LANES + lane
    return -1
