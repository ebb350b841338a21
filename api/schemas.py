"""The shapes of requests and answers, for the OpenAPI document.

What clients read is declared in `tangle.protocol`; here stands what only people read, declared likewise. These
classes describe; they are not on the way of a request. A test lets schemathesis compare what the routes answer
with what is described.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query

from tangle.protocol.answers import Confidence, HistoryItem, InclusionState, TaggedBlock
from tangle.protocol.codec import Declared, schema
from tangle.protocol.fields import HASH_EXAMPLE
from tangle.protocol.serial import Json
from tangle.protocol.tables import reference
from tangle.protocol.told import (
    Amount,
    Anything,
    Count,
    Data,
    EventNumber,
    Hash,
    Index,
    Milliseconds,
    Name,
    Share,
    Sometimes,
)

BINARY = "application/vnd.iota.serializer-v1"
"""media type of raw bytes; TIP-25"""
PROBLEM = "application/problem+json"
"""media type of errors; RFC 9457"""

PayloadKind = Literal["none", "taggedData", "transaction", "milestone"]
_ID = HASH_EXAMPLE
_FOUNDRY = "0x08" + _ID[2:] + "0100000000"
_ADDRESS = "tgl1qpszqzadsym6wpppd6z037dvlejmjuke7s24hm95s9fg9vpua7vlupxvxq2"

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
StoreQuery = Annotated[
    str | None,
    Query(
        alias="storeId",
        pattern="^[0-9a-f]{32}$",
        description="of the journal that gave the position (`/info`); another journal answers 409",
    ),
]
LastEventHeader = Annotated[str | None, Header(description="as browsers send it when they connect again")]
PageSizeQuery = Annotated[
    int | None, Query(alias="pageSize", ge=1, le=2**31 - 1, description="items per page; the node bounds it")
]


class ErrorText(Declared):
    """The TIP's part of an error."""

    code: Annotated[str, "HTTP status"]
    message: str


class TipError(Declared):
    """An error of the TIP routes, with our stable code beside the TIP's members."""

    error: ErrorText
    code: Annotated[str, "stable code, see docs/rest.md, such as pow_too_low"]
    field: Annotated[str | None, "the member at fault, such as payload.essence.networkId"]
    rule: Annotated[str | None, "the rule that it broke"]


class Problem(Declared):
    """An error of our own routes (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None
    rule: str | None


class Routes(Declared):
    """Groups of routes under /api."""

    routes: tuple[str, ...]


class Receipts(Declared):
    """Receipts of a migration, which this network has none of."""

    receipts: tuple[Json, ...]


class Treasury(Declared):
    """What a migration has left, nothing here."""

    milestone_id: Hash
    amount: Amount


class TaggedBlocks(Declared):
    """Blocks under a tag; `next` is what `after`, or `before`, is for the next page, absent on the last."""

    tag: str
    items: tuple[TaggedBlock, ...]
    next: EventNumber | None


class ChannelItem(Declared):
    """What a channel brought: a message, a gap of messages given up, or a fork."""

    type: Literal["message", "gap", "fork"]
    index: Annotated[EventNumber | None, "of the message, or at which two were signed"]
    received_ms: Milliseconds | None
    block_ids: Annotated[tuple[Hash, ...] | None, "that carry the message, or the two that contradict"]
    text: Annotated[str | None, "the body where it is UTF-8"]
    body: Annotated[Data | None, "the body where it is not"]
    late: Annotated[bool | None, "it was given up before"]
    first: EventNumber | None
    last: EventNumber | None


class ChannelPage(Declared):
    """Messages in order; `next` is the `after` of the next page, absent on the last; `position` is for later."""

    root: Hash
    items: tuple[ChannelItem, ...]
    skipped: Annotated[
        Json, Anything(Count()), "what lay under the channel's addresses and is none of it, by code"
    ]
    position: str
    next: str | None


@dataclass(frozen=True, slots=True)
class GraphNode(Declared):
    """A block of the slice."""

    block_id: Hash
    number: EventNumber
    parents: tuple[Hash, ...]
    payload: PayloadKind
    received_ms: Milliseconds
    confidence: Confidence
    weight: Annotated[int | None, Sometimes(Count(1)), "cumulative weight; absent outside the node's memory"] = (
        None
    )
    carried_index: Annotated[Index | None, Name("milestoneIndex"), "of the milestone it carries"] = None
    milestone_index: Annotated[Index | None, Name("referencedByMilestoneIndex")] = None
    inclusion: Annotated[InclusionState | None, Name("ledgerInclusionState")] = None
    conflict_reason: int | None = None


class Graph(Declared):
    """A slice of blocks, oldest first."""

    ledger_index: Index
    nodes: tuple[GraphNode, ...]


class NodeLink(Declared):
    """A slice as networkx and D3 read it."""

    directed: bool
    multigraph: bool
    graph: Json
    nodes: tuple[Json, ...]
    edges: tuple[Json, ...]


class TipCounts(Declared):
    """Unapproved blocks by what walks make of them."""

    good: int
    semi_lazy: int
    lazy: int
    contested: int


class TipItem(Declared):
    """A block that nothing approves."""

    block_id: Hash
    number: EventNumber
    state: Literal["good", "semiLazy", "lazy", "contested"]
    blocks_since: int
    oldest_root: Index
    youngest_root: Index


class TipList(Declared):
    """Blocks that nothing approves, oldest first; counts of all of them."""

    as_of: EventNumber
    milestone_index: Index
    counts: TipCounts
    items: tuple[TipItem, ...]


class Candidate(Declared):
    """An approver that a walker may step on."""

    block_id: Hash
    weight: int
    probability: float


class Others(Declared):
    """Candidates that are not named."""

    count: int
    probability: float


class Step(Declared):
    """From a block to one of its approvers."""

    block_id: Hash
    weight: int
    chosen: Hash
    candidates: tuple[Candidate, ...]
    others: Others | None


class Walker(Declared):
    """One walker's way."""

    entry: Hash
    tip: Hash
    pace: Annotated[float, "steps per block between the entry and the newest"]
    fast: Annotated[bool, "came suspiciously fast; counts only when others do not suffice"]
    steps: tuple[Step, ...]


