"""The core of a wallet: its addresses, the outputs they reach, and transactions prepared, posted and waited for.

The ledger holds the truth; an account keeps only what the ledger cannot know yet: which outputs its own pending
transactions consume. Those are not chosen again until they are seen spent or the transaction is conflicting.

Preparing and posting are two steps. A program that must pay exactly once stores the prepared transaction durably,
then posts it, and after a crash posts the very same one again: it keeps its id, and the ledger takes it once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from client import inclusion
from client.attach import Pow, attach
from client.compose import Intent, compose
from client.errors import Conflicting, NodeError, OutputPending, UnknownChain
from client.holdings import Holding, Holdings, holdings
from client.inclusion import WAIT_S, Inclusion
from client.keys import KeyPair, Keys
from client.metadata import Irc30
from client.rest import NodeClient
from client.selection import Coin
from client.transfer import sign_draft
from tangle.protocol.addresses import Address, Ed25519Address, from_bech32
from tangle.protocol.errors import CountOutOfRange
from tangle.protocol.outputs import (
    ExpirationUnlockCondition,
    Output,
    TimelockUnlockCondition,
    check_deposit,
)
from tangle.protocol.serial import numbered
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction

T = TypeVar("T")

GAP_LIMIT = 20
"""unused addresses in a row after which no used one is expected; BIP-44, address gap limit"""
REQUESTS_AT_ONCE = 16
"""requests that one question of the wallet may have on the way"""


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction on its way; `milestone_index` is None when nobody waited for its inclusion."""

    transaction: Transaction
    block_id: bytes
    milestone_index: int | None


@dataclass(frozen=True, slots=True)
class Created:
    """A transaction that made an alias, a token or an NFT.

    Attributes
    ----------
    chain_id : the id of the alias or NFT (32 bytes), or of the token and its foundry (38 bytes)
    """

    sent: Sent
    chain_id: bytes

    @property
    def alias_id(self) -> bytes:
        """The id, of an alias."""
        return self.chain_id

    @property
    def nft_id(self) -> bytes:
        """The id, of an NFT."""
        return self.chain_id

    @property
    def token_id(self) -> bytes:
        """The id, of a token."""
        return self.chain_id


