"""Proving a database: everything recomputed from the bytes of its blocks, and compared with what is written down.

The node trusts its journal when it starts; this trusts nothing but the genesis and the milestone keys. Every block
is decoded and hashed again, every milestone's signatures, chain and both roots are checked, every transaction is
applied again in white-flag order, and what was recorded of blocks and outputs must be what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from tangle.errors import TangleError
from tangle.protocol.blocks import Block, check_block
from tangle.protocol.conflicts import Conflict
from tangle.protocol.milestones import NO_ID
from tangle.protocol.outputs import OUTPUTS
from tangle.protocol.serial import Reader
from tangle.protocol.transactions import Transaction
from tangle.state.finality import Finality
from tangle.state.finality.milestones import Milestones
from tangle.state.ledger import Found
from tangle.state.settlement import Settlement
from tangle.state.window import Window
from tangle.store import journal, queries, seals
from tangle.store.columns import columns_of
from tangle.store.engine import check_pages
from tangle.store.errors import AuditFailed, DatabaseDamaged
from tangle.store.journal import Inclusion, MovementRow, Network, ReferencedRow, TransactionRow

REPORT_EVERY = 5_000
"""blocks between two words of progress"""


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
    try:
        check_pages(engine)
        with engine.connect() as connection:
            return _audited(connection, report or (lambda _done, _total: None))
    except (AuditFailed, OperationalError):
        raise
    except DatabaseDamaged as error:
        raise AuditFailed(f"the database is damaged: {error.found}") from error
    except Exception as error:  # a damaged file can read as anything
        raise AuditFailed(f"the database is damaged: {type(error).__name__}, {error}") from error


def _audited(connection: Connection, report: Callable[[int, int], None]) -> AuditReport:
    network = journal.network_of(connection)
    if network is None:
        raise AuditFailed("the database holds no network")
    replica = _Replica(network, connection)
    total = journal.block_total(connection)
    for count, (row, referenced) in enumerate(journal.replay(connection), start=1):
        replica.add(row.block_id, row.data, row.number, referenced)
        if count % REPORT_EVERY == 0 or count == total:
            report(count, total)
    proven = replica.finish(connection)
    seals.check(connection)
    return proven


class _Replica:
    """The Tangle built anew: what `tangle.node` is, in memory alone."""

    def __init__(self, network: Network, connection: Connection) -> None:
        self.parameters = network.parameters
        self.keys = network.keys
        self.finality: Finality = Milestones(network.parameters)
        self.window = Window(network.parameters.below_max_depth)
        self.outputs: dict[bytes, Found] = {}
        self.movements: set[MovementRow] = set()
        self.created: dict[bytes, tuple[bytes, int, int]] = {}
        self.spent: dict[bytes, tuple[int, int, bytes]] = {}
        self.transactions: set[TransactionRow] = set()
        self.milestones: list[tuple[int, bytes, int, int, bytes]] = []
        self.recorded: dict[int, tuple[bytes, ReferencedRow | None]] = {}
        self.counts = dict.fromkeys(("blocks", "milestones", "transactions", "conflicts"), 0)
        genesis = queries.output(connection, bytes(34))
        if genesis is None:
            raise AuditFailed("the genesis output is missing")
        self.outputs[genesis.output_id] = Found(OUTPUTS.decode(Reader(genesis.data)), genesis.created_at)
        self.created[genesis.output_id] = NO_ID, 0, network.created_at

    def add(self, block_id: bytes, data: bytes, number: int, referenced: ReferencedRow | None) -> None:
        name = f"block 0x{block_id.hex()}"
        try:
            block = Block.decode(data)
        except TangleError as error:
            raise AuditFailed(f"{name} cannot be decoded: {error}") from error
        if block.id != block_id:
            raise AuditFailed(f"{name} has bytes that hash to 0x{block.id.hex()}")
        try:
            check_block(block, self.parameters, self.keys)
        except TangleError as error:
            raise AuditFailed(f"{name} breaks a rule: {error}") from error
        parents = self.window.indices(block.parents)
        if len(parents) < len(block.parents):
            raise AuditFailed(f"{name} approves a block that is not there or too old")
        settlement = self._judge(block, name)
        transaction = block.payload if isinstance(block.payload, Transaction) else None
        index = self.window.dag.append(block_id, parents, number=number, transaction=transaction)
        self.recorded[index] = block_id, referenced
        self.counts["blocks"] += 1
        if settlement is not None:
            self._confirm(settlement, index)

    def _judge(self, block: Block, name: str) -> Settlement | None:
        try:
            settlement = self.finality.judge(self.window, block, self._find)
        except TangleError as error:
            raise AuditFailed(f"{name}, milestone: {error}") from error
        if settlement is not None:
            changes, at = settlement.changes, settlement.time
            self.outputs |= {output_id: Found(output, at) for output_id, (output, _) in changes.created.items()}
            for output_id in changes.spent:
                self.outputs[output_id] = replace(self.outputs[output_id], spent=True)
        return settlement

    def _find(self, output_ids: Sequence[bytes]) -> dict[bytes, Found]:
        return {output_id: self.outputs[output_id] for output_id in output_ids if output_id in self.outputs}

    def _confirm(self, settlement: Settlement, carrier: int) -> None:
        self._expect(settlement, carrier)
        for block in settlement.order:
            verdict = settlement.verdicts.get(block)
            row = _compared(self.recorded.pop(block), settlement.index, verdict.conflict if verdict else None)
            if verdict is not None:
                self.movements.update(
                    MovementRow(address.encode(), row.number, verdict.transaction_id)
                    for address in verdict.touched
                )
        applied = sum(verdict.applied for verdict in settlement.verdicts.values())
        self.counts["milestones"] += 1
        self.counts["transactions"] += applied
        self.counts["conflicts"] += len(settlement.verdicts) - applied
        self.window.take(settlement, carrier, self.finality.floor(settlement.index))
        self._forget_orphans(self.window.dag.low)

    def _expect(self, settlement: Settlement, carrier: int) -> None:
        """What a settlement has to have left in the tables of the ledger."""
        dag, index, at = self.window.dag, settlement.index, settlement.time
        carriers = [dag.id_of(block) for block in settlement.verdicts]
        for output_id, (_, position) in settlement.changes.created.items():
            self.created[output_id] = carriers[position], index, at
        for output_id, transaction_id in settlement.changes.spent.items():
            self.spent[output_id] = index, at, transaction_id
        for block, verdict in settlement.verdicts.items():
            if verdict.applied:
                self.transactions.add(TransactionRow(verdict.transaction_id, dag.number_of(block), index))
        evidence = settlement.evidence.encode() if settlement.evidence is not None else b""
        self.milestones.append((index, settlement.id, dag.number_of(carrier), at, evidence))

    def _forget_orphans(self, low: int) -> None:
        for index in [held for held in self.recorded if held < low]:
            block_id, referenced = self.recorded.pop(index)
            if referenced is not None:
                raise AuditFailed(f"block 0x{block_id.hex()} is recorded as referenced, no milestone reaches it")

    def finish(self, connection: Connection) -> AuditReport:
        newest = journal.latest_milestone(connection)
        head = self.window.head
        if newest is not None and (newest.index, newest.milestone_id) != (head.index, head.id):
            raise AuditFailed(f"milestone {newest.index} is recorded, its block is not there")
        if not self.counts["milestones"]:
            # A network is founded with its first milestone: without one, a journal was lost and nothing is proven.
            raise AuditFailed("the journal holds no milestone, so there is nothing that could be proven")
        self._forget_orphans(self.window.dag.high)
        self._compare_tables(connection)
        for movement in journal.all_movements(connection):
            if movement not in self.movements:
                raise AuditFailed(f"event {movement.number} is recorded for an address that it does not touch")
            self.movements.remove(movement)
        if self.movements:
            number = min(movement.number for movement in self.movements)
            raise AuditFailed(f"event {number} is not recorded for every address that it touches")
        count, unspent = self._compare_outputs(connection)
        if self.outputs:
            raise AuditFailed(f"output 0x{min(self.outputs).hex()} is not recorded")
        if unspent != self.parameters.token_supply:
            raise AuditFailed(f"unspent outputs add up to {unspent}, not to the supply")
        return AuditReport(**self.counts, outputs=count, unspent=unspent)

    def _compare_outputs(self, connection: Connection) -> tuple[int, int]:
        """How many outputs are recorded, all as they follow from the blocks, and what the unspent ones hold."""
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
            if (row.block_id, row.created_index, row.created_at) != self.created[row.output_id]:
                raise AuditFailed(f"{name} is recorded as of another milestone or block")
            spending = row.spent_index, row.spent_at, row.spent_by
            if spending != self.spent.get(row.output_id, (None, None, None)):
                raise AuditFailed(f"{name} is recorded as spent by another transaction or milestone")
            unspent += 0 if found.spent else row.amount
            count += 1
        return count, unspent

    def _compare_tables(self, connection: Connection) -> None:
        """Milestones and included transactions are as they follow from the blocks."""
        recorded = [
            (row.index, row.milestone_id, row.block_number, row.timestamp, row.payload)
            for row in journal.replay_milestones(connection)
        ]
        for found, due in zip_longest(recorded, self.milestones):
            if found != due:
                raise AuditFailed(
                    f"milestone {(found or due or (0,))[0]} is recorded otherwise than its block says"
                )
        different = self.transactions.symmetric_difference(journal.all_transactions(connection))
        if different:
            one = min(different, key=lambda row: row.transaction_id)
            raise AuditFailed(f"transaction 0x{one.transaction_id.hex()} is not recorded as its block says")


def _compared(
    recorded: tuple[bytes, ReferencedRow | None], milestone: int, conflict: Conflict | None
) -> ReferencedRow:
    """The row of a block, which is as `milestone` and the ledger make it. Raises AuditFailed."""
    block_id, row = recorded
    inclusion = Inclusion.of(conflict)
    reason = int(conflict) if conflict else None
    if row is None or (row.milestone_index, row.inclusion, row.conflict_reason) != (milestone, inclusion, reason):
        raise AuditFailed(
            f"block 0x{block_id.hex()} is recorded otherwise than milestone {milestone} makes it: "
            f"{inclusion.name.lower()}, reason {reason}"
        )
    return row
