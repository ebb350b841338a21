"""The indexer: which unspent outputs meet a filter, page by page (TIP-26).

Pages are ordered by (created_index, output_id), and a cursor is the last pair of a page. New outputs always sort
behind those that exist, because milestones follow one another; a walk through the pages therefore meets every
output that is unspent throughout, exactly once, whatever arrives meanwhile.

Conditions that no output of this network can carry yet (storage deposit return, timelock, expiration, native
tokens) are SQL nulls below. A filter on one is answered by the same clause that a real column will answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    cast,
    func,
    literal,
    null,
    select,
    tuple_,
)

from tangle.store import tables
from tangle.store.errors import MalformedCursor

BASIC_OUTPUT = 3
"""output type; TIP-18"""
_INDEX_BYTES = 4
_ID_BYTES = 34
_PAGE_DIGITS_MAX = 9


@dataclass(frozen=True)
class BasicFilter:
    """What a basic output has to meet; None does not restrict (TIP-26, `/outputs/basic`).

    Attributes
    ----------
    address, unlockable_by, sender, storage_deposit_return_address, expiration_return_address : 33 bytes
    tag : bytes of the tag feature, compared whole
    created_before, created_after, timelocked_…, expires_… : seconds since the Unix epoch, exclusive
    """

    address: bytes | None = None
    unlockable_by: bytes | None = None
    sender: bytes | None = None
    tag: bytes | None = None
    created_before: int | None = None
    created_after: int | None = None
    has_native_tokens: bool | None = None
    min_native_token_count: int | None = None
    max_native_token_count: int | None = None
    has_storage_deposit_return: bool | None = None
    storage_deposit_return_address: bytes | None = None
    has_timelock: bool | None = None
    timelocked_before: int | None = None
    timelocked_after: int | None = None
    has_expiration: bool | None = None
    expires_before: int | None = None
    expires_after: int | None = None
    expiration_return_address: bytes | None = None


@dataclass(frozen=True)
class Cursor:
    """The place behind which the next page begins, and the page size it was asked with.

    As text: 4 bytes index (big endian) and 34 bytes output id in hex, a dot, the page size.
    """

    created_index: int
    output_id: bytes
    page_size: int

    def encode(self) -> str:
        """The text handed to clients."""
        place = self.created_index.to_bytes(_INDEX_BYTES, "big") + self.output_id
        return f"{place.hex()}.{self.page_size}"

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Read the text. The page size is the caller's to bound. Raises MalformedCursor."""
        place, dot, size = text.partition(".")
        digits = size.isascii() and size.isdigit() and len(size) <= _PAGE_DIGITS_MAX
        if not dot or not digits or int(size) < 1 or len(place) != 2 * (_INDEX_BYTES + _ID_BYTES):
            raise MalformedCursor(text)
        try:
            data = bytes.fromhex(place)
        except ValueError:
            raise MalformedCursor(text) from None
        if data.hex() != place:
            raise MalformedCursor(text)
        return cls(int.from_bytes(data[:_INDEX_BYTES], "big"), data[_INDEX_BYTES:], int(size))


@dataclass(frozen=True)
class OutputPage:
    """Output ids (34 bytes each) in order of creation; `cursor` is None on the last page."""

    items: tuple[bytes, ...]
    cursor: Cursor | None


def basic_outputs(
    connection: Connection, chosen: BasicFilter, cursor: Cursor | None, page_size: int
) -> OutputPage:
    """The next `page_size` unspent basic outputs that meet `chosen`, behind `cursor`."""
    rows = connection.execute(basic_outputs_statement(chosen, cursor, page_size)).all()
    items = tuple(row.output_id for row in rows[:page_size])
    if len(rows) <= page_size:
        return OutputPage(items, None)
    return OutputPage(items, Cursor(rows[page_size - 1].created_index, items[-1], page_size))


def basic_outputs_statement(
    chosen: BasicFilter, cursor: Cursor | None, page_size: int
) -> Select[*tuple[Any, ...]]:
    """The statement behind `basic_outputs`: one row more than the page, which tells whether another follows."""
    statement = (
        select(_of.output_id, _of.created_index)
        .where(_of.spent_index.is_(None), _of.output_type == BASIC_OUTPUT)
        .order_by(_of.created_index, _of.output_id)
        .limit(page_size + 1)
    )
    for each in fields(chosen):
        value = getattr(chosen, each.name)
        if value is not None:
            statement = statement.where(*_CLAUSES[each.name](value))
    if cursor is not None:
        place = tuple_(literal(cursor.created_index, BigInteger), literal(cursor.output_id, LargeBinary))
        return statement.where(tuple_(_of.created_index, _of.output_id) > place)
    if chosen.created_after is not None:
        # Where to begin; a cursor lies behind this already, and two lower bounds would let the lesser be taken.
        earlier = _last_milestone(tables.milestones.c.timestamp <= chosen.created_after)
        return statement.where(_of.created_index >= earlier)
    return statement


_of = tables.outputs.c
_native_tokens = literal(0, BigInteger)
_return_address = cast(null(), LargeBinary)
_timelock = cast(null(), BigInteger)
_expiration = cast(null(), BigInteger)
_expiration_address = cast(null(), LargeBinary)

Clause = tuple[ColumnElement[bool], ...]


def _present(column: ColumnElement[Any]) -> Callable[[bool], Clause]:
    return lambda wanted: (column.is_not(None) if wanted else column.is_(None),)


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


_CLAUSES: dict[str, Callable[[Any], Clause]] = {
    "address": lambda address: (_of.address == address,),
    "unlockable_by": lambda address: (_of.address == address,),
    "sender": lambda address: (_of.sender == address,),
    "tag": lambda tag: (_of.tag == tag,),
    "created_before": _created_before,
    "created_after": lambda moment: (_of.created_at > moment,),
    "has_native_tokens": lambda wanted: (_native_tokens > 0 if wanted else _native_tokens == 0,),
    "min_native_token_count": lambda count: (_native_tokens >= count,),
    "max_native_token_count": lambda count: (_native_tokens <= count,),
    "has_storage_deposit_return": _present(_return_address),
    "storage_deposit_return_address": lambda address: (_return_address == address,),
    "has_timelock": _present(_timelock),
    "timelocked_before": lambda moment: (_timelock < moment,),
    "timelocked_after": lambda moment: (_timelock > moment,),
    "has_expiration": _present(_expiration),
    "expires_before": lambda moment: (_expiration < moment,),
    "expires_after": lambda moment: (_expiration > moment,),
    "expiration_return_address": lambda address: (_expiration_address == address,),
}
