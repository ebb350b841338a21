"""What the tests of the machines share: an open journal and a ledger."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tangle.machines.journal import open_journal
from tests.machines.tables import MACHINE, PARAMETERS, TableLedger


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_journal(tmp_path / "machine.db", MACHINE.address.encode(), PARAMETERS.network_id)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[TableLedger]:
    ledger = TableLedger(tmp_path / "ledger.db")
    yield ledger
    ledger.close()
