"""A writer that has nothing left but its seed finds where it stood, whatever the node holds of its channel."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tangle.client.channels import NodeCarrier, Publisher
from tangle.client.channels.recovery import recover
from tangle.client.channels.subscription import Subscription
from tangle.client.node.rest import NodeClient
from tangle.mam import Channel, Fork, Message, Mode, Position, public_key_of
from tests.client.following import everything, post, written
from tests.nodes import RunningNode
from tests.tries import drawn

BODY = b"3.2 bar"


@pytest.fixture
async def node(running: RunningNode) -> AsyncIterator[NodeClient]:
    async with NodeClient(running.url, timeout=20) as client:
        yield client


async def test_a_channel_that_was_never_written_begins_at_its_beginning(node: NodeClient) -> None:
    found = await recover(node, Channel.create("private"), skip=5)
    assert (found.position, dict(found.counts), found.gaps, found.forks) == (Position(), {}, (), ())


@drawn
@pytest.mark.parametrize("seed", range(6))
async def test_the_seed_alone_gives_the_position(node: NodeClient, seed: int) -> None:
    rng = random.Random(seed)
    mode = rng.choice(list(Mode))
    channel, position = Channel(rng.randbytes(32), mode, rng.choice([0, 1, 3])), Position()
    for _ in range(rng.randrange(1, 20)):
        if mode is Mode.RESTRICTED and rng.random() < 0.2:
            sealed = channel.rekey([public_key_of(rng.randbytes(32))], position)
        else:
            sealed = channel.write(rng.randbytes(rng.choice([0, 9, 70_000])), position)
        await post(node, sealed)
        position = sealed.following
    found = await recover(node, Channel(channel.seed, mode, channel.height))
    assert found.position == position, f"seed {seed}"
    assert (found.gaps, found.forks) == ((), ())
    assert (await recover(node, channel, skip=3)).position == Position(position.index + 3, position.rekeyed_at)


async def test_a_message_of_which_one_part_is_there_has_used_its_index(node: NodeClient) -> None:
    channel = Channel.create("public", 3)
    whole, broken = written(channel, [BODY, bytes(100_000)])
    await post(node, whole)
    await node.submit_data(broken.address, broken.parts[2])
    assert (await recover(node, channel)).position == Position(2)


@drawn
@pytest.mark.parametrize(("height", "lost"), [(0, 1), (0, 3), (2, 4), (2, 5)])
async def test_a_lost_tree_does_not_hide_what_follows(node: NodeClient, height: int, lost: int) -> None:
    channel = Channel.create("private", height)
    first, *gone = written(channel, [BODY] * 16)
    behind = 1 + max(lost, 1 << height)
    await post(node, first, *gone[behind - 1 :])
    found = await recover(node, channel)
    assert found.position == Position(16)
    covered = [index for gap in found.gaps for index in range(gap.first, gap.last + 1)]
    assert covered == list(range(1, behind))


async def test_forks_are_told(node: NodeClient) -> None:
    channel = Channel.create("public", 1)
    ids = await post(node, *written(channel, [BODY, b"mine"]))
    other = await post(node, written(channel, [BODY, b"yours"])[1])
    assert (await recover(node, channel)).forks == (Fork(1, ids[1], other[0]),)


async def test_a_recovered_writer_goes_on_without_a_fork(node: NodeClient, tmp_path: Path) -> None:
    reader = random.Random(7).randbytes(32)
    channel = Channel.create("restricted", 1)
    async with await Publisher.create(tmp_path / "lost", channel, NodeCarrier(node)) as publisher:
        await publisher.publish("before")
        await publisher.grant(public_key_of(reader))
        await publisher.publish("granted")
    position = (await recover(node, channel)).position
    carrier = NodeCarrier(node)
    async with await Publisher.create(tmp_path / "new", channel, carrier, position=position) as publisher:
        await publisher.publish("after")
    subscription = Subscription(node, channel.access(), private_key=reader)
    events = await everything(subscription.history())
    assert [event.body for event in events if isinstance(event, Message)] == [
        b'"before"',
        b'"granted"',
        b'"after"',
    ]
    assert subscription.counts == {"message": 3, "rekeyed": 1}
