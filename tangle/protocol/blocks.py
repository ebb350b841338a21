"""Blocks: the vertices of the Tangle (TIP-24).

A block names 1 to 8 earlier blocks, may carry a payload, and ends in the nonce of its proof of work. Its id is
the BLAKE2b-256 hash of its bytes, so a block can never change without becoming another one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from tangle.protocol.errors import BlockTooLong, MilestoneInvalid, ProofOfWorkTooLow, WrongProtocolVersion
from tangle.protocol.milestones import (
    Milestone,
    MilestoneKeys,
    check_milestone,
    check_parents,
    decode_parents,
    parents_from_json,
)
from tangle.protocol.parameters import BLOCK_BYTES_MAX, PROTOCOL_VERSION, ProtocolParameters
from tangle.protocol.serial import Fields, Json, Reader, TypeTable, blake2b_256, to_hex, uint, within
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction, check_transaction, decode_optional_payload

NONCE_BYTES = 8
"""bytes at the end of a block; TIP-24"""

Payload = TaggedData | Transaction | Milestone
PAYLOADS: TypeTable[Payload] = TypeTable("payload", 4, [TaggedData, Transaction, Milestone])


@dataclass(frozen=True)
class Block:
    """One block.

    Attributes
    ----------
    parents : ids of 1 to 8 blocks that this one approves, sorted, unique
    nonce : unsigned 64-bit integer
    """

    parents: tuple[bytes, ...]
    payload: Payload | None = None
    nonce: int = 0
    protocol_version: int = PROTOCOL_VERSION

    def __post_init__(self) -> None:
        check_version(self.protocol_version)
        check_parents(self.parents)
        if isinstance(self.payload, Milestone):
            if self.payload.essence.parents != self.parents:
                raise MilestoneInvalid("payload.parents", "must equal the parents of the block")
            if self.nonce != 0:
                raise MilestoneInvalid("nonce", "must be 0 in a milestone's block")

    @cached_property
    def encoded(self) -> bytes:
        """The binary form. Raises BlockTooLong."""
        payload = self.payload.encode() if self.payload is not None else b""
        data = b"".join(
            (
                uint(self.protocol_version, 1),
                uint(len(self.parents), 1),
                *self.parents,
                uint(len(payload), 4),
                payload,
                uint(self.nonce, NONCE_BYTES),
            )
        )
        check_size(data)
        return data

    @cached_property
    def id(self) -> bytes:
        """The block id: BLAKE2b-256 of the binary form, 32 bytes."""
        return blake2b_256(self.encoded)

    def with_nonce(self, nonce: int) -> Block:
        """The same block with another nonce."""
        return replace(self, nonce=nonce)

    @classmethod
    def decode(cls, data: bytes) -> Block:
        """Read the binary form, all of it. Raises ProtocolError."""
        check_size(data)
        reader = Reader(data)
        version = reader.uint(1, "protocolVersion")
        check_version(version)  # before the rest, whose layout only a known version tells
        parents = decode_parents(reader)
        payload = decode_optional_payload(reader, PAYLOADS)
        nonce = reader.uint(NONCE_BYTES, "nonce")
        reader.finish("block")
        block = cls(parents, payload, nonce, version)
        block.__dict__["encoded"] = data
        return block

    def to_json(self) -> Json:
        """The JSON form (TIP-25); an absent payload is absent."""
        json: Json = {
            "protocolVersion": self.protocol_version,
            "parents": [to_hex(parent) for parent in self.parents],
        }
        if self.payload is not None:
            json["payload"] = self.payload.to_json()
        json["nonce"] = str(self.nonce)
        return json

    @classmethod
    def from_json(cls, fields: Fields) -> Block:
        """Read a whole block; a missing nonce is 0. Raises ProtocolError."""
        version = fields.integer("protocolVersion", 255)
        check_version(version)
        block = cls(
            parents_from_json(fields),
            fields.nested("payload", PAYLOADS.from_json) if "payload" in fields else None,
            fields.u64("nonce") if "nonce" in fields else 0,
            version,
        )
        check_size(block.encoded)
        return block


def check_version(version: int) -> None:
    """Raise WrongProtocolVersion unless the format is the one that this module reads."""
    if version != PROTOCOL_VERSION:
        raise WrongProtocolVersion("protocolVersion", f"must be {PROTOCOL_VERSION}, not {version}")


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
