"""Signatures, and the unlocks that give every input of a transaction its right to be consumed (TIP-20, TIP-18).

A signature stands once in a transaction; other inputs of its address refer to it. Inputs of an alias or NFT
address refer to the input that holds the alias or NFT. A reference names an earlier unlock, so that there are no
circles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from tangle.protocol.codec import Wire
from tangle.protocol.errors import Repeated, UnlockMismatch
from tangle.protocol.fields import HASH, Fixed, UInt
from tangle.protocol.tables import One, TypeTable

REFERENCE = UInt(2, about="of an earlier unlock")


@dataclass(frozen=True, slots=True)
class Ed25519Signature(Wire):
    """A public key (32 bytes) and its signature (64 bytes)."""

    TYPE: ClassVar[int] = 0
    public_key: Annotated[bytes, HASH]
    signature: Annotated[bytes, Fixed(64)]


SIGNATURES: TypeTable[Ed25519Signature] = TypeTable("signature", 1, [Ed25519Signature])


@dataclass(frozen=True, slots=True)
class SignatureUnlock(Wire):
    """Unlocks an input by a signature over the essence (TIP-20)."""

    TYPE: ClassVar[int] = 0
    signature: Annotated[Ed25519Signature, One(SIGNATURES)]


@dataclass(frozen=True, slots=True)
class ReferenceUnlock(Wire):
    """Unlocks an input by the signature of an earlier unlock (TIP-20)."""

    TYPE: ClassVar[int] = 1
    reference: Annotated[int, REFERENCE]


@dataclass(frozen=True, slots=True)
class AliasUnlock(Wire):
    """Unlocks an input of an alias address by the state transition of that alias, at an earlier input (TIP-18)."""

    TYPE: ClassVar[int] = 2
    reference: Annotated[int, REFERENCE]


@dataclass(frozen=True, slots=True)
class NftUnlock(Wire):
    """Unlocks an input of an NFT address by the unlock of that NFT, at an earlier input (TIP-18)."""

    TYPE: ClassVar[int] = 3
    reference: Annotated[int, REFERENCE]


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
