"""The read side for the API and the node: each function takes a connection and returns frozen rows.

Every query is served from an index. One statement answers one question, so that an answer is consistent on any
database whatever its isolation level. The indexer (TIP-26), the event stream and data by tag have files of their
own and are passed on from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, select

from tangle.store import tables
from tangle.store.events import (
    EVENT_TYPES,
    CrossingEvent,
    Event,
    MilestoneEvent,
    ReferencedEvent,
    SolidEvent,
    events,
)
from tangle.store.indexer import (
    AliasFilter,
    AnyFilter,
    BasicFilter,
    Cursor,
    Filter,
    FoundryFilter,
    NftFilter,
    OutputPage,
    chain_output,
    unspent_outputs,
)
from tangle.store.journal import BlockRow, MilestoneRow, MovementRow, OutputRow, ReferencedRow, latest_milestone
from tangle.store.tagged import TaggedBlock, TaggedFilter, TaggedPage, tagged_between, tagged_page

__all__ = [
    "EVENT_TYPES",
    "AliasFilter",
    "AnyFilter",
    "BasicFilter",
    "BlockHead",
    "BlockRecord",
    "CrossingEvent",
    "Cursor",
    "Event",
    "Filter",
    "FoundryFilter",
    "MilestoneEvent",
    "NftFilter",
    "NumberedBlock",
    "OutputPage",
    "ReferencedEvent",
    "SolidEvent",
    "TaggedBlock",
    "TaggedFilter",
    "TaggedPage",
    "UtxoChanges",
    "block",
    "block_heads",
    "block_numbers",
    "blocks_around",
    "blocks_by_tag",
    "blocks_from",
    "chain_output",
    "events",
    "included_block",
    "latest_blocks",
    "latest_milestone",
    "ledger_index",
    "milestone_blocks",
    "milestone_by_id",
    "milestone_by_index",
    "movements",
    "output",
    "outputs_by_ids",
    "record",
    "records_by_ids",
    "tagged_between",
    "tagged_page",
    "unspent_outputs",
    "utxo_changes",
]

IDS_PER_QUERY = 500
"""ids in one IN list; databases bound the number of parameters"""
HEAD_BYTES = 2 + 8 * 32
"""bytes of an encoded block up to the end of its parents, at most (TIP-24)"""


@dataclass(frozen=True)
class BlockRecord:
    """A block, what a milestone made of it (None: not referenced), and the milestone it carries, if applied.

    `white_flag_index` is its place in its milestone's order (TIP-2), where one block was asked for alone.
    """

    block: BlockRow
    referenced: ReferencedRow | None
    milestone_index: int | None
    white_flag_index: int | None = None


@dataclass(frozen=True)
class BlockHead:
    """What drawing a block needs: the first bytes of it, its kind, when it came, the milestone it carries."""

    number: int
    data: bytes
    payload_type: int | None
    received_at: int
    milestone_index: int | None


@dataclass(frozen=True)
class NumberedBlock:
    """A block id and the number of its solid event."""

    number: int
    block_id: bytes


@dataclass(frozen=True)
class UtxoChanges:
    """The output ids that a milestone created and consumed, each in ascending order."""

    created: tuple[bytes, ...]
    consumed: tuple[bytes, ...]


_RECORDS: Select[*tuple[Any, ...]] = select(
    *tables.blocks.c, *tables.referenced.c, tables.milestones.c.index
).select_from(
    tables.blocks.outerjoin(
        tables.referenced, tables.referenced.c.block_number == tables.blocks.c.number
    ).outerjoin(tables.milestones, tables.milestones.c.block_number == tables.blocks.c.number)
)
_BLOCK_WIDTH = len(tables.blocks.c)


def block(connection: Connection, block_id: bytes) -> BlockRow | None:
    """The block with this id."""
    row = connection.execute(select(*tables.blocks.c).where(tables.blocks.c.block_id == block_id)).one_or_none()
    return BlockRow(*row) if row else None


def record(connection: Connection, block_id: bytes) -> BlockRecord | None:
    """The block with this id and what became of it."""
    return _one_record(connection, _RECORDS.where(tables.blocks.c.block_id == block_id))


def records_by_ids(connection: Connection, block_ids: Iterable[bytes]) -> dict[bytes, BlockRecord]:
    """The records of those of `block_ids` that exist."""
    found = _in_parts(connection, _RECORDS, tables.blocks.c.block_id, block_ids)
    return {one.block.block_id: one for one in map(_record, found)}


def included_block(connection: Connection, transaction_id: bytes) -> BlockRecord | None:
    """The block through which the ledger applied this transaction."""
    carrier = (
        select(tables.transactions.c.block_number)
        .where(tables.transactions.c.transaction_id == transaction_id)
        .scalar_subquery()
    )
    return _one_record(connection, _RECORDS.where(tables.blocks.c.number == carrier))


def latest_blocks(connection: Connection, limit: int, *, after: int = 0) -> list[BlockRecord]:
    """The newest `limit` blocks with a number above `after`, oldest first."""
    newest = _RECORDS.where(tables.blocks.c.number > after).order_by(tables.blocks.c.number.desc()).limit(limit)
    return [_record(row) for row in reversed(connection.execute(newest).all())]


def blocks_from(connection: Connection, first: int, limit: int) -> list[BlockRecord]:
    """At most `limit` blocks numbered `first` or above, oldest first."""
    chosen = _RECORDS.where(tables.blocks.c.number >= first).order_by(tables.blocks.c.number).limit(limit)
    return [_record(row) for row in connection.execute(chosen)]


def blocks_around(connection: Connection, number: int, limit: int) -> list[BlockRecord]:
    """At most `limit` blocks, half of them up to `number` and the others above, oldest first."""
    of = tables.blocks.c.number
    before = _RECORDS.where(of <= number).order_by(of.desc()).limit(limit - limit // 2)
    older = [_record(row) for row in reversed(connection.execute(before).all())]
    return older + blocks_from(connection, number + 1, limit - len(older))


_HEADS: Select[*tuple[Any, ...]] = (
    select(
        tables.blocks.c.number,
        func.substr(tables.blocks.c.data, 1, HEAD_BYTES),
        tables.blocks.c.payload_type,
        tables.blocks.c.received_at,
        tables.milestones.c.index,
    )
    .select_from(
        tables.blocks.outerjoin(tables.milestones, tables.milestones.c.block_number == tables.blocks.c.number)
    )
    .where(tables.blocks.c.number.between(bindparam("first"), bindparam("last")))
)


def block_heads(connection: Connection, first: int, last: int) -> dict[int, BlockHead]:
    """The heads of the blocks numbered from `first` to `last`, by number; whole blocks are not read out."""
    rows = connection.execute(_HEADS, {"first": first, "last": last})
    return {row[0]: BlockHead(row[0], bytes(row[1]), *row[2:]) for row in rows}


def block_numbers(connection: Connection, block_ids: Iterable[bytes]) -> dict[bytes, int]:
    """The numbers of those of `block_ids` that exist."""
    columns = select(tables.blocks.c.block_id, tables.blocks.c.number)
    return {row[0]: row[1] for row in _in_parts(connection, columns, tables.blocks.c.block_id, block_ids)}


def blocks_by_tag(connection: Connection, tag: bytes, after: int, limit: int) -> list[NumberedBlock]:
    """At most `limit` blocks with this tag of their tagged data and a number above `after`, oldest first."""
    of = tables.blocks.c
    statement = (
        select(of.number, of.block_id).where(of.tag == tag, of.number > after).order_by(of.number).limit(limit)
    )
    return [NumberedBlock(*row) for row in connection.execute(statement)]


def ledger_index(connection: Connection) -> int:
    """The index of the milestone that the ledger stands at; 0, the genesis, before the first."""
    newest = select(tables.milestones.c.index).order_by(tables.milestones.c.index.desc()).limit(1)
    return connection.execute(newest).scalar() or 0


def milestone_by_index(connection: Connection, index: int) -> MilestoneRow | None:
    return _milestone(connection, tables.milestones.c.index == index)


def milestone_by_id(connection: Connection, milestone_id: bytes) -> MilestoneRow | None:
    """The milestone with this id (32 bytes)."""
    return _milestone(connection, tables.milestones.c.milestone_id == milestone_id)


def milestone_blocks(connection: Connection, index: int) -> list[BlockRecord]:
    """The blocks that milestone `index` referenced, in white-flag order (TIP-2)."""
    chosen = tables.referenced.c.milestone_index == index
    return [
        _record(row) for row in connection.execute(_RECORDS.where(chosen).order_by(tables.referenced.c.number))
    ]


def output(connection: Connection, output_id: bytes) -> OutputRow | None:
    """The output with this id (34 bytes), spent or not."""
    row = connection.execute(
        select(*tables.outputs.c).where(tables.outputs.c.output_id == output_id)
    ).one_or_none()
    return OutputRow(*row) if row else None


def outputs_by_ids(connection: Connection, output_ids: Iterable[bytes]) -> dict[bytes, OutputRow]:
    """Those of `output_ids` that exist, spent or not; what a transaction's inputs are resolved with."""
    found = _in_parts(connection, select(*tables.outputs.c), tables.outputs.c.output_id, output_ids)
    return {row[0]: OutputRow(*row) for row in found}


