"""What a node answers, as frozen dataclasses (TIP-25, TIP-26, and ours under ``/api/tangle/v1``).

Ids are bytes, amounts integers in base units, timestamps unix seconds. A field that the node leaves out is None.
Every `from_json` reads a JSON object and raises MalformedJson, which `NodeClient` turns into UnexpectedAnswer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tangle.protocol.errors import MalformedJson
from tangle.protocol.parameters import ProtocolParameters, RentStructure
from tangle.protocol.serial import Fields, Json, from_hex

_U32_MAX = 2**32 - 1
_COUNT_MAX = 2**63 - 1


def count(fields: Fields, name: str) -> int:
    """A JSON integer that is no index and no amount, such as an event number."""
    return fields.integer(name, _COUNT_MAX)


def optional_index(fields: Fields, name: str) -> int | None:
    """A milestone index, or None where it is absent."""
    return fields.integer(name, _U32_MAX) if name in fields else None


def boolean(fields: Fields, name: str, *, absent: bool | None = None) -> bool:
    """A JSON boolean; `absent`, when given, stands for a missing one."""
    value = fields.members.get(name, absent)
    if not isinstance(value, bool):
        raise MalformedJson(name, "must be true or false")
    return value


def number(fields: Fields, name: str) -> float:
    """A JSON number."""
    value = fields.members.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedJson(name, "must be a number")
    return float(value)


def ids(fields: Fields, name: str, size: int) -> tuple[bytes, ...]:
    """An array of ids of `size` bytes."""
    values: list[Any] = list(fields.items(name))
    for i, value in enumerate(values):
        if not isinstance(value, str):
            raise MalformedJson(f"{name}[{i}]", "must be a string")
    return tuple(from_hex(value, f"{name}[{i}]", size=size) for i, value in enumerate(values))


def signed(fields: Fields, name: str) -> int:
    """A signed amount in base units, written as a decimal string."""
    text = fields.text(name)
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
        raise MalformedJson(name, "must be a string of decimal digits, with - in front when negative")
    return int(text)


def parameters_from_json(fields: Fields) -> ProtocolParameters:
    """The `protocol` object of the node info (TIP-25)."""
    rent = fields.nested(
        "rentStructure",
        lambda inner: RentStructure(
            inner.integer("vByteCost", _U32_MAX),
            inner.integer("vByteFactorData", 255),
            inner.integer("vByteFactorKey", 255),
        ),
    )
    return ProtocolParameters(
        network_name=fields.text("networkName"),
        bech32_hrp=fields.text("bech32Hrp"),
        min_pow_score=fields.integer("minPowScore", _U32_MAX),
        below_max_depth=fields.integer("belowMaxDepth", 255),
        rent_structure=rent,
        token_supply=fields.u64("tokenSupply"),
        protocol_version=fields.integer("version", 255),
    )


@dataclass(frozen=True, slots=True)
class MilestoneInfo:
    """A milestone as the node info names it; id and timestamp are absent before the first one."""

    index: int
    timestamp: int | None = None
    milestone_id: bytes | None = None

    @classmethod
    def from_json(cls, fields: Fields) -> MilestoneInfo:
        """Read the JSON form."""
        return cls(
            fields.integer("index", _U32_MAX),
            optional_index(fields, "timestamp"),
            fields.data("milestoneId", size=32) if "milestoneId" in fields else None,
        )


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """`GET /api/core/v2/info`.

    Attributes
    ----------
    features : holds ``pow`` when the node does proof of work
    members : the whole answer, with what this class does not name
    """

    name: str
    version: str
    is_healthy: bool
    latest_milestone: MilestoneInfo
    confirmed_milestone: MilestoneInfo
    parameters: ProtocolParameters
    features: tuple[str, ...]
    members: Json

    @classmethod
    def from_json(cls, fields: Fields) -> NodeInfo:
        """Read the JSON form."""
        status = fields.nested("status", lambda inner: inner)
        return cls(
            fields.text("name"),
            fields.text("version"),
            boolean(status, "isHealthy"),
            status.nested("latestMilestone", MilestoneInfo.from_json),
            status.nested("confirmedMilestone", MilestoneInfo.from_json),
            fields.nested("protocol", parameters_from_json),
            tuple(str(feature) for feature in fields.items("features", optional=True)),
            dict(fields.members),
        )


@dataclass(frozen=True, slots=True)
class Confidence:
    """In m of n walks a block was reached; low and high bound the share (0 to 1) that this suggests."""

    m: int
    n: int
    low: float
    high: float

    @classmethod
    def from_json(cls, fields: Fields) -> Confidence:
        """Read the JSON form."""
        return cls(count(fields, "m"), count(fields, "n"), number(fields, "low"), number(fields, "high"))


@dataclass(frozen=True, slots=True)
class BlockMetadata:
    """`GET /api/core/v2/blocks/{id}/metadata`.

    Attributes
    ----------
    milestone_index : of the milestone that references the block, None while none does
    inclusion : ``included``, ``conflicting`` or ``noTransaction``; None while not referenced
    conflict_reason : see `tangle.client.errors.CONFLICT_REASONS`
    confidence : None from nodes that do not tell
    """

    block_id: bytes
    parents: tuple[bytes, ...]
    is_solid: bool
    milestone_index: int | None = None
    inclusion: str | None = None
    conflict_reason: int | None = None
    should_promote: bool = False
    should_reattach: bool = False
    confidence: Confidence | None = None

    @classmethod
    def from_json(cls, fields: Fields) -> BlockMetadata:
        """Read the JSON form."""
        return cls(
            fields.data("blockId", size=32),
            ids(fields, "parents", 32),
            boolean(fields, "isSolid"),
            optional_index(fields, "referencedByMilestoneIndex"),
            fields.text("ledgerInclusionState") if "ledgerInclusionState" in fields else None,
            optional_index(fields, "conflictReason"),
            boolean(fields, "shouldPromote", absent=False),
            boolean(fields, "shouldReattach", absent=False),
            fields.nested("confidence", Confidence.from_json) if "confidence" in fields else None,
        )


@dataclass(frozen=True, slots=True)
class OutputMetadata:
    """Where an output comes from and whether it is spent (TIP-25)."""

    block_id: bytes
    transaction_id: bytes
    output_index: int
    is_spent: bool
    milestone_index_booked: int
    milestone_timestamp_booked: int
    ledger_index: int
    milestone_index_spent: int | None = None
    milestone_timestamp_spent: int | None = None
    transaction_id_spent: bytes | None = None

    @classmethod
    def from_json(cls, fields: Fields) -> OutputMetadata:
        """Read the JSON form."""
        return cls(
            fields.data("blockId", size=32),
            fields.data("transactionId", size=32),
            fields.integer("outputIndex", 2**16 - 1),
            boolean(fields, "isSpent"),
            fields.integer("milestoneIndexBooked", _U32_MAX),
            fields.integer("milestoneTimestampBooked", _U32_MAX),
            fields.integer("ledgerIndex", _U32_MAX),
            optional_index(fields, "milestoneIndexSpent"),
            optional_index(fields, "milestoneTimestampSpent"),
            fields.data("transactionIdSpent", size=32) if "transactionIdSpent" in fields else None,
        )


@dataclass(frozen=True, slots=True)
class UtxoChanges:
    """The output ids (34 bytes) that a milestone created and consumed."""

    index: int
    created: tuple[bytes, ...]
    consumed: tuple[bytes, ...]

    @classmethod
    def from_json(cls, fields: Fields) -> UtxoChanges:
        """Read the JSON form."""
        return cls(
            fields.integer("index", _U32_MAX),
            ids(fields, "createdOutputs", 34),
            ids(fields, "consumedOutputs", 34),
        )


@dataclass(frozen=True, slots=True)
class TaggedBlock:
    """A block under a tag, with its event number, which is the place to continue from."""

    number: int
    block_id: bytes

    @classmethod
    def from_json(cls, fields: Fields) -> TaggedBlock:
        """Read the JSON form."""
        return cls(count(fields, "number"), fields.data("blockId", size=32))


@dataclass(frozen=True, slots=True)
class FoundData:
    """Data under a tag. That block and data belong together is the node's word; `NodeClient.block` proves it.

    Attributes
    ----------
    number : of the event that attached the block; the place to continue from
    received_ms : when the node took the block, by its clock, milliseconds since 1970
    """

    number: int
    block_id: bytes
    tag: bytes
    data: bytes = field(repr=False)
    received_ms: int = 0

    @classmethod
    def from_json(cls, fields: Fields, tag: bytes | None = None) -> FoundData:
        """Read the JSON form; `tag` where it does not name one."""
        return cls(
            count(fields, "number"),
            fields.data("blockId", size=32),
            fields.data("tag") if tag is None else tag,
            fields.data("data"),
            count(fields, "receivedMs"),
        )


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """What one included transaction changed for one address.

    Attributes
    ----------
    amount : base units; negative when sent
    timestamp : of the milestone, unix seconds
    counterparts : bech32 addresses on the other side
    """

    transaction_id: bytes
    amount: int
    milestone_index: int
    timestamp: int
    counterparts: tuple[str, ...]

    @classmethod
    def from_json(cls, fields: Fields) -> HistoryItem:
        """Read the JSON form."""
        return cls(
            fields.data("transactionId", size=32),
            signed(fields, "amount"),
            fields.integer("milestoneIndex", _U32_MAX),
            fields.integer("timestamp", _U32_MAX),
            tuple(str(text) for text in fields.items("counterparts", optional=True)),
        )


@dataclass(frozen=True, slots=True)
class FaucetReceipt:
    """The faucet took a request; how many wait with it."""

    address: str
    waiting_requests: int

    @classmethod
    def from_json(cls, fields: Fields) -> FaucetReceipt:
        """Read the JSON form."""
        return cls(fields.text("address"), count(fields, "waitingRequests"))
