"""From what is settled to what the journal writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tangle.node.memory import Memory
from tangle.node.step import Step
from tangle.protocol.outputs import OUTPUTS, Output
from tangle.protocol.serial import Reader
from tangle.state.ledger import Find, Found
from tangle.state.settlement import Settlement
from tangle.store import queries
from tangle.store.columns import columns_of
from tangle.store.rows import (
    Inclusion,
    MilestoneRow,
    MovementRow,
    OutputRow,
    ReferencedRow,
    SpentRow,
    TransactionRow,
)


def ledger(memory: Memory, step: Step) -> Find:
    """The ledger as it is after `step` so far: what the step did, what is at hand, and what the database says."""

    def find(output_ids: Sequence[bytes]) -> dict[bytes, Found]:
        found = memory.recent.find(output_ids)
        found |= {i: step.created[i] for i in output_ids if i in step.created}
        others = [output_id for output_id in output_ids if output_id not in found]
        if others:
            with memory.own.reading() as connection:
                rows = queries.outputs_by_ids(connection, others)
            found |= {
                output_id: Found(OUTPUTS.decode(Reader(row.data)), row.created_at, row.spent_index is not None)
                for output_id, row in rows.items()
            }
        for output_id in step.spent & found.keys():
            found[output_id] = replace(found[output_id], spent=True)
        return found

    return find


def confirm(memory: Memory, step: Step, settlement: Settlement, carrier: int) -> None:
    """Write down what `settlement` says, carried by the block at index `carrier`, and move on to it."""
    assert settlement.evidence is not None, "what is confirmed has been proven"
    dag, batch, index = memory.window.dag, step.batch, settlement.index
    for block in settlement.order:
        number, block_number = memory.take_number(), dag.number_of(block)
        verdict = settlement.verdicts.get(block)
        conflict = None if verdict is None else int(verdict.conflict)
        values = index, int(Inclusion.of(conflict)), conflict or None
        batch.referenced.append(ReferencedRow(number, block_number, *values))
        step.events.append(queries.ReferencedEvent(number, dag.id_of(block), *values))
        if verdict is not None and verdict.applied:
            batch.transactions.append(TransactionRow(verdict.transaction_id, block_number, index))
            touched = sorted(address.encode() for address in verdict.touched)
            batch.movements.extend(MovementRow(address, number, verdict.transaction_id) for address in touched)
    _change(memory, step, settlement)
    number = memory.take_number()
    proof = settlement.id, dag.number_of(carrier), settlement.time, settlement.evidence.encode()
    batch.milestones.append(MilestoneRow(index, number, *proof))
    step.events.append(queries.MilestoneEvent(number, settlement.id, index, settlement.time))
    memory.window.take(settlement, carrier, memory.finality.floor(index))


def _change(memory: Memory, step: Step, settlement: Settlement) -> None:
    """Write down what becomes of outputs."""
    changes, batch, index, at = settlement.changes, step.batch, settlement.index, settlement.time
    carriers = [memory.window.dag.id_of(block) for block in settlement.verdicts]
    for output_id, (output, position) in changes.created.items():
        batch.outputs.append(output_row(output_id, output, carriers[position], index, at))
        step.created[output_id] = Found(output, at)
    for output_id, transaction_id in changes.spent.items():
        batch.spent.append(SpentRow(output_id, index, at, transaction_id))
    step.spent |= changes.spent.keys()
    memory.recent.take(changes, at)


def output_row(output_id: bytes, output: Output, block_id: bytes, index: int, at: int) -> OutputRow:
    """The row of an output that settlement `index` of time `at` created through block `block_id`."""
    return OutputRow(block_id=block_id, created_index=index, created_at=at, **columns_of(output_id, output))
