"""Tip spam: many blocks upon the same tips, which make tips faster than others can approve them.

Popov 2018, section 4.1, warns of an adversary who inflates the number of tips: each of his blocks adds one, and
beyond the first of a pair none takes one away. Honest blocks then wait longer for their first approval, as there
are more tips to choose from. Unlike lazy tips these rest upon new blocks and look like those of a busy honest
issuer.

It has succeeded when, in the last half of the run, more than half of all tips are his.
"""

from __future__ import annotations

from typing import Annotated

from tangle.sim.attacker import Attacker, Issue, Moves
from tangle.sim.fields import Range


def tip_spam(attacker: Attacker, *, burst: Annotated[int, Range(1)] = 50) -> Moves:
    """Issue bursts of blocks upon the same tips.

    burst : blocks upon the same tips before he selects others
    """
    while True:
        parents = attacker.select()
        for _ in range(burst):
            yield Issue(parents)
