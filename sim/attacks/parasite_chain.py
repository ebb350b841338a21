"""Parasite chain: a chain grown in secret before the payment, hooked to many blocks of the honest Tangle.

Popov 2018, section 4.1; Cullen, Ferraro, King, Shorten, "On the Resilience of DAG-Based Distributed Ledgers in IoT
Applications", IEEE Internet of Things Journal 7 (2020), who compute the chance that a walk ends on the chain. The
root of the chain opens side 1. Each block of the chain approves the one before it, and up to `links` honest tips.
After `length` blocks the attacker pays (side 0), in public; nothing of the chain may approve that. So he links to
what has come before the payment, until its cumulative weight is `depth`; then he releases the chain.

The chain is light: one attacker made it. But each link puts a block of it among the approvers of an honest block.
A walk that does not look at weights (alpha = 0) takes such a turning as readily as any other, and none leads back.
A walk of great alpha passes them by, since chain blocks weigh less than their honest neighbours. Weight does not
decide here, so the chain is released whether it is the heavier side or not.

It has succeeded when, once all know of it, more than half of the honest blocks approve side 1.
"""

from __future__ import annotations

import math
from typing import Annotated

from tangle.sim.attacker import Attacker, Issue, Moves
from tangle.sim.attacks.race import PAYMENT, REPLACEMENT, Race, press_on
from tangle.sim.fields import Range


def parasite_chain(
    attacker: Attacker,
    *,
    length: Annotated[int, Range(1)] = 50,
    links: Annotated[int, Range(0, 7)] = 1,
    depth: Annotated[int, Range(1)] = 20,
    patience: Annotated[float, Range(0)] = math.inf,
) -> Moves:
    """Grow a chain, pay, and take it back.

    length : blocks of the chain before the payment
    links : honest blocks that each block of the chain approves, as far as there is room beside the one before it
    depth : cumulative weight of the payment at which the merchant accepts it
    patience : time after the payment at which he gives up
    """
    room = min(links, attacker.parents - 1)
    chain: list[int] = []
    for _ in range(length):
        block = attacker.next_block
        parents = [*chain[-1:], *attacker.some(attacker.public_tips(), room)] if chain else attacker.select()
        chain.append(block)
        yield Issue(parents, side=None if len(chain) > 1 else REPLACEMENT, withheld=True)
    yield Issue(attacker.select(), side=PAYMENT)
    race = Race(attacker, depth=depth, patience=patience, ahead=False)
    race.secret = chain
    yield from race.run(lambda: [chain[-1], *attacker.some(attacker.undecided()[-length:], room)])
    yield from press_on(attacker, race)
