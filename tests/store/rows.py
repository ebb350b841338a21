"""Sample rows for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from tangle.protocol.milestones import MilestoneKeys
from tangle.protocol.parameters import ProtocolParameters
from tangle.store.engine import migrate, open_engine
from tangle.store.journal import BlockRow, MilestoneRow, Network, OutputRow

PARAMETERS = ProtocolParameters()
FOUNDED_AT = 1_000
NETWORK = Network(PARAMETERS, MilestoneKeys((b"\x01" * 32, b"\x02" * 32), 2), FOUNDED_AT)


def opened(folder: Path) -> Engine:
    engine = open_engine(f"sqlite:///{folder / 'node.db'}")
    migrate(engine)
    return engine


@contextmanager
def in_memory() -> Iterator[Engine]:
    """A migrated database in memory, closed whatever happens: a drawn example may end anywhere."""
    engine = open_engine("sqlite://")
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()


def name(number: int, size: int = 32) -> bytes:
    """Bytes that sort as their numbers do."""
    return number.to_bytes(size, "big")


def a_block(number: int, tag: bytes | None = None) -> BlockRow:
    return BlockRow(number, name(number), b"block %d" % number, 5 if tag else None, tag, 1_700_000_000_000)


def a_milestone(index: int, number: int, block_number: int) -> MilestoneRow:
    return MilestoneRow(index, number, name(index), block_number, FOUNDED_AT + 10 * index, b"payload")


def an_output(
    number: int,
    created_index: int,
    *,
    amount: int = 1,
    address: bytes = b"a" * 33,
    sender: bytes | None = None,
    tag: bytes | None = None,
) -> OutputRow:
    created_at = FOUNDED_AT + 10 * created_index
    return OutputRow(
        name(number, 34), name(number), 3, amount, b"data", address, sender, tag, created_index, created_at
    )


GENESIS = an_output(0, 0, amount=PARAMETERS.token_supply)
