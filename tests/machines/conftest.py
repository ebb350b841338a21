"""What the tests of the machines share: an open journal and a ledger."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tangle.disk.books import Book
from tangle.machines.journal import open_journal
from tests.machines.tables import MACHINE, PARAMETERS, TableLedger


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = open_journal(tmp_path / "machine.db", MACHINE.address.encode(), PARAMETERS.network_id)
    yield book
    book.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[TableLedger]:
    ledger = TableLedger(tmp_path / "ledger.db")
    yield ledger
    ledger.close()
