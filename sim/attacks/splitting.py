"""Splitting: two conflicting branches, kept in balance so that neither wins.

Popov 2018, section 4.2. The attacker opens both sides of a conflict upon the same tips and publishes them at the same
time. From then on each of his blocks goes upon the side that he sees to be lighter. While he can make up for chance,
honest issuers go on building on both, and none of the two is ever final. A walk that prefers the heavier side by far
(great alpha) makes a small lead grow faster than he can follow.

It has succeeded when both sides are still growing at the end: in the last quarter of the run, each has at least
`contest.GROWING` of the honest blocks.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.world import Attacker, Issue


def splitting(attacker: Attacker) -> Iterator[Issue]:
    """Open a conflict, and keep it open."""
    parents = attacker.select()
    newest = [attacker.next_block, -1]
    yield Issue(parents, side=0, withheld=True)
    attacker.release(newest[:1])
    newest[1] = attacker.next_block
    yield Issue(parents, side=1)
    while True:
        lighter = int(attacker.support(1) < attacker.support(0))
        tips = attacker.tips_on(lighter)
        parents = attacker.some(tips) if tips.size else [newest[lighter]]
        newest[lighter] = attacker.next_block
        yield Issue(parents)
