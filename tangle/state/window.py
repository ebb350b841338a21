"""The window: the newest part of the Tangle, and the settlements that moved it here.

What has left it can neither be approved nor become final any more, on no node, whatever came first there: the
window holds every block that a settlement of the last below-max-depth referenced and every later one. A block that
may still become final rests upon those alone, so it came after the first of them. Everything outside is older than
what the rule of finality calls too old, and stands for `outside_root` in the roots of what is inside.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from tangle.protocol.milestones import NO_ID
from tangle.state.dag import Dag
from tangle.state.settlement import Settlement


def reach(depth: int) -> int:
    """How many settlements the window reaches back, at least, for a below-max-depth of `depth`."""
    return 2 * depth + 5


@dataclass(frozen=True, slots=True)
class Head:
    """The newest settlement; the values are those before the first.

    Attributes
    ----------
    timestamp : seconds since the Unix epoch
    id : 32 bytes, of its evidence
    carrier : id of the block that carries the evidence
    rules : names of the rules that it switches on for what follows it
    """

    index: int = 0
    timestamp: int = 0
    id: bytes = NO_ID
    carrier: bytes = NO_ID
    rules: frozenset[str] = frozenset()


@dataclass(slots=True)
class Window:
    """Blocks in memory, and what settled them.

    Attributes
    ----------
    depth : below max depth, in settlements
    carriers : settlement index and block index of the evidence in the window, oldest first
    """

    depth: int
    dag: Dag = field(default_factory=Dag.genesis)
    head: Head = field(default_factory=Head)
    carriers: deque[tuple[int, int]] = field(default_factory=deque)

    def indices(self, block_ids: Iterable[bytes]) -> list[int]:
        """The indices of those of `block_ids` that are here."""
        found = map(self.dag.index_of, block_ids)
        return [index for index in found if index is not None]

    def newest(self) -> int:
        """Index of the block that carries the newest settlement; before the first it is the block before all."""
        index = self.dag.index_of(self.head.carrier)
        assert index is not None, "the window always holds the newest settlement"
        return index

    def order(self, parents: Iterable[bytes]) -> list[int]:
        """What a settlement over these parents, as they stand in the block, references: in white-flag order."""
        return self.dag.white_flag_order(self.indices(parents))

    def take(self, settlement: Settlement, carrier: int, floor: int) -> None:
        """Make `settlement`, carried by the block at index `carrier`, the newest, and move on.

        Parameters
        ----------
        floor : oldest cone root that a block may have to become final hereafter
        """
        dag, index = self.dag, settlement.index
        dag.mark_referenced(settlement.order, index)
        self.head = Head(index, settlement.time, settlement.id, dag.id_of(carrier), settlement.rules)
        self.carriers.append((index, carrier))
        oldest = index - reach(self.depth)
        while self.carriers[0][0] < oldest:
            self.carriers.popleft()
        first, block = self.carriers[0]
        if first == oldest:
            dag.drop_before(min(block, dag.first_referenced(floor)), oldest)
        dag.refresh_roots(index, self.depth)
