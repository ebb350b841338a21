"""A wallet: what its keys may spend, and spending it.

Coins are sent here; tokens and aliases (`tangle.client.wallet.tokens`), NFTs (`tangle.client.wallet.nfts`),
claims and consolidation
(`tangle.client.wallet.claims`) stand in modules of their own, and all of them on
`tangle.client.wallet.account`, which knows addresses,
outputs and pending transactions.

Addresses: index 0 is enough for most programs and takes all remainders. With the first question the wallet looks
for further used ones, external and internal, until `gap_limit` in a row are unused (BIP-44).
"""

from __future__ import annotations

from tangle.client.node.inclusion import WAIT_S
from tangle.client.wallet import outputs as build
from tangle.client.wallet.account import Created, Sent
from tangle.client.wallet.balance import Alias, Balance, Conditional, Foundry, Nft, TokenBalance, balance_of
from tangle.client.wallet.claims import ClaimAccount, Rounds
from tangle.client.wallet.history import HistoryEntry, history_of
from tangle.protocol.addresses import Address
from tangle.protocol.tagged_data import TaggedData

__all__ = [
    "Alias",
    "Balance",
    "Conditional",
    "Created",
    "Foundry",
    "HistoryEntry",
    "Nft",
    "Rounds",
    "Sent",
    "TokenBalance",
    "Wallet",
]


class Wallet(ClaimAccount):
    """Everything that some keys can do, through one node; see `Account` for its parameters."""

    async def balance(self) -> Balance:
        """What the wallet holds, as of now."""
        async with self._lock:
            held = await self._held()
            return balance_of(held, self._is_free, await self._said_of_tokens(held))

    async def send(
        self,
        address: Address | str,
        amount: int,
        *,
        return_deposit: bool = False,
        expires_at: int | None = None,
        expires_in_s: int | None = None,
        locked_until: int | None = None,
        metadata: bytes | None = None,
        tag: bytes | None = None,
        payload: TaggedData | None = None,
        wait: bool = True,
        within_s: float | None = WAIT_S,
    ) -> Sent:
        """Pay `amount` base units to an address: prepare, submit and, unless told otherwise, wait.

        When posting fails the inputs are free again. A second try then makes the same transaction, which can be
        included only once, even if the node did get the first one.

        Parameters
        ----------
        return_deposit : lend the receiver the storage deposit on top, which comes back when it claims; so even
            one base unit can be sent
        expires_at, expires_in_s : when it comes back if nobody has taken it: seconds since the Unix epoch, or
            seconds from the newest milestone on
        locked_until : nobody can spend it before; seconds since the Unix epoch
        """
        expires = await self._time(expires_at, expires_in_s)
        output = build.basic(
            await self.node.parameters(),
            await self._address(address),
            amount,
            return_deposit_to=self.address() if return_deposit else None,
            expires=(self.address(), expires) if expires else None,
            locked_until=locked_until,
            metadata=metadata,
            tag=tag,
        )
        return await self._post(await self.prepare([output], payload=payload), wait, within_s)

    async def history(self) -> list[HistoryEntry]:
        """What every included transaction changed for the wallet, oldest first.

        The addresses of aliases and NFTs are its own while it holds them: those of ended ones count as somebody's.
        """
        async with self._lock:
            held = await self._held()
        return await history_of(self.node, [*held.own, *held.accounts])
