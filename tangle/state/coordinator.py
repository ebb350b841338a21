"""Finality by signed milestones (TIP-29, TIP-2, TIP-4).

`Coordinator.settle` is the finality rule: told of a block, it answers what has become final, in white-flag order.
A block without milestone settles nothing. `compose` makes the next milestone. Both derive the roots from the same
order, so what a coordinator signs is what every other node finds.
"""

from __future__ import annotations

from collections.abc import Sequence

from tangle.protocol.blocks import Block
from tangle.protocol.errors import MilestoneInvalid, MilestoneOutOfOrder
from tangle.protocol.merkle import merkle_root
from tangle.protocol.milestones import (
    FIRST_INDEX,
    NO_ID,
    Milestone,
    MilestoneEssence,
    MilestoneKeys,
    check_milestone,
)
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import within
from tangle.state.dag import Dag

NO_ROOT = bytes(32)
"""both roots of the first milestone; TIP-29"""


class Coordinator:
    """The chain of milestones: its newest member and the rule for the next one.

    Attributes
    ----------
    index, id, timestamp : of the newest milestone; 0, 32 zero bytes and 0 before the first
    block_id : of the block that carries it; 32 zero bytes before the first
    """

    def __init__(
        self,
        parameters: ProtocolParameters,
        keys: MilestoneKeys,
        *,
        index: int = FIRST_INDEX - 1,
        milestone_id: bytes = NO_ID,
        timestamp: int = 0,
        block_id: bytes = NO_ID,
    ) -> None:
        self.parameters = parameters
        self.keys = keys
        self.index = index
        self.id = milestone_id
        self.timestamp = timestamp
        self.block_id = block_id

    def settle(self, dag: Dag, block: Block) -> list[int]:
        """The indices that become final by attaching `block`, parents first.

        Raises
        ------
        MilestoneOutOfOrder : it is no successor of the newest milestone
        MilestoneInvalid : it breaks a rule of TIP-29; the applied root is checked once the ledger has spoken
        """
        milestone = block.payload
        if not isinstance(milestone, Milestone):
            return []
        within("payload", lambda: check_milestone(milestone, self.keys, self.parameters))
        self._check_chain(milestone.essence)
        order = self.order(dag, block.parents)
        if not self._at_start and dag.index_of(self.block_id) not in order:
            raise MilestoneInvalid("payload.parents", "do not reach the previous milestone")
        if milestone.essence.inclusion_root != self.inclusion_root(dag, order):
            raise MilestoneInvalid("payload.inclusionMerkleRoot", "is not that of its past cone")
        return order

    def compose(
        self, dag: Dag, parents: Sequence[bytes], order: Sequence[int], applied: Sequence[bytes], now: int
    ) -> MilestoneEssence:
        """The next milestone over `parents`, whose white-flag order and applied block ids are given.

        now : seconds since the Unix epoch; the milestone is of `next_timestamp(now)`
        """
        return MilestoneEssence(
            index=self.index + 1,
            timestamp=self.next_timestamp(now),
            protocol_version=self.parameters.protocol_version,
            previous_id=self.id,
            parents=tuple(parents),
            inclusion_root=self.inclusion_root(dag, order),
            applied_root=self.applied_root(applied),
        )

    def next_timestamp(self, now: int) -> int:
        """The time of a milestone composed at `now`: moved on where the chain has already reached it (TIP-29)."""
        return max(now, self.timestamp + 1)

    def order(self, dag: Dag, parents: Sequence[bytes]) -> list[int]:
        """White-flag order over `parents`, as they stand in the block; all of them are in the window."""
        indices = [dag.index_of(parent) for parent in parents]
        return dag.white_flag_order([index for index in indices if index is not None])

    def inclusion_root(self, dag: Dag, order: Sequence[int]) -> bytes:
        """Merkle root over the ids of all blocks that the next milestone references."""
        return NO_ROOT if self._at_start else merkle_root([dag.id_of(index) for index in order])

    def applied_root(self, applied: Sequence[bytes]) -> bytes:
        """Merkle root over the ids of the blocks whose transactions the next milestone applies."""
        return NO_ROOT if self._at_start else merkle_root(applied)

    def advance(self, essence: MilestoneEssence, block_id: bytes) -> None:
        """Take `essence`, carried by block `block_id`, as the newest milestone."""
        self.index, self.id, self.timestamp = essence.index, essence.id, essence.timestamp
        self.block_id = block_id

    @property
    def _at_start(self) -> bool:
        return self.index < FIRST_INDEX

    def _check_chain(self, essence: MilestoneEssence) -> None:
        if essence.index != self.index + 1:
            raise MilestoneOutOfOrder(essence.index, self.index + 1)
        if essence.previous_id != self.id:
            raise MilestoneInvalid("payload.previousMilestoneId", "is not the id of the newest milestone")
        if essence.timestamp <= self.timestamp:
            raise MilestoneInvalid("payload.timestamp", f"must be above {self.timestamp}")
