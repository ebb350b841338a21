"""The basic output: an owner, and conditions under which it changes hands (TIP-18, "Basic Output").

It carries no chain, so its only own rule is whose unlock it needs. The expiration condition decides that by
the time of the confirming milestone: before its unix time the address of the address unlock condition, from
then on its return address. There is no moment at which both may, and none at which nobody may.
"""

from __future__ import annotations

from tangle.protocol.addresses import Address
from tangle.protocol.outputs import BasicOutput, ExpirationUnlockCondition, NftOutput
from tangle.state.rules.context import Consumed, Context, OutputRules


def owner(ctx: Context, consumed: Consumed[BasicOutput] | Consumed[NftOutput]) -> Address:
    """Who may unlock the output when the confirming milestone is of time `ctx.at`."""
    output = consumed.output
    if len(output.unlock_conditions) > 1:
        expiration = output.condition(ExpirationUnlockCondition)
        if expiration is not None and expiration.unix_time <= ctx.at:
            return expiration.return_address
    return output.address


RULES: OutputRules[BasicOutput] = OutputRules("Basic Output", owner)
