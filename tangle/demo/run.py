"""The run itself: three parties against a node that answers, watched, and audited at the end."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Any

from rich.console import Console
from rich.live import Live

from tangle.client.errors import NodeError
from tangle.client.node.rest import NodeClient
from tangle.demo.audit import audit
from tangle.demo.channel import hear
from tangle.demo.check import Case, Check
from tangle.demo.children import Child, ChildFailed, Children
from tangle.demo.plan import AUDITED_UNITS, PRICE, READINGS_PER_S, UNITS, DemoFailed, Plan
from tangle.demo.view import BlockLine, Scene
from tangle.machines.follow import ReaderKey, facts
from tangle.machines.messages import unseal
from tangle.machines.payments import read_note
from tangle.machines.terms import read_machine
from tangle.parties.errors import MessageRefused
from tangle.parties.ledger import NodeLedger
from tangle.parties.seed import read_keys
from tangle.protocol.addresses import Ed25519Address, from_bech32
from tangle.protocol.answers import MilestoneEvent, SolidEvent
from tangle.protocol.keys import KeyPair
from tangle.protocol.milestones import Milestone
from tangle.protocol.serial import from_hex, to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction
from tangle.terminal.live import progress

PARTY_S = 60.0
"""seconds for what a party must do once"""
LOOK_S = 0.1
"""seconds between two looks at what readers have"""
TOLD_S = 15.0
"""seconds until readers have what the machine told last"""
LINE_EVERY_S = 2.0
"""seconds between two lines where there is no terminal"""


@asynccontextmanager
async def _together(*coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Run beside the block, cancel at its end."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Demonstration:
    """The run against a node that answers."""

    def __init__(self, plan: Plan, children: Children, node: NodeClient, console: Console) -> None:
        self.plan = plan
        self.children = children
        self.node = node
        self.console = console
        self.scene = Scene(url=node.url, source=plan.readings.name, unit_litres=plan.unit_litres, price=PRICE)
        self.addresses: dict[str, str] = {}
        self.deposit_transaction = b""
        self.owner_reader = ""
        self.auditor = ReaderKey.of(KeyPair.of(os.urandom(32)))

    async def run(self) -> list[Check]:
        """From three parties that do not know each other to the checked ledger."""
        async with _together(
            self._follow(), self._watch_confidence(), self._watch_balances(), self._draw()
        ) as watching:
            owner = await self._party("owner", *self._owner_options())
            machine = await self._party("machine", *self._machine_options())
            customer = await self._party("customer", *self._customer_options())
            parties = [asyncio.create_task(self._listen(child)) for child in (owner, machine, customer)]
            parties.append(asyncio.create_task(self._read_along()))
            try:
                await self._until_ended(customer, [*watching, *parties])
                followed = await self._followed(machine)
            finally:
                for task in parties:
                    task.cancel()
                await asyncio.gather(*parties, return_exceptions=True)
            # One more look, so that the last picture is the final one.
            await asyncio.sleep(1.0)
        with progress("checking the ledger over REST", lines=True):
            return [*await audit(self.node, await self._case()), followed]

    def _owner_options(self) -> list[str]:
        return ["--auditor", to_hex(self.auditor.public), "--auditor-units", str(AUDITED_UNITS)]

    def _machine_options(self) -> list[str]:
        return [
            *("--owner", self.addresses["owner"], "--owner-reader", self.owner_reader),
            *("--state", str(self.plan.directory / "machine.db"), "--readings", str(self.plan.readings)),
            *self.plan.form.options(),
            *("--price", str(PRICE), "--litres", str(self.plan.unit_litres)),
            *("--speed", str(READINGS_PER_S), "--orders", "1"),
        ]

    def _customer_options(self) -> list[str]:
        return [
            *("--state", str(self.plan.directory / "customer.json"), "--machine", self.addresses["machine"]),
            *("--units", str(UNITS), "--price-max", str(PRICE), "--faucet"),
            *("--stop-after-units", str(self.plan.units)),
        ]

    async def _party(self, name: str, *options: str) -> Child:
        """Start a party and wait until it has told its address."""
        seed = str(self.plan.directory / f"{name}.seed")
        arguments = (f"tangle.machines.{name}", "--json", "--node", self.node.url, "--seed-file", seed, *options)
        child = await self.children.start(name, *arguments)

        async def ready() -> str | None:
            async for report in child.reports():
                self._take(report)
                if report["event"] == "ready":
                    return str(report["address"])
            return None

        try:
            address = await asyncio.wait_for(ready(), PARTY_S)
        except TimeoutError:
            raise DemoFailed(f"the {name} was not ready within {PARTY_S:g} s") from None
        if address is None:
            raise ChildFailed(name, await child.process.wait(), self.failure or child.last_words())
        self.addresses[name] = address
        return child

    failure = ""

    async def _listen(self, child: Child) -> None:
        async for report in child.reports():
            self._take(report)

    def _take(self, report: dict[str, Any]) -> None:
        scene = self.scene
        match report:
            case {"event": "error", "message": message}:
                self.failure = str(message)
            case {"agent": "machine", "event": "order"}:
                scene.state, scene.order = report["state"], report["order"]
                scene.deposit, scene.credit = report["deposit"], report["credit"]
                scene.produced, scene.paid_units = report["produced"], report["paidUnits"]
                scene.refunded, scene.volume_ml = report["refunded"], report["volumeMillilitres"]
                used = ("start", "counted", "bridged")
                scene.readings = sum(report["readings"].values())
                scene.skipped = scene.readings - sum(report["readings"].get(name, 0) for name in used)
            case {"event": "ready", "reader": reader}:
                self.owner_reader = str(reader)
            case {"agent": agent, "event": "channel"}:
                scene.told[agent] = report["messages"]
            case {"agent": agent, "event": "shut_out"}:
                scene.shut_out[agent] = report["index"]
            case {"agent": "customer", "event": "deposited"}:
                self.deposit_transaction = from_hex(report["transaction"], "transaction")

    async def _until_ended(self, customer: Child, tasks: list[asyncio.Task[None]]) -> None:
        until = time.monotonic() + self.plan.production_s + 3 * PARTY_S
        ended = asyncio.create_task(customer.process.wait())
        try:
            while not ended.done() and time.monotonic() < until:
                await asyncio.wait({ended}, timeout=0.5)
                self._check_children()
                for task in tasks:
                    if task.done() and not task.cancelled() and (error := task.exception()):
                        raise error
        finally:
            ended.cancel()
        if customer.process.returncode is None:
            raise DemoFailed(f"the order is still {self.scene.state.replace('_', ' ')}")

    async def _followed(self, machine: Child) -> Check:
        """Wait for the machine to have told everything; whether its readers get all that they may read."""
        await asyncio.wait_for(machine.process.wait(), PARTY_S)
        address, told = await self._machine(), {}
        for name, reader in self._readers().items():
            told[name] = len((await hear(self.node, reader, address)).facts)
        for _ in range(round(TOLD_S / LOOK_S)):
            if self.scene.told == told:
                break
            await asyncio.sleep(LOOK_S)
        figures = ", ".join(f"{name} {count}" for name, count in self.scene.told.items())
        return Check("all three followed it live, to the last message", figures, self.scene.told == told)

    def _readers(self) -> dict[str, ReaderKey]:
        """Keys of all readers. Those of the parties are theirs: the seeds lie in the demonstration's directory."""
        seeds = {name: self.plan.directory / f"{name}.seed" for name in ("owner", "customer")}
        keys = {name: ReaderKey.of(read_keys(path).derive()) for name, path in seeds.items()}
        return {**keys, "auditor": self.auditor}

    async def _machine(self) -> Ed25519Address:
        return read_machine(self.addresses["machine"], (await self.node.parameters()).bech32_hrp)

    async def _read_along(self) -> None:
        """The auditor: it reads from when the owner lets it until the owner shuts it out."""
        told = facts(NodeLedger(self.node, "node"), self.auditor, await self._machine(), self._take_auditor)
        async with aclosing(told):
            async for _ in told:
                self.scene.told["auditor"] += 1

    def _take_auditor(self, report: dict[str, Any]) -> None:
        self._take({"agent": "auditor", **report})

    def _check_children(self) -> None:
        try:
            self.children.check()
        except ChildFailed as failed:
            raise ChildFailed(failed.name, failed.exit_code, self.failure or failed.said) from None

    async def _case(self) -> Case:
        hrp = (await self.node.parameters()).bech32_hrp
        owner, customer = (from_bech32(self.addresses[name], hrp) for name in ("owner", "customer"))
        order_id = from_hex(self.scene.order, "order")
        return Case(order_id, self.deposit_transaction, await self._machine(), owner, customer, self._readers())

    async def _follow(self) -> None:
        """Put new blocks and milestones into the scene."""
        async for event in self.node.events(after=0, types=("solid", "milestone")):
            if isinstance(event, MilestoneEvent):
                self.scene.milestone = event.index
            elif isinstance(event, SolidEvent):
                line = self.scene.add(event.block_id)
                line.kind = await self._kind(event.block_id)

    async def _kind(self, block_id: bytes) -> str:
        payload = (await self.node.block(block_id)).payload
        if isinstance(payload, Milestone):
            return f"milestone {payload.essence.index}"
        if isinstance(payload, Transaction):
            note = payload.essence.payload
            said = read_note(note.data) if note else None
            return f"{said[0]} {said[2]}" if said else "transaction"
        return _message_kind(payload.data) if isinstance(payload, TaggedData) else "empty"

    async def _watch_confidence(self) -> None:
        while True:
            for line in list(self.scene.blocks.values()):
                if line.milestone is None or line.m < max(line.n, 1):
                    await self._look_at(line)
            await asyncio.sleep(0.5)

    async def _look_at(self, line: BlockLine) -> None:
        try:
            metadata = await self.node.metadata(line.block_id)
        except NodeError:
            return
        line.milestone, line.inclusion = metadata.milestone_index, metadata.inclusion
        if metadata.confidence is not None:
            line.m, line.n = metadata.confidence.m, metadata.confidence.n

    async def _watch_balances(self) -> None:
        ledger, hrp = NodeLedger(self.node, "node"), (await self.node.parameters()).bech32_hrp
        while True:
            for party, address in list(self.addresses.items()):
                coins = await ledger.coins(from_bech32(address, hrp))
                self.scene.balances[party] = sum(coin.amount for coin in coins)
            await asyncio.sleep(0.7)

    async def _draw(self) -> None:
        if not self.console.is_terminal:
            while True:
                self.console.print(self.scene.line(), highlight=False, soft_wrap=True)
                await asyncio.sleep(LINE_EVERY_S)
        with Live(self.scene, console=self.console, refresh_per_second=5):
            await asyncio.Event().wait()


def _message_kind(data: bytes) -> str:
    try:
        message = unseal(data)
    except MessageRefused:
        return "data"
    number = message.body.members.get("number", "")
    return f"{message.kind} {number}".strip()
