"""Addresses: examples of TIP-31 and iota-sdk, valid and invalid texts of BIP-173, and one mistyped character."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.protocol.addresses import (
    Address,
    AliasAddress,
    Ed25519Address,
    NftAddress,
    bech32_decode,
    bech32_encode,
    from_bech32,
    to_bech32,
)
from tangle.protocol.errors import MalformedAddress, UnknownType
from tangle.protocol.serial import Reader
from tests.protocol import objects
from tests.protocol.objects import fuzz

# TIP-31, examples: the same public key on four networks.
PUBLIC_KEY = bytes.fromhex("6f1581709bb7b1ef030d210db18e3b0ba1c776fba65d8cdaad05415142d189f8")
HASH = bytes.fromhex("efdc112efe262b304bcf379b26c31bad029f616ee3ec4aa6345a366e4c9e43a3")
TIP_31 = {
    "iota": "iota1qrhacyfwlcnzkvzteumekfkrrwks98mpdm37cj4xx3drvmjvnep6xqgyzyx",
    "atoi": "atoi1qrhacyfwlcnzkvzteumekfkrrwks98mpdm37cj4xx3drvmjvnep6x8x4r7t",
    "smr": "smr1qrhacyfwlcnzkvzteumekfkrrwks98mpdm37cj4xx3drvmjvnep6xhcazjh",
    "rms": "rms1qrhacyfwlcnzkvzteumekfkrrwks98mpdm37cj4xx3drvmjvnep6xrlkcfw",
}
# TIP-31, examples: an alias and an NFT address.
ALIAS_TEXT = "smr1prlgpsht03ekmghhex8v7y67a835uns8dtlxu807hj0v279c74kj7dzrr0a"
ALIAS_ID = bytes.fromhex("fe80c2eb7c736da2f7c98ecf135ee9e34e4e076afe6e1dfebc9ec578b8f56d2f")
NFT_TEXT = "smr1zqc4nvg4ufcj3dkmzmd4uc034fx8pkz2nxl820a28mnsmxkec6ntwcu0ld0"
NFT_ID = bytes.fromhex("3159b115e27128b6db16db5e61f1aa4c70d84a99be753faa3ee70d9ad9c6a6b7")
# iotaledger/iota-sdk 1.1, sdk/tests/types/address/bech32.rs
SDK_HASH = bytes.fromhex("ebe40a263480190dcd7939447ee01aefa73d6f3cc33c90ef7bf905abf8728655")
SDK_TEXT = "rms1qr47gz3xxjqpjrwd0yu5glhqrth6w0t08npney8000ust2lcw2r92j5a8rt"
CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
# BIP-173, test vectors.
VALID = [
    "A12UEL5L",
    "a12uel5l",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "11" + "q" * 82 + "c8247j",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "?1ezyfcl",
]
INVALID = {
    "\x201nwldj5": "printable",
    "\x7f1axkwrx": "printable",
    "\x801eym55h": "printable",
    "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx": "at most 90",
    "pzry9x0s0muk": "network part",
    "1pzry9x0s0muk": "network part",
    "x1b4n0q5v": "does not use",
    "li1dgmt3": "six more",
    "de1lg7wt\xff": "printable",
    "A1G7SGD8": "checksum",
    "10a06t8": "network part",
    "1qzzfhee": "network part",
    "A12uEL5L": "mix upper and lower",
}


@pytest.mark.parametrize(("hrp", "text"), TIP_31.items())
def test_the_examples_of_tip_31(hrp: str, text: str) -> None:
    address = Ed25519Address.from_public_key(PUBLIC_KEY)
    assert address == Ed25519Address(HASH)
    assert address.encode() == b"\x00" + HASH
    assert to_bech32(address, hrp) == text
    assert from_bech32(text, hrp) == from_bech32(text.upper()) == address


def test_the_example_of_iota_sdk() -> None:
    assert from_bech32(SDK_TEXT, "rms") == Ed25519Address(SDK_HASH)
    assert to_bech32(Ed25519Address(SDK_HASH), "rms") == SDK_TEXT


@pytest.mark.parametrize(
    ("text", "address"), [(ALIAS_TEXT, AliasAddress(ALIAS_ID)), (NFT_TEXT, NftAddress(NFT_ID))]
)
def test_the_examples_of_tip_31_for_aliases_and_nfts(text: str, address: Address) -> None:
    assert from_bech32(text, "smr") == address
    assert to_bech32(address, "smr") == text


@pytest.mark.parametrize("kind", [1, 7, 9, 15, 17, 255])
def test_an_address_type_of_no_table_is_refused(kind: int) -> None:
    with pytest.raises(MalformedAddress, match=r"holds no address of this network: .*known: 0, 8, 16"):
        from_bech32(bech32_encode("smr", bytes([kind]) + HASH), "smr")


@pytest.mark.parametrize("kind", [AliasAddress, NftAddress])
def test_an_id_is_the_hash_of_the_output_that_created_it(kind: type[AliasAddress | NftAddress]) -> None:
    output_id = bytes(range(34))
    assert kind.created_by(output_id).encode()[1:] == hashlib.blake2b(output_id, digest_size=32).digest()


@pytest.mark.parametrize(
    ("kind", "field"), [(Ed25519Address, "pubKeyHash"), (AliasAddress, "aliasId"), (NftAddress, "nftId")]
)
@pytest.mark.parametrize("size", [0, 31, 33])
def test_an_address_has_32_bytes(
    kind: type[Ed25519Address | AliasAddress | NftAddress], field: str, size: int
) -> None:
    with pytest.raises(MalformedAddress) as caught:
        kind(bytes(size))
    assert caught.value.field == field


def test_addresses_of_different_types_differ() -> None:
    assert len({Ed25519Address(HASH), AliasAddress(HASH), NftAddress(HASH)}) == 3


@pytest.mark.parametrize("text", VALID)
def test_valid_texts_of_bip_173(text: str) -> None:
    hrp, data = bech32_decode(text)
    assert bech32_encode(hrp, data) == text.lower()


def test_words_become_bytes_in_order() -> None:
    # BIP-173 lists the 32 words of this text as 0 to 31.
    data = bech32_decode("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw")[1]
    assert int.from_bytes(data) == sum(word << 5 * (31 - word) for word in range(32))


@pytest.mark.parametrize(("text", "says"), INVALID.items())
def test_invalid_texts_of_bip_173(text: str, says: str) -> None:
    with pytest.raises(MalformedAddress, match=says) as caught:
        bech32_decode(text, "owner")
    assert caught.value.field == "owner"


def test_another_network_is_named() -> None:
    with pytest.raises(MalformedAddress, match="belongs to network part 'iota', not 'smr'"):
        from_bech32(TIP_31["iota"], "smr")


def test_a_text_of_the_wrong_length_is_no_address() -> None:
    for size in (0, 1, 32, 34):
        with pytest.raises(MalformedAddress, match="holds no address"):
            from_bech32(bech32_encode("tgl", bytes(size)))


@pytest.mark.parametrize("words", [[31, 31], [31, 28, 0]], ids=["bits that are not zero", "a whole word"])
def test_padding_is_short_and_zero(words: list[int]) -> None:
    assert bech32_decode(text_of([31, 28])) == ("a", b"\xff")
    with pytest.raises(MalformedAddress, match="padding"):
        bech32_decode(text_of(words))


def text_of(words: list[int]) -> str:
    """The text under ``a`` whose data part is `words`, whole bytes or not (BIP-173, checksum)."""
    rest = 1
    for word in [ord("a") >> 5, 0, ord("a") & 31, *words, *[0] * 6]:
        top, rest = rest >> 25, (rest & 0x1FFFFFF) << 5 ^ word
        for bit, factor in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            rest ^= factor if top >> bit & 1 else 0
    checksum = [((rest ^ 1) >> 5 * (5 - i)) & 31 for i in range(6)]
    return "a1" + "".join(CHARSET[word] for word in [*words, *checksum])


@fuzz
@given(address=objects.addresses, hrp=objects.hrps)
def test_every_address_has_a_text_on_every_network(address: Ed25519Address, hrp: str) -> None:
    text = to_bech32(address, hrp)
    assert len(text) <= 90
    assert from_bech32(text, hrp) == from_bech32(text.upper(), hrp) == address


@fuzz
@given(address=objects.addresses, draws=st.data())
def test_up_to_four_mistyped_characters_are_found(address: Ed25519Address, draws: st.DataObject) -> None:
    text = to_bech32(address, "tgl")
    places = draws.draw(st.lists(st.integers(4, len(text) - 1), min_size=1, max_size=4, unique=True))
    typed = list(text)
    for place in places:
        others = [char for char in CHARSET if char != text[place]]
        typed[place] = draws.draw(st.sampled_from(others))
    with pytest.raises(MalformedAddress, match="checksum"):
        from_bech32("".join(typed), "tgl")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_hash_has_32_bytes(size: int) -> None:
    with pytest.raises(MalformedAddress, match="pubKeyHash: must be 32 bytes"):
        Ed25519Address(bytes(size))


def test_a_class_read_outside_its_table_knows_its_type() -> None:
    with pytest.raises(UnknownType, match="type: must be 0 here, not 8"):
        Ed25519Address.decode(Reader(b"\x08" + HASH))
