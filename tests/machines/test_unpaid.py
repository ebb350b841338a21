"""Orders that nobody pays cost a machine nothing, and money that nobody ordered with is told and sent on."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tangle.disk.books import Book
from tangle.machines import journal
from tangle.machines.facts import SEND_ON, STATE, UNORDERED, facts_from
from tangle.machines.journal import open_journal
from tangle.machines.machine import TOLD_MAX, Machine
from tangle.machines.messages import salt_with_work, seal, unseal
from tangle.machines.meter import FlowMeter
from tangle.machines.order import OrderEvent, OrderState
from tangle.machines.sales import UNPAID_KEPT_S, UNPAID_PER_CUSTOMER, UNPAID_S, Sales
from tangle.machines.terms import Order, Terms, machine_tag, order_tag
from tangle.parties.book import unposted
from tangle.parties.errors import MessageRefused, OtherState
from tangle.parties.messages import work_of
from tangle.protocol.addresses import Address
from tangle.protocol.keys import KeyPair
from tangle.protocol.serial import Fields
from tests.machines.tables import CUSTOMER, MACHINE, OWNER, PARAMETERS, READER, TERMS, TableLedger

NOW = int(time.time())
STRANGER = KeyPair.of(bytes([9]) * 32)


def settle(book: Book, terms: Terms = TERMS) -> Sales:
    return Sales(book, MACHINE, terms, PARAMETERS, FlowMeter())


def order(number: int, key: KeyPair = CUSTOMER, terms: Terms = TERMS) -> bytes:
    return seal(Order(terms, 3, number.to_bytes(16, "big"), READER.public).to_json(), key)


def machine(book: Book, ledger: TableLedger, told: list[dict[str, object]] | None = None) -> Machine:
    return Machine(
        settle(book), ledger, lambda _: iter(()), report=(lambda _: None) if told is None else told.append
    )


def send_on(number: int, to: Address | None = None, key: KeyPair = OWNER) -> bytes:
    where = {} if to is None else {"to": to.to_json()}
    return seal({"kind": SEND_ON, "machine": MACHINE.address.to_json(), "number": number, **where}, key)


def test_an_order_without_work_leaves_no_trace(book: Book) -> None:
    working = replace(TERMS, work=8)
    asked = Order(working, 3, bytes(16), READER.public)
    lazy = next(data for n in range(10) if work_of(unseal(data := order(n, terms=working)).id) < 8)
    with pytest.raises(MessageRefused, match="begins with 8 zero bits"):
        settle(book, working).take_order(unseal(lazy), NOW)
    assert not unposted(book.connection)
    salt = salt_with_work(asked.to_json(), "salt", CUSTOMER, 8)
    message = unseal(seal(replace(asked, salt=salt).to_json(), CUSTOMER))
    assert work_of(message.id) >= 8
    settle(book, working).take_order(message, NOW)
    assert settle(book, working).status(message.id).state is OrderState.AWAITING_DEPOSIT


def test_terms_of_a_machine_that_asks_for_no_work_are_read() -> None:
    told = {name: value for name, value in TERMS.to_json().items() if name != "orderWork"}
    assert Terms.from_json(Fields(told)) == replace(TERMS, work=0)


def test_one_key_has_so_many_orders_that_nobody_paid(book: Book) -> None:
    ours = settle(book)
    for n in range(UNPAID_PER_CUSTOMER):
        ours.take_order(unseal(order(n)), NOW)
    with pytest.raises(MessageRefused, match="that nobody paid"):
        ours.take_order(unseal(order(99)), NOW)
    ours.take_order(unseal(order(99, STRANGER)), NOW)
    assert len(unposted(book.connection)) == UNPAID_PER_CUSTOMER + 1
    # A while later they do not count against it any more.
    ours.take_order(unseal(order(99)), NOW + UNPAID_S + 1)


def test_the_order_that_waits_longest_makes_room(book: Book) -> None:
    ours = Sales(book, MACHINE, TERMS, PARAMETERS, FlowMeter(), awaiting_max=3)
    made = [unseal(order(0, KeyPair.of(bytes([n]) * 32))) for n in range(10, 14)]
    for n, message in enumerate(made):
        ours.take_order(message, NOW + n)
    states = [ours.status(message.id).state for message in made]
    assert states == [OrderState.CANCELLED, *[OrderState.AWAITING_DEPOSIT] * 3]
    # Its answer is not posted any more, and none of them is told on the channel.
    assert len(unposted(book.connection)) == 3
    assert not facts_from(book.connection, 0, 9)


async def test_a_look_costs_the_same_however_many_orders_wait(book: Book, ledger: TableLedger) -> None:
    ours = machine(book, ledger)
    for n in range(20):
        ours.sales.take_order(unseal(order(n, KeyPair.of(bytes([100 + n]) * 32))), NOW)
    await ours.step()
    assert ledger.looks == 1
    ledger.pay_in(order_tag(unseal(order(7, KeyPair.of(bytes([107]) * 32))).id), 3000)
    await ours.step()
    assert ledger.looks == 2
    with book.transaction() as connection:
        assert journal.counts(connection)[OrderState.ALLOTTING] == 1


async def test_the_rows_of_orders_that_nobody_paid_go(book: Book, ledger: TableLedger) -> None:
    ours = settle(book)
    old, paid = unseal(order(1)), unseal(order(2))
    for message in (old, paid):
        ours.take_order(message, NOW)
    ours.take_coin(ledger.pay_in(order_tag(paid.id), 3000), None)
    ours.expire(NOW + 1)
    ours.expire(NOW + UNPAID_KEPT_S + 1)
    with pytest.raises(KeyError):
        ours.status(old.id)
    assert ours.status(paid.id).deposit == 3000
    assert order_tag(old.id) not in [tag for _, tag, _ in unposted(book.connection)]


async def test_a_late_deposit_is_found_however_many_orders_came_since(book: Book, ledger: TableLedger) -> None:
    ours = machine(book, ledger)
    late = unseal(order(1))
    ours.sales.take_order(late, NOW)
    ours.sales.expire(NOW + 1)
    with book.transaction() as connection:
        for n in range(300):
            journal.enter_order(connection, n.to_bytes(32, "big"), late.data, b"", NOW)
            journal.advance(connection, n.to_bytes(32, "big"), OrderEvent.REFUSED)
    ledger.pay_in(order_tag(late.id), 3000)
    for _ in range(4):
        await ours.step()
        await asyncio.sleep(0)
    assert ours.sales.status(late.id).state is OrderState.SETTLED
    assert ledger.balance(CUSTOMER.address) == 3000


async def test_a_deposit_that_is_seen_before_its_order_is_taken_with_it(book: Book, ledger: TableLedger) -> None:
    told: list[dict[str, object]] = []
    ours = machine(book, ledger, told)
    message = unseal(order(1))
    ledger.pay_in(order_tag(message.id), 3000)
    await ours.step()
    assert [one["event"] for one in told] == ["unordered", "unordered_total"]
    ours.sales.take_order(message, NOW)
    assert ours.sales.status(message.id).state is OrderState.ALLOTTING
    assert not ours.sales.unordered()


@pytest.mark.parametrize("back", [True, False])
async def test_money_without_an_order_is_told_and_sent_on(book: Book, ledger: TableLedger, back: bool) -> None:
    told: list[dict[str, object]] = []
    ours = machine(book, ledger, told)
    ledger.pay_in(b"", 5000, 1, STRANGER.address)
    ledger.pay_in(b"pop/order/nothing", 700, 2, CUSTOMER.address)
    ledger.pay_in(b"", 900, 3)
    await ours.step()
    assert told[-1] == {
        "event": "unordered_total",
        "coins": 3,
        "amount": 6600,
        "hint": "`tangle machine send-on` sends it back or on",
    }
    assert [fact.kind for fact in facts_from(book.connection, 0, 9)] == [UNORDERED]
    for data in (
        send_on(1, key=STRANGER),
        send_on(2, None if back else OWNER.address),
        send_on(1, MACHINE.address),
    ):
        await ledger.post(machine_tag(MACHINE.address), data)
    for _ in range(3):
        await ours.step()
        await asyncio.sleep(0)
    balances = [ledger.balance(key.address) for key in (STRANGER, CUSTOMER, OWNER, MACHINE)]
    # Nobody is known to have paid the last one.
    assert balances == ([5000, 700, 0, 900] if back else [0, 0, 6600, 0])
    assert len(ours.sales.unordered()) == (1 if back else 0)
    assert not ours.sales.due()


async def test_dust_is_told_in_few_lines(book: Book, ledger: TableLedger) -> None:
    told: list[dict[str, object]] = []
    ours = machine(book, ledger, told)
    for n in range(3 * TOLD_MAX):
        ledger.pay_in(b"", 500, n)
        await ledger.post(machine_tag(MACHINE.address), b"junk")
    await ours.step()
    await ours.step()
    kinds = [one["event"] for one in told]
    assert [kinds.count(kind) for kind in ("message_refused", "messages_refused", "unordered")] == [
        TOLD_MAX,
        1,
        TOLD_MAX,
    ]
    assert len(facts_from(book.connection, 0, 9)) == 1


def test_a_journal_of_the_layout_before_is_brought_up_to_date(tmp_path: Path) -> None:
    path, mine = tmp_path / "machine.db", (MACHINE.address.encode(), PARAMETERS.network_id)
    book = open_journal(path, *mine)
    with book.transaction() as connection:
        for name in ("waiting", "onward", "channel_format"):
            connection.execute(f"DROP TABLE {name}")
        for name in ("orders_by_state", "orders_of_customer", "outbox_by_tag"):
            connection.execute(f"DROP INDEX {name}")
        connection.execute("UPDATE identity SET layout = 2")
        journal.enter_order(connection, bytes(32), order(1), CUSTOMER.public_key, NOW)
    book.close()
    for _ in range(2):
        book = open_journal(path, *mine)
        assert settle(book).status(bytes(32)).state is OrderState.QUOTED
        assert not settle(book).unordered()
        book.close()
    book = open_journal(path, *mine)
    with book.transaction() as connection:
        connection.execute("UPDATE identity SET layout = 99")
    book.close()
    with pytest.raises(OtherState, match="another layout"):
        open_journal(path, *mine)


def test_states_that_nobody_paid_for_are_not_told_on_the_channel(book: Book) -> None:
    ours = settle(book)
    message = unseal(order(1))
    ours.take_order(message, NOW)
    ours.take_stop(unseal(seal({"kind": "stop", "order": f"0x{message.id.hex()}"}, CUSTOMER)))
    assert ours.status(message.id).state is OrderState.CANCELLED
    assert STATE not in [fact.kind for fact in facts_from(book.connection, 0, 9)]
