"""Splitting: two conflicting branches, kept in balance so that neither wins.

Popov 2018, section 4.2. The attacker opens both sides of a conflict upon the same tips and publishes them at the
same time. From then on each of his blocks goes upon the side that he sees to be weaker. While he can make up for
chance, honest issuers go on building on both, and none of the two is ever final. A walk that prefers the heavier
side by far (great alpha) makes a small lead grow faster than he can follow.

Weaker is what the selector makes of it. Walks feel weights. To a selector that draws among tips only their number
counts, so there he attaches behind the tips of the weaker side: each such block is one tip more.

It has succeeded when both sides are still growing at the end: in the last quarter of the run, each has at least
`contest.GROWING` of the honest blocks.
"""

from __future__ import annotations

from typing import Literal

from tangle.sim.attacker import Attacker, Issue, Moves


def splitting(attacker: Attacker, *, balance: Literal["weight", "tips"] = "weight") -> Moves:
    """Open a conflict, and keep it open.

    balance : what he keeps equal on both sides: the weights, or the numbers of tips
    """
    parents = attacker.select()
    newest = [attacker.next_block, -1]
    yield Issue(parents, side=0, withheld=True)
    attacker.release(newest[:1])
    newest[1] = attacker.next_block
    yield Issue(parents, side=1)
    while True:
        tips = [attacker.tips_on(side) for side in (0, 1)]
        strength = [t.size for t in tips] if balance == "tips" else [attacker.support(side) for side in (0, 1)]
        weaker = int(strength[1] < strength[0])
        parents = attacker.some(tips[weaker]) if tips[weaker].size else [newest[weaker]]
        if balance == "tips":
            behind = [p for p in attacker.parents_of(parents[0]) if attacker.sides[p] & (1 << weaker)]
            parents = behind or parents[:1]
        newest[weaker] = attacker.next_block
        yield Issue(parents)
