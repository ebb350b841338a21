"""Chains: outputs that carry one state on from transaction to transaction (TIP-18, "Chain Constraint in UTXO").

A consumed output that carries a chain is its current state, the created output with the same id its next one.
No current state: the chain begins. No next state: it ends. What each step asks for stands in the module of
the output type.
"""

from __future__ import annotations

from collections.abc import Iterator

from tangle.protocol.outputs import Output
from tangle.state.rules.context import Context
from tangle.state.rules.reasons import AnyRule, chain_rule
from tangle.state.rules.table import OUTPUT_RULES


@chain_rule
def unique(ctx: Context) -> bool:
    """A chain must have at most one current state and one next state."""
    return not ctx.repeated


def find_chains(ctx: Context) -> None:
    """Fill in the current and the next state of every chain."""
    for consumed in ctx.consumed:
        _enter(ctx, ctx.current, consumed.output, consumed.output_id)
    for index, output in enumerate(ctx.created):
        if OUTPUT_RULES[output.TYPE].chain_id is not None:
            _enter(ctx, ctx.next, output, ctx.transaction.output_id(index))


def chain_steps(ctx: Context) -> Iterator[AnyRule]:
    """Yields every rule that a step of a chain breaks."""
    if not unique.holds(ctx):
        yield unique
    for chain_id, current in ctx.current.items():
        rules, following = OUTPUT_RULES[current.TYPE], ctx.next.get(chain_id)
        if following is None:
            yield from (asked for asked in rules.destruction if not asked.holds(ctx, current))
            continue
        asked_here = rules.transitions[rules.kind(current, following)]
        yield from (asked for asked in asked_here if not asked.holds(ctx, current, following))
    for chain_id, following in ctx.next.items():
        if chain_id not in ctx.current:
            rules = OUTPUT_RULES[following.TYPE]
            yield from (asked for asked in rules.creation if not asked.holds(ctx, following))


def _enter(ctx: Context, side: dict[bytes, Output], output: Output, output_id: bytes) -> None:
    chain_id_of = OUTPUT_RULES[output.TYPE].chain_id
    if chain_id_of is None:
        return
    chain_id = chain_id_of(output, output_id)
    if chain_id in side:
        ctx.repeated.add(chain_id)
    side[chain_id] = output
