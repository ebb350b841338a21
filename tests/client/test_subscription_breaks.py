"""What goes wrong around a subscription: the node restarts, strangers flood the tag, the writer crashes."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tangle.client.channels import NodeCarrier, Publisher
from tangle.client.channels.bookmark import Bookmark
from tangle.client.channels.subscription import Subscription
from tangle.client.errors import ClientError, NodeUnreachable
from tangle.client.node.rest import NodeClient
from tangle.mam import Channel, Event, Message, Rejected
from tangle.protocol.blocks import Block
from tangle.protocol.tagged_data import TaggedData
from tests.client.following import everything, first, post, written
from tests.nodes import BINARY, RunningNode, running_node
from tests.tries import LONG

PIPELINED = 100
"""requests sent before their answers are read"""
JUNK = 2 * PIPELINED * (50 if LONG else 4)
"""blocks of strangers"""
FLOOD_S = 60
"""seconds within which messages must come through it, on a machine with other work; half a second is usual"""


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node that asks for no work, so that a flood takes seconds."""
    with running_node(tmp_path_factory.mktemp("quick") / "data", min_pow_score=0) as running:
        yield running


@pytest.fixture
async def node(quick: RunningNode) -> AsyncIterator[NodeClient]:
    async with NodeClient(quick.url, timeout=20) as client:
        yield client


def bodies(events: list[Event]) -> list[bytes]:
    return [event.body for event in events if isinstance(event, Message)]


