"""A Tangle of one table: what a victim and its readers share through a file, and through crashes."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from pathlib import Path

from tangle.client.errors import NodeUnreachable
from tangle.mam import Channel, Event, Reader
from tangle.protocol.parameters import ProtocolParameters


class TableCarrier:
    """Keeps what is posted in an SQLite file; `fail` makes the next posts fail, before or after they are kept."""

    def __init__(self, path: Path, *, delay_s: float = 0.0) -> None:
        self._connection = sqlite3.connect(path, timeout=10, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS posts (number INTEGER PRIMARY KEY, tag BLOB, data BLOB, block_id BLOB)"
        )
        self._delay_s = delay_s
        self.fail_before = 0
        self.fail_after = 0
        self.network = ProtocolParameters()

    async def post(self, tag: bytes, data: bytes) -> bytes:
        await asyncio.sleep(self._delay_s)
        if self.fail_before:
            self.fail_before -= 1
            raise NodeUnreachable("table", "told to fail")
        count = self._connection.execute("SELECT count(*) FROM posts").fetchone()[0]
        block_id = hashlib.sha256(b"%d" % count + data).digest()
        self._connection.execute("INSERT INTO posts (tag, data, block_id) VALUES (?, ?, ?)", (tag, data, block_id))
        if self.fail_after:
            self.fail_after -= 1
            raise NodeUnreachable("table", "told to fail once it is done")
        await asyncio.sleep(self._delay_s)
        return block_id

    async def parameters(self) -> ProtocolParameters:
        return self.network

    def posts(self) -> list[tuple[bytes, bytes, bytes]]:
        """Tag, data and id of all posts, in order."""
        return list(self._connection.execute("SELECT tag, data, block_id FROM posts ORDER BY number"))

    def close(self) -> None:
        self._connection.close()


def read(carrier: TableCarrier, channel: Channel, reader: Reader | None = None) -> list[Event]:
    """What a reader finds out, by default one with the writer's knowledge, until nothing is new."""
    reader = reader or channel.reader()
    events: list[Event] = []
    looked: set[bytes] = set()
    while wanted := [address for address in reader.addresses if address not in looked]:
        looked.add(wanted[0])
        for tag, data, block_id in carrier.posts():
            if tag == wanted[0]:
                events += reader.take(tag, data, block_id)
    return events
