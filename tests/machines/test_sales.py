"""Sales: the sums hold exactly, and every step may be repeated or cut off."""

import asyncio
import json
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.client.wallet.transfer import sign_transfer
from tangle.disk.books import Book
from tangle.machines.channel import open_channel
from tangle.machines.errors import TermsRefused
from tangle.machines.journal import open_journal
from tangle.machines.machine import Machine, Pace
from tangle.machines.messages import seal, unseal
from tangle.machines.meter import FlowMeter, Reading
from tangle.machines.order import OrderState
from tangle.machines.readings import SAMPLE, read
from tangle.machines.sales import Sales
from tangle.machines.terms import Order, Terms, check_terms, divide, machine_tag, order_tag
from tangle.parties.book import unposted
from tangle.parties.errors import MessageRefused, OtherState, PaymentConflicting
from tangle.protocol.keys import KeyPair
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.serial import to_hex
from tests.machines.hearing import hear
from tests.machines.tables import CUSTOMER, MACHINE, OWNER, PARAMETERS, READER, TERMS, TableLedger
from tests.tries import tries

FAST = Pace(readings_per_s=10_000, tick_s=0.001)
LEAST = 426


def settle(book: Book, terms: Terms = TERMS) -> Sales:
    return Sales(book, MACHINE, terms, PARAMETERS, FlowMeter())


def order(units: int, salt: int = 0, terms: Terms = TERMS, reader: bytes = READER.public) -> bytes:
    return seal(Order(terms, units, bytes([salt]) * 16, reader).to_json(), CUSTOMER)


def stop(order_id: bytes, key: KeyPair = CUSTOMER) -> bytes:
    return seal({"kind": "stop", "order": to_hex(order_id)}, key)


def sample(count: int) -> list[Reading]:
    return list(islice(read(SAMPLE), count))


async def run(sales: Sales, ledger: TableLedger, count: int, orders: int = 1) -> Machine:
    def source(after: int) -> Iterator[Reading]:
        return iter([one for one in sample(count) if one.number > after])

    book = sales.book.path.with_suffix(".channel")
    async with await open_channel(book, sales, ledger) as publisher:
        machine = Machine(sales, ledger, source, FAST, orders=orders, publisher=publisher)
        await asyncio.wait_for(machine.run(), 60)
    return machine


async def begun(ledger: TableLedger, units: int, deposit: int) -> bytes:
    data = order(units)
    await ledger.post(machine_tag(MACHINE.address), data)
    order_id = unseal(data).id
    ledger.pay_in(order_tag(order_id), deposit)
    return order_id


@given(st.integers(LEAST, 10**12), st.integers(LEAST, 10**9), st.integers(1, 10_000))
def test_a_deposit_is_divided_without_a_rest_that_nobody_can_hold(deposit: int, price: int, units: int) -> None:
    credit, rest = divide(deposit, price, LEAST, units)
    assert deposit == credit * price + rest
    assert 0 <= credit <= units
    assert rest == 0 or rest >= LEAST


@pytest.mark.parametrize("price", [0, LEAST - 1, PARAMETERS.token_supply + 1])
def test_terms_that_cannot_be_carried_out_are_refused(price: int) -> None:
    with pytest.raises(TermsRefused, match="holds at least 426"):
        check_terms(Terms(MACHINE.address, OWNER.address, price), PARAMETERS)
    check_terms(Terms(MACHINE.address, OWNER.address, LEAST), PARAMETERS)


@pytest.mark.parametrize(
    ("units", "deposit", "readings", "produced"),
    [
        (20, 20_000, 100, 20),  # credit used up, nothing left
        (20, 20_300, 100, 19),  # 300 would be dust: one unit fewer, 1300 back
        (20, 20_426, 100, 20),  # 426 can stand alone
        (250, 250_000, 100, 250),  # three allotments
        (250, 90_000, 100, 90),  # paid less than ordered
        (5, 9_000, 100, 5),  # paid more than ordered
        (400, 400_000, 10, 33),  # readings end: 9 hours are 3307 m3
        (5, 900, 100, 0),  # buys no unit at all
    ],
)
async def test_the_sums_hold(
    book: Book, ledger: TableLedger, units: int, deposit: int, readings: int, produced: int
) -> None:
    order_id = await begun(ledger, units, deposit)
    sales = settle(book)
    await run(sales, ledger, readings)
    status = sales.status(order_id)
    assert status.state is OrderState.SETTLED
    assert status.produced == status.paid_units == produced
    assert ledger.balance(OWNER.address) == status.paid == produced * TERMS.price
    assert ledger.balance(CUSTOMER.address) == status.refunded == deposit - status.paid
    assert ledger.balance(MACHINE.address) == 0
    assert len(ledger.payments()) == produced


