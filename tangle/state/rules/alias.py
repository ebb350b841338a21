"""The alias output: an account with two keys, one that runs it and one that rules it (TIP-18, "Alias Output").

The state controller moves its funds, its state and its foundries and counts every step (`State Index`); the
governor changes who the two are, or ends it. Which of the two a transaction needs is read off the next state:
with an unchanged `State Index`, or without a next state, it is the governor's. Only a state transition
unlocks the alias address.

That created foundries carry the very serial numbers between the two counters is asked in three parts: as many
as the counter rises (here), each within the interval (`foundry`), strictly ascending (here).
"""

from __future__ import annotations

import itertools
from typing import cast

from tangle.protocol.addresses import Address, AliasAddress
from tangle.protocol.outputs import NO_ID, AliasOutput, FoundryOutput
from tangle.state.rules.context import Consumed, Context, OutputRules, issuer_unlocked
from tangle.state.rules.reasons import chain_rule

STATE_TRANSITION = "state transition"
GOVERNANCE_TRANSITION = "governance transition"


def chain_id(output: AliasOutput, output_id: bytes) -> bytes:
    """33 bytes: the alias address."""
    return output.alias_address(output_id).encode()


def kind(current: AliasOutput, following: AliasOutput) -> str:
    """A governance transition is identified by an unchanged State Index."""
    return GOVERNANCE_TRANSITION if current.state_index == following.state_index else STATE_TRANSITION


def owner(ctx: Context, consumed: Consumed[AliasOutput]) -> Address:
    """The state controller for a state transition, the governor for all else."""
    output = consumed.output
    return output.state_controller if _moves(ctx, consumed) else output.governor


def account(ctx: Context, consumed: Consumed[AliasOutput]) -> AliasAddress | None:
    """The alias address, unlocked by a state transition and by nothing else."""
    return consumed.output.alias_address(consumed.output_id) if _moves(ctx, consumed) else None


def _moves(ctx: Context, consumed: Consumed[AliasOutput]) -> bool:
    following = ctx.next.get(chain_id(consumed.output, consumed.output_id))
    return following is not None and kind(consumed.output, cast("AliasOutput", following)) == STATE_TRANSITION


@chain_rule
def corresponding(_: Context, following: AliasOutput) -> bool:
    """For every non-zero explicit Alias ID there must be a corresponding alias on the input side."""
    return following.alias_id == NO_ID


@chain_rule
def issuer(ctx: Context, following: AliasOutput) -> bool:
    """When an alias is created, the address of its Issuer Feature must be unlocked in the transaction."""
    return issuer_unlocked(ctx, following)


@chain_rule
def immutable(_: Context, current: AliasOutput, following: AliasOutput) -> bool:
    """Immutable Features of an alias must not change."""
    return current.immutable_features == following.immutable_features


@chain_rule
def state_index(_: Context, current: AliasOutput, following: AliasOutput) -> bool:
    """State Index must be incremented by 1."""
    return following.state_index == current.state_index + 1


@chain_rule
def controllers(_: Context, current: AliasOutput, following: AliasOutput) -> bool:
    """A state transition must not change State Controller and Governor."""
    return current.unlock_conditions == following.unlock_conditions


@chain_rule
def metadata(_: Context, current: AliasOutput, following: AliasOutput) -> bool:
    """A state transition must not change the Metadata Feature."""
    return current.metadata == following.metadata


@chain_rule
def foundries(ctx: Context, current: AliasOutput, following: AliasOutput) -> bool:
    """Foundry Counter must increase by the number of foundry outputs created that map to Alias ID."""
    return following.foundry_counter - current.foundry_counter == len(_new_foundries(ctx, following))


@chain_rule
def foundries_sorted(ctx: Context, _: AliasOutput, following: AliasOutput) -> bool:
    """Created foundry outputs must be sorted in the list of outputs by their Serial Number."""
    numbers = (foundry.serial_number for foundry in _new_foundries(ctx, following))
    return all(one < other for one, other in itertools.pairwise(numbers))


def _new_foundries(ctx: Context, following: AliasOutput) -> list[FoundryOutput]:
    """The foundries that the transaction creates for this alias, in order of the outputs."""
    home = AliasAddress(following.alias_id)
    created = (output for output in ctx.created if isinstance(output, FoundryOutput))
    return [one for one in created if one.alias_address == home and one.foundry_id not in ctx.current]


@chain_rule
def amount(_: Context, current: AliasOutput, following: AliasOutput) -> bool:
    """A governance transition must not change the IOTA Amount."""
    return current.amount == following.amount


@chain_rule
def native_tokens(_: Context, current: AliasOutput, following: AliasOutput) -> bool:
    """A governance transition must not change Native Tokens."""
    return current.native_tokens == following.native_tokens


@chain_rule
def state_metadata(_: Context, current: AliasOutput, following: AliasOutput) -> bool:
    """A governance transition must not change State Metadata."""
    return current.state_metadata == following.state_metadata


@chain_rule
def foundry_counter(_: Context, current: AliasOutput, following: AliasOutput) -> bool:
    """A governance transition must not change the Foundry Counter."""
    return current.foundry_counter == following.foundry_counter


RULES = OutputRules(
    "Alias Output",
    owner,
    account,
    chain_id,
    creation=(corresponding, issuer),
    transitions={
        STATE_TRANSITION: (immutable, state_index, controllers, metadata, foundries, foundries_sorted),
        GOVERNANCE_TRANSITION: (immutable, amount, native_tokens, state_metadata, foundry_counter),
    },
    kind=kind,
)
