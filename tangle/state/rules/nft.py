"""The NFT output: one thing, its history and whoever holds it (TIP-18, "NFT Output").

Its id is the hash of the id of the output that minted it, so nobody can mint it twice. Holding it is holding
its address: consuming the NFT unlocks what is locked to it. Burning needs nothing but its owner.
"""

from __future__ import annotations

from tangle.protocol.addresses import NftAddress
from tangle.protocol.outputs import NO_ID, NftOutput
from tangle.state.rules import basic
from tangle.state.rules.context import Consumed, Context, OutputRules, issuer_unlocked
from tangle.state.rules.reasons import chain_rule


def chain_id(output: NftOutput, output_id: bytes) -> bytes:
    """33 bytes: the NFT's address."""
    return output.nft_address(output_id).encode()


def account(_: Context, consumed: Consumed[NftOutput]) -> NftAddress:
    """Consuming an NFT unlocks its address."""
    return consumed.output.nft_address(consumed.output_id)


@chain_rule
def corresponding(_: Context, following: NftOutput) -> bool:
    """For every non-zero explicit NFT ID there must be a corresponding NFT on the input side."""
    return following.nft_id == NO_ID


@chain_rule
def issuer(ctx: Context, following: NftOutput) -> bool:
    """When an NFT is minted, the address of its Issuer Feature must be unlocked in the transaction."""
    return issuer_unlocked(ctx, following)


@chain_rule
def immutable(_: Context, current: NftOutput, following: NftOutput) -> bool:
    """Immutable Features of an NFT must not change."""
    return current.immutable_features == following.immutable_features


RULES = OutputRules(
    "NFT Output",
    basic.owner,
    account,
    chain_id,
    creation=(corresponding, issuer),
    transitions={"transition": (immutable,)},
)
