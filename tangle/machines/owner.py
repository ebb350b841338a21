"""The owner: watches what its machines pay, unit by unit, and reads along in their channels.

A process of its own with its own seed. Revenue comes from the ledger alone: the outputs at its address and the
notes of the transactions that made them. What the machines tell in their channels is counted beside it.

It may admit an auditor to the channels and shut it out again. Those instructions are numbered, so an owner that is
started again with the same command repeats them without effect.

`python -m tangle.machines.owner --help`
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

import typer

from tangle.client.errors import ClientError
from tangle.client.wallet.selection import Coin
from tangle.machines.facts import GRANT, REVOKE, UNIT, UNORDERED
from tangle.machines.follow import ReaderKey, Tally, facts, invitations
from tangle.machines.messages import seal
from tangle.machines.payments import UNIT as UNIT_PAYMENT
from tangle.machines.payments import read_note
from tangle.machines.terms import machine_tag, read_machine
from tangle.parties.agent import LOCAL_NODE, JsonOption, NodeOption, SeedOption, finite, run
from tangle.parties.errors import MessageRefused
from tangle.parties.ledger import NodeLedger, connected, until_there
from tangle.parties.report import Report, reporter
from tangle.parties.seed import read_keys
from tangle.protocol.addresses import Address, Ed25519Address, to_bech32
from tangle.protocol.errors import ProtocolError
from tangle.protocol.keys import KeyPair
from tangle.protocol.serial import from_hex, to_hex

MACHINES_MAX = 16
"""channels followed at once; anybody may send an invitation"""

app = typer.Typer(add_completion=False)


@dataclass
class Revenue:
    """What has arrived, counted once per output.

    Attributes
    ----------
    units : (order id as hexadecimal, unit number) -> amount in base units
    other : base units that arrived without the note of a unit
    after : the moment up to which all coins have been looked at
    """

    units: dict[tuple[str, int], int] = field(default_factory=dict)
    other: int = 0
    twice: int = 0
    after: int = 0
    _seen: set[bytes] = field(default_factory=set)

    @property
    def total(self) -> int:
        """Base units for units."""
        return sum(self.units.values())

    def knows(self, output_id: bytes) -> bool:
        """Whether an output was counted."""
        return output_id in self._seen

    def count(self, coin: Coin, note: bytes) -> None:
        """Count an output by the note of its transaction."""
        self._seen.add(coin.output_id)
        purpose, order_id, number = read_note(note) or ("", "", 0)
        if purpose != UNIT_PAYMENT:
            self.other += coin.amount
        elif (order_id, number) in self.units:
            self.twice += 1
        else:
            self.units[order_id, number] = coin.amount


async def look(ledger: NodeLedger, address: Address, revenue: Revenue) -> bool:
    """Count what is new at `address`; whether there was anything."""
    new, revenue.after = await ledger.arrived(address, revenue.after, revenue.knows)
    for coin in new:
        revenue.count(coin, await ledger.note(coin))
    return bool(new)


@dataclass(frozen=True, slots=True)
class Audit:
    """Somebody who may read along for a while.

    Attributes
    ----------
    reader : X25519 public key
    units : shut out when so many units were told since the owner began to read
    """

    reader: bytes
    units: int


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels of all machines that invite this owner, or of one machine."""

    ledger: NodeLedger
    key: KeyPair
    report: Report
    machine: Ed25519Address | None = None
    audit: Audit | None = None

    async def follow(self) -> None:
        """Follow them until cancelled."""
        following: dict[Ed25519Address, tuple[int, asyncio.Task[None]]] = {}
        async with asyncio.TaskGroup() as tasks:
            async for one in invitations(self.ledger, ReaderKey.of(self.key), self.report):
                if self.machine not in {None, one.machine}:
                    continue
                if one.machine not in following and len(following) == MACHINES_MAX:
                    continue
                if one.machine in following:
                    begun_ms, task = following[one.machine]
                    if one.begun_ms <= begun_ms:
                        continue
                    # The machine has begun another channel; the one before it is not written any more.
                    task.cancel()
                following[one.machine] = (one.begun_ms, tasks.create_task(self._try_follow(one.machine)))

    async def _try_follow(self, machine: Ed25519Address) -> None:
        # Anybody can send invitations, so what one channel holds must not end the reading of the others.
        try:
            await self._follow(machine)
        except (MessageRefused, ProtocolError) as error:
            self.report({"event": "channel_refused", "machine": to_hex(machine.encode()), "message": str(error)})

    async def _follow(self, machine: Ed25519Address) -> None:
        tally, instructed = Tally(), 0
        hrp = (await self.ledger.parameters()).bech32_hrp
        if self.audit is not None:
            await self._instruct(machine, GRANT, instructed := 1)
        async for fact in facts(self.ledger, ReaderKey.of(self.key), machine, self.report):
            tally.count(fact)
            if fact.kind == UNORDERED:
                figures = {name: fact.body.members.get(name) for name in ("coins", "amount")}
                self.report({"event": UNORDERED, "machine": to_bech32(machine, hrp), **figures})
            self.report({"event": "channel", "machine": to_bech32(machine, hrp), **tally.to_json()})
            if self.audit is not None and instructed == 1 and tally.counts[UNIT] >= self.audit.units:
                await self._instruct(machine, REVOKE, instructed := 2)

    async def _instruct(self, machine: Ed25519Address, kind: str, number: int) -> None:
        assert self.audit is not None
        body = {"machine": machine.to_json(), "reader": to_hex(self.audit.reader), "number": number}
        data = seal({"kind": kind, **body}, self.key)
        await until_there(lambda: self.ledger.post(machine_tag(machine), data), self.report)
        self.report({"event": kind, "reader": to_hex(self.audit.reader)})


