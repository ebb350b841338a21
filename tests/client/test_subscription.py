"""Following channels through a real node: order, every mode, resuming, attacks and what becomes of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence

import pytest

from tangle.client.channels.bookmark import Bookmark
from tangle.client.channels.errors import AccessRevoked, ChannelElsewhere
from tangle.client.channels.subscription import Subscription
from tangle.client.node.rest import NodeClient
from tangle.mam import (
    Access,
    ArgumentInvalid,
    Channel,
    Fork,
    Gap,
    Invitation,
    Message,
    Mode,
    Position,
    Rejected,
    Rekeyed,
    Repeated,
    Revoked,
    public_key_of,
)
from tests.client.following import everything, first, post, written
from tests.nodes import RunningNode
from tests.tries import drawn


@pytest.fixture
async def node(running: RunningNode) -> AsyncIterator[NodeClient]:
    async with NodeClient(running.url, timeout=20) as client:
        yield client


def bodies(count: int, start: int = 0) -> list[bytes]:
    return [b"%d bar" % n for n in range(start, start + count)]


def told(events: Sequence[object]) -> list[tuple[int, bytes]]:
    return [(event.index, event.body) for event in events if isinstance(event, Message)]


@drawn
@pytest.mark.parametrize("height", [0, 2])
@pytest.mark.parametrize("mode", ["public", "private", "restricted"])
async def test_history_and_then_live_from_tree_to_tree(node: NodeClient, mode: str, height: int) -> None:
    channel = Channel.create(mode, height)
    messages = written(channel, bodies(10))
    await post(node, *messages[:6])
    subscription = Subscription(node, channel.root(), mode=channel.mode, side_key=channel.side_key())
    assert told(await first(subscription.events(), 6)) == list(enumerate(bodies(6)))

    live = asyncio.create_task(first(subscription.events(), 4))
    for message in messages[6:]:
        await asyncio.sleep(0.05)
        await post(node, message)
    assert told(await live) == list(enumerate(bodies(10)))[6:]
    assert subscription.counts == {"message": 10}
    assert subscription.index == 10


async def test_iterating_gives_messages_and_a_break_in_a_batch_loses_none(node: NodeClient) -> None:
    channel = Channel.create("private", 3)
    messages = written(channel, bodies(5))
    await post(node, *reversed(messages))
    subscription = Subscription(node, channel.access())
    got = []
    for _ in range(5):
        async for message in subscription:
            got.append(message.body)
            break
    assert got == bodies(5)


@drawn
@pytest.mark.parametrize("seed", range(4))
async def test_bookmarks_resume_without_loss_or_repeat(node: NodeClient, seed: int) -> None:
    """After every single event the subscription is thrown away and another goes on from its bookmark's JSON."""
    rng = random.Random(seed)
    height = rng.choice([0, 1, 3])
    reader = rng.randbytes(32)
    channel = Channel(rng.randbytes(32), Mode.RESTRICTED, height)
    position, parts = Position(), []
    for n in range(12):
        body = rng.randbytes(rng.choice([0, 5, 40_000]))
        rekeys = n == 4
        sealed = channel.rekey([public_key_of(reader)], position) if rekeys else channel.write(body, position)
        parts.append([(sealed.address, part) for part in sealed.parts])
        if not rekeys:
            parts[-1].append((sealed.address, b"junk"))
        position = sealed.following
    for start in range(0, len(parts), 3):
        near = [part for message in parts[start : start + 3] for part in message]
        rng.shuffle(near)
        for address, data in near:
            await node.submit_data(address, data)
    whole = await everything(Subscription(node, channel.access(), private_key=reader).history())
    bookmark = Bookmark(channel.access())
    found = []
    for _ in whole:
        subscription = Subscription(node, bookmark, private_key=reader, gap_after_s=None)
        found += await first(subscription.events(), 1)
        bookmark = Bookmark.from_json(subscription.bookmark.to_json())
        if bookmark.index == 12:
            break
    steady = (Message, Rekeyed)
    assert [event for event in found if isinstance(event, steady)] == [
        event for event in whole if isinstance(event, steady)
    ], f"seed {seed}"
    assert [event.index for event in whole if isinstance(event, steady)] == list(range(12)), f"seed {seed}"


