"""Data by tag: pages of its history in both directions, bounded in rows and bytes, and what a commit added.

Blocks under a tag are found by (tag, number). Times are those at which this node took the blocks. They grow with
the numbers, so a time is turned into a number by bisection and needs no index of its own. Where the clock was set
back, the order of numbers decides which blocks of that moment are looked at; none outside the bounds is answered.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from operator import attrgetter

from sqlalchemy import Connection, Select, bindparam, func, select

from tangle.store import tables

_of = tables.blocks.c


@dataclass(frozen=True, slots=True)
class TaggedBlock:
    """A block that carries tagged data.

    Attributes
    ----------
    number : of its solid event
    received_at : milliseconds since the Unix epoch
    data : the encoded block; empty where it was not asked for
    """

    number: int
    block_id: bytes
    tag: bytes
    received_at: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class TaggedFilter:
    """Which blocks of some tags are wanted.

    Attributes
    ----------
    after, before : event numbers, both exclusive
    from_ms, to_ms : milliseconds since the Unix epoch, the first inclusive and the second exclusive
    newest_first : the order; a page begins at that end
    """

    after: int = 0
    before: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class TaggedPage:
    """Blocks in the order asked for; `more` when the bounds of the page left some out."""

    blocks: tuple[TaggedBlock, ...]
    more: bool


def tagged_page(
    connection: Connection,
    tags: Collection[bytes],
    chosen: TaggedFilter,
    limit: int,
    bytes_max: int | None = None,
) -> TaggedPage:
    """A page of the blocks under any of `tags`.

    Parameters
    ----------
    limit : blocks in the page, at most
    bytes_max : bytes of encoded blocks in the page, at most, but for a single block; None leaves the bytes out
    """
    chosen = _in_numbers(connection, chosen)
    page: list[TaggedBlock] = []
    size = 0
    for one in _merged(connection, tags, chosen, limit + 1, with_data=bytes_max is not None):
        size += len(one.data)
        if len(page) == limit or (page and bytes_max is not None and size > bytes_max):
            return TaggedPage(tuple(page), more=True)
        page.append(one)
    return TaggedPage(tuple(page), more=False)


def tagged_between(connection: Connection, first: int, last: int, tags: Collection[bytes]) -> list[TaggedBlock]:
    """The blocks numbered from `first` to `last` that lie under one of `tags`, oldest first."""
    listed = connection.execute(_TAGS, {"first": first, "last": last})
    numbers = sorted(number for number, tag in listed if tag in tags)
    found: list[TaggedBlock] = []
    for start in range(0, len(numbers), NUMBERS_PER_QUERY):
        part = numbers[start : start + NUMBERS_PER_QUERY]
        rows = connection.execute(_WITH_DATA.where(_of.number.in_(part)).order_by(_of.number))
        found += (TaggedBlock(*row) for row in rows)
    return found


def number_at(connection: Connection, time_ms: int) -> int:
    """The number of the first block that came at `time_ms` or later; above all numbers if none did."""
    low, high = 1, (connection.execute(select(func.max(_of.number))).scalar() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(_NEXT, {"number": middle}).first()
        if row is None or row.received_at >= time_ms:
            high = middle
        else:
            low = row.number + 1
    return low


NUMBERS_PER_QUERY = 500
"""numbers in one IN list; databases bound the number of parameters"""
_TAGS = select(_of.number, _of.tag).where(
    _of.number.between(bindparam("first"), bindparam("last")), _of.tag.is_not(None)
)
_NEXT = select(_of.number, _of.received_at).where(_of.number >= bindparam("number")).order_by(_of.number).limit(1)
_WITHOUT_DATA = select(_of.number, _of.block_id, _of.tag, _of.received_at)
_WITH_DATA = _WITHOUT_DATA.add_columns(_of.data)


def _in_numbers(connection: Connection, chosen: TaggedFilter) -> TaggedFilter:
    """The same with the times turned into numbers; the times stay, to be compared exactly."""
    after, before = chosen.after, chosen.before
    if chosen.from_ms is not None:
        after = max(after, number_at(connection, chosen.from_ms) - 1)
    if chosen.to_ms is not None:
        end = number_at(connection, chosen.to_ms)
        before = end if before is None else min(before, end)
    return replace(chosen, after=after, before=before)


def _merged(
    connection: Connection, tags: Collection[bytes], chosen: TaggedFilter, limit: int, *, with_data: bool
) -> Iterator[TaggedBlock]:
    """The blocks of all tags in one order; each tag is a walk along the index, read no further than needed."""
    walks = [_walk(connection, _statement(tag, chosen, limit, with_data=with_data)) for tag in sorted(set(tags))]
    merged = heapq.merge(*walks, key=attrgetter("number"), reverse=chosen.newest_first)
    return islice(merged, limit)


def _walk(connection: Connection, statement: Select[*tuple[int, bytes, bytes, int]]) -> Iterator[TaggedBlock]:
    with connection.execute(statement) as rows:
        for row in rows:
            yield TaggedBlock(*row)


def _statement(
    tag: bytes, chosen: TaggedFilter, limit: int, *, with_data: bool
) -> Select[*tuple[int, bytes, bytes, int]]:
    statement = (_WITH_DATA if with_data else _WITHOUT_DATA).where(_of.tag == tag, _of.number > chosen.after)
    if chosen.before is not None:
        statement = statement.where(_of.number < chosen.before)
    if chosen.from_ms is not None:
        statement = statement.where(_of.received_at >= chosen.from_ms)
    if chosen.to_ms is not None:
        statement = statement.where(_of.received_at < chosen.to_ms)
    return statement.order_by(_of.number.desc() if chosen.newest_first else _of.number).limit(limit)
