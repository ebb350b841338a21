"""The shapes of requests and answers, for the OpenAPI document.

They describe; they are not on the way of a request, which goes from rows to bytes without them. A test lets
schemathesis compare what the routes answer with what is described here. Payloads have a file of their own.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field, RootModel
from pydantic.alias_generators import to_camel

from tangle.api import payload_schemas
from tangle.api.payload_schemas import ABSENT, HASH_EXAMPLE, Absent, Amount, AnyOutput, AnyPayload, Hash, Index

BINARY = "application/vnd.iota.serializer-v1"
"""media type of raw bytes; TIP-25"""
PROBLEM = "application/problem+json"
"""media type of errors; RFC 9457"""

_ID = HASH_EXAMPLE
_OUTPUT = _ID + "0000"
_FOUNDRY = "0x08" + _ID[2:] + "0100000000"
_ADDRESS = "tgl1qpszqzadsym6wpppd6z037dvlejmjuke7s24hm95s9fg9vpua7vlupxvxq2"

Milestone = payload_schemas.Milestone
OutputId = Annotated[str, Field(pattern="^0x[0-9a-f]{68}$", examples=[_OUTPUT])]
Number = Annotated[int, Field(ge=0, description="event number")]

_HASH = "^0x[0-9a-fA-F]{64}$"
BlockIdPath = Annotated[str, Path(alias="blockId", pattern=_HASH, examples=[_ID], description="block id")]
TransactionIdPath = Annotated[str, Path(alias="transactionId", pattern=_HASH, description="transaction id")]
MilestoneIdPath = Annotated[str, Path(alias="milestoneId", pattern=_HASH, description="milestone id")]
OutputIdPath = Annotated[
    str,
    Path(alias="outputId", pattern="^0x[0-9a-fA-F]{68}$", description="transaction id and index of the output"),
]
AliasIdPath = Annotated[str, Path(alias="aliasId", pattern=_HASH, examples=[_ID], description="alias id")]
FoundryIdPath = Annotated[
    str, Path(alias="foundryId", pattern="^0x[0-9a-fA-F]{76}$", examples=[_FOUNDRY], description="foundry id")
]
NftIdPath = Annotated[str, Path(alias="nftId", pattern=_HASH, examples=[_ID], description="NFT id")]
IndexPath = Annotated[int, Path(ge=0, le=2**32 - 1, description="milestone index")]
TagPath = Annotated[
    str, Path(pattern="^0x([0-9a-fA-F]{2}){1,64}$", examples=["0x7761746572"], description="tag, 1 to 64 bytes")
]
AddressPath = Annotated[str, Path(max_length=90, examples=[_ADDRESS], description="bech32 address")]
AfterQuery = Annotated[
    int, Query(ge=0, le=2**63 - 1, description="only what has a larger event number than this one")
]
ResumeQuery = Annotated[
    int | None, Query(ge=0, le=2**63 - 1, description="last number known; absent: only what is new")
]
LastEventHeader = Annotated[str | None, Header(description="as browsers send it when they connect again")]
PageSizeQuery = Annotated[
    int | None, Query(alias="pageSize", ge=1, le=2**31 - 1, description="items per page; the node bounds it")
]


class Shape(BaseModel):
    """Base: members are written in camel case."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ErrorText(Shape):
    """The TIP's part of an error."""

    code: str = Field(description="HTTP status", examples=["400"])
    message: str


class TipError(Shape):
    """An error of the TIP routes, with our stable code beside the TIP's members."""

    error: ErrorText
    code: str = Field(description="stable code, see docs/rest.md", examples=["pow_too_low"])
    field: str | None = Field(None, description="the member at fault", examples=["payload.essence.networkId"])
    rule: str | None = Field(None, description="the rule that it broke")


