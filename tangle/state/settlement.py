"""A settlement: what becomes final at one blow, in which order, and what it does to the ledger (TIP-2, TIP-29).

It is computed here and nowhere else. The node that proposes one, a node that judges one of another's, and an audit
years later call the same function upon the same past cone, and come to the same order, changes and roots. What
makes others believe it is its evidence; a signed milestone is one kind. Computing a settlement changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from tangle.protocol.addresses import Address
from tangle.protocol.blocks import Payload
from tangle.protocol.conflicts import Conflict
from tangle.protocol.merkle import merkle_root
from tangle.protocol.milestones import NO_ID
from tangle.state.dag import Dag
from tangle.state.ledger import Changes, Find, apply


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the ledger made of a transaction.

    Attributes
    ----------
    touched : addresses of what it consumes and creates; none when it was ignored
    """

    transaction_id: bytes
    conflict: Conflict
    touched: frozenset[Address]

    @property
    def applied(self) -> bool:
        """Whether it changed the ledger."""
        return self.conflict is Conflict.NONE


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes final.

    Attributes
    ----------
    index : one more than that of the settlement before
    time : seconds since the Unix epoch, the only time that rules of the ledger know
    order : indices of the blocks, in white-flag order
    verdicts : of those blocks that carry transactions, by index of the block, in the same order
    changes : of the ledger
    inclusion_root : Merkle root over the ids of all blocks of `order`
    applied_root : Merkle root over the ids of the blocks whose transactions changed the ledger
    rules : that what becomes final next is judged by
    id : 32 bytes, of the evidence; zeros before there is any
    evidence : what a block carries as proof
    """

    index: int
    time: int
    order: Sequence[int]
    verdicts: Mapping[int, Verdict]
    changes: Changes
    inclusion_root: bytes
    applied_root: bytes
    rules: frozenset[str] = frozenset()
    id: bytes = NO_ID
    evidence: Payload | None = None

    def proven(self, evidence_id: bytes, evidence: Payload, rules: frozenset[str]) -> Settlement:
        """The same settlement with its evidence, and the rules that it names."""
        return replace(self, id=evidence_id, evidence=evidence, rules=rules)


def settle(
    dag: Dag, order: Sequence[int], find: Find, *, index: int, time: int, rules: Collection[str]
) -> Settlement:
    """What the blocks of `order` come to when they become final at `time`.

    Parameters
    ----------
    find : shows the ledger as it is before this settlement
    rules : that the settlement before names
    """
    carried = {block: dag.transactions[block] for block in order if block in dag.transactions}
    changes = apply(list(carried.values()), find, time, rules)
    verdicts = {
        block: Verdict(transaction.id, conflict, touched)
        for (block, transaction), conflict, touched in zip(
            carried.items(), changes.conflicts, changes.touched, strict=True
        )
    }
    return Settlement(
        index,
        time,
        order,
        verdicts,
        changes,
        merkle_root([dag.id_of(block) for block in order]),
        merkle_root([dag.id_of(block) for block, verdict in verdicts.items() if verdict.applied]),
    )
