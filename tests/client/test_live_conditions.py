"""Conditional payments, NFTs, and joining many outputs, through wallets on a real node."""

import asyncio

import pytest

from tangle.client.errors import LockedUntil, NotEmpty, OutputPending, UnknownChain, UnknownInput, WalletError
from tangle.client.wallet.holdings import HoldingState
from tangle.client.wallet.metadata import Irc27
from tangle.protocol.addresses import AliasAddress, NftAddress
from tangle.protocol.errors import DepositTooSmall
from tests.client.live import FUNDS, Bank

ABOUT = Irc27("Pump 7", "image/png", "https://example.org/pump", collection_name="Pumps")


async def test_a_payment_that_is_not_taken_comes_back(bank: Bank) -> None:
    payer, payee = await bank.funded("payer", "payee")
    sent = await payer.send(payee.address(), 5000, expires_in_s=3)
    output_id = sent.transaction.output_id(0)
    await bank.until(await bank.soon(3))
    assert (await payee.balance()).total == FUNDS
    back = await payer.balance()
    assert back.total == back.available == FUNDS
    assert [one.output_id for one in back.claimable] == [output_id]
    await payer.claim([output_id])
    claimed = await payer.balance()
    assert (claimed.claimable, claimed.available) == ((), FUNDS)


async def test_a_payment_that_is_taken_in_time(bank: Bank) -> None:
    payer, payee = await bank.funded("payer in time", "payee in time")
    await payer.send(payee.address(), 5000, expires_in_s=120)
    (out,) = (await payer.balance()).returning
    assert (await payer.balance()).total == FUNDS - 5000
    offered = await payee.balance()
    (offer,) = offered.claimable
    assert (offer.output_id, offer.amount, offer.until) == (out.output_id, 5000, out.until)
    assert (offered.total, offered.available) == (FUNDS + 5000, FUNDS)
    await payee.claim()
    assert (await payee.balance()).available == FUNDS + 5000
    assert (await payer.balance()).returning == ()
    with pytest.raises(WalletError, match="nothing to claim"):
        await payee.claim()
    with pytest.raises(UnknownInput, match="nothing of this wallet to claim"):
        await payer.claim([out.output_id])


async def test_a_timelock_holds(bank: Bank) -> None:
    payer, payee = await bank.funded("locking payer", "locked payee")
    opens = await bank.soon(4)
    sent = await payer.send(payee.address(), 7000, locked_until=opens)
    output_id = sent.transaction.output_id(0)
    (locked,) = (await payee.balance()).locked
    assert (locked.output_id, locked.amount, locked.until) == (output_id, 7000, opens)
    with pytest.raises(LockedUntil, match=str(opens)):
        await payee.prepare([], inputs=[output_id])
    await bank.until(opens)
    opened = await payee.balance()
    assert (opened.locked, opened.available) == ((), FUNDS + 7000)
    await payee.claim([output_id])
    assert (await payee.balance()).total == FUNDS + 7000


async def test_a_coin_is_sent_with_its_deposit_returned(bank: Bank) -> None:
    payer, payee = await bank.funded("micro payer", "micro payee")
    with pytest.raises(DepositTooSmall, match="storage deposit of 426"):
        await payer.send(payee.address(), 1)
    await payer.send(payee.address(), 1, return_deposit=True, metadata=b"thanks", tag=b"micro")
    (offer,) = (await payee.balance()).claimable
    assert (offer.amount, offer.owed_to) == (1, payer.address())
    rounds = await payee.claim()
    assert rounds.sent.milestone_index is not None
    assert (await payee.balance()).available == FUNDS + 1
    assert (await payer.balance()).available == FUNDS - 1


async def test_an_nft_s_life(bank: Bank) -> None:
    maker, owner = await bank.funded("nft maker", "nft owner")
    collection = await maker.mint_nft(immutable_metadata=b"a collection")
    made = await maker.mint_nft(
        address=owner.address(),
        issuer=NftAddress(collection.nft_id),
        immutable_metadata=ABOUT,
        metadata=b"mutable",
        tag=b"pumps",
    )
    (seen,) = (await owner.balance()).nfts
    assert (seen.nft_id, seen.name, seen.issuer) == (made.nft_id, "Pump 7", NftAddress(collection.nft_id))
    assert seen.metadata == ABOUT
    assert [one.nft_id for one in (await maker.balance()).nfts] == [collection.nft_id]
    await owner.send_nft(made.nft_id, maker.address(), expires_in_s=120, tag=b"sold")
    (offer,) = (await maker.balance()).claimable
    assert offer.nft_id == made.nft_id
    await maker.claim()
    held = {one.nft_id: one for one in (await maker.balance()).nfts}
    assert held[made.nft_id].state is HoldingState.AVAILABLE
    assert held[made.nft_id].immutable_metadata == ABOUT.encode()
    output, _ = await bank.node.output(held[made.nft_id].output_id)
    assert (output.metadata, output.tag, len(output.unlock_conditions)) == (b"mutable", b"sold", 1)
    with pytest.raises(UnknownChain, match="NFT 0x"):
        await owner.send_nft(made.nft_id, maker.address())
    await maker.burn_nft(made.nft_id)
    await maker.burn_nft(collection.nft_id)
    empty = await maker.balance()
    assert empty.nfts == ()
    assert empty.total == empty.available
    assert empty.total + (await owner.balance()).total == 2 * FUNDS


