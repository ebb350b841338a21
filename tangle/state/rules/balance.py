"""What goes in comes out: base coins, storage deposit returns and native tokens (TIP-20, TIP-18).

Base coins are neither made nor lost. Native tokens may be lost by anybody who holds them (burned), and are
made by their foundry alone: where more come out than went in, the foundry must be among the created outputs,
and its own rules say whether the minting is right.
"""

from __future__ import annotations

from tangle.protocol.addresses import Address
from tangle.protocol.conflicts import Conflict
from tangle.protocol.outputs import (
    BasicOutput,
    ExpirationUnlockCondition,
    StorageDepositReturnUnlockCondition,
)
from tangle.protocol.parameters import NATIVE_TOKENS_MAX
from tangle.protocol.serial import U256_MAX
from tangle.protocol.transactions import inputs_commitment
from tangle.state.rules.context import Context
from tangle.state.rules.reasons import rule


@rule(20, Conflict.INPUTS_COMMITMENT_INVALID)
def commitment(ctx: Context) -> bool:
    """Inputs Commitment must equal the hash of the hashes of the outputs that Inputs reference, in that order."""
    found = inputs_commitment(consumed.output for consumed in ctx.consumed)
    return found == ctx.transaction.essence.inputs_commitment


@rule(18, Conflict.SENDER_NOT_UNLOCKED)
def sender(ctx: Context) -> bool:
    """The Sender of a Sender Feature must be unlocked in the transaction."""
    senders = (output.sender for output in ctx.created if output.features)
    return all(address is None or address in ctx.unlocked for address in senders)


@rule(20, Conflict.AMOUNTS_DO_NOT_BALANCE)
def base_coins(ctx: Context) -> bool:
    """The sum of the Amount fields of all consumed outputs must match that of all created outputs."""
    consumed = sum(consumed.output.amount for consumed in ctx.consumed)
    return consumed == sum(output.amount for output in ctx.created)


@rule(18, Conflict.RETURN_AMOUNT_NOT_FULFILLED)
def returns(ctx: Context) -> bool:
    """The sum of Return Amounts per Return Address must be deposited by plain Basic Outputs, before expiration."""
    due = returns_due(ctx)
    if not due:
        return True
    for output in ctx.created:
        if isinstance(output, BasicOutput) and _is_plain(output):
            due[output.address] = due.get(output.address, 0) - output.amount
    return all(amount <= 0 for amount in due.values())


def returns_due(ctx: Context) -> dict[Address, int]:
    """Address -> base units that deposit returns ask for, here and now."""
    due: dict[Address, int] = {}
    for consumed in ctx.consumed:
        output = consumed.output
        if len(output.unlock_conditions) < 2:
            continue
        owed = output.condition(StorageDepositReturnUnlockCondition)
        expiration = output.condition(ExpirationUnlockCondition)
        if owed is not None and (expiration is None or ctx.at < expiration.unix_time):
            due[owed.return_address] = due.get(owed.return_address, 0) + owed.amount
    return due


def _is_plain(output: BasicOutput) -> bool:
    """Only an address unlock condition, no native tokens, no features."""
    return len(output.unlock_conditions) == 1 and not output.native_tokens and not output.features


@rule(20, Conflict.NATIVE_TOKENS_INVALID)
def token_count(ctx: Context) -> bool:
    """The count of all distinct native tokens in consumed and created outputs must not be larger than 64."""
    return len(ctx.tokens_in.keys() | ctx.tokens_out.keys()) <= NATIVE_TOKENS_MAX


@rule(18, Conflict.NATIVE_TOKENS_INVALID)
def token_sums(ctx: Context) -> bool:
    """The sum of a native token's Amounts on either side must be a uint256."""
    return all(amount <= U256_MAX for side in (ctx.tokens_in, ctx.tokens_out) for amount in side.values())


@rule(20, Conflict.NATIVE_TOKENS_INVALID)
def token_surplus(ctx: Context) -> bool:
    """For a surplus of native tokens on the output side, their foundry must be present in the transaction."""
    return all(token in ctx.next or ctx.token_diff(token) <= 0 for token in ctx.tokens_out)


BALANCE_RULES = (base_coins, returns, token_count, token_sums, token_surplus)
