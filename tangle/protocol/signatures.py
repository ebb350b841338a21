"""Ed25519 signatures under the one set of rules that all nodes share (TIP-14, which adopts ZIP-215).

RFC 8032 leaves open which edge cases verify, and libraries differ, which forks a ledger. ZIP-215 decides:

1. encodings of the points A (public key) and R need not be canonical,
2. the number S of the signature is below the group's order L,
3. the equation is the cofactored one: [8]([S]B - R - [k]A) = 0, with k = SHA-512(R, A, message) over the bytes
   as given.

libsodium alone is stricter: it refuses points of small order, non-canonical keys and what only the cofactored
equation accepts. What it does accept fulfils all three rules, so it is asked first, and only what it refuses is
asked again of its arithmetic of points. No honest signature ever takes that way, which costs four times as much:
a stranger cannot make it dear by keys of small order or signatures that are forged.
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

_L: Final = 2**252 + 27742317777372353535851937790883648493
"""order of the group's prime part; RFC 8032, section 5.1"""
_NEUTRAL: Final = bytes([1]) + bytes(31)


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
    """The three rules, with what libsodium does for points of the group's prime part.

    It adds any two points, and multiplies only those of that part. [8] of any point is one, so what is asked is
    [8 S]B = [8]R + [k]([8]A). Sums come out canonical, so equal points are equal bytes.
    """
    s = int.from_bytes(signature[32:], "little")
    if s >= _L:
        return False
    try:
        a, r = _times_eight(public_key), _times_eight(signature[:32])
    except nacl.exceptions.RuntimeError:  # no point of the curve
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little")
    return _base_times(8 * s) == nacl.bindings.crypto_core_ed25519_add(r, _times(k, a))


def _times_eight(point: bytes) -> bytes:
    for _ in range(3):
        point = nacl.bindings.crypto_core_ed25519_add(point, point)
    return point


def _times(number: int, point: bytes) -> bytes:
    """[number] of a point of the prime part; libsodium refuses to give the neutral one."""
    scalar = number % _L
    if scalar == 0 or point == _NEUTRAL:
        return _NEUTRAL
    return nacl.bindings.crypto_scalarmult_ed25519_noclamp(scalar.to_bytes(32, "little"), point)


def _base_times(number: int) -> bytes:
    scalar = number % _L
    if scalar == 0:
        return _NEUTRAL
    return nacl.bindings.crypto_scalarmult_ed25519_base_noclamp(scalar.to_bytes(32, "little"))
