"""NFTs: minted, sent and burned (TIP-18, TIP-27)."""

from __future__ import annotations

from typing import cast

from tangle.client.errors import UnknownChain
from tangle.client.node.inclusion import WAIT_S
from tangle.client.wallet import outputs as build
from tangle.client.wallet.account import Created, Sent
from tangle.client.wallet.draft import Intent
from tangle.client.wallet.holdings import Holdings, State
from tangle.client.wallet.metadata import Irc27, encoded
from tangle.client.wallet.tokens import TokenAccount
from tangle.protocol.addresses import Address, NftAddress
from tangle.protocol.outputs import AliasOutput, NftOutput
from tangle.protocol.tagged_data import TaggedData


class NftAccount(TokenAccount):
    """Operations on NFTs."""

    async def mint_nft(
        self,
        *,
        address: Address | str | None = None,
        immutable_metadata: Irc27 | bytes | None = None,
        issuer: Address | str | None = None,
        metadata: bytes | None = None,
        tag: bytes | None = None,
        amount: int | None = None,
        wait: bool = True,
        within_s: float | None = WAIT_S,
    ) -> Created:
        """Make an NFT.

        Parameters
        ----------
        address : who gets it; None: this wallet's first address
        issuer : an address of this wallet that is proven to have issued it: that of a key, of a
            controlled alias or of a held NFT (a collection); ``"alias"`` is the controlled one with the lowest id
        """
        made = build.nft(
            await self.node.parameters(),
            await self._address(address or self.address()),
            amount,
            metadata=metadata,
            tag=tag,
            issuer=await self._issuer(issuer),
            immutable_metadata=encoded(immutable_metadata),
        )
        sent = await self._post(await self.prepare([made]), wait, within_s)
        return Created(sent, NftAddress.created_by(sent.transaction.output_id(0)).nft_id)

    async def send_nft(
        self,
        nft_id: bytes,
        address: Address | str,
        *,
        expires_at: int | None = None,
        expires_in_s: int | None = None,
        locked_until: int | None = None,
        metadata: bytes | None = None,
        tag: bytes | None = None,
        payload: TaggedData | None = None,
        wait: bool = True,
        within_s: float | None = WAIT_S,
    ) -> Sent:
        """Send an NFT with its storage deposit.

        Parameters
        ----------
        metadata : takes the place of its mutable metadata; None keeps them
        expires_at, expires_in_s : when it comes back if nobody has taken it
        """
        to = await self._address(address)
        expires = await self._time(expires_at, expires_in_s)
        parameters = await self.node.parameters()
        async with self._lock:
            held = await self._held()
            one = self._chain(held, "NFT", nft_id)
            current = cast("NftOutput", one.output)
            like = build.nft(
                parameters,
                to,
                metadata=current.metadata if metadata is None else metadata,
                tag=tag,
                expires=(self.address(), expires) if expires else None,
                locked_until=locked_until,
            )
            following = build.next_nft(
                parameters,
                current,
                one.output_id,
                to,
                amount=max(one.kept, 1),
                unlock_conditions=like.unlock_conditions,
                features=like.features,
            )
            transaction = await self._signed(held, Intent(outputs=[following]), payload)
        return await self._post(transaction, wait, within_s)

    async def burn_nft(self, nft_id: bytes, *, wait: bool = True, within_s: float | None = WAIT_S) -> Sent:
        """Destroy an NFT and take its storage deposit. Raises NotEmpty while it owns outputs."""
        await self._check_empty("NFT", nft_id, NftAddress(nft_id))
        async with self._lock:
            held = await self._held()
            self._chain(held, "NFT", nft_id)
            transaction = await self._signed(held, Intent(ends=[nft_id]))
        return await self._post(transaction, wait, within_s)

    async def _issuer(self, issuer: Address | str | None) -> Address | None:
        if issuer != "alias":
            return await self._address(issuer) if issuer else None
        async with self._lock:
            held: Holdings = await self._held()
        homes = [
            one
            for one in held.of(State.AVAILABLE)
            if isinstance(one.output, AliasOutput) and one.account is not None
        ]
        if not homes:
            raise UnknownChain("alias", b"")
        return min(homes, key=lambda one: one.chain_id or b"").account
