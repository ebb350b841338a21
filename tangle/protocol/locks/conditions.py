"""The conditions of a lock: eight kinds, and each says what proves it.

Deadlines and refunds are none of them: the expiration condition of the output does both (TIP-18).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from tangle.protocol.addresses import ADDRESSES, Address
from tangle.protocol.codec import Wire
from tangle.protocol.errors import AmountOutOfRange, LockInvalid
from tangle.protocol.fields import HASH, Fixed, UInt
from tangle.protocol.locks.assets import (
    ASSETS,
    CURRENCIES,
    Asset,
    CurrencyAsset,
    Everything,
    NftAsset,
)
from tangle.protocol.locks.proofs import SIGNED_PROOFS, NoProof, PartsShown, Secret, VoucherShown
from tangle.protocol.outputs.tokens import TOKEN_ID_BYTES
from tangle.protocol.tables import Many, One, TypeTable

PARTS_MAX = 32
"""parts of a threshold: the bits of the mask that shows them"""
BLAKE2B_256, SHA_256 = 0, 1
"""hashes of a preimage; the second is there for swaps with other ledgers"""
OWNER = One(ADDRESSES)
CONDITIONS: TypeTable["Condition"] = TypeTable("condition", 1, [])
"""its rows follow at the end: one of them holds others"""


@dataclass(frozen=True, slots=True)
class Signed(Wire):
    """A key of the address signed the transaction, or an earlier input unlocked the alias or NFT."""

    TYPE: ClassVar[int] = 0
    PROOF: ClassVar[Any] = SIGNED_PROOFS
    address: Annotated[Address, OWNER]


@dataclass(frozen=True, slots=True)
class Part(Wire):
    """A part of a threshold, and what it weighs."""

    weight: Annotated[int, UInt(2, least=1, error=AmountOutOfRange)]
    condition: Annotated["Condition", One(CONDITIONS)]


@dataclass(frozen=True, slots=True)
class Threshold(Wire):
    """Parts that are fulfilled weigh at least `need` together."""

    TYPE: ClassVar[int] = 1
    PROOF: ClassVar[Any] = PartsShown
    need: Annotated[int, UInt(2, least=1, error=AmountOutOfRange)]
    parts: Annotated[tuple[Part, ...], Many(Part, 1, least=1, most=PARTS_MAX)]

    def rules(self) -> None:
        """Raise LockInvalid where all parts together weigh less than is needed."""
        total = sum(part.weight for part in self.parts)
        if self.need > total:
            raise LockInvalid("need", f"must be at most {total}, the weight of all parts, not {self.need}")

    @classmethod
    def all(cls, *conditions: "Condition") -> Self:
        """All of `conditions`."""
        return cls(len(conditions), tuple(Part(1, condition) for condition in conditions))

    @classmethod
    def any(cls, *conditions: "Condition") -> Self:
        """One of `conditions`."""
        return cls(1, tuple(Part(1, condition) for condition in conditions))

    def shown(self, mask: int) -> Iterator[Part]:
        """The parts whose bits are set in `mask`."""
        return (part for i, part in enumerate(self.parts) if mask >> i & 1)


@dataclass(frozen=True, slots=True)
class Preimage(Wire):
    """32 bytes with this digest are shown."""

    TYPE: ClassVar[int] = 2
    PROOF: ClassVar[Any] = Secret
    hash: Annotated[int, UInt(1, most=SHA_256, error=LockInvalid, about="0 BLAKE2b-256, 1 SHA-256")]
    digest: Annotated[bytes, HASH]


@dataclass(frozen=True, slots=True)
class Pays(Wire):
    """So much of an asset goes to an address; an amount of 0 means all that the input holds of it."""

    TYPE: ClassVar[int] = 3
    PROOF: ClassVar[Any] = NoProof
    address: Annotated[Address, OWNER]
    asset: Annotated[Asset, One(ASSETS)]
    amount: Annotated[int, UInt(8)]

    def rules(self) -> None:
        """Raise LockInvalid for an amount of what cannot be counted."""
        if self.amount and isinstance(self.asset, NftAsset | Everything):
            raise LockInvalid("amount", "must be 0 for an NFT and for everything")


@dataclass(frozen=True, slots=True)
class Voucher(Wire):
    """A voucher of the key allows what the payee takes; all else that the input holds goes to the refund."""

    TYPE: ClassVar[int] = 4
    PROOF: ClassVar[Any] = VoucherShown
    key: Annotated[bytes, HASH]
    payee: Annotated[Address, OWNER]
    refund: Annotated[Address, OWNER]
    asset: Annotated[CurrencyAsset, One(CURRENCIES)]


@dataclass(frozen=True, slots=True)
class Stake(Wire):
    """Other inputs, opened by who owns them, carry so many tokens in outputs of at least that age (seconds)."""

    TYPE: ClassVar[int] = 5
    PROOF: ClassVar[Any] = NoProof
    token_id: Annotated[bytes, Fixed(TOKEN_ID_BYTES)]
    amount: Annotated[int, UInt(8)]
    age: Annotated[int, UInt(4)]


@dataclass(frozen=True, slots=True)
class Carries(Wire):
    """The alias or NFT of the input has a next state."""

    TYPE: ClassVar[int] = 6
    PROOF: ClassVar[Any] = NoProof


@dataclass(frozen=True, slots=True)
class Makes(Wire):
    """A created alias output, what it holds and its state blanked, has this digest, and no consumed one has."""

    TYPE: ClassVar[int] = 7
    PROOF: ClassVar[Any] = NoProof
    digest: Annotated[bytes, HASH]


Condition = Signed | Threshold | Preimage | Pays | Voucher | Stake | Carries | Makes
for _kind in (Signed, Threshold, Preimage, Pays, Voucher, Stake, Carries, Makes):
    CONDITIONS.classes[_kind.TYPE] = _kind