async def test_each_payment_names_its_order_and_unit(book: Book, ledger: TableLedger) -> None:
    order_id = await begun(ledger, 12, 12_000)
    await run(settle(book), ledger, 50)
    notes = [json.loads(one.essence.payload.data) for one in ledger.payments() if one.essence.payload]
    assert sorted(note["number"] for note in notes) == list(range(1, 13))
    assert {(note["kind"], note["order"]) for note in notes} == {("unit", to_hex(order_id))}


async def test_every_reading_is_told_once(book: Book, ledger: TableLedger) -> None:
    await begun(ledger, 12, 12_000)
    await run(settle(book), ledger, 50)
    heard = hear(ledger, READER)
    readings = [dict(fact.body.members) for fact in heard.facts if fact.kind == "reading"]
    assert [one["number"] for one in readings] == [1, 2, 3, 4, 5]
    assert readings[-1]["units"] == 12
    assert readings[-1]["volumeMillilitres"] == str(12 * TERMS.unit_ml)
    assert heard.states() == ["allotting", "producing", "exhausted", "settled"]


async def test_only_the_customer_stops_an_order(book: Book, ledger: TableLedger) -> None:
    order_id = await begun(ledger, 50, 50_000)
    sales = settle(book)
    machine = Machine(sales, ledger, lambda _: iter(sample(4)), Pace(readings_per_s=0.001, tick_s=0.001))
    for _ in range(4):
        await machine.step()
        await asyncio.sleep(0.01)
    assert sales.status(order_id).state is OrderState.PRODUCING
    with pytest.raises(MessageRefused, match="only the customer"):
        sales.take_stop(unseal(stop(order_id, OWNER)))
    with pytest.raises(MessageRefused, match="not known here"):
        sales.take_stop(unseal(stop(bytes(32))))
    assert sales.status(order_id).state is OrderState.PRODUCING
    for reading in sample(3):
        sales.take_reading(order_id, reading)
    await ledger.post(machine_tag(MACHINE.address), stop(order_id))
    await run(sales, ledger, 0)
    status = sales.status(order_id)
    assert (status.state, status.produced) == (OrderState.SETTLED, 7)
    assert ledger.balance(CUSTOMER.address) == 43_000
    sales.take_stop(unseal(stop(order_id)))
    assert sales.status(order_id) == status


async def test_a_stop_before_the_deposit_cancels_and_a_late_deposit_goes_back(
    book: Book, ledger: TableLedger
) -> None:
    data = order(3)
    sales = settle(book)
    sales.take_order(unseal(data), int(time.time()))
    order_id = unseal(data).id
    sales.take_stop(unseal(stop(order_id)))
    assert sales.status(order_id).state is OrderState.CANCELLED
    ledger.pay_in(order_tag(order_id), 3000)
    await run(sales, ledger, 0)
    status = sales.status(order_id)
    assert (status.state, status.produced, status.refunded) == (OrderState.SETTLED, 0, 3000)
    assert ledger.balance(CUSTOMER.address) == 3000


async def test_a_second_deposit_waits_and_goes_back(book: Book, ledger: TableLedger) -> None:
    order_id = await begun(ledger, 3, 3000)
    ledger.pay_in(order_tag(order_id), 5000, number=1)
    sales = settle(book)
    await run(sales, ledger, 20)
    await run(sales, ledger, 20)
    status = sales.status(order_id)
    assert (status.state, status.deposit, status.paid, status.refunded) == (OrderState.SETTLED, 8000, 3000, 5000)
    assert ledger.balance(CUSTOMER.address) == 5000


async def test_an_order_without_a_deposit_expires(book: Book, ledger: TableLedger) -> None:
    sales = settle(book)
    sales.take_order(unseal(order(3)), 100)
    sales.expire(before_s=100)
    assert sales.status(unseal(order(3)).id).state is OrderState.AWAITING_DEPOSIT
    sales.expire(before_s=101)
    assert sales.status(unseal(order(3)).id).state is OrderState.CANCELLED


async def test_an_order_for_other_terms_is_refused(book: Book, ledger: TableLedger) -> None:
    cheap = Terms(MACHINE.address, OWNER.address, price=500, unit_ml=TERMS.unit_ml)
    data = order(3, terms=cheap)
    await ledger.post(machine_tag(MACHINE.address), data)
    await run(settle(book), ledger, 5)
    told = [unseal(heard.data).kind for heard in await ledger.hear(order_tag(unseal(data).id), 0)]
    assert told == ["refused"]


