"""The foundry output: the only place where native tokens come from (TIP-18, "Foundry Output").

A foundry belongs to one alias for good: alias, serial number and kind of scheme make its id, which is also
the id of its tokens, so a foundry in which one of the three changes is another foundry. It counts what it
ever minted and melted; what was burned elsewhere it does not know, so a foundry whose tokens were burned can
never be destroyed.

`Token Diff` is the sum of its tokens on the output side less that on the input side. The TIP leaves open what
counters may do when the diff is 0 or tokens are only burned; as on the networks that ran it, they stay as
they are in the first case and do not decrease in the second.
"""

from __future__ import annotations

from typing import cast

from tangle.protocol.addresses import AliasAddress
from tangle.protocol.outputs import AliasOutput, FoundryOutput
from tangle.state.rules.context import Consumed, Context, OutputRules
from tangle.state.rules.reasons import chain_rule


def owner(_: Context, consumed: Consumed[FoundryOutput]) -> AliasAddress:
    """The alias of the immutable alias address unlock condition."""
    return consumed.output.alias_address


def chain_id(output: FoundryOutput, _: bytes) -> bytes:
    """38 bytes: the Foundry ID, which is the Token ID."""
    return output.foundry_id


@chain_rule
def alias_unlocked(ctx: Context, following: FoundryOutput) -> bool:
    """When a foundry is created, its alias must be unlocked in the same transaction."""
    return following.alias_address in ctx.unlocked


@chain_rule
def serial_number(ctx: Context, following: FoundryOutput) -> bool:
    """Foundry Counter(InputAlias) < Serial Number <= Foundry Counter(OutputAlias)."""
    home = following.alias_address.encode()
    if home not in ctx.current or home not in ctx.next:
        return True
    before, after = cast("AliasOutput", ctx.current[home]), cast("AliasOutput", ctx.next[home])
    return before.foundry_counter < following.serial_number <= after.foundry_counter


@chain_rule
def first_minted(ctx: Context, following: FoundryOutput) -> bool:
    """When Current State is empty, Next State(Minted Tokens) = Token Diff."""
    return following.token_scheme.minted == ctx.token_diff(following.foundry_id)


@chain_rule
def first_melted(_: Context, following: FoundryOutput) -> bool:
    """When Current State is empty, Next State(Melted Tokens) = 0."""
    return following.token_scheme.melted == 0


@chain_rule
def immutable(_: Context, current: FoundryOutput, following: FoundryOutput) -> bool:
    """Immutable Features of a foundry must not change."""
    return current.immutable_features == following.immutable_features


@chain_rule
def maximum_supply(_: Context, current: FoundryOutput, following: FoundryOutput) -> bool:
    """Maximum Supply must not change."""
    return current.token_scheme.maximum_supply == following.token_scheme.maximum_supply


@chain_rule
def counters(_: Context, current: FoundryOutput, following: FoundryOutput) -> bool:
    """Minted Tokens and Melted Tokens must not decrease."""
    before, after = current.token_scheme, following.token_scheme
    return before.minted <= after.minted and before.melted <= after.melted


@chain_rule
def minted(ctx: Context, current: FoundryOutput, following: FoundryOutput) -> bool:
    """When Token Diff > 0, Current State(Minted Tokens) + Token Diff = Next State(Minted Tokens)."""
    diff = ctx.token_diff(following.foundry_id)
    return diff <= 0 or current.token_scheme.minted + diff == following.token_scheme.minted


@chain_rule
def minting_melts_nothing(ctx: Context, current: FoundryOutput, following: FoundryOutput) -> bool:
    """When Token Diff > 0, Current State(Melted Tokens) = Next State(Melted Tokens)."""
    diff = ctx.token_diff(following.foundry_id)
    return diff <= 0 or current.token_scheme.melted == following.token_scheme.melted


@chain_rule
def balanced(ctx: Context, current: FoundryOutput, following: FoundryOutput) -> bool:
    """When Token Diff = 0, neither Minted Tokens nor Melted Tokens change."""
    before, after = current.token_scheme, following.token_scheme
    unchanged = (before.minted, before.melted) == (after.minted, after.melted)
    return unchanged or ctx.token_diff(following.foundry_id) != 0


@chain_rule
def melted(ctx: Context, current: FoundryOutput, following: FoundryOutput) -> bool:
    """When Token Diff < 0, Next State(Melted Tokens) - Current State(Melted Tokens) <= |Token Diff|."""
    diff = ctx.token_diff(following.foundry_id)
    return diff >= 0 or following.token_scheme.melted - current.token_scheme.melted <= -diff


@chain_rule
def melting_mints_nothing(ctx: Context, current: FoundryOutput, following: FoundryOutput) -> bool:
    """When Token Diff < 0 and Melted Tokens change, Minted Tokens must not change."""
    before, after = current.token_scheme, following.token_scheme
    return (
        ctx.token_diff(following.foundry_id) >= 0 or before.melted == after.melted or before.minted == after.minted
    )


@chain_rule
def all_melted(ctx: Context, current: FoundryOutput) -> bool:
    """When Next State is empty, Current State(Minted Tokens) + Token Diff = Current State(Melted Tokens)."""
    return current.token_scheme.minted + ctx.token_diff(current.foundry_id) == current.token_scheme.melted


RULES = OutputRules(
    "Foundry Output",
    owner,
    chain_id=chain_id,
    creation=(alias_unlocked, serial_number, first_minted, first_melted),
    transitions={
        "transition": (
            immutable,
            maximum_supply,
            counters,
            minted,
            minting_melts_nothing,
            balanced,
            melted,
            melting_mints_nothing,
        )
    },
    destruction=(all_melted,),
)
