"""Which outputs a transaction consumes: pure, so that the rules can be tested one by one.

The order of preference, each rule deciding only where the earlier ones leave a choice:

1. what remains is nothing, or enough for an output of its own (TIP-19); one input more is better than an error,
2. few inputs: the largest outputs first,
3. a tight fit: the last input is one that leaves nothing, else the smallest that suffices,
4. the output id, so that the same outputs always give the same choice.

A wallet that holds many outputs adds some of the smallest to what it spends anyway; so it never comes to need more
inputs than a transaction may have.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from tangle.client.errors import FundsTooScattered, InsufficientFunds, RemainderTooSmall
from tangle.protocol.outputs import Output
from tangle.protocol.parameters import INPUTS_MAX

CONSOLIDATE_ABOVE = 32
"""unspent outputs; with more, a transaction takes small ones along, up to so many inputs in all"""


@dataclass(frozen=True, slots=True)
class Coin:
    """An unspent output and its id (34 bytes)."""

    output_id: bytes
    output: Output

    @property
    def amount(self) -> int:
        """Base units."""
        return self.output.amount


def fits(total: int, needed: int, least: int) -> bool:
    """Whether inputs of `total` leave nothing or at least `least` over `needed` (base units)."""
    return total == needed or total >= needed + least


def check_fit(total: int, needed: int, least: int) -> None:
    """Raise InsufficientFunds or RemainderTooSmall unless `fits`."""
    if total < needed:
        raise InsufficientFunds(needed, total)
    if not fits(total, needed, least):
        raise RemainderTooSmall(total - needed, least)


def select(coins: Sequence[Coin], needed: int, least: int, *, inputs_max: int = INPUTS_MAX) -> list[Coin]:
    """The coins that pay for `needed`.

    Parameters
    ----------
    coins : what may be spent, in any order
    needed : base units that the outputs hold together
    least : base units that a remainder must hold
    inputs_max : most inputs of one transaction

    Returns
    -------
    unique coins, in the order in which the transaction names them

    Raises
    ------
    InsufficientFunds : all coins together hold less than `needed`
    FundsTooScattered : `inputs_max` coins hold less than `needed`, all together hold enough
    RemainderTooSmall : only remainders between nothing and `least` are in reach
    """
    total = sum(coin.amount for coin in coins)
    if total < needed:
        raise InsufficientFunds(needed, total)
    ranked = sorted(coins, key=lambda coin: (-coin.amount, coin.output_id))
    amounts = [-coin.amount for coin in ranked]
    before = 0
    for size in range(1, min(inputs_max, len(ranked)) + 1):
        last = _last(amounts, size - 1, needed - before, least)
        if last is not None:
            return _with_small([*ranked[: size - 1], ranked[last]], ranked, needed, least, inputs_max)
        before += ranked[size - 1].amount
    if before < needed:
        raise FundsTooScattered(needed, before, inputs_max)
    raise RemainderTooSmall(before - needed, least)


def _last(amounts: Sequence[int], start: int, missing: int, least: int) -> int | None:
    """Place from `start` on of the coin that completes the choice; `amounts` are negated, so ascending."""
    exact = bisect_right(amounts, -missing) - 1
    if exact >= start and amounts[exact] == -missing:
        return exact
    enough = bisect_right(amounts, -(missing + least)) - 1
    return enough if enough >= start else None


def _with_small(
    chosen: list[Coin], ranked: Sequence[Coin], needed: int, least: int, inputs_max: int
) -> list[Coin]:
    """`chosen`, and the smallest other coins where there are too many of them."""
    most = min(CONSOLIDATE_ABOVE, inputs_max)
    if len(ranked) <= CONSOLIDATE_ABOVE or len(chosen) >= most:
        return chosen
    taken = {coin.output_id for coin in chosen}
    small = [coin for coin in reversed(ranked) if coin.output_id not in taken][: most - len(chosen)]
    total = sum(coin.amount for coin in [*chosen, *small])
    return [*chosen, *small] if fits(total, needed, least) else chosen
