"""Pay-on-production against a real node: three processes, kill -9 in between, and the demonstration itself."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tangle.client.node.rest import NodeClient
from tangle.demo.audit import audit
from tangle.demo.check import Case
from tangle.demo.children import Child, Children
from tangle.machines.follow import ReaderKey
from tangle.machines.readings import SAMPLE
from tangle.parties.seed import read_keys
from tangle.protocol.keys import KeyPair
from tangle.protocol.serial import from_hex, to_hex
from tests.e2e.conftest import MakeNode

ROOT = Path(__file__).parents[2]
START_S = 200.0
"""seconds for a node to start, the first time with compiling"""
UNITS = 30
PARTIES = ("machine", "owner", "customer")


@pytest.fixture
async def children(tmp_path: Path) -> AsyncIterator[Children]:
    async with Children(tmp_path) as children:
        yield children


async def first(child: Child, event: str) -> dict[str, Any]:
    """The next report of one kind."""
    async with asyncio.timeout(60):
        async for report in child.reports():
            assert report["event"] != "error", report
            if report["event"] == event:
                return report
    raise AssertionError(child.last_words())


async def kill(child: Child) -> None:
    if child.process.returncode is None:
        child.process.kill()
    await child.process.wait()


@pytest.mark.slow
async def test_parties_and_a_node_that_are_killed_still_settle_exactly(
    children: Children, make_node: MakeNode, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    moments = random.Random(seed)
    node = make_node()
    node.start()

    def party(name: str, *options: str) -> tuple[str, ...]:
        return (
            f"tangle.machines.{name}",
            "--json",
            "--node",
            node.url,
            "--seed-file",
            str(tmp_path / f"{name}.seed"),
            *options,
        )

    auditor = ReaderKey.of(KeyPair.of(moments.randbytes(32)))
    owner_command = party("owner", "--auditor", to_hex(auditor.public), "--auditor-units", "8")
    owner = await children.start("owner", *owner_command)
    ready = await first(owner, "ready")
    machine_command = party(
        *("machine", "--state", str(tmp_path / "machine.db"), "--orders", "1"),
        *("--owner", ready["address"], "--owner-reader", ready["reader"]),
        *("--price", "500", "--litres", "200000", "--readings", str(SAMPLE), "--speed", "3"),
    )
    machine = await children.start("machine", *machine_command)
    address = (await first(machine, "ready"))["address"]
    customer_command = party(
        *("customer", "--state", str(tmp_path / "customer.json"), "--machine", address, "--faucet"),
        *("--units", str(UNITS), "--stop-after-units", "24"),
    )
    customer = await children.start("customer", *customer_command)
    ordered = await first(customer, "ordered")
    deposited = await first(customer, "deposited")
    for victim in ("machine", "owner", "node", "machine"):
        await asyncio.sleep(moments.uniform(0.2, 1.5))
        if victim == "node":
            node.kill()
            node.start()
            continue
        if victim == "owner":
            await kill(owner)
            owner = await children.start("owner", *owner_command)
            continue
        await kill(machine)
        machine = await children.start("machine", *machine_command)
        await first(machine, "ready")
    await kill(customer)
    customer = await children.start("customer", *customer_command)
    assert (await first(customer, "deposited"))["transaction"] == deposited["transaction"]
    ended = await first(customer, "ended")
    assert all(ended["checks"].values()), ended
    async with asyncio.timeout(30):
        await asyncio.gather(customer.process.wait(), machine.process.wait())
    assert (customer.process.returncode, machine.process.returncode) == (0, 0)

    machine_at, owner_at, customer_at = (read_keys(tmp_path / f"{n}.seed").derive().address for n in PARTIES)
    order, deposit = from_hex(ordered["order"], "order"), from_hex(deposited["transaction"], "transaction")
    readers = {n: ReaderKey.of(read_keys(tmp_path / f"{n}.seed").derive()) for n in ("owner", "customer")}
    case = Case(order, deposit, machine_at, owner_at, customer_at, {**readers, "auditor": auditor})
    async with NodeClient(node.url) as client:
        checks = await audit(client, case)
        assert all(check.holds for check in checks), checks
        # The audit looks: with the parties exchanged it finds the sums broken.
        wrong = await audit(client, replace(case, owner=customer_at))
        assert not all(check.holds for check in wrong)
        # With the auditor in the customer's place it finds that not everything was read.
        wrong = await audit(client, replace(case, readers={**case.readers, "customer": auditor}))
        assert [check.says for check in wrong if not check.holds] == [
            "owner and customer read the whole channel",
            "and the payments in it are those of the ledger",
        ]
    assert ended["units"] >= 24
    assert ended["deposit"] == UNITS * 500


def demo(tmp_path: Path, seconds: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tangle", "demo", "--seconds", str(seconds)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_of(tmp_path: Path) -> dict[int, str]:
    """Processes whose command line names the directory."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if entry.name.isdigit() and str(tmp_path) in command:
            found[int(entry.name)] = command
    return found


def until_producing(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if "producing" in line:
            return
    raise AssertionError("the demonstration ended before it produced anything")


def test_the_demo_ends_with_a_checked_summary(tmp_path: Path) -> None:
    with demo(tmp_path, 23) as process:
        output, _ = process.communicate(timeout=START_S)
    assert process.returncode == 0, output
    assert output.count("  holds ") == 11
    assert "the auditor, shut out by message" in output
    assert "BROKEN" not in output
    assert not processes_of(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path, 60) as process:
        until_producing(process)
        assert len(processes_of(tmp_path)) == 4
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert not processes_of(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_demo_whose_machine_dies_says_so(tmp_path: Path) -> None:
    with demo(tmp_path, 60) as process:
        until_producing(process)
        pid = next(pid for pid, command in processes_of(tmp_path).items() if "tangle.machines.machine" in command)
        os.kill(pid, signal.SIGKILL)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, output
    assert "error: the machine ended with exit code -9" in output
    assert not processes_of(tmp_path)
