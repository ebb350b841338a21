"""Taking what is conditionally the wallet's, and joining what has come in many pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tangle.client.errors import InsufficientFunds, RemainderTooSmall, UnknownInput, WalletError
from tangle.client.node.inclusion import WAIT_S
from tangle.client.wallet.account import Sent
from tangle.client.wallet.draft import Intent
from tangle.client.wallet.holdings import Holding, Holdings, State
from tangle.client.wallet.nfts import NftAccount
from tangle.client.wallet.transfer import TRANSACTION_BYTES_MAX
from tangle.protocol.outputs import BasicOutput, NftOutput
from tangle.protocol.parameters import INPUTS_MAX, NATIVE_TOKENS_MAX
from tangle.protocol.transactions import Transaction

CLAIMED_MAX = 100
"""outputs that one transaction claims; leaves inputs for storage deposits and outputs for returns"""
CLAIMED_BYTES_MAX = TRANSACTION_BYTES_MAX // 2
"""bytes of NFTs that one transaction claims; the rest is for inputs, returns and tokens"""
Progress = Callable[[int, int], None]
"""told how many outputs were joined or claimed so far, and of how many"""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Transactions that together did one thing.

    Attributes
    ----------
    rounds : at least one, in order
    left : ids (34 bytes) of outputs for whose place in the ledger the wallet had too few coins of its own
    """

    rounds: tuple[Sent, ...]
    left: tuple[bytes, ...] = ()

    @property
    def sent(self) -> Sent:
        """The last one."""
        return self.rounds[-1]


class ClaimAccount(NftAccount):
    """Claiming and consolidating."""

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
        WalletError : there is nothing to claim
        InsufficientFunds, RemainderTooSmall : nothing can be claimed without more coins
        UnknownInput : an output that cannot be claimed now
        """
        async with self._lock:
            held = await self._held()
            claimable = {one.output_id: one for one in held.items if one.conditional and self._is_free(one)}
        chosen = list(claimable) if output_ids is None else list(output_ids)
        for output_id in chosen:
            if output_id not in claimable:
                raise UnknownInput(output_id, "there is nothing of this wallet to claim in it now")
        if not chosen:
            raise WalletError("there is nothing to claim")
        waiting = [claimable[output_id] for output_id in chosen]
        if output_ids is None:
            # What brings coins comes first; what costs some is last, and is left where there are none.
            waiting.sort(key=lambda one: (-one.kept, one.output_id))
        return await self._in_rounds(waiting, output_ids is None, progress, wait, within_s)

    async def _in_rounds(
        self,
        waiting: list[Holding],
        may_leave: bool,
        progress: Progress | None,
        wait: bool,
        within_s: float | None,
    ) -> Rounds:
        rounds: list[Sent] = []
        left: list[bytes] = []
        total = len(waiting)
        while waiting and (wait or not rounds):
            part = _first_round(waiting)
            waiting = waiting[len(part) :]
            async with self._lock:
                held = await self._held()
                # Since the first look some may have come too close to their expiration.
                still = [one.output_id for one in part if one.output_id in held.by_id]
                if not still:
                    continue
                least = len(still) if not may_leave else 0 if rounds else 1
                count, transaction = await self._affordable(held, still, least)
            left += still[count:]
            if transaction is None:
                continue
            rounds.append(await self._post(transaction, wait, within_s))
            if progress:
                progress(total - len(waiting), total)
        if not rounds:
            raise WalletError("there is nothing to claim any more")
        return Rounds(tuple(rounds), tuple(left))

    async def _affordable(
        self, held: Holdings, output_ids: list[bytes], least: int
    ) -> tuple[int, Transaction | None]:
        """A transaction that claims the first of `output_ids`, as many as coins suffice for; and how many.

        Where they do not suffice for `least` of them, what the last try told is raised.
        """
        for count in range(len(output_ids), 0, -1):
            try:
                return count, await self._signed(held, Intent(inputs=output_ids[:count]))
            except (InsufficientFunds, RemainderTooSmall):
                if count <= least:
                    raise
        return 0, None

    async def consolidate(
        self, *, progress: Progress | None = None, wait: bool = True, within_s: float | None = WAIT_S
    ) -> Rounds:
        """Join all outputs without conditions into one at the first address, at most 128 a transaction.

        Where they hold more than 64 different tokens, one output per 64 remains.

        Parameters
        ----------
        wait : False posts the first round only
        within_s : seconds to wait for each round

        Raises
        ------
        WalletError : there are no two outputs to join
        """
        rounds: list[Sent] = []
        joined = 0
        while wait or not rounds:
            async with self._lock:
                held = await self._held()
                plain = [
                    one
                    for one in held.of(State.AVAILABLE)
                    if isinstance(one.output, BasicOutput) and self._is_free(one) and one.unlocker in held.own
                ]
                part = _joinable(plain)
                if len(part) < 2:
                    break
                intent = Intent(inputs=[one.output_id for one in part])
                transaction = await self._signed(held, intent, choose=False)
            rounds.append(await self._post(transaction, wait, within_s))
            joined += len(part)
            if progress:
                left = len(plain) - len(part)
                progress(joined, joined + (left + 1 if left else 0))
        if not rounds:
            raise WalletError("there are no two available outputs to join")
        return Rounds(tuple(rounds))


def _joinable(plain: list[Holding]) -> list[Holding]:
    """The smallest outputs that one transaction may join."""
    chosen: list[Holding] = []
    tokens: set[bytes] = set()
    for one in sorted(plain, key=lambda one: (one.coin.amount, one.output_id)):
        grown = tokens | {token.token_id for token in one.output.native_tokens}
        if len(grown) <= NATIVE_TOKENS_MAX and len(chosen) < INPUTS_MAX:
            chosen.append(one)
            tokens = grown
    return chosen


def _first_round(waiting: list[Holding]) -> list[Holding]:
    """As many of the first ones as one transaction can claim, at least one."""
    tokens: set[bytes] = set()
    size = 0
    for count, one in enumerate(waiting):
        tokens |= {token.token_id for token in one.output.native_tokens}
        size += len(one.output.encoded) if isinstance(one.output, NftOutput) else 0
        full = len(tokens) > NATIVE_TOKENS_MAX or size > CLAIMED_BYTES_MAX or count >= CLAIMED_MAX
        if full and count:
            return waiting[:count]
    return waiting
