"""The event stream: the union of four append-only tables, ordered by number.

One statement reads it. Four statements could each see a later state than the one before, and a listener who goes
on from the largest number it saw would then miss a smaller one for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Row,
    Select,
    bindparam,
    cast,
    literal_column,
    null,
    select,
    union_all,
)

from tangle.store import tables


@dataclass(frozen=True)
class SolidEvent:
    """A block became part of the Tangle."""

    TYPE: ClassVar[str] = "solid"
    number: int
    block_id: bytes


@dataclass(frozen=True)
class ReferencedEvent:
    """A milestone referenced a block; `inclusion` is a `journal.Inclusion`."""

    TYPE: ClassVar[str] = "referenced"
    number: int
    block_id: bytes
    milestone_index: int
    inclusion: int
    conflict_reason: int | None


@dataclass(frozen=True)
class CrossingEvent:
    """The confidence of a block, `hits` of `walks`, crossed a threshold in thousandths."""

    TYPE: ClassVar[str] = "confidence"
    number: int
    block_id: bytes
    threshold_permille: int
    hits: int
    walks: int


@dataclass(frozen=True)
class MilestoneEvent:
    """A milestone was applied; `timestamp` in seconds."""

    TYPE: ClassVar[str] = "milestone"
    number: int
    milestone_id: bytes
    index: int
    timestamp: int


Event = SolidEvent | ReferencedEvent | CrossingEvent | MilestoneEvent
EVENT_TYPES: tuple[type[Event], ...] = (SolidEvent, ReferencedEvent, CrossingEvent, MilestoneEvent)
"""all event classes; `TYPE` is the name by which a listener asks for one"""

_blocks, _referenced, _milestones, _crossings = (
    tables.blocks.c,
    tables.referenced.c,
    tables.milestones.c,
    tables.crossings.c,
)
_ABSENT = cast(null(), BigInteger)
# Per type: the number column, then what the event is made of. The union needs all rows equally wide.
_COLUMNS: dict[type[Event], tuple[ColumnElement[Any], ...]] = {
    SolidEvent: (_blocks.number, _blocks.block_id, _ABSENT, _ABSENT, _ABSENT),
    ReferencedEvent: (
        _referenced.number,
        _blocks.block_id,
        _referenced.milestone_index,
        _referenced.inclusion,
        _referenced.conflict_reason,
    ),
    CrossingEvent: (
        _crossings.number,
        _blocks.block_id,
        _crossings.threshold_permille,
        _crossings.hits,
        _crossings.walks,
    ),
    MilestoneEvent: (
        _milestones.number,
        _milestones.milestone_id,
        _milestones.index,
        _milestones.timestamp,
        _ABSENT,
    ),
}
_SOURCES: dict[type[Event], FromClause] = {
    SolidEvent: tables.blocks,
    ReferencedEvent: tables.referenced.join(tables.blocks, _referenced.block_number == _blocks.number),
    CrossingEvent: tables.crossings.join(tables.blocks, _crossings.block_number == _blocks.number),
    MilestoneEvent: tables.milestones,
}
_LABELS = ("number", "id", "first", "second", "third")


def events(
    connection: Connection, after: int, limit: int, types: Iterable[type[Event]] = EVENT_TYPES
) -> list[Event]:
    """At most `limit` events of `types` with a number above `after`, in order."""
    chosen = frozenset(types)
    if not chosen:
        return []
    rows = connection.execute(_statement(chosen), {"after": after, "most": limit})
    return [_event(row) for row in rows]


# Listeners ask again and again; building the statement takes longer than running it.
@cache
def _statement(types: frozenset[type[Event]]) -> Select[*tuple[Any, ...]]:
    union = union_all(*(_part(kind) for kind in EVENT_TYPES if kind in types)).subquery()
    return select(union).order_by(union.c.number).limit(bindparam("most"))


def _part(kind: type[Event]) -> Select[*tuple[Any, ...]]:
    """The next events of one type; each part is bounded by itself, so that the union stays small."""
    number, *others = _COLUMNS[kind]
    labelled = [column.label(name) for name, column in zip(_LABELS, (number, *others), strict=True)]
    first = (
        select(literal_column(str(EVENT_TYPES.index(kind)), Integer).label("kind"), *labelled)
        .select_from(_SOURCES[kind])
        .where(number > bindparam("after", type_=BigInteger))
        .order_by(number)
        .limit(bindparam("most", type_=BigInteger))
    )
    # SQLite takes ORDER BY and LIMIT inside a union only from a subquery.
    return select(first.subquery())


def _event(row: Row[*tuple[Any, ...]]) -> Event:
    kind: int = row[0]
    build: Callable[..., Event] = EVENT_TYPES[kind]
    return build(*row[1 : 1 + _WIDTHS[kind]])


_WIDTHS = tuple(len(fields(kind)) for kind in EVENT_TYPES)
