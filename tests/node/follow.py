"""Building a ledger anew from the blocks of another: in this process, or as a program.

``python -m tests.node.follow BLOCKS DATABASE``: makes the same test network in the new file DATABASE, attaches
every block of the file BLOCKS in order, and prints one JSON object: what came out, milestone by milestone.
"""

from __future__ import annotations

import json
import random
import struct
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from tangle.node import Receipt
from tangle.protocol.blocks import Block
from tangle.protocol.merkle import merkle_root
from tangle.store import journal, queries, tables
from tangle.store.journal import Inclusion
from tests.networks import Alone, open_node
from tests.node.histories import PARAMETERS

Arrived = tuple[int, bytes]
"""arrival time (ms) and bytes of a block"""


def arrived(node: Alone) -> list[Arrived]:
    """Every block of `node`, in the order of attaching."""
    with node.engine.connect() as connection:
        return [(row.received_at, row.data) for row, _ in journal.replay(connection)]


def follow(path: Path, blocks: Iterable[Arrived], rng: random.Random) -> Alone:
    """A node on the new file `path` that got `blocks`, in batches of random size."""
    node = open_node(path, parameters=PARAMETERS)
    for moment, group in groupby(blocks, key=lambda block: block[0]):
        waiting = [Block.decode(data) for _, data in group]
        while waiting:
            size = rng.randint(1, len(waiting))
            batch, waiting = waiting[:size], waiting[size:]
            answers = node.add(batch, moment).answers
            assert all(isinstance(answer, Receipt) for answer in answers), answers
    return node


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in order of the primary keys.

    But for what each journal has of its own: its name, and the seals, one for each of its commits.
    """
    own = tables.network.c.store_id
    with engine.connect() as connection:
        return {
            name: [
                tuple(row)
                for row in connection.execute(
                    select(*(column for column in table.c if column is not own)).order_by(*table.primary_key)
                )
            ]
            for name, table in tables.metadata.tables.items()
            if table is not tables.seals
        }


def told(node: Alone) -> dict[str, Any]:
    """Milestone ids, and the applied root of each as the tables of `node` have it."""
    milestones = []
    with node.engine.connect() as connection:
        for row in journal.replay_milestones(connection):
            records = queries.milestone_blocks(connection, row.index)
            applied = [
                record.block.block_id
                for record in records
                if record.referenced and record.referenced.inclusion == Inclusion.INCLUDED
            ]
            milestones.append([row.index, row.milestone_id.hex(), merkle_root(applied).hex()])
        unspent = journal.unspent_total(connection)
    return {"milestones": milestones, "unspent": unspent}


def write(path: Path, blocks: Sequence[Arrived]) -> None:
    """Keep blocks in a file."""
    path.write_bytes(b"".join(struct.pack("<QI", moment, len(data)) + data for moment, data in blocks))


def read(path: Path) -> Iterable[Arrived]:
    """The blocks in a file."""
    data, start = path.read_bytes(), 0
    while start < len(data):
        moment, size = struct.unpack_from("<QI", data, start)
        start += 12 + size
        yield moment, data[start - size : start]


def main() -> None:
    """Run as the module says."""
    blocks, database = map(Path, sys.argv[1:])
    node = follow(database, read(blocks), random.Random(0))
    try:
        print(json.dumps(told(node)))
    finally:
        node.close()


if __name__ == "__main__":
    main()