async def test_a_bookmark_of_another_node_reads_the_tree_again_and_repeats_no_message(node: NodeClient) -> None:
    channel = Channel.create("private", 3)
    messages = written(channel, bodies(4))
    await post(node, *messages[:2])
    subscription = Subscription(node, channel.access())
    await first(subscription.events(), 2)
    kept = subscription.bookmark.to_json() | {"node": "http://elsewhere", "after": 10**9, "told": 10**9}
    await post(node, *messages[2:])
    again = Subscription(node, Bookmark.from_json(kept))
    assert told(await first(again.events(), 2)) == list(enumerate(bodies(4)))[2:]


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"mode": "open"},
        {"root": "0x12"},
        {"sideKey": "0x" + 32 * "00"},
        {"index": -1},
        {"node": 1},
    ],
)
def test_a_bookmark_that_is_none_is_refused(change: dict[str, object]) -> None:
    json = Bookmark(Access(Mode.PRIVATE, bytes(32))).to_json() | change
    with pytest.raises(ArgumentInvalid):
        Bookmark.from_json(json)
    with pytest.raises(ArgumentInvalid):
        Bookmark.from_json([json])


async def test_a_gap_is_told_after_its_time_and_a_late_message_comes_marked(node: NodeClient) -> None:
    channel = Channel.create("public", 3)
    messages = written(channel, bodies(6))
    await post(node, *messages[:2], *messages[4:])
    subscription = Subscription(node, channel.root(), gap_after_s=0.3)
    events = await first(subscription.events(), 5)
    assert events[2] == Gap(2, 3)
    assert told(events) == [(n, bodies(6)[n]) for n in (0, 1, 4, 5)]
    await post(node, messages[3])
    (late,) = await first(subscription.events(), 1)
    assert isinstance(late, Message)
    assert (late.index, late.body, late.late) == (3, bodies(6)[3], True)


async def test_a_missing_message_is_awaited_and_nothing_is_given_up(node: NodeClient) -> None:
    channel = Channel.create("public", 3)
    messages = written(channel, bodies(4))
    await post(node, messages[0], *messages[2:])
    subscription = Subscription(node, channel.root())
    coming = asyncio.create_task(first(subscription.events(), 4))
    await asyncio.sleep(0.5)
    await post(node, messages[1])
    assert told(await coming) == list(enumerate(bodies(4)))


@drawn
@pytest.mark.parametrize("height", [0, 3])
async def test_two_writers_with_one_seed_are_a_fork_with_both_blocks(node: NodeClient, height: int) -> None:
    channel, twin = Channel.create("private", height), None
    twin = Channel(channel.seed, channel.mode, height)
    own = written(channel, bodies(4))
    other = written(twin, [b"0 bar", b"another", b"2 bar", b"different"])
    ids = await post(node, *own)
    subscription = Subscription(node, channel.access())
    assert told(await first(subscription.events(), 4)) == list(enumerate(bodies(4)))
    other_ids = await post(node, *other)
    events = await everything(subscription.history())
    forks = sorted((event for event in events if isinstance(event, Fork)), key=lambda fork: fork.index)
    assert forks == [Fork(1, ids[1], other_ids[1]), Fork(3, ids[3], other_ids[3])]
    assert {type(event) for event in events} <= {Fork, Repeated}
    for fork in forks:
        assert (await node.block(fork.first)).payload != (await node.block(fork.second)).payload


@drawn
@pytest.mark.parametrize("height", [0, 3])
async def test_a_fork_is_told_live_though_the_reader_has_gone_on(node: NodeClient, height: int) -> None:
    channel = Channel.create("private", height)
    ids = await post(node, *written(channel, bodies(6)))
    subscription = Subscription(node, channel.access())
    assert told(await first(subscription.events(), 6)) == list(enumerate(bodies(6)))
    coming = asyncio.create_task(first(subscription.events(), 1))
    await asyncio.sleep(0.3)
    other = await post(node, written(channel, [*bodies(3), b"another"])[3])
    assert await coming == [Fork(3, ids[3], other[0])]


