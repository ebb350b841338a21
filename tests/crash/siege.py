"""A node under siege: clients of all kinds at work, and round after round something is done to it.

After each round the node is well again by itself, or started again where its process was ended. Then everything it
has acknowledged is in its database, byte for byte; every event was heard once and in order; the ledger adds up and
its roots are right (`tangle audit`). In the end every payment is settled as it must be, the channel is whole
without a fork, and the orders at the machine were paid to the last base unit.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from tangle.audit import audit
from tangle.client.node.rest import NodeClient
from tangle.protocol import answers as client
from tangle.protocol.blocks import Block
from tangle.store import events as store
from tangle.store import queries
from tangle.store.engine import open_engine
from tangle.store.journal import Inclusion
from tests.crash.faults import ENDS, LASTING, NEED_A_DISK, Victim, own_disk
from tests.crash.load import Load
from tests.crash.parties import ChannelWriter, Shop
from tests.e2e.nodes import NodeProcess

DISK_MB = 128
LAST_S = 1.5
"""seconds that faults last, at most"""
ASKED = 30
"""blocks that are asked for over HTTP after each round; all of them are looked up in the database"""
SETTINGS = {
    "min_pow_score": 0,
    "faucet_client_hourly": 1_000_000,
    "readers": 1,
    "log_level": "warning",
}


@dataclass
class Toll:
    """What a siege did and what it counted.

    Attributes
    ----------
    done : how often each fault struck
    """

    done: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    events: int = 0
    payments: int = 0
    messages: int = 0
    orders: int = 0

    def __add__(self, other: Toll) -> Toll:
        counts = (getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__)
        return Toll(*counts)


class Siege:
    """Some rounds against one node.

    Parameters
    ----------
    directory : for everything, made here
    seed : of what is drawn; the same seed draws the same rounds, and timing makes them differ
    """

    def __init__(self, directory: Path, seed: int, tell: Callable[[str], None]) -> None:
        self.rng = random.Random(seed)
        self.toll = Toll()
        self._directory = directory
        self._tell = tell
        self._checked = 0
        self._heard = 0

    async def run(self, rounds: int, names: Collection[str] = ()) -> Toll:
        """Do `rounds` rounds with faults of these names, or with all that can be done here."""
        self._directory.mkdir()
        clock = self._directory / "clock"
        clock.write_text("0")
        with own_disk(self._directory / "disk", DISK_MB) as disk:
            node = NodeProcess(self._directory / "disk" / "data", 1, **SETTINGS)
            node.clock, node.log = clock, self._directory / "node.log"
            victim = Victim(node, clock, disk)
            chosen = [name for name in (*LASTING, *ENDS) if name in names or not names]
            chosen = [name for name in chosen if disk or name not in NEED_A_DISK]
            try:
                await asyncio.to_thread(node.start)
                async with self._at_work(node) as (load, channel, shop):
                    for number in range(rounds):
                        await self._round(number, victim, load, shop, chosen)
                async with NodeClient(node.url) as load.client:
                    await load.settle()
                self.toll.messages = await channel.check()
                self.toll.orders = shop.settled
                assert node.stop() == 0, node.log_end
                self._check(node, load, load.acknowledged)
                self._check_payments(node, load)
            except BaseException as error:
                error.add_note(f"log of the node:\n{node.log_end}")
                raise
            finally:
                node.kill()
        return self.toll

    @asynccontextmanager
    async def _at_work(self, node: NodeProcess) -> AsyncIterator[tuple[Load, ChannelWriter, Shop]]:
        async with NodeClient(node.url) as asking:
            parameters = await asking.parameters()
        load = Load(node.url, parameters, self.rng)
        channel = ChannelWriter(node.url, self._directory / "channel")
        shop = Shop(node.url, self._directory, self.rng)
        async with load.running(), channel.running(), shop.running(parameters.bech32_hrp):
            yield load, channel, shop

    async def _round(self, number: int, victim: Victim, load: Load, shop: Shop, chosen: list[str]) -> None:
        rng = self.rng
        ends = [name for name in chosen if name in ENDS]
        lasting = [name for name in chosen if name in LASTING]
        faults = rng.sample(lasting, min(rng.randrange(4), len(lasting)))
        end = rng.choice([*ends, None]) if faults and ends else rng.choice(ends) if ends else None
        named = [*faults, *([end] if end else [])]
        self._tell(f"round {number + 1}: {', '.join(named)}")
        self.toll.done.update(named)
        await load.acknowledgement()
        with ExitStack() as under:
            for name in faults:
                under.enter_context(LASTING[name](victim, rng))
            await asyncio.sleep(rng.uniform(0, LAST_S))
            if rng.random() < 0.3:
                self.toll.done["party killed"] += 1
                shop.kill()
            if end is not None:
                await asyncio.to_thread(ENDS[end], victim, rng)
        told, milestone = list(load.acknowledged)[self._checked :], load.milestone
        await asyncio.to_thread(victim.node.start if end else victim.node.await_health)
        await load.verify(rng.sample(told, min(len(told), ASKED)), milestone)
        blocks = {block_id: load.acknowledged[block_id] for block_id in told}
        await asyncio.to_thread(self._check, victim.node, load, blocks)
        self._checked += len(told)

    def _check(self, node: NodeProcess, load: Load, blocks: dict[bytes, Block]) -> None:
        """Hold the database against what was told."""
        # Taken before the database is looked at: what is heard is there, and may have come since the look.
        heard = list(load.events)
        engine = open_engine(f"sqlite:///{node.data / 'tangle.db'}")
        try:
            audit(engine)
            with engine.connect() as connection:
                records = queries.records_by_ids(connection, blocks)
                self._check_events(connection, heard)
        finally:
            engine.dispose()
        kept = {block_id: record.block.data for block_id, record in records.items()}
        assert kept == {block_id: block.encoded for block_id, block in blocks.items()}
        self.toll.acknowledged, self.toll.events = len(load.acknowledged), len(heard)

    def _check_events(self, connection: Connection, heard: list[client.Event]) -> None:
        after, new = self._heard, heard[self._heard :]
        assert [event.number for event in new] == list(range(after + 1, after + 1 + len(new)))
        written = [_named(event) for event in queries.events(connection, after, len(new))]
        for number, event in enumerate(new):
            there = written[number] if number < len(written) else "nothing"
            assert _named(event) == there, f"heard {event} as event {number} of {len(new)}, written is {there}"
        self._heard = len(heard)

    def _check_payments(self, node: NodeProcess, load: Load) -> None:
        engine = open_engine(f"sqlite:///{node.data / 'tangle.db'}")
        try:
            with engine.connect() as connection:
                for blocks, inclusion in (
                    (load.payments, Inclusion.INCLUDED),
                    (load.rivals, Inclusion.CONFLICTING),
                ):
                    assert _inclusions(connection, blocks) == {inclusion}
        finally:
            engine.dispose()
        self.toll.payments = len(load.payments)


def _inclusions(connection: Connection, block_ids: Iterable[bytes]) -> set[int | None]:
    records = queries.records_by_ids(connection, list(block_ids)).values()
    return {record.referenced.inclusion if record.referenced else None for record in records}


def _named(event: store.Event | client.Event) -> tuple[int, bytes]:
    """Number and id, which say the same of an event heard and of one written down."""
    if isinstance(event, store.MilestoneEvent | client.MilestoneEvent):
        return event.number, event.milestone_id
    return event.number, event.block_id