def movements(connection: Connection, address: bytes, after: int, limit: int) -> list[MovementRow]:
    """At most `limit` movements of an address (33 bytes) with a number above `after`, oldest first."""
    of = tables.movements.c
    chosen = select(*of).where(of.address == address, of.number > after).order_by(of.number).limit(limit)
    return [MovementRow(*row) for row in connection.execute(chosen)]


def utxo_changes(connection: Connection, index: int) -> UtxoChanges:
    """What milestone `index` created and consumed; empty for one that does not exist."""
    of = tables.outputs.c
    created = connection.execute(select(of.output_id).where(of.created_index == index).order_by(of.output_id))
    consumed = connection.execute(select(of.output_id).where(of.spent_index == index).order_by(of.output_id))
    return UtxoChanges(tuple(created.scalars()), tuple(consumed.scalars()))


def _milestone(connection: Connection, chosen: ColumnElement[bool]) -> MilestoneRow | None:
    row = connection.execute(select(*tables.milestones.c).where(chosen)).one_or_none()
    return MilestoneRow(*row) if row else None


def _one_record(connection: Connection, statement: Select[*tuple[Any, ...]]) -> BlockRecord | None:
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    found = _record(row)
    if found.referenced is None:
        return found
    # Rows of one milestone have numbers without a gap, in white-flag order.
    of = tables.referenced.c
    first = select(func.min(of.number)).where(of.milestone_index == found.referenced.milestone_index)
    place = found.referenced.number - connection.execute(first).scalar_one()
    return replace(found, white_flag_index=place)


def _record(row: Row[*tuple[Any, ...]]) -> BlockRecord:
    first = BlockRow(*row[:_BLOCK_WIDTH])
    settled = None if row[_BLOCK_WIDTH] is None else ReferencedRow(*row[_BLOCK_WIDTH:-1])
    return BlockRecord(first, settled, row[-1])


def _in_parts(
    connection: Connection,
    statement: Select[*tuple[Any, ...]],
    column: ColumnElement[bytes],
    keys: Iterable[bytes],
) -> Iterator[Row[*tuple[Any, ...]]]:
    remaining = iter(keys)
    while part := list(islice(remaining, IDS_PER_QUERY)):
        yield from connection.execute(statement.where(column.in_(part)))
