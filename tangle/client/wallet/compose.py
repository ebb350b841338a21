"""From what somebody wants to a whole transaction: all inputs it takes, all outputs it makes (TIP-18, TIP-20).

What must be consumed and carried on is `tangle.client.wallet.draft`'s. Here the rest is made up from basic
outputs: an input for every own address that is named as sender, native tokens, base coins. What is owed goes back,
and one output takes all that remains.

Pure and deterministic: the same holdings and intent always give the same draft.
"""

from __future__ import annotations

from collections.abc import Mapping

from tangle.client.errors import (
    FundsTooScattered,
    InsufficientFunds,
    NotControlled,
    NotEnoughTokens,
    OutputPending,
    TooManyTokens,
    WalletError,
)
from tangle.client.wallet.draft import Draft, Drafting, Intent, in_unlock_order, new_issuer
from tangle.client.wallet.holdings import Holding, Holdings, HoldingState
from tangle.client.wallet.outputs import native_tokens
from tangle.client.wallet.selection import fits, select
from tangle.protocol.addresses import Address
from tangle.protocol.outputs import BasicOutput, storage_deposit
from tangle.protocol.parameters import INPUTS_MAX, NATIVE_TOKENS_MAX, ProtocolParameters

NOTHING_PENDING: Mapping[bytes, bytes] = {}


def compose(
    held: Holdings,
    intent: Intent,
    remainder_to: Address,
    parameters: ProtocolParameters,
    *,
    pending: Mapping[bytes, bytes] = NOTHING_PENDING,
    choose: bool = True,
) -> Draft:
    """The transaction that does what `intent` says and nothing else.

    Parameters
    ----------
    pending : output id -> id of the pending transaction that consumes it; only what `intent` names is taken anyway
    choose : whether outputs that nothing asks for may be taken to make up for what is missing

    Raises
    ------
    InsufficientFunds, RemainderTooSmall, FundsTooScattered, NotEnoughTokens : there is too little
    TooManyTokens : more different ones than a transaction may touch
    UnknownInput, LockedUntil, NotControlled, OutputPending : what is asked for cannot be unlocked, or not yet
    ProtocolError : an output that follows breaks a rule
    """
    draft = Drafting(held, intent, parameters)
    draft.pull_in()
    for output_id in draft.inputs:
        if output_id in pending and output_id not in intent.inputs:
            raise OutputPending(output_id, pending[output_id])
    making = _MakingUp(draft, pending if choose else None, remainder_to)
    making.add_senders()
    making.add_tokens()
    making.add_coins()
    return Draft(tuple(in_unlock_order(draft.unlocked())), (*draft.outputs, *draft.returns(), *making.remainder()))


