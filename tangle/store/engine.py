"""Opening the database that a URL names, and bringing its schema up to date.

Everything that only SQLite understands is here. Files run in WAL mode, so that readers never block the writer nor
the writer them, with `synchronous=FULL`, so that a commit is on the disk before it returns: acknowledged means
durable. The driver's own transaction handling is switched off and BEGIN emitted instead: a reader then sees one
snapshot for the length of its transaction, DDL is transactional, and `writing` takes the write lock at once
(BEGIN IMMEDIATE) rather than fail half way at the first INSERT.
Source: https://sqlite.org/wal.html, https://sqlite.org/pragma.html, SQLAlchemy's notes on the sqlite3 driver.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from alembic.command import upgrade
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from tangle.protocol.parameters import ProtocolParameters
from tangle.store import tables
from tangle.store.errors import DatabaseDamaged, OtherNetwork, UnknownRevision

READERS_MAX = 100
"""simultaneous read connections; wallets send this many requests at once while they recover"""
POOL_SIZE = 16
"""connections kept open when idle"""
POOL_WAIT_S = 30
BUSY_TIMEOUT_MS = 15_000
CACHE_KIB = 8_192
"""page cache of one connection; it grows as pages are read"""
WAL_PAGES = 4_000
"""pages of 4 KiB after which a commit also moves the log into the database"""
WAL_KEPT_BYTES = 64 * 2**20
"""the log file is cut to this size when it has been moved"""
_PRAGMAS = (
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"cache_size=-{CACHE_KIB}",
    f"wal_autocheckpoint={WAL_PAGES}",
    f"journal_size_limit={WAL_KEPT_BYTES}",
)
_WRITES = "tangle_writes"
_MEMORY = frozenset({None, "", ":memory:"})
"""names of a database that is no file"""


def open_engine(url: str) -> Engine:
    """The engine for an SQLAlchemy URL: ``sqlite:///path``, ``sqlite://`` (memory) or ``postgresql+psycopg://…``.

    A database in memory has one connection, which its users take in turn: hold none while you open another.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_size=POOL_SIZE, max_overflow=READERS_MAX, pool_timeout=POOL_WAIT_S)
    return _open_sqlite(url, in_memory=parsed.database in _MEMORY)


class OwnConnection:
    """A connection that one thread keeps open: what it does waits for no pool, and for no file descriptor.

    A database in memory has a single connection for all, which is not kept but taken in turn.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._held = None if _in_memory(engine) else engine.connect()

    def close(self) -> None:
        """Give the connection back."""
        if self._held is not None:
            self._held.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that reads."""
        with self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: committed when the block ends, rolled back when it raises."""
        with self._transaction(writes=True) as connection:
            yield connection

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        if self._held is None:
            with self.engine.connect() as connection, _begun(connection, writes=writes):
                yield connection
            return
        try:
            with _begun(self._held, writes=writes):
                yield self._held
        except BaseException:
            self._reset(self._held)
            raise

    def _reset(self, connection: Connection) -> None:
        """End what a failure left open, as a pool does with what comes back; open it anew where that fails too."""
        try:
            raw = connection.connection.dbapi_connection
            if raw is not None:
                raw.rollback()
        except Exception:
            with suppress(Exception):
                connection.invalidate()


def file_of(url: str) -> Path | None:
    """The file of a database; None where it is none of SQLite's, or in memory."""
    parsed = make_url(url)
    path = parsed.database if parsed.get_backend_name() == "sqlite" else None
    return None if path in _MEMORY else Path(str(path))


@contextmanager
def writing(place: Engine | OwnConnection) -> Iterator[Connection]:
    """A transaction that writes: committed when the block ends, rolled back when it raises."""
    if isinstance(place, OwnConnection):
        with place.writing() as connection:
            yield connection
    else:
        with place.connect() as connection, _begun(connection, writes=True):
            yield connection


