"""What locks ask for in return, and whether the transaction pays it (`docs/locks.md`).

The dues of all locks are summed before they are compared, with deposit returns: one output pays one of them.
An NFT cannot be summed, so two inputs must not ask for the same one. A due is paid by outputs with no condition
but an address: what expires, is locked or asks money back is no payment.
"""

from __future__ import annotations

from collections.abc import Mapping

from tangle.protocol.addresses import Address, NftAddress
from tangle.protocol.conflicts import Conflict
from tangle.protocol.locks import BaseCoins, NftAsset, Pays, TokenAsset, Voucher, VoucherShown
from tangle.protocol.outputs import (
    AddressUnlockCondition,
    BasicOutput,
    Feature,
    NftOutput,
    Output,
    SenderFeature,
)
from tangle.state.rules.balance import returns_due
from tangle.state.rules.context import Consumed, Context, NftDue, sum_tokens
from tangle.state.rules.reasons import lock_rule


def find_dues(ctx: Context) -> None:
    """Fill in what the locks of `ctx` ask for, and the NFTs that are dealt with."""
    dealt: set[Address] = set()
    for position, entry in ctx.entries.items():
        consumed = ctx.consumed[position]
        for condition, proof in entry.shown:
            if isinstance(condition, Pays):
                _pay(ctx, position, condition)
            elif isinstance(proof, VoucherShown) and isinstance(condition, Voucher):
                _redeem(ctx, position, condition, proof.taken)
            else:
                continue
            if isinstance(consumed.output, NftOutput):
                dealt.add(consumed.output.nft_address(consumed.output_id))
    ctx.dealt = dealt | {NftAddress(due.nft_id) for due in ctx.dues.nfts}


def _pay(ctx: Context, position: int, condition: Pays) -> None:
    address, asset, output = condition.address, condition.asset, ctx.consumed[position].output
    if isinstance(asset, BaseCoins):
        _add_coins(ctx, address, condition.amount or output.amount)
    elif isinstance(asset, TokenAsset):
        amount = condition.amount or held_tokens(output).get(asset.token_id, 0)
        _add_tokens(ctx, address, {asset.token_id: amount})
    elif isinstance(asset, NftAsset):
        current = ctx.current.get(NftAddress(asset.nft_id).encode())
        coins, tokens = (current.amount, held_tokens(current)) if current is not None else (0, {})
        ctx.dues.nfts.append(NftDue(position, address, asset.nft_id, coins, tokens))
    else:
        _add_all(ctx, position, address, output.amount, held_tokens(output))


def _redeem(ctx: Context, position: int, condition: Voucher, taken: int) -> None:
    """`taken` to the payee, everything else to whom the refund goes."""
    output, asset = ctx.consumed[position].output, condition.asset
    coins, tokens = output.amount, held_tokens(output)
    if isinstance(asset, BaseCoins):
        _add_coins(ctx, condition.payee, taken)
        coins = max(coins - taken, 0)
    else:
        _add_tokens(ctx, condition.payee, {asset.token_id: taken})
        tokens[asset.token_id] = max(tokens.get(asset.token_id, 0) - taken, 0)
    _add_all(ctx, position, condition.refund, coins, tokens)


def _add_all(ctx: Context, position: int, address: Address, coins: int, tokens: Mapping[bytes, int]) -> None:
    """Coins and tokens for an address; with the NFT of the input, where that is what holds them."""
    consumed: Consumed[Output] = ctx.consumed[position]
    if isinstance(consumed.output, NftOutput):
        nft_id = consumed.output.chain_id(consumed.output_id)
        kept = {token_id: amount for token_id, amount in tokens.items() if amount}
        ctx.dues.nfts.append(NftDue(position, address, nft_id, coins, kept))
        return
    _add_coins(ctx, address, coins)
    _add_tokens(ctx, address, tokens)


def _add_coins(ctx: Context, address: Address, amount: int) -> None:
    ctx.dues.coins[address] = ctx.dues.coins.get(address, 0) + amount


def _add_tokens(ctx: Context, address: Address, tokens: Mapping[bytes, int]) -> None:
    for token_id, amount in tokens.items():
        ctx.dues.tokens[address, token_id] = ctx.dues.tokens.get((address, token_id), 0) + amount


def held_tokens(output: Output) -> dict[bytes, int]:
    """Token id -> amount in `output`."""
    return {token.token_id: token.amount for token in output.native_tokens}


@lock_rule(Conflict.RETURN_AMOUNT_NOT_FULFILLED)
def coin_dues(ctx: Context) -> bool:
    """Per address, coins due and deposit returns together must be paid by Basic Outputs with an address alone."""
    returns, paid = returns_due(ctx), _payments(ctx)
    return all(
        sum(output.amount for output in paid.get(address, ())) >= amount + returns.get(address, 0)
        for address, amount in ctx.dues.coins.items()
    )


@lock_rule(Conflict.RETURN_AMOUNT_NOT_FULFILLED)
def token_dues(ctx: Context) -> bool:
    """Per address and native token, dues must be paid by Basic Outputs with an address alone."""
    if not ctx.dues.tokens:
        return True
    paid = {address: sum_tokens(outputs) for address, outputs in _payments(ctx).items()}
    return all(
        paid.get(address, {}).get(token_id, 0) >= amount for (address, token_id), amount in ctx.dues.tokens.items()
    )


@lock_rule(Conflict.RETURN_AMOUNT_NOT_FULFILLED)
def nft_dues(ctx: Context) -> bool:
    """A due NFT must go, with an address alone, the tokens and features it has to keep, and no fewer coins."""
    return all(_delivered(ctx, due) for due in ctx.dues.nfts)


@lock_rule(Conflict.RETURN_AMOUNT_NOT_FULFILLED)
def nft_once(ctx: Context) -> bool:
    """The locks of two inputs must not ask for the same NFT."""
    first: dict[bytes, int] = {}
    return all(first.setdefault(due.nft_id, due.position) == due.position for due in ctx.dues.nfts)


def _payments(ctx: Context) -> dict[Address, list[BasicOutput]]:
    """The outputs that pay an address: basic, and nothing but the address decides who may consume them."""
    paid: dict[Address, list[BasicOutput]] = {}
    for output in ctx.created:
        if isinstance(output, BasicOutput) and len(output.unlock_conditions) == 1:
            paid.setdefault(output.address, []).append(output)
    return paid


def _delivered(ctx: Context, due: NftDue) -> bool:
    chain_id = NftAddress(due.nft_id).encode()
    current, following = ctx.current.get(chain_id), ctx.next.get(chain_id)
    return (
        current is not None
        and following is not None
        and following.unlock_conditions == (AddressUnlockCondition(due.address),)
        and following.amount >= due.coins
        and held_tokens(following) == due.tokens
        and _said(following) == _said(current)
    )


def _said(output: Output) -> list[Feature]:
    return [feature for feature in output.features if not isinstance(feature, SenderFeature)]


DUE_RULES = (coin_dues, token_dues, nft_dues, nft_once)
