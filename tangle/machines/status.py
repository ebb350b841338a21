"""Where an order stands, counted from the journal."""

from __future__ import annotations

from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any

from tangle.machines import journal
from tangle.machines.order import OrderState
from tangle.machines.payments import REFUND, UNIT, Payments
from tangle.machines.terms import Order
from tangle.protocol.serial import to_hex


@dataclass(frozen=True, slots=True)
class OrderStatus:
    """Where an order stands; amounts in base units, all of them counted from the journal.

    Attributes
    ----------
    credit : units the deposit pays for
    produced : units counted, each with a signed payment
    paid_units : units whose payment is in the ledger
    paid, refunded : base units in the ledger
    volume_ml : millilitres delivered
    verdicts : number of readings by verdict
    """

    order_id: bytes
    state: OrderState
    deposit: int
    price: int
    credit: int
    produced: int
    paid_units: int
    paid: int
    refunded: int
    volume_ml: int
    verdicts: dict[str, int]

    @property
    def facts(self) -> dict[str, Any]:
        """For a report."""
        return {
            "order": to_hex(self.order_id),
            "state": self.state.value,
            "deposit": self.deposit,
            "price": self.price,
            "credit": self.credit,
            "produced": self.produced,
            "paidUnits": self.paid_units,
            "paid": self.paid,
            "refunded": self.refunded,
            "volumeMillilitres": self.volume_ml,
            "readings": self.verdicts,
        }


def status_of(connection: Connection, row: Row, order: Order, payments: Payments) -> OrderStatus:
    """Where the order of a row of the journal stands."""
    paid = payments.included(UNIT)
    return OrderStatus(
        order_id=row["order_id"],
        state=OrderState(row["state"]),
        deposit=int(row["deposit"]),
        price=order.terms.price,
        credit=row["credit"],
        produced=row["produced"],
        paid_units=len(paid),
        paid=sum(paid),
        refunded=sum(payments.included(REFUND)),
        volume_ml=int(row["volume_half_ml"]) // 2,
        verdicts=journal.verdicts(connection, row["order_id"]),
    )
