"""Load on a node that may die at any moment, and a record of all that it has promised.

Writers post notes and payments over several connections. A block whose answer was lost with the node is posted
again, byte for byte, until it is answered: as a careful machine does. What was answered, heard or read is kept, to
be held against the node after its next start.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from tangle.client.errors import NodeError, NodeUnreachable
from tangle.client.node.rest import NodeClient
from tangle.protocol.answers import Event
from tangle.protocol.blocks import Block, Payload
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.transactions import Transaction
from tests.networks import Coin, Key, block_on, coins_of, note, spend

NOTE_WRITERS = 6
PAYERS = 3
RIVAL_EVERY = 4
"""payments between two attempts to spend a coin a second time"""
RETRY_S = 0.25
"""seconds between two attempts to reach a node that is down; trying harder would slow its start"""
LOOK_S = 0.05
WAIT_S = 60

T = TypeVar("T")


class Load:
    """Everything a set of clients does to one node, and what they were told.

    Attributes
    ----------
    acknowledged : blocks by id that the node has answered for, in order
    payments, rivals : transactions that must end up included and conflicting, by the id of their block
    events : as heard, from the first one on
    milestone : largest index that the node has named
    """

    def __init__(self, url: str, parameters: ProtocolParameters, rng: random.Random) -> None:
        self.client = NodeClient(url, timeout=20)
        self.parameters = parameters
        self.acknowledged: dict[bytes, Block] = {}
        self.payments: dict[bytes, Transaction] = {}
        self.rivals: dict[bytes, Transaction] = {}
        self.events: list[Event] = []
        self.milestone = 0
        self._rng = rng
        self._ending = False
        self._name = rng.randbytes(8).hex()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Writers and listeners run until the block ends; whatever one of them finds wrong is raised here."""
        async with self.client, asyncio.TaskGroup() as tasks:
            coins = [await self._funded(Key.named(f"{self._name} {number}")) for number in range(PAYERS)]
            listeners = [tasks.create_task(self._listen()), tasks.create_task(self._watch())]
            writers = [tasks.create_task(self._write_notes(number)) for number in range(NOTE_WRITERS)]
            writers += [tasks.create_task(self._pay(coin)) for coin in coins]
            writers.append(tasks.create_task(self._ask_faucet()))
            yield
            self._ending = True
            await asyncio.wait(writers, timeout=WAIT_S)
            for task in listeners:
                task.cancel()

    async def acknowledgement(self) -> None:
        """Wait until the node answers for one more block."""
        before = len(self.acknowledged)

        async def look() -> bool:
            return len(self.acknowledged) > before

        await eventually(look)

    async def verify(self, block_ids: Iterable[bytes], milestone: int) -> None:
        """The node holds these blocks, byte for byte, and has not gone back behind `milestone`."""
        todo = iter(list(block_ids))

        async def reader() -> None:
            for block_id in todo:
                assert await self.client.block_bytes(block_id) == self.acknowledged[block_id].encoded

        await asyncio.gather(*(reader() for _ in range(4)))
        assert (await self.client.info()).latest_milestone.index >= milestone

    async def settle(self) -> None:
        """Wait until a milestone has referenced every payment and every rival."""
        todo = {*self.payments, *self.rivals}

        async def look() -> bool:
            while todo:
                block_id = todo.pop()
                if (await self.client.metadata(block_id)).milestone_index is None:
                    todo.add(block_id)
                    return False
            return True

        await eventually(look)

    async def _reach(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to a question that may be put again, however often the node dies or fails meanwhile."""
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    return await ask()
                except (NodeUnreachable, NodeError) as error:
                    if not error.passes:
                        raise
                    await asyncio.sleep(RETRY_S)

    async def _post(self, parents: Iterable[bytes], payload: Payload) -> bytes:
        """Post a block; upon new tips where the old ones became too old while the node was away."""
        block = block_on(set(parents), payload)
        try:
            block_id = await self._reach(partial(self.client.submit, block))
        except NodeError as error:
            if error.code != "below_max_depth":
                raise
            return await self._post(await self._tips(2), payload)
        self.acknowledged[block_id] = block
        return block_id

    async def _tips(self, count: int) -> list[bytes]:
        """Some tips. What the node hands out it must still know after it died: it is approved next."""
        return (await self._reach(self.client.tips))[:count]

    async def _write_notes(self, writer: int) -> None:
        number = 0
        while not self._ending:
            await self._post(await self._tips(2), note(f"{self._name} {writer} {number}"))
            number += 1

    async def _pay(self, coin: Coin) -> None:
        """Pass a coin on and on, each payment approving the one before; some coins are spent a second time."""
        number, previous = 0, (await self._tips(1))[0]
        while not self._ending:
            first = self._spend(coin, coin.output.amount)
            block_id = await self._post([previous, *await self._tips(1)], first)
            self.payments[block_id] = first
            if number % RIVAL_EVERY == 0:
                rival = self._spend(coin, 1_000_000, coin.output.amount - 1_000_000)
                self.rivals[await self._post([block_id], rival)] = rival
            number, previous, (coin,) = number + 1, block_id, coins_of(first, [coin.key])

    def _spend(self, coin: Coin, *amounts: int) -> Transaction:
        """A payment of `coin` to the key that holds it already, in these parts."""
        outputs = [BasicOutput.to(coin.key.address, amount) for amount in amounts]
        return spend([coin], outputs, parameters=self.parameters)

    async def _funded(self, key: Key) -> Coin:
        await self.client.request_faucet(key.address)
        (output_id,) = await eventually(lambda: self.client.basic_output_ids(key.address))
        output, _ = await self.client.output(output_id)
        return Coin(output_id, output, key)

    async def _ask_faucet(self) -> None:
        """Keep the node's own writing going, too; an answer lost with the node may be a second request."""
        number = 0
        while not self._ending:
            address = Key.named(f"{self._name} asks {number}").address
            try:
                await self._reach(partial(self.client.request_faucet, address))
            except NodeError as error:
                if error.code != "faucet_request_pending":
                    raise
            number += 1
            await asyncio.sleep(self._rng.uniform(0, 0.3))

    async def _listen(self) -> None:
        async for event in self.client.events(after=0, give_up_after=None):
            self.events.append(event)

    async def _watch(self) -> None:
        while True:
            info = await self._reach(self.client.info)
            assert info.latest_milestone.index >= self.milestone
            self.milestone = info.latest_milestone.index
            await asyncio.sleep(LOOK_S)


async def eventually(look: Callable[[], Awaitable[T]]) -> T:
    """What `look` finds as soon as it finds something."""
    async with asyncio.timeout(WAIT_S):
        while True:
            if found := await look():
                return found
            await asyncio.sleep(LOOK_S)