async def watch(ledger: NodeLedger, channels: Channels, every_s: float, report: Report) -> int:
    """Report revenue and what channels tell until cancelled; returns 1 when a unit was paid twice."""
    address = channels.key.address
    hrp = (await ledger.parameters()).bech32_hrp
    reader = to_hex(ReaderKey.of(channels.key).public)
    report({"event": "ready", "address": to_bech32(address, hrp), "reader": reader})
    following = asyncio.create_task(channels.follow())
    try:
        return await _watch_revenue(ledger, address, every_s, report, following)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _watch_revenue(
    ledger: NodeLedger, address: Address, every_s: float, report: Report, following: asyncio.Task[None]
) -> int:
    revenue = Revenue()
    while not revenue.twice:
        if following.done():
            following.result()
        try:
            if await look(ledger, address, revenue):
                facts = {"revenue": revenue.total, "units": len(revenue.units), "other": revenue.other}
                report({"event": "revenue", **facts, "paidTwice": revenue.twice})
        except ClientError as error:
            if not error.passes:
                raise
            report({"event": "node_away", "message": str(error)})
        await asyncio.sleep(every_s)
    return 1


@app.command()
def main(
    seed_file: SeedOption,
    node: NodeOption = LOCAL_NODE,
    machine: Annotated[str | None, typer.Option(help="Follow the channel of this machine alone.")] = None,
    auditor: Annotated[str | None, typer.Option(help="Key of a reader to admit to the channels.")] = None,
    auditor_units: Annotated[int, typer.Option(min=1, help="Units after which it is shut out.")] = 100,
    every: Annotated[
        float, typer.Option(min=0.1, callback=finite, help="Seconds between two looks at the ledger.")
    ] = 0.5,
    json: JsonOption = False,
) -> None:
    """Watch the revenue of machines, and what they tell in their channels."""
    report = reporter("owner", json)

    async def start() -> int:
        key = read_keys(seed_file).derive()
        audit = Audit(from_hex(auditor, "auditor", size=32), auditor_units) if auditor else None
        async with connected(node, report) as ledger:
            hrp = (await ledger.parameters()).bech32_hrp
            mine = read_machine(machine, hrp) if machine else None
            return await watch(ledger, Channels(ledger, key, report, mine, audit), every, report)

    run(start(), report)


if __name__ == "__main__":
    app()
