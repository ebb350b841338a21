"""The life cycle of an order, as a table: state x event -> state.

The table is the only place that knows what may follow what; journal, agents and the diagram in
``docs/pay-on-production.md`` are read from it. A pair that is not in the table raises and changes nothing.

`python -m tangle.machines.order` prints the diagram.
"""

from __future__ import annotations

from enum import StrEnum

from tangle.machines.errors import IllegalEvent


class OrderState(StrEnum):
    """Where an order stands."""

    QUOTED = "quoted"
    """an order has arrived for the announced terms and is not yet answered"""
    AWAITING_DEPOSIT = "awaiting_deposit"
    """accepted; nothing is produced before the deposit is in the ledger"""
    ALLOTTING = "allotting"
    """the deposit is in the ledger and is being split into one coin per unit"""
    PRODUCING = "producing"
    """every reading is metered, every produced unit paid"""
    EXHAUSTED = "exhausted"
    """the credit is used up; the last payments are under way"""
    STOPPING = "stopping"
    """production has ended before the credit; the last payments are under way"""
    REFUNDING = "refunding"
    """all payments are in the ledger; what is left is on its way to the customer"""
    SETTLED = "settled"
    """deposit = paid + refund, all of it in the ledger"""
    CANCELLED = "cancelled"
    """no deposit came, or the order was called off before one came"""


class OrderEvent(StrEnum):
    """What happens to an order."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DEPOSIT_INCLUDED = "deposit_included"
    """an output that carries the order's id is in the ledger and buys at least one unit"""
    DEPOSIT_UNUSABLE = "deposit_unusable"
    """the deposit buys no unit, or came when the order was over: all of it goes back"""
    EXPIRED = "expired"
    ALLOTTED = "allotted"
    UNIT_PRODUCED = "unit_produced"
    CREDIT_USED_UP = "credit_used_up"
    STOP_REQUESTED = "stop_requested"
    """asked for by the customer, proven by a signature"""
    READINGS_ENDED = "readings_ended"
    PAID_UP = "paid_up"
    """every payment is in the ledger and nothing is left"""
    REST_LEFT = "rest_left"
    """every payment is in the ledger and coins of the deposit are left"""
    REFUND_INCLUDED = "refund_included"


TABLE: dict[OrderState, dict[OrderEvent, OrderState]] = {
    OrderState.QUOTED: {
        OrderEvent.ACCEPTED: OrderState.AWAITING_DEPOSIT,
        OrderEvent.REFUSED: OrderState.CANCELLED,
    },
    OrderState.AWAITING_DEPOSIT: {
        OrderEvent.DEPOSIT_INCLUDED: OrderState.ALLOTTING,
        OrderEvent.DEPOSIT_UNUSABLE: OrderState.REFUNDING,
        OrderEvent.STOP_REQUESTED: OrderState.CANCELLED,
        OrderEvent.EXPIRED: OrderState.CANCELLED,
    },
    OrderState.ALLOTTING: {
        OrderEvent.ALLOTTED: OrderState.PRODUCING,
        OrderEvent.STOP_REQUESTED: OrderState.STOPPING,
    },
    OrderState.PRODUCING: {
        OrderEvent.UNIT_PRODUCED: OrderState.PRODUCING,
        OrderEvent.CREDIT_USED_UP: OrderState.EXHAUSTED,
        OrderEvent.STOP_REQUESTED: OrderState.STOPPING,
        OrderEvent.READINGS_ENDED: OrderState.STOPPING,
    },
    OrderState.EXHAUSTED: {
        OrderEvent.PAID_UP: OrderState.SETTLED,
        OrderEvent.REST_LEFT: OrderState.REFUNDING,
    },
    OrderState.STOPPING: {
        OrderEvent.PAID_UP: OrderState.SETTLED,
        OrderEvent.REST_LEFT: OrderState.REFUNDING,
    },
    OrderState.REFUNDING: {
        OrderEvent.REFUND_INCLUDED: OrderState.SETTLED,
    },
    OrderState.SETTLED: {
        OrderEvent.DEPOSIT_UNUSABLE: OrderState.REFUNDING,
    },
    OrderState.CANCELLED: {
        OrderEvent.DEPOSIT_UNUSABLE: OrderState.REFUNDING,
    },
}

FIRST = OrderState.QUOTED
OVER = frozenset({OrderState.SETTLED, OrderState.CANCELLED})
"""nothing is due; only a late deposit wakes such an order, to be sent back"""


def after(state: OrderState, event: OrderEvent) -> OrderState:
    """The state that follows. Raises IllegalEvent for a pair that is not in the table."""
    following = TABLE[state].get(event)
    if following is None:
        raise IllegalEvent(state, event)
    return following


def knows(state: OrderState, event: OrderEvent) -> bool:
    """Whether `event` may happen to an order in `state`."""
    return event in TABLE[state]


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {FIRST}"]
    lines += [
        f"    {state} --> {following}: {event}" for state, row in TABLE.items() for event, following in row.items()
    ]
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in TABLE if state in OVER)])


if __name__ == "__main__":
    print(diagram())
