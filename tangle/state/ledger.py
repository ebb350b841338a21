"""The UTXO ledger: which transactions of a milestone change it, and how (TIP-20, TIP-2).

A milestone hands over its transactions in white-flag order. Each is applied or ignored, once and for ever: the
first of two that spend one output wins, the other is kept in the Tangle with the reason why it changed nothing.

The ledger holds nothing itself: `find` answers which outputs exist, `apply` answers what changes. So its memory is
that of one milestone, and the same order over the same outputs gives the same changes on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from tangle.protocol.addresses import Address, Ed25519Address
from tangle.protocol.outputs import Output
from tangle.protocol.transactions import Transaction, inputs_commitment


class Conflict(IntEnum):
    """Why a transaction was ignored; the numbers are those of TIP-25."""

    NONE = 0
    INPUT_ALREADY_SPENT = 1
    INPUT_ALREADY_SPENT_IN_THIS_MILESTONE = 2
    INPUT_NOT_FOUND = 3
    AMOUNTS_DO_NOT_BALANCE = 4
    SIGNATURE_INVALID = 5
    TIMELOCK_NOT_EXPIRED = 6
    NATIVE_TOKENS_INVALID = 7
    RETURN_AMOUNT_NOT_FULFILLED = 8
    INPUT_UNLOCK_INVALID = 9
    INPUTS_COMMITMENT_INVALID = 10
    SENDER_NOT_UNLOCKED = 11
    CHAIN_TRANSITION_INVALID = 12
    SEMANTIC_VALIDATION_FAILED = 255


@dataclass(frozen=True, slots=True)
class Found:
    """An output that exists, and whether an earlier milestone spent it."""

    output: Output
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
    touched : transaction's position -> addresses it takes from or gives to; none for ignored ones
    """

    conflicts: list[Conflict] = field(default_factory=list)
    created: dict[bytes, tuple[Output, int]] = field(default_factory=dict)
    spent: dict[bytes, bytes] = field(default_factory=dict)
    touched: list[frozenset[Address]] = field(default_factory=list)


def apply(transactions: Sequence[Transaction], find: Find) -> Changes:
    """Apply `transactions` in the given (white-flag) order to the ledger that `find` shows."""
    ids = [consumed.output_id for tx in transactions for consumed in tx.essence.inputs]
    known = find(ids) if ids else {}
    changes = Changes()
    for position, transaction in enumerate(transactions):
        conflict, inputs = _resolve(transaction, known, changes)
        if conflict is Conflict.NONE:
            conflict = check_semantics(transaction, inputs)
        changes.conflicts.append(conflict)
        if conflict is not Conflict.NONE:
            changes.touched.append(frozenset())
            continue
        changes.touched.append(frozenset(o.address for o in (*inputs, *transaction.essence.outputs)))
        for consumed in transaction.essence.inputs:
            changes.spent[consumed.output_id] = transaction.id
        for index, output in enumerate(transaction.essence.outputs):
            changes.created[transaction.output_id(index)] = output, position
    return changes


def _resolve(
    transaction: Transaction, known: Mapping[bytes, Found], changes: Changes
) -> tuple[Conflict, list[Output]]:
    inputs: list[Output] = []
    for consumed in transaction.essence.inputs:
        output_id = consumed.output_id
        if output_id in changes.spent:
            return Conflict.INPUT_ALREADY_SPENT_IN_THIS_MILESTONE, []
        if output_id in changes.created:
            inputs.append(changes.created[output_id][0])
            continue
        found = known.get(output_id)
        if found is None:
            return Conflict.INPUT_NOT_FOUND, []
        if found.spent:
            return Conflict.INPUT_ALREADY_SPENT, []
        inputs.append(found.output)
    return Conflict.NONE, inputs


def check_semantics(transaction: Transaction, inputs: Sequence[Output]) -> Conflict:
    """The first rule of TIP-20's semantic validation that `transaction` breaks, given what it consumes.

    That signatures verify was checked before the block was let in; what is left is whether each was made with the
    key of the address that it unlocks.
    """
    essence = transaction.essence
    if inputs_commitment(inputs) != essence.inputs_commitment:
        return Conflict.INPUTS_COMMITMENT_INVALID
    unlocked: set[Ed25519Address] = set()
    for position, output in enumerate(inputs):
        owner = Ed25519Address.from_public_key(transaction.signature_of(position).public_key)
        if owner != output.address:
            return Conflict.SIGNATURE_INVALID
        unlocked.add(owner)
    if _total(inputs) != _total(essence.outputs):
        return Conflict.AMOUNTS_DO_NOT_BALANCE
    if any(output.sender is not None and output.sender not in unlocked for output in essence.outputs):
        return Conflict.SENDER_NOT_UNLOCKED
    return Conflict.NONE


def _total(outputs: Iterable[Output]) -> int:
    return sum(output.amount for output in outputs)
