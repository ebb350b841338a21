"""The little that a party needs of the Tangle, as a protocol, and a node over REST that gives it.

Any other node, or a few tables in a test, can be a ledger, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tangle.client.errors import ClientError, Conflicting, JournalChanged
from tangle.client.node.attach import Pow, attach
from tangle.client.node.inclusion import wait_included
from tangle.client.node.rest import NodeClient
from tangle.client.wallet.selection import Coin
from tangle.parties.errors import PaymentConflicting
from tangle.parties.report import Report
from tangle.protocol.addresses import Address, Ed25519Address
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import SignatureUnlock, Transaction

T = TypeVar("T")

PAGE = 100
"""messages heard, and new coins found, at once"""
AWAY_S = 1.0
"""seconds between two tries to reach a node that is away"""
PLAIN = {
    "has_timelock": False,
    "has_expiration": False,
    "has_storage_deposit_return": False,
    "has_native_tokens": False,
}
"""filters (TIP-26) of what is money as it stands: neither locked nor to be taken or given back, nothing with it"""


@dataclass(frozen=True, slots=True)
class Heard:
    """Data found under a tag; `number` is the number of the event that brought it."""

    number: int
    data: bytes


class Ledger(Protocol):
    """What a party asks of a node."""

    async def parameters(self) -> ProtocolParameters:
        """The parameters of the network."""
        ...

    async def post(self, tag: bytes, data: bytes) -> bytes:
        """Post a tagged-data block; returns its id when the node has acknowledged it."""
        ...

    async def journal(self) -> bytes:
        """Names the journal that event numbers belong to; another one means to hear all anew."""
        ...

    async def hear(self, tag: bytes, after: int) -> list[Heard]:
        """Data posted under `tag` after event number `after`, oldest first, at most a page of it.

        Raises
        ------
        JournalChanged : the number belongs to another journal; `journal` names the new one from now on
        """
        ...

    async def arrived(
        self, address: Address, after: int, known: Callable[[bytes], bool]
    ) -> tuple[list[Coin], int]:
        """Unspent outputs of `address` that came after a moment and are not known, oldest first, at most a page.

        Only plain ones count: who pays with an output that expires could take the units and then the coins back.

        Parameters
        ----------
        after : what the call before returned; 0 at first

        Returns
        -------
        the coins, and the moment up to which all of them have been told
        """
        ...

    async def payer(self, coin: Coin) -> Address | None:
        """Whose key signed first for the transaction that made `coin`; None where none did."""
        ...

    async def include(self, transaction: Transaction) -> int:
        """Bring `transaction` into the ledger, posting it as often as needed, and return its milestone's index.

        One that is in the ledger already is not posted again.

        Raises
        ------
        PaymentConflicting : another transaction has spent one of its inputs
        """
        ...


class NodeLedger:
    """A node over REST, as `Ledger` asks for it.

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

    async def journal(self) -> bytes:
        """See `Ledger`."""
        return (await self.node.store_id()).encode()

    async def hear(self, tag: bytes, after: int) -> list[Heard]:
        """See `Ledger`; one request for all of them, since a message proves by itself who sent it."""
        heard: list[Heard] = []
        try:
            async for item in self.node.tagged_data(tag, after=after):
                heard.append(Heard(item.number, item.data))
                if len(heard) == PAGE:
                    break
        except JournalChanged:
            self.node.forget_store()
            raise
        return heard

    async def arrived(
        self, address: Address, after: int, known: Callable[[bytes], bool]
    ) -> tuple[list[Coin], int]:
        """See `Ledger`; the moment is a milestone's time, before which nothing more can come."""
        newest = (await self.node.info()).latest_milestone.timestamp or 0
        if newest <= after:
            return [], after
        found: list[Coin] = []
        for output_id in await self.node.output_ids("basic", address=address, created_after=after, **PLAIN):
            if known(output_id):
                continue
            if len(found) == PAGE:
                return found, after
            found.append(await self._coin(output_id))
        return found, newest

    async def coins(self, address: Address) -> list[Coin]:
        """All plain unspent outputs of `address`."""
        listed = await self.node.output_ids("basic", address=address, **PLAIN)
        self._coins = {one: self._coins.get(one) or await self._coin(one) for one in listed}
        return list(self._coins.values())

    async def _coin(self, output_id: bytes) -> Coin:
        return Coin(output_id, (await self.node.output(output_id))[0])

    async def include(self, transaction: Transaction) -> int:
        """See `Ledger`; waits as long as it takes, through restarts of the node."""
        try:
            found = await wait_included(self.node, transaction, [], pow_by=self.pow_by, within_s=None)
        except Conflicting as conflict:
            raise PaymentConflicting(transaction.id, str(conflict)) from None
        return found.milestone_index

    async def note(self, coin: Coin) -> bytes:
        """The data that the transaction which made `coin` carries; empty when it carries none."""
        made_by = await self._maker(coin)
        note = made_by.essence.payload if made_by else None
        return note.data if note else b""

    async def payer(self, coin: Coin) -> Address | None:
        """See `Ledger`."""
        made_by = await self._maker(coin)
        signed = [one.signature for one in made_by.unlocks if isinstance(one, SignatureUnlock)] if made_by else []
        return Ed25519Address.from_public_key(signed[0].public_key) if signed else None

    async def _maker(self, coin: Coin) -> Transaction | None:
        block = await self.node.included_block(coin.output_id[:32])
        return block.payload if block and isinstance(block.payload, Transaction) else None


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
            if not error.passes:
                raise
            report({"event": "node_away", "message": str(error)})
            await asyncio.sleep(every_s)
