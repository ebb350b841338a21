"""Seals: a change at rest in any column that counts is noticed by the audit, and by a start where it is recent."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tangle.audit import audit
from tangle.errors import TangleError
from tangle.protocol.outputs import BasicOutput
from tangle.store import seals
from tangle.store.errors import AuditFailed, DatabaseDamaged
from tests.networks import HOLDER, PARAMETERS, T0, block_on, genesis_coin, note, open_node, spend

CHANGES = {
    "when a block came": "UPDATE blocks SET received_at = received_at + 1 WHERE number = 4",
    "tag": "UPDATE blocks SET tag = x'6e6f7464' WHERE tag IS NOT NULL",
    "kind": "UPDATE blocks SET payload_type = 4 WHERE payload_type = 5",
    "walks": "UPDATE crossings SET hits = hits - 1",
    "order": "UPDATE referenced SET number = -number",
    "total": "UPDATE seals SET total = total + 1 WHERE number = (SELECT max(number) FROM seals)",
    "network": "UPDATE network SET created_at = created_at + 1",
    "key": "UPDATE network SET threshold = 2",
    "store": "UPDATE network SET store_id = replace(store_id, substr(store_id, 1, 1), 'x')",
}
"""of what a start checks as well"""
LEDGER = {
    "carrier": "UPDATE outputs SET block_id = zeroblob(32) WHERE created_index > 0",
    "created": "UPDATE outputs SET created_at = created_at + 1",
    "spent at": "UPDATE outputs SET spent_at = spent_at + 1 WHERE spent_index IS NOT NULL",
    "spent by": "UPDATE outputs SET spent_by = zeroblob(32) WHERE spent_index IS NOT NULL",
    "transaction": "UPDATE transactions SET milestone_index = milestone_index + 1",
    "lost transaction": "DELETE FROM transactions",
}
"""of what follows from blocks"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    node = open_node(tmp_path / "t.db")
    payment = spend([genesis_coin()], [BasicOutput.to(HOLDER.address, PARAMETERS.token_supply)])
    node.add([block_on(node.reading.tips(), payment), block_on(node.reading.tips(), note("x"))], T0 * 1000)
    node.issue_milestone(T0 + 1)
    node.sample_confidence()
    audit(node.engine)
    node.close()
    return tmp_path / "t.db"


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement).rowcount > 0


@pytest.mark.parametrize("statement", [*CHANGES.values(), *LEDGER.values()], ids=[*CHANGES, *LEDGER])
def test_the_audit_notices_it(path: Path, statement: str) -> None:
    node = open_node(path)
    change(path, statement)
    with pytest.raises(AuditFailed):
        audit(node.engine)


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES.keys())
def test_a_start_notices_it(path: Path, statement: str) -> None:
    change(path, statement)
    with pytest.raises(TangleError):
        open_node(path)


def test_a_flipped_page_is_noticed(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        root, size = (
            connection.execute(
                "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master WHERE name = ?",
                ("uq_blocks_block_id",),
            ).fetchone()
            or connection.execute(
                "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master "
                "WHERE tbl_name = 'blocks' AND type = 'index' LIMIT 1"
            ).fetchone()
        )
    whole[(root - 1) * size + size - 5] ^= 1
    path.write_bytes(whole)
    with pytest.raises((DatabaseDamaged, AuditFailed)):
        open_node(path)


def test_only_the_newest_numbers_are_checked_where_that_is_asked(path: Path) -> None:
    node = open_node(path)
    change(path, "UPDATE blocks SET received_at = 1 WHERE number = (SELECT min(number) FROM blocks)")
    with node.engine.connect() as connection:
        seals.check(connection, 1)
        with pytest.raises(DatabaseDamaged, match="events 1 to"):
            seals.check(connection)


def test_the_sum_of_a_row_stays_what_it_is() -> None:
    assert seals.row_sum((1, bytes(32), b"data", None, -5, 1_700_000_000_000)) == 4175167467
