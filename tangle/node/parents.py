"""What the next milestone shall approve: the previous one, tips that were selected, and what would wait too long.

A selection favours some tips over others, and under a flood an honest block may be favoured by none. So everything
that was here before the previous milestone, and that the selected tips do not bring in, waits no longer: the
coordinator joins it with checkpoint blocks, as much as MERGED_MAX allows. Walks pass lazy and contested blocks by;
a few of those, drawn by lot, are brought in too, because their issuer wants an answer, and no more than a few,
because a flood of them should cost the others nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tangle.node.memory import Memory
from tangle.node.selection import Selection
from tangle.protocol.parameters import PARENTS_MAX
from tangle.state.dag import Dag

TIPS = PARENTS_MAX - 2
"""tips that a milestone approves; with them its predecessor, and one block that waits or joins those that do"""
MERGED_MAX = 112
"""blocks that wait and are joined before one milestone, at most: sixteen checkpoint blocks"""
PASSED_BY_MAX = 14
"""lazy and contested blocks that are joined before one milestone, at most: two checkpoint blocks"""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Indices of blocks.

    Attributes
    ----------
    tips : that the milestone approves
    waiting : that it should reference besides
    """

    tips: list[int]
    waiting: list[int]


def gather(memory: Memory, select: Selection, rng: np.random.Generator) -> Gathered:
    """Choose for the next milestone."""
    dag = memory.dag
    dag.flush()
    newest = memory.newest_milestone()
    tips = [int(tip) for tip in select(dag.graph, TIPS, rng, memory.entries()) if tip != newest]
    waiting, passed = dag.uncovered([newest, *tips], newest)
    if len(passed) > PASSED_BY_MAX:
        passed = rng.choice(passed, PASSED_BY_MAX, replace=False)
    return Gathered(tips, [*_fairly(dag, waiting, MERGED_MAX), *passed.tolist()])


def _fairly(dag: Dag, waiting: NDArray[np.int64], most: int) -> list[int]:
    """At most so many of those that wait, oldest first.

    When there are more, half are the oldest, and half those with the newest parents: a flood upon one block keeps
    nobody from the milestones who approves what came after it.
    """
    if len(waiting) > most:
        newest_parents = np.argsort(-dag.youngest_parents(waiting), kind="stable")
        kept = list(dict.fromkeys([*range(most - most // 2), *newest_parents.tolist()]))[:most]
        waiting = waiting[sorted(kept)]
    return [int(index) for index in waiting]
