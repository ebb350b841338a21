"""Whose an output is, and until when, on both sides of every time that matters."""

from __future__ import annotations

import pytest

from tangle.client.wallet import outputs as build
from tangle.client.wallet.balance import balance_of
from tangle.client.wallet.holdings import EXPIRY_MARGIN_S, Holding, HoldingState, holdings
from tangle.client.wallet.metadata import Irc30
from tangle.client.wallet.selection import Coin
from tangle.protocol.addresses import Address, Ed25519Address
from tangle.protocol.outputs import AliasOutput, BasicOutput, NftOutput, Output, SimpleTokenScheme
from tests.client.drawn import AT, OWN, PARAMETERS, STRANGER, World, output_id

ME, HIM = OWN[0], STRANGER
OTHER = Ed25519Address(b"\x55" * 32)
SAFE = AT + EXPIRY_MARGIN_S


def seen(output: Output, at: int = AT) -> Holding | None:
    """How the owner of `ME` sees `output`; None: not at all."""
    return next(iter(holdings([Coin(output_id(0), output)], [ME], at).items), None)


def offer(to: Address, back_to: Address, at: int, *, locked_until: int | None = None) -> BasicOutput:
    return build.basic(PARAMETERS, to, 5000, expires=(back_to, at), locked_until=locked_until)


@pytest.mark.parametrize(
    ("output", "state", "until"),
    [
        (build.basic(PARAMETERS, ME), HoldingState.AVAILABLE, None),
        (build.basic(PARAMETERS, HIM), None, None),
        # A timelock opens with its very second.
        (build.basic(PARAMETERS, ME, locked_until=AT + 1), HoldingState.LOCKED, AT + 1),
        (build.basic(PARAMETERS, ME, locked_until=AT), HoldingState.AVAILABLE, None),
        (build.basic(PARAMETERS, HIM, locked_until=AT), None, None),
        # An expiration ahead: theirs until shortly before.
        (offer(ME, HIM, SAFE + 1), HoldingState.CLAIMABLE, SAFE + 1),
        (offer(ME, HIM, SAFE), None, None),
        (offer(ME, HIM, AT), None, None),
        (offer(ME, ME, SAFE), HoldingState.RETURNING, SAFE),
        # Sent away: comes back with its very second.
        (offer(HIM, ME, AT + 1), HoldingState.RETURNING, AT + 1),
        (offer(HIM, ME, AT), HoldingState.AVAILABLE, None),
        (offer(HIM, OTHER, AT), None, None),
        # Both: the lock holds whoever it is, and may leave no time.
        (offer(ME, HIM, AT + 100, locked_until=AT + 50), HoldingState.LOCKED, AT + 50),
        (offer(ME, HIM, AT + 100, locked_until=AT + 100), None, None),
        (offer(HIM, ME, AT, locked_until=AT + 50), HoldingState.LOCKED, AT + 50),
        (offer(HIM, ME, AT + 10, locked_until=AT + 50), HoldingState.RETURNING, AT + 10),
        # Owed: claimable.
        (build.basic(PARAMETERS, ME, return_deposit_to=HIM), HoldingState.CLAIMABLE, None),
        (build.basic(PARAMETERS, HIM, return_deposit_to=ME), None, None),
        (build.nft(PARAMETERS, ME), HoldingState.AVAILABLE, None),
        (build.nft(PARAMETERS, ME, locked_until=AT + 1), HoldingState.LOCKED, AT + 1),
        (build.alias(PARAMETERS, ME, HIM), HoldingState.AVAILABLE, None),
        (build.alias(PARAMETERS, HIM, ME), HoldingState.GOVERNED, None),
        (build.alias(PARAMETERS, HIM, OTHER), None, None),
    ],
)
def test_whose_it_is(output: Output, state: HoldingState | None, until: int | None) -> None:
    held = seen(output)
    assert (held.state if held else None) == state
    assert (held.until if held else None) == until