class Problem(Shape):
    """An error of our own routes (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    rule: str | None = None


class MilestoneInfo(Shape):
    """A milestone; id and timestamp are absent before the first one."""

    index: Index
    timestamp: Index | None = None
    milestone_id: Hash | None = None


class Status(Shape):
    """Health and milestones."""

    is_healthy: bool
    latest_milestone: MilestoneInfo
    confirmed_milestone: MilestoneInfo
    pruning_index: Index


class Rent(Shape):
    """TIP-19."""

    v_byte_cost: int
    v_byte_factor_data: int
    v_byte_factor_key: int


class Parameters(Shape):
    """TIP-22."""

    version: int
    network_name: str
    bech32_hrp: str = Field(alias="bech32Hrp")
    min_pow_score: int
    below_max_depth: int
    rent_structure: Rent
    token_supply: Amount


class BaseToken(Shape):
    """How to show amounts."""

    name: str
    ticker_symbol: str
    unit: str
    decimals: int
    use_metric_prefix: bool


class InfoMetrics(Shape):
    """Rates over the last seconds; the last one in percent."""

    blocks_per_second: float
    referenced_blocks_per_second: float
    referenced_rate: float


class Info(Shape):
    """The node info (TIP-25)."""

    name: str
    version: str
    status: Status
    supported_protocol_versions: list[int]
    protocol: Parameters
    pending_protocol_parameters: list[dict[str, Any]]
    base_token: BaseToken
    metrics: InfoMetrics
    features: list[str]


class Routes(Shape):
    """Groups of routes under /api."""

    routes: list[str]


class Tips(Shape):
    """Block ids to approve: 1 to 8, sorted, unique."""

    tips: Annotated[list[Hash], Field(min_length=1, max_length=8)]


class BlockId(Shape):
    """The block that was attached."""

    block_id: Hash


class Block(Shape):
    """A block in JSON (TIP-24, TIP-25)."""

    protocol_version: int
    parents: list[Hash]
    payload: AnyPayload | Absent = ABSENT
    nonce: Amount


class Confidence(Shape):
    """m of n walks ended on a tip that approves the block; low and high: the Wilson interval of 95 %."""

    m: int = Field(ge=0)
    n: int = Field(ge=0, description="0: not sampled yet")
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)


class BlockConfidence(Confidence):
    """The confidence of one block; seed and asOf only where walks were drawn for the request."""

    block_id: Hash
    seed: int | None = Field(None, description="of the walks that were drawn for this request")
    as_of: Number | None = Field(None, description="number of the newest block of the Tangle they were drawn on")


InclusionState = Literal["noTransaction", "included", "conflicting"]


class BlockMetadata(Shape):
    """What became of a block (TIP-25), and its confidence."""

    block_id: Hash
    parents: list[Hash]
    is_solid: bool
    referenced_by_milestone_index: Index | None = None
    milestone_index: Index | None = None
    ledger_inclusion_state: InclusionState | None = None
    conflict_reason: int | None = None
    should_promote: bool | None = None
    should_reattach: bool | None = None
    confidence: Confidence


class OutputMetadata(Shape):
    """Where an output comes from and whether it is spent."""

    block_id: Hash
    transaction_id: Hash
    output_index: int
    is_spent: bool
    milestone_index_spent: Index | None = None
    milestone_timestamp_spent: Index | None = None
    transaction_id_spent: Hash | None = None
    milestone_index_booked: Index
    milestone_timestamp_booked: Index
    ledger_index: Index


class Output(Shape):
    """An output and its metadata."""

    metadata: OutputMetadata
    output: AnyOutput


class Receipts(Shape):
    """Receipts of a migration, which this network has none of."""

    receipts: list[dict[str, Any]]


class Treasury(Shape):
    """What a migration has left, nothing here."""

    milestone_id: Hash
    amount: Amount


class UtxoChanges(Shape):
    """What a milestone created and consumed."""

    index: Index
    created_outputs: list[OutputId]
    consumed_outputs: list[OutputId]


class OutputPage(Shape):
    """A page of output ids; without a cursor it is the last one."""

    ledger_index: Index
    items: list[OutputId]
    cursor: str | None = None


class NumberedBlock(Shape):
    """A block and the number of its solid event."""

    number: Number
    block_id: Hash


class TaggedItem(Shape):
    """A block under the tag; `data` is that of its payload, where it was asked for."""

    number: Number
    block_id: Hash
    received_ms: int = Field(ge=0, description="when this node took it, milliseconds since the Unix epoch")
    data: str | None = Field(None, pattern="^0x([0-9a-f]{2})*$")


class TaggedBlocks(Shape):
    """Blocks under a tag; `next` is what `after`, or `before`, is for the next page, absent on the last."""

    tag: str
    items: list[TaggedItem]
    next: Number | None = None


class ChannelItem(Shape):
    """What a channel brought: a message, a gap of messages given up, or a fork."""

    type: Literal["message", "gap", "fork"]
    index: Number | None = Field(None, description="of the message, or at which two were signed")
    received_ms: int | None = Field(
        None, ge=0, description="when this node took it, milliseconds since the Unix epoch"
    )
    block_ids: list[Hash] | None = Field(None, description="that carry the message, or the two that contradict")
    text: str | None = Field(None, description="the body where it is UTF-8")
    body: str | None = Field(None, pattern="^0x([0-9a-f]{2})*$", description="the body where it is not")
    late: bool | None = Field(None, description="it was given up before")
    first: Number | None = None
    last: Number | None = None


class ChannelPage(Shape):
    """Messages in order; `next` is the `after` of the next page, absent on the last; `position` is for later."""

    root: Hash
    items: list[ChannelItem]
    skipped: dict[str, int] = Field(
        description="what lay under the channel's addresses and is none of it, by code"
    )
    position: str
    next: str | None = None


class GraphNode(Shape):
    """A block of the slice."""

    block_id: Hash
    number: Number
    parents: list[Hash]
    payload: Literal["none", "taggedData", "transaction", "milestone"]
    received_ms: int = Field(ge=0, description="when this node took it, milliseconds since the Unix epoch")
    milestone_index: Index | None = Field(None, description="of the milestone it carries")
    referenced_by_milestone_index: Index | None = None
    ledger_inclusion_state: InclusionState | None = None
    weight: int | None = Field(None, ge=1, description="cumulative weight; absent outside the node's memory")
    confidence: Confidence


class Graph(Shape):
    """A slice of blocks, oldest first."""

    ledger_index: Index
    nodes: list[GraphNode]


class NodeLink(Shape):
    """A slice as networkx and D3 read it."""

    directed: bool
    multigraph: bool
    graph: dict[str, Any]
    nodes: list[dict[str, Any]]
    edges: list[dict[str, Any]]


AnyGraph = RootModel[Graph | NodeLink]


class TipCounts(Shape):
    """Unapproved blocks by what walks make of them."""

    good: int
    semi_lazy: int
    lazy: int
    contested: int


class TipItem(Shape):
    """A block that nothing approves."""

    block_id: Hash
    number: Number
    state: Literal["good", "semiLazy", "lazy", "contested"]
    blocks_since: int = Field(ge=0)
    oldest_root: Index
    youngest_root: Index


class TipList(Shape):
    """Blocks that nothing approves, oldest first; counts of all of them."""

    as_of: Number
    milestone_index: Index
    counts: TipCounts
    items: list[TipItem]


class Candidate(Shape):
    """An approver that a walker may step on."""

    block_id: Hash
    weight: int
    probability: float


class Others(Shape):
    """Candidates that are not named."""

    count: int
    probability: float


class Step(Shape):
    """From a block to one of its approvers."""

    block_id: Hash
    weight: int
    chosen: Hash
    candidates: list[Candidate]
    others: Others | None = None


class Walker(Shape):
    """One walker's way."""

    entry: Hash
    tip: Hash
    pace: float = Field(description="steps per block between the entry and the newest")
    fast: bool = Field(description="came suspiciously fast; counts only when others do not suffice")
    steps: list[Step]


