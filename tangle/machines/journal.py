"""The journal of a machine: the tables that it adds to its book (`tangle.parties.book`).

    orders      where each order stands, what it may still produce, and its meter
    readings    every reading that was consumed, with its verdict: none is consumed twice
    coins       outputs that belong to an order, and which transfer spends them
    transfers   signed transactions, stored in full before they are posted
    facts       the messages of the machine's channel, each with its index (see `tangle.machines.facts`)
    readers     who may read the channel, and for which reason
    instructions    the number of the owner's last word on each reader

Every step of the machine is one transaction over these tables (see `tangle.machines.sales`): a reading is
consumed, the meter moves on, the units are counted and their payments are signed, all of it or nothing. Base units
and volumes are kept as decimal text: both may exceed the 63 bits of an SQLite integer.
"""

from __future__ import annotations

from pathlib import Path
from sqlite3 import Connection, Row

from tangle.disk.books import Book
from tangle.machines.order import FIRST, OrderEvent, OrderState, after
from tangle.parties.book import open_book

LAYOUT = 2
"""number of this layout of the tables"""
_TABLES = """
CREATE TABLE orders (
    number INTEGER NOT NULL PRIMARY KEY, order_id BLOB NOT NULL UNIQUE, state VARCHAR NOT NULL,
    message BLOB NOT NULL, customer BLOB NOT NULL, accepted_at BIGINT NOT NULL, deposit VARCHAR NOT NULL,
    credit INTEGER NOT NULL, produced INTEGER NOT NULL, meter_at BIGINT, meter_value BIGINT NOT NULL,
    volume_half_ml VARCHAR NOT NULL
);
CREATE TABLE readings (
    number INTEGER NOT NULL PRIMARY KEY, order_id BLOB NOT NULL REFERENCES orders (order_id),
    time VARCHAR NOT NULL, value VARCHAR NOT NULL, verdict VARCHAR NOT NULL
);
CREATE INDEX readings_of_order ON readings (order_id, verdict);
CREATE TABLE coins (
    output_id BLOB NOT NULL PRIMARY KEY, order_id BLOB NOT NULL REFERENCES orders (order_id),
    output BLOB NOT NULL, made_by BLOB NOT NULL, unit INTEGER, spent_by BLOB
);
CREATE INDEX coins_of_order ON coins (order_id, unit);
CREATE INDEX coins_by_spender ON coins (spent_by);
CREATE TABLE transfers (
    order_id BLOB NOT NULL REFERENCES orders (order_id), purpose VARCHAR NOT NULL, number INTEGER NOT NULL,
    transaction_id BLOB NOT NULL UNIQUE, payload BLOB NOT NULL, amount VARCHAR NOT NULL, milestone INTEGER,
    PRIMARY KEY (order_id, purpose, number)
);
CREATE INDEX transfers_by_milestone ON transfers (milestone);
CREATE TABLE facts (number INTEGER NOT NULL PRIMARY KEY, kind VARCHAR NOT NULL, body BLOB NOT NULL);
CREATE TABLE readers (public_key BLOB NOT NULL, reason VARCHAR NOT NULL, PRIMARY KEY (public_key, reason));
CREATE INDEX readers_by_reason ON readers (reason);
CREATE TABLE instructions (public_key BLOB NOT NULL PRIMARY KEY, number BIGINT NOT NULL);
"""


def open_journal(path: Path, address: bytes, network_id: int) -> Book:
    """The journal in the SQLite file `path`, made if there is none.

    Raises
    ------
    OtherState : the file is no journal, or one of another machine, network or layout
    BookInUse, BookFailed
    """
    return open_book(path, _TABLES, LAYOUT, address, network_id)


def enter_order(connection: Connection, order_id: bytes, message: bytes, customer: bytes, now_s: int) -> None:
    """Begin an order."""
    connection.execute(
        "INSERT INTO orders (order_id, state, message, customer, accepted_at,"
        " deposit, credit, produced, meter_value, volume_half_ml) VALUES (?, ?, ?, ?, ?, '0', 0, 0, 0, '0')",
        (order_id, FIRST.value, message, customer, now_s),
    )


def order_row(connection: Connection, order_id: bytes) -> Row | None:
    """The row of an order, or None."""
    found: Row | None = connection.execute("SELECT * FROM orders WHERE order_id = ?", (order_id,)).fetchone()
    return found


def advance(
    connection: Connection,
    order_id: bytes,
    happened: OrderEvent,
    *,
    produced: int | None = None,
    deposit: int | None = None,
    credit: int | None = None,
) -> OrderState:
    """Move an order on by one event; what is not None is set beside.

    Raises
    ------
    IllegalEvent : the life cycle does not know the event in this state; nothing is changed
    """
    (state,) = connection.execute("SELECT state FROM orders WHERE order_id = ?", (order_id,)).fetchone()
    following = after(OrderState(state), happened)
    connection.execute(
        "UPDATE orders SET state = ?, produced = coalesce(?, produced), deposit = coalesce(?, deposit),"
        " credit = coalesce(?, credit) WHERE order_id = ?",
        (following.value, produced, None if deposit is None else str(deposit), credit, order_id),
    )
    return following


def states(connection: Connection) -> list[str]:
    """The state of every order."""
    return [state for (state,) in connection.execute("SELECT state FROM orders")]


def last_reading(connection: Connection) -> int:
    """The number of the last reading consumed; 0 when there is none."""
    return connection.execute("SELECT max(number) FROM readings").fetchone()[0] or 0


def verdicts(connection: Connection, order_id: bytes) -> dict[str, int]:
    """How many readings of an order got which verdict."""
    query = "SELECT verdict, count(*) FROM readings WHERE order_id = ? GROUP BY verdict"
    return dict(connection.execute(query, (order_id,)).fetchall())
