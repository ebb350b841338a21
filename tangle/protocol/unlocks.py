"""Signatures, and the unlocks that give every input of a transaction its right to be consumed (TIP-20, TIP-18).

A signature stands once in a transaction; other inputs of its address refer to it. Inputs of an alias or NFT
address refer to the input that holds the alias or NFT. A reference names an earlier unlock, so that there are no
circles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from tangle.protocol.errors import LengthOutOfRange, Repeated, UnlockMismatch
from tangle.protocol.serial import Fields, Json, Reader, TypeTable, to_hex, uint


@dataclass(frozen=True, slots=True)
class Ed25519Signature:
    """A public key (32 bytes) and its signature (64 bytes)."""

    TYPE: ClassVar[int] = 0
    public_key: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if len(self.public_key) != 32:
            raise LengthOutOfRange("publicKey", f"must be 32 bytes, not {len(self.public_key)}")
        if len(self.signature) != 64:
            raise LengthOutOfRange("signature", f"must be 64 bytes, not {len(self.signature)}")

    def encode(self) -> bytes:
        """97 bytes."""
        return b"\x00" + self.public_key + self.signature

    @classmethod
    def decode(cls, reader: Reader) -> Ed25519Signature:
        """Read 97 bytes."""
        reader.type(cls.TYPE, 1)
        return cls(reader.take(32, "publicKey"), reader.take(64, "signature"))

    def to_json(self) -> Json:
        """The JSON form."""
        return {
            "type": self.TYPE,
            "publicKey": to_hex(self.public_key),
            "signature": to_hex(self.signature),
        }

    @classmethod
    def from_json(cls, fields: Fields) -> Ed25519Signature:
        """Read the JSON form."""
        return cls(fields.data("publicKey", size=32), fields.data("signature", size=64))


SIGNATURES: TypeTable[Ed25519Signature] = TypeTable("signature", 1, [Ed25519Signature])


@dataclass(frozen=True, slots=True)
class SignatureUnlock:
    """Unlocks an input by a signature over the essence (TIP-20)."""

    TYPE: ClassVar[int] = 0
    signature: Ed25519Signature

    def encode(self) -> bytes:
        """98 bytes."""
        return b"\x00" + self.signature.encode()

    @classmethod
    def decode(cls, reader: Reader) -> SignatureUnlock:
        """Read 98 bytes."""
        reader.type(cls.TYPE, 1)
        return cls(SIGNATURES.decode_field(reader, "signature"))

    def to_json(self) -> Json:
        """The JSON form."""
        return {"type": self.TYPE, "signature": self.signature.to_json()}

    @classmethod
    def from_json(cls, fields: Fields) -> SignatureUnlock:
        """Read the JSON form."""
        return cls(fields.nested("signature", SIGNATURES.from_json))


@dataclass(frozen=True, slots=True)
class Referring:
    """A type byte and the position of the input and unlock that it refers to."""

    TYPE: ClassVar[int]
    reference: int

    def encode(self) -> bytes:
        """3 bytes."""
        return uint(self.TYPE, 1) + uint(self.reference, 2)

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read 3 bytes."""
        reader.type(cls.TYPE, 1)
        return cls(reader.uint(2, "reference"))

    def to_json(self) -> Json:
        """The JSON form."""
        return {"type": self.TYPE, "reference": self.reference}

    @classmethod
    def from_json(cls, fields: Fields) -> Self:
        """Read the JSON form."""
        return cls(fields.integer("reference", 2**16 - 1))


@dataclass(frozen=True, slots=True)
class ReferenceUnlock(Referring):
    """Unlocks an input by the signature of an earlier unlock (TIP-20)."""

    TYPE: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class AliasUnlock(Referring):
    """Unlocks an input of an alias address by the state transition of that alias, at an earlier input (TIP-18)."""

    TYPE: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class NftUnlock(Referring):
    """Unlocks an input of an NFT address by the unlock of that NFT, at an earlier input (TIP-18)."""

    TYPE: ClassVar[int] = 3


Unlock = SignatureUnlock | ReferenceUnlock | AliasUnlock | NftUnlock
UNLOCKS: TypeTable[Unlock] = TypeTable("unlock", 1, [SignatureUnlock, ReferenceUnlock, AliasUnlock, NftUnlock])


def check_unlocks(unlocks: Sequence[Unlock]) -> None:
    """Raise unless no signature is repeated and every reference names an earlier unlock that it may name.

    Raises
    ------
    Repeated : a signature unlock occurs twice
    UnlockMismatch : a reference to no earlier unlock, or a reference unlock to anything but a signature unlock
    """
    seen: set[Unlock] = set()
    for i, unlock in enumerate(unlocks):
        if isinstance(unlock, SignatureUnlock):
            if unlock in seen:
                raise Repeated(f"unlocks[{i}]", "repeats a signature; use a reference unlock")
            seen.add(unlock)
        elif unlock.reference >= i:
            raise UnlockMismatch(f"unlocks[{i}].reference", f"must name an earlier unlock, not {unlock.reference}")
        elif unlock.TYPE == ReferenceUnlock.TYPE and unlocks[unlock.reference].TYPE != SignatureUnlock.TYPE:
            raise UnlockMismatch(f"unlocks[{i}].reference", "must name an earlier signature unlock")
