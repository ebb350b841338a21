"""The next milestone: what it shall approve, and the step that issues it.

It approves the previous one, tips that were selected, and what would wait too long. A selection favours some tips
over others, and under a flood an honest block may be favoured by none. So everything that was here before the
previous milestone, and that the selected tips do not bring in, waits no longer: it is joined with checkpoint
blocks, as much as MERGED_MAX allows. Walks pass lazy and contested blocks by; a few of those, drawn by lot, are
brought in too, because their issuer wants an answer, and no more than a few, because a flood of them should cost
the others nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tangle.node.attach import append
from tangle.node.memory import Memory
from tangle.node.selection import Selection
from tangle.node.settle import confirm, ledger
from tangle.node.step import Step
from tangle.protocol import peek
from tangle.protocol.blocks import Block
from tangle.protocol.parameters import PARENTS_MAX
from tangle.state.dag import Dag
from tangle.state.window import Window

Search = Callable[[bytes, int], int]
"""(block without nonce, least score) -> nonce"""
TIPS = PARENTS_MAX - 2
"""tips that a milestone approves; with them its predecessor, and one block that waits or joins those that do"""
MERGED_MAX = 112
"""blocks that wait and are joined before one milestone, at most: sixteen checkpoint blocks"""
PASSED_BY_MAX = 14
"""lazy and contested blocks that are joined before one milestone, at most: two checkpoint blocks"""


@dataclass(frozen=True, slots=True)
class _Gathered:
    """Indices of blocks.

    Attributes
    ----------
    tips : that the milestone approves
    waiting : that it should reference besides
    """

    tips: list[int]
    waiting: list[int]


def has_news(memory: Memory) -> bool:
    """See `Node.has_news`."""
    dag = memory.window.dag
    dag.flush()
    newest = memory.window.newest()
    return bool((dag.graph.tips != newest).any() or dag.contested().size)


def issue(
    memory: Memory,
    select: Selection,
    rng: np.random.Generator,
    now: int,
    search: Search | None = None,
    rules: Collection[str] = (),
) -> Step:
    """See `Node.issue`."""
    step, window = Step(), memory.window
    gathered = _gather(memory, select, rng)
    joined = gathered.waiting[: PARENTS_MAX // 2]
    if search is not None and len(gathered.waiting) > 1:
        score = memory.parameters.min_pow_score
        chain = _checkpoints(window, gathered.waiting, lambda data: search(data, score))
        joined = _append_all(memory, step, chain, now * 1000) or joined
    chosen = [window.newest(), *joined, *gathered.tips][:PARENTS_MAX]
    parents = tuple(sorted(window.dag.id_of(index) for index in chosen))
    settlement = memory.finality.propose(window, parents, ledger(memory, step), now, rules)
    block = Block(parents, settlement.evidence)
    carrier = append(memory, step, block, window.indices(parents), now * 1000)
    confirm(memory, step, settlement, carrier)
    return step


def _gather(memory: Memory, select: Selection, rng: np.random.Generator) -> _Gathered:
    """Choose for the next milestone."""
    dag, newest = memory.window.dag, memory.window.newest()
    dag.flush()
    entries = memory.finality.entries(memory.window)
    tips = [int(tip) for tip in select(dag.graph, TIPS, rng, entries) if tip != newest]
    waiting, passed = dag.uncovered([newest, *tips], newest)
    if len(passed) > PASSED_BY_MAX:
        passed = rng.choice(passed, PASSED_BY_MAX, replace=False)
    return _Gathered(tips, [*_fairly(dag, waiting, MERGED_MAX), *passed.tolist()])


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


def _checkpoints(window: Window, waiting: list[int], search: Callable[[bytes], int]) -> list[Block]:
    """A chain of blocks upon the newest milestone which approves all that is `waiting`."""
    last = window.head.carrier
    chain = []
    for start in range(0, len(waiting), PARENTS_MAX - 1):
        parents = [last, *(window.dag.id_of(index) for index in waiting[start : start + PARENTS_MAX - 1])]
        block = Block(tuple(sorted(parents)))
        block = block.with_nonce(search(peek.without_nonce(block.encoded)))
        chain.append(block)
        last = block.id
    return chain


def _append_all(memory: Memory, step: Step, chain: list[Block], now_ms: int) -> list[int]:
    """Append a chain; returns the index of its last block, or nothing when there is no room for any."""
    window, last = memory.window, []
    for block in chain[: max(memory.settings.window_blocks_max - len(window.dag), 0)]:
        known = window.dag.index_of(block.id)
        parents = window.indices(block.parents)
        last = [append(memory, step, block, parents, now_ms) if known is None else known]
    return last
