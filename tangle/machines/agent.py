"""What the three parties' processes have in common: the seed file, reports on stdout, signals, the node.

A report is one JSON object per line with `--json`, or one readable line. The seed file holds 32 bytes as
hexadecimal digits; it is made with mode 0600 when there is none, and refused when anyone but its owner may
read it.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from tangle.client.channels.errors import NotYetPublished
from tangle.client.errors import ClientError, Conflicting, NodeError, NodeUnreachable
from tangle.client.node.attach import Pow, attach
from tangle.client.node.inclusion import wait_included
from tangle.client.node.rest import NodeClient
from tangle.client.wallet.selection import Coin
from tangle.disk import files
from tangle.errors import TangleError
from tangle.machines.errors import PaymentConflicting, SeedRefused, TermsRefused
from tangle.machines.ledger import Heard
from tangle.protocol.addresses import Address, Ed25519Address, from_bech32
from tangle.protocol.keys import Keys
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction

PAGE = 50
"""messages heard at once"""
SEED_BYTES = 32
"""bytes"""

NodeOption = Annotated[str, typer.Option("--node", envvar="TANGLE_NODE", help="URL of the node.")]
SeedOption = Annotated[Path, typer.Option("--seed-file", help="The party's seed; made when there is none.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]
LOCAL_NODE = "http://127.0.0.1:14265"
"""where a node listens unless told otherwise"""

AWAY_S = 1.0
"""seconds between two tries to reach a node that is away"""

Report = Callable[[dict[str, Any]], None]
T = TypeVar("T")


PLAIN = {
    "has_timelock": False,
    "has_expiration": False,
    "has_storage_deposit_return": False,
    "has_native_tokens": False,
}
"""filters (TIP-26) of what is money as it stands: neither locked nor to be taken or given back, nothing with it"""


class NodeLedger:
    """A node over REST, as `tangle.machines.ledger.Ledger` asks for it.

    Parameters
    ----------
    pow_by : who does the proof of work
    """

    def __init__(self, node: NodeClient, pow_by: Pow) -> None:
        self.node = node
        self.pow_by: Pow = pow_by
        self._coins: dict[bytes, Coin] = {}

    async def parameters(self) -> ProtocolParameters:
        """See `Ledger`."""
        return await self.node.parameters()

    async def post(self, tag: bytes, data: bytes) -> bytes:
        """See `Ledger`."""
        return await attach(self.node, TaggedData(tag, data), pow=self.pow_by)

    async def hear(self, tag: bytes, after: int) -> list[Heard]:
        """See `Ledger`; only tagged data is a message, the note of a transaction is not."""
        heard: list[Heard] = []
        async for item in self.node.tagged_blocks(tag, after=after):
            payload = (await self.node.block(item.block_id)).payload
            heard.append(Heard(item.number, payload.data if isinstance(payload, TaggedData) else b""))
            if len(heard) == PAGE:
                break
        return heard

    async def coins(self, address: Address, tag: bytes | None = None) -> list[Coin]:
        """See `Ledger`."""
        tagged = {"tag": tag} if tag is not None else {}
        listed = await self.node.output_ids("basic", address=address, **PLAIN, **tagged)
        for output_id in listed:
            if output_id not in self._coins:
                output, _ = await self.node.output(output_id)
                self._coins[output_id] = Coin(output_id, output)
        return [self._coins[output_id] for output_id in listed]

    async def include(self, transaction: Transaction) -> int:
        """See `Ledger`; waits as long as it takes, through restarts of the node."""
        try:
            found = await wait_included(self.node, transaction, [], pow_by=self.pow_by, within_s=None)
        except Conflicting as conflict:
            raise PaymentConflicting(transaction.id, str(conflict)) from None
        return found.milestone_index

    async def note(self, coin: Coin) -> bytes:
        """The data that the transaction which made `coin` carries; empty when it carries none."""
        block = await self.node.included_block(coin.output_id[:32])
        payload = block.payload if block else None
        note = payload.essence.payload if isinstance(payload, Transaction) else None
        return note.data if note else b""


@asynccontextmanager
async def connected(url: str, report: Report) -> AsyncIterator[NodeLedger]:
    """A node that answers; it does the proof of work where it offers to.

    After a power cut the machine may be up before the node, so one that does not answer yet is waited for.
    """
    async with NodeClient(url) as node:
        features = (await until_there(node.info, report)).features
        yield NodeLedger(node, "node" if "pow" in features else "local")


async def until_there(ask: Callable[[], Awaitable[T]], report: Report, every_s: float = AWAY_S) -> T:
    """What `ask` returns, asked again while the node is away, each time with a report of it."""
    while True:
        try:
            return await ask()
        except ClientError as error:
            if not is_passing(error):
                raise
            report({"event": "node_away", "message": str(error)})
            await asyncio.sleep(every_s)


def read_keys(path: Path) -> Keys:
    """The keys of a seed file, which is made when there is none.

    Raises
    ------
    SeedRefused : others may read the file, or it holds no seed
    """
    seed = secrets.token_bytes(SEED_BYTES)
    try:
        if path.exists():
            return _read_seed(path)
        files.create(path, seed.hex().encode() + b"\n", files.PRIVATE)
    except FileExistsError:
        return _read_seed(path)
    except OSError as error:
        raise SeedRefused(f"{path}: {error.strerror}") from None
    return Keys.from_seed(seed)


def _read_seed(path: Path) -> Keys:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SeedRefused(f"{path}: others may read this seed; chmod 600 it, or better make a new one")
        seed = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise SeedRefused(f"{path}: {error}") from None
    if len(seed) != SEED_BYTES:
        raise SeedRefused(f"{path}: holds {len(seed)} bytes, a seed has {SEED_BYTES}")
    return Keys.from_seed(seed)


def read_machine(text: str, hrp: str) -> Ed25519Address:
    """The address of a machine, which signs what it says. Raises TermsRefused, ProtocolError."""
    address = from_bech32(text, hrp)
    if not isinstance(address, Ed25519Address):
        raise TermsRefused(f"{text}: a machine has the address of a key")
    return address


def reporter(agent: str, as_json: bool) -> Report:
    """Writes reports of `agent` to stdout, one line each."""

    def report(facts: dict[str, Any]) -> None:
        facts = {"agent": agent, **facts}
        if as_json:
            line = json.dumps(facts)
        else:
            line = "  ".join(f"{name}={_readable(value)}" for name, value in facts.items())
        print(line, flush=True)

    return report


def _readable(value: Any) -> str:
    return ",".join(f"{k}:{v}" for k, v in value.items()) if isinstance(value, dict) else str(value)


def is_passing(error: ClientError) -> bool:
    """Whether an error is of the kind that goes away: a node that is down, restarting or overloaded."""
    if isinstance(error, NotYetPublished):
        return isinstance(error.__cause__, ClientError) and is_passing(error.__cause__)
    return isinstance(error, NodeUnreachable) or (isinstance(error, NodeError) and error.status >= 500)


def run(main: Coroutine[Any, Any, int], report: Report) -> None:
    """Run an agent to its end and leave with its exit code; an error is reported, not thrown.

    SIGTERM and SIGINT cancel it where it waits. Nothing is lost by that: what was decided is stored, and what was
    not posted will be when the agent is started again.
    """
    try:
        code = asyncio.run(_until_signal(main, report))
    except TangleError as error:
        report({"event": "error", "code": error.code, "message": str(error)})
        code = 1
    except BrokenPipeError:
        # Whoever read the reports is gone; there is nobody to tell, and nothing to flush either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    raise typer.Exit(code)


async def _until_signal(main: Coroutine[Any, Any, int], report: Report) -> int:
    task = asyncio.create_task(main)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        report({"event": "stopped"})
        return 0
