"""PoW score: the worked example of TIP-12, and the compiled hash against plain Python."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.protocol.errors import LengthOutOfRange
from tangle.protocol.pow import reference
from tangle.protocol.pow.score import has_score, score, trailing_zeros, zeros_needed
from tests.tries import tries

TRYTES = "9ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TRITS = {TRYTES[(a + 3 * b + 9 * c) % 27]: (a, b, c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)}

# TIP-12, section "Example".
EXAMPLE = bytes.fromhex("48656c6c6f2c20576f726c64215ee6aaaaaaaaaaaa")
EXAMPLE_HASH = "DJCAGKILZPLXNXWFTNXFLCHRFVUHHMTPFIOFKQXMGIKITSEVWECMQOKCFXDIIHK9YVHGQICAIVEVDJ999"


def trytes_of(trits: list[int]) -> str:
    groups = [trits[i : i + 3] for i in range(0, len(trits), 3)]
    return "".join(TRYTES[(a + 3 * b + 9 * c) % 27] for a, b, c in groups)


def test_tip_12_example() -> None:
    assert trytes_of(reference.pow_hash(EXAMPLE)) == EXAMPLE_HASH
    assert reference.trailing_zeros(EXAMPLE) == 9
    assert trailing_zeros(EXAMPLE) == 9
    assert score(EXAMPLE) == 937.2857142857143
    assert has_score(EXAMPLE, 937)
    assert not has_score(EXAMPLE, 938)


# iota.go, curl/curl_test.go ("Curl-P-81" entries); inputs are padded to one block, the long one is 33 blocks.
@pytest.mark.parametrize(
    ("trytes", "expected"),
    [
        ("", "9" * 81),
        ("A", "TJVKPMTAMIZVBVHIVQUPTKEMPROEKV9SB9COEDQYRHYPTYSKQIAN9PQKMZHCPO9TS9BHCORFKW9CQXZEE"),
        ("Z", "FA9WYZSJJWSD9AEEBOGGDHFTMIZVHFURFLJLFBTNENDDCMSXGAGLXFMYZTAMKVIYDQSZEDKXSWVAOPZMK"),
        (
            "NOPQRSTUVWXYZ9ABSDEFGHIJKLM",
            "GWFZSXPZPAFSVPEGEIVWOTD9MY9KVP9HYVCIWSJEITEGVOVGQGV99RONTWDXOPUBIQPIWXK9L9OHZYFUB",
        ),
        ("ABC" * 891, "UHZVKZCGDIPNGFNPBNFZGIM9GAKYLCPTHTRFRXMNDJLZNXSGRPREFWTBKZWVTKV9BISPXEECVIXFJERAC"),
    ],
)
def test_curl_p_81_vectors(trytes: str, expected: str) -> None:
    trits = [trit for tryte in trytes.ljust(81, "9") for trit in TRITS[tryte]]
    assert trytes_of(reference.curl(trits)) == expected


@settings(max_examples=tries(60), deadline=None)
@given(st.binary(min_size=8, max_size=80))
def test_kernel_equals_reference(block: bytes) -> None:
    assert trailing_zeros(block) == reference.trailing_zeros(block)


def test_kernel_equals_reference_on_seeded_blocks_with_work() -> None:
    """Blocks with some zeros, so that counting is compared beyond the usual 0 and 1."""
    seed = 12
    draw = random.Random(seed)
    seen: set[int] = set()
    while not seen >= set(range(6)):
        block = draw.randbytes(draw.randrange(8, 200))
        count = trailing_zeros(block)
        if count not in seen:
            assert count == reference.trailing_zeros(block), f"seed {seed}, block {block.hex()}"
            seen.add(count)


@settings(deadline=None)
@given(st.binary(min_size=8, max_size=300), st.integers(0, 100_000))
def test_has_score_is_the_comparison(block: bytes, min_score: int) -> None:
    reached = score(block)
    if not math.isclose(reached, min_score, rel_tol=1e-9):
        assert has_score(block, min_score) == (reached >= min_score)


@given(st.integers(8, 32_768), st.integers(0, 2**64))
def test_zeros_needed_is_the_least(size: int, min_score: int) -> None:
    zeros = zeros_needed(size, min_score)
    assert 3**zeros >= min_score * size
    assert zeros == 0 or 3 ** (zeros - 1) < min_score * size


@pytest.mark.parametrize("judge", [score, trailing_zeros, lambda block: has_score(block, 1)])
def test_a_block_without_a_nonce_is_refused(judge) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LengthOutOfRange):
        judge(bytes(7))


def test_reference_absorbs_whole_blocks_only() -> None:
    with pytest.raises(ValueError, match="243"):
        reference.curl([0] * 242)
    with pytest.raises(ValueError, match="243"):
        reference.curl([])
