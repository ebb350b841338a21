"""A machine on a ledger of tables, as a process that the tests kill: `python -m tests.machines.victim DIR`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

from machines.journal import open_journal
from machines.machine import Machine, Pace
from machines.meter import FlowMeter, Reading
from machines.readings import SAMPLE, read
from machines.settlement import Settlement
from tests.machines.tables import MACHINE, PARAMETERS, TERMS, TableLedger


def source(after: int) -> Iterator[Reading]:
    """The sample from where it was left."""
    return read(SAMPLE, skip=after)


def main(directory: Path) -> None:
    """Serve one order to its end."""
    engine = open_journal(directory / "machine.db", MACHINE.address.encode(), PARAMETERS.network_id)
    ledger = TableLedger(directory / "ledger.db", delay_s=0.05)
    settlement = Settlement(engine, MACHINE, TERMS, PARAMETERS, FlowMeter())
    machine = Machine(settlement, ledger, source, Pace(readings_per_s=40, tick_s=0.01), orders=1)
    print("ready", flush=True)
    asyncio.run(machine.run())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
