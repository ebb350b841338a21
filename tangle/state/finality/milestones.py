"""Finality by signed milestones (TIP-29, TIP-2, TIP-4).

A milestone settles its past cone. Whether it may is asked of nothing but that cone, the milestone before and the
keys, so that every node answers alike: also how far back it reaches (`floor`), which no clock and no order of
arrival decides.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tangle.protocol.blocks import Block
from tangle.protocol.errors import MilestoneInvalid, MilestoneOutOfOrder
from tangle.protocol.milestones import (
    FIRST_INDEX,
    Milestone,
    MilestoneEssence,
    sign_milestone,
)
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.ruleset import KNOWN_RULES, metadata_with, rules_of
from tangle.protocol.serial import within
from tangle.state.ledger import Find
from tangle.state.settlement import Settlement, settle
from tangle.state.window import Head, Window

NO_ROOT = bytes(32)
"""both roots of the first milestone; TIP-29"""
ENTRY_MILESTONES = 3
"""milestones that walks start behind the newest one, at least: what came before has all been approved or left"""
ENTRY_BLOCKS = 1_000
"""blocks that walks start behind the newest one, at least, while below max depth allows it"""


class Milestones:
    """The rule of a network whose milestones are signed.

    Signatures need nothing but the block and the network's keys: `tangle.protocol.blocks.check_payload` has
    verified them before anything is judged.

    Parameters
    ----------
    seeds : Ed25519 seeds (32 bytes each) to sign with; a node that only follows has none
    """

    def __init__(self, parameters: ProtocolParameters, seeds: Sequence[bytes] = ()) -> None:
        self.parameters = parameters
        self._seeds = tuple(seeds)

    def judge(self, window: Window, block: Block, find: Find) -> Settlement | None:
        """See `Finality`; a milestone must break no rule of TIP-29, and reference nothing below max depth."""
        milestone = block.payload
        if not isinstance(milestone, Milestone):
            return None
        _check_chain(milestone.essence, window.head)
        rules = _rules_after(milestone.essence, window.head)
        settlement = self._settle(window, block.parents, find, milestone.essence.timestamp)
        inclusion, applied = _roots(settlement)
        if milestone.essence.inclusion_root != inclusion:
            raise MilestoneInvalid("payload.inclusionMerkleRoot", "is not that of its past cone")
        if milestone.essence.applied_root != applied:
            raise MilestoneInvalid("payload.appliedMerkleRoot", "is not that of its past cone")
        return settlement.proven(milestone.id, milestone, rules)

    def propose(
        self, window: Window, parents: Sequence[bytes], find: Find, now: int, rules: Collection[str] = ()
    ) -> Settlement:
        """See `Finality`."""
        head = window.head
        named = head.rules.union(rules)
        settlement = self._settle(window, parents, find, max(now, head.timestamp + 1))
        inclusion, applied = _roots(settlement)
        essence = MilestoneEssence(
            index=settlement.index,
            timestamp=settlement.time,
            protocol_version=self.parameters.protocol_version,
            previous_id=head.id,
            parents=tuple(parents),
            inclusion_root=inclusion,
            applied_root=applied,
            metadata=metadata_with(named),
        )
        milestone = sign_milestone(essence, self._seeds)
        return settlement.proven(milestone.id, milestone, named)

    def entries(self, window: Window) -> list[int] | None:
        """A milestone, whose past nobody can change any more; None before the first.

        The nearest that has ENTRY_MILESTONES and ENTRY_BLOCKS behind it: a longer way through settled blocks costs
        time and tells nothing more. While few blocks come it lies below max depth back, or is the oldest there is.
        """
        chosen: list[int] | None = None
        for index, block in reversed(window.carriers):
            if index < self.floor(window.head.index):
                break
            chosen = [block]
            if window.head.index - index >= ENTRY_MILESTONES and window.dag.high - block > ENTRY_BLOCKS:
                break
        return chosen

    def floor(self, index: int) -> int:
        """See `Finality`; TIP-22, below max depth."""
        return index - self.parameters.below_max_depth

    def _settle(self, window: Window, parents: Sequence[bytes], find: Find, time: int) -> Settlement:
        dag, head = window.dag, window.head
        order = window.order(parents)
        reached = set(order)
        if head.index >= FIRST_INDEX and window.newest() not in reached:
            raise MilestoneInvalid("payload.parents", "do not reach the previous milestone")
        if order and dag.oldest_root(order) < self.floor(head.index):
            raise MilestoneInvalid("payload.parents", "reach a block below max depth")
        # The next milestone must reference the carrier of this one, which these make older than what it reaches.
        settled = [parent for parent in window.indices(parents) if parent not in reached]
        if settled and dag.oldest_root(settled) < self.floor(head.index + 1):
            raise MilestoneInvalid("payload.parents", "rest upon a milestone below max depth")
        return settle(dag, order, find, index=head.index + 1, time=time, rules=head.rules)


def _roots(settlement: Settlement) -> tuple[bytes, bytes]:
    """Inclusion and applied root as a milestone states them."""
    if settlement.index == FIRST_INDEX:
        return NO_ROOT, NO_ROOT
    return settlement.inclusion_root, settlement.applied_root


def _check_chain(essence: MilestoneEssence, head: Head) -> None:
    if essence.index != head.index + 1:
        raise MilestoneOutOfOrder(essence.index, head.index + 1)
    if essence.previous_id != head.id:
        raise MilestoneInvalid("payload.previousMilestoneId", "is not the id of the newest milestone")
    if essence.timestamp <= head.timestamp:
        raise MilestoneInvalid("payload.timestamp", f"must be above {head.timestamp}")


def _rules_after(essence: MilestoneEssence, head: Head) -> frozenset[str]:
    """The rules that a milestone names: those of the milestone before, and what it switches on."""
    rules = within("payload", lambda: rules_of(essence.metadata))
    if not head.rules <= rules:
        raise MilestoneInvalid("payload.metadata", "must name every rule that the milestone before names")
    unknown = ", ".join(sorted(rules - KNOWN_RULES))
    if unknown:
        raise MilestoneInvalid("payload.metadata", f"names rules that this version does not know: {unknown}")
    return rules
