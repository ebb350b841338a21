"""Aliases, foundries and native tokens through a wallet, on a real node."""

import pytest

from tangle.client.errors import (
    InsufficientFunds,
    NotControlled,
    NotEmpty,
    NotEnoughTokens,
    OutputPending,
    SupplyExceeded,
    UnknownChain,
    UnknownToken,
)
from tangle.client.wallet.metadata import Irc30
from tangle.protocol.errors import AmountOutOfRange
from tests.client.live import FUNDS, Bank

ABOUT = Irc30("Test coin", "TST", 2, description="for tests")


async def test_a_token_s_life(bank: Bank) -> None:
    owner, friend = await bank.funded("token owner", "token friend")
    made = await owner.create_token(metadata=ABOUT, initial=1000, maximum=1500)
    balance = await owner.balance()
    (held,) = balance.tokens
    assert (held.token_id, held.total, held.available) == (made.token_id, 1000, 1000)
    assert (held.name, held.symbol, held.decimals) == ("Test coin", "TST", 2)
    assert balance.total == FUNDS
    (foundry,) = balance.foundries
    (home,) = balance.aliases
    assert foundry.alias_id == home.alias_id
    assert (foundry.minted, foundry.melted, foundry.maximum_supply) == (1000, 0, 1500)
    assert (home.state_index, home.foundry_counter, home.controlled, home.governed) == (1, 1, True, True)

    with pytest.raises(SupplyExceeded, match="room for 500"):
        await owner.mint(made.token_id, 501)
    await owner.mint(made.token_id, 500)
    await owner.melt(made.token_id, 300)
    assert (await owner.balance()).token(made.token_id).total == 1200

    await owner.send_tokens(friend.address(), {made.token_id: 200})
    waiting = await friend.balance()
    (offer,) = waiting.claimable
    assert (offer.tokens, offer.amount, offer.owed_to) == ({made.token_id: 200}, 0, owner.address())
    assert waiting.token(made.token_id).available == 0
    assert waiting.token(made.token_id).name == "Test coin"
    assert (await owner.balance()).total == FUNDS - offer.owed
    await friend.claim()
    received = await friend.balance()
    assert received.token(made.token_id).available == 200
    assert received.total == FUNDS
    assert (await owner.balance()).total == FUNDS

    with pytest.raises(NotEnoughTokens, match=r"201 of token 0x[0-9a-f]{76} are needed, 200 are available"):
        await friend.send_tokens(owner.address(), {made.token_id: 201})
    with pytest.raises(UnknownToken, match="no foundry that this wallet controls"):
        await friend.mint(made.token_id, 1)
    await friend.send_tokens(owner.address(), {made.token_id: 200}, return_deposit=False)
    assert (await friend.balance()).tokens == ()
    assert (await owner.balance()).token(made.token_id).available == 1200

    with pytest.raises(NotEmpty, match="owns 1 outputs"):
        await owner.destroy_alias(home.alias_id)
    await owner.destroy_foundry(made.token_id)
    emptied = await owner.balance()
    assert emptied.tokens == ()
    assert emptied.foundries == ()
    await owner.destroy_alias(home.alias_id)
    final = await owner.balance()
    assert final.aliases == ()
    assert final.total == final.available
    assert final.total + (await friend.balance()).total == 2 * FUNDS


async def test_burned_tokens_are_gone_and_keep_their_foundry_alive(bank: Bank) -> None:
    (owner,) = await bank.funded("burner")
    made = await owner.create_token(initial=50, maximum=50)
    await owner.burn_tokens(made.token_id, 20)
    assert (await owner.balance()).token(made.token_id).total == 30
    with pytest.raises(NotEnoughTokens, match=r"50 of token .* are needed, 30 are available"):
        await owner.destroy_foundry(made.token_id)
    await owner.burn_tokens(made.token_id, 30)
    assert (await owner.balance()).tokens == ()


async def test_two_tokens_of_one_alias(bank: Bank) -> None:
    (owner,) = await bank.funded("two tokens")
    home = await owner.create_alias(metadata=b"about", state_metadata=b"state", immutable_metadata=b"ever")
    one = await owner.create_token(initial=10, maximum=10, alias_id=home.alias_id)
    two = await owner.create_token(initial=2**256 - 1, maximum=2**256 - 1)
    balance = await owner.balance()
    assert {held.token_id: held.total for held in balance.tokens} == {one.token_id: 10, two.token_id: 2**256 - 1}
    (account,) = balance.aliases
    assert (account.alias_id, account.foundry_counter) == (home.alias_id, 2)
    assert (account.metadata, account.state_metadata, account.immutable_metadata) == (b"about", b"state", b"ever")


async def test_what_is_not_theirs(bank: Bank) -> None:
    owner, other = await bank.funded("alias owner", "alias stranger")
    home = await owner.create_alias(state_controller=other.address())
    (seen,) = (await owner.balance()).aliases
    assert (seen.controlled, seen.governed) == (False, True)
    (moved,) = (await other.balance()).aliases
    assert (moved.controlled, moved.governed) == (True, False)
    with pytest.raises(NotControlled, match="governor"):
        await other.destroy_alias(home.alias_id)
    with pytest.raises(UnknownChain, match="alias 0x"):
        await other.create_token(maximum=1, alias_id=bytes(31) + b"\1")
    poor = bank.empty("poor")
    with pytest.raises(InsufficientFunds):
        await poor.create_alias()
    await owner.destroy_alias(home.alias_id)
    assert (await owner.balance()).total == FUNDS


async def test_steps_of_one_alias_follow_each_other(bank: Bank) -> None:
    (owner,) = await bank.funded("one step at a time")
    made = await owner.create_token(initial=1, maximum=100)
    sent = [await owner.mint(made.token_id, 2, wait=False)]

    async def go_on() -> None:
        while len(sent) < 40:  # a milestone may come between two of them; not between all
            sent.append(await owner.mint(made.token_id, 2, wait=False))

    with pytest.raises(OutputPending) as refused:
        await go_on()
    assert sent[-1].transaction.id.hex() in str(refused.value)
    await owner.wait_included(sent[-1].transaction)
    await owner.mint(made.token_id, 3)
    assert (await owner.balance()).token(made.token_id).available == 1 + 2 * len(sent) + 3
    for wrong in (0, -1):
        with pytest.raises(AmountOutOfRange, match="at least 1 token"):
            await owner.mint(made.token_id, wrong)
        with pytest.raises(AmountOutOfRange, match="at least 1 token"):
            await owner.melt(made.token_id, wrong)
        with pytest.raises(AmountOutOfRange, match="at least 1 token"):
            await owner.burn_tokens(made.token_id, wrong)
        with pytest.raises(AmountOutOfRange, match=r"tokens\[0x.*at least 1 token"):
            await owner.send_tokens(owner.address(), {made.token_id: wrong})
    with pytest.raises(AmountOutOfRange, match="initial"):
        await owner.create_token(initial=2, maximum=1)
