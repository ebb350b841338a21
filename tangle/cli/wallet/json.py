"""How holdings look to programs: JSON members in camelCase, amounts as decimal strings. Pure, from a `Balance`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import orjson

from tangle.client.wallet.metadata import Irc27, Irc30
from tangle.client.wallet.wallet import Alias, Balance, Conditional, Foundry, Nft, TokenBalance
from tangle.protocol.addresses import Address, AliasAddress
from tangle.protocol.serial import Json, to_hex

Bech32 = Callable[["Address"], str]
"""the text of an address on the node's network"""


def balance_json(held: Balance, text_of: Bech32) -> Json:
    """Everything; amounts as decimal strings."""
    outputs = [
        {"outputId": to_hex(coin.output_id), "amount": str(coin.amount), "address": text_of(coin.output.owner)}
        for coin in held.outputs
    ]
    return {
        "total": str(held.total),
        "available": str(held.available),
        "outputs": outputs,
        "tokens": [token_json(one) for one in held.tokens],
        "nfts": [nft_json(one, text_of) for one in held.nfts],
        "aliases": [alias_json(one, text_of) for one in held.aliases],
        "foundries": [foundry_json(one) for one in held.foundries],
        "claimable": [conditional_json(one, text_of) for one in held.claimable],
        "locked": [conditional_json(one, text_of) for one in held.locked],
        "returning": [conditional_json(one, text_of) for one in held.returning],
    }


def token_json(one: TokenBalance) -> Json:
    json: Json = {"tokenId": to_hex(one.token_id), "total": str(one.total), "available": str(one.available)}
    return json | _said("irc30", one.metadata)


def nft_json(one: Nft, text_of: Bech32) -> Json:
    json: Json = {
        "nftId": to_hex(one.nft_id),
        "outputId": to_hex(one.output_id),
        "amount": str(one.amount),
        "state": one.state.value,
        "address": text_of(one.address),
    }
    optional = {
        "until": one.until,
        "issuer": one.issuer and text_of(one.issuer),
        "immutableMetadata": one.immutable_metadata and to_hex(one.immutable_metadata),
    }
    return json | _present(optional) | _said("irc27", one.metadata)


def alias_json(one: Alias, text_of: Bech32) -> Json:
    json: Json = {
        "aliasId": to_hex(one.alias_id),
        "outputId": to_hex(one.output_id),
        "address": text_of(alias_address(one)),
        "amount": str(one.amount),
        "controlled": one.controlled,
        "governed": one.governed,
        "stateIndex": one.state_index,
        "foundryCounter": one.foundry_counter,
    }
    optional = {
        "stateMetadata": to_hex(one.state_metadata) if one.state_metadata else None,
        "metadata": one.metadata and to_hex(one.metadata),
        "immutableMetadata": one.immutable_metadata and to_hex(one.immutable_metadata),
        "issuer": one.issuer and text_of(one.issuer),
    }
    return json | _present(optional)


def foundry_json(one: Foundry) -> Json:
    json: Json = {
        "tokenId": to_hex(one.token_id),
        "outputId": to_hex(one.output_id),
        "aliasId": to_hex(one.alias_id),
        "amount": str(one.amount),
        "minted": str(one.minted),
        "melted": str(one.melted),
        "maximumSupply": str(one.maximum_supply),
    }
    return json | _said("irc30", one.metadata)


def conditional_json(one: Conditional, text_of: Bech32) -> Json:
    """An output under conditions."""
    json: Json = {"outputId": to_hex(one.output_id), "amount": str(one.amount)}
    if one.tokens:
        json["tokens"] = [
            {"tokenId": to_hex(token_id), "amount": str(units)} for token_id, units in one.tokens.items()
        ]
    if one.owed and one.owed_to is not None:
        json |= {"returnAmount": str(one.owed), "returnAddress": text_of(one.owed_to)}
    return json | _present({"nftId": one.nft_id and to_hex(one.nft_id), "until": one.until})


def claimed_json(taken: Sequence[Conditional]) -> Json:
    """What was claimed, together."""
    json: Json = {"outputs": len(taken), "amount": str(sum(one.amount for one in taken))}
    if sums := token_sums(taken):
        json["tokens"] = [{"tokenId": to_hex(token_id), "amount": str(units)} for token_id, units in sums.items()]
    if nft_ids := [to_hex(one.nft_id) for one in taken if one.nft_id is not None]:
        json["nftIds"] = nft_ids
    if returned := sum(one.owed for one in taken):
        json["returned"] = str(returned)
    return json


def token_sums(ones: Sequence[Conditional]) -> dict[bytes, int]:
    """Token id -> amount, in several outputs together."""
    sums: dict[bytes, int] = {}
    for one in ones:
        for token_id, units in one.tokens.items():
            sums[token_id] = sums.get(token_id, 0) + units
    return sums


def alias_address(one: Alias) -> Address:
    """Its own address."""
    return AliasAddress(one.alias_id)


def _said(name: str, about: Irc27 | Irc30 | None) -> Json:
    return {name: orjson.loads(about.encode())} if about else {}


def _present(members: Mapping[str, object]) -> Json:
    return {name: value for name, value in members.items() if value is not None}