async def test_who_is_left_out_of_a_new_side_key_is_told_and_reads_no_further(node: NodeClient) -> None:
    customer, owner = random.Random(1).randbytes(32), random.Random(2).randbytes(32)
    channel, position = Channel.create("restricted", 3), Position()
    messages = [channel.write(b"for both", position)]
    messages.append(channel.rekey([public_key_of(owner)], messages[-1].following))
    messages.append(channel.write(b"for the owner", messages[-1].following))
    await post(node, *messages)
    out = Subscription(node, channel.access(), private_key=customer)
    assert [type(event) for event in await everything(out.events())] == [Message, Revoked]
    with pytest.raises(AccessRevoked, match="message 1"):
        await first(aiter(Subscription(node, channel.access(), private_key=customer)), 2)
    again = Subscription(node, out.bookmark, private_key=customer)
    assert [type(event) for event in await everything(again.events())] == [Revoked]
    stays = Subscription(node, channel.access(), private_key=owner)
    events = await first(stays.events(), 3)
    assert [type(event) for event in events] == [Message, Rekeyed, Message]
    assert told(events)[-1] == (2, b"for the owner")


async def test_an_invitation_opens_what_follows_and_nothing_before(node: NodeClient) -> None:
    newcomer = random.Random(3).randbytes(32)
    channel = Channel.create("restricted", 3)
    messages = written(channel, bodies(2))
    messages.append(channel.rekey([public_key_of(newcomer)], messages[-1].following))
    box = channel.invite(public_key_of(newcomer), messages[-1].following)
    messages += written(channel, bodies(2, 3), messages[-1].following)
    await post(node, *messages)
    subscription = Subscription(node, Invitation.open(newcomer, box), private_key=newcomer)
    events = await everything(subscription.history())
    assert told(events) == list(enumerate(bodies(2, 3), 3))
    assert len(events) == 2


async def test_a_wrong_root_or_side_key_finds_nothing_and_a_wrong_mode_is_refused(node: NodeClient) -> None:
    channel = Channel.create("restricted", 2)
    await post(node, *written(channel, bodies(3)))
    for wrong in (Access(Mode.RESTRICTED, channel.root(), bytes(32)), Access(Mode.PRIVATE, channel.root())):
        assert await everything(Subscription(node, wrong).history()) == []
    with pytest.raises(ArgumentInvalid, match="side_key"):
        Subscription(node, channel.root(), mode=Mode.RESTRICTED)
    with pytest.raises(ArgumentInvalid, match="root"):
        Subscription(node, channel.root()[1:])


async def test_bodies_of_any_size_come_whole(node: NodeClient) -> None:
    channel = Channel.create("restricted", 1)
    large = random.Random(4).randbytes(2**20)
    await post(node, *written(channel, [b"", large, b"", b"last"]))
    subscription = Subscription(node, channel.access())
    events = await first(subscription.events(), 4)
    assert told(events) == [(0, b""), (1, large), (2, b""), (3, b"last")]
    assert [len(event.sources) for event in events if isinstance(event, Message)] == [1, 33, 1, 1]


async def test_altered_copied_and_forged_blocks_are_told_and_change_nothing(node: NodeClient) -> None:
    channel = Channel.create("public", 2)
    messages = written(channel, bodies(4))
    rng, ids = random.Random(5), set[bytes]()
    for sealed in messages:
        data = bytearray(sealed.parts[0])
        data[rng.randrange(1, len(data))] ^= 1 << rng.randrange(8)
        await node.submit_data(sealed.address, bytes(data))
        ids |= set(await post(node, sealed, sealed))
    events = await everything(Subscription(node, channel.root()).history())
    assert told(events) == list(enumerate(bodies(4)))
    assert sum(isinstance(event, Rejected) for event in events) == 4
    assert sum(isinstance(event, Repeated) for event in events) == len(ids) - 4


async def test_what_was_written_for_anwritten_elsewhere_is_refused(node: NodeClient) -> None:
    here = (await node.parameters()).network_id
    reader = random.Random(8).randbytes(32)
    channel, copy = (Channel(b"n" * 32, Mode.RESTRICTED, 1, network=one) for one in (here, here ^ 1))
    (bound,), (foreign,) = written(channel, [b"here"]), written(copy, [b"there"])
    await post(node, foreign, bound)
    events = await everything(Subscription(node, channel.access()).history())
    assert [event.error.code for event in events if isinstance(event, Rejected)] == ["written_elsewhere"]
    assert told(events) == [(0, b"here")]
    invitation = Invitation.open(reader, copy.invite(public_key_of(reader), Position()))
    with pytest.raises(ChannelElsewhere, match="the invitation is for the network of id"):
        await everything(Subscription(node, invitation).history())
