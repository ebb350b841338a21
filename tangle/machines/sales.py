"""What a machine owes, decided step by step; each step is one transaction over the journal and is safe to repeat.

The scheme
----------
When a deposit is in the ledger, the machine signs *allotments*: transactions that split it into one coin of
exactly one price per unit, and the rest. Unit k is paid by a transaction that consumes coin k and nothing
else. So

* no payment waits for another one: once the allotment is included they can all be under way at the same time;
* no remainders arise between payments, hence no storage-deposit dust (see `tangle.machines.terms.divide`);
* the ledger itself forbids paying a unit twice: two payments of unit k would spend the same coin;
* a payment can be signed the moment the unit is counted, without asking the node, in the very transaction that
  consumes the reading. There is no instant at which a unit is counted and its payment is not stored.

Whatever a step decides that readers of the machine's channel are to know, it enters as a fact
(`tangle.machines.facts`).

A kill at any moment therefore leaves a journal from which the same transactions, with the same ids, are posted.
What is left when production ends, coins of units not produced and the rest, goes back in the refund.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any

from tangle.client.wallet.selection import Coin
from tangle.disk.books import Book
from tangle.machines import journal
from tangle.machines.errors import TermsRefused
from tangle.machines.facts import PAYMENT, READING, STATE, UNIT, Log, channel_of, check_reader
from tangle.machines.messages import seal
from tangle.machines.meter import Meter, MeterState, Reading
from tangle.machines.order import OVER, OrderEvent, OrderState, knows
from tangle.machines.payments import REFUND, Payments, due
from tangle.machines.payments import UNIT as UNIT_PAYMENT
from tangle.machines.terms import INTEGER_MAX, Order, Terms, check_order, divide, order_tag, output_deposit
from tangle.parties import book as books
from tangle.parties.errors import MessageRefused
from tangle.parties.messages import SignedMessage
from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.errors import ProtocolError
from tangle.protocol.keys import KeyPair
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import Fields, to_hex
from tangle.protocol.transactions import Transaction


@dataclass(frozen=True, slots=True)
class OrderStatus:
    """Where an order stands; amounts in base units, all of them counted from the journal.

    Attributes
    ----------
    credit : units the deposit pays for
    produced : units counted, each with a signed payment
    paid_units : units whose payment is in the ledger
    paid, refunded : base units in the ledger
    volume_ml : millilitres delivered
    verdicts : number of readings by verdict
    """

    order_id: bytes
    state: OrderState
    deposit: int
    price: int
    credit: int
    produced: int
    paid_units: int
    paid: int
    refunded: int
    volume_ml: int
    verdicts: dict[str, int]


class Sales:
    """The steps of one machine over its journal.

    Parameters
    ----------
    book : from `tangle.machines.journal.open_journal`
    key : the machine's
    terms : those announced now; an order keeps the terms it was accepted under
    """

    def __init__(
        self, book: Book, key: KeyPair, terms: Terms, parameters: ProtocolParameters, meter: Meter
    ) -> None:
        self.book = book
        self.key = key
        self.terms = terms
        self.parameters = parameters
        self.meter = meter
        self.channel = channel_of(key, books.salt(book.connection))

    def take_order(self, message: SignedMessage, now_s: int) -> None:
        """Answer an order; one that is known already changes nothing.

        Raises
        ------
        MessageRefused : the message is no order
        """
        try:
            order = Order.from_json(message.body)
        except ProtocolError as error:
            raise MessageRefused(f"no order: {error}") from None
        with self.book.transaction() as connection:
            if journal.order_row(connection, message.id):
                return
            journal.enter_order(connection, message.id, message.data, message.public_key, now_s)
            try:
                check_order(order, self.terms, self.parameters)
                check_reader(order.reader)
            except (TermsRefused, MessageRefused) as refusal:
                journal.advance(connection, message.id, OrderEvent.REFUSED)
                self._say(connection, message.id, {"kind": "refused", "reason": str(refusal)})
                return
            journal.advance(connection, message.id, OrderEvent.ACCEPTED)
            self._say(connection, message.id, {"kind": "accepted", "deposit": str(order.deposit)})

    def take_stop(self, message: SignedMessage) -> None:
        """End production on the customer's request; too late a request changes nothing.

        Raises
        ------
        MessageRefused : it names no order of this machine, or someone else than the customer signed it
        """
        try:
            order_id = message.body.data("order", size=32)
        except ProtocolError as error:
            raise MessageRefused(f"no stop: {error}") from None
        with self.book.transaction() as connection:
            row = journal.order_row(connection, order_id)
            if row is None:
                raise MessageRefused("the order to stop is not known here")
            if row["customer"] != message.public_key:
                raise MessageRefused("only the customer of an order may stop it")
            if knows(OrderState(row["state"]), OrderEvent.STOP_REQUESTED):
                self._advance(connection, order_id, OrderEvent.STOP_REQUESTED)

    def take_instruction(self, message: SignedMessage) -> None:
        """Admit a reader to the channel or shut it out, as the owner asks; what was done already changes nothing.

        Raises
        ------
        MessageRefused : it is malformed or for another machine, or someone else than the owner signed it
        """
        try:
            machine = message.body.nested("machine", Ed25519Address.from_json)
            reader, number = message.body.data("reader", size=32), message.body.integer("number", INTEGER_MAX)
        except ProtocolError as error:
            raise MessageRefused(f"no {message.kind}: {error}") from None
        if machine != self.key.address or message.sender != self.terms.owner:
            raise MessageRefused("only the owner of this machine says who may read its channel")
        with self.book.transaction() as connection:
            self._log(connection).instruct(message.kind, reader, number)

    def name_owner(self, reader: bytes) -> None:
        """Let the owner read the channel with this X25519 public key, and nobody else as the owner."""
        check_reader(reader)
        with self.book.transaction() as connection:
            self._log(connection).name_owner(reader)

    def expire(self, before_s: int) -> None:
        """Call off orders accepted before `before_s` (seconds since 1970) whose deposit has not come."""
        with self.book.transaction() as connection:
            late = "SELECT order_id FROM orders WHERE state = ? AND accepted_at < ?"
            waiting = connection.execute(late, (OrderState.AWAITING_DEPOSIT.value, before_s)).fetchall()
            for (order_id,) in waiting:
                self._advance(connection, order_id, OrderEvent.EXPIRED)

    def take_deposit(self, order_id: bytes, coin: Coin) -> None:
        """Take an output that carries the order's id and is in the ledger.

        The first buys units. One that comes when the order is over, or buys none, is sent back; one that comes in
        between waits until the order is over. One that was taken before changes nothing.
        """
        with self.book.transaction() as connection:
            row = journal.order_row(connection, order_id)
            known = "SELECT 1 FROM coins WHERE output_id = ?"
            if row is None or connection.execute(known, (coin.output_id,)).fetchone():
                return
            state, payments = OrderState(row["state"]), self._payments(connection, order_id)
            order = _order(row)
            price, least = order.terms.price, output_deposit(self.key.address, self.parameters)
            credit, rest = divide(coin.amount, price, least, order.units)
            buys = state is OrderState.AWAITING_DEPOSIT and credit > 0
            if buys or knows(state, OrderEvent.DEPOSIT_UNUSABLE):
                # Now and not with the order, which costs nothing: only who has paid reads along.
                self._log(connection).admit(order.reader, order_id.hex())
            if buys:
                payments.keep(coin)
                payments.allot(coin, credit, price, rest)
                self._advance(
                    connection, order_id, OrderEvent.DEPOSIT_INCLUDED, deposit=coin.amount, credit=credit
                )
            elif knows(state, OrderEvent.DEPOSIT_UNUSABLE):
                payments.keep(coin)
                payments.refund(Ed25519Address.from_public_key(row["customer"]))
                deposit = int(row["deposit"]) + coin.amount
                self._advance(connection, order_id, OrderEvent.DEPOSIT_UNUSABLE, deposit=deposit)

    def take_reading(self, order_id: bytes, reading: Reading) -> None:
        """Consume one reading of an order in production: meter it and sign the payment of every unit it completes.

        The valve closes when the credit is used up, so no more volume than was paid for is ever delivered.
        A reading that was consumed before changes nothing.
        """
        with self.book.transaction() as connection:
            row = journal.order_row(connection, order_id)
            assert row is not None
            if row["state"] != OrderState.PRODUCING.value or reading.number <= journal.last_reading(connection):
                return
            terms = _order(row).terms
            before = MeterState(row["meter_at"], row["meter_value"], int(row["volume_half_ml"]))
            state, verdict = self.meter.take(before, reading)
            produced = min(state.units(terms.unit_ml), row["credit"])
            exhausted = produced == row["credit"]
            volume = 2 * row["credit"] * terms.unit_ml if exhausted else state.volume_half_ml
            values = {"number": reading.number, "time": reading.time[:64], "value": reading.value[:64]}
            entry = (*values.values(), order_id, verdict.value)
            connection.execute(
                "INSERT INTO readings (number, time, value, order_id, verdict) VALUES (?, ?, ?, ?, ?)", entry
            )
            connection.execute(
                "UPDATE orders SET meter_at = ?, meter_value = ?, volume_half_ml = ? WHERE order_id = ?",
                (state.at, state.value, str(volume), order_id),
            )
            figures = {"verdict": verdict.value, "volumeMillilitres": str(volume // 2), "units": produced}
            self._tell(connection, order_id, READING, {**values, **figures})
            for unit in range(row["produced"] + 1, produced + 1):
                transaction_id = self._payments(connection, order_id).pay(unit, terms.owner)
                journal.advance(connection, order_id, OrderEvent.UNIT_PRODUCED, produced=unit)
                owed = {"price": str(terms.price), "transaction": to_hex(transaction_id)}
                self._tell(connection, order_id, UNIT, {"number": unit, **owed})
            if exhausted:
                self._advance(connection, order_id, OrderEvent.CREDIT_USED_UP)

    def end_readings(self, order_id: bytes) -> None:
        """End production: there is nothing more to meter."""
        with self.book.transaction() as connection:
            row = journal.order_row(connection, order_id)
            if row is not None and row["state"] == OrderState.PRODUCING.value:
                self._advance(connection, order_id, OrderEvent.READINGS_ENDED)

    def due(self) -> list[Transaction]:
        """Transfers to post now, see `tangle.machines.payments.due`."""
        with self.book.transaction() as connection:
            return due(connection)

    def note_included(self, transaction_id: bytes, milestone: int) -> None:
        """Note that a transfer is in the ledger, and move its order on when that was what it waited for."""
        with self.book.transaction() as connection:
            mine = "SELECT * FROM transfers WHERE transaction_id = ?"
            row = connection.execute(mine, (transaction_id,)).fetchone()
            if row["milestone"] is None:
                note = "UPDATE transfers SET milestone = ? WHERE transaction_id = ?"
                connection.execute(note, (milestone, transaction_id))
                figures = {name: row[name] for name in ("purpose", "number", "amount")}
                place = {"transaction": to_hex(transaction_id), "milestone": milestone}
                self._tell(connection, row["order_id"], PAYMENT, {**figures, **place})
            self._review(connection, row["order_id"])

    def open_orders(self) -> list[tuple[bytes, OrderState]]:
        """Orders that are not over, oldest first."""
        with self.book.transaction() as connection:
            rows = connection.execute("SELECT order_id, state FROM orders ORDER BY number")
            found = [(order_id, OrderState(state)) for order_id, state in rows]
        return [(order_id, state) for order_id, state in found if state not in OVER]

    def recent_orders(self, limit: int = 100) -> list[bytes]:
        """The latest orders, over or not: a deposit may still arrive for them."""
        with self.book.transaction() as connection:
            newest = "SELECT order_id FROM orders ORDER BY number DESC LIMIT ?"
            return [order_id for (order_id,) in connection.execute(newest, (limit,))]

    def status(self, order_id: bytes) -> OrderStatus:
        """Where an order stands. Raises KeyError for an unknown one."""
        with self.book.transaction() as connection:
            row = journal.order_row(connection, order_id)
            if row is None:
                raise KeyError(order_id)
            return self._status(connection, row)

    def _status(self, connection: Connection, row: Row) -> OrderStatus:
        payments = self._payments(connection, row["order_id"])
        paid = payments.included(UNIT_PAYMENT)
        return OrderStatus(
            order_id=row["order_id"],
            state=OrderState(row["state"]),
            deposit=int(row["deposit"]),
            price=_order(row).terms.price,
            credit=row["credit"],
            produced=row["produced"],
            paid_units=len(paid),
            paid=sum(paid),
            refunded=sum(payments.included(REFUND)),
            volume_ml=int(row["volume_half_ml"]) // 2,
            verdicts=journal.verdicts(connection, row["order_id"]),
        )

    def _payments(self, connection: Connection, order_id: bytes) -> Payments:
        return Payments(connection, order_id, self.key, self.parameters)

    def _say(self, connection: Connection, order_id: bytes, body: dict[str, Any]) -> None:
        data = seal({**body, "order": to_hex(order_id)}, self.key)
        books.enqueue(connection, order_tag(order_id), data)

    def _log(self, connection: Connection) -> Log:
        return Log(connection, self.key, self.channel)

    def _tell(self, connection: Connection, order_id: bytes, kind: str, body: dict[str, Any]) -> None:
        self._log(connection).tell(kind, {"order": to_hex(order_id), **body})

    def _advance(self, connection: Connection, order_id: bytes, happened: OrderEvent, **values: int) -> None:
        state = journal.advance(connection, order_id, happened, **values)
        row = journal.order_row(connection, order_id)
        assert row is not None
        status = self._status(connection, row)
        figures = {
            "deposit": str(status.deposit),
            "paid": str(status.paid),
            "refunded": str(status.refunded),
            "volumeMillilitres": str(status.volume_ml),
            "units": status.produced,
        }
        self._tell(connection, order_id, STATE, {"state": state.value, **figures})
        if state in OVER:
            self._log(connection).dismiss(order_id.hex())
        if state in {OrderState.EXHAUSTED, OrderState.STOPPING, OrderState.ALLOTTING}:
            self._review(connection, order_id)

    def _review(self, connection: Connection, order_id: bytes) -> None:
        row = journal.order_row(connection, order_id)
        assert row is not None
        state, payments = OrderState(row["state"]), self._payments(connection, order_id)
        if state is OrderState.ALLOTTING:
            if payments.is_allotted():
                self._advance(connection, order_id, OrderEvent.ALLOTTED)
        elif payments.open_count():
            return
        elif state in {OrderState.EXHAUSTED, OrderState.STOPPING}:
            left = payments.refund(Ed25519Address.from_public_key(row["customer"]))
            self._advance(connection, order_id, OrderEvent.REST_LEFT if left else OrderEvent.PAID_UP)
        elif state is OrderState.REFUNDING:
            self._advance(connection, order_id, OrderEvent.REFUND_INCLUDED)


def _order(row: Row) -> Order:
    return Order.from_json(Fields(json.loads(row["message"])["body"]))
