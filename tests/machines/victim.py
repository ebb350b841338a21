"""A machine on a ledger of tables, as a process that the tests kill."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from tangle.machines.channel import open_channel
from tangle.machines.follow import ReaderKey
from tangle.machines.journal import open_journal
from tangle.machines.machine import Machine, Pace
from tangle.machines.meter import FlowMeter, Reading
from tangle.machines.readings import SAMPLE, read
from tangle.machines.sales import Sales
from tests.machines.tables import MACHINE, OWNER, PARAMETERS, TERMS, TableLedger


def source(after: int) -> Iterator[Reading]:
    """The sample from where it was left."""
    return read(SAMPLE, skip=after)


def main(directory: Path) -> None:
    """Serve one order to its end."""
    book = open_journal(directory / "machine.db", MACHINE.address.encode(), PARAMETERS.network_id)
    ledger = TableLedger(directory / "ledger.db", delay_s=0.05)
    sales = Sales(book, MACHINE, TERMS, PARAMETERS, FlowMeter())
    sales.name_owner(ReaderKey.of(OWNER).public)
    asyncio.run(serve(directory, sales, ledger))


async def serve(directory: Path, sales: Sales, ledger: TableLedger) -> None:
    """Write the channel and serve one order."""
    async with await open_channel(directory / "machine.channel", sales, ledger) as publisher:
        pace = Pace(readings_per_s=40, tick_s=0.01)
        print("ready", flush=True)
        await Machine(sales, ledger, source, pace, orders=1, publisher=publisher).run()
