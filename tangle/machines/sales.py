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

An order nobody pays costs next to nothing: it shows some work before anything is done for it, is bounded per
customer and in all, has no part in the channel and is forgotten after a while. Deposits are found by walking the
coins that come to the machine's address, so a look costs the same for one order and for a thousand, and none is
too old to be found.

A kill at any moment therefore leaves a journal from which the same transactions, with the same ids, are posted.
What is left when production ends, coins of units not produced and the rest, goes back in the refund.
"""

from __future__ import annotations

import json
from sqlite3 import Connection, Row
from typing import Any

from tangle.client.wallet.selection import Coin
from tangle.disk.books import Book
from tangle.machines import journal, waiting
from tangle.machines.errors import TermsRefused
from tangle.machines.facts import (
    PAYMENT,
    READING,
    SEND_ON,
    STATE,
    UNIT,
    UNORDERED,
    Log,
    channel_of,
    check_reader,
)
from tangle.machines.messages import seal
from tangle.machines.meter import Meter, MeterState, Reading
from tangle.machines.order import OVER, OrderEvent, OrderState, knows
from tangle.machines.payments import Payments, due
from tangle.machines.status import OrderStatus, status_of
from tangle.machines.terms import INTEGER_MAX, Order, Terms, check_order, divide, order_tag, output_deposit
from tangle.parties import book as books
from tangle.parties.errors import MessageRefused
from tangle.parties.messages import SignedMessage, work_of
from tangle.protocol.addresses import ADDRESSES, Address, Ed25519Address
from tangle.protocol.errors import ProtocolError
from tangle.protocol.keys import KeyPair
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import Fields, to_hex
from tangle.protocol.transactions import Transaction

UNPAID_S = 600
"""seconds for which an order waits for its deposit, and for which it counts against its customer"""
UNPAID_PER_CUSTOMER = 4
"""orders of one key that nobody has paid"""
AWAITING_MAX = 1_000
"""orders that wait for their deposit"""
UNPAID_KEPT_S = 7 * 86_400
"""seconds for which an order that nobody paid is remembered, so that a late deposit goes back by itself"""


class Sales:
    """The steps of one machine over its journal.

    Parameters
    ----------
    book : from `tangle.machines.journal.open_journal`
    key : the machine's
    terms : those announced now; an order keeps the terms it was accepted under
    awaiting_max : orders that wait for their deposit; the one that waits longest makes room for another
    """

    def __init__(
        self,
        book: Book,
        key: KeyPair,
        terms: Terms,
        parameters: ProtocolParameters,
        meter: Meter,
        *,
        awaiting_max: int = AWAITING_MAX,
    ) -> None:
        self.book = book
        self.key = key
        self.terms = terms
        self.parameters = parameters
        self.meter = meter
        self.awaiting_max = awaiting_max
        version = journal.channel_format(book.connection)
        self.channel = channel_of(key, books.salt(book.connection), parameters.network_id, version)

    def take_order(self, message: SignedMessage, now_s: int) -> None:
        """Answer an order; one that is known already changes nothing.

        Raises
        ------
        MessageRefused : the message is no order, shows too little work, or its customer has paid too few; it is
            not answered, for an answer costs work
        """
        if work_of(message.id) < self.terms.work:
            raise MessageRefused(f"an order's id begins with {self.terms.work} zero bits")
        try:
            order = Order.from_json(message.body)
        except ProtocolError as error:
            raise MessageRefused(f"no order: {error}") from None
        with self.book.transaction() as connection:
            if journal.order_row(connection, message.id):
                return
            if journal.unpaid_since(connection, message.public_key, now_s - UNPAID_S) >= UNPAID_PER_CUSTOMER:
                raise MessageRefused(f"its customer has {UNPAID_PER_CUSTOMER} orders that nobody paid")
            self._make_room(connection)
            journal.enter_order(connection, message.id, message.data, message.public_key, now_s)
            try:
                check_order(order, self.terms, self.parameters)
                check_reader(order.reader)
            except (TermsRefused, MessageRefused) as refusal:
                journal.advance(connection, message.id, OrderEvent.REFUSED)
                self._say(connection, message.id, {"kind": "refused", "reason": str(refusal)})
            else:
                journal.advance(connection, message.id, OrderEvent.ACCEPTED)
                self._say(connection, message.id, {"kind": "accepted", "deposit": str(order.deposit)})
            self._take_waiting(connection, message.id)

    def _make_room(self, connection: Connection) -> None:
        """Call off the order that waits longest for its deposit, where too many do."""
        if journal.count_in(connection, OrderState.AWAITING_DEPOSIT) >= self.awaiting_max:
            oldest = journal.first_in(connection, OrderState.AWAITING_DEPOSIT)
            assert oldest is not None
            self._advance(connection, oldest, OrderEvent.EXPIRED)

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
        """Do what the owner asks: admit a reader to the channel, shut it out, or send on money without an order.

        What was done already changes nothing.

        Raises
        ------
        MessageRefused : it is malformed or for another machine, or someone else than the owner signed it
        """
        body, to = message.body, None
        try:
            machine = body.nested("machine", Ed25519Address.from_json)
            number = body.integer("number", INTEGER_MAX)
            reader = b"" if message.kind == SEND_ON else body.data("reader", size=32)
            if "to" in body:
                to = body.nested("to", ADDRESSES.from_json)
        except ProtocolError as error:
            raise MessageRefused(f"no {message.kind}: {error}") from None
        if machine != self.key.address or message.sender != self.terms.owner:
            raise MessageRefused("only the owner of this machine gives it instructions")
        with self.book.transaction() as connection:
            if message.kind != SEND_ON:
                self._log(connection).instruct(message.kind, reader, number)
            elif self._log(connection).is_new(SEND_ON.encode(), number):
                waiting.send_on(connection, to, self.key, self.parameters)

    def name_owner(self, reader: bytes) -> None:
        """Let the owner read the channel with this X25519 public key, and nobody else as the owner."""
        check_reader(reader)
        with self.book.transaction() as connection:
            self._log(connection).name_owner(reader)

    def expire(self, before_s: int) -> None:
        """Call off orders accepted before `before_s` (seconds since 1970) whose deposit has not come."""
        with self.book.transaction() as connection:
            late = "SELECT order_id FROM orders WHERE state = ? AND accepted_at < ?"
            called_off = connection.execute(late, (OrderState.AWAITING_DEPOSIT.value, before_s)).fetchall()
            for (order_id,) in called_off:
                self._advance(connection, order_id, OrderEvent.EXPIRED)
            journal.forget_unpaid(connection, before_s - UNPAID_KEPT_S)

    def take_coin(self, coin: Coin, payer: Address | None) -> bool:
        """Take an output of the machine's address that is in the ledger; whether an order is known for its tag.

        The first of an order buys units. One that comes when the order is over, or buys none, is sent back; one
        that comes in between waits until the order is over, and one without an order until it comes or the owner
        says where the money goes. One that was taken before changes nothing.
        """
        with self.book.transaction() as connection:
            tag = coin.output.tag or b""
            order_id = journal.order_tagged(connection, tag)
            if not waiting.is_known(connection, coin.output_id):
                waiting.keep(connection, coin, payer)
                if order_id is not None:
                    self._take_waiting(connection, order_id)
        return order_id is not None

    def knows_coin(self, output_id: bytes) -> bool:
        """Whether a coin is in the books."""
        with self.book.transaction() as connection:
            return waiting.is_known(connection, output_id)

    def unordered(self) -> list[waiting.Unordered]:
        """Money that nobody ordered with and that nothing spends yet."""
        with self.book.transaction() as connection:
            return list(waiting.unordered(connection))

    def tell_unordered(self) -> None:
        """Tell the readers of the channel, the owner above all, how much money there is without an order."""
        with self.book.transaction() as connection:
            coins = [one.coin for one in waiting.unordered(connection)]
            figures = {"coins": len(coins), "amount": str(sum(coin.amount for coin in coins))}
            self._log(connection).tell(UNORDERED, {"order": "", **figures})

    def _take_waiting(self, connection: Connection, order_id: bytes) -> None:
        """Take the coins that wait for an order, if it can take some now."""
        row = journal.order_row(connection, order_id)
        assert row is not None
        state, order = OrderState(row["state"]), _order(row)
        if not knows(state, OrderEvent.DEPOSIT_UNUSABLE):
            return
        for coin in waiting.take(connection, order_tag(order_id)):
            # Now and not with the order, which costs nothing: only who has paid reads along.
            self._log(connection).admit(order.reader, order_id.hex())
            self._take_deposit(connection, order_id, order, coin)

    def _take_deposit(self, connection: Connection, order_id: bytes, order: Order, coin: Coin) -> None:
        row = journal.order_row(connection, order_id)
        assert row is not None
        state, payments = OrderState(row["state"]), self._payments(connection, order_id)
        price, least = order.terms.price, output_deposit(self.key.address, self.parameters)
        credit, rest = divide(coin.amount, price, least, order.units)
        if state is OrderState.AWAITING_DEPOSIT and credit > 0:
            payments.keep(coin)
            payments.allot(coin, credit, price, rest)
            self._advance(connection, order_id, OrderEvent.DEPOSIT_INCLUDED, deposit=coin.amount, credit=credit)
        elif knows(state, OrderEvent.DEPOSIT_UNUSABLE):
            payments.keep(coin)
            payments.refund(Ed25519Address.from_public_key(row["customer"]))
            deposit = int(row["deposit"]) + coin.amount
            self._advance(connection, order_id, OrderEvent.DEPOSIT_UNUSABLE, deposit=deposit)
        else:
            # A second one while the first is being used.
            waiting.keep(connection, coin, None)

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
        """Transfers to post now, see `tangle.machines.payments.due`; and what is sent back or on."""
        with self.book.transaction() as connection:
            return [*due(connection), *waiting.due(connection)]

    def note_included(self, transaction_id: bytes, milestone: int) -> bool:
        """Note that a transfer is in the ledger, and move its order on when that was what it waited for.

        Returns
        -------
        whether it sent money back or on that nobody ordered with
        """
        with self.book.transaction() as connection:
            if waiting.note_included(connection, transaction_id, milestone):
                return True
            mine = "SELECT * FROM transfers WHERE transaction_id = ?"
            row = connection.execute(mine, (transaction_id,)).fetchone()
            if row["milestone"] is None:
                note = "UPDATE transfers SET milestone = ? WHERE transaction_id = ?"
                connection.execute(note, (milestone, transaction_id))
                figures = {name: row[name] for name in ("purpose", "number", "amount")}
                place = {"transaction": to_hex(transaction_id), "milestone": milestone}
                self._tell(connection, row["order_id"], PAYMENT, {**figures, **place})
            self._review(connection, row["order_id"])
        return False

    def in_production(self) -> bytes | None:
        """The order that is produced now: the oldest one that can be."""
        with self.book.transaction() as connection:
            return journal.first_in(connection, OrderState.PRODUCING)

    def finished(self) -> int:
        """How many orders are over, where all are; 0 while one is open."""
        with self.book.transaction() as connection:
            counts = journal.counts(connection)
        return 0 if counts.keys() - OVER else sum(counts.values())

    def recent_orders(self, limit: int) -> list[bytes]:
        """The latest orders that were paid, and as many that nobody has paid."""
        newest = "SELECT order_id FROM orders WHERE deposit {} '0' ORDER BY number DESC LIMIT ?"
        with self.book.transaction() as connection:
            asked = (connection.execute(newest.format(sign), (limit,)) for sign in ("!=", "="))
            return [order_id for rows in asked for (order_id,) in rows.fetchall()]

    def status(self, order_id: bytes) -> OrderStatus:
        """Where an order stands. Raises KeyError for an unknown one."""
        with self.book.transaction() as connection:
            row = journal.order_row(connection, order_id)
            if row is None:
                raise KeyError(order_id)
            return status_of(connection, row, _order(row), self._payments(connection, order_id))

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
        if state is OrderState.CANCELLED:
            # Nobody has paid it, so nobody reads along; and an answer that was not posted yet is not needed.
            books.forget(connection, order_tag(order_id))
            return
        status = status_of(connection, row, _order(row), self._payments(connection, order_id))
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
            self._take_waiting(connection, order_id)
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