class Explanation(Declared):
    """One weighted selection."""

    as_of: EventNumber
    milestone_index: Index
    selector: Annotated[str, "that the node uses; explained is the weighted walk"]
    seed: int
    k: int
    alpha: float
    tip_count: int
    entry_points: tuple[Hash, ...]
    walkers: tuple[Walker, ...]
    selected: tuple[Hash, ...]
    filled: Annotated[tuple[Hash, ...], "of the selected, those that no walker found"]
    numbers: Annotated[Json, Anything(Count()), "event numbers of all blocks named here"]


class Orphans(Declared):
    """What the Tangle in memory loses."""

    as_of: EventNumber
    milestone_index: Index
    age: int
    blocks: int
    tips: int
    left_behind: int
    lazy_tips: int
    semi_lazy_tips: int
    contested: int
    orphaned: int
    orphaned_share: Share
    below_max_depth: int


class History(Declared):
    """Changes of an address, oldest first; `next` is the `after` of the next page, absent on the last."""

    address: str
    items: tuple[HistoryItem, ...]
    next: EventNumber | None


class Supply(Declared):
    """The supply, and the sum of all unspent outputs counted anew: the two are equal."""

    token_supply: Amount
    unspent: Amount


class Metrics(Declared):
    """How the node is doing."""

    blocks_per_second: float
    referenced_blocks_per_second: float
    referenced_rate: float
    tips: int
    window_blocks: int
    waiting_blocks: int
    queued_blocks: int
    store_id: Annotated[str, "names the journal in which event numbers mean something"]
    event_number: EventNumber
    event_streams: int
    milestone_index: Index
    milestone_age_seconds: Annotated[float, "below zero when the newest milestone is ahead of the clock"]
    is_healthy: bool


class HealthProblem(Declared):
    """What keeps the node from being healthy, and what to do."""

    code: Annotated[str, "stable, see docs/rest.md, such as not_written"]
    message: str


class Health(Declared):
    """Whether the node is healthy; `problems` is empty if it is."""

    is_healthy: bool
    problems: tuple[HealthProblem, ...]


DESCRIBED: set[type[Declared]] = set()
"""what the responses below refer to; the document holds these and all that they hold"""
Responses = dict[int | str, dict[str, Any]]


def json_of(*kinds: type[Declared], description: str) -> dict[str, Any]:
    """An answer in JSON: an object of one of some classes."""
    DESCRIBED.update(kinds)
    shapes = [{"$ref": reference(kind)} for kind in kinds]
    content = shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
    return {"description": description, "content": {"application/json": {"schema": content}}}


def ok(kind: type[Declared], description: str = "found", status: int = 200) -> Responses:
    """A successful answer in JSON."""
    return {status: json_of(kind, description=description)}


def ok_or_raw(kind: type[Declared]) -> Responses:
    """A successful answer in JSON, or in raw bytes for those who accept them."""
    answer = json_of(kind, description="found")
    answer["content"][BINARY] = {"schema": {"type": "string", "format": "binary"}}
    return {200: answer}


def tip_error(description: str) -> dict[str, Any]:
    """An error answer of the TIP routes."""
    return json_of(TipError, description=description)


def problem(description: str) -> dict[str, Any]:
    """An error answer of our own routes."""
    return {"description": description, "content": {PROBLEM: {"schema": schema(Problem)}}}


TIP_ERRORS: Responses = {
    400: tip_error("the request breaks a rule; `code` says which"),
    503: tip_error("not now; after `Retry-After`, where it is given"),
}
TIP_NOT_FOUND: Responses = {**TIP_ERRORS, 404: tip_error("not found")}
OUR_ERRORS: Responses = {
    400: problem("the request breaks a rule; `code` says which"),
    503: problem("not now; after `Retry-After`"),
}
OUR_PLACES: Responses = {
    **OUR_ERRORS,
    409: problem("the position belongs to another journal, or is beyond the newest event"),
}
OUR_BUSY: Responses = {503: OUR_ERRORS[503]}
OUR_NOT_FOUND: Responses = {**OUR_ERRORS, 404: problem("not found")}
STREAM: Responses = {
    200: {
        "description": "a stream without end",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
