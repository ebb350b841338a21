"""The owner: watches what the machine pays, unit by unit.

A process of its own with its own seed, of which it uses nothing but the address. What it reports comes from the
ledger alone: the outputs at its address and the notes of the transactions that made them.

`python -m machines.owner --help`
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

import typer

from client.errors import ClientError
from client.selection import Coin
from machines.agent import (
    LOCAL_NODE,
    JsonOption,
    NodeLedger,
    NodeOption,
    Report,
    SeedOption,
    connected,
    is_passing,
    read_keys,
    reporter,
    run,
)
from machines.payments import UNIT, read_note
from tangle.protocol.addresses import Address, to_bech32

app = typer.Typer(add_completion=False)


@dataclass
class Revenue:
    """What has arrived, counted once per output.

    Attributes
    ----------
    units : (order id as hexadecimal, unit number) -> amount in base units
    other : base units that arrived without the note of a unit
    """

    units: dict[tuple[str, int], int] = field(default_factory=dict)
    other: int = 0
    twice: int = 0
    _seen: set[bytes] = field(default_factory=set)

    @property
    def total(self) -> int:
        """Base units for units."""
        return sum(self.units.values())

    def knows(self, coin: Coin) -> bool:
        """Whether an output was counted."""
        return coin.output_id in self._seen

    def count(self, coin: Coin, note: bytes) -> None:
        """Count an output by the note of its transaction."""
        self._seen.add(coin.output_id)
        purpose, order_id, number = read_note(note) or ("", "", 0)
        if purpose != UNIT:
            self.other += coin.amount
        elif (order_id, number) in self.units:
            self.twice += 1
        else:
            self.units[order_id, number] = coin.amount


async def look(ledger: NodeLedger, address: Address, revenue: Revenue) -> bool:
    """Count what is new at `address`; whether there was anything."""
    new = [coin for coin in await ledger.coins(address) if not revenue.knows(coin)]
    for coin in new:
        revenue.count(coin, await ledger.note(coin))
    return bool(new)


async def watch(ledger: NodeLedger, address: Address, every_s: float, report: Report) -> int:
    """Report revenue until cancelled; returns 1 when a unit was paid twice."""
    revenue = Revenue()
    hrp = (await ledger.parameters()).bech32_hrp
    report({"event": "ready", "address": to_bech32(address, hrp)})
    while not revenue.twice:
        try:
            if await look(ledger, address, revenue):
                facts = {"revenue": revenue.total, "units": len(revenue.units), "other": revenue.other}
                report({"event": "revenue", **facts, "paidTwice": revenue.twice})
        except ClientError as error:
            if not is_passing(error):
                raise
            report({"event": "node_away", "message": str(error)})
        await asyncio.sleep(every_s)
    return 1


@app.command()
def main(
    seed_file: SeedOption,
    node: NodeOption = LOCAL_NODE,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks at the ledger.")] = 0.5,
    json: JsonOption = False,
) -> None:
    """Watch the revenue of a machine."""
    report = reporter("owner", json)

    async def start() -> int:
        address = read_keys(seed_file).derive().address
        async with connected(node, report) as ledger:
            return await watch(ledger, address, every, report)

    run(start(), report)


if __name__ == "__main__":
    app()