@contextmanager
def _begun(connection: Connection, *, writes: bool) -> Iterator[None]:
    connection.execution_options(**{_WRITES: writes})
    with connection.begin() as transaction:
        yield
        if not writes:
            transaction.rollback()


def warm(engine: Engine) -> None:
    """Open the connections that readers will need: later there may be no file descriptor left to open one."""
    if not _in_memory(engine):
        with ExitStack() as held:
            for _ in range(POOL_SIZE - 1):
                held.enter_context(engine.connect())


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision, all or nothing.

    Raises
    ------
    DatabaseDamaged : the file has lost its end
    UnknownRevision
    """
    if engine.dialect.name == "sqlite":
        _check_size(engine)
    config = Config()
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    with writing(engine) as connection:
        _check_revision(connection, script)
        config.attributes["connection"] = connection
        upgrade(config, "head")


def check_pages(engine: Engine, most_bytes: int | None = None) -> None:
    """Have SQLite look through all pages and indexes, unless there are more than `most_bytes`.

    Raises
    ------
    DatabaseDamaged : it names the first fault
    """
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
        size = connection.exec_driver_sql("PRAGMA page_size").scalar() or 0
        if most_bytes is not None and pages * size > most_bytes:
            return
        found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
    if found != "ok":
        raise DatabaseDamaged(str(found))


def check_network(engine: Engine, parameters: ProtocolParameters) -> None:
    """Raise OtherNetwork when the database holds a network whose parameters are not `parameters`."""
    with engine.connect() as connection:
        stored = connection.execute(select(tables.network.c.parameters)).scalar()
    if stored is None:
        return
    here = ProtocolParameters.decode(stored)
    names = [name for name in parameters.__dataclass_fields__ if getattr(here, name) != getattr(parameters, name)]
    if names:
        raise OtherNetwork(
            here.network_name, {name: (getattr(here, name), getattr(parameters, name)) for name in names}
        )


def _in_memory(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite" and engine.url.database in _MEMORY


def _open_sqlite(url: str, *, in_memory: bool) -> Engine:
    size, overflow = (1, 0) if in_memory else (POOL_SIZE, READERS_MAX + 1 - POOL_SIZE)
    engine = create_engine(
        url,
        connect_args={"check_same_thread": False},
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=overflow,
        pool_timeout=POOL_WAIT_S,
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _check_size(engine: Engine) -> None:
    """Raise DatabaseDamaged when the file is shorter than the pages it should hold.

    SQLite notices whole pages that are missing, but reads a last page that is there in part as if the rest of it
    were zeros. Pages that only the log holds yet are moved into the file first; where another process keeps them
    from being moved, nothing can be said.
    """
    path = file_of(engine.url.render_as_string(hide_password=False))
    if path is None:
        return
    try:
        with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            (page_bytes,) = cursor.execute("PRAGMA page_size").fetchone()
            (pages,) = cursor.execute("PRAGMA page_count").fetchone()
            _, logged, moved = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    except sqlite3.Error:
        # What cannot be read at all is met, and told, by the reading that follows.
        return
    size = path.stat().st_size
    if logged == moved and size < pages * page_bytes:
        raise DatabaseDamaged(f"{size} bytes are left of {pages * page_bytes}")


def _migrations() -> Path:
    """In a checkout this is a link to the top, where Alembic's own commands look for them."""
    return Path(__file__).with_name("migrations")


def _check_revision(connection: Connection, script: ScriptDirectory) -> None:
    newest = str(script.get_current_head())
    known = {revision.revision for revision in script.walk_revisions()}
    found = MigrationContext.configure(connection).get_current_heads()
    for revision in found:
        if revision not in known:
            raise UnknownRevision(f"revision {revision!r}", newest)
    if not found:
        present = set(inspect(connection).get_table_names()) & set(tables.metadata.tables)
        if present:
            raise UnknownRevision(f"no revision although it has a table {min(present)!r}", newest)
