"""The rows of the journal as frozen dataclasses; their fields are the columns of `tables`, in the same order.

A `Batch` is everything that one group commit makes durable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from tangle.protocol.milestones import MilestoneKeys
from tangle.protocol.parameters import ProtocolParameters


class Inclusion(IntEnum):
    """What a milestone made of a block (TIP-2, TIP-25 `ledgerInclusionState`)."""

    NO_TRANSACTION = 0
    INCLUDED = 1
    CONFLICTING = 2

    @classmethod
    def of(cls, conflict: int | None) -> Inclusion:
        """How a referenced block counts; 0 stands for an applied transaction, None for no transaction."""
        if conflict is None:
            return cls.NO_TRANSACTION
        return cls.CONFLICTING if conflict else cls.INCLUDED


# No slots: the instance dictionary of a row is, as it stands, the parameter set of its INSERT.
@dataclass(frozen=True)
class BlockRow:
    """A block as it was attached.

    Attributes
    ----------
    number : of its solid event, which is its place in the order of attaching
    block_id : 32 bytes
    data : the binary form
    payload_type : type number, or None without a payload
    tag : of tagged data, else None
    received_at : milliseconds since the Unix epoch
    """

    number: int
    block_id: bytes
    data: bytes
    payload_type: int | None
    tag: bytes | None
    received_at: int


@dataclass(frozen=True)
class ReferencedRow:
    """A block became final through a milestone; rows of one milestone are numbered in white-flag order (TIP-2).

    Attributes
    ----------
    inclusion : an `Inclusion`
    conflict_reason : code of TIP-25, None unless conflicting
    """

    number: int
    block_number: int
    milestone_index: int
    inclusion: int
    conflict_reason: int | None


@dataclass(frozen=True)
class MilestoneRow:
    """A milestone that was applied; `payload` is its binary form, `timestamp` in seconds."""

    index: int
    number: int
    milestone_id: bytes
    block_number: int
    timestamp: int
    payload: bytes


@dataclass(frozen=True)
class TransactionRow:
    """A transaction the ledger applied, and the block that counts as its carrier."""

    transaction_id: bytes
    block_number: int
    milestone_index: int


@dataclass(frozen=True)
class OutputRow:
    """An output of an applied transaction, or the genesis.

    Attributes
    ----------
    output_id : 34 bytes: transaction id and index (TIP-20)
    block_id : 32 bytes, of the carrier; zeros for the genesis
    amount : base units, at most `tables.SUPPLY_MAX`
    data : the binary form
    address : 33 bytes, type and hash, of the owner: address, state controller or immutable alias
    sender, tag : of these features, else None
    created_index, created_at : milestone index (0: genesis) and its timestamp in seconds
    spent_index, spent_at, spent_by : milestone index, timestamp and transaction id of the spending; None: unspent
    governor, issuer : 33 bytes, of that unlock condition and immutable feature, else None
    native_tokens : how many distinct ones it holds
    return_address : 33 bytes, of the storage deposit return, else None
    timelock, expiration : seconds since the Unix epoch, of these unlock conditions, else None
    expiration_address : 33 bytes, of the expiration, else None
    chain_id : alias or NFT id (32 bytes, also in the output that creates it) or foundry id (38 bytes), else None
    """

    output_id: bytes
    block_id: bytes
    output_type: int
    amount: int
    data: bytes
    address: bytes
    sender: bytes | None
    tag: bytes | None
    created_index: int
    created_at: int
    spent_index: int | None = None
    spent_at: int | None = None
    spent_by: bytes | None = None
    governor: bytes | None = None
    issuer: bytes | None = None
    native_tokens: int = 0
    return_address: bytes | None = None
    timelock: int | None = None
    expiration: int | None = None
    expiration_address: bytes | None = None
    chain_id: bytes | None = None


@dataclass(frozen=True)
class SpentRow:
    """An output was spent; fields as in `OutputRow`."""

    output_id: bytes
    spent_index: int
    spent_at: int
    spent_by: bytes


@dataclass(frozen=True)
class MovementRow:
    """An applied transaction consumed or created an output of an address.

    Attributes
    ----------
    address : 33 bytes: type and hash
    number : of the event that made the transaction's block final
    """

    address: bytes
    number: int
    transaction_id: bytes


@dataclass(frozen=True)
class CrossingRow:
    """The confidence of a block, `hits` of `walks`, crossed a threshold in thousandths."""

    number: int
    block_number: int
    threshold_permille: int
    hits: int
    walks: int


@dataclass
class Batch:
    """What one commit makes durable. Outputs may be created and spent in the same batch."""

    blocks: list[BlockRow] = field(default_factory=list)
    referenced: list[ReferencedRow] = field(default_factory=list)
    milestones: list[MilestoneRow] = field(default_factory=list)
    outputs: list[OutputRow] = field(default_factory=list)
    spent: list[SpentRow] = field(default_factory=list)
    transactions: list[TransactionRow] = field(default_factory=list)
    movements: list[MovementRow] = field(default_factory=list)
    crossings: list[CrossingRow] = field(default_factory=list)


@dataclass(frozen=True)
class Network:
    """The network a database belongs to; `created_at` in seconds since the Unix epoch.

    Attributes
    ----------
    store_id : names this journal: numbers of events mean something in one journal only; empty before it is made
    """

    parameters: ProtocolParameters
    keys: MilestoneKeys
    created_at: int
    store_id: str = ""
