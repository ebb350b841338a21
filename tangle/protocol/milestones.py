"""Milestones: signed checkpoints that make their past cone final (TIP-29).

The id of a milestone is the hash of its essence, so signatures do not change it. Several keys may sign; a network
says how many must (`MilestoneKeys`). A milestone carries its issuer's proof instead of work: its nonce is zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from tangle.protocol.errors import LengthOutOfRange, MilestoneInvalid, NotSorted, Repeated
from tangle.protocol.outputs import check_types
from tangle.protocol.parameters import METADATA_BYTES_MAX, PARENTS_MAX, ProtocolParameters
from tangle.protocol.serial import (
    Fields,
    Json,
    Reader,
    TypeTable,
    blake2b_256,
    blob,
    check_count,
    check_length,
    from_hex,
    to_hex,
    uint,
)
from tangle.protocol.signatures import public_key, sign, verify
from tangle.protocol.transactions import SIGNATURES, Ed25519Signature

FIRST_INDEX = 1
"""index of the first milestone of a network"""
OPTION_DISTANCE_MAX = 30
"""milestones between a parameters option and its effect; TIP-29"""
NO_ID = bytes(32)
"""id of the block before all blocks, and of the milestone before the first"""


@dataclass(frozen=True, slots=True)
class ProtocolParametersOption:
    """Announces parameters that apply from a later milestone on (TIP-29)."""

    TYPE: ClassVar[int] = 1
    target_index: int
    protocol_version: int
    parameters: bytes

    def __post_init__(self) -> None:
        check_length(len(self.parameters), "params", 0, METADATA_BYTES_MAX)

    def encode(self) -> bytes:
        """The binary form."""
        return b"\x01" + uint(self.target_index, 4) + uint(self.protocol_version, 1) + blob(self.parameters, 2)

    @classmethod
    def decode(cls, reader: Reader) -> ProtocolParametersOption:
        """Read the binary form."""
        reader.type(cls.TYPE, 1)
        return cls(
            reader.uint(4, "targetMilestoneIndex"),
            reader.uint(1, "protocolVersion"),
            reader.blob(2, "params", most=METADATA_BYTES_MAX),
        )

    def to_json(self) -> Json:
        """The JSON form."""
        return {
            "type": self.TYPE,
            "targetMilestoneIndex": self.target_index,
            "protocolVersion": self.protocol_version,
            "params": to_hex(self.parameters),
        }

    @classmethod
    def from_json(cls, fields: Fields) -> ProtocolParametersOption:
        """Read the JSON form."""
        return cls(
            fields.integer("targetMilestoneIndex", 2**32 - 1),
            fields.integer("protocolVersion", 255),
            fields.data("params"),
        )


OPTIONS: TypeTable[ProtocolParametersOption] = TypeTable("milestone option", 1, [ProtocolParametersOption])


@dataclass(frozen=True)
class MilestoneEssence:
    """The signed part of a milestone.

    Attributes
    ----------
    timestamp : seconds since the Unix epoch, strictly growing along the chain
    parents : ids of the blocks whose past cones become final, as in the block that carries the milestone
    inclusion_root : Merkle root over all newly referenced blocks, in white-flag order
    applied_root : Merkle root over those whose transactions changed the ledger
    """

    index: int
    timestamp: int
    protocol_version: int
    previous_id: bytes
    parents: tuple[bytes, ...]
    inclusion_root: bytes
    applied_root: bytes
    metadata: bytes = b""
    options: tuple[ProtocolParametersOption, ...] = ()

    def __post_init__(self) -> None:
        check_parents(self.parents)
        check_length(len(self.metadata), "metadata", 0, METADATA_BYTES_MAX)
        check_types("options", self.options)
        ids = (
            ("previousMilestoneId", self.previous_id),
            ("inclusionMerkleRoot", self.inclusion_root),
            ("appliedMerkleRoot", self.applied_root),
        )
        for name, value in ids:
            if len(value) != 32:
                raise LengthOutOfRange(name, f"must be 32 bytes, not {len(value)}")
        for i, option in enumerate(self.options):
            if not self.index < option.target_index <= self.index + OPTION_DISTANCE_MAX:
                rule = f"must be 1 to {OPTION_DISTANCE_MAX} above the milestone's own index"
                raise MilestoneInvalid(f"options[{i}].targetMilestoneIndex", rule)

    @cached_property
    def encoded(self) -> bytes:
        """The binary form."""
        return b"".join(
            (
                uint(self.index, 4),
                uint(self.timestamp, 4),
                uint(self.protocol_version, 1),
                self.previous_id,
                uint(len(self.parents), 1),
                *self.parents,
                self.inclusion_root,
                self.applied_root,
                blob(self.metadata, 2),
                uint(len(self.options), 1),
                *(option.encode() for option in self.options),
            )
        )

    @cached_property
    def id(self) -> bytes:
        """The milestone id, which is also what is signed: BLAKE2b-256 of the binary form."""
        return blake2b_256(self.encoded)

    @classmethod
    def decode(cls, reader: Reader) -> MilestoneEssence:
        """Read the binary form."""
        start = reader.position
        index, timestamp = reader.uint(4, "index"), reader.uint(4, "timestamp")
        version = reader.uint(1, "protocolVersion")
        previous = reader.take(32, "previousMilestoneId")
        parents = decode_parents(reader)
        inclusion = reader.take(32, "inclusionMerkleRoot")
        applied = reader.take(32, "appliedMerkleRoot")
        metadata = reader.blob(2, "metadata", most=METADATA_BYTES_MAX)
        count = reader.count(1, "options", least=0, most=len(OPTIONS.classes))
        options = OPTIONS.decode_each(reader, "options", count)
        essence = cls(index, timestamp, version, previous, parents, inclusion, applied, metadata, options)
        essence.__dict__["encoded"] = reader.data[start : reader.position]
        return essence


@dataclass(frozen=True)
class Milestone:
    """An essence and the signatures over its hash, in order of their public keys (TIP-29)."""

    TYPE: ClassVar[int] = 7
    essence: MilestoneEssence
    signatures: tuple[Ed25519Signature, ...]

    def __post_init__(self) -> None:
        check_count(len(self.signatures), "signatures", 1, 255)
        check_ascending("signatures", [signature.public_key for signature in self.signatures])

    @property
    def id(self) -> bytes:
        """The milestone id, 32 bytes."""
        return self.essence.id

    @property
    def index(self) -> int:
        """The milestone index."""
        return self.essence.index

    def encode(self) -> bytes:
        """The binary form."""
        signatures = b"".join(signature.encode() for signature in self.signatures)
        return uint(self.TYPE, 4) + self.essence.encoded + uint(len(self.signatures), 1) + signatures

    @classmethod
    def decode(cls, reader: Reader) -> Milestone:
        """Read the binary form."""
        reader.type(cls.TYPE, 4)
        essence = MilestoneEssence.decode(reader)
        count = reader.count(1, "signatures", least=1, most=255)
        return cls(essence, SIGNATURES.decode_each(reader, "signatures", count))

    def to_json(self) -> Json:
        """The JSON form; absent lists are absent."""
        essence = self.essence
        json: Json = {
            "type": self.TYPE,
            "index": essence.index,
            "timestamp": essence.timestamp,
            "protocolVersion": essence.protocol_version,
            "previousMilestoneId": to_hex(essence.previous_id),
            "parents": [to_hex(parent) for parent in essence.parents],
            "inclusionMerkleRoot": to_hex(essence.inclusion_root),
            "appliedMerkleRoot": to_hex(essence.applied_root),
            "signatures": [signature.to_json() for signature in self.signatures],
        }
        if essence.metadata:
            json["metadata"] = to_hex(essence.metadata)
        if essence.options:
            json["options"] = [option.to_json() for option in essence.options]
        return json

    @classmethod
    def from_json(cls, fields: Fields) -> Milestone:
        """Read the JSON form."""
        essence = MilestoneEssence(
            fields.integer("index", 2**32 - 1),
            fields.integer("timestamp", 2**32 - 1),
            fields.integer("protocolVersion", 255),
            fields.data("previousMilestoneId", size=32),
            parents_from_json(fields),
            fields.data("inclusionMerkleRoot", size=32),
            fields.data("appliedMerkleRoot", size=32),
            fields.optional_data("metadata"),
            fields.each("options", OPTIONS.from_json, optional=True),
        )
        return cls(essence, fields.each("signatures", SIGNATURES.from_json))


@dataclass(frozen=True, slots=True)
class MilestoneKeys:
    """Who may sign milestones and how many must (TIP-29).

    Attributes
    ----------
    public_keys : 32 bytes each
    threshold : signatures needed, 1 to the number of keys
    """

    public_keys: tuple[bytes, ...]
    threshold: int = 1

    def __post_init__(self) -> None:
        for i, key in enumerate(self.public_keys):
            if len(key) != 32:
                raise LengthOutOfRange(f"publicKeys[{i}]", f"must be 32 bytes, not {len(key)}")
        if not 1 <= self.threshold <= len(set(self.public_keys)) == len(self.public_keys):
            raise MilestoneInvalid("threshold", "must be 1 to the number of distinct public keys")


def sign_milestone(essence: MilestoneEssence, seeds: Sequence[bytes]) -> Milestone:
    """The milestone signed with every Ed25519 seed (32 bytes each)."""
    signatures = [Ed25519Signature(public_key(seed), sign(seed, essence.id)) for seed in seeds]
    return Milestone(essence, tuple(sorted(signatures, key=lambda signature: signature.public_key)))


def check_milestone(milestone: Milestone, keys: MilestoneKeys, parameters: ProtocolParameters) -> None:
    """Raise MilestoneInvalid unless version, signers and signatures are right (TIP-29, syntactic rules).

    What needs the Tangle (the chain of milestones, both roots) is checked where it is settled.
    """
    essence = milestone.essence
    if essence.protocol_version != parameters.protocol_version:
        raise MilestoneInvalid("protocolVersion", f"must be {parameters.protocol_version}")
    if essence.index < FIRST_INDEX:
        raise MilestoneInvalid("index", f"must be at least {FIRST_INDEX}")
    if essence.index == FIRST_INDEX:
        check_first(essence)
    if len(milestone.signatures) < keys.threshold:
        raise MilestoneInvalid("signatures", f"must hold at least {keys.threshold} signatures")
    for i, signed in enumerate(milestone.signatures):
        if signed.public_key not in keys.public_keys:
            raise MilestoneInvalid(f"signatures[{i}].publicKey", "is no milestone key of this network")
        if not verify(signed.public_key, signed.signature, essence.id):
            raise MilestoneInvalid(f"signatures[{i}].signature", "does not verify for the essence")


def check_first(essence: MilestoneEssence) -> None:
    """Raise MilestoneInvalid unless the first milestone's references to the past are zero (TIP-29)."""
    fields = (
        ("previousMilestoneId", essence.previous_id),
        ("inclusionMerkleRoot", essence.inclusion_root),
        ("appliedMerkleRoot", essence.applied_root),
    )
    for name, value in fields:
        if value != bytes(32):
            raise MilestoneInvalid(name, "must be zero in the first milestone")


