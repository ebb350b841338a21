"""Ed25519 signatures under the one set of rules that all nodes share (TIP-14, which adopts ZIP-215).

RFC 8032 leaves open which edge cases verify, and libraries differ, which forks a ledger. ZIP-215 decides:

1. encodings of the points A (public key) and R need not be canonical,
2. the number S of the signature is below the group's order L,
3. the equation is the cofactored one: [8]([S]B - R - [k]A) = 0, with k = SHA-512(R, A, message) over the bytes
   as given.

libsodium alone is stricter: it refuses points of small order, non-canonical keys and what only the cofactored
equation accepts. What it does accept fulfils all three rules, so it is asked first, and only what it refuses is
decided here, in plain Python integers. No honest signature ever takes that slow path; a forged one costs about two
milliseconds. Verification handles public data only, so nothing here needs constant time.
"""

from __future__ import annotations

import hashlib
from typing import Final

import nacl.bindings
import nacl.exceptions

PUBLIC_KEY_BYTES: Final = 32
"""bytes; RFC 8032, section 5.1.5"""

SIGNATURE_BYTES: Final = 64
"""bytes; RFC 8032, section 5.1.6"""

SEED_BYTES: Final = 32
"""bytes; RFC 8032 calls it the private key"""

_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_SQRT_MINUS_1: Final = pow(2, (_P - 1) // 4, _P)

_Point = tuple[int, int, int, int]
"""extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z; RFC 8032, section 5.1.4"""

_NEUTRAL: Final[_Point] = (0, 1, 1, 0)


def sign(seed: bytes, message: bytes) -> bytes:
    """Signature of 64 bytes by the key of a 32-byte seed.

    Raises
    ------
    ValueError : the seed has another length
    """
    _, secret_key = _key_pair(seed)
    return nacl.bindings.crypto_sign(message, secret_key)[:SIGNATURE_BYTES]


def public_key(seed: bytes) -> bytes:
    """Public key of 32 bytes that belongs to a 32-byte seed.

    Raises
    ------
    ValueError : the seed has another length
    """
    return _key_pair(seed)[0]


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature is valid by the rules above; keys and signatures of a wrong length never are."""
    if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        nacl.bindings.crypto_sign_open(signature + message, public_key)
    except nacl.exceptions.BadSignatureError:
        return _verify_cofactored(public_key, signature, message)
    return True


def _key_pair(seed: bytes) -> tuple[bytes, bytes]:
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
    return nacl.bindings.crypto_sign_seed_keypair(seed)


def _verify_cofactored(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """The three rules as they stand."""
    s = int.from_bytes(signature[32:], "little")
    if s >= _L:
        return False
    a, r = _decode(public_key), _decode(signature[:32])
    if a is None or r is None:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _L
    rest = _add(_multiply_two(s, _BASE, k, _negate(a)), _negate(r))
    for _ in range(3):
        rest = _double(rest)
    x, y, z, _ = rest
    return x == 0 and y == z


def _decode(data: bytes) -> _Point | None:
    """Point of an encoding, canonical or not; None where y belongs to no point of the curve."""
    number = int.from_bytes(data, "little")
    sign_bit, y = number >> 255, (number & (1 << 255) - 1) % _P
    # x**2 = u/v; its root, if any, is u v**3 (u v**7)**((p-5)/8), times sqrt(-1) in one case of two.
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * v**3 * pow(u * v**7, (_P - 5) // 8, _P) % _P
    if (v * x * x - u) % _P:
        x = x * _SQRT_MINUS_1 % _P
        if (v * x * x - u) % _P:
            return None
    if x & 1 != sign_bit:
        x = -x % _P
    return x, y, 1, x * y % _P


def _negate(point: _Point) -> _Point:
    x, y, z, t = point
    return -x % _P, y, z, -t % _P


def _add(one: _Point, other: _Point) -> _Point:
    """Sum of any two points: the curve's addition law has no exceptions."""
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a, b = (y1 - x1) * (y2 - x2) % _P, (y1 + x1) * (y2 + x2) % _P
    c, d = 2 * t1 * t2 * _D % _P, 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _double(point: _Point) -> _Point:
    x, y, z, _ = point
    a, b = x * x % _P, y * y % _P
    h = a + b
    e, g = h - (x + y) ** 2, a - b
    f = 2 * z * z + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _multiply_two(m: int, one: _Point, n: int, other: _Point) -> _Point:
    """[m] one + [n] other in a single run of doublings (Straus, Shamir)."""
    sums = (_NEUTRAL, one, other, _add(one, other))
    total = _NEUTRAL
    for bit in range(max(m.bit_length(), n.bit_length()) - 1, -1, -1):
        total = _double(total)
        choice = (m >> bit & 1) + 2 * (n >> bit & 1)
        if choice:
            total = _add(total, sums[choice])
    return total


def _base_point() -> _Point:
    """B of RFC 8032: y = 4/5, x even."""
    point = _decode((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    assert point is not None
    return point


_BASE: Final = _base_point()
