"""The indexer's questions as the client asks them, of a real node."""

import pytest

from tangle.client.node.indexed import INDEXED, OutputKind, camel_case
from tangle.client.wallet import outputs as build
from tangle.protocol.addresses import Address, AliasAddress, NftAddress
from tests.client.live import FUNDS, Bank


async def test_every_kind_is_found_by_what_it_is(bank: Bank) -> None:
    (owner,) = await bank.funded("indexed")
    me, node = owner.address(), bank.node
    text = await node.bech32(me)
    token = await owner.create_token(initial=5, maximum=9)
    home = (await owner.balance()).aliases[0]
    nft = await owner.mint_nft(issuer=me, tag=b"indexed nft")
    until = await bank.soon(600)
    held = build.basic(
        await node.parameters(), me, 600, sender=me, tag=b"indexed", expires=(me, until), locked_until=until - 100
    )
    prepared = await owner.prepare([held])
    await owner.wait_included(prepared)
    basic = prepared.output_id(0)

    assert basic in await node.output_ids("basic", address=me, tag=b"indexed", sender=me)
    assert basic in await node.output_ids("basic", has_expiration=True, expires_after=until - 1)
    assert basic not in await node.output_ids("basic", address=text, has_timelock=False)
    assert basic not in await node.output_ids("basic", expiration_return_address=me, expires_before=until)
    assert await node.output_ids("basic", address=me, has_native_tokens=True, min_native_token_count=1) != []
    alias = await node.alias_output_id(home.alias_id)
    assert alias is not None
    assert [alias] == await node.output_ids("alias", state_controller=me, governor=text)
    foundry = await node.foundry_output_id(token.token_id)
    assert foundry is not None
    assert [foundry] == await node.output_ids("foundry", alias_address=AliasAddress(home.alias_id))
    thing = await node.nft_output_id(nft.nft_id)
    assert thing is not None
    assert [thing] == await node.output_ids("nft", issuer=me, address=me, tag=b"indexed nft")
    everything = await node.output_ids(unlockable_by_address=me)
    assert {basic, alias, thing} <= set(everything)
    assert foundry not in everything
    assert foundry in await node.output_ids("any", unlockable_by_address=AliasAddress(home.alias_id))
    assert await node.nft_output_id(bytes(32)) is None
    assert await node.output_ids(unlockable_by_address=NftAddress(nft.nft_id)) == []
    with pytest.raises(TypeError, match="no filter 'tag' for alias outputs"):
        await node.output_ids("alias", tag=b"x")


async def test_more_than_a_page_is_listed(bank: Bank) -> None:
    (owner,) = await bank.funded("many indexed", pieces=230, amount=500)
    found = await bank.node.output_ids("any", unlockable_by_address=owner.address())
    assert len(found) == len(set(found)) == 230
    assert (await owner.balance()).total == 230 * 500


async def test_a_governor_hands_an_alias_over(bank: Bank) -> None:
    giver, taker = await bank.funded("giver", "taker")
    home = await giver.create_alias(metadata=b"1")
    (held,) = (await giver.balance()).aliases
    output, _ = await bank.node.output(held.output_id)
    handed = build.governed_alias(
        await bank.node.parameters(),
        output,  # type: ignore[arg-type]
        held.output_id,
        state_controller=taker.address(),
        governor=taker.address(),
    )
    await giver.wait_included(await giver.prepare([handed]))
    assert (await giver.balance()).aliases == ()
    (taken,) = (await taker.balance()).aliases
    assert (taken.alias_id, taken.controlled, taken.governed, taken.state_index) == (home.alias_id, True, True, 0)
    await taker.create_token(initial=1, maximum=1, alias_id=home.alias_id)
    assert (await taker.balance()).total == FUNDS + held.amount


def example(name: str, address: Address) -> Address | bytes | int | bool:
    """A value for a filter."""
    if name.startswith("has_"):
        return True
    if name == "tag":
        return b"example"
    return 1 if name.endswith(("_count", "_before", "_after")) else address


@pytest.mark.parametrize("kind", INDEXED)
async def test_the_node_knows_every_filter(bank: Bank, kind: OutputKind) -> None:
    addresses = {"alias_address": AliasAddress(bytes(32))}
    me = bank.empty("asks").address()
    filters = {name: example(name, addresses.get(name, me)) for name in sorted(INDEXED[kind].filters)}
    for name, value in filters.items():
        await bank.node.output_ids(kind, **{name: value})
    assert await bank.node.output_ids(kind, **filters) == []


def test_names_are_those_of_the_routes() -> None:
    assert camel_case("unlockable_by_address") == "unlockableByAddress"
    assert camel_case("tag") == "tag"
