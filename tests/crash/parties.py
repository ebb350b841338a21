"""A channel's writer, a machine and its customers at work on a node that may die; they die, too."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tangle.client.channels import NodeCarrier, Publisher
from tangle.client.channels.errors import NotYetPublished
from tangle.client.channels.recovery import recover
from tangle.client.node.rest import NodeClient
from tangle.machines.readings import SAMPLE
from tangle.mam import Channel
from tangle.protocol.addresses import to_bech32
from tests import forked
from tests.crash.load import RETRY_S
from tests.forked import Forked
from tests.networks import Key

UNITS = 4
"""units of an order"""
ORDER_S = 600
"""seconds in which an order has to come to its end, whatever happens to the node"""
END_S = 180
"""seconds for the last order and the last message, once nobody does anything to the node any more"""


class ChannelWriter:
    """Publishes numbers, one after the other, and notes which were acknowledged."""

    def __init__(self, url: str, path: Path) -> None:
        self.url = url
        self.channel = Channel.create("public")
        self.acknowledged: set[int] = set()
        self._path = path

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Publish until the block ends; then all that was signed goes out."""
        async with (
            NodeClient(self.url, timeout=20) as node,
            await Publisher.create(self._path, self.channel, NodeCarrier(node)) as publisher,
        ):
            writing = asyncio.create_task(self._write(publisher))
            try:
                yield
            finally:
                writing.cancel()
                with suppress(asyncio.CancelledError):
                    await writing
            async with asyncio.timeout(END_S):
                while True:
                    try:
                        self.acknowledged.update(one.index for one in await publisher.resume())
                        break
                    except NotYetPublished:
                        await asyncio.sleep(RETRY_S)

    async def _write(self, publisher: Publisher) -> None:
        number = 0
        while True:
            with suppress(NotYetPublished):
                self.acknowledged.add((await publisher.publish({"number": number})).index)
            number += 1
            await asyncio.sleep(RETRY_S / 2)

    async def check(self) -> int:
        """Read it all again from its seed: no message is missing and none is there twice. Returns how many."""
        async with NodeClient(self.url) as node:
            found = await recover(node, self.channel)
        assert not found.forks, found.forks
        assert not found.gaps, found.gaps
        assert found.position.index > max(self.acknowledged)
        return found.position.index


class Shop:
    """A machine, and customers who order from it one after the other; `kill` kills one of the two.

    Attributes
    ----------
    settled : orders that ended with sums that hold
    """

    def __init__(self, url: str, directory: Path, rng: random.Random) -> None:
        self.settled = 0
        self._url = url
        self._directory = directory
        self._rng = rng
        self._ending = False
        self._machine: Forked | None = None
        self._customer: Forked | None = None

    @asynccontextmanager
    async def running(self, bech32_hrp: str) -> AsyncIterator[None]:
        """Orders are placed until the block ends; then the last one is settled."""
        owner = to_bech32(Key.named("owner").address, bech32_hrp)
        self._machine = self._start_machine(owner)
        address = json.loads(await asyncio.to_thread(self._machine.await_line, self._out("machine")))["address"]
        keeping = asyncio.create_task(self._keep(owner))
        ordering = asyncio.create_task(self._order(address))
        try:
            yield
            self._ending = True
            async with asyncio.timeout(END_S):
                await ordering
        finally:
            for task in (ordering, keeping):
                task.cancel()
            await asyncio.gather(ordering, keeping, return_exceptions=True)
            for process in (self._customer, self._machine):
                if process is not None:
                    process.kill()

    def kill(self) -> None:
        """SIGKILL to the machine or to its customer; either is started again."""
        victim = self._rng.choice((self._machine, self._customer))
        if victim is not None:
            victim.kill()

    async def _keep(self, owner: str) -> None:
        while True:
            assert self._machine is not None
            if self._machine.poll() is not None:
                assert self._machine.poll() == -9, self._words("machine")
                self._machine = self._start_machine(owner)
            await asyncio.sleep(RETRY_S)

    async def _order(self, address: str) -> None:
        while not self._ending:
            name = f"customer-{self.settled}"
            self._customer = process = self._start(
                "customer", name, "--machine", address, "--units", str(UNITS), "--faucet"
            )
            code = await asyncio.to_thread(process.wait, ORDER_S)
            assert code in {0, -9}, self._words(name)
            self.settled += code == 0

    def _start_machine(self, owner: str) -> Forked:
        sale = ("--price", "500", "--litres", "100000", "--readings", str(SAMPLE), "--speed", "20")
        return self._start("machine", "machine", "--owner", owner, *sale)

    def _start(self, module: str, name: str, *options: str) -> Forked:
        arguments = ["--json", "--node", self._url, "--seed-file", str(self._directory / f"{name}.seed")]
        arguments += ["--state", str(self._directory / f"{name}.state"), *options]
        out = self._out(name)
        return Forked(forked.party, f"tangle.machines.{module}", *arguments, stdout=out, stderr=out)

    def _out(self, name: str) -> Path:
        return self._directory / f"{name}.out"

    def _words(self, name: str) -> str:
        return "\n".join(self._out(name).read_text().splitlines()[-20:])
