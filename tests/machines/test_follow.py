"""Readers of a machine's channel through a real node: who reads what, and what comes after keys change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tangle.client.node.rest import NodeClient
from tangle.machines.channel import open_channel
from tangle.machines.facts import INVITATION, UNIT, Log
from tangle.machines.follow import ReaderKey, facts, invitations
from tangle.machines.journal import open_journal
from tangle.machines.machine import Machine, Pace
from tangle.machines.messages import seal
from tangle.machines.owner import Audit, Channels
from tangle.machines.sales import Sales
from tangle.machines.terms import reader_tag
from tangle.parties.book import unposted
from tangle.parties.ledger import NodeLedger
from tangle.protocol.keys import KeyPair
from tangle.protocol.serial import to_hex
from tests.machines.tables import MACHINE, OWNER
from tests.machines.test_sales import settle
from tests.nodes import RunningNode, running_node

WAIT_S = 30
OWNER_READER = ReaderKey.of(OWNER)
AUDITOR = ReaderKey.of(KeyPair.of(bytes([4]) * 32))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    with running_node(tmp_path_factory.mktemp("node") / "data") as node:
        yield node


@pytest.fixture
async def ledger(running: RunningNode) -> AsyncIterator[NodeLedger]:
    async with NodeClient(running.url, timeout=20) as node:
        yield NodeLedger(node, "node")


class Reports(list[dict[str, Any]]):
    """What an agent reported, and a way to wait for more of it."""

    async def until(self, event: str, **facts: Any) -> dict[str, Any]:
        """The first report with these facts."""
        async with asyncio.timeout(WAIT_S):
            while True:
                for one in self:
                    if one["event"] == event and facts.items() <= one.items():
                        return one
                await asyncio.sleep(0.05)


@asynccontextmanager
async def machine(path: Path, ledger: NodeLedger) -> AsyncIterator[Sales]:
    """A machine at work on the journal in a file."""
    book = open_journal(path, MACHINE.address.encode(), 1)
    sales = settle(book)
    sales.channel.network = (await ledger.parameters()).network_id
    sales.name_owner(OWNER_READER.public)
    async with await open_channel(path.with_suffix(".channel"), sales, ledger) as publisher:
        one = Machine(sales, ledger, lambda _: iter(()), Pace(tick_s=0.05), publisher=publisher)
        working = asyncio.create_task(one.run())
        try:
            yield sales
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            book.close()


def tell_units(sales: Sales, first: int, last: int) -> None:
    with sales.book.transaction() as connection:
        for number in range(first, last + 1):
            log = Log(connection, MACHINE, sales.channel)
            log.tell(UNIT, {"order": "0x00", "number": number})


async def test_an_auditor_reads_as_long_as_the_owner_says_and_the_owner_reads_on(
    tmp_path: Path, ledger: NodeLedger
) -> None:
    reports, audited = Reports(), Reports()
    following = asyncio.create_task(
        Channels(ledger, OWNER, reports.append, audit=Audit(AUDITOR.public, 5)).follow()
    )

    async def audit() -> None:
        async with aclosing(facts(ledger, AUDITOR, MACHINE.address, audited.append)) as told:
            async for fact in told:
                audited.append({"event": "told", "number": fact.body.integer("number", 10**6)})

    auditing = asyncio.create_task(audit())
    async with machine(tmp_path / "a.db", ledger) as sales:
        await reports.until("grant")
        async with aclosing(invitations(ledger, AUDITOR, audited.append)) as inviting, asyncio.timeout(WAIT_S):
            await anext(inviting)
        tell_units(sales, 1, 5)
        shut_out = await audited.until("shut_out")
        assert shut_out["index"] == 7
        tell_units(sales, 6, 9)
        await reports.until("channel", units=9, messages=9)
    # The same command once more repeats its instructions, which change nothing.
    again = Reports()
    repeating = asyncio.create_task(Channels(ledger, OWNER, again.append, audit=Audit(AUDITOR.public, 5)).follow())
    async with machine(tmp_path / "a.db", ledger) as sales:
        await again.until("revoke")
        tell_units(sales, 10, 10)
        await again.until("channel", units=10)
        with sales.book.transaction() as connection:
            assert unposted(connection) == []
    # With another journal the machine begins another channel, and readers turn to it.
    async with machine(tmp_path / "b.db", ledger) as sales:
        reports.clear()
        again.clear()
        tell_units(sales, 1, 3)
        await reports.until("channel", units=3, messages=3)
        await again.until("channel", units=3, messages=3)
        async with asyncio.timeout(WAIT_S), aclosing(facts(ledger, OWNER_READER, MACHINE.address, print)) as told:
            assert (await anext(told)).index == 1
    assert [one["number"] for one in audited if one["event"] == "told"] == [1, 2, 3, 4, 5]
    for task in (following, auditing, repeating):
        task.cancel()
    await asyncio.gather(following, auditing, repeating, return_exceptions=True)


async def test_what_is_no_invitation_is_passed_over(ledger: NodeLedger) -> None:
    key = ReaderKey.of(KeyPair.of(bytes([9]) * 32))
    junk = [
        b"junk",
        seal({"kind": "note"}, MACHINE),
        seal({"kind": INVITATION}, MACHINE),
        seal({"kind": INVITATION, "invitation": to_hex(bytes(90)), "begun": 1}, MACHINE),
    ]
    for data in junk:
        await ledger.post(reader_tag(key.public), data)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5), aclosing(invitations(ledger, key, print)) as inviting:
            await anext(inviting)