def check_ascending(name: str, values: Sequence[bytes]) -> None:
    """Raise unless `values` ascend strictly in lexical order."""
    for i in range(1, len(values)):
        if values[i] == values[i - 1]:
            raise Repeated(f"{name}[{i}]", "occurs twice")
        if values[i] < values[i - 1]:
            raise NotSorted(f"{name}[{i}]", "must be in ascending lexical order")


def check_parents(parents: Sequence[bytes]) -> None:
    """Raise unless there are 1 to 8 ids of 32 bytes, sorted and unique (TIP-24)."""
    check_count(len(parents), "parents", 1, PARENTS_MAX)
    for i, parent in enumerate(parents):
        if len(parent) != 32:
            raise LengthOutOfRange(f"parents[{i}]", f"must be 32 bytes, not {len(parent)}")
    check_ascending("parents", parents)


def decode_parents(reader: Reader) -> tuple[bytes, ...]:
    """Read 1 to 8 parent ids; their order is checked by whoever holds them."""
    count = reader.count(1, "parents", least=1, most=PARENTS_MAX)
    ids = reader.take(32 * count, "parents")
    return tuple(ids[i : i + 32] for i in range(0, 32 * count, 32))


def parents_from_json(fields: Fields) -> tuple[bytes, ...]:
    """The parents of a JSON block or milestone."""
    return tuple(from_hex(parent, f"parents[{i}]", size=32) for i, parent in enumerate(fields.items("parents")))
