"""Asking the database for pages of unspent outputs, and for the output that a chain stands at."""

from __future__ import annotations

from sqlalchemy import Connection, select

from tangle.store import tables
from tangle.store.indexer.cursor import Cursor, OutputPage
from tangle.store.indexer.filters import Filter
from tangle.store.indexer.statement import page_statement


def unspent_outputs(connection: Connection, chosen: Filter, cursor: Cursor | None, page_size: int) -> OutputPage:
    """The next `page_size` unspent outputs that meet `chosen`, behind `cursor`."""
    rows = connection.execute(page_statement(chosen, cursor, page_size)).all()
    items = tuple(row.output_id for row in rows[:page_size])
    if len(rows) <= page_size:
        return OutputPage(items, None)
    return OutputPage(items, Cursor(rows[page_size - 1].created_index, items[-1], page_size))


def chain_output(connection: Connection, output_type: int, chain_id: bytes) -> bytes | None:
    """The unspent output that an alias, foundry or NFT stands at; None where it is not or no longer.

    Parameters
    ----------
    output_type : type number of TIP-18
    chain_id : alias or NFT id (32 bytes) or foundry id (38 bytes)
    """
    of = tables.outputs.c
    current = (of.chain_id == chain_id, of.output_type == output_type, of.spent_index.is_(None))
    found: bytes | None = connection.execute(select(of.output_id).where(*current)).scalar()
    return found
