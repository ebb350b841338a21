"""Blocks: the vertices of the Tangle (TIP-24).

A block names 1 to 8 earlier blocks, may carry a payload, and ends in the nonce of its proof of work. Its id is
the BLAKE2b-256 hash of its bytes, so a block can never change without becoming another one.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Self

from tangle.protocol.codec import Kept
from tangle.protocol.errors import BlockTooLong, MilestoneInvalid, ProofOfWorkTooLow, WrongProtocolVersion
from tangle.protocol.fields import Only, UInt
from tangle.protocol.milestones import PARENTS, Milestone, MilestoneKeys, check_milestone
from tangle.protocol.parameters import BLOCK_BYTES_MAX, NONCE_BYTES, PROTOCOL_VERSION, ProtocolParameters
from tangle.protocol.serial import Fields, Reader, blake2b_256, within
from tangle.protocol.tables import Maybe, TypeTable
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction, check_transaction

Payload = TaggedData | Transaction | Milestone
PAYLOADS: TypeTable[Payload] = TypeTable("payload", 4, [TaggedData, Transaction, Milestone])


@dataclass(frozen=True)
class Block(Kept):
    """A block (TIP-24, TIP-25).

    Attributes
    ----------
    parents : ids of 1 to 8 blocks that this one approves, sorted, unique
    nonce : unsigned 64-bit integer
    """

    ORDER = ("protocol_version", "parents", "payload", "nonce")
    parents: Annotated[tuple[bytes, ...], PARENTS]
    payload: Annotated[Payload | None, Maybe(PAYLOADS)] = None
    nonce: Annotated[int, UInt(NONCE_BYTES, absent=0)] = 0
    # Before the rest, whose layout only a known version tells.
    protocol_version: Annotated[int, Only(1, PROTOCOL_VERSION, WrongProtocolVersion)] = PROTOCOL_VERSION

    def rules(self) -> None:
        """Raise MilestoneInvalid where a milestone and its block differ."""
        if isinstance(self.payload, Milestone):
            if self.payload.essence.parents != self.parents:
                raise MilestoneInvalid("payload.parents", "must equal the parents of the block")
            if self.nonce != 0:
                raise MilestoneInvalid("nonce", "must be 0 in a milestone's block")

    @cached_property
    def encoded(self) -> bytes:
        """The binary form. Raises BlockTooLong."""
        data = self._written()
        check_size(data)
        return data

    @cached_property
    def id(self) -> bytes:
        """The block id: BLAKE2b-256 of the binary form, 32 bytes."""
        return blake2b_256(self.encoded)

    def with_nonce(self, nonce: int) -> Self:
        """The same block with another nonce."""
        return replace(self, nonce=nonce)

    @classmethod
    def decode(cls, source: bytes | Reader) -> Self:
        """Read the binary form, all of it. Raises ProtocolError."""
        if isinstance(source, bytes):
            check_size(source)
        return super().decode(source)

    @classmethod
    def from_json(cls, fields: Fields) -> Self:
        """Read a whole block; a missing nonce is 0. Raises ProtocolError."""
        block = cls._parsed(fields)
        check_size(block.encoded)
        return block


def check_size(data: bytes) -> None:
    """Raise BlockTooLong above 32,768 bytes."""
    if len(data) > BLOCK_BYTES_MAX:
        raise BlockTooLong("block", f"{len(data)} bytes are more than the {BLOCK_BYTES_MAX} allowed")


def check_block(block: Block, parameters: ProtocolParameters, keys: MilestoneKeys | None = None) -> None:
    """Raise unless `block` is right by itself: see `check_work` and `check_payload`."""
    check_work(block, parameters.min_pow_score)
    check_payload(block, parameters, keys)


def check_work(block: Block, min_score: int) -> None:
    """Raise ProofOfWorkTooLow below `min_score` (TIP-12); milestones show their signatures instead."""
    if isinstance(block.payload, Milestone):
        return
    # Loaded here, not above, so that importing a block does not load numba.
    from tangle.protocol.pow.score import trailing_zeros  # noqa: PLC0415

    size = len(block.encoded)
    reached = 3 ** trailing_zeros(block.encoded)
    if reached < min_score * size:
        raise ProofOfWorkTooLow(
            "nonce", f"reaches a score of {reached / size:.1f}, at least {min_score} is needed"
        )


def check_payload(block: Block, parameters: ProtocolParameters, keys: MilestoneKeys | None = None) -> None:
    """Raise unless the payload keeps the rules that need nothing but itself, signatures included.

    Parameters
    ----------
    keys : of the network's milestones; without them no milestone is checked
    """
    payload = block.payload
    if isinstance(payload, Transaction):
        within("payload", lambda: check_transaction(payload, parameters))
    elif isinstance(payload, Milestone) and keys is not None:
        within("payload", lambda: check_milestone(payload, keys, parameters))
