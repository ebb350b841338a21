"""Proving a database: everything recomputed from the bytes of its blocks, and compared with what is written down.

The node trusts its journal when it starts; this trusts nothing but the genesis and the milestone keys. Every block
is decoded and hashed again, every milestone's signatures, chain and both roots are checked, every transaction is
applied again in white-flag order, and what was recorded of blocks and outputs must be what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from tangle.errors import TangleError
from tangle.protocol.addresses import Address
from tangle.protocol.blocks import Block, check_block
from tangle.protocol.milestones import Milestone
from tangle.protocol.outputs import OUTPUTS
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import Reader
from tangle.protocol.transactions import Transaction
from tangle.state.coordinator import Coordinator
from tangle.state.dag import Dag
from tangle.state.ledger import Conflict, Found, apply
from tangle.store import journal, queries
from tangle.store.columns import columns_of
from tangle.store.journal import Inclusion, MovementRow, ReferencedRow

REPORT_EVERY = 5_000
"""blocks between two words of progress"""


class AuditFailed(TangleError):
    """Something in the database is not what its blocks say."""

    code = "audit_failed"


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was proven.

    Attributes
    ----------
    unspent : base units in unspent outputs, equal to the supply
    """

    blocks: int
    milestones: int
    transactions: int
    conflicts: int
    outputs: int
    unspent: int


