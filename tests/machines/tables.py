"""A ledger of a few SQLite tables, shared by processes, and the parties that meet in the tests.

It keeps the one rule that matters here: an output exists once and is spent once. A transaction that is posted is
pending first and included by the next look at it, as with a node, so a kill can fall between the two.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

from tangle.client.wallet.selection import Coin
from tangle.machines.follow import ReaderKey
from tangle.machines.terms import Terms
from tangle.parties.errors import PaymentConflicting
from tangle.parties.ledger import Heard
from tangle.protocol.addresses import ADDRESSES, Address
from tangle.protocol.keys import KeyPair
from tangle.protocol.outputs import OUTPUTS, BasicOutput, Output, TagFeature
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import Reader
from tangle.protocol.transactions import Transaction, check_transaction, inputs_commitment

PARAMETERS = ProtocolParameters()
MACHINE, OWNER, CUSTOMER = (KeyPair.of(bytes([n]) * 32) for n in (1, 2, 3))
READER = ReaderKey.of(CUSTOMER)
TERMS = Terms(MACHINE.address, OWNER.address, price=1000, unit_ml=100_000_000, work=0)

_TABLES = """
CREATE TABLE IF NOT EXISTS messages (number INTEGER PRIMARY KEY, tag BLOB, data BLOB);
CREATE TABLE IF NOT EXISTS pending (transaction_id BLOB PRIMARY KEY, payload BLOB, posts INTEGER DEFAULT 1);
CREATE TABLE IF NOT EXISTS included (transaction_id BLOB PRIMARY KEY, milestone INTEGER);
CREATE TABLE IF NOT EXISTS outputs
    (output_id BLOB PRIMARY KEY, output BLOB, address BLOB, tag BLOB, spent_by BLOB);
CREATE TABLE IF NOT EXISTS payers (output_id BLOB PRIMARY KEY, payer BLOB);
"""


class TableLedger:
    """See the module; `delay_s` passes between posting and inclusion."""

    def __init__(self, path: Path, delay_s: float = 0.0) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, timeout=10)
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + _TABLES)
        self.delay_s = delay_s
        self.looks = 0

    def close(self) -> None:
        self.db.close()

    async def parameters(self) -> ProtocolParameters:
        return PARAMETERS

    async def post(self, tag: bytes, data: bytes) -> bytes:
        number = self.db.execute("INSERT INTO messages (tag, data) VALUES (?, ?)", (tag, data)).lastrowid
        assert number is not None
        return number.to_bytes(32, "big")

    async def journal(self) -> bytes:
        return b""

    async def hear(self, tag: bytes, after: int) -> list[Heard]:
        query = "SELECT number, data FROM messages WHERE tag = ? AND number > ? ORDER BY number LIMIT 50"
        return [Heard(*row) for row in self.db.execute(query, (tag, after))]

    async def arrived(
        self, address: Address, after: int, known: Callable[[bytes], bool]
    ) -> tuple[list[Coin], int]:
        self.looks += 1
        query = "SELECT rowid, output_id, output FROM outputs WHERE address = ? AND rowid > ? AND spent_by IS NULL"
        rows = self.db.execute(query + " ORDER BY rowid", (address.encode(), after)).fetchall()
        coins = [Coin(output_id, OUTPUTS.decode(Reader(output))) for _, output_id, output in rows]
        return [coin for coin in coins if not known(coin.output_id)], max((row[0] for row in rows), default=after)

    async def payer(self, coin: Coin) -> Address | None:
        row = self.db.execute("SELECT payer FROM payers WHERE output_id = ?", (coin.output_id,)).fetchone()
        return ADDRESSES.decode(Reader(row[0])) if row else None

    async def include(self, transaction: Transaction) -> int:
        done = "SELECT milestone FROM included WHERE transaction_id = ?"
        row = self.db.execute(done, (transaction.id,)).fetchone()
        if row:
            return int(row[0])
        check_transaction(transaction, PARAMETERS)
        self.db.execute(
            "INSERT INTO pending (transaction_id, payload) VALUES (?, ?) "
            "ON CONFLICT DO UPDATE SET posts = posts + 1",
            (transaction.id, transaction.encoded),
        )
        await asyncio.sleep(self.delay_s)
        self._apply(transaction)
        row = self.db.execute(done, (transaction.id,)).fetchone()
        return int(row[0])

    def _apply(self, transaction: Transaction) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            if self.db.execute("SELECT 1 FROM included WHERE transaction_id = ?", (transaction.id,)).fetchone():
                return
            inputs = [consumed.output_id for consumed in transaction.essence.inputs]
            query = "SELECT output FROM outputs WHERE output_id = ? AND spent_by IS NULL"
            rows = [self.db.execute(query, (output_id,)).fetchone() for output_id in inputs]
            if not all(rows):
                raise PaymentConflicting(transaction.id, "an input was already spent")
            outputs = [OUTPUTS.decode(Reader(row[0])) for row in rows]
            assert inputs_commitment(outputs) == transaction.essence.inputs_commitment
            assert sum(o.amount for o in outputs) == sum(o.amount for o in transaction.essence.outputs)
            spend = "UPDATE outputs SET spent_by = ? WHERE output_id = ?"
            self.db.executemany(spend, [(transaction.id, output_id) for output_id in inputs])
            for index, output in enumerate(transaction.essence.outputs):
                self.mint(output, transaction.output_id(index))
            number = self.db.execute("SELECT count(*) + 1 FROM included").fetchone()[0]
            self.db.execute("INSERT INTO included VALUES (?, ?)", (transaction.id, number))
        finally:
            self.db.execute("COMMIT")

    def mint(self, output: Output, output_id: bytes) -> Coin:
        """Bring an output into being."""
        row = (output_id, output.encoded, output.owner.encode(), output.tag)
        self.db.execute("INSERT INTO outputs VALUES (?, ?, ?, ?, NULL)", row)
        return Coin(output_id, output)

    def pay_in(self, tag: bytes, amount: int, number: int = 0, payer: Address | None = None) -> Coin:
        """A deposit out of nowhere; `number` tells several apart."""
        output = BasicOutput.to(MACHINE.address, amount, *([TagFeature(tag)] if tag else []))
        coin = self.mint(output, bytes(30) + number.to_bytes(2, "big") + b"\x00\x00")
        if payer is not None:
            self.db.execute("INSERT INTO payers VALUES (?, ?)", (coin.output_id, payer.encode()))
        return coin

    def balance(self, address: Address) -> int:
        rows = self.db.execute(
            "SELECT output FROM outputs WHERE address = ? AND spent_by IS NULL", (address.encode(),)
        )
        return sum(OUTPUTS.decode(Reader(row[0])).amount for row in rows)

    def payments(self) -> list[Transaction]:
        """All included transactions with the owner among the receivers."""
        rows = self.db.execute("SELECT payload FROM pending JOIN included USING (transaction_id)")
        found = [Transaction.decode(Reader(row[0])) for row in rows]
        return [one for one in found if OWNER.address in [output.owner for output in one.essence.outputs]]
