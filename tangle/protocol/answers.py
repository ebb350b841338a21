"""What a node answers (TIP-25, TIP-26, and ours under ``/api/tangle/v1``): it writes it, the client reads it.

Ids are bytes, amounts integers in base units, timestamps seconds since the Unix epoch. What a node leaves out is
None. The OpenAPI document is made from these classes. Reading raises MalformedJson.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from tangle.protocol.codec import Declared
from tangle.protocol.fields import HASH
from tangle.protocol.outputs import OUTPUTS, Output
from tangle.protocol.parameters import PARENTS_MAX, ProtocolParameters
from tangle.protocol.serial import Fields, Json
from tangle.protocol.tables import One
from tangle.protocol.told import (
    PROMISED,
    Data,
    Each,
    EventNumber,
    Hash,
    Index,
    Milliseconds,
    Name,
    OutputId,
    Share,
    Signed,
)

InclusionState = Literal["noTransaction", "included", "conflicting"]


@dataclass(frozen=True, slots=True)
class MilestoneInfo(Declared):
    """A milestone; id and timestamp are absent before the first one."""

    index: Index
    timestamp: Index | None = None
    milestone_id: Hash | None = None


@dataclass(frozen=True, slots=True)
class Status(Declared):
    """Health and milestones."""

    is_healthy: bool
    latest_milestone: MilestoneInfo
    confirmed_milestone: MilestoneInfo
    pruning_index: Annotated[Index | None, PROMISED] = None


@dataclass(frozen=True, slots=True)
class BaseToken(Declared):
    """How to show amounts."""

    name: str
    ticker_symbol: str
    unit: str
    decimals: int
    use_metric_prefix: bool


@dataclass(frozen=True, slots=True)
class InfoMetrics(Declared):
    """Rates over the last seconds; the last one in percent."""

    blocks_per_second: float
    referenced_blocks_per_second: float
    referenced_rate: float


@dataclass(frozen=True, slots=True)
class NodeInfo(Declared):
    """The node info (TIP-25).

    Attributes
    ----------
    features : holds ``pow`` when the node does proof of work
    store_id : names the journal in which event numbers mean something; nodes of the TIP have none
    rules : that milestones have switched on; none in the answers of other nodes
    """

    name: str
    version: str
    status: Status
    parameters: Annotated[ProtocolParameters, Name("protocol")]
    features: tuple[str, ...]
    supported_protocol_versions: Annotated[tuple[int, ...] | None, PROMISED] = None
    pending_protocol_parameters: Annotated[tuple[Json, ...] | None, PROMISED] = None
    base_token: Annotated[BaseToken | None, PROMISED] = None
    metrics: Annotated[InfoMetrics | None, PROMISED] = None
    store_id: Annotated[str | None, PROMISED] = None
    rules: Annotated[tuple[str, ...] | None, PROMISED] = None

    @property
    def is_healthy(self) -> bool:
        """Whether the node calls itself healthy."""
        return self.status.is_healthy

    @property
    def latest_milestone(self) -> MilestoneInfo:
        """The newest milestone that the node knows."""
        return self.status.latest_milestone


@dataclass(frozen=True, slots=True)
class Tips(Declared):
    """Block ids to approve: 1 to 8, sorted, unique."""

    tips: Annotated[tuple[bytes, ...], Each(HASH, least=1, most=PARENTS_MAX)]


@dataclass(frozen=True, slots=True)
class BlockId(Declared):
    """The block that was attached."""

    block_id: Hash


@dataclass(frozen=True, slots=True)
class Confidence(Declared):
    """m of n walks ended on a tip that approves the block; low and high: the Wilson interval of 95 %."""

    m: int
    n: Annotated[int, "0: not sampled yet"]
    low: Share
    high: Share


@dataclass(frozen=True, slots=True)
class BlockConfidence(Declared):
    """The confidence of one block; seed and asOf only where walks were drawn for the request."""

    m: int
    n: Annotated[int, "0: not sampled yet"]
    low: Share
    high: Share
    block_id: Hash
    seed: Annotated[int | None, "of the walks that were drawn for this request"] = None
    as_of: Annotated[int | None, "number of the newest block of the Tangle they were drawn on"] = None


@dataclass(frozen=True, slots=True)
class BlockMetadata(Declared):
    """What became of a block (TIP-25), and its confidence.

    Attributes
    ----------
    milestone_index : of the milestone that references the block, None while none does
    carried_index : of the milestone that the block carries, if it carries one that was applied
    inclusion : None while not referenced
    conflict_reason : see `tangle.protocol.conflicts`
    white_flag_index : place of the block, from 0, in the order in which its milestone applied blocks (TIP-2)
    confidence : None from nodes that do not tell
    """

    block_id: Hash
    parents: tuple[Hash, ...]
    is_solid: bool
    carried_index: Annotated[Index | None, Name("milestoneIndex")] = None
    milestone_index: Annotated[Index | None, Name("referencedByMilestoneIndex")] = None
    inclusion: Annotated[InclusionState | None, Name("ledgerInclusionState")] = None
    conflict_reason: int | None = None
    white_flag_index: Index | None = None
    should_promote: bool | None = None
    should_reattach: bool | None = None
    confidence: Annotated[Confidence | None, PROMISED] = None


@dataclass(frozen=True, slots=True)
class OutputMetadata(Declared):
    """Where an output comes from and whether it is spent."""

    block_id: Hash
    transaction_id: Hash
    output_index: int
    is_spent: bool
    milestone_index_booked: Index
    milestone_timestamp_booked: Index
    ledger_index: Index
    milestone_index_spent: Index | None = None
    milestone_timestamp_spent: Index | None = None
    transaction_id_spent: Hash | None = None


@dataclass(frozen=True, slots=True)
class FoundOutput(Declared):
    """An output and its metadata."""

    metadata: OutputMetadata
    output: Annotated[Output, One(OUTPUTS)]


@dataclass(frozen=True, slots=True)
class OutputPage(Declared):
    """A page of output ids; without a cursor it is the last one."""

    items: tuple[OutputId, ...]
    ledger_index: Annotated[Index | None, PROMISED] = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class UtxoChanges(Declared):
    """The output ids (34 bytes) that a milestone created and consumed."""

    index: Index
    created: Annotated[tuple[OutputId, ...], Name("createdOutputs")]
    consumed: Annotated[tuple[OutputId, ...], Name("consumedOutputs")]


@dataclass(frozen=True, slots=True)
class TaggedBlock(Declared):
    """A block under a tag; `data` is that of its payload, where it was asked for.

    Attributes
    ----------
    number : of the event that attached the block; the place to continue from
    """

    number: EventNumber
    block_id: Hash
    received_ms: Annotated[Milliseconds | None, PROMISED] = None
    data: Data | None = None


@dataclass(frozen=True, slots=True)
class FoundData(Declared):
    """Data under a tag. That block and data belong together is the node's word; `NodeClient.block` proves it.

    Attributes
    ----------
    number : of the event that attached the block; the place to continue from
    received_ms : when the node took the block, by its clock, milliseconds since 1970
    """

    number: EventNumber
    block_id: Hash
    tag: Data
    data: Data = field(repr=False)
    received_ms: Milliseconds = 0


@dataclass(frozen=True, slots=True)
class HistoryItem(Declared):
    """What one included transaction changed for the address.

    Attributes
    ----------
    amount : base units; negative when sent
    timestamp : of the milestone, seconds since the Unix epoch
    counterparts : bech32 addresses on the other side
    """

    transaction_id: Hash
    amount: Annotated[int, Signed(), "base units, negative when sent"]
    milestone_index: Index
    timestamp: Index
    counterparts: tuple[str, ...]
    number: Annotated[EventNumber | None, PROMISED] = None


@dataclass(frozen=True, slots=True)
class FaucetReceipt(Declared):
    """The request was taken; how many wait with it."""

    address: str
    waiting_requests: int


@dataclass(frozen=True, slots=True)
class SolidEvent(Declared):
    """A block was attached; its number is the block's number."""

    number: EventNumber
    block_id: Hash