async def test_what_nfts_and_aliases_own_is_theirs_who_hold_them(bank: Bank) -> None:
    holder, payer = await bank.funded("holder", "pays holders")
    nft = await holder.mint_nft(issuer=holder.address())
    home = await holder.create_alias()
    await payer.send(NftAddress(nft.nft_id), 2000)
    await payer.send(AliasAddress(home.alias_id), 3000)
    inner = await payer.mint_nft(address=NftAddress(nft.nft_id))
    balance = await holder.balance()
    assert {one.nft_id for one in balance.nfts} == {nft.nft_id, inner.nft_id}
    assert balance.available == balance.total - sum(one.amount for one in balance.nfts) - balance.aliases[0].amount
    deepest = await payer.send(NftAddress(inner.nft_id), 1000)
    assert (await holder.balance()).available == balance.available + 1000
    await holder.prepare([], inputs=[deepest.transaction.output_id(0)])
    with pytest.raises(OutputPending):
        await holder.send_nft(inner.nft_id, payer.address())
    again = type(holder)(bank.node, holder.reach.keys, gap_limit=0)
    with pytest.raises(NotEmpty, match="owns 2 outputs"):
        await again.burn_nft(nft.nft_id)
    everything = (await again.balance()).available
    await again.send(payer.address(), everything)
    await again.burn_nft(inner.nft_id)
    await again.burn_nft(nft.nft_id)
    await again.destroy_alias(home.alias_id)
    final = await again.balance()
    assert final.total == final.available
    assert final.total + (await payer.balance()).total == 2 * FUNDS


async def test_the_alias_issues(bank: Bank) -> None:
    (maker,) = await bank.funded("alias issuer")
    home = await maker.create_alias()
    made = await maker.mint_nft(issuer="alias", immutable_metadata=ABOUT)
    (seen,) = (await maker.balance()).nfts
    assert (seen.nft_id, seen.issuer) == (made.nft_id, AliasAddress(home.alias_id))


async def test_two_hundred_outputs_become_one(bank: Bank) -> None:
    (rich,) = await bank.funded("scattered", pieces=200, amount=500)
    told: list[tuple[int, int]] = []
    rounds = await rich.consolidate(progress=lambda done, total: told.append((done, total)))
    assert [len(sent.transaction.essence.inputs) for sent in rounds.rounds] == [128, 73]
    balance = await rich.balance()
    assert [coin.amount for coin in balance.outputs] == [200 * 500]
    assert told == [(128, 201), (201, 201)]
    with pytest.raises(WalletError, match="no two available outputs"):
        await rich.consolidate()


async def test_payments_at_once(bank: Bank) -> None:
    (payer,) = await bank.funded("many at once", pieces=5, amount=2000)
    friend = bank.empty("paid at once")
    await asyncio.gather(*(payer.send(friend.address(), 1000) for _ in range(5)))
    assert (await friend.balance()).total == 5000
    assert (await payer.balance()).total == 5000


async def test_an_nft_that_nobody_takes_comes_back(bank: Bank) -> None:
    giver, taker = await bank.funded("nft giver", "nft taker")
    made = await giver.mint_nft(immutable_metadata=ABOUT)
    await giver.send_nft(made.nft_id, taker.address(), expires_in_s=3)
    (gone,) = (await giver.balance()).returning
    assert gone.nft_id == made.nft_id
    with pytest.raises(LockedUntil, match=str(gone.until)):
        await giver.burn_nft(made.nft_id)
    assert gone.until is not None
    await bank.until(gone.until)
    assert (await taker.balance()).nfts == ()
    await giver.claim([gone.output_id])
    opens = await bank.soon(600)
    await giver.send_nft(made.nft_id, giver.address(), locked_until=opens)
    (locked,) = (await giver.balance()).nfts
    assert (locked.state, locked.until) == (HoldingState.LOCKED, opens)
    with pytest.raises(LockedUntil, match=str(opens)):
        await giver.send_nft(made.nft_id, taker.address())
    assert (await giver.balance()).total == FUNDS
