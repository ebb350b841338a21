"""`tangle demo`: a node with fresh data, three parties as processes, real readings, and a summary that is checked.

The customer orders and deposits; the machine replays the readings, posts each one, and pays its owner per unit;
after a while the customer asks it to stop and gets the rest back. Then everything that was promised is
recomputed over REST. The exit code is 0 only when all of it holds.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cli.demo_audit import Case, Check, audit
from cli.demo_children import Child, ChildFailed, Children
from cli.demo_view import BlockLine, Scene
from cli.errors import CliError, ExitCode
from cli.output import report as report_error
from client.errors import NodeError
from client.events import MilestoneEvent, SolidEvent
from client.rest import NodeClient
from machines.agent import NodeLedger
from machines.meter import FlowMeter, MeterState
from machines.payments import read_note
from machines.readings import SAMPLE, read
from machines.terms import ML_PER_LITRE
from tangle.protocol.addresses import from_bech32
from tangle.protocol.errors import TangleError
from tangle.protocol.milestones import Milestone
from tangle.protocol.serial import from_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction

UNITS = 60
"""units that the deposit is for; the stop comes before they are used up"""
UNITS_AIMED_AT = 48
"""units that are produced until the stop, at most"""
ROUND_STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100)
"""multiples of a power of ten that are easy to read"""
PRICE = 1000
"""base units per unit"""
READINGS_PER_S = 2.0
"""speed of the replay"""
AROUND_S = 18.0
"""seconds of a run that go into starting, depositing, refunding and checking"""
START_S = 600.0
"""seconds until the node must be ready; a first start compiles"""
PARTY_S = 60.0
"""seconds for what a party must do once"""
LINE_EVERY_S = 2.0
"""seconds between two lines where there is no terminal"""


class DemoFailed(CliError):
    """The demonstration did not get to its end."""

    code = "demo_failed"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run.

    Attributes
    ----------
    unit_litres : litres per unit
    production_s : seconds from the deposit to the request to stop
    """

    readings: Path
    unit_litres: int
    production_s: float
    directory: Path


def demo(readings: Path | None = None, *, seconds: float = 60.0, keep: bool = False) -> int:
    """Run the demonstration; returns the exit code.

    Parameters
    ----------
    readings : CSV file to replay; the sample that comes with the project when None
    seconds : length of the whole run, about
    keep : keep the directory with the node's data, the parties' files and the logs
    """
    console = Console()
    with ExitStack() as stack:
        if keep:
            directory = Path(tempfile.mkdtemp(prefix="tangle-demo-"))
        else:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tangle-demo-")))
        try:
            path = (readings or SAMPLE).absolute()
            production_s = max(seconds - AROUND_S, 5.0)
            plan = Plan(path, unit_litres(path, production_s), production_s, directory)
            checks = asyncio.run(_until_signal(_run(plan, console)))
        except TangleError as error:
            report_error(error, as_json=False)
            return ExitCode.FAILED
        except (KeyboardInterrupt, asyncio.CancelledError):
            return ExitCode.INTERRUPTED
        finally:
            if keep:
                sys.stderr.write(f"kept: {directory}\n")
    _summary(console, checks)
    return int(ExitCode.OK if all(check.holds for check in checks) else ExitCode.FAILED)


def unit_litres(path: Path, production_s: float) -> int:
    """Litres per unit, a round number, so that a replay of `production_s` seconds makes most of the units ordered.

    Raises
    ------
    DemoFailed : the readings hold no volume
    """
    meter, state = FlowMeter(), MeterState()
    for reading in islice(read(path), max(2, int(production_s * READINGS_PER_S))):
        state, _ = meter.take(state, reading)
    wanted = Fraction(state.volume_ml, ML_PER_LITRE * UNITS_AIMED_AT)
    if wanted == 0:
        raise DemoFailed(f"{path}: the first readings hold no volume that units could be made of")
    magnitude = 10 ** max(len(str(int(wanted))) - 2, 0)
    return next(step * magnitude for step in ROUND_STEPS if step * magnitude >= wanted)


async def _until_signal(main: Coroutine[Any, Any, list[Check]]) -> list[Check]:
    task = asyncio.ensure_future(main)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


async def _run(plan: Plan, console: Console) -> list[Check]:
    async with Children(plan.directory) as children:
        url = await _start_node(children, plan, console)
        async with NodeClient(url) as node:
            return await Demonstration(plan, children, node, console).run()


