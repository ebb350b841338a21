"""The semantic validation of a transaction (TIP-20, "Semantic validation"; TIP-18 for each type of output).

Pure: a transaction, what it consumes and the confirming milestone's timestamp in, broken rules out. The order
of the rules is that in which the networks that ran them asked, so that of several reasons the same one is
given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from tangle.protocol.conflicts import Conflict
from tangle.protocol.outputs import Output
from tangle.protocol.ruleset import LOCKS
from tangle.protocol.transactions import Transaction
from tangle.state.rules.balance import BALANCE_RULES, commitment, sender
from tangle.state.rules.chains import chain_steps, find_chains
from tangle.state.rules.context import Consumed, Context, sum_tokens
from tangle.state.rules.dues import DUE_RULES, find_dues
from tangle.state.rules.locks import signers_of
from tangle.state.rules.reasons import AnyRule
from tangle.state.rules.unlocks import unlock_inputs


def semantic_context(
    transaction: Transaction, inputs: Sequence[Consumed[Output]], at: int, rules: Collection[str] = ()
) -> Context:
    """What the rules look at.

    Parameters
    ----------
    inputs : what each input consumes, in order
    at : timestamp of the confirming milestone, seconds since the Unix epoch
    rules : that the milestone before names
    """
    ctx = Context(transaction, inputs, at)
    find_chains(ctx)
    ctx.tokens_in = sum_tokens(consumed.output for consumed in inputs)
    ctx.tokens_out = sum_tokens(ctx.created)
    if LOCKS in rules and transaction.witness is not None:
        ctx.entries = {entry.position: entry for entry in transaction.witness.entries}
        ctx.signers = signers_of(transaction)
        find_dues(ctx)
    return ctx


def violations(ctx: Context) -> Iterator[AnyRule]:
    """Every rule that the transaction of `ctx` (a fresh one) breaks, in order; nothing when it is valid."""
    if not commitment.holds(ctx):
        yield commitment
    yield from unlock_inputs(ctx)
    yield from (asked for asked in (sender, *BALANCE_RULES) if not asked.holds(ctx))
    if ctx.entries:
        yield from (asked for asked in DUE_RULES if not asked.holds(ctx))
    yield from chain_steps(ctx)


def check_semantics(
    transaction: Transaction, inputs: Sequence[Consumed[Output]], at: int, rules: Collection[str] = ()
) -> Conflict:
    """The reason for which `transaction` is ignored; `Conflict.NONE` for a valid one."""
    broken = next(violations(semantic_context(transaction, inputs, at, rules)), None)
    return Conflict.NONE if broken is None else broken.conflict
