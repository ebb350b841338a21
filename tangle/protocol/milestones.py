"""Milestones: signed checkpoints that make their past cone final (TIP-29).

The id of a milestone is the hash of its essence, so signatures do not change it. Several keys may sign; a network
says how many must (`MilestoneKeys`). A milestone carries its issuer's proof instead of work: its nonce is zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from tangle.protocol.codec import Kept, Wire
from tangle.protocol.errors import LengthOutOfRange, MilestoneInvalid, NotSorted, Repeated
from tangle.protocol.fields import HASH, Blob, Fixed, UInt
from tangle.protocol.parameters import METADATA_BYTES_MAX, PARENTS_MAX, ProtocolParameters
from tangle.protocol.serial import blake2b_256
from tangle.protocol.signatures import public_key, sign, verify
from tangle.protocol.tables import Many, OneEach, Struct, TypeTable
from tangle.protocol.transactions import SIGNATURES, Ed25519Signature

FIRST_INDEX = 1
"""index of the first milestone of a network"""
OPTION_DISTANCE_MAX = 30
"""milestones between a parameters option and its effect; TIP-29"""
NO_ID = bytes(32)
"""id of the block before all blocks, and of the milestone before the first"""


def check_ascending(name: str, values: Sequence[bytes]) -> None:
    """Raise unless `values` ascend strictly in lexical order."""
    for i in range(1, len(values)):
        if values[i] == values[i - 1]:
            raise Repeated(f"{name}[{i}]", "occurs twice")
        if values[i] < values[i - 1]:
            raise NotSorted(f"{name}[{i}]", "must be in ascending lexical order")


def check_signers(name: str, signatures: Sequence[Ed25519Signature]) -> None:
    """Raise unless the public keys of `signatures` ascend strictly."""
    check_ascending(name, [signature.public_key for signature in signatures])


PARENTS = Many(HASH, 1, least=1, most=PARENTS_MAX, rule=check_ascending)
"""ids of 1 to 8 blocks, sorted and unique; TIP-24"""


@dataclass(frozen=True, slots=True)
class ProtocolParametersOption(Wire):
    """Announces parameters that apply from a later milestone on (TIP-29)."""

    TYPE: ClassVar[int] = 1
    target_index: Annotated[int, UInt(4, "targetMilestoneIndex")]
    protocol_version: Annotated[int, UInt(1)]
    parameters: Annotated[bytes, Blob(2, "params", most=METADATA_BYTES_MAX)]


OPTIONS: TypeTable[ProtocolParametersOption] = TypeTable("milestone option", 1, [ProtocolParametersOption])


@dataclass(frozen=True)
class MilestoneEssence(Kept):
    """The signed part of a milestone.

    Attributes
    ----------
    timestamp : seconds since the Unix epoch, strictly growing along the chain
    parents : ids of the blocks whose past cones become final, as in the block that carries the milestone
    inclusion_root : Merkle root over all newly referenced blocks, in white-flag order
    applied_root : Merkle root over those whose transactions changed the ledger
    """

    index: Annotated[int, UInt(4)]
    timestamp: Annotated[int, UInt(4)]
    protocol_version: Annotated[int, UInt(1)]
    previous_id: Annotated[bytes, Fixed(32, "previousMilestoneId")]
    parents: Annotated[tuple[bytes, ...], PARENTS]
    inclusion_root: Annotated[bytes, Fixed(32, "inclusionMerkleRoot")]
    applied_root: Annotated[bytes, Fixed(32, "appliedMerkleRoot")]
    metadata: Annotated[bytes, Blob(2, most=METADATA_BYTES_MAX, optional=True)] = b""
    options: Annotated[tuple[ProtocolParametersOption, ...], OneEach(OPTIONS, counted=False)] = ()

    def rules(self) -> None:
        """Raise MilestoneInvalid where an option takes effect too early or too late."""
        for i, option in enumerate(self.options):
            if not self.index < option.target_index <= self.index + OPTION_DISTANCE_MAX:
                rule = f"must be 1 to {OPTION_DISTANCE_MAX} above the milestone's own index"
                raise MilestoneInvalid(f"options[{i}].targetMilestoneIndex", rule)

    @cached_property
    def id(self) -> bytes:
        """The milestone id, which is also what is signed: BLAKE2b-256 of the binary form."""
        return blake2b_256(self.encoded)


@dataclass(frozen=True)
class Milestone(Kept):
    """What the coordinator found settled: an essence, and signatures over its hash (TIP-29).

    Signatures stand in order of their public keys.
    """

    TYPE: ClassVar[int] = 7
    TYPE_BYTES: ClassVar[int] = 4
    essence: Annotated[MilestoneEssence, Struct(MilestoneEssence, inline=True)]
    signatures: Annotated[tuple[Ed25519Signature, ...], Many(SIGNATURES, 1, least=1, most=255, rule=check_signers)]

    @property
    def id(self) -> bytes:
        """The milestone id, 32 bytes."""
        return self.essence.id

    @property
    def index(self) -> int:
        """The milestone index."""
        return self.essence.index


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
    # Who signed is asked first: a stranger's milestone must cost no signature.
    for i, signed in enumerate(milestone.signatures):
        if signed.public_key not in keys.public_keys:
            raise MilestoneInvalid(f"signatures[{i}].publicKey", "is no milestone key of this network")
    for i, signed in enumerate(milestone.signatures):
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