async def _start_node(children: Children, plan: Plan, console: Console) -> str:
    """Start the node on a free port; returns its URL when it answers."""
    data = plan.directory / "node"
    child = await children.start("node", "cli.main", "up", "--port", "0", "--data", str(data))
    until, told = time.monotonic() + START_S, ""
    ready = asyncio.ensure_future(_ready_url(child))
    with _status(console, "starting a node with fresh data") as tell:
        while not ready.done() and time.monotonic() < until:
            await asyncio.wait({ready}, timeout=0.2)
            words = child.last_words()
            if words and words != told and not ready.done():
                tell(f"starting a node with fresh data: {words}")
                told = words
            child.check()
    url = await ready if ready.done() else None
    if url is None:
        raise ChildFailed("node", child.process.returncode, child.last_words())
    return url


async def _ready_url(child: Child) -> str | None:
    async for line in child.lines():
        name, _, url = line.partition(" ")
        if name == "ready":
            return url.strip()
    return None


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

    async def run(self) -> list[Check]:
        """From three parties that do not know each other to the checked ledger."""
        async with _together(
            self._follow(), self._watch_confidence(), self._watch_balances(), self._draw()
        ) as watching:
            owner = await self._party("owner")
            machine = await self._party("machine", "--owner", self.addresses["owner"], *self._machine_options())
            customer = await self._party("customer", *self._customer_options())
            parties = [asyncio.create_task(self._listen(child)) for child in (owner, machine, customer)]
            try:
                await self._until_ended(customer, [*watching, *parties])
            finally:
                for task in parties:
                    task.cancel()
                await asyncio.gather(*parties, return_exceptions=True)
            # One more look, so that the last picture is the final one.
            await asyncio.sleep(1.0)
        with _status(self.console, "checking the ledger over REST"):
            return await audit(self.node, await self._case())

    def _machine_options(self) -> list[str]:
        return [
            *("--state", str(self.plan.directory / "machine.db"), "--readings", str(self.plan.readings)),
            *("--price", str(PRICE), "--litres", str(self.plan.unit_litres)),
            *("--speed", str(READINGS_PER_S), "--orders", "1"),
        ]

    def _customer_options(self) -> list[str]:
        return [
            *("--state", str(self.plan.directory / "customer.json"), "--machine", self.addresses["machine"]),
            *("--units", str(UNITS), "--price-max", str(PRICE), "--faucet"),
            *("--stop-after", str(self.plan.production_s)),
        ]

    async def _party(self, name: str, *options: str) -> Child:
        """Start a party and wait until it has told its address."""
        seed = str(self.plan.directory / f"{name}.seed")
        arguments = (f"machines.{name}", "--json", "--node", self.node.url, "--seed-file", seed, *options)
        child = await self.children.start(name, *arguments)

        async def ready() -> str | None:
            async for report in child.reports():
                self._take(report)
                if report["event"] == "ready":
                    return str(report["address"])
            return None

        address = await asyncio.wait_for(ready(), PARTY_S)
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

    def _check_children(self) -> None:
        try:
            self.children.check()
        except ChildFailed as failed:
            raise ChildFailed(failed.name, failed.exit_code, self.failure or failed.said) from None

    async def _case(self) -> Case:
        hrp = (await self.node.parameters()).bech32_hrp
        parties = {name: from_bech32(address, hrp) for name, address in self.addresses.items()}
        return Case(from_hex(self.scene.order, "order"), self.deposit_transaction, **parties)

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
        return "message" if isinstance(payload, TaggedData) else "empty"

    async def _watch_confidence(self) -> None:
        while True:
            for line in list(self.scene.blocks.values()):
                if line.milestone is None or line.m < line.n:
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


class _status:  # noqa: N801  used like a function
    """Progress: a spinner in a terminal, lines elsewhere."""

    def __init__(self, console: Console, text: str) -> None:
        self.console = console
        self.text = text
        self.spinner = console.status(text) if console.is_terminal else None

    def __enter__(self) -> Callable[[str], None]:
        if self.spinner:
            self.spinner.start()
        else:
            self._tell(self.text)
        return self._tell

    def __exit__(self, *_: object) -> None:
        if self.spinner:
            self.spinner.stop()

    def _tell(self, text: str) -> None:
        if self.spinner:
            self.spinner.update(text)
        else:
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)


def _summary(console: Console, checks: list[Check]) -> None:
    width = max(len(check.says) for check in checks)
    console.print("\nchecked against the ledger over REST:")
    for check in checks:
        mark = ("holds ", "green") if check.holds else ("BROKEN", "bold red")
        console.print(Text.assemble("  ", mark, f"  {check.says:<{width}}  {check.figures}"), soft_wrap=True)
