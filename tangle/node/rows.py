"""From what the state decides to what the journal writes."""

from __future__ import annotations

from dataclasses import dataclass, field

from tangle.errors import TangleError
from tangle.node.answers import Receipt
from tangle.protocol.blocks import Block
from tangle.protocol.milestones import Milestone
from tangle.protocol.outputs import Output
from tangle.protocol.tagged_data import TaggedData
from tangle.state.ledger import Conflict
from tangle.store.columns import columns_of
from tangle.store.journal import Batch, BlockRow, Inclusion, MilestoneRow, OutputRow
from tangle.store.queries import Event


@dataclass(slots=True)
class Work:
    """A batch under way: rows to write, events to tell and answers to give once they are written."""

    batch: Batch = field(default_factory=Batch)
    events: list[Event] = field(default_factory=list)
    released: dict[bytes, Receipt | TangleError] = field(default_factory=dict)


def block_row(block: Block, number: int, now_ms: int) -> BlockRow:
    """The row of `block`, attached as event `number`."""
    payload = block.payload
    return BlockRow(
        number=number,
        block_id=block.id,
        data=block.encoded,
        payload_type=payload.TYPE if payload else None,
        tag=payload.tag if isinstance(payload, TaggedData) else None,
        received_at=now_ms,
    )


def milestone_row(milestone: Milestone, number: int, block_number: int) -> MilestoneRow:
    """The row of `milestone`, applied as event `number`, carried by block `block_number`."""
    return MilestoneRow(
        index=milestone.index,
        number=number,
        milestone_id=milestone.id,
        block_number=block_number,
        timestamp=milestone.essence.timestamp,
        payload=milestone.encode(),
    )


def output_row(output_id: bytes, output: Output, block_id: bytes, index: int, at: int) -> OutputRow:
    """The row of an output that milestone `index` of time `at` created through block `block_id`."""
    return OutputRow(block_id=block_id, created_index=index, created_at=at, **columns_of(output_id, output))


def inclusion(conflict: Conflict | None) -> Inclusion:
    """How a referenced block counts in the ledger; None stands for one without a transaction."""
    if conflict is None:
        return Inclusion.NO_TRANSACTION
    return Inclusion.CONFLICTING if conflict else Inclusion.INCLUDED
