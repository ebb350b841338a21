"""Claiming what is conditionally the wallet's, and joining what has come in many pieces, round by round.

One transaction has room for 128 inputs and 64 different tokens, so either may take several. A plan says at each
look what the next round is; it is pure, and the wallet carries it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tangle.client.errors import InsufficientFunds, RemainderTooSmall, UnknownInput, WalletRefused
from tangle.client.wallet.draft import Draft, Intent
from tangle.client.wallet.holdings import Holding, HoldingState
from tangle.client.wallet.look import Look
from tangle.protocol.outputs import BasicOutput, NftOutput
from tangle.protocol.parameters import INPUTS_MAX, NATIVE_TOKENS_MAX, PAYLOAD_BYTES_MAX

CLAIMED_MAX = 100
"""outputs that one transaction claims; leaves inputs for storage deposits and outputs for returns"""
CLAIMED_BYTES_MAX = PAYLOAD_BYTES_MAX // 2
"""bytes of NFTs that one transaction claims; the rest is for inputs, returns and tokens"""


class InRounds(Protocol):
    """Rounds that together do one thing."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        ...

    @property
    def progress(self) -> tuple[int, int]:
        """How many outputs the rounds so far have taken, and of how many."""
        ...

    def next(self, look: Look) -> Draft | None:
        """The next round; None where there is nothing to do in it any more."""
        ...


class Claiming:
    """Outputs under conditions, taken whole or not at all.

    Parameters
    ----------
    output_ids : as `Wallet.claim` takes them

    Attributes
    ----------
    left : ids of outputs for whose place in the ledger there are too few coins

    Raises
    ------
    WalletRefused : there is nothing to claim
    UnknownInput : an output that cannot be claimed now
    """

    def __init__(self, look: Look, output_ids: Sequence[bytes] | None) -> None:
        claimable = {one.output_id: one for one in look.held.items if one.conditional and look.is_free(one)}
        chosen = list(claimable) if output_ids is None else list(output_ids)
        for output_id in chosen:
            if output_id not in claimable:
                raise UnknownInput(output_id, "there is nothing of this wallet to claim in it now")
        if not chosen:
            raise WalletRefused("there is nothing to claim")
        self.left: list[bytes] = []
        self._waiting = [claimable[output_id] for output_id in chosen]
        self._total = len(chosen)
        self._may_leave = output_ids is None
        self._begun = False
        if output_ids is None:
            # What brings coins comes first; what costs some is last, and is left where there are none.
            self._waiting.sort(key=lambda one: (-one.kept, one.output_id))

    @property
    def is_over(self) -> bool:
        """See `InRounds`."""
        return not self._waiting

    @property
    def progress(self) -> tuple[int, int]:
        """See `InRounds`."""
        return self._total - len(self._waiting), self._total

    def next(self, look: Look) -> Draft | None:
        """See `InRounds`; raises what keeps all of it from being claimed: InsufficientFunds, RemainderTooSmall."""
        part = _first_round(self._waiting)
        self._waiting = self._waiting[len(part) :]
        # Since the first look some may have come too close to their expiration.
        still = [one.output_id for one in part if one.output_id in look.held.by_id]
        least = len(still) if not self._may_leave else 0 if self._begun else 1
        count, draft = _affordable(look, still, least)
        self.left += still[count:]
        self._begun |= draft is not None
        return draft


class Consolidating:
    """Outputs without conditions, joined at the first address."""

    def __init__(self) -> None:
        self.is_over = False
        self.progress = (0, 0)

    def next(self, look: Look) -> Draft | None:
        """See `InRounds`."""
        plain = [
            one
            for one in look.held.of(HoldingState.AVAILABLE)
            if isinstance(one.output, BasicOutput) and look.is_free(one) and one.unlocker in look.held.own
        ]
        part = _joinable(plain)
        self.is_over = len(part) < 2
        if self.is_over:
            return None
        joined, left = self.progress[0] + len(part), len(plain) - len(part)
        self.progress = joined, joined + (left + 1 if left else 0)
        return look.draft(Intent(inputs=[one.output_id for one in part]), choose=False)


def _affordable(look: Look, output_ids: list[bytes], least: int) -> tuple[int, Draft | None]:
    """A transaction that claims the first of `output_ids`, as many as coins suffice for; and how many.

    Where they do not suffice for `least` of them, what the last try told is raised.
    """
    for count in range(len(output_ids), 0, -1):
        try:
            return count, look.draft(Intent(inputs=output_ids[:count]))
        except (InsufficientFunds, RemainderTooSmall):
            if count <= least:
                raise
    return 0, None


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
