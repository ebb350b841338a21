"""The machine: it hears orders, waits for the deposit, produces while the credit lasts, pays its owner per
unit, and refunds what is left.

A process of its own with its own seed. Everything it decides goes through `tangle.machines.sales`, so it may
be killed at any moment and started again with the same command; SIGTERM ends it where it waits.

`python -m tangle.machines.machine --help`
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from tangle.client.channels import Publisher
from tangle.client.errors import ClientError, JournalChanged
from tangle.machines import journal, readings
from tangle.machines.channel import open_channel, write_facts
from tangle.machines.facts import GRANT, REVOKE, SEND_ON
from tangle.machines.messages import seal, unseal
from tangle.machines.meter import COUNTER_BITS, CounterMeter, FlowMeter, Meter, Reading
from tangle.machines.readings import ReadingsForm
from tangle.machines.sales import UNPAID_S, Sales
from tangle.machines.status import OrderStatus
from tangle.machines.terms import (
    ML_PER_LITRE,
    ORDER_WORK_BITS,
    ORDER_WORK_BITS_MAX,
    UNITS_MAX,
    Terms,
    check_terms,
    machine_tag,
)
from tangle.parties import book
from tangle.parties.agent import (
    LOCAL_NODE,
    ColumnOption,
    DecimalOption,
    DelimiterOption,
    EncodingOption,
    JsonOption,
    NodeOption,
    SeedOption,
    TimeColumnOption,
    TimeFormatOption,
    finite,
    run,
)
from tangle.parties.errors import MessageRefused
from tangle.parties.ledger import AWAY_S, Ledger, NodeLedger, connected
from tangle.parties.report import Report, reporter
from tangle.parties.seed import read_keys
from tangle.protocol.addresses import from_bech32, to_bech32
from tangle.protocol.serial import from_hex, to_hex
from tangle.protocol.transactions import Transaction

POSTS_MAX = 8
"""messages posted in one round: each may take work, and what was paid for goes on beside"""
TOLD_MAX = 10
"""orders, refusals and coins that are told one by one"""
REFUSED_TOLD_S = 10.0
"""seconds between two reports of messages that were refused"""
UNORDERED_TOLD_S = 60.0
"""seconds between two messages of the channel about money without an order"""
CHANNEL_SUFFIX = ".channel"
"""of the file beside the journal that keeps the channel's writer"""

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a machine goes.

    Attributes
    ----------
    readings_per_s : readings replayed per second while an order is in production
    tick_s : seconds between two looks at the Tangle
    deposit_within_s : seconds after which an order without a deposit is called off
    """

    readings_per_s: float = 1.0
    tick_s: float = 0.25
    deposit_within_s: int = UNPAID_S


@dataclass
class Refusals:
    """Reports of messages that were refused: anybody can send them, so only some are told one by one."""

    report: Report
    _reasons: list[str] = field(default_factory=list, init=False)
    _more: int = field(default=0, init=False)
    _next: float = field(default=0.0, init=False)

    def count(self, reason: str) -> None:
        """Note one."""
        if len(self._reasons) < TOLD_MAX:
            self._reasons.append(reason)
        else:
            self._more += 1

    def tell(self) -> None:
        """Report what was noted, unless something was reported a moment ago."""
        if not self._reasons or time.monotonic() < self._next:
            return
        for reason in self._reasons:
            self.report({"event": "message_refused", "reason": reason})
        if self._more:
            self.report({"event": "messages_refused", "more": self._more})
        self._reasons, self._more, self._next = [], 0, time.monotonic() + REFUSED_TOLD_S


@dataclass
class Machine:
    """One machine at work.

    Attributes
    ----------
    source : gives the readings that follow a number; called once per process
    orders : end after so many orders are over; None goes on for ever
    publisher : writes the channel; without one its messages wait in the journal
    """

    sales: Sales
    ledger: Ledger
    source: Callable[[int], Iterator[Reading]]
    pace: Pace = field(default_factory=Pace)
    report: Report = lambda _: None
    orders: int | None = None
    publisher: Publisher | None = None
    _paying: dict[bytes, asyncio.Task[int]] = field(default_factory=dict, init=False)
    _readings: Iterator[Reading] | None = field(default=None, init=False)
    _next_reading: float = field(default=0.0, init=False)
    _coins_after: int = field(default=0, init=False)
    _told: dict[bytes, OrderStatus] = field(default_factory=dict, init=False)
    _refused: Refusals = field(init=False)
    _untold_coins: bool = field(default=False, init=False)
    _next_unordered: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._refused = Refusals(self.report)

    async def run(self) -> None:
        """Work until cancelled, or until the orders asked for are over.

        Raises
        ------
        PaymentConflicting : a payment can never be included; nothing more is done then
        """
        self._announce()
        try:
            while True:
                await self._try_step()
                if self.orders is not None and self._finished() >= self.orders:
                    return
                await asyncio.sleep(self.pace.tick_s)
        finally:
            for task in self._paying.values():
                task.cancel()
            await asyncio.gather(*self._paying.values(), return_exceptions=True)

    async def _try_step(self) -> None:
        # A step may be cut off anywhere and done again, so a node that is down is only waited for.
        try:
            await self.step()
        except JournalChanged as error:
            self.report({"event": "journal_changed", "message": str(error)})
            await asyncio.sleep(AWAY_S)
        except ClientError as error:
            if not error.passes:
                raise
            self.report({"event": "node_away", "message": str(error)})
            await asyncio.sleep(AWAY_S)

    async def step(self) -> None:
        """One round: hear, take deposits, produce, pay, write the channel, post, report."""
        await self._hear()
        await self._deposits()
        self._produce()
        self._pay()
        if self.publisher is not None:
            await write_facts(self.sales, self.publisher)
        await self._post()
        self._tell()

    def _announce(self) -> None:
        key, terms = self.sales.key, self.sales.terms
        tag = machine_tag(key.address)
        with self.sales.book.transaction() as connection:
            quote = seal(terms.to_json(), key)
            if not book.announced(connection, tag, quote):
                book.enqueue(connection, tag, quote)

    async def _hear(self) -> None:
        tag = machine_tag(self.sales.key.address)
        # Numbers of another journal mean nothing: then all is heard anew, and taking it twice changes nothing.
        place = tag + await self.ledger.journal()
        with self.sales.book.transaction() as connection:
            after = book.heard_up_to(connection, place)
        messages = await self.ledger.hear(tag, after)
        for heard in messages:
            self._take(heard.data)
        if messages:
            # A kill before this makes them heard twice: taking is idempotent.
            with self.sales.book.transaction() as connection:
                book.mark_heard(connection, place, messages[-1].number)
        self._refused.tell()

    def _take(self, data: bytes) -> None:
        try:
            message = unseal(data)
            if message.kind == "order":
                self.sales.take_order(message, int(time.time()))
            elif message.kind == "stop":
                self.sales.take_stop(message)
            elif message.kind in {GRANT, REVOKE, SEND_ON}:
                self.sales.take_instruction(message)
        except MessageRefused as refusal:
            self._refused.count(str(refusal))

    async def _deposits(self) -> None:
        self.sales.expire(int(time.time()) - self.pace.deposit_within_s)
        address, sales = self.sales.key.address, self.sales
        coins, self._coins_after = await self.ledger.arrived(address, self._coins_after, sales.knows_coin)
        unordered = [coin for coin in coins if not sales.take_coin(coin, await self.ledger.payer(coin))]
        for coin in unordered[:TOLD_MAX]:
            amount, tag = coin.output.amount, to_hex(coin.output.tag or b"")
            self.report({"event": "unordered", "output": to_hex(coin.output_id), "amount": amount, "tag": tag})
        self._untold_coins = self._untold_coins or bool(unordered)
        if self._untold_coins and time.monotonic() >= self._next_unordered:
            # Seldom: each is a message of the channel, and anybody can send coins.
            self._untold_coins, self._next_unordered = False, time.monotonic() + UNORDERED_TOLD_S
            sales.tell_unordered()
            self.tell_unordered()

    def tell_unordered(self) -> None:
        """Report how much money lies here that nobody ordered with, if there is some."""
        coins = [one.coin for one in self.sales.unordered()]
        if coins:
            total = sum(coin.amount for coin in coins)
            hint = "`tangle machine send-on` sends it back or on"
            self.report({"event": "unordered_total", "coins": len(coins), "amount": total, "hint": hint})

    def _produce(self) -> None:
        now = time.monotonic()
        while order_id := self.sales.in_production():
            # A machine that fell behind goes on at its pace: it catches up one tick, not the whole pause.
            self._next_reading = max(self._next_reading, now - self.pace.tick_s)
            if self._next_reading > now:
                return
            self._next_reading += 1 / self.pace.readings_per_s
            reading = next(self._source(), None)
            if reading is None:
                self.sales.end_readings(order_id)
            else:
                self.sales.take_reading(order_id, reading)

    def _source(self) -> Iterator[Reading]:
        if self._readings is None:
            with self.sales.book.transaction() as connection:
                self._readings = self.source(journal.last_reading(connection))
        return self._readings

    def _pay(self) -> None:
        for task in [task for task in self._paying.values() if task.done()]:
            task.result()
        self._paying = {key: task for key, task in self._paying.items() if not task.done()}
        for transaction in self.sales.due():
            if transaction.id not in self._paying:
                self._paying[transaction.id] = asyncio.create_task(self._include(transaction))

    async def _include(self, transaction: Transaction) -> int:
        milestone = await self.ledger.include(transaction)
        if self.sales.note_included(transaction.id, milestone):
            amount = sum(output.amount for output in transaction.essence.outputs)
            self.report({"event": "sent_on", "amount": amount, "transaction": to_hex(transaction.id)})
        return milestone

    async def _post(self) -> None:
        with self.sales.book.transaction() as connection:
            messages = book.unposted(connection, POSTS_MAX)
        for number, tag, data in messages:
            await self.ledger.post(tag, data)
            with self.sales.book.transaction() as connection:
                book.mark_posted(connection, number)

    def _tell(self) -> None:
        told = {order_id: self.sales.status(order_id) for order_id in self.sales.recent_orders(TOLD_MAX)}
        for order_id, status in told.items():
            if self._told.get(order_id) != status:
                self.report({"event": "order", **status.facts})
        self._told = told

    def _finished(self) -> int:
        with self.sales.book.transaction() as connection:
            pending = bool(book.unposted(connection, limit=1))
        # Only a quiet machine is finished: what it has to say must be posted, too. The step before this look has
        # written all facts there were, and one that came since is of a payment under way.
        return 0 if pending or self._paying else self.sales.finished()


async def work(
    ledger: NodeLedger,
    seed_file: Path,
    state: Path,
    owner: str,
    owner_reader: bytes | None,
    sale: tuple[int, int, int],
    meter: Meter,
    source: Callable[[int], Iterator[Reading]],
    pace: Pace,
    report: Report,
    orders: int | None,
) -> int:
    """Run a machine against a node until it is stopped or the orders are over.

    Parameters
    ----------
    owner : bech32 address that payments go to
    owner_reader : X25519 public key with which the owner reads the channel
    sale : price in base units per unit, millilitres per unit, and zero bits of an order's id
    """
    parameters = await ledger.parameters()
    key = read_keys(seed_file).derive()
    price, unit_ml, work = sale
    terms = Terms(key.address, from_bech32(owner, parameters.bech32_hrp), price, unit_ml, UNITS_MAX, work)
    check_terms(terms, parameters)
    kept = journal.open_journal(state, key.address.encode(), parameters.network_id)
    try:
        sales = Sales(kept, key, terms, parameters, meter)
        if owner_reader is not None:
            sales.name_owner(owner_reader)
        async with await open_channel(state.with_suffix(CHANNEL_SUFFIX), sales, ledger) as publisher:
            machine = Machine(sales, ledger, source, pace, report, orders, publisher)
            address = to_bech32(key.address, parameters.bech32_hrp)
            report({"event": "ready", "address": address, "price": terms.price, "unitMillilitres": terms.unit_ml})
            machine.tell_unordered()
            await machine.run()
    finally:
        kept.close()
    report({"event": "ended"})
    return 0


@app.command()
def main(
    seed_file: SeedOption,
    state: Annotated[Path, typer.Option(help="SQLite file with the machine's books; made when there is none.")],
    owner: Annotated[str, typer.Option(help="Address that is paid for each unit.")],
    node: NodeOption = LOCAL_NODE,
    owner_reader: Annotated[
        str | None, typer.Option(help="Key with which the owner reads the channel, as it tells it.")
    ] = None,
    price: Annotated[int, typer.Option(help="Base units per unit; at least an output's storage deposit.")] = 1000,
    litres: Annotated[int, typer.Option(min=1, help="Litres per unit; 1000 are a cubic metre.")] = 1000,
    file: Annotated[Path, typer.Option("--readings", help="CSV file to replay.")] = readings.SAMPLE,
    column: ColumnOption = None,
    time_column: TimeColumnOption = None,
    time_format: TimeFormatOption = None,
    delimiter: DelimiterOption = None,
    decimal: DecimalOption = None,
    encoding: EncodingOption = None,
    counter_bits: Annotated[int, typer.Option(help="8, 16 or 32: values are a pulse counter; 0: litres/s.")] = 0,
    pulse_litres: Annotated[int, typer.Option(min=1, help="Litres per pulse of a counter.")] = 10,
    speed: Annotated[float, typer.Option(min=0.001, callback=finite, help="Readings per second.")] = 1.0,
    orders: Annotated[int | None, typer.Option(min=1, help="End after so many orders.")] = None,
    order_work: Annotated[
        int, typer.Option(min=0, max=ORDER_WORK_BITS_MAX, help="Zero bits with which an order's id begins.")
    ] = ORDER_WORK_BITS,
    json: JsonOption = False,
) -> None:
    """Produce on order, replaying readings from a file; be paid per unit."""
    report = reporter("machine", json)

    def source(after: int) -> Iterator[Reading]:
        form = ReadingsForm.named(column, time_column, time_format, delimiter, decimal, encoding)
        return readings.read(file, form, skip=after)

    if counter_bits not in {0, *COUNTER_BITS}:
        raise typer.BadParameter(f"must be 0 or one of {COUNTER_BITS}", param_hint="--counter-bits")

    async def start() -> int:
        reader = None if owner_reader is None else from_hex(owner_reader, "owner-reader", size=32)
        # A file without readings should be found out before a customer has paid for them.
        next(source(0), None)
        meter = CounterMeter(pulse_litres * ML_PER_LITRE, counter_bits) if counter_bits else FlowMeter()
        async with connected(node, report) as ledger:
            sale, pace = (price, litres * ML_PER_LITRE, order_work), Pace(readings_per_s=speed)
            return await work(ledger, seed_file, state, owner, reader, sale, meter, source, pace, report, orders)

    run(start(), report)


if __name__ == "__main__":
    app()
