"""The journal: what happened, appended in batches, replayed at start.

A `Batch` of `rows` is what one group commit makes durable; `append` writes it inside the caller's transaction,
`write` in one of its own. Rows are only ever added, save that an output is marked as spent, once. The single
writer takes numbers from one counter and commits them in order, so a reader who has seen number n will never see
a smaller one appear.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, Table, bindparam, func, insert, select, union_all, update

from tangle.protocol.milestones import MilestoneKeys
from tangle.protocol.parameters import ProtocolParameters
from tangle.store import tables
from tangle.store.engine import OwnConnection, writing
from tangle.store.errors import DoubleSpend, NetworkExists, UnusableNetwork
from tangle.store.rows import (
    Batch,
    BlockRow,
    CrossingRow,
    Inclusion,
    MilestoneRow,
    MovementRow,
    Network,
    OutputRow,
    ReferencedRow,
    SpentRow,
    TransactionRow,
)
from tangle.store.seals import NUMBERED, new_store_id, row_sum, seal

__all__ = [
    "Batch",
    "BlockRow",
    "CrossingRow",
    "Inclusion",
    "MilestoneRow",
    "MovementRow",
    "Network",
    "OutputRow",
    "ReferencedRow",
    "SpentRow",
    "TransactionRow",
    "all_movements",
    "all_outputs",
    "all_transactions",
    "append",
    "block_total",
    "create_network",
    "crossings",
    "first_referenced",
    "latest_milestone",
    "network_of",
    "next_number",
    "read_network",
    "renew_store",
    "replay",
    "replay_milestones",
    "unspent_total",
    "write",
]

REPLAY_PAGE = 2_000
"""blocks read at a time by `replay`"""
_KEY_BYTES = 32
_SEALED = frozenset(NUMBERED)


_SPEND = (
    update(tables.outputs)
    .where(tables.outputs.c.output_id == bindparam("output_id_"), tables.outputs.c.spent_index.is_(None))
    .values(
        spent_index=bindparam("spent_index_"), spent_at=bindparam("spent_at_"), spent_by=bindparam("spent_by_")
    )
)


def append(connection: Connection, batch: Batch) -> None:
    """Write `batch` inside the caller's transaction.

    Raises
    ------
    DoubleSpend : an output to spend is absent or spent; the caller's transaction must be rolled back
    sqlalchemy.exc.IntegrityError : a number, id or spent output repeats, or a row refers to an absent block
    """
    added = newest = 0
    for table in tables.JOURNAL:
        rows = getattr(batch, table.name)
        if rows:
            sql, positional = _insert(table, connection.dialect)
            values = [tuple(row.__dict__.values()) if positional else row.__dict__ for row in rows]
            connection.exec_driver_sql(sql, values)
            if table in _SEALED:
                added += sum(row_sum(row.__dict__.values()) for row in rows)
                newest = max(newest, rows[-1].number)
    if newest:
        seal(connection, newest, added)
    if batch.spent:
        sql, order = _spend(connection.dialect)
        named = [{f"{name}_": value for name, value in row.__dict__.items()} for row in batch.spent]
        spent = [tuple(row[name] for name in order) if order else row for row in named]
        done = connection.exec_driver_sql(sql, spent).rowcount
        if done != len(batch.spent):
            raise DoubleSpend(len(batch.spent), done)


def write(place: Engine | OwnConnection, batch: Batch) -> None:
    """Write `batch` in one transaction; when this returns it is durable. Raises as `append`.

    When it raises, the database decides: a disk may fail after the last byte was on it.
    """
    with writing(place) as connection:
        append(connection, batch)


def replay(connection: Connection, from_number: int = 0) -> Iterator[tuple[BlockRow, ReferencedRow | None]]:
    """The blocks from `from_number` on in the order of attaching, each with what a milestone made of it."""
    joined = tables.blocks.outerjoin(tables.referenced, tables.referenced.c.block_number == tables.blocks.c.number)
    page = (
        select(*tables.blocks.c, *tables.referenced.c)
        .select_from(joined)
        .where(tables.blocks.c.number >= bindparam("start"))
        .order_by(tables.blocks.c.number)
        .limit(REPLAY_PAGE)
    )
    start = from_number
    while rows := connection.execute(page, {"start": start}).all():
        for row in rows:
            block = BlockRow(*row[:6])
            yield block, None if row[6] is None else ReferencedRow(*row[6:])
        start = rows[-1][0] + 1


def replay_milestones(connection: Connection, from_index: int = 0) -> Iterator[MilestoneRow]:
    """The milestones from `from_index` on, in order."""
    statement = (
        select(*tables.milestones.c)
        .where(tables.milestones.c.index >= from_index)
        .order_by(tables.milestones.c.index)
    )
    for row in connection.execute(statement):
        yield MilestoneRow(*row)


def next_number(connection: Connection) -> int:
    """The number of the next event: one more than the largest, 1 in an empty database."""
    numbered: tuple[Table, ...] = (tables.blocks, tables.referenced, tables.milestones, tables.crossings)
    largest = union_all(*(select(func.max(table.c.number).label("number")) for table in numbered)).subquery()
    return int(connection.execute(select(func.max(largest.c.number))).scalar() or 0) + 1


def latest_milestone(connection: Connection) -> MilestoneRow | None:
    """The newest milestone, or None before the first."""
    statement = select(*tables.milestones.c).order_by(tables.milestones.c.index.desc()).limit(1)
    row = connection.execute(statement).one_or_none()
    return MilestoneRow(*row) if row else None


def first_referenced(connection: Connection, index: int) -> int:
    """The least number of a block that milestone `index` or a later one referenced; there is one."""
    referenced = tables.referenced.c
    # As a sum, so that no database walks through all blocks in order of number until one is late enough.
    least = select(func.min(referenced.block_number + 0)).where(referenced.milestone_index >= index)
    return int(connection.execute(least).scalar_one())


def crossings(connection: Connection, from_number: int) -> Iterator[tuple[int, int]]:
    """Block number and threshold (permille) of what was told of blocks from `from_number` on."""
    crossed = tables.crossings.c
    # A crossing comes after its block, so its own number, which is the key, narrows the search.
    recent = (crossed.number >= from_number, crossed.block_number >= from_number)
    for row in connection.execute(select(crossed.block_number, crossed.threshold_permille).where(*recent)):
        yield row[0], row[1]


def block_total(connection: Connection) -> int:
    """How many blocks there are."""
    return int(connection.execute(select(func.count()).select_from(tables.blocks)).scalar() or 0)


def all_outputs(connection: Connection) -> Iterator[OutputRow]:
    """Every output there ever was, in order of id."""
    statement = select(*tables.outputs.c).order_by(tables.outputs.c.output_id)
    for row in connection.execution_options(yield_per=REPLAY_PAGE).execute(statement):
        yield OutputRow(*row)


def all_movements(connection: Connection) -> Iterator[MovementRow]:
    """Every movement, in order of address and number."""
    statement = select(*tables.movements.c).order_by(tables.movements.c.address, tables.movements.c.number)
    for row in connection.execution_options(yield_per=REPLAY_PAGE).execute(statement):
        yield MovementRow(*row)


def all_transactions(connection: Connection) -> Iterator[TransactionRow]:
    """Every included transaction, in no order."""
    for row in connection.execution_options(yield_per=REPLAY_PAGE).execute(select(*tables.transactions.c)):
        yield TransactionRow(*row)


def unspent_total(connection: Connection) -> int:
    """The sum, in base units and exact, of all unspent outputs: the token supply if the ledger is sound."""
    unspent = tables.outputs.c.spent_index.is_(None)
    return int(connection.execute(select(func.sum(tables.outputs.c.amount)).where(unspent)).scalar() or 0)


def create_network(engine: Engine, network: Network, genesis: OutputRow) -> None:
    """Found `network`, whose whole supply is `genesis`, in an empty database.

    Raises
    ------
    NetworkExists : there is one
    UnusableNetwork : the supply exceeds `tables.SUPPLY_MAX`, or `genesis` is not the supply
    """
    supply = network.parameters.token_supply
    if supply > tables.SUPPLY_MAX:
        raise UnusableNetwork(f"token supply {supply} exceeds {tables.SUPPLY_MAX}, the most this store can count")
    if genesis.amount != supply:
        raise UnusableNetwork(f"the genesis output holds {genesis.amount} base units, the supply is {supply}")
    with writing(engine) as connection:
        found = network_of(connection)
        if found is not None:
            raise NetworkExists(found.parameters.network_name)
        row: dict[str, Any] = {
            "id": 1,
            "name": network.parameters.network_name,
            "parameters": network.parameters.encode(),
            "milestone_keys": b"".join(network.keys.public_keys),
            "threshold": network.keys.threshold,
            "created_at": network.created_at,
        }
        seal(connection, 0, row_sum([one.encode() if isinstance(one, str) else one for one in row.values()]))
        connection.execute(insert(tables.network), {**row, "store_id": new_store_id()})
        append(connection, Batch(outputs=[genesis]))


def renew_store(engine: Engine) -> str:
    """Give the journal a new id: from here on it goes another way than one that had the old id. Returns it."""
    store_id = new_store_id()
    with writing(engine) as connection:
        connection.execute(update(tables.network).values(store_id=store_id))
    return store_id


def read_network(engine: Engine) -> Network | None:
    """The network of this database, or None before `create_network`."""
    with engine.connect() as connection:
        return network_of(connection)


def network_of(connection: Connection) -> Network | None:
    """The network, or None before `create_network`."""
    row = connection.execute(select(tables.network)).one_or_none()
    if row is None:
        return None
    keys = tuple(row.milestone_keys[i : i + _KEY_BYTES] for i in range(0, len(row.milestone_keys), _KEY_BYTES))
    parameters = ProtocolParameters.decode(row.parameters)
    return Network(parameters, MilestoneKeys(keys, row.threshold), row.created_at, row.store_id)


# Rows are plain integers and bytes, which drivers take as they are; converting each costs more than writing it.
@lru_cache(maxsize=64)
def _insert(table: Table, dialect: Dialect) -> tuple[str, bool]:
    """The INSERT of a whole row, and whether it takes values in the order of the columns rather than by name."""
    compiled = insert(table).compile(dialect=dialect)
    return str(compiled), compiled.positional


@lru_cache(maxsize=4)
def _spend(dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """The UPDATE that marks an output as spent, and the order of its values unless it takes them by name."""
    compiled = _SPEND.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())
