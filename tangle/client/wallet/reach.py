"""What keys reach on the ledger: their addresses, and all outputs that these may unlock, now or later.

The ledger holds the truth and is asked each time. An output never changes, so it is read once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Set
from typing import TypeVar

from tangle.client.errors import NodeError
from tangle.client.node.rest import NodeClient
from tangle.client.wallet.balance import irc30_of
from tangle.client.wallet.holdings import Holdings, holdings
from tangle.client.wallet.metadata import Irc30
from tangle.client.wallet.selection import Coin
from tangle.protocol.addresses import Address, Ed25519Address, from_bech32
from tangle.protocol.keys import KeyPair, Keys
from tangle.protocol.outputs import ExpirationUnlockCondition, FoundryOutput, TimelockUnlockCondition

T = TypeVar("T")

GAP_LIMIT = 20
"""unused addresses in a row after which no used one is expected; BIP-44, address gap limit"""
REQUESTS_AT_ONCE = 16
"""requests that one question of the wallet may have on the way"""


class Reach:
    """The outputs of some keys, through one node.

    Parameters
    ----------
    keys : see `Keys.from_mnemonic` and `Keys.from_seed`
    account : account of the derivation path
    gap_limit : unused addresses in a row after which no used one is expected; 0 looks at index 0 and at what
        `address` has given out, nothing else

    Attributes
    ----------
    looked_at : how many addresses, and how many of those for remainders, the last scan has looked at
    """

    def __init__(
        self,
        node: NodeClient,
        keys: Keys,
        *,
        account: int = 0,
        gap_limit: int = GAP_LIMIT,
    ) -> None:
        self.node = node
        self.gap_limit = gap_limit
        self.keys = keys
        self.account = account
        self.key_pairs: dict[Address, KeyPair] = {}
        self.looked_at = (1, 0)
        self._scanned = gap_limit == 0
        self._coins: dict[bytes, Coin] = {}
        self._irc30: dict[bytes, Irc30 | None] = {}
        self.address()

    def address(self, index: int = 0, *, internal: bool = False) -> Ed25519Address:
        """An own address; from now on the wallet watches it."""
        return self.key_pair(index, internal=internal).address

    def key_pair(self, index: int = 0, *, internal: bool = False) -> KeyPair:
        """The keys of an own address, for a program that signs by itself."""
        pair = self.keys.derive(self.account, index, internal=internal)
        self.key_pairs.setdefault(pair.address, pair)
        return pair

    async def scan(self) -> None:
        """Look for used addresses again, which another program with the same keys may have begun to use."""
        looked_at = []
        for internal in (False, True):
            index = unused = 0
            while unused < self.gap_limit:
                indices = range(index, index + self.gap_limit - unused)
                pairs = [self.keys.derive(self.account, i, internal=internal) for i in indices]
                used = await asyncio.gather(*(self._is_used(pair.address) for pair in pairs))
                for pair, is_used in zip(pairs, used, strict=True):
                    unused = 0 if is_used else unused + 1
                    if is_used:
                        self.key_pairs.setdefault(pair.address, pair)
                index += len(pairs)
            looked_at.append(index)
        self.looked_at = looked_at[0], looked_at[1]
        self._scanned = True

    async def _scan_once(self) -> None:
        if not self._scanned:
            await self.scan()

    async def _is_used(self, address: Address) -> bool:
        try:
            async for _ in self.node.address_history(address):
                return True
        except NodeError as error:
            # A node of another make tells unspent outputs only.
            if error.status != 404:
                raise
            return bool(await self.listed(address))
        return False

    async def held(self) -> tuple[Holdings, Set[bytes]]:
        """All that the keys reach, and ids of outputs that were there at the last look and are spent now.

        One task at a time. Outputs of aliases and NFTs that they control are looked for too, and so on for those
        among these.
        """
        await self._scan_once()
        listed: dict[bytes, None] = {}
        coins: dict[bytes, Coin] = {}
        asked: set[Address] = set()
        at = 0
        while True:
            held = holdings(coins.values(), self.key_pairs, at)
            fresh = [one for one in (*self.key_pairs, *held.accounts) if one not in asked]
            if not fresh:
                break
            asked.update(fresh)
            for ids in await self._gathered(self.listed(address) for address in fresh):
                listed.update(dict.fromkeys(ids))
            unread = [output_id for output_id in listed if output_id not in coins]
            read = await self._gathered(self._coin(output_id) for output_id in unread)
            coins |= {coin.output_id: coin for coin in read if coin is not None}
            at = at or await self._time_for(coins.values())
        # Only what was listed before is known to be spent now: a program may spend what is not listed yet.
        spent = self._coins.keys() - coins.keys()
        self._coins = coins
        return held, spent

    async def _gathered(self, asked: Iterable[Awaitable[T]]) -> list[T]:
        gate = asyncio.Semaphore(REQUESTS_AT_ONCE)

        async def gated(one: Awaitable[T]) -> T:
            async with gate:
                return await one

        return await asyncio.gather(*(gated(one) for one in asked))

    async def listed(self, address: Address) -> list[bytes]:
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

    async def address_of(self, address: Address | str) -> Address:
        """An address, from its text where it is one."""
        if not isinstance(address, str):
            return address
        return from_bech32(address, (await self.node.parameters()).bech32_hrp)

    async def time(self, unix_time: int | None, in_s: int | None) -> int | None:
        """A time given as such, or as seconds after the newest milestone."""
        if in_s is None:
            return unix_time
        return ((await self.node.info()).latest_milestone.timestamp or 0) + in_s

    async def said_of_tokens(self, held: Holdings) -> Mapping[bytes, Irc30 | None]:
        """Token id -> what its foundry says of it, for ever; None when it says nothing, or is gone."""
        for one in held.items:
            if isinstance(one.output, FoundryOutput):
                self._irc30.setdefault(one.output.foundry_id, irc30_of(one.output))
        tokens = {token.token_id for one in held.items for token in one.output.native_tokens}
        unknown = sorted(tokens - self._irc30.keys())
        found = await self._gathered(self._said_of(token_id) for token_id in unknown)
        self._irc30.update(zip(unknown, found, strict=True))
        return self._irc30

    async def _said_of(self, token_id: bytes) -> Irc30 | None:
        output_id = await self.node.foundry_output_id(token_id)
        if output_id is None:
            return None
        output, _ = await self.node.output(output_id)
        return irc30_of(output) if isinstance(output, FoundryOutput) else None
