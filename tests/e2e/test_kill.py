"""kill -9 of the node under load, at random moments: what it has acknowledged is there, and the ledger adds up."""

from __future__ import annotations

import asyncio
import random
import secrets

import pytest
from sqlalchemy import Engine

from tangle.audit import audit
from tangle.client.node.rest import NodeClient
from tangle.protocol import answers as client
from tangle.store import events as store
from tangle.store import queries
from tangle.store.engine import open_engine
from tangle.store.journal import Inclusion
from tests.e2e.conftest import MakeNode
from tests.e2e.load import Load
from tests.e2e.nodes import NodeProcess

KILLS = 5
KILLS_SLOW = 40
SPEED = 3
"""of the writer's clock: with more, what was posted again after a start could be too old"""
LIFE_S = 1.1 / SPEED
"""seconds under load at most: a milestone comes at the start, and after a second of that clock"""
BIRTH_S = 3.0
"""seconds of a start after which a node that is killed while it starts is killed, at most"""

ASKED = 50
"""blocks that are asked for after each start; in the end all of them are looked up"""


async def test_a_killed_node_keeps_what_it_acknowledged(make_node: MakeNode) -> None:
    await survive(make_node(SPEED, min_pow_score=0), KILLS, births=0)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_node_killed_often_and_while_it_starts(make_node: MakeNode) -> None:
    await survive(make_node(1, min_pow_score=0, below_max_depth=4), KILLS_SLOW, births=10)


async def survive(node: NodeProcess, kills: int, births: int) -> None:
    """Kill a node `kills` times under load and, each time after one of those, `births` times while it starts."""
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    in_birth = set(rng.sample(range(kills), births))
    await asyncio.to_thread(node.start)
    async with NodeClient(node.url) as asking:
        parameters = await asking.parameters()
    load = Load(node.url, parameters, rng)
    async with load.running():
        for life in range(kills):
            known, milestone = len(load.acknowledged), load.milestone
            await load.acknowledgement()
            await asyncio.sleep(rng.uniform(0, LIFE_S))
            node.kill()
            if life in in_birth:
                node.launch()
                await asyncio.sleep(rng.uniform(0, BIRTH_S))
                node.kill()
            told, milestone = list(load.acknowledged)[known:], load.milestone
            # Healthy means audited: the unspent outputs add up to the supply.
            await asyncio.to_thread(node.start)
            await load.verify(rng.sample(told, min(len(told), ASKED)), milestone)
    async with NodeClient(node.url) as load.client:
        await load.settle()
    assert node.stop() == 0
    engine = open_engine(f"sqlite:///{node.data / 'tangle.db'}")
    try:
        check(engine, load)
    finally:
        engine.dispose()
    print(
        f"{len(load.acknowledged)} blocks acknowledged, {len(load.payments)} payments, {len(load.events)} events"
    )


def check(engine: Engine, load: Load) -> None:
    """Hold the database against everything that the load was told."""
    proven = audit(engine)
    with engine.connect() as connection:
        records = queries.records_by_ids(connection, load.acknowledged)
        # Listeners hear of a commit after it: they may have missed the last ones, and nothing else.
        events = queries.events(connection, 0, 10**9)
    assert {block_id: record.block.data for block_id, record in records.items()} == {
        block_id: block.encoded for block_id, block in load.acknowledged.items()
    }
    for blocks, inclusion in ((load.payments, Inclusion.INCLUDED), (load.rivals, Inclusion.CONFLICTING)):
        settled = {block_id: records[block_id].referenced for block_id in blocks}
        assert {row and row.inclusion for row in settled.values()} == {inclusion}
    assert proven.transactions >= len(load.payments)
    assert proven.conflicts >= len(load.rivals)
    assert [named(event) for event in load.events] == [named(event) for event in events[: len(load.events)]]


def named(event: store.Event | client.Event) -> tuple[int, bytes]:
    """Number and id, which say the same of an event heard and of one written down."""
    if isinstance(event, store.MilestoneEvent | client.MilestoneEvent):
        return event.number, event.milestone_id
    return event.number, event.block_id
