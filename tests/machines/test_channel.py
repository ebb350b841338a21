"""The machine's channel: each fact once, for those who may read it, and for nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tangle.client.channels.errors import ChannelInUse, NotYetPublished
from tangle.client.errors import NodeUnreachable
from tangle.disk.books import Book
from tangle.machines.channel import open_channel, write_facts
from tangle.machines.facts import GRANT, PAYMENT, READING, REVOKE, UNIT, Log, check_reader, facts_from
from tangle.machines.follow import ReaderKey, Tally, read_fact
from tangle.machines.journal import open_journal
from tangle.machines.messages import seal, unseal
from tangle.machines.order import OrderState
from tangle.machines.sales import Sales
from tangle.machines.terms import order_tag
from tangle.parties.book import mark_posted, unposted
from tangle.parties.errors import MessageRefused, OtherState
from tangle.protocol.errors import ProtocolError
from tangle.protocol.keys import KeyPair
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import to_hex
from tests.machines.hearing import hear, invited, repeated
from tests.machines.tables import CUSTOMER, MACHINE, OWNER, PARAMETERS, READER, TableLedger
from tests.machines.test_sales import begun, order, run, sample, settle, stop

OWNER_READER = ReaderKey.of(OWNER)
AUDITOR = ReaderKey.of(KeyPair.of(bytes([4]) * 32))


def instruction(kind: str, number: int, key: KeyPair = OWNER, machine: KeyPair = MACHINE) -> bytes:
    body = {"machine": machine.address.to_json(), "reader": to_hex(AUDITOR.public), "number": number}
    return seal({"kind": kind, **body}, key)


async def publish(sales: Sales, ledger: TableLedger, path: Path) -> None:
    """Post all that the journal has decided, as a machine does at the end of a step."""
    with sales.book.transaction() as connection:
        for number, tag, data in unposted(connection):
            await ledger.post(tag, data)
            mark_posted(connection, number)
    async with await open_channel(path, sales, ledger) as publisher:
        await write_facts(sales, publisher)


async def test_owner_and_customer_read_everything_and_the_sums_agree(book: Book, ledger: TableLedger) -> None:
    sales = settle(book)
    sales.name_owner(OWNER_READER.public)
    order_id = await begun(ledger, 12, 12_500)
    await run(sales, ledger, 50)
    status = sales.status(order_id)
    for key in (OWNER_READER, READER):
        heard, tally = hear(ledger, key), Tally()
        for fact in heard.facts:
            tally.count(fact)
        assert heard.numbers(READING) == [1, 2, 3, 4, 5]
        assert heard.numbers(UNIT) == list(range(1, 13))
        assert tally.holds(status.produced, status.paid, status.refunded)
        assert not tally.holds(status.produced, status.paid, status.refunded + 1)
        assert heard.states() == ["allotting", "producing", "exhausted", "refunding", "settled"]
        transactions = [fact.body.text("transaction") for fact in heard.facts if fact.kind == PAYMENT]
        assert len(set(transactions)) == len(transactions) == 12 + 2
    assert hear(ledger, OWNER_READER).closed is None
    assert hear(ledger, READER).closed == hear(ledger, READER).facts[-1].index + 1


async def test_the_customer_reads_from_its_deposit_until_its_order_is_over(
    book: Book, ledger: TableLedger
) -> None:
    sales = settle(book)
    sales.name_owner(OWNER_READER.public)
    sales.take_order(unseal(order(3)), 2**40)
    with book.transaction() as connection:
        # An order alone costs nothing and opens nothing.
        assert [fact.kind for fact in facts_from(connection, 0, 10)] == [GRANT]
    order_id = await begun(ledger, 3, 3000)
    await run(sales, ledger, 20)
    ledger.pay_in(order_tag(order_id), 700, number=9)
    await run(sales, ledger, 0)
    first, second = hear(ledger, READER), hear(ledger, READER, 1)
    assert first.states()[-1] == "settled"
    # The deposit that came too late opens the channel for its own way back, and for nothing in between.
    assert second.states() == ["refunding", "settled"]
    assert first.closed is not None
    assert second.start > first.closed
    assert second.closed is not None
    assert len(invited(ledger, READER)) == 2
    assert len(hear(ledger, OWNER_READER).facts) == len(first.facts) + len(second.facts)


async def test_who_is_shut_out_reads_no_further_and_the_others_do(
    book: Book, ledger: TableLedger, tmp_path: Path
) -> None:
    sales = settle(book)
    sales.name_owner(OWNER_READER.public)
    sales.take_instruction(unseal(instruction(GRANT, 1)))
    tell(sales, "a")
    sales.take_instruction(unseal(instruction(REVOKE, 2)))
    tell(sales, "b")
    await publish(sales, ledger, tmp_path / "c")
    auditor, owner = hear(ledger, AUDITOR), hear(ledger, OWNER_READER)
    assert [fact.body.text("said") for fact in auditor.facts] == ["a"]
    assert auditor.closed == auditor.facts[-1].index + 1
    assert [fact.body.text("said") for fact in owner.facts] == ["a", "b"]


def tell(sales: Sales, said: str) -> None:
    with sales.book.transaction() as connection:
        Log(connection, MACHINE, sales.channel).tell("note", {"said": said})


async def test_an_old_instruction_posted_again_changes_nothing(
    book: Book, ledger: TableLedger, tmp_path: Path
) -> None:
    sales = settle(book)
    for kind, number in ((GRANT, 1), (GRANT, 1), (REVOKE, 2), (GRANT, 1), (REVOKE, 2)):
        sales.take_instruction(unseal(instruction(kind, number)))
    tell(sales, "secret")
    await publish(sales, ledger, tmp_path / "c")
    assert len(invited(ledger, AUDITOR)) == 1
    heard = hear(ledger, AUDITOR)
    assert (heard.facts, heard.closed) == ([], 1)
    sales.take_instruction(unseal(instruction(GRANT, 3)))
    tell(sales, "open")
    await publish(sales, ledger, tmp_path / "c")
    assert [fact.body.text("said") for fact in hear(ledger, AUDITOR, 1).facts] == ["open"]


@pytest.mark.parametrize(
    "data",
    [
        instruction(GRANT, 1, key=CUSTOMER),
        instruction(GRANT, 1, machine=OWNER),
        seal({"kind": GRANT}, OWNER),
        seal({"kind": GRANT, "machine": MACHINE.address.to_json(), "reader": "0x00", "number": 1}, OWNER),
        seal(
            {"kind": GRANT, "machine": MACHINE.address.to_json(), "reader": "0x" + "00" * 32, "number": 1}, OWNER
        ),
    ],
)
def test_only_the_owner_s_own_words_for_this_machine_count(book: Book, data: bytes) -> None:
    sales = settle(book)
    with pytest.raises(MessageRefused):
        sales.take_instruction(unseal(data))


def test_a_reader_with_two_reasons_stays_until_both_are_gone(book: Book) -> None:
    sales = settle(book)
    with book.transaction() as connection:
        log = Log(connection, MACHINE, sales.channel)
        for reason in ("aa", "bb", "aa"):
            log.admit(READER.public, reason)
        log.dismiss("aa")
        log.dismiss("aa")
        assert [fact.kind for fact in facts_from(connection, 0, 10)] == [GRANT, GRANT]
        log.dismiss("bb")
        assert [fact.kind for fact in facts_from(connection, 0, 10)] == [GRANT, GRANT, REVOKE]


async def test_another_owner_takes_the_place_of_the_one_before(
    book: Book, ledger: TableLedger, tmp_path: Path
) -> None:
    sales = settle(book)
    for key in (OWNER_READER, OWNER_READER, AUDITOR, AUDITOR):
        sales.name_owner(key.public)
    tell(sales, "later")
    await publish(sales, ledger, tmp_path / "c")
    before, after = hear(ledger, OWNER_READER), hear(ledger, AUDITOR)
    assert before.closed is not None
    assert before.facts == []
    assert [fact.body.text("said") for fact in after.facts] == ["later"]


class AwayAfter:
    """A carrier whose node goes away after some posts, and then takes nothing or answers nothing."""

    def __init__(self, ledger: TableLedger, posts: int, *, takes: bool) -> None:
        self.ledger = ledger
        self.posts = posts
        self.takes = takes

    async def post(self, tag: bytes, data: bytes) -> bytes:
        self.posts -= 1
        if self.posts < 0:
            if self.takes:
                await self.ledger.post(tag, data)
            raise NodeUnreachable("http://node", "away")
        return await self.ledger.post(tag, data)

    async def parameters(self) -> ProtocolParameters:
        return await self.ledger.parameters()


@pytest.mark.parametrize("takes", [False, True])
@pytest.mark.parametrize("posts", [0, 1, 2, 3, 7])
async def test_a_break_at_any_message_loses_none_and_doubles_none(
    book: Book, ledger: TableLedger, tmp_path: Path, posts: int, takes: bool
) -> None:
    sales = settle(book)
    sales.name_owner(OWNER_READER.public)
    for said in "abcdefgh":
        tell(sales, said)
    async with await open_channel(tmp_path / "c", sales, AwayAfter(ledger, posts, takes=takes)) as publisher:
        with pytest.raises(NotYetPublished) as failure:
            await write_facts(sales, publisher)
    assert failure.value.passes
    tell(sales, "i")
    await publish(sales, ledger, tmp_path / "c")
    heard = hear(ledger, OWNER_READER)
    assert "".join(fact.body.text("said") for fact in heard.facts) == "abcdefghi"
    assert heard.missing is None
    assert bool(repeated(heard)) == (takes and posts > 0)


async def test_a_lost_book_is_written_again_to_the_byte(book: Book, ledger: TableLedger, tmp_path: Path) -> None:
    sales = settle(book)
    sales.name_owner(OWNER_READER.public)
    sales.take_instruction(unseal(instruction(GRANT, 1)))
    for said in "abc":
        tell(sales, said)
    await publish(sales, ledger, tmp_path / "c")
    sales.take_instruction(unseal(instruction(REVOKE, 2)))
    tell(sales, "d")
    await publish(sales, ledger, tmp_path / "other")
    heard = hear(ledger, OWNER_READER)
    assert "".join(fact.body.text("said") for fact in heard.facts) == "abcd"
    assert repeated(heard) > 0
    assert "".join(fact.body.text("said") for fact in hear(ledger, AUDITOR).facts) == "abc"


async def test_another_journal_begins_another_channel(ledger: TableLedger, tmp_path: Path) -> None:
    seeds = []
    for name in ("a.db", "b.db", "a.db"):
        book = open_journal(tmp_path / name, MACHINE.address.encode(), PARAMETERS.network_id)
        sales = settle(book)
        seeds.append(sales.channel.seed)
        tell(sales, "x")
        if name == "a.db":
            await publish(sales, ledger, tmp_path / "c")
        else:
            with pytest.raises(OtherState, match="not the channel of this machine"):
                await publish(sales, ledger, tmp_path / "c")
        book.close()
    assert seeds[0] == seeds[2] != seeds[1]


async def test_a_journal_that_is_older_than_the_book_is_refused(
    book: Book, ledger: TableLedger, tmp_path: Path
) -> None:
    sales = settle(book)
    tell(sales, "x")
    await publish(sales, ledger, tmp_path / "c")
    with book.transaction() as connection:
        connection.execute("DELETE FROM facts")
    with pytest.raises(OtherState, match="old copy"):
        await publish(sales, ledger, tmp_path / "c")


async def test_a_second_machine_on_the_same_files_is_refused(
    book: Book, ledger: TableLedger, tmp_path: Path
) -> None:
    sales = settle(book)
    async with await open_channel(tmp_path / "c", sales, ledger):
        with pytest.raises(ChannelInUse):
            await open_channel(tmp_path / "c", sales, ledger)


async def test_an_order_with_a_key_that_nothing_can_be_sealed_for_is_refused(
    book: Book, ledger: TableLedger
) -> None:
    with pytest.raises(MessageRefused, match="no key of a reader"):
        check_reader(bytes(32))
    sales = settle(book)
    message = unseal(order(3, reader=bytes(32)))
    sales.take_order(message, 0)
    assert sales.status(message.id).state is OrderState.CANCELLED


async def test_nothing_of_the_channel_lies_open(book: Book, ledger: TableLedger) -> None:
    sales = settle(book)
    sales.name_owner(OWNER_READER.public)
    order_id = await begun(ledger, 12, 12_000)
    await run(sales, ledger, 50)
    assert sales.status(order_id).produced == 12
    for (data,) in ledger.db.execute("SELECT data FROM messages"):
        for word in (b"volumeMillilitres", b"verdict", sample(2)[1].time.encode()):
            assert word not in data


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"{}", b"[" * 10_000, b'{"kind": 1}'])
def test_what_is_no_fact_is_refused(body: bytes) -> None:
    with pytest.raises(MessageRefused, match="message 7"):
        read_fact(7, body)


def test_a_payment_without_an_amount_is_refused() -> None:
    with pytest.raises(ProtocolError):
        Tally().count(read_fact(0, b'{"kind":"payment","purpose":"unit"}'))


async def test_a_stop_is_told_before_the_channel_closes(book: Book, ledger: TableLedger) -> None:
    order_id = await begun(ledger, 50, 50_000)
    sales = settle(book)
    await run(sales, ledger, 3)
    sales.take_stop(unseal(stop(order_id)))
    heard = hear(ledger, READER)
    assert heard.states() == ["allotting", "producing", "stopping", "refunding", "settled"]
    assert heard.closed is not None
