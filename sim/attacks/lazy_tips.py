"""Lazy tips: blocks that approve a fixed pair of old ones, again and again.

Popov 2018, section 4.1: somebody who does not care to check new blocks approves the same old ones for ever, which
helps nobody. Whether it pays depends on the selector. One that takes tips at random takes lazy ones as well, so
that they spare their issuer work and are approved all the same, and each of them takes the place of an honest tip.
A weighted walk has no reason to turn from a heavy branch to a block without any approvers.

It has succeeded when more than half of the lazy blocks that are old enough have been approved by an honest one.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from tangle.sim.attacker import Attacker, Issue, Moves
from tangle.sim.fields import Range


def lazy_tips(attacker: Attacker, *, age: Annotated[float, Range(0)] = 0.0) -> Moves:
    """Approve the same blocks for ever.

    age : how old they are when he begins; 0: those he selects then
    """
    parents = attacker.select() if age == 0 else _old(attacker, age)
    while True:
        yield Issue(parents)


def _old(attacker: Attacker, age: float) -> list[int]:
    """Return the newest blocks of that age."""
    stop = int(np.searchsorted(attacker.times, attacker.now - age, "right"))
    received = np.sort(attacker.seen().numbers)
    old = received[received < stop][-attacker.parents :]
    return [int(x) for x in old] if old.size else attacker.select()