class Account:
    """The outputs of some keys, through one node; `client.wallet.Wallet` says what to do with them.

    Any number of tasks may use one. Two with the same keys do not know of each other's pending transactions; where
    they choose the same output, one of the two transactions is conflicting.

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
        self._irc30: dict[bytes, Irc30 | None] = {}
        self._lock = asyncio.Lock()
        self.address()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.node!r}, {self._keys!r}, account={self._account})"

    def address(self, index: int = 0, *, internal: bool = False) -> Ed25519Address:
        """An own address; from now on the wallet watches it."""
        return self.key_pair(index, internal=internal).address

    def key_pair(self, index: int = 0, *, internal: bool = False) -> KeyPair:
        """The keys of an own address, for a program that signs by itself."""
        pair = self._keys.derive(self._account, index, internal=internal)
        self._key_pairs.setdefault(pair.address, pair)
        return pair

    async def prepare(
        self,
        outputs: Sequence[Output],
        *,
        inputs: Sequence[bytes] | None = None,
        payload: TaggedData | None = None,
        ends: Collection[bytes] = (),
        burned: Mapping[bytes, int] | None = None,
    ) -> Transaction:
        """Choose inputs for `outputs`, add outputs for what is carried on and remains, sign; nothing is posted.

        The inputs are reserved from now on. Give up a transaction that will not be posted with `release`.

        Parameters
        ----------
        inputs : ids (34 bytes) of own unspent outputs, all of which are consumed, with what unlocks them; None
            lets the wallet choose. Naming one that a pending transaction consumes is allowed and ends with one of
            the two included.
        ends : ids of aliases, foundries and NFTs that end; all others that are touched are carried on
        burned : token id (38 bytes) -> amount that is destroyed

        Raises
        ------
        InsufficientFunds, RemainderTooSmall, FundsTooScattered, UnknownInput : see `client.errors`
        NotEnoughTokens, TooManyTokens, NotControlled, LockedUntil, OutputPending : likewise
        ProtocolError : an output breaks a rule, such as DepositTooSmall, which names the least amount
        """
        parameters = await self.node.parameters()
        numbered("outputs", lambda output: check_deposit(output, parameters), outputs)
        if not outputs and inputs is None and not ends and not burned:
            raise CountOutOfRange("outputs", "must hold at least one element where no inputs are named")
        intent = Intent(tuple(outputs), tuple(inputs or ()), tuple(ends), dict(burned or {}))
        async with self._lock:
            held = await self._held()
            choose = inputs is None
            return await self._signed(held, intent, payload, choose=choose)

    async def _signed(
        self, held: Holdings, intent: Intent, payload: TaggedData | None = None, *, choose: bool = True
    ) -> Transaction:
        """The transaction for `intent`, its inputs reserved; call it with the lock held."""
        parameters = await self.node.parameters()
        draft = compose(held, intent, lambda one: choose and self._is_free(one), self.address(), parameters)
        for one in draft.inputs:
            if one.coin.output_id in self._reserved and one.coin.output_id not in intent.inputs:
                raise OutputPending(one.coin.output_id, self._reserved[one.coin.output_id])
        transaction = sign_draft(draft, self._key_pairs.__getitem__, parameters, payload)
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

    def release(self, transaction: Transaction) -> None:
        """Free the inputs of a transaction that will not be posted."""
        for consumed in transaction.essence.inputs:
            if self._reserved.get(consumed.output_id) == transaction.id:
                del self._reserved[consumed.output_id]

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
        if await self._listed(address):
            return True
        try:
            async for _ in self.node.address_history(address):
                return True
        except NodeError as error:
            # A node of another make tells unspent outputs only.
            if error.status != 404:
                raise
        return False

    async def _held(self) -> Holdings:
        """All that the keys reach; call it with the lock held.

        Outputs of aliases and NFTs that they control are looked for too, and so on for those among these.
        """
        await self._scan_once()
        listed: dict[bytes, None] = {}
        coins: dict[bytes, Coin] = {}
        asked: set[Address] = set()
        at = 0
        while True:
            held = holdings(coins.values(), self._key_pairs, at)
            fresh = [one for one in (*self._key_pairs, *held.accounts) if one not in asked]
            if not fresh:
                break
            asked.update(fresh)
            for ids in await self._gathered(self._listed(address) for address in fresh):
                listed.update(dict.fromkeys(ids))
            unread = [output_id for output_id in listed if output_id not in coins]
            read = await self._gathered(self._coin(output_id) for output_id in unread)
            coins |= {coin.output_id: coin for coin in read if coin is not None}
            at = at or await self._time_for(coins.values())
        # Only what was listed before is known to be spent now: a program may spend what is not listed yet.
        for output_id in self._coins.keys() - coins.keys():
            self._reserved.pop(output_id, None)
        self._coins = coins
        return held

    async def _gathered(self, asked: Iterable[Awaitable[T]]) -> list[T]:
        gate = asyncio.Semaphore(REQUESTS_AT_ONCE)

        async def gated(one: Awaitable[T]) -> T:
            async with gate:
                return await one

        return await asyncio.gather(*(gated(one) for one in asked))

    async def _listed(self, address: Address) -> list[bytes]:
        """Ids of the unspent outputs that may be unlocked by `address`, now or later."""
        return await self.node.output_ids("any", unlockable_by_address=address)

    async def _coin(self, output_id: bytes) -> Coin | None:
        """An output by its id; None when it was spent since it was listed."""
        if output_id in self._coins:
            return self._coins[output_id]
        output, metadata = await self.node.output(output_id)
        return None if metadata.is_spent else Coin(output_id, output)

    async def _time_for(self, coins: Iterable[Coin]) -> int:
        """The newest milestone's time where it matters to `coins`, else 0."""
        timed = (TimelockUnlockCondition, ExpirationUnlockCondition)
        if not any(coin.output.condition(kind) for coin in coins for kind in timed):
            return 0
        return (await self.node.info()).latest_milestone.timestamp or 0

    def _is_free(self, one: Holding) -> bool:
        return one.output_id not in self._reserved

    def _chain(self, held: Holdings, kind: str, chain_id: bytes) -> Holding:
        """What carries an alias, NFT or foundry of ours."""
        if chain_id not in held.chains:
            raise UnknownChain(kind, chain_id)
        return held.chains[chain_id]

    async def _address(self, address: Address | str) -> Address:
        """An address, from its text where it is one."""
        if not isinstance(address, str):
            return address
        return from_bech32(address, (await self.node.parameters()).bech32_hrp)

    async def _time(self, unix_time: int | None, in_s: int | None) -> int | None:
        """A time given as such, or as seconds after the newest milestone."""
        if in_s is None:
            return unix_time
        return ((await self.node.info()).latest_milestone.timestamp or 0) + in_s

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
