"""From a filter to SQL that indexes serve.

A search in one type of output for one value, in the order of pages, is a walk along one index: all of them begin
with what is searched and the type, and go on with the order. What must be searched in several columns or types at
once is a union of such walks, each of which ends after a page; so no more than a page of each is ever sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    LargeBinary,
    Select,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    union,
)

from tangle.protocol.outputs import AliasOutput, BasicOutput, FoundryOutput, NftOutput
from tangle.store import tables
from tangle.store.indexer.cursor import Cursor
from tangle.store.indexer.filters import Filter

_of = tables.outputs.c
_CONDITIONS = (_of.address, _of.return_address, _of.expiration_address)
UNLOCKED_BY = {
    BasicOutput.TYPE: _CONDITIONS,
    AliasOutput.TYPE: (_of.address, _of.governor),
    FoundryOutput.TYPE: (_of.address,),
    NftOutput.TYPE: _CONDITIONS,
}
"""output type -> the columns with the addresses of its unlock conditions"""

Clause = tuple[ColumnElement[bool], ...]
Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]


def page_statement(chosen: Filter, cursor: Cursor | None, page_size: int) -> Statement:
    """The output ids and creation indexes of one row more than the page: it tells whether another page follows."""
    walks = list(_walks(chosen, cursor, page_size + 1))
    if len(walks) == 1:
        return walks[0]
    parts = [walk.subquery() for walk in walks]
    merged = union(*(select(part.c.output_id, part.c.created_index) for part in parts))
    return merged.order_by("created_index", "output_id").limit(page_size + 1)


def _walks(chosen: Filter, cursor: Cursor | None, limit: int) -> Iterator[Select[*tuple[Any, ...]]]:
    """Statements whose results together hold the page; none of them can be served by two indexes at once."""
    address = getattr(chosen, "unlockable_by", None)
    for output_type in chosen.TYPES:
        walk = (
            select(_of.output_id, _of.created_index)
            .where(_of.spent_index.is_(None), _of.output_type == output_type, *_conditions(chosen, cursor))
            .order_by(_of.created_index, _of.output_id)
            .limit(limit)
        )
        if address is None:
            yield walk
        else:
            yield from (walk.where(column == address) for column in UNLOCKED_BY[output_type])


def _conditions(chosen: Filter, cursor: Cursor | None) -> Iterator[ColumnElement[bool]]:
    for each in fields(chosen):
        value = getattr(chosen, each.name)
        if value is not None and each.name in _CLAUSES:
            yield from _CLAUSES[each.name](value)
    if cursor is not None:
        place = tuple_(literal(cursor.created_index, BigInteger), literal(cursor.output_id, LargeBinary))
        yield tuple_(_of.created_index, _of.output_id) > place
    elif chosen.created_after is not None:
        # Where to begin; a cursor lies behind this already, and two lower bounds would let the lesser be taken.
        yield _of.created_index >= _last_milestone(tables.milestones.c.timestamp <= chosen.created_after)


def _equal(column: ColumnElement[Any]) -> Callable[[bytes], Clause]:
    return lambda value: (column == value,)


def _before(column: ColumnElement[Any]) -> Callable[[int], Clause]:
    return lambda moment: (column.is_not(None), column < moment)


def _after(column: ColumnElement[Any]) -> Callable[[int], Clause]:
    return lambda moment: (column.is_not(None), column > moment)


def _present(column: ColumnElement[Any]) -> Callable[[bool], Clause]:
    return lambda wanted: (column.is_not(None) if wanted else column.is_(None),)


def _tokens(wanted: bool) -> Clause:
    # Spelt as in the index, without a parameter: else it could not be used.
    return (tables.holds_tokens if wanted else _of.native_tokens == literal_column("0"),)


def _tokens_from(count: int) -> Clause:
    return (tables.holds_tokens, _of.native_tokens >= count) if count else ()


def _created_before(moment: int) -> Clause:
    """Creation times are those of milestones, which ascend: the last one before `moment` ends the search."""
    return _of.created_at < moment, _of.created_index <= _last_milestone(tables.milestones.c.timestamp < moment)


def _last_milestone(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Index of the last milestone that meets `condition`; 0, the genesis, where there is none."""
    last = (
        select(tables.milestones.c.index)
        .where(condition)
        .order_by(tables.milestones.c.timestamp.desc(), tables.milestones.c.index.desc())
        .limit(1)
    )
    return func.coalesce(last.scalar_subquery(), 0)


# Every field of every filter but `unlockable_by`, for which there is a walk per column.
_CLAUSES: dict[str, Callable[[Any], Clause]] = {
    "address": _equal(_of.address),
    "state_controller": _equal(_of.address),
    "alias_address": _equal(_of.address),
    "governor": _equal(_of.governor),
    "issuer": _equal(_of.issuer),
    "sender": _equal(_of.sender),
    "tag": _equal(_of.tag),
    "created_before": _created_before,
    "created_after": lambda moment: (_of.created_at > moment,),
    "has_native_tokens": _tokens,
    "min_native_token_count": _tokens_from,
    "max_native_token_count": lambda count: (_of.native_tokens <= count,),
    "has_storage_deposit_return": _present(_of.return_address),
    "storage_deposit_return_address": _equal(_of.return_address),
    "has_timelock": _present(_of.timelock),
    "timelocked_before": _before(_of.timelock),
    "timelocked_after": _after(_of.timelock),
    "has_expiration": _present(_of.expiration),
    "expires_before": _before(_of.expiration),
    "expires_after": _after(_of.expiration),
    "expiration_return_address": _equal(_of.expiration_address),
}
