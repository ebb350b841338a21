"""Addresses and their bech32 text (TIP-31, BIP-173).

An address is a type byte and 32 bytes: the hash of a public key, or the id of an alias or NFT (TIP-18). People
see it as bech32: the network's human-readable part, ``1``, the serialized address in base 32 and a checksum that
catches any four mistyped characters.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

from tangle.protocol.codec import Wire
from tangle.protocol.errors import MalformedAddress, ProtocolError
from tangle.protocol.fields import Fixed
from tangle.protocol.serial import Reader, blake2b_256
from tangle.protocol.tables import TypeTable

_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH = 6
_BECH32_LENGTH_MAX = 90


ID = Fixed(32, error=MalformedAddress)


@dataclass(frozen=True, slots=True)
class Ed25519Address(Wire):
    """The BLAKE2b-256 hash of an Ed25519 public key (TIP-31)."""

    TYPE: ClassVar[int] = 0
    public_key_hash: Annotated[bytes, Fixed(32, "pubKeyHash", error=MalformedAddress)]

    @classmethod
    def from_public_key(cls, public_key: bytes) -> Self:
        """The address that `public_key` (32 bytes) unlocks."""
        return cls(blake2b_256(public_key))


@dataclass(frozen=True, slots=True)
class AliasAddress(Wire):
    """The alias of this id; who unlocks its output for a state transition unlocks the address (TIP-18)."""

    TYPE: ClassVar[int] = 8
    alias_id: Annotated[bytes, ID]

    @classmethod
    def created_by(cls, output_id: bytes) -> Self:
        """The address of the alias that output `output_id` (34 bytes) creates."""
        return cls(blake2b_256(output_id))


@dataclass(frozen=True, slots=True)
class NftAddress(Wire):
    """The NFT of this id; who unlocks its output unlocks the address (TIP-18)."""

    TYPE: ClassVar[int] = 16
    nft_id: Annotated[bytes, ID]

    @classmethod
    def created_by(cls, output_id: bytes) -> Self:
        """The address of the NFT that output `output_id` (34 bytes) mints."""
        return cls(blake2b_256(output_id))


Address = Ed25519Address | AliasAddress | NftAddress
ADDRESSES: TypeTable[Address] = TypeTable("address", 1, [Ed25519Address, AliasAddress, NftAddress])


def to_bech32(address: Address, hrp: str) -> str:
    """The text of `address` on the network with human-readable part `hrp`."""
    return bech32_encode(hrp, address.encode())


def from_bech32(text: str, hrp: str | None = None, *, field: str = "address") -> Address:
    """The address that `text` names.

    Raises
    ------
    MalformedAddress : no bech32, no known address type, or another network than `hrp`
    """
    found, data = bech32_decode(text, field)
    if hrp is not None and found != hrp:
        raise MalformedAddress(field, f"belongs to network part {found!r}, not {hrp!r}")
    reader = Reader(data)
    try:
        address = ADDRESSES.decode(reader)
        reader.finish("")
    except ProtocolError as error:
        raise MalformedAddress(field, f"holds no address of this network: {error.rule}") from None
    return address


def bech32_encode(hrp: str, data: bytes) -> str:
    """BIP-173 text of `data` (bytes, not 5-bit words) under `hrp`."""
    words = _regroup(data, 8, 5, pad=True)
    checksum = _polymod([*_expand(hrp), *words, *([0] * _CHECKSUM_LENGTH)]) ^ 1
    words += [(checksum >> 5 * (5 - i)) & 31 for i in range(_CHECKSUM_LENGTH)]
    return hrp + "1" + "".join(_CHARSET[word] for word in words)


def bech32_decode(text: str, field: str = "address") -> tuple[str, bytes]:
    """The human-readable part and the bytes of a BIP-173 text. Raises MalformedAddress."""
    if len(text) > _BECH32_LENGTH_MAX or not all("!" <= char <= "~" for char in text):
        raise MalformedAddress(field, "must be at most 90 printable ASCII characters")
    if text != text.lower() and text != text.upper():
        raise MalformedAddress(field, "must not mix upper and lower case")
    hrp, separator, coded = text.lower().rpartition("1")
    if not separator or not hrp or len(coded) < _CHECKSUM_LENGTH:
        raise MalformedAddress(field, "must be a network part, 1, and at least six more characters")
    if not all(char in _CHARSET for char in coded):
        raise MalformedAddress(field, "has a character that bech32 does not use")
    words = [_CHARSET.index(char) for char in coded]
    if _polymod([*_expand(hrp), *words]) != 1:
        raise MalformedAddress(field, "has a wrong checksum; was it copied whole?")
    try:
        return hrp, bytes(_regroup(words[:-_CHECKSUM_LENGTH], 5, 8, pad=False))
    except ValueError:
        raise MalformedAddress(field, "has non-zero padding bits") from None


def _expand(hrp: str) -> list[int]:
    return [ord(char) >> 5 for char in hrp] + [0] + [ord(char) & 31 for char in hrp]


def _polymod(words: Iterable[int]) -> int:
    checksum = 1
    for word in words:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ word
        for bit, factor in enumerate(_GENERATOR):
            if top >> bit & 1:
                checksum ^= factor
    return checksum


def _regroup(values: Iterable[int], width_in: int, width_out: int, *, pad: bool) -> list[int]:
    held, bits, out = 0, 0, []
    for value in values:
        held, bits = (held << width_in) | value, bits + width_in
        while bits >= width_out:
            bits -= width_out
            out.append((held >> bits) & ((1 << width_out) - 1))
        held &= (1 << bits) - 1
    if pad and bits:
        out.append(held << (width_out - bits))
    elif not pad and (bits >= width_in or held):
        raise ValueError("padding")
    return out