async def flood(node: NodeClient, tag: bytes, count: int, seed: int) -> None:
    """Junk of every kind: empty, short, of the right version, as long as a message. Pipelined, to be soon done."""
    rng = random.Random(seed)
    logging.disable(logging.INFO)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(node.url.rpartition(":")[2]))
    head = "POST /api/core/v2/blocks HTTP/1.1\r\nhost: node\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n"
    for _ in range(count // PIPELINED):
        tips = tuple(await node.tips())
        for _ in range(PIPELINED):
            data = rng.choice([b"", rng.randbytes(40), b"\x02" + rng.randbytes(299), rng.randbytes(300)])
            block = Block(tips, TaggedData(tag, data), nonce=rng.randrange(1, 2**60)).encoded
            writer.write(head.format(BINARY, len(block)).encode() + block)
        for _ in range(PIPELINED):
            assert b" 201 " in await reader.readline()
            length = 0
            while (line := await reader.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            await reader.readexactly(length)
    writer.close()
    logging.disable(logging.NOTSET)


async def test_a_flood_of_junk_holds_no_message_up(node: NodeClient) -> None:
    channel = Channel.create("public", 2)
    messages = written(channel, [b"before", b"in the middle", b"after", b"live"])
    await post(node, messages[0])
    live = Subscription(node, channel.root())
    assert bodies(await first(live.events(), 1)) == [b"before"]
    await flood(node, messages[0].address, JUNK // 2, seed=1)
    await post(node, messages[1])
    await flood(node, messages[0].address, JUNK // 2, seed=2)
    await post(node, messages[2])

    for subscription in (live, Subscription(node, channel.root())):
        start = time.monotonic()
        async with asyncio.timeout(FLOOD_S):
            found = []
            async for message in subscription:
                found.append(message.body)
                if message.index == 2:
                    break
        print(f"through {JUNK} blocks of junk in {time.monotonic() - start:.1f} s")
        assert found == [b"before", b"in the middle", b"after"][3 - len(found) :]
        assert subscription.counts["rejected"] == JUNK
    coming = asyncio.create_task(first(aiter(live), 1))
    await post(node, messages[3])
    assert [message.body for message in await coming] == [b"live"]
    again = Subscription(node, Bookmark.from_json(live.bookmark.to_json()))
    assert await everything(again.history()) == []


async def test_the_node_restarts_in_the_middle(tmp_path: Path) -> None:
    """One subscription lives through it, another goes on from a bookmark; neither loses or repeats anything."""
    channel = Channel.create("private", 1)
    breaks: list[ClientError] = []
    path = tmp_path / "channel"
    with running_node(tmp_path / "node") as running:
        port = int(running.url.rpartition(":")[2])
        node = NodeClient(running.url, timeout=10)
        publisher = await Publisher.create(path, channel, NodeCarrier(node))
        subscription = Subscription(node, channel.access(), on_break=breaks.append)
        stays = asyncio.create_task(first(subscription.events(), 12))
        await publisher.publish_many([b"%d" % n for n in range(5)])
        leaves = Subscription(node, channel.access())
        assert bodies(await first(leaves.events(), 3)) == [b"0", b"1", b"2"]
        mark = leaves.bookmark.to_json()
    await asyncio.sleep(0.3)
    with running_node(tmp_path / "node", port=port):
        await publisher.publish_many([b"%d" % n for n in range(5, 12)])
        resumed = Subscription(node, Bookmark.from_json(mark))
        assert bodies(await first(resumed.events(), 9)) == [b"%d" % n for n in range(3, 12)]
        assert bodies(await stays) == [b"%d" % n for n in range(12)]
        assert breaks
        await publisher.close()
        await node.close()


async def test_nothing_is_given_up_while_the_node_is_away(tmp_path: Path) -> None:
    """The missing message comes to the node before it stops, and to the reader after it has come back."""
    channel = Channel.create("private", 3)
    messages = written(channel, [b"0", b"1", b"2"])
    with running_node(tmp_path / "node") as running:
        node = NodeClient(running.url, timeout=5)
        await post(node, messages[0], messages[2])
        subscription = Subscription(node, channel.access(), gap_after_s=1)
        assert bodies(await first(subscription.events(), 1)) == [b"0"]
        await post(node, messages[1])
    coming = asyncio.create_task(first(subscription.events(), 2))
    await asyncio.sleep(2)
    with running_node(tmp_path / "node", port=int(running.url.rpartition(":")[2])):
        assert bodies(await coming) == [b"1", b"2"]
    assert subscription.counts == {"message": 3}
    await node.close()


async def test_a_node_that_does_not_come_back_is_told(tmp_path: Path) -> None:
    channel = Channel.create("private", 1)
    with running_node(tmp_path / "node") as running:
        node = NodeClient(running.url, timeout=5)
        await post(node, *written(channel, [b"only"]))
        subscription = Subscription(node, channel.access(), give_up_after=0.5)
        events = subscription.events()
        assert bodies([await anext(events)]) == [b"only"]
        coming = asyncio.create_task(first(events, 1))
        await asyncio.sleep(0.5)  # for its stream to be open
    with pytest.raises(NodeUnreachable):
        await coming
    assert subscription.counts["message"] == 1
    with pytest.raises(NodeUnreachable):
        await everything(Subscription(node, channel.access(), give_up_after=0.2).history())
    await node.close()


async def test_a_writer_that_crashed_between_signing_and_publishing_leaves_no_gap(
    node: NodeClient, tmp_path: Path
) -> None:
    """The book holds the message; whoever opens it next sends it before anything new."""
    channel, path = Channel.create("restricted", 1), tmp_path / "channel"
    nowhere = NodeClient("http://127.0.0.1:9", timeout=1)
    async with await Publisher.create(path, channel, NodeCarrier(node)) as publisher:
        await publisher.publish(b"before")
    async with await Publisher.open(path, NodeCarrier(nowhere)) as publisher:
        with pytest.raises(ClientError):
            await publisher.publish(b"crashed")
    subscription = Subscription(node, channel.access())
    assert bodies(await first(subscription.events(), 1)) == [b"before"]
    async with await Publisher.open(path, NodeCarrier(node)) as publisher:
        await publisher.publish(b"after")
    assert bodies(await first(subscription.events(), 2)) == [b"crashed", b"after"]
    assert subscription.counts == {"message": 3}
    await nowhere.close()


async def test_a_slow_reader_loses_nothing(node: NodeClient) -> None:
    """More comes while the reader is busy than is read ahead for it."""
    channel = Channel.create("public", 8)
    messages = written(channel, [b"%d" % n for n in range(200)])
    await post(node, messages[0])
    subscription, found = Subscription(node, channel.root()), []
    async with asyncio.timeout(60):
        async for message in subscription:
            found.append(message.body)
            if message.index == 0:
                await post(node, *messages[1:])
            if message.index == 199:
                break
    assert found == [b"%d" % n for n in range(200)]
    assert not any(isinstance(event, Rejected) for event in await everything(subscription.history()))
