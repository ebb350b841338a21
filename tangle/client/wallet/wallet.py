"""A wallet: what its keys may spend, and spending it.

Functions make an intent from what the wallet sees (`tangle.client.wallet.intents`, `outputs`, `rounds`), and the
wallet carries it out: it looks at the ledger, composes and signs a transaction, posts it and waits for it.

The ledger holds the truth; a wallet keeps only what the ledger cannot know yet: which outputs its own pending
transactions consume. Those are not chosen again until they are seen spent or the transaction is conflicting.

Preparing and posting are two steps. A program that must pay exactly once stores the prepared transaction durably,
then posts it, and after a crash posts the very same one again: it keeps its id, and the ledger takes it once.

Addresses: index 0 is enough for most programs and takes all remainders. With the first question the wallet looks
for further used ones, external and internal, until `gap_limit` in a row are unused (BIP-44).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypedDict, Unpack

from tangle.client.errors import ClientError, Conflicting, NotEmpty, PartlyDone, WalletRefused
from tangle.client.node import inclusion
from tangle.client.node.attach import Pow, attach
from tangle.client.node.inclusion import WAIT_S, Included
from tangle.client.node.rest import NodeClient
from tangle.client.wallet import intents
from tangle.client.wallet import outputs as build
from tangle.client.wallet.balance import Alias, Balance, Conditional, Foundry, Nft, TokenBalance, balance_of
from tangle.client.wallet.draft import Draft, Intent
from tangle.client.wallet.history import HistoryEntry, history_of
from tangle.client.wallet.look import Look
from tangle.client.wallet.metadata import Irc27, Irc30, encoded
from tangle.client.wallet.reach import GAP_LIMIT, Reach
from tangle.client.wallet.rounds import Claiming, Consolidating, InRounds
from tangle.client.wallet.sent import Created, Rounds, Sent
from tangle.client.wallet.transfer import sign_draft
from tangle.protocol.addresses import Address, AliasAddress, Ed25519Address, NftAddress
from tangle.protocol.errors import AmountOutOfRange, CountOutOfRange
from tangle.protocol.keys import KeyPair, Keys
from tangle.protocol.outputs import BasicOutput, Output, check_deposit
from tangle.protocol.serial import numbered, to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction

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

Progress = Callable[[int, int], None]
"""told how many outputs were joined or claimed so far, and of how many"""


class Waiting(TypedDict, total=False):
    """How long: with `wait` False until the node has the block, else `within_s` until the ledger took it."""

    wait: bool
    within_s: float | None


class Until(TypedDict, total=False):
    """When what was sent changes hands by itself.

    Attributes
    ----------
    expires_at, expires_in_s : when it comes back if nobody has taken it: seconds since the Unix epoch, or seconds
        from the newest milestone on
    locked_until : nobody can spend it before; seconds since the Unix epoch
    tag : by which the receiver may find it
    """

    expires_at: int | None
    expires_in_s: int | None
    locked_until: int | None
    tag: bytes | None


class Wallet:
    """Everything that some keys can do, through one node.

    Any number of tasks may use one. Two with the same keys do not know of each other's pending transactions; where
    they choose the same output, one of the two transactions is conflicting.

    What sends something waits as `Waiting` says, and raises as `prepare` and `wait_included` do. When posting
    fails the inputs are free again. A second try then makes the same transaction, which can be included only once,
    even if the node did get the first one.

    Parameters
    ----------
    keys, account, gap_limit : see `Reach`
    pow : who does the proof of work, ``local`` or ``node``
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
        self.reach = Reach(node, keys, account=account, gap_limit=gap_limit)
        self._pending: dict[bytes, bytes] = {}
        self._attachments: dict[bytes, list[bytes]] = {}
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"Wallet({self.node!r}, {self.reach.keys!r}, account={self.reach.account})"

    # What it holds

    def address(self, index: int = 0, *, internal: bool = False) -> Ed25519Address:
        """An own address; from now on the wallet watches it."""
        return self.key_pair(index, internal=internal).address

    def key_pair(self, index: int = 0, *, internal: bool = False) -> KeyPair:
        """The keys of an own address, for a program that signs by itself."""
        return self.reach.key_pair(index, internal=internal)

    async def scan(self) -> None:
        """Look for used addresses again, which another program with the same keys may have begun to use."""
        await self.reach.scan()

    async def balance(self) -> Balance:
        """What the wallet holds, as of now."""
        async with self._lock:
            look = await self._look()
            return balance_of(look.held, look.is_free, await self.reach.said_of_tokens(look.held))

    async def history(self) -> list[HistoryEntry]:
        """What every included transaction changed for the wallet, oldest first.

        The addresses of aliases and NFTs are its own while it holds them: those of ended ones count as somebody's.
        """
        held = (await self.look()).held
        return await history_of(self.node, [*held.own, *held.accounts])

    # Carrying out

    async def look(self) -> Look:
        """What the wallet sees now."""
        async with self._lock:
            return await self._look()

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
        InsufficientFunds, RemainderTooSmall, FundsTooScattered, UnknownInput : see `tangle.client.errors`
        NotEnoughTokens, TooManyTokens, NotControlled, LockedUntil, OutputPending : likewise
        ProtocolError : an output breaks a rule, such as DepositTooSmall, which names the least amount
        """
        parameters = await self.node.parameters()
        numbered("outputs", lambda output: check_deposit(output, parameters), outputs)
        if not outputs and inputs is None and not ends and not burned:
            raise CountOutOfRange("outputs", "must hold at least one element where no inputs are named")
        intent = Intent(tuple(outputs), tuple(inputs or ()), tuple(ends), dict(burned or {}))
        async with self._lock:
            look = await self._look()
            return self._sign(look, look.draft(intent, choose=inputs is None), payload)

    async def carry_out(
        self,
        make: Callable[[Look], Intent],
        payload: TaggedData | None = None,
        *,
        wait: bool = True,
        within_s: float | None = WAIT_S,
    ) -> Sent:
        """Look, make an intent, and bring the transaction that it becomes into the ledger."""
        async with self._lock:
            look = await self._look()
            transaction = self._sign(look, look.draft(make(look)), payload)
        return await self._post(transaction, wait, within_s)

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

    async def wait_included(self, transaction: Transaction, *, within_s: float | None = WAIT_S) -> Included:
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
            if self._pending.get(consumed.output_id) == transaction.id:
                del self._pending[consumed.output_id]

    # Coins

    async def send(
        self,
        address: Address | str,
        amount: int,
        *,
        return_deposit: bool = False,
        metadata: bytes | None = None,
        payload: TaggedData | None = None,
        wait: bool = True,
        within_s: float | None = WAIT_S,
        **until: Unpack[Until],
    ) -> Sent:
        """Pay `amount` base units to an address: prepare, submit and, unless told otherwise, wait.

        Parameters
        ----------
        return_deposit : lend the receiver the storage deposit on top, which comes back when it claims; so even
            one base unit can be sent
        until : see `Until`
        """
        output = await self._payment(address, amount, {}, return_deposit, metadata, until)
        return await self.carry_out(lambda _: Intent([output]), payload, wait=wait, within_s=within_s)

    async def claim(
        self,
        output_ids: Sequence[bytes] | None = None,
        *,
        progress: Progress | None = None,
        wait: bool = True,
        within_s: float | None = WAIT_S,
    ) -> Rounds:
        """Take outputs under conditions: what is owed goes back, what has expired comes home, NFTs stay NFTs.

        Parameters
        ----------
        output_ids : ids (34 bytes) of some of `Balance.claimable`, claimed whole or not at all; None: all of them,
            save those that bring too little for their place in the ledger where own coins do not suffice
        wait : False posts the first round only, which is all there is for up to 100 outputs

        Raises
        ------
        WalletRefused : there is nothing to claim
        InsufficientFunds, RemainderTooSmall : nothing can be claimed without more coins
        UnknownInput : an output that cannot be claimed now
        """
        plan = Claiming(await self.look(), output_ids)
        rounds = await self._in_rounds(plan, progress, wait, within_s)
        if not rounds:
            raise WalletRefused("there is nothing to claim any more")
        return Rounds(tuple(rounds), tuple(plan.left))

    async def consolidate(
        self, *, progress: Progress | None = None, wait: bool = True, within_s: float | None = WAIT_S
    ) -> Rounds:
        """Join all outputs without conditions into one at the first address, at most 128 a transaction.

        Where they hold more than 64 different tokens, one output per 64 remains. With `wait` False only the first
        round is posted; `within_s` is for each round.

        Raises
        ------
        WalletRefused : there are no two outputs to join
        """
        rounds = await self._in_rounds(Consolidating(), progress, wait, within_s)
        if not rounds:
            raise WalletRefused("there are no two available outputs to join")
        return Rounds(tuple(rounds))

    # Aliases and tokens

    async def create_alias(
        self,
        *,
        metadata: bytes | None = None,
        state_metadata: bytes = b"",
        immutable_metadata: bytes | None = None,
        state_controller: Address | str | None = None,
        governor: Address | str | None = None,
        **waiting: Unpack[Waiting],
    ) -> Created:
        """Make an alias that by default this wallet's first address both moves and rules."""
        made = build.alias(
            await self.node.parameters(),
            await self.reach.address_of(state_controller or self.address()),
            await self.reach.address_of(governor or self.address()),
            state_metadata=state_metadata,
            metadata=metadata,
            immutable_metadata=immutable_metadata,
        )
        return Created(await self.carry_out(lambda _: Intent([made]), **waiting))

    async def destroy_alias(self, alias_id: bytes, **waiting: Unpack[Waiting]) -> Sent:
        """End an alias that this wallet governs and take what it holds.

        Raises
        ------
        NotEmpty : it still owns outputs, its foundries among them
        NotControlled : this wallet does not govern it
        """
        await self._check_empty("alias", alias_id, AliasAddress(alias_id))
        return await self.carry_out(lambda look: intents.destroy_alias(look, alias_id), **waiting)

    async def create_token(
        self,
        *,
        maximum: int,
        initial: int = 0,
        metadata: Irc30 | bytes | None = None,
        alias_id: bytes | None = None,
        **waiting: Unpack[Waiting],
    ) -> Created:
        """Make a token: a foundry with a maximum supply, and `initial` tokens for this wallet.

        Parameters
        ----------
        alias_id : whose foundry it becomes; None: the controlled alias with the lowest id, or a new one
        wait : where a new alias is needed its inclusion is waited for in any case
        """
        if not 0 <= initial <= maximum:
            raise AmountOutOfRange("initial", f"must be 0 to the maximum supply of {maximum}, not {initial}")
        home = alias_id or intents.free_alias(await self.look())
        home = home or (await self.create_alias(within_s=waiting.get("within_s", WAIT_S))).alias_id
        said = encoded(metadata)
        sent = await self.carry_out(
            lambda look: intents.create_token(look, home, maximum, initial, said), **waiting
        )
        return Created(sent)

    async def send_tokens(
        self,
        address: Address | str,
        tokens: Mapping[bytes, int],
        *,
        amount: int | None = None,
        return_deposit: bool = True,
        metadata: bytes | None = None,
        payload: TaggedData | None = None,
        wait: bool = True,
        within_s: float | None = WAIT_S,
        **until: Unpack[Until],
    ) -> Sent:
        """Send native tokens: token id (38 bytes) -> amount.

        Parameters
        ----------
        amount : base units that the receiver keeps; None: nothing where the deposit returns, else the deposit
        return_deposit : ask the storage deposit back; the receiver must then claim the tokens
        until : see `Until`
        """
        for token_id, count in tokens.items():
            intents.check_amount(count, f"tokens[{to_hex(token_id)}]")
        output = await self._payment(address, amount, tokens, return_deposit, metadata, until)
        return await self.carry_out(lambda _: Intent([output]), payload, wait=wait, within_s=within_s)

    async def mint(self, token_id: bytes, amount: int, **waiting: Unpack[Waiting]) -> Sent:
        """Make `amount` more of a token of this wallet's own foundry. Raises UnknownToken, SupplyExceeded."""
        return await self.carry_out(lambda look: intents.mint(look, token_id, amount), **waiting)

    async def melt(self, token_id: bytes, amount: int, **waiting: Unpack[Waiting]) -> Sent:
        """Give `amount` of a token back to this wallet's own foundry, which may mint them again."""
        return await self.carry_out(lambda look: intents.melt(look, token_id, amount), **waiting)

    async def burn_tokens(self, token_id: bytes, amount: int, **waiting: Unpack[Waiting]) -> Sent:
        """Destroy `amount` of a token, whoever's it is; its foundry does not learn of it and can never end."""
        intents.check_amount(amount)
        return await self.carry_out(lambda _: Intent(burned={token_id: amount}), **waiting)

    async def destroy_foundry(self, token_id: bytes, **waiting: Unpack[Waiting]) -> Sent:
        """End a foundry and melt all of its tokens, which this wallet must hold. Raises NotEnoughTokens."""
        return await self.carry_out(lambda look: intents.destroy_foundry(look, token_id), **waiting)

    # NFTs

    async def mint_nft(
        self,
        *,
        address: Address | str | None = None,
        immutable_metadata: Irc27 | bytes | None = None,
        issuer: Address | str | None = None,
        metadata: bytes | None = None,
        tag: bytes | None = None,
        amount: int | None = None,
        **waiting: Unpack[Waiting],
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
            await self.reach.address_of(address or self.address()),
            amount,
            metadata=metadata,
            tag=tag,
            issuer=await self._issuer(issuer),
            immutable_metadata=encoded(immutable_metadata),
        )
        return Created(await self.carry_out(lambda _: Intent([made]), **waiting))

    async def send_nft(
        self,
        nft_id: bytes,
        address: Address | str,
        *,
        metadata: bytes | None = None,
        payload: TaggedData | None = None,
        wait: bool = True,
        within_s: float | None = WAIT_S,
        **until: Unpack[Until],
    ) -> Sent:
        """Send an NFT with its storage deposit.

        Parameters
        ----------
        metadata : takes the place of its mutable metadata; None keeps them
        until : see `Until`
        """
        to, conditions = await self.reach.address_of(address), await self._conditions(until)
        return await self.carry_out(
            lambda look: intents.send_nft(look, nft_id, to, metadata, conditions),
            payload,
            wait=wait,
            within_s=within_s,
        )

    async def burn_nft(self, nft_id: bytes, **waiting: Unpack[Waiting]) -> Sent:
        """Destroy an NFT and take its storage deposit. Raises NotEmpty while it owns outputs."""
        await self._check_empty("NFT", nft_id, NftAddress(nft_id))
        return await self.carry_out(lambda look: intents.burn_nft(look, nft_id), **waiting)

    # Within

    async def _look(self) -> Look:
        """What the wallet sees; call it with the lock held, so that nothing it sees is reserved meanwhile."""
        held, spent = await self.reach.held()
        for output_id in spent:
            self._pending.pop(output_id, None)
        return Look(held, await self.node.parameters(), self.address(), self._pending)

    def _signed(
        self, look: Look, intent: Intent, payload: TaggedData | None, *, choose: bool = True
    ) -> Transaction:
        return self._sign(look, look.draft(intent, choose=choose), payload)

    def _sign(self, look: Look, draft: Draft, payload: TaggedData | None = None) -> Transaction:
        """A signed transaction, its inputs reserved; call it with the lock held."""
        transaction = sign_draft(draft, self.reach.key_pairs.__getitem__, look.parameters, payload)
        self._reserve(transaction)
        return transaction

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

    async def _in_rounds(
        self, plan: InRounds, progress: Progress | None, wait: bool, within_s: float | None
    ) -> list[Sent]:
        """Carry out one round after the other; without `wait` the first one only."""
        rounds: list[Sent] = []
        while not plan.is_over and (wait or not rounds):
            try:
                sent = await self._round(plan, wait, within_s)
            except ClientError as error:
                if rounds:
                    raise PartlyDone(len(rounds), str(error)) from error
                raise
            if sent is None:
                continue
            rounds.append(sent)
            if progress:
                progress(*plan.progress)
        return rounds

    async def _round(self, plan: InRounds, wait: bool, within_s: float | None) -> Sent | None:
        async with self._lock:
            look = await self._look()
            draft = plan.next(look)
            transaction = self._sign(look, draft) if draft else None
        return await self._post(transaction, wait, within_s) if transaction else None

    def _reserve(self, transaction: Transaction) -> None:
        for consumed in transaction.essence.inputs:
            self._pending[consumed.output_id] = transaction.id

    async def _settle(self, transaction: Transaction) -> None:
        """Forget a decided transaction. With the lock, so that no listing from before its inclusion is in use."""
        async with self._lock:
            self.release(transaction)
            self._attachments.pop(transaction.id, None)

    async def _payment(
        self,
        address: Address | str,
        amount: int | None,
        tokens: Mapping[bytes, int],
        return_deposit: bool,
        metadata: bytes | None,
        until: Until,
    ) -> BasicOutput:
        return build.basic(
            await self.node.parameters(),
            await self.reach.address_of(address),
            amount,
            tokens=tokens,
            return_deposit_to=self.address() if return_deposit else None,
            metadata=metadata,
            **await self._conditions(until),
        )

    async def _conditions(self, until: Until) -> dict[str, Any]:
        """What `until` means for the builders of outputs."""
        expires = await self.reach.time(until.get("expires_at"), until.get("expires_in_s"))
        return {
            "expires": (self.address(), expires) if expires else None,
            "locked_until": until.get("locked_until"),
            "tag": until.get("tag"),
        }

    async def _check_empty(self, kind: str, chain_id: bytes, address: Address) -> None:
        owned = await self.reach.listed(address)
        if owned:
            raise NotEmpty(kind, chain_id, len(owned))

    async def _issuer(self, issuer: Address | str | None) -> Address | None:
        if issuer == "alias":
            return intents.issuing_alias(await self.look())
        return await self.reach.address_of(issuer) if issuer else None