class Explanation(Shape):
    """One weighted selection."""

    as_of: Number
    milestone_index: Index
    selector: str = Field(description="that the node uses; explained is the weighted walk")
    seed: int
    k: int
    alpha: float
    tip_count: int
    entry_points: list[Hash]
    walkers: list[Walker]
    selected: list[Hash]
    filled: list[Hash] = Field(description="of the selected, those that no walker found")
    numbers: dict[str, Number] = Field(description="event numbers of all blocks named here")


class Orphans(Shape):
    """What the Tangle in memory loses."""

    as_of: Number
    milestone_index: Index
    age: int
    blocks: int
    tips: int
    left_behind: int
    lazy_tips: int
    semi_lazy_tips: int
    contested: int
    orphaned: int
    orphaned_share: float = Field(ge=0, le=1)
    below_max_depth: int


class HistoryItem(Shape):
    """What one included transaction changed for the address."""

    number: Number
    transaction_id: Hash
    amount: str = Field(pattern="^-?[0-9]{1,20}$", description="base units, negative when sent")
    milestone_index: Index
    timestamp: Index
    counterparts: list[str]


class History(Shape):
    """Changes of an address, oldest first; `next` is the `after` of the next page, absent on the last."""

    address: str
    items: list[HistoryItem]
    next: Number | None = None


class Supply(Shape):
    """The supply, and the sum of all unspent outputs counted anew: the two are equal."""

    token_supply: Amount
    unspent: Amount


class Metrics(Shape):
    """How the node is doing."""

    blocks_per_second: float
    referenced_blocks_per_second: float
    referenced_rate: float
    tips: int
    window_blocks: int
    waiting_blocks: int
    queued_blocks: int
    event_number: Number
    event_streams: int
    milestone_index: Index
    milestone_age_seconds: float
    is_healthy: bool


class FaucetReceipt(Shape):
    """The request was taken; how many wait with it."""

    address: str
    waiting_requests: int


TIP_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": TipError, "description": "the request breaks a rule; `code` says which"},
    503: {"model": TipError, "description": "not now; after `Retry-After`, where it is given"},
}
TIP_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    **TIP_ERRORS,
    404: {"model": TipError, "description": "not found"},
}


def problem(description: str) -> dict[str, Any]:
    """An error answer of our own routes."""
    return {"description": description, "content": {PROBLEM: {"schema": Problem.model_json_schema(by_alias=True)}}}


OUR_ERRORS: dict[int | str, dict[str, Any]] = {
    400: problem("the request breaks a rule; `code` says which"),
    503: problem("not now; after `Retry-After`"),
}
OUR_NOT_FOUND: dict[int | str, dict[str, Any]] = {**OUR_ERRORS, 404: problem("not found")}


STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "a stream without end",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def ok(model: type[BaseModel], description: str = "found", status: int = 200) -> dict[int | str, dict[str, Any]]:
    """A successful answer in JSON."""
    return {status: {"model": model, "description": description}}


def ok_or_raw(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """A successful answer in JSON, or in raw bytes for those who accept them."""
    raw = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"model": model, "description": "found", "content": {BINARY: raw}}}
