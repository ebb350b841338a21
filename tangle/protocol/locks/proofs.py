"""What fulfils a condition of a lock, as it stands in a witness: one kind of proof for each kind of condition."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from tangle.protocol.codec import Wire
from tangle.protocol.fields import HASH, Fixed, UInt
from tangle.protocol.tables import TypeTable

SIGNATURE = Fixed(64)
PREIMAGE_BYTES = 32
"""bytes of every secret: who may choose the length can make one that another ledger cannot take"""


@dataclass(frozen=True, slots=True)
class NoProof(Wire):
    """Nothing: the transaction itself shows it."""


@dataclass(frozen=True, slots=True)
class OwnSignature(Wire):
    """A signature unlock of the transaction, or an account that an earlier input unlocked."""

    TYPE: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class CoSignature(Wire):
    """A key (32 bytes) and its signature (64 bytes) over the transaction without its payload and its unlocks."""

    TYPE: ClassVar[int] = 1
    public_key: Annotated[bytes, HASH]
    signature: Annotated[bytes, SIGNATURE]


SignedProof = OwnSignature | CoSignature
SIGNED_PROOFS: TypeTable[SignedProof] = TypeTable("proof", 1, [OwnSignature, CoSignature])


@dataclass(frozen=True, slots=True)
class PartsShown(Wire):
    """Which parts of a threshold are shown: bit i is that of part i. Their proofs follow."""

    mask: Annotated[int, UInt(4)]


@dataclass(frozen=True, slots=True)
class Secret(Wire):
    """What was hashed."""

    preimage: Annotated[bytes, Fixed(PREIMAGE_BYTES)]


@dataclass(frozen=True, slots=True)
class VoucherShown(Wire):
    """A voucher for this input: how much it allows, how much of it is taken, the signature."""

    cumulative: Annotated[int, UInt(8)]
    taken: Annotated[int, UInt(8)]
    signature: Annotated[bytes, SIGNATURE]


Proof = NoProof | OwnSignature | CoSignature | PartsShown | Secret | VoucherShown
