"""The faucet: gives coins of the network's supply to whoever asks, up to a balance.

Requests wait in a bounded queue, one per address. All that wait are paid by one transaction, which is attached
again and again until a milestone settles it: the same transaction can be included only once, so nobody is paid
twice however often it is attached. When it turns out conflicting, a new one is made from what the ledger holds
by then. Requests that wait when the node stops are forgotten; whoever asked may ask again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from sqlalchemy import Connection

from tangle.client.errors import RemainderTooSmall
from tangle.client.wallet.selection import Coin, select
from tangle.client.wallet.transfer import least_remainder, sign_transfer
from tangle.errors import TangleError
from tangle.node import Node
from tangle.protocol.addresses import Address
from tangle.protocol.blocks import Block
from tangle.protocol.keys import KeyPair
from tangle.protocol.outputs import OUTPUTS, BasicOutput
from tangle.protocol.parameters import INPUTS_MAX, OUTPUTS_MAX
from tangle.protocol.serial import Reader, to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction
from tangle.service.door import Door, Source
from tangle.service.errors import FaucetBalanceHigh, FaucetBusy, FaucetEmpty, FaucetRequestPending
from tangle.service.settings import Settings
from tangle.service.work import WorkRoom
from tangle.store import queries
from tangle.store.journal import Inclusion, OutputRow
from tangle.store.queries import BasicFilter

log = logging.getLogger("tangle.faucet")

GATHER_S = 0.1
"""seconds that requests are gathered before they are paid together"""
LOOK_S = 0.25
"""seconds between looks whether the transaction was settled"""
REATTACH_S = 15.0
"""seconds after which an unsettled transaction is attached again"""
PAUSE_S = 2.0
"""seconds after a failure"""
_BALANCE_OUTPUTS = 1_000
"""outputs of an address that are looked at when its balance is counted"""


class Faucet:
    """Pays out of the address that `keys` unlock.

    Belongs to the event loop.
    """

    def __init__(self, node: Node, door: Door, work: WorkRoom, keys: KeyPair, settings: Settings) -> None:
        self.node = node
        self.door = door
        self.keys = keys
        self.amount = settings.faucet_amount
        self._source = Source("the faucet", work=work.for_node)
        self._balance_max = settings.faucet_balance_max
        self._queue_max = settings.faucet_queue_max
        self._waiting: dict[Address, None] = {}
        self._news = asyncio.Event()
        self._empty = False

    async def ask(self, address: Address) -> int:
        """Take a request; returns how many wait.

        Raises
        ------
        FaucetRequestPending, FaucetBalanceHigh, FaucetBusy, FaucetEmpty
        """
        balance = await asyncio.to_thread(self._balance, address)
        if address in self._waiting:
            raise FaucetRequestPending
        if balance >= self._balance_max:
            raise FaucetBalanceHigh(balance, self._balance_max)
        if self._empty:
            raise FaucetEmpty
        if len(self._waiting) >= self._queue_max:
            raise FaucetBusy
        self._waiting[address] = None
        self._news.set()
        return len(self._waiting)

    def _balance(self, address: Address) -> int:
        """Base units that `address` holds, counted up to what keeps it from getting more."""
        with self.node.engine.connect() as connection:
            return sum(row.amount for row in _unspent(connection, address, _BALANCE_OUTPUTS))

    async def run(self) -> None:
        """Pay for ever; ends by being cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(GATHER_S)
            while self._waiting:
                try:
                    await self._pay()
                except TangleError as error:
                    log.warning("a payment did not go through and is tried again: %s", error)
                    await asyncio.sleep(PAUSE_S)
                except Exception:
                    # Whatever it is, the next request must find a faucet that runs.
                    log.exception("a payment failed and is tried again")
                    await asyncio.sleep(PAUSE_S)

    async def _pay(self) -> None:
        """Pay the oldest requests, as many as one transaction takes."""
        addresses = list(self._waiting)[: OUTPUTS_MAX - 1]
        transaction = await asyncio.to_thread(self._compose, addresses)
        if transaction is None:
            log.error("the faucet is empty: %d requests are dropped", len(self._waiting))
            self._waiting.clear()
            self._empty = True
            return
        paid = [output.owner for output in transaction.essence.outputs if output.owner in self._waiting]
        if await self._settle(transaction):
            for address in paid:
                self._waiting.pop(address, None)

    async def _settle(self, transaction: Transaction) -> bool:
        """Attach `transaction` until a milestone settles it; whether it was included."""
        while True:
            block = Block(tuple(self.node.reading.tips()), transaction)
            block_id = (await self.door.admit(block, self._source)).block_id
            log.info("transaction %s is attached in %s", to_hex(transaction.id), to_hex(block_id))
            for _ in range(int(REATTACH_S / LOOK_S)):
                await asyncio.sleep(LOOK_S)
                settled = await asyncio.to_thread(self._settled, transaction.id, block_id)
                if settled is not None:
                    return settled

    def _settled(self, transaction_id: bytes, block_id: bytes) -> bool | None:
        """Whether the ledger took the transaction; None while that is open."""
        with self.node.engine.connect() as connection:
            if queries.included_block(connection, transaction_id) is not None:
                return True
            record = queries.record(connection, block_id)
        if record is None or record.referenced is None:
            return None
        conflicting = record.referenced.inclusion == Inclusion.CONFLICTING
        if conflicting:
            log.warning("transaction %s is conflicting and made anew", to_hex(transaction_id))
        return False if conflicting else None

    def _compose(self, addresses: Sequence[Address]) -> Transaction | None:
        """A signed transaction that pays as many of `addresses` as there are funds for; None if there are none."""
        with self.node.engine.connect() as connection:
            rows = _unspent(connection, self.keys.address, _BALANCE_OUTPUTS)
        rows = sorted(rows, key=lambda row: row.amount, reverse=True)[:INPUTS_MAX]
        count = min(len(addresses), sum(row.amount for row in rows) // self.amount)
        if count == 0:
            return None
        coins = [Coin(row.output_id, OUTPUTS.decode(Reader(row.data))) for row in rows]
        amounts = [self.amount] * count
        least = least_remainder(self.keys.address, self.node.parameters)
        try:
            chosen = select(coins, sum(amounts), least)
        except RemainderTooSmall as error:
            # Too little to stand alone: the last one is lucky.
            chosen = coins
            amounts[-1] += error.remainder
        outputs = [BasicOutput.to(*paid) for paid in zip(addresses[:count], amounts, strict=True)]
        own = self.keys
        return sign_transfer(
            chosen, outputs, lambda _: own, own.address, self.node.parameters, TaggedData(b"faucet", b"")
        )


def _unspent(connection: Connection, address: Address, most: int) -> list[OutputRow]:
    """Plain coins of `address`; what anybody may send it with conditions or tokens is left alone."""
    plain = BasicFilter(
        address=address.encode(),
        has_timelock=False,
        has_expiration=False,
        has_storage_deposit_return=False,
        has_native_tokens=False,
    )
    page = queries.unspent_outputs(connection, plain, None, most)
    return list(queries.outputs_by_ids(connection, page.items).values())
