"""What included transactions changed for one address, in the order in which they became final."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from tangle.protocol.addresses import Address
from tangle.protocol.blocks import Block
from tangle.protocol.outputs import OUTPUTS
from tangle.protocol.serial import Reader
from tangle.protocol.transactions import Transaction
from tangle.store import queries
from tangle.store.journal import OutputRow

PAGE_OUTPUTS = 4_096
"""inputs and outputs of the transactions in one page: 16 of the largest transactions"""


@dataclass(frozen=True, slots=True)
class Change:
    """One transaction, seen from an address.

    Attributes
    ----------
    number : of the event that made it final
    amount : base units, negative when sent
    timestamp : of the milestone, seconds since the Unix epoch
    counterparts : the receivers of what was sent, or the senders of what was received
    """

    number: int
    transaction_id: bytes
    amount: int
    milestone_index: int
    timestamp: int
    counterparts: tuple[Address, ...]


def changes(connection: Connection, address: Address, after: int, limit: int) -> tuple[list[Change], bool]:
    """At most `limit` changes of `address` with a number above `after`, oldest first, and whether there are more.

    A page is cut at `PAGE_OUTPUTS`, with at least one change in it.
    """
    found: list[tuple[int, Transaction]] = []
    outputs, more = 0, False
    for movement in queries.movements(connection, address.encode(), after, limit + 1):
        transaction = _transaction(connection, movement.transaction_id)
        outputs += len(transaction.essence.inputs) + len(transaction.essence.outputs)
        more = len(found) == limit or bool(found and outputs > PAGE_OUTPUTS)
        if more:
            break
        found.append((movement.number, transaction))
    wanted = {consumed.output_id for _, transaction in found for consumed in transaction.essence.inputs}
    wanted |= {transaction.output_id(0) for _, transaction in found}
    rows = queries.outputs_by_ids(connection, wanted)
    return [_change(number, transaction, address, rows) for number, transaction in found], more


def _transaction(connection: Connection, transaction_id: bytes) -> Transaction:
    record = queries.included_block(connection, transaction_id)
    assert record is not None
    payload = Block.decode(record.block.data).payload
    assert isinstance(payload, Transaction)
    return payload


def _change(number: int, transaction: Transaction, address: Address, rows: Mapping[bytes, OutputRow]) -> Change:
    consumed = [rows[spent.output_id] for spent in transaction.essence.inputs]
    holders = [OUTPUTS.decode(Reader(row.data)).owner for row in consumed]
    paid = sum(row.amount for row, holder in zip(consumed, holders, strict=True) if holder == address)
    got = sum(output.amount for output in transaction.essence.outputs if output.owner == address)
    others = holders if got >= paid else [output.owner for output in transaction.essence.outputs]
    booked = rows[transaction.output_id(0)]
    return Change(
        number,
        transaction.id,
        got - paid,
        booked.created_index,
        booked.created_at,
        tuple(dict.fromkeys(other for other in others if other != address)),
    )
