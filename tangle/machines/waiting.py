"""Coins at a machine's address that no order has taken: money that nobody ordered with, and deposits that wait.

A coin comes with the tag of an order, with another one or with none. One whose order is not known, because there
never was one, or nobody paid it and it was forgotten, stays here until its order comes after all or the owner says
where it goes: back to whoever signed for it, or on to an address. A second deposit of an order that is in
production waits here until the order is over.

All of this happens in the caller's transaction over the journal, like `tangle.machines.payments`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from sqlite3 import Connection

from tangle.client.wallet.selection import Coin
from tangle.client.wallet.transfer import sign_transfer
from tangle.machines import journal
from tangle.protocol.addresses import ADDRESSES, Address
from tangle.protocol.keys import KeyPair
from tangle.protocol.outputs import OUTPUTS, BasicOutput
from tangle.protocol.parameters import INPUTS_MAX, ProtocolParameters
from tangle.protocol.serial import Reader
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction

NOTE = TaggedData(b"pop/unordered", b"")
"""the note of a transaction that sends money back or on"""


@dataclass(frozen=True, slots=True)
class Unordered:
    """A coin without an order.

    Attributes
    ----------
    payer : whose key signed first for the transaction that made it; None where none did
    """

    coin: Coin
    payer: Address | None


def keep(connection: Connection, coin: Coin, payer: Address | None) -> None:
    """Enter a coin that no order takes now; once."""
    row = (coin.output_id, coin.output.encoded, coin.output.tag or b"", payer.encode() if payer else None)
    enter = "INSERT OR IGNORE INTO waiting (output_id, output, tag, payer) VALUES (?, ?, ?, ?)"
    connection.execute(enter, row)


def take(connection: Connection, tag: bytes) -> list[Coin]:
    """The coins that wait with a tag, which leave here."""
    mine = "FROM waiting WHERE tag = ? AND spent_by IS NULL"
    rows = connection.execute(f"SELECT output_id, output {mine}", (tag,)).fetchall()
    connection.execute(f"DELETE {mine}", (tag,))
    return [Coin(output_id, OUTPUTS.decode(Reader(output))) for output_id, output in rows]


def is_known(connection: Connection, output_id: bytes) -> bool:
    """Whether a coin is in the books, here or as one of an order."""
    query = "SELECT 1 FROM coins WHERE output_id = ? UNION ALL SELECT 1 FROM waiting WHERE output_id = ?"
    return connection.execute(query, (output_id, output_id)).fetchone() is not None


def unordered(connection: Connection) -> Iterator[Unordered]:
    """Coins without an order that nothing spends yet."""
    rows = connection.execute("SELECT output_id, output, tag, payer FROM waiting WHERE spent_by IS NULL")
    for output_id, output, tag, payer in rows.fetchall():
        if journal.order_tagged(connection, tag) is None:
            sender = ADDRESSES.decode(Reader(payer)) if payer else None
            yield Unordered(Coin(output_id, OUTPUTS.decode(Reader(output))), sender)


def send_on(connection: Connection, to: Address | None, key: KeyPair, parameters: ProtocolParameters) -> None:
    """Sign transactions that send all coins without an order to an address, or each to its payer without one.

    Coins whose payer is not known stay where they are.
    """
    for_whom: defaultdict[Address, list[Coin]] = defaultdict(list)
    for one in unordered(connection):
        receiver = to or one.payer
        if receiver is not None:
            for_whom[receiver].append(one.coin)
    for receiver, coins in for_whom.items():
        for start in range(0, len(coins), INPUTS_MAX):
            part = coins[start : start + INPUTS_MAX]
            output = BasicOutput.to(receiver, sum(coin.amount for coin in part))
            transaction = sign_transfer(part, [output], lambda _: key, key.address, parameters, NOTE)
            connection.execute("INSERT INTO onward VALUES (?, ?, NULL)", (transaction.id, transaction.encoded))
            spent = [(transaction.id, coin.output_id) for coin in part]
            connection.executemany("UPDATE waiting SET spent_by = ? WHERE output_id = ?", spent)


def due(connection: Connection) -> list[Transaction]:
    """Transactions that are to be posted."""
    rows = connection.execute("SELECT payload FROM onward WHERE milestone IS NULL")
    return [Transaction.decode(Reader(payload)) for (payload,) in rows]


def note_included(connection: Connection, transaction_id: bytes, milestone: int) -> bool:
    """Note that a transaction is in the ledger; False where it is none of these."""
    connection.execute("DELETE FROM waiting WHERE spent_by = ?", (transaction_id,))
    note = "UPDATE onward SET milestone = ? WHERE transaction_id = ?"
    return bool(connection.execute(note, (milestone, transaction_id)).rowcount)