async def test_orders_are_served_one_after_the_other(book: Book, ledger: TableLedger) -> None:
    for salt in (1, 2):
        await ledger.post(machine_tag(MACHINE.address), order(10, salt))
        ledger.pay_in(order_tag(unseal(order(10, salt)).id), 10_000, number=salt)
    sales = settle(book)
    await run(sales, ledger, 100, orders=2)
    assert ledger.balance(OWNER.address) == 20_000
    assert [sales.status(one).state for one in sales.recent_orders(9)] == [OrderState.SETTLED] * 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"body": 1}',
        b"[" * 10_000,
        b'{"body": {"kind": "order", "a": NaN}, "publicKey": "0x' + b"00" * 32 + b'"}',
        order(3).replace(b'"units":3', b'"units":4'),
        order(3).replace(b'"order"', b'"stop"'),
        order(3) + b" " * 20_000,
    ],
)
async def test_what_is_no_message_is_refused_and_changes_nothing(
    book: Book, ledger: TableLedger, data: bytes
) -> None:
    with pytest.raises(MessageRefused):
        unseal(data)
    reports: list[dict[str, object]] = []
    await ledger.post(machine_tag(MACHINE.address), data)
    machine = Machine(settle(book), ledger, lambda _: iter(()), FAST, reports.append)
    await machine.step()
    assert [report["event"] for report in reports] == ["message_refused"]
    assert not machine.sales.recent_orders(9)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_message(data: bytes) -> None:
    with pytest.raises(MessageRefused):
        unseal(data)


async def test_a_coin_that_someone_else_spent_stops_the_machine(book: Book, ledger: TableLedger) -> None:
    await begun(ledger, 3, 3000)
    ((deposit,), _) = await ledger.arrived(MACHINE.address, 0, lambda _: False)
    sales = settle(book)
    sales.take_order(unseal(order(3)), 2**40)
    sales.take_coin(deposit, None)
    outputs = [BasicOutput.to(OWNER.address, 3000)]
    theft = sign_transfer([deposit], outputs, lambda _: MACHINE, MACHINE.address, PARAMETERS)
    await ledger.include(theft)
    with pytest.raises(PaymentConflicting, match="does another process use this machine's seed"):
        await run(sales, ledger, 5)


def test_a_journal_serves_one_machine_on_one_network(tmp_path: Path) -> None:
    path = tmp_path / "machine.db"
    open_journal(path, MACHINE.address.encode(), 1).close()
    open_journal(path, MACHINE.address.encode(), 1).close()
    with pytest.raises(OtherState, match="another address"):
        open_journal(path, OWNER.address.encode(), 1)
    with pytest.raises(OtherState, match="another network id"):
        open_journal(path, MACHINE.address.encode(), 2)
    path.write_bytes(b"no database at all, but something else" * 100)
    with pytest.raises(OtherState, match="no journal"):
        open_journal(path, MACHINE.address.encode(), 1)


@settings(max_examples=tries(12), deadline=None)
@given(
    st.integers(1, 40),
    st.integers(0, 3000),
    st.lists(st.integers(0, 30), max_size=60),
    st.integers(0, 60),
)
def test_each_unit_is_billed_once_however_readings_come(
    tmp_path_factory: pytest.TempPathFactory, units: int, extra: int, back: list[int], stop_after: int
) -> None:
    directory = tmp_path_factory.mktemp("billing")
    ledger = TableLedger(directory / "ledger.db")
    readings = sample(30)
    data = order(units)
    order_id = unseal(data).id

    async def play() -> Sales:
        coin = ledger.pay_in(order_tag(order_id), units * TERMS.price + extra)
        given = [readings[i] for step, jump in enumerate(back) for i in (step % 30, max(step % 30 - jump, 0))]
        for step, reading in enumerate([readings[0], *given]):
            # Every step starts from the file alone, as after a kill, and is done twice.
            book = open_journal(directory / "machine.db", MACHINE.address.encode(), PARAMETERS.network_id)
            sales = settle(book)
            for _ in range(2):
                sales.take_order(unseal(data), 2**40)
                sales.take_coin(coin, None)
                for transaction in sales.due():
                    sales.note_included(transaction.id, await ledger.include(transaction))
                sales.take_reading(order_id, reading)
                if step == stop_after:
                    sales.take_stop(unseal(stop(order_id)))
            book.close()
        book = open_journal(directory / "machine.db", MACHINE.address.encode(), PARAMETERS.network_id)
        sales = settle(book)
        await run(sales, ledger, 0)
        return sales

    sales = asyncio.run(play())
    status = sales.status(order_id)
    deposit = units * TERMS.price + extra
    assert status.state is OrderState.SETTLED
    assert status.produced == min(status.volume_ml // TERMS.unit_ml, status.credit)
    assert ledger.balance(OWNER.address) == status.paid == status.produced * TERMS.price
    assert ledger.balance(CUSTOMER.address) == status.refunded == deposit - status.paid
    assert len(ledger.payments()) == status.produced
    with sales.book.transaction() as connection:
        assert not unposted(connection)
    sales.book.close()
    ledger.close()
