"""The UTXO ledger: which transactions of a milestone change it, and how (TIP-20, TIP-2).

Here it is decided which outputs a transaction finds; whether it may do with them what it does,
`tangle.state.rules` say.

A milestone hands over its transactions in white-flag order. Each is applied or ignored, once and for ever:
the first of two that spend one output wins, the other is kept in the Tangle with the reason why it changed
nothing.

The ledger holds nothing itself: `find` answers which outputs exist, `apply` answers what changes. So its
memory is that of one milestone, and the same order over the same outputs gives the same changes on every
machine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tangle.protocol.addresses import Address
from tangle.protocol.conflicts import Conflict
from tangle.protocol.outputs import (
    ExpirationUnlockCondition,
    Output,
    StorageDepositReturnUnlockCondition,
    TimelockUnlockCondition,
)
from tangle.protocol.transactions import Transaction
from tangle.state.rules import Consumed, check_semantics

__all__ = ["Changes", "Conflict", "Find", "Found", "apply", "parties"]


@dataclass(frozen=True, slots=True)
class Found:
    """An output that exists, when a milestone made it (seconds), and whether an earlier milestone spent it."""

    output: Output
    created_at: int
    spent: bool = False


Find = Callable[[Sequence[bytes]], Mapping[bytes, Found]]
"""output ids (34 bytes each) -> those that exist in the ledger as it was before the milestone"""


@dataclass(slots=True)
class Changes:
    """What a milestone does to the ledger.

    Attributes
    ----------
    conflicts : transaction's position in the given order -> reason; NONE for applied ones
    created : output id -> output and the position of its transaction
    spent : output id -> id of the transaction that spends it; may name outputs of `created`
    touched : transaction's position -> addresses named by the unlock conditions of what it consumes and creates;
        none for ignored ones
    """

    conflicts: list[Conflict] = field(default_factory=list)
    created: dict[bytes, tuple[Output, int]] = field(default_factory=dict)
    spent: dict[bytes, bytes] = field(default_factory=dict)
    touched: list[frozenset[Address]] = field(default_factory=list)


def apply(transactions: Sequence[Transaction], find: Find, at: int, rules: Collection[str] = ()) -> Changes:
    """Apply `transactions` in the given (white-flag) order to the ledger that `find` shows.

    Parameters
    ----------
    at : timestamp of the milestone that confirms them, seconds since the Unix epoch; the only time rules know
    rules : that the milestone before names
    """
    ids = [consumed.output_id for tx in transactions for consumed in tx.essence.inputs]
    known = find(ids) if ids else {}
    changes = Changes()
    for position, transaction in enumerate(transactions):
        conflict, inputs = _resolve(transaction, known, changes, at)
        if conflict is Conflict.NONE:
            conflict = check_semantics(transaction, inputs, at, rules)
        changes.conflicts.append(conflict)
        if conflict is not Conflict.NONE:
            changes.touched.append(frozenset())
            continue
        outputs = (*(consumed.output for consumed in inputs), *transaction.essence.outputs)
        changes.touched.append(frozenset(address for output in outputs for address in parties(output)))
        for consumed in inputs:
            changes.spent[consumed.output_id] = transaction.id
        for index, output in enumerate(transaction.essence.outputs):
            changes.created[transaction.output_id(index)] = output, position
    return changes


def _resolve(
    transaction: Transaction, known: Mapping[bytes, Found], changes: Changes, at: int
) -> tuple[Conflict, list[Consumed[Output]]]:
    """Why the inputs are not to be had, or what each of them consumes."""
    inputs: list[Consumed[Output]] = []
    for consumed in transaction.essence.inputs:
        output_id = consumed.output_id
        if output_id in changes.spent:
            return Conflict.INPUT_ALREADY_SPENT_IN_THIS_MILESTONE, []
        if output_id in changes.created:
            inputs.append(Consumed(output_id, changes.created[output_id][0], at))
            continue
        found = known.get(output_id)
        if found is None:
            return Conflict.INPUT_NOT_FOUND, []
        if found.spent:
            return Conflict.INPUT_ALREADY_SPENT, []
        inputs.append(Consumed(output_id, found.output, found.created_at))
    return Conflict.NONE, inputs


def parties(output: Output) -> Iterator[Address]:
    """The addresses that the unlock conditions of `output` name."""
    for condition in output.unlock_conditions:
        if isinstance(condition, StorageDepositReturnUnlockCondition | ExpirationUnlockCondition):
            yield condition.return_address
        elif not isinstance(condition, TimelockUnlockCondition):
            yield condition.address
