"""The journal of a machine: the tables that it adds to its book (`tangle.parties.book`).

    orders      where each order stands, what it may still produce, and its meter
    readings    every reading that was consumed, with its verdict: none is consumed twice
    coins       outputs that belong to an order, and which transfer spends them
    transfers   signed transactions, stored in full before they are posted
    facts       the messages of the machine's channel, each with its index (see `tangle.machines.facts`)
    readers     who may read the channel, and for which reason
    instructions    the number of the owner's last word on each reader
    waiting     coins that came without an order, or while theirs could not take them
    onward      signed transactions that send such coins back or on

Every step of the machine is one transaction over these tables (see `tangle.machines.sales`): a reading is
consumed, the meter moves on, the units are counted and their payments are signed, all of it or nothing. Base units
and volumes are kept as decimal text: both may exceed the 63 bits of an SQLite integer.
"""

from __future__ import annotations

from pathlib import Path
from sqlite3 import Connection, Row

from tangle.disk.books import Book
from tangle.machines.order import FIRST, OrderEvent, OrderState, after
from tangle.machines.terms import ORDER_TAG, order_tag
from tangle.parties.book import forget, open_book

LAYOUT = 2
"""number of the layout of the tables as they are first made; `_CHANGES` makes the later ones"""
UNPAID_KEPT = 10_000
"""orders that nobody paid, the newest so many; a deposit that comes later is money without an order"""
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
_CHANGES = (
    """
CREATE INDEX orders_by_state ON orders (state, accepted_at);
CREATE INDEX orders_of_customer ON orders (customer, accepted_at);
CREATE INDEX outbox_by_tag ON outbox (tag);
CREATE TABLE waiting (
    output_id BLOB NOT NULL PRIMARY KEY, output BLOB NOT NULL, tag BLOB NOT NULL, payer BLOB, spent_by BLOB
);
CREATE INDEX waiting_by_tag ON waiting (tag);
CREATE TABLE onward (transaction_id BLOB NOT NULL PRIMARY KEY, payload BLOB NOT NULL, milestone INTEGER);
""",
    # A channel goes on in the format in which it began.
    """
CREATE TABLE channel_format (version INTEGER NOT NULL);
INSERT INTO channel_format SELECT CASE WHEN EXISTS (SELECT 1 FROM facts) THEN 2 ELSE 3 END;
""",
)


def open_journal(path: Path, address: bytes, network_id: int) -> Book:
    """The journal in the SQLite file `path`, made if there is none.

    Raises
    ------
    OtherState : the file is no journal, or one of another machine, network or layout
    BookInUse, BookFailed
    """
    return open_book(path, _TABLES, LAYOUT, address, network_id, _CHANGES)


def channel_format(connection: Connection) -> int:
    """Version of the format of the machine's channel."""
    found: int = connection.execute("SELECT version FROM channel_format").fetchone()[0]
    return found


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


def counts(connection: Connection) -> dict[OrderState, int]:
    """How many orders are in which state."""
    rows = connection.execute("SELECT state, count(*) FROM orders GROUP BY state")
    return {OrderState(state): count for state, count in rows}


def count_in(connection: Connection, state: OrderState) -> int:
    """How many orders are in a state."""
    query = "SELECT count(*) FROM orders WHERE state = ?"
    count: int = connection.execute(query, (state.value,)).fetchone()[0]
    return count


def first_in(connection: Connection, state: OrderState) -> bytes | None:
    """The oldest order in a state."""
    oldest = "SELECT order_id FROM orders WHERE state = ? ORDER BY accepted_at, number LIMIT 1"
    row = connection.execute(oldest, (state.value,)).fetchone()
    return row[0] if row else None


def order_tagged(connection: Connection, tag: bytes) -> bytes | None:
    """The id of the order whose tag this is."""
    # A tag holds the beginning of the id, and ids are indexed as bytes are.
    try:
        beginning = bytes.fromhex(tag.removeprefix(ORDER_TAG).decode())
    except ValueError:
        return None
    next_one = "SELECT order_id FROM orders WHERE order_id >= ? ORDER BY order_id LIMIT 1"
    row = connection.execute(next_one, (beginning,)).fetchone()
    return row[0] if row and order_tag(row[0]) == tag else None


def unpaid_since(connection: Connection, customer: bytes, since_s: int) -> int:
    """Orders of a customer that came since a time and that nobody has paid."""
    query = "SELECT count(*) FROM orders WHERE customer = ? AND accepted_at >= ? AND deposit = '0'"
    count: int = connection.execute(query, (customer, since_s)).fetchone()[0]
    return count


def forget_unpaid(connection: Connection, before_s: int) -> None:
    """Drop orders that were never paid, those accepted before a time and all but the newest `UNPAID_KEPT`."""
    unpaid = "SELECT order_id FROM orders WHERE state = ? AND deposit = '0'"
    over = (OrderState.CANCELLED.value,)
    old = connection.execute(f"{unpaid} AND accepted_at < ?", (*over, before_s)).fetchall()
    old += connection.execute(
        f"{unpaid} ORDER BY accepted_at DESC, number DESC LIMIT -1 OFFSET ?",
        (*over, UNPAID_KEPT),
    ).fetchall()
    for (order_id,) in old:
        forget(connection, order_tag(order_id))
        connection.execute("DELETE FROM orders WHERE order_id = ?", (order_id,))


def last_reading(connection: Connection) -> int:
    """The number of the last reading consumed; 0 when there is none."""
    return connection.execute("SELECT max(number) FROM readings").fetchone()[0] or 0


def verdicts(connection: Connection, order_id: bytes) -> dict[str, int]:
    """How many readings of an order got which verdict."""
    query = "SELECT verdict, count(*) FROM readings WHERE order_id = ? GROUP BY verdict"
    return dict(connection.execute(query, (order_id,)).fetchall())
