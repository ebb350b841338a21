"""b1t6: the examples of TIP-5, the round trip and what decoding refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.protocol.errors import Malformed
from tangle.protocol.pow import ternary

TRYTES = "9ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def trytes_of(trits: ternary.Trits) -> str:
    return "".join(TRYTES[int(group @ [1, 3, 9]) % 27] for group in trits.reshape(-1, 3))


# TIP-5, examples I to III.
@pytest.mark.parametrize(
    ("data", "trytes"),
    [
        ("00", "99"),
        ("0001027e7f8081fdfeff", "99A9B9RESEGVHVX9Y9Z9"),
        (
            "9ba06c78552776a596dfe360cc2b5bf644c0f9d343a10e2e71debecd30730d03",
            "GWLW9DLDDCLAJDQXBWUZYZODBYPBJCQ9NCQYT9IYMBMWNASBEDTZOYCYUBGDM9C9",
        ),
    ],
)
def test_tip_5_examples(data: str, trytes: str) -> None:
    trits = ternary.encode(bytes.fromhex(data))
    assert trytes_of(trits) == trytes
    assert ternary.decode(trits) == bytes.fromhex(data)


@given(st.binary())
def test_decoding_undoes_encoding(data: bytes) -> None:
    trits = ternary.encode(data)
    assert trits.dtype == np.int8
    assert len(trits) == 6 * len(data)
    assert ternary.decode(trits) == data


@given(st.lists(st.integers(-2, 2), max_size=24))
def test_decoding_any_trits_is_exact_or_refused(values: list[int]) -> None:
    trits = np.array(values, dtype=np.int8)
    try:
        data = ternary.decode(trits)
    except Malformed:
        return
    assert (ternary.encode(data) == trits).all()


@pytest.mark.parametrize(
    "values",
    [
        [1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 2],
        [0, 1, 1, 0, 0, 1],  # 255: TIP-5 names it as what must be refused beside -1
        [1, 1, 1, 1, 1, 1],
    ],
)
def test_malformed_trits_are_refused(values: list[int]) -> None:
    with pytest.raises(Malformed):
        ternary.decode(np.array(values, dtype=np.int8))


def test_255_and_minus_1_are_not_confused() -> None:
    li = [0, 1, 1, 0, 0, 1]
    assert sum(trit * 3**i for i, trit in enumerate(li)) == 255
    assert ternary.encode(b"\xff").tolist() == [-1, 0, 0, 0, 0, 0]
