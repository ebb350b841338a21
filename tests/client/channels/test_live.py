"""A channel over a real node: both ways of proof of work, and a node that goes away and comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tangle.client.channels import NodeCarrier, Publisher
from tangle.client.channels.errors import NotYetPublished
from tangle.client.node.attach import Pow
from tangle.client.node.rest import NodeClient
from tangle.mam import DATA_BYTES_MAX, Channel, Event, Message, Mode, Position, Reader
from tangle.protocol.blocks import Block
from tangle.protocol.parameters import BLOCK_BYTES_MAX, PARENTS_MAX
from tangle.protocol.tagged_data import TaggedData
from tests.nodes import RunningNode, running_node


async def read(node: NodeClient, reader: Reader) -> list[Event]:
    """What lies under a channel's addresses, as a reader sees it."""
    events: list[Event] = []
    looked: set[bytes] = set()
    while wanted := [address for address in reader.addresses if address not in looked]:
        looked.add(wanted[0])
        async for found in node.tagged_blocks(wanted[0]):
            payload = (await node.block(found.block_id)).payload
            assert isinstance(payload, TaggedData)
            events += reader.take(payload.tag, payload.data, found.block_id)
    return events


@pytest.mark.parametrize("pow_by", ["local", "node"])
async def test_messages_go_through_a_node(tmp_path: Path, running: RunningNode, pow_by: Pow) -> None:
    channel = Channel.create("restricted", 1)
    async with NodeClient(running.url, timeout=30) as node:
        carrier = NodeCarrier(node, pow=pow_by)
        async with await Publisher.create(tmp_path / "channel.db", channel, carrier) as publisher:
            published = await publisher.publish_many([{"n": 0}, b"", bytes(100_000), b"last"])
        events = await read(node, Reader(channel.access()))
    found = [(event.index, event.body, list(event.sources)) for event in events if isinstance(event, Message)]
    bodies = [b'{"n":0}', b"", bytes(100_000), b"last"]
    assert found == [(n, bodies[n], one.block_ids) for n, one in enumerate(published)]
    assert len(events) == 4


async def test_a_node_that_restarts_in_the_middle(tmp_path: Path) -> None:
    channel = Channel.create("private", 1)
    path = tmp_path / "channel.db"
    with running_node(tmp_path / "node") as running:
        async with (
            NodeClient(running.url, timeout=30) as node,
            await Publisher.create(path, channel, NodeCarrier(node)) as publisher,
        ):
            await publisher.publish(b"before")
    async with (
        NodeClient(running.url, timeout=5, busy_retries=0) as node,
        await Publisher.open(path, NodeCarrier(node)) as publisher,
    ):
        with pytest.raises(NotYetPublished):
            await publisher.publish(b"meanwhile")
    with running_node(tmp_path / "node") as running:
        async with (
            NodeClient(running.url, timeout=30) as node,
            await Publisher.open(path, NodeCarrier(node)) as publisher,
        ):
            await publisher.publish(b"after")
            events = await read(node, Reader(channel.access()))
    assert [event.body for event in events if isinstance(event, Message)] == [b"before", b"meanwhile", b"after"]
    assert len(events) == 3


def test_a_part_fits_a_block() -> None:
    """The longest part, with the most parents that a block can have, is within the limit of TIP-24."""
    sealed = Channel(bytes(32), Mode.PUBLIC, 0).write(bytes(100_000), Position())
    parents = tuple(bytes([n]) * 32 for n in range(PARENTS_MAX))
    block = Block(parents, TaggedData(sealed.address, sealed.parts[0]))
    assert len(sealed.parts[0]) == DATA_BYTES_MAX
    assert BLOCK_BYTES_MAX - 512 < len(block.encoded) <= BLOCK_BYTES_MAX