def test_what_is_owed_until_it_expires() -> None:
    output = build.basic(PARAMETERS, ME, 7, return_deposit_to=HIM, expires=(ME, AT + 100))
    before, after = seen(output), seen(output, AT + 100)
    assert before is not None
    assert after is not None
    assert (before.owed_to, before.kept) == (HIM, 7)
    assert (after.owed, after.kept, after.state) == (0, output.amount, HoldingState.AVAILABLE)
    assert before.conditional
    assert after.conditional


def test_ownership_goes_through_accounts_in_any_order() -> None:
    world = World()
    ruled = world.add(build.alias(PARAMETERS, ME))
    assert isinstance(ruled.output, AliasOutput)
    home = ruled.output.alias_address(ruled.output_id)
    outer = world.add(build.nft(PARAMETERS, home))
    assert isinstance(outer.output, NftOutput)
    inner = world.add(build.nft(PARAMETERS, outer.output.nft_address(outer.output_id)))
    assert isinstance(inner.output, NftOutput)
    deep = world.add(BasicOutput.to(inner.output.nft_address(inner.output_id), 1000))
    foundry = world.add(build.foundry(PARAMETERS, home.alias_id, 1, SimpleTokenScheme(0, 0, 1)))
    for coins in (world.coins, world.coins[::-1]):
        held = holdings(coins, [ME], AT)
        assert all(one.state is HoldingState.AVAILABLE for one in held.items)
        assert [one.coin for one in held.way_to(held.by_id[deep.output_id])] == [deep, inner, outer, ruled]
        assert held.controls(home)
    without = holdings([coin for coin in world.coins if coin != outer], [ME], AT)
    assert {one.coin.output_id for one in without.items} == {ruled.output_id, foundry.output_id}


def test_an_alias_that_is_only_governed_opens_nothing() -> None:
    world = World()
    ruled = world.add(build.alias(PARAMETERS, HIM, ME))
    assert isinstance(ruled.output, AliasOutput)
    world.add(BasicOutput.to(ruled.output.alias_address(ruled.output_id), 1000))
    assert [one.state for one in holdings(world.coins, [ME], AT).items] == [HoldingState.GOVERNED]


def test_accounts_that_own_each_other_are_nobody_s() -> None:
    one, two = b"\1" * 32, b"\2" * 32
    world = World()
    first = build.nft(PARAMETERS, ME, nft_id=one)
    second = build.nft(PARAMETERS, first.nft_address(b""), nft_id=two)
    world.add(build.nft(PARAMETERS, second.nft_address(b""), nft_id=one))
    world.add(second)
    assert holdings(world.coins, [ME], AT).items == ()


def test_the_balance_adds_up() -> None:
    world = World()
    token = b"\x08" + bytes(37)
    plain = world.add(build.basic(PARAMETERS, ME, 10_000, tokens={token: 5}))
    world.add(build.basic(PARAMETERS, ME, 100, return_deposit_to=HIM, tokens={token: 7}))
    world.add(build.basic(PARAMETERS, ME, 3000, locked_until=AT + 9))
    world.add(offer(HIM, ME, AT + 50))
    nft = world.add(build.nft(PARAMETERS, ME, immutable_metadata=b"not of the standard"))
    world.add(build.alias(PARAMETERS, HIM, ME))
    held = holdings(world.coins, [ME], AT)
    balance = balance_of(held, lambda one: True, {token: Irc30("Name", "SYM", 1)})
    assert balance.total == 10_000 + 100 + 3000 + nft.amount
    assert balance.available == 10_000
    (sums,) = balance.tokens
    assert (sums.total, sums.available, sums.symbol) == (12, 5, "SYM")
    assert [len(balance.claimable), len(balance.locked), len(balance.returning)] == [1, 1, 1]
    assert [one.name for one in balance.nfts] == [None]
    assert balance.nfts[0].immutable_metadata == b"not of the standard"
    assert [(one.controlled, one.governed) for one in balance.aliases] == [(False, True)]
    pending = balance_of(held, lambda one: one.coin != plain, {})
    assert (pending.total, pending.available) == (balance.total, 0)
    assert (pending.token(token).total, pending.token(token).available) == (12, 0)
    assert balance.token(b"\x08" * 38).total == 0
