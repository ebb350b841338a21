"""Ed25519: vectors of RFC 8032 and TIP-14, the small-order matrix of ZIP-215, and refusals."""

import hashlib
import json
from pathlib import Path

import nacl.bindings
import nacl.exceptions
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.protocol.signatures import public_key, sign, verify
from tests.tries import tries

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493

# RFC 8032, section 7.1, TEST 1 to 3 and TEST SHA(abc): seed, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]

# TIP-14, test.json, taken there from Chalkias et al. 2020, "Taming the many EdDSAs".
TIP_14 = json.loads((Path(__file__).parent.parent / "vectors" / "tip-0014.json").read_text())


@pytest.mark.parametrize(("seed", "key", "message", "signature"), RFC_8032)
def test_rfc_8032(seed: str, key: str, message: str, signature: str) -> None:
    assert public_key(bytes.fromhex(seed)).hex() == key
    assert sign(bytes.fromhex(seed), bytes.fromhex(message)).hex() == signature
    assert verify(bytes.fromhex(key), bytes.fromhex(signature), bytes.fromhex(message))


def test_tip_14() -> None:
    """An address is its type and the BLAKE2b-256 of the key as given; a vector holds if both fit."""
    assert len(TIP_14) == 12
    for vector in TIP_14:
        key = bytes.fromhex(vector["pub_key"])
        owns = hashlib.blake2b(key, digest_size=32).hexdigest() == vector["address"][2:]
        signed = verify(key, bytes.fromhex(vector["signature"]), bytes.fromhex(vector["message"]))
        assert (owns and signed) == vector["valid"], vector


# ZIP-215, section "Test vectors": the eight points of small order and every encoding of them, by plain affine
# arithmetic that shares nothing with the module under test.

D = -121665 * pow(121666, -1, P) % P
Affine = tuple[int, int]


