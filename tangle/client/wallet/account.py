"""The core of a wallet: transactions prepared, posted and waited for.

The ledger holds the truth; an account keeps only what the ledger cannot know yet: which outputs its own pending
transactions consume. Those are not chosen again until they are seen spent or the transaction is conflicting.

Preparing and posting are two steps. A program that must pay exactly once stores the prepared transaction durably,
then posts it, and after a crash posts the very same one again: it keeps its id, and the ledger takes it once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tangle.client.errors import Conflicting, UnknownChain
from tangle.client.node import inclusion
from tangle.client.node.attach import Pow, attach
from tangle.client.node.inclusion import WAIT_S, Inclusion
from tangle.client.node.rest import NodeClient
from tangle.client.wallet.compose import compose
from tangle.client.wallet.draft import Intent
from tangle.client.wallet.holdings import Holding, Holdings
from tangle.client.wallet.reach import GAP_LIMIT, Reach
from tangle.client.wallet.transfer import sign_draft
from tangle.protocol.errors import CountOutOfRange
from tangle.protocol.keys import Keys
from tangle.protocol.outputs import Output, check_deposit
from tangle.protocol.serial import numbered
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction


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


class Account(Reach):
    """Transactions over what some keys reach; `tangle.client.Wallet` says what for.

    Any number of tasks may use one. Two with the same keys do not know of each other's pending transactions; where
    they choose the same output, one of the two transactions is conflicting.

    Parameters
    ----------
    node, keys, account, gap_limit : see `Reach`
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
        super().__init__(node, keys, account=account, gap_limit=gap_limit)
        self.pow: Pow = pow
        self._attachments: dict[bytes, list[bytes]] = {}

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
            held = await self._held()
            choose = inputs is None
            return await self._signed(held, intent, payload, choose=choose)

    async def _signed(
        self, held: Holdings, intent: Intent, payload: TaggedData | None = None, *, choose: bool = True
    ) -> Transaction:
        """The transaction for `intent`, its inputs reserved; call it with the lock held."""
        parameters = await self.node.parameters()
        draft = compose(held, intent, self.address(), parameters, pending=self._reserved, choose=choose)
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

    def _is_free(self, one: Holding) -> bool:
        return one.output_id not in self._reserved

    def _chain(self, held: Holdings, kind: str, chain_id: bytes) -> Holding:
        """What carries an alias, NFT or foundry of ours."""
        if chain_id not in held.chains:
            raise UnknownChain(kind, chain_id)
        return held.chains[chain_id]

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
