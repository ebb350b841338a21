"""What all other threads see of the node: one frozen reading, replaced whole after each step that became durable.

Two answers of one reading belong together. A block is asked for by the number of its solid event, which is the
same before and after a restart, and is read in the database: so nothing that is not durable can be asked for.
Nothing in here changes, save for the count of the selections given out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count as counting
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tangle.node.memory import Memory
from tangle.protocol.parameters import PARENTS_MAX
from tangle.state.confidence import Sample
from tangle.state.dag import limits_of
from tangle.state.window import Head

PROMOTE_DEPTH = 3
"""milestones after which a block that none has referenced should be promoted"""


@dataclass(frozen=True, slots=True)
class Reading:
    """The node as of its last durable step.

    Attributes
    ----------
    milestone : the newest settlement
    depth : below max depth, in milestones
    newest : number of the newest block
    numbers, oldest : of the blocks in the window as of `milestone`: numbers of their solid events, ascending, and
        oldest cone roots
    last : number of the newest durable event
    sample : hits of the last sampling of confidence
    walks : behind each confidence
    tip_count : tips handed out when a caller names no number
    pool : selections of tips, made beforehand
    tip_total : tips of the Tangle, as of the last selection
    window_count : blocks in memory
    waiting_count : blocks that wait for parents
    asked : counts the selections given out
    """

    milestone: Head
    depth: int
    newest: int
    numbers: NDArray[np.int64]
    oldest: NDArray[np.int32]
    last: int
    sample: Sample
    walks: int
    tip_count: int
    pool: tuple[tuple[bytes, ...], ...]
    tip_total: int
    window_count: int
    waiting_count: int
    asked: Iterator[int]

    @classmethod
    def of(cls, memory: Memory) -> Self:
        """The first reading of `memory`; its pool of tips has yet to be filled."""
        window, settings = memory.window, memory.settings
        return cls(
            milestone=window.head,
            depth=window.depth,
            newest=window.dag.newest,
            numbers=window.dag.numbers,
            oldest=window.dag.oldest_roots(),
            last=memory.next_number - 1,
            sample=memory.board.sample,
            walks=settings.confidence_walks,
            tip_count=settings.tip_count,
            pool=(),
            tip_total=0,
            window_count=len(window.dag),
            waiting_count=len(memory.room),
            asked=counting(),
        )

    def followed_by(self, memory: Memory) -> Reading:
        """The reading after a step of `memory`."""
        dag, head = memory.window.dag, memory.window.head
        moved = head is not self.milestone
        return replace(
            self,
            milestone=head,
            newest=dag.newest,
            numbers=dag.numbers if moved else self.numbers,
            oldest=dag.oldest_roots() if moved else self.oldest,
            last=memory.next_number - 1,
            sample=memory.board.sample,
            window_count=len(dag),
            waiting_count=len(memory.room),
        )

    def in_window(self, number: int) -> bool:
        """Whether a block is in memory: new enough to be approved, or settled lately."""
        return bool(number >= self.numbers[0])

    def tips(self, count: int | None = None) -> list[bytes]:
        """1 to `count` tips to approve, sorted and unique; never empty.

        Selections are made beforehand; under load the pool goes round, its selections mixed, until the writer has
        made new ones.
        """
        wanted = min(max(count or self.tip_count, 1), PARENTS_MAX)
        found: dict[bytes, None] = {}
        for _ in range(len(self.pool)):
            found.update(dict.fromkeys(self.pool[next(self.asked) % len(self.pool)]))
            if len(found) >= wanted:
                break
        return sorted(list(found)[:wanted])

    def confidence(self, number: int, milestone_index: int | None) -> tuple[int, int]:
        """m and n of a block, as of the last sampling (`Sample.share`)."""
        return self.sample.share(number, int(self.numbers[0]), milestone_index, self.walks)

    def advice(self, number: int) -> tuple[bool, bool]:
        """Whether a not yet referenced block should be promoted, and whether it has to be reattached.

        Promoting is a new block that approves it and a good tip. That helps while such a block would not itself be
        semi-lazy for what it rests upon; later only the payload can be attached once more.
        """
        if not self.in_window(number):
            return False, True
        at = int(np.searchsorted(self.numbers, number))
        if at == len(self.numbers):
            return False, False
        age = self.milestone.index - int(self.oldest[at])
        reattach = age > limits_of(self.depth).oldest_max
        return age > PROMOTE_DEPTH and not reattach, reattach
