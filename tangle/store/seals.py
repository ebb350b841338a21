"""Seals: a checksum per commit, so that a bit that turned at rest is noticed.

A block proves itself by its id, and what milestones made of blocks can be computed again. But when a block came,
and how many walks found it, no one can tell later; and a start trusts what it reads. So each commit adds up the
CRC-32 of its numbered rows (blocks, referenced, milestones, crossings), and keeps the running total beside the
largest number. Rows are only ever added, so any stretch of numbers is checked by the totals at its ends, in any
order. The first seal, number 0, is that of the network's row. A sum is enough: this is against disks, not people.

Why not a checksum in each row: it would cost every row a column and be read with it, and could not tell that rows
are missing. Why not one of each page: SQLite keeps its pages to itself.
"""

from __future__ import annotations

import marshal
import secrets
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, Select, bindparam, func, select, text

from tangle.store import tables
from tangle.store.errors import DatabaseDamaged

NUMBERED = (tables.blocks, tables.referenced, tables.milestones, tables.crossings)
"""the tables whose rows have numbers of the one counter"""
MODULUS = 2**62
"""totals stay below it"""
CHECKED_AT_START = 10_000
"""event numbers, the newest, that a start checks: a fraction of a second"""
ROWS = 2_000
"""rows read at a time"""
_ID_DIGITS = 24
_SEAL = text(
    "INSERT INTO seals (number, total) SELECT CAST(:number AS BIGINT), (CAST(:added AS BIGINT) + COALESCE("
    "(SELECT total FROM seals ORDER BY number DESC LIMIT 1), 0)) % CAST(:modulus AS BIGINT)"
)


def row_sum(values: Iterable[Any]) -> int:
    """The CRC-32 of a row's values: integers, bytes and None.

    They are laid out by `marshal` in its version 2, which has no references: a third of the time of anything else,
    and the same bytes in every Python (a test holds one).
    """
    row = tuple(values)
    try:
        return crc32(marshal.dumps(row, 2))
    except ValueError:  # members of an enumeration, which are integers, too
        return crc32(marshal.dumps(tuple(int(one) if isinstance(one, int) else one for one in row), 2))


def new_store_id() -> str:
    """32 hex digits: 24 drawn, and 8 that check them."""
    drawn = secrets.token_hex(_ID_DIGITS // 2)
    return f"{drawn}{crc32(drawn.encode()):08x}"


def seal(connection: Connection, number: int, added: int) -> None:
    """Keep the total after rows up to `number`, whose sums add up to `added`, were added."""
    connection.execute(_SEAL, {"number": number, "added": added % MODULUS, "modulus": MODULUS})


def check(connection: Connection, newest: int | None = None) -> None:
    """Check what has been sealed, all of it or the last `newest` numbers. Raises DatabaseDamaged."""
    _check_network(connection)
    numbers, totals = array("q"), array("q")
    of = tables.seals.c
    last = connection.execute(select(func.max(of.number))).scalar() or 0
    first = 0 if newest is None else max(last - newest, 0)
    for row in connection.execute(select(of.number, of.total).where(of.number >= first).order_by(of.number)):
        numbers.append(row[0])
        totals.append(row[1])
    sums = array("q", bytes(8 * len(numbers)))
    for number, found in _sums(connection, numbers[0]):
        at = bisect_left(numbers, number)
        if at == len(numbers):
            raise DatabaseDamaged(f"event {number} was never sealed")
        sums[at] = (sums[at] + found) % MODULUS
    for at in range(1, len(numbers)):
        if (totals[at - 1] + sums[at]) % MODULUS != totals[at]:
            raise DatabaseDamaged(f"events {numbers[at - 1] + 1} to {numbers[at]} are not as they were written")


def _sums(connection: Connection, after: int) -> Iterator[tuple[int, int]]:
    for table in NUMBERED:
        at = after
        while rows := connection.execute(_page(table.name), {"after": at, "most": ROWS}).all():
            for row in rows:
                yield row.number, row_sum(row)
            at = rows[-1].number


@lru_cache
def _page(name: str) -> Select[tuple[object, ...]]:
    table = tables.metadata.tables[name]
    number = table.c.number
    return select(*table.c).where(number > bindparam("after")).order_by(number).limit(bindparam("most"))


def _check_network(connection: Connection) -> None:
    row = connection.execute(select(tables.network)).one()
    sealed = connection.execute(select(tables.seals.c.total).order_by(tables.seals.c.number).limit(1)).scalar()
    number, name, *others, store_id = row
    if f"{crc32(store_id[:_ID_DIGITS].encode()):08x}" != store_id[_ID_DIGITS:]:
        raise DatabaseDamaged("the id of the journal is not as it was written")
    if row_sum([number, name.encode(), *others]) != sealed:
        raise DatabaseDamaged("the network is not as it was written")
