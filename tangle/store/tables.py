"""The tables, as SQLAlchemy Core; the migrations in `alembic/` build the very same ones (a test compares them).

One counter numbers everything that happens. A block's `number` is that of its attaching; a row of `referenced`, a
milestone and a confidence crossing take their numbers from the same counter. The event stream is therefore the
union of four append-only tables ordered by number, and there is no table of events.

Units: `*_at` seconds since the Unix epoch unless the name of the row says otherwise (`blocks.received_at` is in
milliseconds); amounts are base units in signed 64-bit integers, hence `SUPPLY_MAX`. Addresses are 33 bytes: type
and hash. Spent outputs stay; partial indexes over the unspent ones serve the indexer: each begins with what is
searched and the output type, and goes on in the order of pages (`tangle.store.indexer`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    literal_column,
)

SUPPLY_MAX = 2**63 - 1
"""base units; what a signed 64-bit column holds"""

# SQLite makes a primary key the table's own order only when its type is spelt INTEGER (64 bits there as well).
COUNTER = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

network = Table(
    "network",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("name", String(255), nullable=False),
    Column("parameters", LargeBinary, nullable=False),
    Column("milestone_keys", LargeBinary, nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("store_id", String(32), nullable=False, server_default=""),
)

blocks = Table(
    "blocks",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=False),
    Column("block_id", LargeBinary, nullable=False, unique=True),
    Column("data", LargeBinary, nullable=False),
    Column("payload_type", BigInteger),
    Column("tag", LargeBinary),
    Column("received_at", BigInteger, nullable=False),
)

referenced = Table(
    "referenced",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=False),
    Column("block_number", COUNTER, ForeignKey("blocks.number"), nullable=False, unique=True),
    Column("milestone_index", BigInteger, nullable=False),
    Column("inclusion", Integer, nullable=False),
    Column("conflict_reason", Integer),
    Index("ix_referenced_milestone", "milestone_index", "number"),
)

milestones = Table(
    "milestones",
    metadata,
    Column("index", COUNTER, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("milestone_id", LargeBinary, nullable=False, unique=True),
    Column("block_number", COUNTER, ForeignKey("blocks.number"), nullable=False, unique=True),
    Column("timestamp", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("ix_milestones_timestamp", "timestamp", "index"),
)

transactions = Table(
    "transactions",
    metadata,
    Column("transaction_id", LargeBinary, primary_key=True),
    Column("block_number", COUNTER, ForeignKey("blocks.number"), nullable=False),
    Column("milestone_index", BigInteger, nullable=False),
)

outputs = Table(
    "outputs",
    metadata,
    Column("output_id", LargeBinary, primary_key=True),
    Column("block_id", LargeBinary, nullable=False),
    Column("output_type", Integer, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("address", LargeBinary, nullable=False),
    Column("sender", LargeBinary),
    Column("tag", LargeBinary),
    Column("created_index", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("spent_index", BigInteger),
    Column("spent_at", BigInteger),
    Column("spent_by", LargeBinary),
    Column("governor", LargeBinary),
    Column("issuer", LargeBinary),
    Column("native_tokens", Integer, nullable=False, server_default="0"),
    Column("return_address", LargeBinary),
    Column("timelock", BigInteger),
    Column("expiration", BigInteger),
    Column("expiration_address", LargeBinary),
    Column("chain_id", LargeBinary),
    Index("ix_outputs_created", "created_index", "output_id"),
)

movements = Table(
    "movements",
    metadata,
    Column("address", LargeBinary, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("transaction_id", LargeBinary, nullable=False),
)

crossings = Table(
    "crossings",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=False),
    Column("block_number", COUNTER, ForeignKey("blocks.number"), nullable=False),
    Column("threshold_permille", Integer, nullable=False),
    Column("hits", Integer, nullable=False),
    Column("walks", Integer, nullable=False),
)

seals = Table(
    "seals",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=False),
    Column("total", BigInteger, nullable=False),
)

_columns = outputs.c
_unspent = _columns.spent_index.is_(None)
_order = (_columns.output_type, _columns.created_index, _columns.output_id)
holds_tokens = _columns.native_tokens > literal_column("0")
"""the condition of the index of outputs with native tokens, which a query has to repeat as it stands"""


def _partial(name: str, columns: tuple[Column[Any], ...], where: ColumnElement[bool]) -> None:
    Index(name, *columns, sqlite_where=where, postgresql_where=where)


_partial("ix_blocks_tag", (blocks.c.tag, blocks.c.number), blocks.c.tag.is_not(None))
_partial("ix_outputs_spent", (_columns.spent_index, _columns.output_id), _columns.spent_index.is_not(None))
# With the amount, so that the audit at start reads the index alone.
_partial("ix_outputs_unspent", (*_order, _columns.amount), _unspent)
_partial("ix_outputs_unspent_address", (_columns.address, *_order), _unspent)
# A plain basic output has none of what follows and is in none of these indexes.
for _name in ("sender", "tag", "governor", "issuer", "return_address", "expiration_address", "chain_id"):
    _column = _columns[_name]
    _partial(f"ix_outputs_unspent_{_name}", (_column, *_order), _unspent & _column.is_not(None))
for _name in ("return_address", "timelock", "expiration"):
    _column = _columns[_name]
    _partial(f"ix_outputs_unspent_has_{_name}", (*_order, _column), _unspent & _column.is_not(None))
_partial("ix_outputs_unspent_has_native_tokens", (*_order, _columns.native_tokens), _unspent & holds_tokens)

JOURNAL = (blocks, milestones, referenced, transactions, outputs, movements, crossings)
"""the tables that grow, parents before those that refer to them"""
