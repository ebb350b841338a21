"""A wallet: what its keys may spend, and spending it.

The ledger holds the truth; the wallet keeps only what the ledger cannot know yet: which outputs its own pending
transactions consume. Those are not chosen again until they are seen spent or the transaction is conflicting.

Preparing and posting are two steps. A program that must pay exactly once stores the prepared transaction durably,
then posts it, and after a crash posts the very same one again: it keeps its id, and the ledger takes it once.

Addresses: index 0 is enough for most programs and takes all remainders. With the first question the wallet looks
for further used ones, external and internal, until `gap_limit` in a row are unused (BIP-44).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from client import inclusion
from client.attach import Pow, attach
from client.errors import Conflicting, NodeError, UnknownInput, WalletError
from client.history import HistoryEntry, history_of
from client.inclusion import WAIT_S, Inclusion
from client.keys import KeyPair, Keys
from client.rest import NodeClient
from client.selection import Coin, select
from client.transfer import least_remainder, sign_transfer
from tangle.protocol.addresses import Address, Ed25519Address, from_bech32
from tangle.protocol.errors import CountOutOfRange
from tangle.protocol.outputs import BasicOutput, Output, check_deposit
from tangle.protocol.parameters import INPUTS_MAX, ProtocolParameters
from tangle.protocol.serial import numbered
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction

__all__ = ["Balance", "HistoryEntry", "Sent", "Wallet"]

GAP_LIMIT = 20
"""unused addresses in a row after which no used one is expected; BIP-44, address gap limit"""
REQUESTS_AT_ONCE = 16
"""requests that one question of the wallet may have on the way"""


@dataclass(frozen=True, slots=True)
class Balance:
    """What the ledger holds for the wallet, in base units.

    Attributes
    ----------
    total : all unspent outputs
    available : without what own pending transactions consume
    outputs : the unspent outputs, by address and age
    """

    total: int
    available: int
    outputs: tuple[Coin, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A payment on its way; `milestone_index` is None when nobody waited for its inclusion."""

    transaction: Transaction
    block_id: bytes
    milestone_index: int | None