class _MakingUp:
    """What a draft still misses, taken from a pool of basic outputs; without `pending` from nothing."""

    def __init__(self, draft: Drafting, pending: Mapping[bytes, bytes] | None, remainder_to: Address) -> None:
        self.draft = draft
        self.remainder_to = remainder_to
        self.pool = [
            one
            for one in draft.held.of(HoldingState.AVAILABLE)
            if pending is not None
            and isinstance(one.output, BasicOutput)
            and one.output_id not in draft.inputs
            and not any(part.output_id in pending for part in draft.held.way_to(one))
        ]

    def add_senders(self) -> None:
        """Take an input of every own address that an output names as sender or issuer."""
        draft = self.draft
        for i, output in enumerate(draft.outputs):
            for address in (output.sender, new_issuer(output)):
                if address is None or address not in draft.held.own:
                    continue
                if any(draft.unlocker(one) == address for one in draft.inputs.values()):
                    continue
                there = [one for one in self.pool if one.unlocker == address]
                if not there:
                    reason = "it holds no output whose spending would prove it"
                    raise NotControlled(address.encode(), f"outputs[{i}].sender", reason)
                self._take(min(there, key=lambda one: (len(one.output.native_tokens), -one.coin.amount)))

    def add_tokens(self) -> None:
        """For each missing token, take the smallest output that suffices, else the largest and so on."""
        for token_id in sorted(self.draft.tokens_left()):
            while (missing := -self.draft.tokens_left().get(token_id, 0)) > 0:
                there = self.draft.with_room(one for one in self.pool if _amount_of(token_id, one))
                if not there or len(self.draft.inputs) >= INPUTS_MAX:
                    raise self._tokens_error(token_id, missing, bool(there))
                enough = [one for one in there if _amount_of(token_id, one) >= missing]
                if enough:
                    self._take(min(enough, key=lambda one: (_amount_of(token_id, one), one.output_id)))
                else:
                    self._take(min(there, key=lambda one: (-_amount_of(token_id, one), one.output_id)))
        count = len(self.draft.tokens_touched())
        if count > NATIVE_TOKENS_MAX:
            raise TooManyTokens(count, NATIVE_TOKENS_MAX)

    def add_coins(self) -> None:
        """Take outputs until the base coins suffice.

        Plain outputs are chosen among as `select` does; where they do not suffice, others (with tokens, or owned
        by an alias or NFT) are added one by one, the largest first.
        """
        available = sum(one.coin.amount for one in (*self.draft.inputs.values(), *self.pool))
        while True:
            try:
                self._add_plain()
                return
            except WalletError as error:
                laden = self.draft.with_room(one for one in self.pool if not self._is_plain(one))
                if not laden or len(self.draft.inputs) >= INPUTS_MAX:
                    raise self._coins_error(error, available) from None
            self._take(min(laden, key=lambda one: (-one.coin.amount, one.output_id)))

    def remainder(self) -> list[BasicOutput]:
        """The output that holds all that remains, if anything does."""
        rest = -self.draft.missing()
        return [self._rest(rest)] if rest else []

    def _add_plain(self) -> None:
        needed, least = self.draft.missing(), self._least()
        if self.draft.tokens_left():
            # Tokens remain, so an output must, and "nothing" is no possible remainder.
            needed, least = needed + least, 0
        if self.draft.inputs and fits(0, needed, least):
            return
        plain = {one.output_id: one for one in self.pool if self._is_plain(one)}
        room = INPUTS_MAX - len(self.draft.inputs)
        if room <= 0:
            raise FundsTooScattered(needed, 0, INPUTS_MAX)
        for coin in select([one.coin for one in plain.values()], needed, least, inputs_max=room):
            self._take(plain[coin.output_id])

    def _is_plain(self, one: Holding) -> bool:
        """Whether consuming it adds base coins and nothing to carry on."""
        return not one.output.native_tokens and one.unlocker in self.draft.held.own

    def _least(self) -> int:
        return storage_deposit(self._rest(1), self.draft.parameters)

    def _rest(self, amount: int) -> BasicOutput:
        left = {token_id: held for token_id, held in self.draft.tokens_left().items() if held > 0}
        plain = BasicOutput.to(self.remainder_to, amount)
        return BasicOutput(amount, plain.unlock_conditions, (), native_tokens(left))

    def _take(self, one: Holding) -> None:
        """Consume one of the pool; it may pull in the alias or NFT that unlocks it, but no other of the pool."""
        self.pool.remove(one)
        self.draft.take(one)

    def _coins_error(self, error: WalletError, available: int) -> WalletError:
        """What `error`, which counts what is still missing, means for the transaction as a whole."""
        needed = sum(output.amount for output in (*self.draft.outputs, *self.draft.returns()))
        needed += self._least() if self.draft.tokens_left() else 0
        if available < needed:
            return InsufficientFunds(needed, available)
        if isinstance(error, InsufficientFunds):
            return FundsTooScattered(needed, needed - error.needed + error.available, INPUTS_MAX)
        return error

    def _tokens_error(self, token_id: bytes, missing: int, is_there: bool) -> WalletError:
        here = sum(_amount_of(token_id, one) for one in self.draft.inputs.values())
        elsewhere = sum(_amount_of(token_id, one) for one in self.pool)
        if is_there or elsewhere >= missing:
            return FundsTooScattered(here + missing, here, INPUTS_MAX, f"of token 0x{token_id.hex()}")
        return NotEnoughTokens(token_id, here + missing, here + elsewhere)


def _amount_of(token_id: bytes, one: Holding) -> int:
    return next((token.amount for token in one.output.native_tokens if token.token_id == token_id), 0)
