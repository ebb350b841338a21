"""The coins of an order: made from its deposit, paid to the owner one by one, and what is left sent back.

All of this happens in the caller's transaction over the journal. Nothing here talks to a node: a transfer
is signed and stored, and `due` tells later which stored transfers can be posted. Coins, outputs and note
are given and Ed25519 signatures are deterministic, so a transfer that is made twice is one transfer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection

from tangle.client.wallet.selection import Coin
from tangle.client.wallet.transfer import sign_transfer
from tangle.machines.terms import order_tag
from tangle.protocol.addresses import Address
from tangle.protocol.keys import KeyPair
from tangle.protocol.outputs import OUTPUTS, BasicOutput
from tangle.protocol.parameters import INPUTS_MAX, ProtocolParameters
from tangle.protocol.serial import Reader, to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction

ALLOTMENT, UNIT, REFUND = "allotment", "unit", "refund"
"""purposes of transfers"""
UNITS_PER_ALLOTMENT = 100
"""unit coins that one allotment makes; with the rest at most 127 outputs fit (TIP-20)"""


@dataclass(frozen=True, slots=True)
class Payments:
    """The coins of one order, over an open transaction of the journal.

    Attributes
    ----------
    key : the machine's, which holds the coins
    """

    connection: Connection
    order_id: bytes
    key: KeyPair
    parameters: ProtocolParameters

    def keep(self, coin: Coin, unit: int | None = None) -> None:
        """Enter a coin; `unit` is the unit it pays for."""
        row = (coin.output_id, self.order_id, coin.output.encoded, coin.output_id[:32], unit)
        self.connection.execute(
            "INSERT INTO coins (output_id, order_id, output, made_by, unit) VALUES (?, ?, ?, ?, ?)", row
        )

    def allot(self, deposit: Coin, credit: int, price: int, rest: int) -> None:
        """Sign the transfers that make one coin of `price` for each of `credit` units, and one of the rest.

        Each makes 100 unit coins from what the one before it has left; only the first spends the deposit.
        """
        source = deposit
        for number, first in enumerate(range(1, credit + 1, UNITS_PER_ALLOTMENT), start=1):
            units = range(first, min(first + UNITS_PER_ALLOTMENT, credit + 1))
            left = (credit - units[-1]) * price + rest
            amounts = [price] * len(units) + ([left] if left else [])
            outputs = [BasicOutput.to(self.key.address, amount) for amount in amounts]
            made = self._store(ALLOTMENT, number, [source], outputs)
            for index, coin in enumerate(made):
                self.keep(coin, units[index] if index < len(units) else None)
            source = made[-1]

    def pay(self, unit: int, owner: Address) -> bytes:
        """Sign the payment of one unit: its coin, and nothing else, to the owner. Returns the transaction id."""
        (coin,) = self._coins("unit = ?", unit)
        return self._store(UNIT, unit, [coin], [BasicOutput.to(owner, coin.amount)])[0].output_id[:32]

    def refund(self, customer: Address) -> bool:
        """Sign transfers of all coins that no transfer spends; False when there are none."""
        left = self._coins("spent_by IS NULL")
        count = len(self._transfers("purpose = ?", REFUND))
        for number, start in enumerate(range(0, len(left), INPUTS_MAX), start=count + 1):
            part = left[start : start + INPUTS_MAX]
            self._store(REFUND, number, part, [BasicOutput.to(customer, sum(coin.amount for coin in part))])
        return bool(left)

    def open_count(self) -> int:
        """Transfers of the order that are not in the ledger."""
        return len(self._transfers("milestone IS NULL"))

    def is_allotted(self) -> bool:
        """Whether the first allotment is in the ledger, so that units can be paid."""
        return bool(self._transfers("purpose = ? AND number = 1 AND milestone IS NOT NULL", ALLOTMENT))

    def included(self, purpose: str) -> list[int]:
        """Amounts, in base units, of the transfers of one purpose that are in the ledger."""
        return self._transfers("purpose = ? AND milestone IS NOT NULL", purpose)

    def _coins(self, which: str, *values: object) -> list[Coin]:
        """The order's coins that a condition holds for, in order of their ids."""
        query = f"SELECT output_id, output FROM coins WHERE order_id = ? AND {which} ORDER BY output_id"  # noqa: S608
        rows = self.connection.execute(query, (self.order_id, *values))
        return [Coin(output_id, OUTPUTS.decode(Reader(output))) for output_id, output in rows]

    def _transfers(self, which: str, *values: object) -> list[int]:
        """Amounts, in base units, of the order's transfers that a condition holds for."""
        query = f"SELECT amount FROM transfers WHERE order_id = ? AND {which}"  # noqa: S608
        return [int(amount) for (amount,) in self.connection.execute(query, (self.order_id, *values))]

    def _store(
        self, purpose: str, number: int, inputs: Sequence[Coin], outputs: Sequence[BasicOutput]
    ) -> list[Coin]:
        said = {"kind": purpose, "order": to_hex(self.order_id), "number": number}
        note = TaggedData(order_tag(self.order_id), json.dumps(said, separators=(",", ":")).encode())
        # What goes in comes out, so the transaction has exactly these outputs and no remainder.
        assert sum(coin.amount for coin in inputs) == sum(output.amount for output in outputs)
        key, address = self.key, self.key.address
        transaction = sign_transfer(inputs, outputs, lambda _: key, address, self.parameters, note)
        amount = str(sum(output.amount for output in outputs))
        row = (self.order_id, purpose, number, transaction.id, transaction.encoded, amount)
        self.connection.execute(
            "INSERT INTO transfers (order_id, purpose, number, transaction_id, payload, amount)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            row,
        )
        spent = [(transaction.id, coin.output_id) for coin in inputs]
        self.connection.executemany("UPDATE coins SET spent_by = ? WHERE output_id = ?", spent)
        return [Coin(transaction.output_id(index), output) for index, output in enumerate(outputs)]


def due(connection: Connection) -> list[Transaction]:
    """Transfers that are not in the ledger and whose coins are, those of an order in order of their number."""
    rows = connection.execute(
        "SELECT payload FROM transfers WHERE milestone IS NULL AND NOT EXISTS ("
        " SELECT 1 FROM coins JOIN transfers AS maker ON maker.transaction_id = coins.made_by"
        " WHERE coins.spent_by = transfers.transaction_id AND maker.milestone IS NULL"
        ") ORDER BY order_id, purpose, number"
    )
    return [Transaction.decode(Reader(payload)) for (payload,) in rows]


def read_note(note: bytes) -> tuple[str, str, int] | None:
    """Purpose, order id as hexadecimal, and number that the note of a transfer tells; None for any other bytes."""
    try:
        said = json.loads(note)
        return str(said["kind"]), str(said["order"]), int(said["number"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