class Wallet:
    """The funds of some keys, through one node.

    Any number of tasks may use one wallet. Two wallets with the same keys do not know of each other's pending
    transactions; where they choose the same output, one of the two transactions is conflicting.

    Parameters
    ----------
    keys : see `Keys.from_mnemonic` and `Keys.from_seed`
    account : account of the derivation path
    pow : who does the proof of work, ``local`` or ``node``
    gap_limit : see above; 0 looks at index 0 and at what `address` has given out, nothing else
    """

    def __init__(
        self,
        node: NodeClient,
        keys: Keys,
        *,
        account: int = 0,
        pow: Pow = "local",  # noqa: A002
        gap_limit: int = GAP_LIMIT,
    ) -> None:
        self.node = node
        self.pow: Pow = pow
        self.gap_limit = gap_limit
        self._keys = keys
        self._account = account
        self._key_pairs: dict[Address, KeyPair] = {}
        self._scanned = gap_limit == 0
        self._coins: dict[bytes, Coin] = {}
        self._reserved: dict[bytes, bytes] = {}
        self._attachments: dict[bytes, list[bytes]] = {}
        self._lock = asyncio.Lock()
        self.address()

    def __repr__(self) -> str:
        return f"Wallet({self.node!r}, {self._keys!r}, account={self._account})"

    def address(self, index: int = 0, *, internal: bool = False) -> Ed25519Address:
        """An own address; from now on the wallet watches it."""
        return self.key_pair(index, internal=internal).address

    def key_pair(self, index: int = 0, *, internal: bool = False) -> KeyPair:
        """The keys of an own address, for a program that signs by itself."""
        pair = self._keys.derive(self._account, index, internal=internal)
        self._key_pairs.setdefault(pair.address, pair)
        return pair

    async def balance(self) -> Balance:
        """What the wallet holds, as of now."""
        async with self._lock:
            coins = await self._unspent()
            free = sum(coin.amount for coin in coins if coin.output_id not in self._reserved)
        return Balance(sum(coin.amount for coin in coins), free, tuple(coins))

    async def prepare(
        self,
        outputs: Sequence[Output],
        *,
        inputs: Sequence[bytes] | None = None,
        payload: TaggedData | None = None,
    ) -> Transaction:
        """Choose inputs for `outputs`, add one for what remains, and sign; nothing is posted.

        The inputs are reserved from now on. Give up a transaction that will not be posted with `release`.

        Parameters
        ----------
        inputs : ids (34 bytes) of own unspent outputs, all of which are consumed; None lets the wallet choose.
            Naming one that a pending transaction consumes is allowed and ends with one of the two included.

        Raises
        ------
        InsufficientFunds, RemainderTooSmall, FundsTooScattered, UnknownInput : see `client.errors`
        ProtocolError : an output breaks a rule, such as DepositTooSmall, which names the least amount
        """
        parameters = await self.node.parameters()
        numbered("outputs", lambda output: check_deposit(output, parameters), outputs)
        if not outputs and inputs is None:
            raise CountOutOfRange("outputs", "must hold at least one element where no inputs are named")
        async with self._lock:
            coins = await self._unspent()
            chosen = self._choose(coins, outputs, parameters) if inputs is None else _named(coins, inputs)
            transaction = sign_transfer(
                chosen, outputs, self._key_pairs.__getitem__, self.address(), parameters, payload
            )
            self._reserve(transaction)
        return transaction

    async def submit(self, transaction: Transaction) -> bytes:
        """Post a prepared transaction in a block on current tips; may be called again with the same one.

        Returns
        -------
        the block id, 32 bytes; the node holds the block durably
        """
        self._reserve(transaction)
        block_id = await attach(self.node, transaction, pow=self.pow)
        self._attachments.setdefault(transaction.id, []).append(block_id)
        return block_id

    async def wait_included(self, transaction: Transaction, *, within_s: float | None = WAIT_S) -> Inclusion:
        """Wait until the ledger took the transaction; promotes and reattaches it when it is stuck.

        A transaction that neither this wallet nor, by the ledger, another program has posted is posted first.

        Raises
        ------
        Conflicting : the ledger refused it; its inputs may be chosen again
        NotIncludedInTime : nothing is decided after `within_s` seconds; None waits forever
        """
        attachments = self._attachments.setdefault(transaction.id, [])
        try:
            found = await inclusion.wait_included(
                self.node, transaction, attachments, pow_by=self.pow, within_s=within_s
            )
        except Conflicting:
            await self._settle(transaction)
            raise
        await self._settle(transaction)
        return found

    async def send(
        self,
        address: Address | str,
        amount: int,
        *,
        payload: TaggedData | None = None,
        wait: bool = True,
        within_s: float | None = WAIT_S,
    ) -> Sent:
        """Pay `amount` base units to an address: prepare, submit and, unless told otherwise, wait.

        When posting fails the inputs are free again. A second try then makes the same transaction, which can be
        included only once, even if the node did get the first one.
        """
        parameters = await self.node.parameters()
        to = from_bech32(address, parameters.bech32_hrp) if isinstance(address, str) else address
        return await self._post(await self.prepare([BasicOutput.to(to, amount)], payload=payload), wait, within_s)

    async def consolidate(self, *, wait: bool = True, within_s: float | None = WAIT_S) -> Sent:
        """Turn the smallest outputs, at most 128, into one. Raises WalletError when there are none to join."""
        async with self._lock:
            coins = [coin for coin in await self._unspent() if coin.output_id not in self._reserved]
        small = sorted(coins, key=lambda coin: (coin.amount, coin.output_id))[:INPUTS_MAX]
        if len(small) < 2:
            raise WalletError("there are no two available outputs to join")
        return await self._post(await self.prepare([], inputs=[coin.output_id for coin in small]), wait, within_s)

    def release(self, transaction: Transaction) -> None:
        """Free the inputs of a transaction that will not be posted."""
        for consumed in transaction.essence.inputs:
            if self._reserved.get(consumed.output_id) == transaction.id:
                del self._reserved[consumed.output_id]

    async def history(self) -> list[HistoryEntry]:
        """What every included transaction changed for the wallet, oldest first."""
        await self._scan_once()
        return await history_of(self.node, list(self._key_pairs))

    async def scan(self) -> None:
        """Look for used addresses again, which another program with the same keys may have begun to use."""
        for internal in (False, True):
            index = unused = 0
            while unused < self.gap_limit:
                indices = range(index, index + self.gap_limit - unused)
                pairs = [self._keys.derive(self._account, i, internal=internal) for i in indices]
                used = await asyncio.gather(*(self._is_used(pair.address) for pair in pairs))
                for pair, is_used in zip(pairs, used, strict=True):
                    unused = 0 if is_used else unused + 1
                    if is_used:
                        self._key_pairs.setdefault(pair.address, pair)
                index += len(pairs)
        self._scanned = True

    async def _scan_once(self) -> None:
        if not self._scanned:
            await self.scan()

    async def _is_used(self, address: Address) -> bool:
        if await self.node.basic_output_ids(address):
            return True
        try:
            async for _ in self.node.address_history(address):
                return True
        except NodeError as error:
            # A node of another make tells unspent outputs only.
            if error.status != 404:
                raise
        return False

    async def _unspent(self) -> list[Coin]:
        """All unspent outputs; call it with the lock held."""
        await self._scan_once()
        listed: list[bytes] = []
        for address in self._key_pairs:
            listed += await self.node.basic_output_ids(address)
        gate = asyncio.Semaphore(REQUESTS_AT_ONCE)
        coins = await asyncio.gather(*(self._coin(output_id, gate) for output_id in listed))
        found = {coin.output_id: coin for coin in coins if coin is not None}
        # Only what was listed before is known to be spent now: a program may spend what is not listed yet.
        for output_id in self._coins.keys() - found.keys():
            self._reserved.pop(output_id, None)
        self._coins = found
        return list(found.values())

    async def _coin(self, output_id: bytes, gate: asyncio.Semaphore) -> Coin | None:
        """An output by its id; None when it was spent since it was listed."""
        if output_id in self._coins:
            return self._coins[output_id]
        async with gate:
            output, metadata = await self.node.output(output_id)
        return None if metadata.is_spent else Coin(output_id, output)

    def _choose(
        self, coins: Sequence[Coin], outputs: Sequence[Output], parameters: ProtocolParameters
    ) -> list[Coin]:
        free = [coin for coin in coins if coin.output_id not in self._reserved]
        needed = sum(output.amount for output in outputs)
        return select(free, needed, least_remainder(self.address(), parameters))

    def _reserve(self, transaction: Transaction) -> None:
        for consumed in transaction.essence.inputs:
            self._reserved[consumed.output_id] = transaction.id

    async def _settle(self, transaction: Transaction) -> None:
        """Forget a decided transaction. With the lock, so that no listing from before its inclusion is in use."""
        async with self._lock:
            self.release(transaction)
            self._attachments.pop(transaction.id, None)

    async def _post(self, transaction: Transaction, wait: bool, within_s: float | None) -> Sent:
        try:
            block_id = await self.submit(transaction)
        except BaseException:
            self.release(transaction)
            raise
        if not wait:
            return Sent(transaction, block_id, None)
        found = await self.wait_included(transaction, within_s=within_s)
        return Sent(transaction, found.block_id, found.milestone_index)


def _named(coins: Sequence[Coin], inputs: Sequence[bytes]) -> list[Coin]:
    """The coins that a caller names, in the caller's order."""
    by_id = {coin.output_id: coin for coin in coins}
    for output_id in inputs:
        if output_id not in by_id:
            raise UnknownInput(output_id, "it is not among the unspent outputs of this wallet")
    return [by_id[output_id] for output_id in inputs]
