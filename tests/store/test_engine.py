from __future__ import annotations

import logging
from dataclasses import fields, replace
from pathlib import Path
from threading import Barrier, Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, Table, inspect, text

from tangle.protocol.parameters import ProtocolParameters
from tangle.store import tables
from tangle.store.engine import READERS_MAX, check_network, migrate, open_engine, writing
from tangle.store.errors import NetworkExists, OtherNetwork, UnknownRevision, UnusableNetwork
from tangle.store.journal import (
    Batch,
    BlockRow,
    CrossingRow,
    MilestoneRow,
    OutputRow,
    ReferencedRow,
    TransactionRow,
    create_network,
    next_number,
    read_network,
    unspent_total,
    write,
)
from tests.store.rows import GENESIS, NETWORK, PARAMETERS, a_block, opened


def pragma(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_a_file_is_opened_durable_and_in_wal_mode(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    full = 2
    assert pragma(engine, "journal_mode") == "wal"
    assert pragma(engine, "synchronous") == full
    assert pragma(engine, "foreign_keys") == 1
    engine.dispose()


def test_migrations_build_the_tables_of_the_metadata(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
        inspected = inspect(connection)
        for table in tables.metadata.sorted_tables:
            built = {
                str(index["name"]): str(index["dialect_options"].get("sqlite_where", ""))
                for index in inspected.get_indexes(table.name)
            }
            wanted = {
                str(index.name): str(where.compile(engine)).replace(f"{table.name}.", "")
                if (where := index.dialect_options["sqlite"]["where"]) is not None
                else ""
                for index in table.indexes
            }
            assert built == wanted
        assert len(inspected.get_check_constraints("network")) == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("row", "table"),
    [
        (BlockRow, tables.blocks),
        (ReferencedRow, tables.referenced),
        (MilestoneRow, tables.milestones),
        (TransactionRow, tables.transactions),
        (OutputRow, tables.outputs),
        (CrossingRow, tables.crossings),
    ],
)
def test_row_fields_are_the_columns_in_their_order(row: type, table: Table) -> None:
    assert [field.name for field in fields(row)] == [column.name for column in table.columns]


def test_migrating_again_changes_nothing_and_leaves_logging_alone(tmp_path: Path) -> None:
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    disabled = logging.getLogger("tangle.test").disabled
    engine = opened(tmp_path)
    migrate(engine)
    assert logging.getLogger().handlers == handlers
    assert logging.getLogger().level == level
    assert logging.getLogger("tangle.test").disabled == disabled
    engine.dispose()


def test_a_path_with_a_percent_sign_is_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "100%d"
    folder.mkdir()
    engine = opened(folder)
    assert (folder / "node.db").exists()
    engine.dispose()


def test_an_unknown_revision_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from_the_future'"))
    with pytest.raises(UnknownRevision, match=r"'from_the_future'.*run the version that wrote"):
        migrate(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "from_the_future"
    engine.dispose()


def test_tables_without_a_revision_are_refused(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'node.db'}")
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE blocks (x INTEGER)"))
    with pytest.raises(UnknownRevision, match="table 'blocks'"):
        migrate(engine)
    engine.dispose()


def test_a_network_is_read_back_and_never_overwritten(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    assert read_network(engine) is None
    check_network(engine, PARAMETERS)
    create_network(engine, NETWORK, GENESIS)
    found = read_network(engine)
    assert found is not None
    assert replace(found, store_id="") == NETWORK
    check_network(engine, PARAMETERS)
    with engine.connect() as connection:
        assert unspent_total(connection) == PARAMETERS.token_supply
    with pytest.raises(NetworkExists):
        create_network(engine, NETWORK, GENESIS)
    engine.dispose()


def test_another_network_is_refused_naming_what_differs(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    create_network(engine, NETWORK, GENESIS)
    with pytest.raises(OtherNetwork, match="network_name is 'tangle-local', not 'other'") as caught:
        check_network(engine, replace(PARAMETERS, network_name="other"))
    assert set(caught.value.differences) == {"network_name"}
    with pytest.raises(OtherNetwork, match="min_pow_score is 100, not 7"):
        check_network(engine, replace(PARAMETERS, min_pow_score=7))
    engine.dispose()


def test_amounts_are_exact_up_to_the_largest_supply(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    for supply, amount in ((2**63, 2**63), (2**64 - 1, 2**64 - 1), (1000, 999)):
        network = replace(NETWORK, parameters=ProtocolParameters(token_supply=supply))
        with pytest.raises(UnusableNetwork):
            create_network(engine, network, replace(GENESIS, amount=amount))
    assert read_network(engine) is None
    largest = replace(NETWORK, parameters=ProtocolParameters(token_supply=tables.SUPPLY_MAX))
    create_network(engine, largest, replace(GENESIS, amount=tables.SUPPLY_MAX))
    with engine.connect() as connection:
        assert unspent_total(connection) == 2**63 - 1
    engine.dispose()


def test_readers_keep_their_snapshot_and_never_block_the_writer(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    write(engine, Batch(blocks=[a_block(1)]))
    with engine.connect() as reader:
        assert next_number(reader) == 2
        write(engine, Batch(blocks=[a_block(2)]))
        assert next_number(reader) == 2
    with writing(engine) as writer, engine.connect() as reader:
        writer.execute(tables.blocks.insert(), [vars(a_block(3))])
        assert next_number(reader) == 3
    with engine.connect() as reader:
        assert next_number(reader) == 4
    engine.dispose()


def test_a_raise_rolls_everything_back_schema_included(tmp_path: Path) -> None:
    engine = opened(tmp_path)

    def fail_late() -> None:
        with writing(engine) as connection:
            connection.execute(text("CREATE TABLE passing (x INTEGER)"))
            connection.execute(tables.blocks.insert(), [vars(a_block(1))])
            raise TimeoutError

    with pytest.raises(TimeoutError):
        fail_late()
    with engine.connect() as connection:
        assert "passing" not in inspect(connection).get_table_names()
        assert next_number(connection) == 1
    engine.dispose()


def test_as_many_readers_as_promised_read_at_once_while_one_writes(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    write(engine, Batch(blocks=[a_block(1)]))
    together, seen = Barrier(READERS_MAX + 1, timeout=60), []

    def read() -> None:
        with engine.connect() as connection:
            together.wait()
            seen.append(next_number(connection))

    readers = [Thread(target=read) for _ in range(READERS_MAX)]
    for reader in readers:
        reader.start()
    with writing(engine) as connection:
        together.wait()
        connection.execute(tables.blocks.insert(), [vars(a_block(2))])
    for reader in readers:
        reader.join(60)
    assert len(seen) == READERS_MAX
    assert set(seen) <= {2, 3}
    engine.dispose()


def test_a_database_in_memory_is_shared_by_threads_in_turn() -> None:
    engine = open_engine("sqlite://")
    migrate(engine)

    def add(number: int) -> None:
        write(engine, Batch(blocks=[a_block(number)]))

    writers = [Thread(target=add, args=(number,)) for number in range(1, 9)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    with engine.connect() as connection:
        assert next_number(connection) == 9
    engine.dispose()
