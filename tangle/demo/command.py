"""`tangle demo`: a node with fresh data, three parties as processes, real readings, and a summary that is checked.

The customer orders and deposits; the machine replays the readings, tells each one in its restricted channel, and
pays its owner per unit; after a while the customer asks it to stop and gets the rest back. Owner and customer
follow the channel, and so does an auditor until the owner shuts it out. Then everything that was promised is
recomputed over REST. The exit code is 0 only when all of it holds.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from tangle.client.node.rest import NodeClient
from tangle.demo.check import Check
from tangle.demo.children import Child, ChildFailed, Children
from tangle.demo.plan import Plan, unit_litres
from tangle.demo.run import Demonstration
from tangle.errors import Ending, TangleError
from tangle.machines.errors import ReadingsRefused
from tangle.machines.readings import SAMPLE, ReadingsForm
from tangle.parties.agent import (
    ColumnOption,
    DecimalOption,
    DelimiterOption,
    EncodingOption,
    TimeColumnOption,
    TimeFormatOption,
    finite,
)
from tangle.terminal.live import progress, report
from tangle.terminal.streams import note

AROUND_S = 18.0
"""seconds of a run that go into starting, depositing, refunding and checking"""
START_S = 600.0
"""seconds until the node must be ready; a first start compiles"""
STARTING = "starting a node with fresh data"


def demo(
    readings: Annotated[
        Path | None, typer.Option("--readings", metavar="FILE", help="CSV file to replay instead of the sample.")
    ] = None,
    column: ColumnOption = None,
    time_column: TimeColumnOption = None,
    time_format: TimeFormatOption = None,
    delimiter: DelimiterOption = None,
    decimal: DecimalOption = None,
    encoding: EncodingOption = None,
    seconds: Annotated[
        float, typer.Option(min=1, callback=finite, metavar="SECONDS", help="Length of the run, about.")
    ] = 60.0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the data of node and parties, and the logs.")] = False,
) -> None:
    try:
        form = ReadingsForm.named(column, time_column, time_format, delimiter, decimal, encoding)
    except ReadingsRefused as error:
        report(error, as_json=False)
        raise typer.Exit(Ending.FAILED.exit_code) from None
    outcome = _demonstrate(readings or SAMPLE, form, seconds, keep)
    raise typer.Exit(outcome.exit_code)


def _demonstrate(readings: Path, form: ReadingsForm, seconds: float, keep: bool) -> Ending:
    console = Console()
    with ExitStack() as stack:
        if keep:
            directory = Path(tempfile.mkdtemp(prefix="tangle-demo-"))
        else:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tangle-demo-")))
        try:
            path = readings.absolute()
            production_s = max(seconds - AROUND_S, 5.0)
            plan = Plan(path, form, unit_litres(path, form, production_s), production_s, directory)
            checks = asyncio.run(_until_signal(_run(plan, console)))
        except TangleError as error:
            report(error, as_json=False)
            return Ending.FAILED
        except (KeyboardInterrupt, asyncio.CancelledError):
            return Ending.INTERRUPTED
        finally:
            if keep:
                note(f"kept: {directory}")
    _summary(console, checks)
    return Ending.DONE if checks and all(check.holds for check in checks) else Ending.FAILED


async def _until_signal(main: Coroutine[Any, Any, list[Check]]) -> list[Check]:
    task = asyncio.ensure_future(main)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


async def _run(plan: Plan, console: Console) -> list[Check]:
    async with Children(plan.directory) as children:
        url = await _start_node(children, plan)
        async with NodeClient(url) as node:
            return await Demonstration(plan, children, node, console).run()


async def _start_node(children: Children, plan: Plan) -> str:
    """Start the node on a free port; returns its URL when it answers."""
    data = plan.directory / "node"
    child = await children.start("node", "tangle", "up", "--port", "0", "--data", str(data))
    ready = asyncio.create_task(_ready_url(child))
    try:
        with progress(STARTING, lines=True) as tell:
            await _tell_until(ready, child, tell)
        url = ready.result() if ready.done() else None
    finally:
        ready.cancel()
    if url is None:
        raise ChildFailed("node", child.process.returncode, child.last_words())
    return url


async def _tell_until(ready: asyncio.Task[str | None], child: Child, tell: Callable[[str], None]) -> None:
    until, told = time.monotonic() + START_S, ""
    while not ready.done() and time.monotonic() < until:
        await asyncio.wait({ready}, timeout=0.2)
        words = child.last_words()
        if words and words != told and not ready.done():
            tell(f"{STARTING}: {words}")
            told = words
        child.check()


async def _ready_url(child: Child) -> str | None:
    async for line in child.lines():
        name, _, url = line.partition(" ")
        if name == "ready":
            return url.strip()
    return None


def _summary(console: Console, checks: list[Check]) -> None:
    width = max(len(check.says) for check in checks)
    console.print("\nchecked against the ledger over REST:")
    for check in checks:
        mark = ("holds ", "green") if check.holds else ("BROKEN", "bold red")
        console.print(Text.assemble("  ", mark, f"  {check.says:<{width}}  {check.figures}"), soft_wrap=True)
