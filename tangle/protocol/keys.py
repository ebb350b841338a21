"""Keys of a wallet: from words or a seed to the key pair of an address.

Words become a seed of 64 bytes (BIP-39, English); a seed becomes a tree of Ed25519 keys (SLIP-10, every step
hardened); an address has the path ``m/44'/4218'/account'/change'/index'`` with the coin type that SLIP-44 lists
for this format. Other wallets of the format derive the same addresses from the same words.

Whoever holds a secret can spend, so no secret appears in a repr; code that prints one does so on purpose. The word
list is loaded where words are used: most programs keep a seed.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from tangle.protocol import signatures
from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.errors import InvalidMnemonic, InvalidSeed

COIN_TYPE = 4218
"""SLIP-44"""
_HARDENED = 1 << 31
_MASTER_KEY = b"ed25519 seed"
"""SLIP-10, master key generation"""
_WORDLIST = "english"
_ENTROPY_BITS = 256


def new_mnemonic() -> str:
    """24 English words from 256 bits of the system's randomness (BIP-39)."""
    from mnemonic import Mnemonic

    return str(Mnemonic(_WORDLIST).generate(_ENTROPY_BITS))


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The keys of one address.

    Attributes
    ----------
    seed : 32 bytes, secret; RFC 8032 calls it the private key
    public_key : 32 bytes
    address : the hash of the public key
    """

    seed: bytes = field(repr=False)
    public_key: bytes
    address: Ed25519Address

    @classmethod
    def of(cls, seed: bytes) -> KeyPair:
        """The key pair of a 32-byte secret."""
        public_key = signatures.public_key(seed)
        return cls(seed, public_key, Ed25519Address.from_public_key(public_key))

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return signatures.sign(self.seed, message)


class Keys:
    """A tree of Ed25519 keys (SLIP-10)."""

    __slots__ = ("_coin_type", "_master")

    def __init__(self, master: tuple[bytes, bytes], coin_type: int = COIN_TYPE) -> None:
        self._master = master
        self._coin_type = coin_type

    def __repr__(self) -> str:
        return f"Keys(first address {self.derive().address.public_key_hash.hex()[:8]}…)"

    @classmethod
    def from_mnemonic(cls, words: str, passphrase: str = "", *, coin_type: int = COIN_TYPE) -> Keys:
        """The keys of a mnemonic.

        Parameters
        ----------
        words : 12 to 24 English words, any spacing
        passphrase : BIP-39's optional addition to the words; another one gives another wallet
        coin_type : of the derivation path; 4218 is IOTA's, 4219 Shimmer's (SLIP-44)

        Raises
        ------
        InvalidMnemonic : a word is not in the list, their number is wrong, or the checksum is
        """
        from mnemonic import Mnemonic

        text = " ".join(words.lower().split())
        mnemonic = Mnemonic(_WORDLIST)
        unknown = [i for i, word in enumerate(text.split(), start=1) if word not in mnemonic.wordlist]
        if unknown:
            raise InvalidMnemonic(f"word {unknown[0]} is not in the English list of BIP-39")
        if len(text.split()) not in {12, 15, 18, 21, 24}:
            raise InvalidMnemonic(f"it has 12, 15, 18, 21 or 24 words, not {len(text.split())}")
        if not mnemonic.check(text):
            raise InvalidMnemonic("the checksum is wrong; are all words in their place?")
        return cls.from_seed(Mnemonic.to_seed(text, passphrase), coin_type=coin_type)

    @classmethod
    def from_seed(cls, seed: bytes, *, coin_type: int = COIN_TYPE) -> Keys:
        """The keys of a seed of 32 or 64 bytes. Raises InvalidSeed."""
        if len(seed) not in {32, 64}:
            raise InvalidSeed(len(seed))
        return cls(slip10_master(seed), coin_type)

    def derive(self, account: int = 0, index: int = 0, *, internal: bool = False) -> KeyPair:
        """The key pair of an address; `internal` ones are meant for remainders.

        Raises
        ------
        ValueError : coin type, account or index is not from 0 to 2^31 - 1
        """
        node = self._master
        for step in (44, self._coin_type, account, int(internal), index):
            node = slip10_child(node, step)
        return KeyPair.of(node[0])


def slip10_master(seed: bytes) -> tuple[bytes, bytes]:
    """Master key and chain code, 32 bytes each, of a seed (SLIP-10, curve ed25519)."""
    digest = hmac.new(_MASTER_KEY, seed, hashlib.sha512).digest()
    return digest[:32], digest[32:]


def slip10_child(parent: tuple[bytes, bytes], index: int) -> tuple[bytes, bytes]:
    """Key and chain code of hardened child `index`; ed25519 has no other children (SLIP-10)."""
    if not 0 <= index < _HARDENED:
        raise ValueError(f"a step of a path is 0 to {_HARDENED - 1}, not {index}")
    key, chain_code = parent
    data = b"\x00" + key + (index + _HARDENED).to_bytes(4, "big")
    digest = hmac.new(chain_code, data, hashlib.sha512).digest()
    return digest[:32], digest[32:]