@dataclass(frozen=True, slots=True)
class ReferencedEvent(Declared):
    """A milestone references a block. `inclusion` and `conflict_reason` as in `BlockMetadata`."""

    number: EventNumber
    block_id: Hash
    milestone_index: int
    inclusion: Annotated[InclusionState, Name("ledgerInclusionState")]
    conflict_reason: int | None = None


@dataclass(frozen=True, slots=True)
class ConfidenceEvent(Declared):
    """The confidence m/n of a block crossed a threshold upwards."""

    number: EventNumber
    block_id: Hash
    threshold: float
    m: int
    n: int


@dataclass(frozen=True, slots=True)
class MilestoneEvent(Declared):
    """A milestone was issued; timestamp in seconds since the Unix epoch."""

    number: EventNumber
    index: int
    milestone_id: Hash
    timestamp: int


Event = SolidEvent | ReferencedEvent | ConfidenceEvent | MilestoneEvent
_EVENTS: dict[str, type[Event]] = {
    "solid": SolidEvent,
    "referenced": ReferencedEvent,
    "confidence": ConfidenceEvent,
    "milestone": MilestoneEvent,
}


def event_from_json(fields: Fields) -> Event | None:
    """The event of a JSON object; None for a type that this client does not know yet. Raises MalformedJson."""
    kind = _EVENTS.get(fields.text("type"))
    return kind.from_json(fields) if kind else None
