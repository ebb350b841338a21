"""Keys: vectors of SLIP-10 and BIP-39, the addresses of another wallet, and silence about secrets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.client.node.rest import NodeClient
from tangle.client.wallet.wallet import Wallet
from tangle.protocol.addresses import to_bech32
from tangle.protocol.errors import InvalidMnemonic, InvalidSeed
from tangle.protocol.keys import KeyPair, Keys, new_mnemonic, slip10_child, slip10_master
from tangle.protocol.signatures import public_key, verify
from tests.tries import tries

# SLIP-0010, "Test vector 1 for ed25519", seed 00 to 0f: step from the parent, chain code, private, public key.
SLIP_10_SEED = bytes(range(16))
SLIP_10 = [
    (
        None,
        "90046a93de5380a72b5e45010748567d5ea02bbf6522f979e05c0d8d8ca9fffb",
        "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7",
        "a4b2856bfec510abab89753fac1ac0e1112364e7d250545963f135f2a33188ed",
    ),
    (
        0,
        "8b59aa11380b624e81507a27fedda59fea6d0b779a778918a2fd3590e16e9c69",
        "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3",
        "8c8a13df77a28f3445213a0f432fde644acaa215fc72dcdf300d5efaa85d350c",
    ),
    (
        1,
        "a320425f77d1b5c2505a6b1b27382b37368ee640e3557c315416801243552f14",
        "b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2",
        "1932a5270f335bed617d5b935c80aedb1a35bd9fc1e31acafd5372c30f5c1187",
    ),
    (
        2,
        "2e69929e00b5ab250f49c3fb1c12f252de4fed2c1db88387094a0f8c4c9ccd6c",
        "92a5b23c0b8a99e37d07df3fb9966917f5d06e02ddbd909c7e184371463e9fc9",
        "ae98736566d30ed0e9d2f4486a64bc95740d89c7db33f52121f8ea8f76ff0fc1",
    ),
    (
        2,
        "8f6d87f93d750e0efccda017d662a1b31a266e4a6f5993b15f5c1f07f74dd5cc",
        "30d1dc7e5fc04c31219ab25a27ae00b50f6fd66622f6e9c913253d6511d1e662",
        "8abae2d66361c879b900d204ad2cc4984fa2aa344dd7ddc46007329ac76c429c",
    ),
    (
        1_000_000_000,
        "68789923a0cac2cd5a29172a475fe9e0fb14cd6adb5ad98a3fa70333e7afa230",
        "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793",
        "3c24da049451555d51a7014a37337aa4e12d41e485abccfa46b47dfb2af54b7a",
    ),
]

# 24 words of zero entropy: a BIP-39 reference vector, and not used anywhere for money.
WORDS = "abandon " * 23 + "art"
# Made with iota-sdk 1.1.4, `generate_ed25519_addresses`, so that the check holds where that library is absent.
ADDRESSES = {
    (0, 0, False): "tgl1qruscrv5l22f7daxl3dha90m005sl9tmc6eta5zzlgmquvdem3j9223xf7a",
    (0, 1, False): "tgl1qrlvtt8wry7lmv7j8q8r98z0m78l2cm8vm22ax9dmj6dsug7lzz5yf5tjut",
    (1, 0, True): "tgl1qq4476zhzat9qhqngntsvz0wlxajmrkusr5kecwftdkdw276lvqasf6xapj",
    (1, 1, True): "tgl1qrgjmerr0pl9etuxlmtju6pd6f84vzeufcurfx4l8gqjv4sfha5265vk5ss",
}


def test_slip_10_vector() -> None:
    node = (b"", b"")
    for step, chain_code, private, public in SLIP_10:
        node = slip10_master(SLIP_10_SEED) if step is None else slip10_child(node, step)
        assert (node[0].hex(), node[1].hex()) == (private, chain_code)
        assert public_key(node[0]).hex() == public


@pytest.mark.parametrize("step", [-1, 1 << 31])
def test_step_out_of_range(step: int) -> None:
    with pytest.raises(ValueError, match="0 to 2147483647"):
        slip10_child(slip10_master(SLIP_10_SEED), step)


@pytest.mark.parametrize("path", ADDRESSES)
def test_addresses_of_known_words(path: tuple[int, int, bool]) -> None:
    account, index, internal = path
    pair = Keys.from_mnemonic(WORDS).derive(account, index, internal=internal)
    assert to_bech32(pair.address, "tgl") == ADDRESSES[path]


def test_same_addresses_as_iota_sdk() -> None:
    sdk = pytest.importorskip("iota_sdk", reason="the wheel of iota-sdk does not exist for this platform")
    words, seed = new_mnemonic(), bytes(range(100, 132))
    pairs = [
        (sdk.MnemonicSecretManager(words), Keys.from_mnemonic(words)),
        (sdk.SeedSecretManager("0x" + seed.hex()), Keys.from_seed(seed)),
        (sdk.SeedSecretManager("0x" + (2 * seed).hex()), Keys.from_seed(2 * seed)),
    ]
    for secret, keys in pairs:
        for account, internal in ((0, False), (3, True)):
            theirs = sdk.SecretManager(secret).generate_ed25519_addresses(
                account_index=account, start=0, end=3, internal=internal, coin_type=4218, bech32_hrp="tgl"
            )
            ours = [keys.derive(account, index, internal=internal).address for index in range(3)]
            assert [to_bech32(address, "tgl") for address in ours] == theirs


def test_new_words_are_24_and_new() -> None:
    one, other = new_mnemonic(), new_mnemonic()
    assert len(one.split()) == 24
    assert one != other
    assert Keys.from_mnemonic(one).derive() != Keys.from_mnemonic(other).derive()


def test_spacing_and_case_do_not_matter_and_the_passphrase_does() -> None:
    plain = Keys.from_mnemonic(WORDS).derive()
    assert Keys.from_mnemonic("  " + WORDS.upper().replace(" ", "\n ")).derive() == plain
    assert Keys.from_mnemonic(WORDS, "more").derive() != plain


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("abandon " * 24, "checksum"),
        ("abandon " * 22 + "art", "24 words, not 23"),
        ("abandon " * 23 + "arf", "word 24 is not in the English list"),
        ("", "24 words, not 0"),
    ],
)
def test_bad_words(words: str, reason: str) -> None:
    with pytest.raises(InvalidMnemonic, match=reason):
        Keys.from_mnemonic(words)


@pytest.mark.parametrize("size", [0, 16, 31, 33, 63, 65])
def test_bad_seed(size: int) -> None:
    with pytest.raises(InvalidSeed, match=f"32 or 64 bytes, not {size}"):
        Keys.from_seed(bytes(size))


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=100))
@settings(max_examples=tries(20), deadline=None)
def test_what_a_key_pair_signs_verifies(seed: bytes, message: bytes) -> None:
    pair = Keys.from_seed(seed).derive()
    assert verify(pair.public_key, pair.sign(message), message)


async def test_no_secret_in_a_repr() -> None:
    seed = bytes(range(32))
    keys = Keys.from_seed(seed)
    master, chain_code = slip10_master(seed)
    pair: KeyPair = keys.derive()
    async with NodeClient("http://127.0.0.1:1") as node:
        shown = repr(keys) + repr(pair) + repr(Wallet(node, keys)) + repr([pair])
    for secret in (seed, master, chain_code, pair.seed):
        assert secret.hex() not in shown
        assert repr(secret) not in shown
