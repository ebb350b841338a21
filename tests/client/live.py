"""Wallets over a real node: one that holds the supply pays for the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tangle.client.node.rest import NodeClient
from tangle.client.wallet.wallet import Wallet
from tangle.protocol.keys import Keys
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.serial import blake2b_256
from tangle.service.directory import supply_words
from tests.nodes import RunningNode

FUNDS = 100_000
"""base units that a wallet starts with"""


@dataclass
class Bank:
    """A client of a node, and the wallet that the supply was given to."""

    node: NodeClient
    wallet: Wallet

    def empty(self, name: str) -> Wallet:
        """A wallet without anything; the same one for the same name."""
        return Wallet(self.node, Keys.from_seed(blake2b_256(name.encode())), gap_limit=0)

    async def funded(self, *names: str, pieces: int = 1, amount: int = FUNDS) -> list[Wallet]:
        """A wallet per name, each with `pieces` outputs of `amount`."""
        wallets = [self.empty(name) for name in names]
        outputs = [BasicOutput.to(one.address(), amount) for one in wallets for _ in range(pieces)]
        for start in range(0, len(outputs), 120):
            sent = await self.wallet.prepare(outputs[start : start + 120])
            await self.wallet.wait_included(sent)
        return wallets

    async def until(self, unix_time: int) -> None:
        """Wait until a milestone's time is `unix_time` or later; with each that has news it grows by a second."""
        deadline = time.monotonic() + 60
        while ((await self.node.info()).latest_milestone.timestamp or 0) < unix_time:
            assert time.monotonic() < deadline, "no milestone reached that time"
            await self.node.submit_data(b"time", b"passes")
            await asyncio.sleep(0.1)

    async def soon(self, seconds: int) -> int:
        """A time `seconds` after the newest milestone's."""
        return ((await self.node.info()).latest_milestone.timestamp or 0) + seconds


@asynccontextmanager
async def bank_of(running: RunningNode) -> AsyncIterator[Bank]:
    """The bank of a running node."""
    keys = Keys.from_mnemonic(supply_words(running.settings.supply_path))
    async with NodeClient(running.url, timeout=30) as node:
        yield Bank(node, Wallet(node, keys, gap_limit=0))
