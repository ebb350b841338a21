"""The books of a machine: one SQLite file, written before anything is said to the world.

    orders      where each order stands, what it may still produce, and its meter
    readings    every reading that was consumed, with its verdict: none is consumed twice
    coins       outputs that belong to an order, and which transfer spends them
    transfers   signed transactions, stored in full before they are posted
    outbox      messages to post, stored with what they tell about
    facts       the messages of the machine's channel, each with its index (see `tangle.machines.facts`)
    readers     who may read the channel, and for which reason
    instructions    the number of the owner's last word on each reader
    heard       how far each tag has been read

Every step of the machine is one transaction over these tables (see `tangle.machines.settlement`): a reading is
consumed,
the meter moves on, the units are counted and their payments are signed, all of it or nothing. WAL with
synchronous=FULL makes a committed step survive a kill and a power cut. Base units and volumes are kept as decimal
text: both may exceed the 63 bits of an SQLite integer.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DatabaseError

from tangle.machines.errors import OtherState
from tangle.machines.order import Event, State, after

LAYOUT = 2
"""number of this layout of the tables"""
SALT_BYTES = 32
"""bytes of randomness that are this journal's own"""

metadata = MetaData()

identity = Table(
    "identity",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("layout", Integer, nullable=False),
    Column("address", LargeBinary, nullable=False),
    Column("network_id", String, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("begun_ms", BigInteger, nullable=False),
)
orders = Table(
    "orders",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("order_id", LargeBinary, nullable=False, unique=True),
    Column("state", String, nullable=False),
    Column("message", LargeBinary, nullable=False),
    Column("customer", LargeBinary, nullable=False),
    Column("accepted_at", BigInteger, nullable=False),
    Column("deposit", String, nullable=False, default="0"),
    Column("credit", Integer, nullable=False, default=0),
    Column("produced", Integer, nullable=False, default=0),
    Column("meter_at", BigInteger),
    Column("meter_value", BigInteger, nullable=False, default=0),
    Column("volume_half_ml", String, nullable=False, default="0"),
)
readings = Table(
    "readings",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("order_id", ForeignKey("orders.order_id"), nullable=False),
    Column("time", String, nullable=False),
    Column("value", String, nullable=False),
    Column("verdict", String, nullable=False),
    Index("readings_of_order", "order_id", "verdict"),
)
coins = Table(
    "coins",
    metadata,
    Column("output_id", LargeBinary, primary_key=True),
    Column("order_id", ForeignKey("orders.order_id"), nullable=False),
    Column("output", LargeBinary, nullable=False),
    Column("made_by", LargeBinary, nullable=False),
    Column("unit", Integer),
    Column("spent_by", LargeBinary),
    Index("coins_of_order", "order_id", "unit"),
    Index("coins_by_spender", "spent_by"),
)
transfers = Table(
    "transfers",
    metadata,
    Column("order_id", ForeignKey("orders.order_id"), primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("transaction_id", LargeBinary, nullable=False, unique=True),
    Column("payload", LargeBinary, nullable=False),
    Column("amount", String, nullable=False),
    Column("milestone", Integer),
    Index("transfers_by_milestone", "milestone"),
)
outbox = Table(
    "outbox",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("tag", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("posted", Integer, nullable=False, default=0),
    Index("outbox_by_posted", "posted"),
)
facts = Table(
    "facts",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
readers = Table(
    "readers",
    metadata,
    Column("public_key", LargeBinary, primary_key=True),
    Column("reason", String, primary_key=True),
    Index("readers_by_reason", "reason"),
)
instructions = Table(
    "instructions",
    metadata,
    Column("public_key", LargeBinary, primary_key=True),
    Column("number", BigInteger, nullable=False),
)
heard = Table(
    "heard",
    metadata,
    Column("tag", LargeBinary, primary_key=True),
    Column("after", BigInteger, nullable=False),
)


def open_journal(path: Path, address: bytes, network_id: int) -> Engine:
    """The journal in the SQLite file `path`, made if there is none.

    Raises
    ------
    OtherState : the file is no journal, or one of another machine, network or layout
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _durable)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    mine = {"id": 1, "layout": LAYOUT, "address": address, "network_id": str(network_id)}
    try:
        metadata.create_all(engine)
        with engine.begin() as connection:
            row = {**mine, "salt": os.urandom(SALT_BYTES), "begun_ms": time.time_ns() // 1_000_000}
            connection.execute(upsert(identity).values(row).on_conflict_do_nothing())
            found = dict(connection.execute(select(identity)).mappings().one())
    except DatabaseError as error:
        engine.dispose()
        raise OtherState(f"{path}: no journal of a machine ({error.orig})") from None
    different = [name for name, value in mine.items() if found[name] != value]
    if different:
        engine.dispose()
        raise OtherState(f"{path}: a journal with another {', '.join(different).replace('_', ' ')}")
    return engine


def _durable(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transactions start too late to cover reads; SQLAlchemy's "begin" event starts ours.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def salt(connection: Connection) -> bytes:
    """Random bytes that are this journal's own."""
    found: bytes = connection.execute(select(identity.c.salt)).scalar_one()
    return found


def begun_ms(connection: Connection) -> int:
    """When the journal was made, in milliseconds since 1970 by the machine's clock."""
    found: int = connection.execute(select(identity.c.begun_ms)).scalar_one()
    return found


def order_row(connection: Connection, order_id: bytes) -> Any | None:
    """The row of an order, or None."""
    return connection.execute(select(orders).where(orders.c.order_id == order_id)).first()


def advance(connection: Connection, order_id: bytes, happened: Event, **values: Any) -> State:
    """Move an order on by one event and set further columns.

    Raises
    ------
    IllegalEvent : the life cycle does not know the event in this state; nothing is changed
    """
    mine = orders.c.order_id == order_id
    state = State(connection.execute(select(orders.c.state).where(mine)).scalar_one())
    following = after(state, happened)
    connection.execute(update(orders).where(mine).values(state=following.value, **values))
    return following


def enqueue(connection: Connection, tag: bytes, data: bytes) -> None:
    """Put a message into the outbox."""
    connection.execute(insert(outbox).values(tag=tag, data=data, posted=0))


def unposted(connection: Connection, limit: int = 100) -> list[tuple[int, bytes, bytes]]:
    """Number, tag and data of messages that are not known to be posted, oldest first."""
    rows = connection.execute(
        select(outbox.c.number, outbox.c.tag, outbox.c.data)
        .where(outbox.c.posted == 0)
        .order_by(outbox.c.number)
        .limit(limit)
    )
    return [(row.number, row.tag, row.data) for row in rows]


def mark_posted(connection: Connection, number: int) -> None:
    """Note that a message of the outbox is in the Tangle."""
    connection.execute(update(outbox).where(outbox.c.number == number).values(posted=1))


def announced(connection: Connection, tag: bytes, data: bytes) -> bool:
    """Whether the last message for `tag` in the outbox is `data`."""
    mine = select(outbox.c.data).where(outbox.c.tag == tag).order_by(outbox.c.number.desc()).limit(1)
    return connection.execute(mine).scalar() == data


def states(connection: Connection) -> list[str]:
    """The state of every order."""
    return list(connection.execute(select(orders.c.state)).scalars())


def heard_up_to(connection: Connection, tag: bytes) -> int:
    """The event number up to which `tag` has been read; 0 at first."""
    return connection.execute(select(heard.c.after).where(heard.c.tag == tag)).scalar() or 0


def mark_heard(connection: Connection, tag: bytes, after_number: int) -> None:
    """Note that `tag` has been read up to an event number."""
    row = upsert(heard).values(tag=tag, after=after_number)
    connection.execute(row.on_conflict_do_update(index_elements=["tag"], set_={"after": after_number}))


def last_reading(connection: Connection) -> int:
    """The number of the last reading consumed; 0 when there is none."""
    return connection.execute(select(func.max(readings.c.number))).scalar() or 0


def verdicts(connection: Connection, order_id: bytes) -> dict[str, int]:
    """How many readings of an order got which verdict."""
    rows = connection.execute(
        select(readings.c.verdict, func.count())
        .where(readings.c.order_id == order_id)
        .group_by(readings.c.verdict)
    )
    return {verdict: count for verdict, count in rows}  # noqa: C416  rows are no tuples to mypy
