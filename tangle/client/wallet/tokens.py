"""Aliases, foundries and their native tokens: what a wallet does with them (TIP-18, TIP-30).

A token comes from a foundry, a foundry belongs to an alias, and the alias belongs to the wallet. Each step of a
foundry is a step of its alias.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from tangle.client.errors import NotControlled, NotEmpty, SupplyExceeded, UnknownToken
from tangle.client.node.inclusion import WAIT_S
from tangle.client.wallet import outputs as build
from tangle.client.wallet.account import Account, Created, Sent
from tangle.client.wallet.draft import Intent
from tangle.client.wallet.holdings import Holding, Holdings, State
from tangle.client.wallet.metadata import Irc30, encoded
from tangle.protocol.addresses import Address, AliasAddress
from tangle.protocol.errors import AmountOutOfRange
from tangle.protocol.outputs import AliasOutput, FoundryOutput, SimpleTokenScheme
from tangle.protocol.serial import to_hex
from tangle.protocol.tagged_data import TaggedData


class TokenAccount(Account):
    """Operations on aliases, foundries and native tokens."""

    async def create_alias(
        self,
        *,
        metadata: bytes | None = None,
        state_metadata: bytes = b"",
        immutable_metadata: bytes | None = None,
        state_controller: Address | str | None = None,
        governor: Address | str | None = None,
        wait: bool = True,
        within_s: float | None = WAIT_S,
    ) -> Created:
        """Make an alias that by default this wallet's first address both moves and rules."""
        controller = await self._address(state_controller or self.address())
        made = build.alias(
            await self.node.parameters(),
            controller,
            await self._address(governor or self.address()),
            state_metadata=state_metadata,
            metadata=metadata,
            immutable_metadata=immutable_metadata,
        )
        sent = await self._post(await self.prepare([made]), wait, within_s)
        return Created(sent, AliasAddress.created_by(sent.transaction.output_id(0)).alias_id)

    async def create_token(
        self,
        *,
        maximum: int,
        initial: int = 0,
        metadata: Irc30 | bytes | None = None,
        alias_id: bytes | None = None,
        wait: bool = True,
        within_s: float | None = WAIT_S,
    ) -> Created:
        """Make a token: a foundry with a maximum supply, and `initial` tokens for this wallet.

        Parameters
        ----------
        alias_id : whose foundry it becomes; None: the controlled alias with the lowest id, or a new one
        wait : where a new alias is needed its inclusion is waited for in any case
        """
        if not 0 <= initial <= maximum:
            raise AmountOutOfRange("initial", f"must be 0 to the maximum supply of {maximum}, not {initial}")
        parameters = await self.node.parameters()
        home = alias_id or await self._own_alias() or (await self.create_alias(within_s=within_s)).alias_id
        async with self._lock:
            held = await self._held()
            carrier = cast("AliasOutput", self._chain(held, "alias", home).output)
            foundry = build.foundry(
                parameters,
                home,
                carrier.foundry_counter + 1,
                SimpleTokenScheme(initial, 0, maximum),
                immutable_metadata=encoded(metadata),
            )
            transaction = await self._signed(held, Intent(outputs=[foundry]))
        return Created(await self._post(transaction, wait, within_s), foundry.foundry_id)

    async def send_tokens(
        self,
        address: Address | str,
        tokens: Mapping[bytes, int],
        *,
        amount: int | None = None,
        return_deposit: bool = True,
        expires_at: int | None = None,
        expires_in_s: int | None = None,
        locked_until: int | None = None,
        metadata: bytes | None = None,
        tag: bytes | None = None,
        payload: TaggedData | None = None,
        wait: bool = True,
        within_s: float | None = WAIT_S,
    ) -> Sent:
        """Send native tokens: token id (38 bytes) -> amount.

        Parameters
        ----------
        amount : base units that the receiver keeps; None: nothing where the deposit returns, else the deposit
        return_deposit : ask the storage deposit back; the receiver must then claim the tokens
        """
        for token_id, count in tokens.items():
            _check_amount(count, f"tokens[{to_hex(token_id)}]")
        expires = await self._time(expires_at, expires_in_s)
        output = build.basic(
            await self.node.parameters(),
            await self._address(address),
            amount,
            tokens=tokens,
            return_deposit_to=self.address() if return_deposit else None,
            expires=(self.address(), expires) if expires else None,
            locked_until=locked_until,
            metadata=metadata,
            tag=tag,
        )
        return await self._post(await self.prepare([output], payload=payload), wait, within_s)

    async def mint(
        self, token_id: bytes, amount: int, *, wait: bool = True, within_s: float | None = WAIT_S
    ) -> Sent:
        """Make `amount` more of a token of this wallet's own foundry.

        Raises
        ------
        UnknownToken : no foundry of this wallet mints it
        SupplyExceeded : its maximum supply leaves less room
        """
        _check_amount(amount)
        async with self._lock:
            held = await self._held()
            foundry = _foundry(held, token_id)
            scheme = foundry.token_scheme
            room = scheme.maximum_supply - (scheme.minted - scheme.melted)
            if amount > room:
                raise SupplyExceeded(token_id, amount, room)
            following = build.next_foundry(await self.node.parameters(), foundry, minted=amount)
            transaction = await self._signed(held, Intent(outputs=[following]))
        return await self._post(transaction, wait, within_s)

    async def melt(
        self, token_id: bytes, amount: int, *, wait: bool = True, within_s: float | None = WAIT_S
    ) -> Sent:
        """Give `amount` of a token back to this wallet's own foundry, which may mint them again."""
        _check_amount(amount)
        async with self._lock:
            held = await self._held()
            following = build.next_foundry(await self.node.parameters(), _foundry(held, token_id), melted=amount)
            transaction = await self._signed(held, Intent(outputs=[following]))
        return await self._post(transaction, wait, within_s)

    async def burn_tokens(
        self, token_id: bytes, amount: int, *, wait: bool = True, within_s: float | None = WAIT_S
    ) -> Sent:
        """Destroy `amount` of a token, whoever's it is; its foundry does not learn of it and can never end."""
        _check_amount(amount)
        return await self._post(await self.prepare([], burned={token_id: amount}), wait, within_s)

    async def destroy_foundry(
        self, token_id: bytes, *, wait: bool = True, within_s: float | None = WAIT_S
    ) -> Sent:
        """End a foundry and melt all of its tokens, which this wallet must hold. Raises NotEnoughTokens."""
        async with self._lock:
            held = await self._held()
            _foundry(held, token_id)
            transaction = await self._signed(held, Intent(ends=[token_id]))
        return await self._post(transaction, wait, within_s)

    async def destroy_alias(self, alias_id: bytes, *, wait: bool = True, within_s: float | None = WAIT_S) -> Sent:
        """End an alias that this wallet governs and take what it holds.

        Raises
        ------
        NotEmpty : it still owns outputs, its foundries among them
        NotControlled : this wallet does not govern it
        """
        await self._check_empty("alias", alias_id, AliasAddress(alias_id))
        async with self._lock:
            held = await self._held()
            governor = cast("AliasOutput", self._chain(held, "alias", alias_id).output).governor
            if not held.controls(governor):
                raise NotControlled(governor.encode(), "governor")
            transaction = await self._signed(held, Intent(ends=[alias_id]))
        return await self._post(transaction, wait, within_s)

    async def _check_empty(self, kind: str, chain_id: bytes, address: Address) -> None:
        owned = await self._listed(address)
        if owned:
            raise NotEmpty(kind, chain_id, len(owned))

    async def _own_alias(self) -> bytes | None:
        """The id of the controlled alias with the lowest id."""
        async with self._lock:
            held = await self._held()
        ids = [
            one.chain_id
            for one in held.of(State.AVAILABLE)
            if isinstance(one.output, AliasOutput) and one.chain_id is not None and self._is_free(one)
        ]
        return min(ids, default=None)


def _check_amount(amount: int, field: str = "amount") -> None:
    if amount < 1:
        raise AmountOutOfRange(field, f"must be at least 1 token, not {amount}")


def _foundry(held: Holdings, token_id: bytes) -> FoundryOutput:
    found: Holding | None = held.chains.get(token_id)
    if found is None or not isinstance(found.output, FoundryOutput):
        raise UnknownToken(token_id)
    return found.output
