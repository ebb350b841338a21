"""A database that an earlier version wrote is brought up to date with everything in it.

`tests/vectors/database-0001.db.xz` is one of revision 0001, as the node of stage 1 left it: payments with senders,
tags and metadata, spent and unspent, conflicts, milestones and confidence.
"""

from __future__ import annotations

import lzma
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.command import downgrade
from alembic.config import Config
from sqlalchemy import Engine

from tangle.audit import audit
from tangle.protocol.outputs import OUTPUTS, BasicOutput
from tangle.protocol.serial import Reader
from tangle.store import journal, queries
from tangle.store.engine import migrate, open_engine, writing
from tangle.store.queries import AnyFilter, BasicFilter
from tests.networks import HOLDER, T0, Coin, Key, block_on, open_node, spend

VECTOR = Path(__file__).parents[1] / "vectors" / "database-0001.db.xz"
ADDED = {
    "governor": None,
    "issuer": None,
    "native_tokens": 0,
    "return_address": None,
    "timelock": None,
    "expiration": None,
    "expiration_address": None,
    "chain_id": None,
}
"""column that revision 0002 brought -> what a basic output without conditions has in it"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    unpacked = tmp_path / "node.db"
    unpacked.write_bytes(lzma.decompress(VECTOR.read_bytes()))
    return unpacked


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    opened = open_engine(f"sqlite:///{path}")
    migrate(opened)
    yield opened
    opened.dispose()


def contents(path: Path) -> dict[str, list[dict[str, object]]]:
    """Table -> its rows by column name, but for the revision."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        names = [row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: sorted((dict(row) for row in connection.execute(f"SELECT * FROM {name}")), key=str)
            for name in names
            if name != "alembic_version"
        }


def indexes(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(
            connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL")
        )


def test_everything_is_kept_and_the_new_columns_are_what_basic_outputs_have(path: Path) -> None:
    before = contents(path)
    assert len(before["outputs"]) > 15
    assert all(any(row[column] is not None for row in before["outputs"]) for column in ("sender", "tag"))
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    after = contents(path)
    assert all(len(str(row.pop("store_id"))) == 32 for row in after["network"])
    assert [row["number"] for row in after.pop("seals")] == [0, 148]
    assert {name: rows for name, rows in after.items() if name != "outputs"} == {
        name: rows for name, rows in before.items() if name != "outputs"
    }
    assert {row["output_id"]: row for row in after["outputs"]} == {
        row["output_id"]: {**row, **ADDED} for row in before["outputs"]
    }


def test_an_upgraded_database_has_the_schema_of_a_new_one(path: Path, engine: Engine, tmp_path: Path) -> None:
    new = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    migrate(new)
    new.dispose()
    assert indexes(path) == indexes(tmp_path / "new.db")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_the_audit_proves_an_upgraded_database(engine: Engine) -> None:
    report = audit(engine)
    assert (report.transactions, report.conflicts, report.outputs) == (11, 7, 19)


def test_the_indexer_finds_what_was_there_before(engine: Engine) -> None:
    with engine.connect() as connection:
        unspent = [row for row in journal.all_outputs(connection) if row.spent_index is None]
        everything = queries.unspent_outputs(connection, AnyFilter(), None, 1000)
        assert set(everything.items) == {row.output_id for row in unspent}
        asked = 0
        for row in unspent:
            output = OUTPUTS.decode(Reader(row.data))
            address = output.owner.encode()
            found = queries.unspent_outputs(connection, BasicFilter(unlockable_by=address), None, 1000)
            assert set(found.items) == {one.output_id for one in unspent if one.address == address}
            assert row.output_id in found.items
            for chosen in (
                BasicFilter(sender=output.sender.encode()) if output.sender else None,
                BasicFilter(tag=output.tag) if output.tag else None,
            ):
                if chosen is not None:
                    asked += 1
                    assert row.output_id in queries.unspent_outputs(connection, chosen, None, 1000).items
    assert asked > 1


def test_a_node_goes_on_with_an_upgraded_database(path: Path) -> None:
    node = open_node(path)
    bob = Key.named("bob")
    with node.engine.connect() as connection:
        page = queries.unspent_outputs(connection, BasicFilter(address=HOLDER.address.encode()), None, 1)
        row = queries.output(connection, page.items[0])
    assert row is not None
    coin = Coin(row.output_id, OUTPUTS.decode(Reader(row.data)), HOLDER)
    payment = spend([coin], [BasicOutput.to(bob.address, row.amount)])
    node.add([block_on(node.reading.tips(), payment)], (T0 + 100) * 1000)
    node.issue_milestone(T0 + 100)
    report = audit(node.engine)
    assert report.transactions == 12
    with node.engine.connect() as connection:
        assert queries.output(connection, payment.output_id(0)) is not None


def test_the_way_back_leads_to_the_schema_it_came_from(path: Path) -> None:
    before, schema = contents(path), indexes(path)
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    assert indexes(path) != schema
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[2] / "alembic"))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        downgrade(config, "0001")
    engine.dispose()
    assert contents(path) == before
    assert indexes(path) == schema
