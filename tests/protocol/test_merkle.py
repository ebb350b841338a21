"""The Merkle tree hash: the seven leaves of TIP-4, its recursive definition, and what an attacker would try."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from tangle.protocol.merkle import merkle_root
from tests.protocol.objects import fuzz

# TIP-4, example: seven ids, the hashes of the inner nodes and of the last leaf.
IDS = [
    bytes.fromhex(text)
    for text in (
        "52fdfc072182654f163f5f0f9a621d729566c74d10037c4d7bbb0407d1e2c649",
        "81855ad8681d0d86d1e91e00167939cb6694d2c422acd208a0072939487f6999",
        "eb9d18a44784045d87f3c67cf22746e995af5a25367951baa2ff6cd471c483f1",
        "5fb90badb37c5821b6d95526a41a9504680b4e7c8b763a1b1d49d4955c848621",
        "6325253fec738dd7a9e28bf921119c160f0702448615bbda08313f6a8eb668d2",
        "0bf5059875921e668a5bdf2c7fc4844592d2572bcd0668d2d6c52f5054e2d083",
        "6bf84c7174cb7476364cc3dbd968b0f7172ed85794bb358b0c3b525da1786f9f",
    )
]
NODES = {
    (0, 7): "bf67ce7ba23e8c0951b5abaec4f5524360d2c26d971ff226d3359fa70cdb0beb",
    (0, 4): "03bcbb3cf4314eab2f5ae68c767ff0a5fec4573c865728231f71d596fd867b56",
    (4, 7): "ce22d5bc728023e7ab6a9eb8f58baf62b9565fc8baeef4b377daa6709dbe598c",
    (0, 2): "ae4505f4cfae93586e23958ca88d35d2f34d43def49786b6d0d4224b819f4cda",
    (2, 4): "54d51291aca22ce5b04cd3e6584fa3026ebe86ef86f0a6dfb47ab843801d4b38",
    (4, 6): "e14c8af1258005cd0dbed88f0c5885c6988f319bb8f24272a7495592b873c169",
    (0, 1): "3d1399c64ff0ae6a074afa4cd2ce4eab8d5c499c1da6afdd1d84b7447cc00544",
    (6, 7): "7ec774ebc33ed4ca298e8a1cf1f569e36c6784467d63b055efd7612abe2858a4",
}


def blake2b(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


def by_definition(entries: list[bytes]) -> bytes:
    """TIP-4, literally: split at the largest power of two below the number of entries."""
    if len(entries) <= 1:
        return blake2b(b"\x00" + entries[0]) if entries else blake2b(b"")
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return blake2b(b"\x01" + by_definition(entries[:split]) + by_definition(entries[split:]))


def test_every_node_of_the_example_of_tip_4() -> None:
    for (start, end), expected in NODES.items():
        assert merkle_root(IDS[start:end]).hex() == expected


def test_no_entry_hashes_to_the_hash_of_nothing() -> None:
    # The appliedMerkleRoot of a milestone that applies nothing, as seen in iotaledger/iota-sdk's test_block.py.
    assert merkle_root([]).hex() == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"


@fuzz
@given(entries=st.lists(st.binary(max_size=40), max_size=70))
def test_levels_equal_the_recursive_definition(entries: list[bytes]) -> None:
    assert merkle_root(entries) == by_definition(entries)


@fuzz
@given(
    one=st.lists(st.binary(min_size=32, max_size=32), max_size=9),
    other=st.lists(st.binary(min_size=32, max_size=32), max_size=9),
)
def test_other_lists_have_other_roots(one: list[bytes], other: list[bytes]) -> None:
    assert (merkle_root(one) == merkle_root(other)) == (one == other)


def test_node_hashes_do_not_pass_for_leaves() -> None:
    halves = [merkle_root(IDS[:4]), merkle_root(IDS[4:])]
    assert merkle_root(halves) != merkle_root(IDS)
