"""Double spend by outpacing: a payment in public, its contradiction and a subtangle upon it in secret.

Popov 2018, section 4. The attacker pays (side 0) upon tips that he selects as everybody does. From then on all his
power goes into blocks that approve the conflicting block (side 1), which rests upon the parents of the payment:
nothing of it approves the payment. The merchant accepts when the payment has a cumulative weight of `depth`, its
own weight included. As soon after that as the secret subtangle is the heavier one, it is released.

Two things can be asked, and they are not the same. White paper and Nakamoto ask whether the secret side ever gets
ahead: `contest.outpaced`. A Tangle has no rule that the heavier side wins: what counts is where honest issuers go.
So the attack has succeeded when, once all know of it, more than half of the honest blocks approve side 1:
`contest.succeeded`. Both agree where every walk passes the fork and prefers the heavier side at once (a chain,
great alpha). Otherwise walkers that start behind the fork, or that come upon it through blocks which the secret
side does not approve, never see the choice.
"""

from __future__ import annotations

import math
from typing import Annotated

from tangle.sim.attacker import Attacker, Issue, Moves
from tangle.sim.attacks.race import PAYMENT, REPLACEMENT, Race, press_on
from tangle.sim.fields import Range


def double_spend(
    attacker: Attacker,
    *,
    depth: Annotated[int, Range(1)] = 20,
    patience: Annotated[float, Range(0)] = math.inf,
) -> Moves:
    """Pay, and take it back.

    depth : cumulative weight of the payment at which the merchant accepts it
    patience : time after the payment at which he gives up; what he issues then, nobody ever sees
    """
    parents = attacker.select()
    yield Issue(parents, side=PAYMENT)
    race = Race(attacker, depth=depth, patience=patience, ahead=True)
    yield from race.run(lambda: race.secret[-attacker.parents :] or parents, side=REPLACEMENT)
    yield from press_on(attacker, race)
