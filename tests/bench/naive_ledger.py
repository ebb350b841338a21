"""The obvious way to apply transactions, for scale: one after the other, each with a commit of its own.

Each transaction is decoded, its signature verified, its inputs looked up and its outputs written, as by a ledger
that meets it only now. Base coins and signatures are all it checks; it keeps no Tangle, no history and no events.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.blocks import Block
from tangle.protocol.outputs import OUTPUTS, Output
from tangle.protocol.serial import Reader
from tangle.protocol.signatures import verify
from tangle.protocol.transactions import Transaction


class Ledger:
    """A fresh ledger in the file `path`; a context manager that closes it."""

    def __init__(self, path: Path) -> None:
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=FULL")
        self.database.execute("CREATE TABLE outputs (id BLOB PRIMARY KEY, data BLOB NOT NULL, spent_by BLOB)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    def begin(self, unspent: Iterable[tuple[bytes, Output]]) -> None:
        """Fill it with outputs, by id."""
        self.database.execute("BEGIN")
        for output_id, output in unspent:
            self._create(output_id, output)
        self.database.execute("COMMIT")

    def apply(self, data: bytes) -> bool:
        """Apply the transaction in an encoded block; whether it did."""
        payload = Block.decode(data).payload
        if not isinstance(payload, Transaction):
            return False
        self.database.execute("BEGIN IMMEDIATE")
        valid = self._spend(payload)
        for index, output in enumerate(payload.essence.outputs):
            self._create(payload.output_id(index), output)
        self.database.execute("COMMIT" if valid else "ROLLBACK")
        return valid

    def _spend(self, transaction: Transaction) -> bool:
        essence, left = transaction.essence, sum(output.amount for output in transaction.essence.outputs)
        for index, consumed in enumerate(essence.inputs):
            query = "SELECT data FROM outputs WHERE id = ? AND spent_by IS NULL"
            found = self.database.execute(query, (consumed.output_id,)).fetchone()
            if found is None:
                return False
            output, signed = OUTPUTS.decode(Reader(found[0])), transaction.signature_of(index)
            if output.owner != Ed25519Address.from_public_key(signed.public_key):
                return False
            if not verify(signed.public_key, signed.signature, essence.hash):
                return False
            change = "UPDATE outputs SET spent_by = ? WHERE id = ?"
            self.database.execute(change, (transaction.id, consumed.output_id))
            left -= output.amount
        return left == 0

    def _create(self, output_id: bytes, output: Output) -> None:
        self.database.execute("INSERT INTO outputs (id, data) VALUES (?, ?)", (output_id, output.encode()))