def audit(engine: Engine, report: Callable[[int, int], None] | None = None) -> AuditReport:
    """Recompute the whole database at `engine`.

    Parameters
    ----------
    report : told of blocks done and blocks in all, now and then

    Raises
    ------
    AuditFailed : names the first block, milestone or output that is not as recorded
    """
    network = journal.read_network(engine)
    if network is None:
        raise AuditFailed("the database holds no network")
    with engine.connect() as connection:
        replica = _Replica(Coordinator(network.parameters, network.keys), network.parameters, connection)
        total = journal.block_total(connection)
        for count, (row, referenced) in enumerate(journal.replay(connection), start=1):
            replica.add(row.block_id, row.data, row.number, referenced)
            if report is not None and (count % REPORT_EVERY == 0 or count == total):
                report(count, total)
        return replica.finish(connection)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a transaction."""

    conflict: Conflict
    transaction_id: bytes
    touched: frozenset[Address]

    @property
    def applied(self) -> bool:
        return self.conflict is Conflict.NONE


class _Replica:
    """The Tangle built anew: what `tangle.node` is, in memory alone."""

    def __init__(self, chain: Coordinator, parameters: ProtocolParameters, connection: Connection) -> None:
        self.chain = chain
        self.parameters = parameters
        self.dag = Dag.genesis()
        self.outputs: dict[bytes, Found] = {}
        self.movements: set[MovementRow] = set()
        self.milestone_blocks: list[tuple[int, int]] = []
        self.recorded: dict[int, tuple[bytes, ReferencedRow | None]] = {}
        self.counts = dict.fromkeys(("blocks", "milestones", "transactions", "conflicts"), 0)
        genesis = queries.output(connection, bytes(34))
        if genesis is None:
            raise AuditFailed("the genesis output is missing")
        self.outputs[genesis.output_id] = Found(OUTPUTS.decode(Reader(genesis.data)))

    def add(self, block_id: bytes, data: bytes, number: int, referenced: ReferencedRow | None) -> None:
        name = f"block 0x{block_id.hex()}"
        try:
            block = Block.decode(data)
        except TangleError as error:
            raise AuditFailed(f"{name} cannot be decoded: {error}") from error
        if block.id != block_id:
            raise AuditFailed(f"{name} has bytes that hash to 0x{block.id.hex()}")
        try:
            check_block(block, self.parameters)
        except TangleError as error:
            raise AuditFailed(f"{name} breaks a rule: {error}") from error
        parents = [self.dag.index_of(parent) for parent in block.parents]
        if None in parents:
            raise AuditFailed(f"{name} approves a block that is not there or too old")
        order, outcomes = self._settle(block, name)
        transaction = block.payload if isinstance(block.payload, Transaction) else None
        known = [parent for parent in parents if parent is not None]
        index = self.dag.append(block_id, known, number=number, transaction=transaction)
        self.recorded[index] = block_id, referenced
        self.counts["blocks"] += 1
        if isinstance(block.payload, Milestone):
            self._confirm(block.payload, index, order, outcomes)

    def _settle(self, block: Block, name: str) -> tuple[list[int], dict[int, _Outcome]]:
        if not isinstance(block.payload, Milestone):
            return [], {}
        try:
            order = self.chain.settle(self.dag, block)
        except TangleError as error:
            raise AuditFailed(f"{name}, milestone {block.payload.index}: {error}") from error
        carriers = [index for index in order if index in self.dag.transactions]
        pending = [self.dag.transactions[index] for index in carriers]
        changes = apply(pending, self._find, block.payload.essence.timestamp)
        outcomes = {
            index: _Outcome(conflict, self.dag.transactions[index].id, touched)
            for index, conflict, touched in zip(carriers, changes.conflicts, changes.touched, strict=True)
        }
        ids = [self.dag.id_of(index) for index, outcome in outcomes.items() if outcome.applied]
        if self.chain.applied_root(ids) != block.payload.essence.applied_root:
            raise AuditFailed(f"{name}, milestone {block.payload.index}: the applied root is another")
        for output_id, (output, _) in changes.created.items():
            self.outputs[output_id] = Found(output)
        for output_id in changes.spent:
            self.outputs[output_id] = Found(self.outputs[output_id].output, spent=True)
        return order, outcomes

    def _find(self, output_ids: Sequence[bytes]) -> dict[bytes, Found]:
        return {output_id: self.outputs[output_id] for output_id in output_ids if output_id in self.outputs}

    def _confirm(
        self, milestone: Milestone, index: int, order: Sequence[int], outcomes: dict[int, _Outcome]
    ) -> None:
        for block in order:
            outcome = outcomes.get(block)
            row = _compared(self.recorded.pop(block), milestone.index, outcome.conflict if outcome else None)
            if outcome is not None:
                self.movements.update(
                    MovementRow(address.encode(), row.number, outcome.transaction_id)
                    for address in outcome.touched
                )
        self.counts["milestones"] += 1
        self.counts["transactions"] += sum(outcome.applied for outcome in outcomes.values())
        self.counts["conflicts"] += sum(not outcome.applied for outcome in outcomes.values())
        self.dag.mark_referenced(order, milestone.index)
        self.chain.advance(milestone.essence, self.dag.id_of(index))
        self.milestone_blocks.append((milestone.index, index))
        depth = self.parameters.below_max_depth
        self.dag.refresh_roots(milestone.index, depth)
        while self.milestone_blocks[0][0] < milestone.index - 2 * depth - 5:
            oldest, block = self.milestone_blocks.pop(0)
            self.dag.drop_before(block, oldest)
            self._forget_orphans(block)

    def _forget_orphans(self, low: int) -> None:
        for index in [held for held in self.recorded if held < low]:
            block_id, referenced = self.recorded.pop(index)
            if referenced is not None:
                raise AuditFailed(f"block 0x{block_id.hex()} is recorded as referenced, no milestone reaches it")

    def finish(self, connection: Connection) -> AuditReport:
        newest = journal.latest_milestone(connection)
        if newest is not None and (newest.index, newest.milestone_id) != (self.chain.index, self.chain.id):
            raise AuditFailed(f"milestone {newest.index} is recorded, its block is not there")
        self._forget_orphans(self.dag.high)
        for movement in journal.all_movements(connection):
            if movement not in self.movements:
                raise AuditFailed(f"event {movement.number} is recorded for an address that it does not touch")
            self.movements.remove(movement)
        if self.movements:
            number = min(movement.number for movement in self.movements)
            raise AuditFailed(f"event {number} is not recorded for every address that it touches")
        count = unspent = 0
        for row in journal.all_outputs(connection):
            found = self.outputs.pop(row.output_id, None)
            name = f"output 0x{row.output_id.hex()}"
            if found is None or found.output.encode() != row.data:
                raise AuditFailed(f"{name} is recorded, no transaction makes it so")
            for column, value in columns_of(row.output_id, found.output).items():
                if getattr(row, column) != value:
                    raise AuditFailed(f"{name} is recorded with another {column}")
            if found.spent != (row.spent_index is not None):
                raise AuditFailed(f"{name} is recorded as {'un' * found.spent}spent")
            unspent += 0 if found.spent else row.amount
            count += 1
        if self.outputs:
            raise AuditFailed(f"output 0x{min(self.outputs).hex()} is not recorded")
        if unspent != self.parameters.token_supply:
            raise AuditFailed(f"unspent outputs add up to {unspent}, not to the supply")
        return AuditReport(**self.counts, outputs=count, unspent=unspent)


def _compared(
    recorded: tuple[bytes, ReferencedRow | None], milestone: int, conflict: Conflict | None
) -> ReferencedRow:
    """The row of a block, which is as `milestone` and the ledger make it. Raises AuditFailed."""
    block_id, row = recorded
    inclusion = Inclusion.NO_TRANSACTION
    if conflict is not None:
        inclusion = Inclusion.CONFLICTING if conflict else Inclusion.INCLUDED
    reason = int(conflict) if conflict else None
    if row is None or (row.milestone_index, row.inclusion, row.conflict_reason) != (milestone, inclusion, reason):
        raise AuditFailed(
            f"block 0x{block_id.hex()} is recorded otherwise than milestone {milestone} makes it: "
            f"{inclusion.name.lower()}, reason {reason}"
        )
    return row
