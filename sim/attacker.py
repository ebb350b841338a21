"""What an adversary knows and can do, and the blocks he makes; handed to an attack, see `attacks`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np

from tangle.sim.growing import Growing
from tangle.sim.kernels import RETRIES
from tangle.sim.seen import Seen
from tangle.tipselect.kernels import Float64, Int64, UInt8

CONFLICT_SIDES = 8
"""sides a conflict can have; one bit each"""


@dataclass(frozen=True, slots=True)
class Issue:
    """A block of the adversary.

    parents : by number
    side : of a conflict that it opens, 0 to 7; None for a block that opens none
    withheld : nobody is told until `Attacker.release`
    """

    parents: Sequence[int]
    side: int | None = None
    withheld: bool = False


Moves = Generator[Issue, int, None]
"""yields one block each time the adversary may issue one, and is sent its number"""


class Attacker:
    """What an adversary knows and can do; handed to the attack, see `attacks`.

    rng : for choices of his own
    parents : k of the scenario
    watch : is called after every block of anybody, as long as it is set: he can release then without a turn of his
    """

    def __init__(self, tangle: Growing, attack: Callable[[Attacker], Moves]) -> None:
        self._tangle = tangle
        self._attack = attack
        self.agent = tangle.rules.compiled.size - 1
        self.rng = tangle.rng
        self.parents = tangle.rules.parents
        self.watch: Callable[[], None] | None = None
        self._counted: dict[int, tuple[int, int]] = {}
        self._moves: Moves | None = None
        self._newest = -1

    @property
    def now(self) -> float:
        """Time of the block that is to be issued."""
        return self._tangle.now

    @property
    def next_block(self) -> int:
        """Number that block will have."""
        return self._tangle.issued

    @property
    def sides(self) -> UInt8:
        """uint8[n]: for each block a bit for each side of the conflict that it approves."""
        return self._tangle.record.sides[: self._tangle.issued]

    @property
    def times(self) -> Float64:
        """float64[n]: when each block was issued."""
        return self._tangle.record.times[: self._tangle.issued]

    def seen(self) -> Seen:
        """Return all that the attacker has received, his own blocks included."""
        return self._tangle.seen(self.agent)

    def tips(self) -> Int64:
        """int64[n], ascending: the tips he sees, by number."""
        return self.seen().tips()

    def tips_on(self, side: int) -> Int64:
        """int64[n], ascending: those of the tips he sees that approve a side."""
        tips = self.tips()
        found: Int64 = tips[(self.sides[tips] >> side) & 1 == 1]
        return found

    def public_tips(self) -> Int64:
        """int64[n], ascending: the tips he would see without the blocks he withholds."""
        if not self._tangle.hidden:
            return self.tips()
        public = self._public()
        return np.setdiff1d(public, self._tangle.record.parents[public].astype(np.int64))

    def undecided(self) -> Int64:
        """int64[n], ascending: public blocks in his window that approve no side."""
        public = self._public()
        found: Int64 = public[self.sides[public] == 0]
        return found

    def support(self, side: int) -> int:
        """Own weights of all blocks received that approve a side, added up: the weight of what opened it."""
        tangle = self._tangle
        done, total, found = tangle.support(side, self.agent, *self._counted.get(side, (0, 0)))
        self._counted[side] = done, total
        return found

    def parents_of(self, block: int) -> list[int]:
        """Return the blocks that a block approves."""
        return [int(p) for p in self._tangle.record.parents[block] if p >= 0]

    def own_weight(self, block: int) -> int:
        """Own weight of a block, also of the one to be issued."""
        return int(self._tangle.own[block]) if self._tangle.own.size else 1

    def select(self, k: int | None = None) -> list[int]:
        """Select tips as an honest issuer would, and none that is withheld."""
        k = self.parents if k is None else k
        hidden = self._tangle.hidden
        for _ in range(RETRIES):
            found = self._tangle.select(self.agent, k)
            if not hidden or hidden.keys().isdisjoint(found):
                return found
        return self._tangle.without_conflict(self.some(self.public_tips(), k))

    def some(self, blocks: Int64, n: int | None = None) -> list[int]:
        """Choose n of some blocks at random, k unless given, or all there are."""
        n = min(self.parents if n is None else n, blocks.size)
        return [int(x) for x in self.rng.choice(blocks, n, replace=False)]

    def release(self, blocks: Sequence[int]) -> None:
        """Tell everybody of blocks that were withheld so far."""
        self._tangle.release(blocks)

    def _public(self) -> Int64:
        """int64[n], ascending: the blocks in his window that he does not withhold."""
        numbers = np.sort(self.seen().numbers.astype(np.int64))
        hidden = np.fromiter(self._tangle.hidden, np.int64, len(self._tangle.hidden))
        return np.setdiff1d(numbers, hidden, assume_unique=True)

    def move(self) -> Issue:
        """Ask the attack for its next block; one that has ended goes on as an honest issuer."""
        if self._moves is None:
            self._moves = self._attack(self)
            issue = next(self._moves, None)
        else:
            try:
                issue = self._moves.send(self._newest)
            except StopIteration:
                issue = None
        self._newest = self.next_block
        return Issue(self.select()) if issue is None else issue