def added(one: Affine, other: Affine) -> Affine:
    (x1, y1), (x2, y2) = one, other
    t = D * x1 * x2 * y1 * y2
    return (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P


def times(n: int, point: Affine) -> Affine:
    total = (0, 1)
    while n:
        if n & 1:
            total = added(total, point)
        point, n = added(point, point), n >> 1
    return total


def root(square: int) -> int | None:
    candidate = pow(square, (P + 3) // 8, P)
    for x in (candidate, candidate * pow(2, (P - 1) // 4, P) % P):
        if (x * x - square) % P == 0:
            return x
    return None


def torsion() -> list[Affine]:
    """The eight points of small order: multiples of [L] of a point where that has order eight."""
    for y in range(2, 100):
        x = root((y * y - 1) * pow(D * y * y + 1, -1, P) % P)
        if x is None:
            continue
        point = times(L, (x, y))
        if times(4, point) != (0, 1):
            return [times(n, point) for n in range(8)]
    raise AssertionError("no point of order eight")


def encodings(point: Affine) -> list[bytes]:
    """All 32-byte strings that decode to a point: y or y + p, and either sign where x is 0."""
    x, y = point
    signs = (0, 1) if x == 0 else (x & 1,)
    values = [v for v in (y, y + P) if v < 2**255]
    return [(v | sign_bit << 255).to_bytes(32, "little") for v in values for sign_bit in signs]


def base_point() -> Affine:
    """B of RFC 8032: y = 4/5, x even."""
    y = 4 * pow(5, -1, P) % P
    x = root((y * y - 1) * pow(D * y * y + 1, -1, P) % P)
    assert x is not None
    return (x if x % 2 == 0 else P - x), y


BASE = base_point()
SMALL_ORDER = [data for point in torsion() for data in encodings(point)]


def test_small_order_matrix() -> None:
    """All 14 x 14 pairs of encodings of small-order points verify with s = 0, whatever the message."""
    assert len(set(SMALL_ORDER)) == 14
    for key in SMALL_ORDER:
        for r in SMALL_ORDER:
            assert verify(key, r + bytes(32), b"Zcash"), (key.hex(), r.hex())


def test_libsodium_alone_would_refuse_some_of_them() -> None:
    refused = 0
    for key in SMALL_ORDER:
        try:
            nacl.bindings.crypto_sign_open(key + bytes(32) + b"Zcash", key)
        except nacl.exceptions.BadSignatureError:
            refused += 1
    assert refused > 0


def test_small_order_with_a_scalar_of_another_point_is_refused() -> None:
    for data in SMALL_ORDER:
        assert not verify(data, data + (1).to_bytes(32, "little"), b"Zcash")


def test_key_with_a_torsion_component_verifies_cofactored_only() -> None:
    """A' = A + T, signed with the scalar of A: the difference [k]T vanishes under the cofactor."""
    x, y = BASE
    secret, nonce = 12_345, 67_890
    mixed = added(times(secret, (x, y)), torsion()[1])
    r = encodings(times(nonce, (x, y)))[0]
    key = encodings(mixed)[0]
    k = int.from_bytes(hashlib.sha512(r + key + b"m").digest(), "little")
    s = (nonce + k * secret) % L
    assert verify(key, r + s.to_bytes(32, "little"), b"m")
    assert not verify(key, r + ((s + 1) % L).to_bytes(32, "little"), b"m")


def cofactored(key: Affine, r: Affine, k: int, s: int) -> bool:
    """[8]([s]B - R - [k]A) = 0, by the affine arithmetic above, for a key and an R that are known as points."""
    right = added(r, times(k % L, key))
    return times(8, times(s, BASE)) == times(8, right)


@settings(max_examples=tries(8), deadline=None)
@given(
    st.integers(0, L - 1),
    st.integers(0, L - 1),
    st.integers(0, 7),
    st.integers(0, 7),
    st.sampled_from([0, 0, 1, L // 8]),
    st.booleans(),
)
def test_any_key_and_point_as_the_equation_says(
    secret: int, nonce: int, twist: int, turn: int, off: int, small: bool
) -> None:
    """Keys and points of every order, some signatures right and some not, compared with plain arithmetic."""
    secret = 0 if small else secret
    key = added(times(secret, BASE), torsion()[twist])
    r = added(times(nonce, BASE), torsion()[turn])
    for key_bytes in encodings(key):
        for r_bytes in encodings(r):
            k = int.from_bytes(hashlib.sha512(r_bytes + key_bytes + b"m").digest(), "little") % L
            s = (nonce + k * secret + off) % L
            right = cofactored(key, r, k, s)
            assert verify(key_bytes, r_bytes + s.to_bytes(32, "little"), b"m") == right == (off == 0)


def test_s_of_l_or_more_is_refused() -> None:
    seed = bytes(range(32))
    signature = sign(seed, b"message")
    s = int.from_bytes(signature[32:], "little")
    for larger in range(s + L, 2**256, L):
        assert not verify(public_key(seed), signature[:32] + larger.to_bytes(32, "little"), b"message")
    assert not verify(SMALL_ORDER[0], SMALL_ORDER[0] + L.to_bytes(32, "little"), b"Zcash")


def test_a_y_off_the_curve_is_refused() -> None:
    off = next(y for y in range(2, 100) if root((y * y - 1) * pow(D * y * y + 1, -1, P) % P) is None)
    data = off.to_bytes(32, "little")
    assert not verify(data, SMALL_ORDER[0] + bytes(32), b"")
    assert not verify(SMALL_ORDER[0], data + bytes(32), b"")


@settings(max_examples=tries(50), deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100), st.data())
def test_round_trip_and_one_altered_bit(seed: bytes, message: bytes, data: st.DataObject) -> None:
    key, signature = public_key(seed), sign(seed, message)
    assert verify(key, signature, message)
    whole = bytearray(key + signature + message)
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    assert not verify(bytes(whole[:32]), bytes(whole[32:96]), bytes(whole[96:]))


@pytest.mark.parametrize(("key_bytes", "signature_bytes"), [(31, 64), (33, 64), (32, 63), (32, 65), (0, 0)])
def test_wrong_lengths_are_false(key_bytes: int, signature_bytes: int) -> None:
    assert not verify(bytes(key_bytes), bytes(signature_bytes), b"")


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_seeds_of_another_length_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="seed"):
        public_key(bytes(size))
    with pytest.raises(ValueError, match="seed"):
        sign(bytes(size), b"")
