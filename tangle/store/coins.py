"""Plain coins of an address: unspent basic outputs with no condition but the address, and no tokens.

All of them are looked at, so that nobody can hide the large ones behind dust.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, func, literal_column, select

from tangle.protocol.outputs import BasicOutput
from tangle.store import tables
from tangle.store.journal import OutputRow

_of = tables.outputs.c


def balance(connection: Connection, address: bytes) -> int:
    """Base units that the plain coins of an address (33 bytes) hold."""
    found: int = connection.execute(
        select(func.coalesce(func.sum(_of.amount), 0)).where(*_plain(address))
    ).scalar_one()
    return int(found)


def largest(connection: Connection, address: bytes, most: int) -> list[OutputRow]:
    """At most so many plain coins of an address (33 bytes), the largest first."""
    chosen = select(*_of).where(*_plain(address)).order_by(_of.amount.desc(), _of.output_id).limit(most)
    return [OutputRow(*row) for row in connection.execute(chosen)]


def _plain(address: bytes) -> tuple[ColumnElement[bool], ...]:
    absent = (_of.return_address, _of.timelock, _of.expiration)
    return (
        _of.address == address,
        _of.output_type == BasicOutput.TYPE,
        _of.spent_index.is_(None),
        _of.native_tokens == literal_column("0"),
        *(column.is_(None) for column in absent),
    )
