"""The faucet: gives coins of the network's supply to whoever asks, up to a balance.

Requests wait in a bounded queue, one per address. All that wait are paid by one transaction, which is attached
again and again until a milestone settles it: the same transaction can be included only once, so nobody is paid
twice however often it is attached. When it turns out conflicting, a new one is made from what the ledger holds
by then. Requests that wait when the node stops are forgotten; whoever asked may ask again.

A client and an address are given to so often in an hour. What anybody sends to the faucet's own address is looked
at whole, the largest coins first, so dust stands in nobody's way; it is joined a little with each payment.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from ipaddress import ip_address, ip_network

from tangle.client.errors import RemainderTooSmall
from tangle.client.wallet.selection import Coin, select
from tangle.client.wallet.transfer import least_remainder, sign_transfer
from tangle.errors import TangleError
from tangle.node import Node
from tangle.protocol.addresses import Address, to_bech32
from tangle.protocol.blocks import Block
from tangle.protocol.keys import KeyPair
from tangle.protocol.outputs import OUTPUTS, BasicOutput
from tangle.protocol.parameters import INPUTS_MAX, OUTPUTS_MAX
from tangle.protocol.serial import Reader, to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction
from tangle.service.door import Door, Source
from tangle.service.errors import (
    FaucetBalanceHigh,
    FaucetBusy,
    FaucetEmpty,
    FaucetRequestPending,
    FaucetTooOften,
)
from tangle.service.settings import Settings
from tangle.service.work import WorkRoom
from tangle.store import coins, queries
from tangle.store.journal import Inclusion

log = logging.getLogger("tangle.faucet")

GATHER_S = 0.1
"""seconds that requests are gathered before they are paid together"""
LOOK_S = 0.25
"""seconds between looks whether the transaction was settled"""
REATTACH_S = 15.0
"""seconds after which an unsettled transaction is attached again"""
PAUSE_S = 2.0
"""seconds after a failure"""
HOUR_S = 3_600.0
"""seconds for which gifts are counted"""
COUNTED_MAX = 10_000
"""clients or addresses whose gifts are counted; with more, the one that asked least lately is forgotten"""
V6_PREFIX = 64
"""bits; one client has all addresses of such an IPv6 network (RFC 6177)"""


class Quota:
    """How often somebody may be given something within an hour.

    Parameters
    ----------
    ticks : seconds that only grow
    """

    def __init__(self, most: int, ticks: Callable[[], float]) -> None:
        self.most = most
        self._ticks = ticks
        self._given: OrderedDict[Hashable, deque[float]] = OrderedDict()

    def wait_s(self, who: Hashable) -> float:
        """Seconds until `who` may have more; 0 where that is now."""
        given, now = self._given.get(who, deque()), self._ticks()
        while given and given[0] <= now - HOUR_S:
            given.popleft()
        return given[0] + HOUR_S - now if len(given) >= self.most else 0.0

    def take(self, who: Hashable) -> None:
        """Count one for `who`."""
        self._given.setdefault(who, deque()).append(self._ticks())
        self._given.move_to_end(who)
        if len(self._given) > COUNTED_MAX:
            self._given.popitem(last=False)


def client_of(host: str) -> str:
    """Who counts as one client: an IPv4 address, or the network of an IPv6 address."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ip_network(f"{host}/{V6_PREFIX}", strict=False))


class Faucet:
    """Pays out of the address that `keys` unlock.

    Belongs to the event loop.

    Parameters
    ----------
    fund : gives the faucet its part of the supply; posted when it is first asked and holds too little
    ticks : seconds that only grow, for what is given within an hour
    """

    def __init__(
        self,
        node: Node,
        door: Door,
        work: WorkRoom,
        keys: KeyPair,
        settings: Settings,
        fund: Transaction | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
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
        self._fund = fund
        self._clients = Quota(settings.faucet_client_hourly, ticks)
        self._addresses = Quota(settings.faucet_address_hourly, ticks)

    async def ask(self, address: Address, client: str) -> int:
        """Take a request; returns how many wait.

        Parameters
        ----------
        client : address of the host that asks

        Raises
        ------
        FaucetRequestPending, FaucetBalanceHigh, FaucetBusy, FaucetEmpty, FaucetTooOften
        """
        client = client_of(client)
        self._check_room(address, client)
        balance, own = await asyncio.to_thread(self._balances, address)
        if balance >= self._balance_max:
            raise FaucetBalanceHigh(balance, self._balance_max)
        # Somebody may have sent it more.
        self._empty = self._empty and own < self.amount
        if self._empty:
            raise FaucetEmpty
        # Others may have asked meanwhile.
        self._check_room(address, client)
        self._clients.take(client)
        self._addresses.take(address)
        self._waiting[address] = None
        self._news.set()
        return len(self._waiting)

    def _check_room(self, address: Address, client: str) -> None:
        """Refuse what is known to be too much without looking at the ledger."""
        if address in self._waiting:
            raise FaucetRequestPending
        for quota, who, kind in ((self._clients, client, "client"), (self._addresses, address, "address")):
            if wait_s := quota.wait_s(who):
                raise FaucetTooOften(kind, quota.most, math.ceil(wait_s / 60))
        if len(self._waiting) >= self._queue_max:
            raise FaucetBusy

    def _balances(self, address: Address) -> tuple[int, int]:
        """Base units that `address` holds, and, once it was empty, those of the faucet."""
        with self.node.engine.connect() as connection:
            balance = coins.balance(connection, address.encode())
            return balance, coins.balance(connection, self.keys.address.encode()) if self._empty else 0

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
        if transaction is None and self._fund is not None:
            fund, self._fund = self._fund, None
            await self._settle(fund)
            return
        if transaction is None:
            own = to_bech32(self.keys.address, self.node.parameters.bech32_hrp)
            log.error("the faucet is empty: %d requests are dropped; send coins to %s", len(self._waiting), own)
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
        """A signed transaction that pays as many of `addresses` as there are funds for; None if there are none.

        Where no 128 coins hold enough for one, it joins them.
        """
        own = self.keys
        with self.node.engine.connect() as connection:
            rows = coins.largest(connection, own.address.encode(), INPUTS_MAX)
            total = coins.balance(connection, own.address.encode())
        count = min(len(addresses), sum(row.amount for row in rows) // self.amount)
        if total < self.amount:
            return None
        held = [Coin(row.output_id, OUTPUTS.decode(Reader(row.data))) for row in rows]
        amounts = [self.amount] * count
        least = least_remainder(own.address, self.node.parameters)
        try:
            chosen = select(held, sum(amounts), least) if count else held
        except RemainderTooSmall as error:
            # Too little to stand alone: the last one is lucky.
            chosen = held
            amounts[-1] += error.remainder
        outputs = [BasicOutput.to(*paid) for paid in zip(addresses[:count], amounts, strict=True)]
        return sign_transfer(
            chosen, outputs, lambda _: own, own.address, self.node.parameters, TaggedData(b"faucet", b"")
        )
