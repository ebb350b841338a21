"""Publishing: in order, nothing lost when the node fails, when a call is cancelled or when the program ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tangle.client.channels import ChannelBook, Publisher
from tangle.client.channels.errors import ChannelElsewhere, ChannelInUse, NotASubscriber, NotYetPublished
from tangle.client.channels.publisher import Body, encode
from tangle.mam import (
    ArgumentInvalid,
    BodyTooLong,
    Channel,
    Event,
    Fork,
    Gap,
    Invitation,
    Message,
    Mode,
    Position,
    Reader,
    Rekeyed,
    Repeated,
    Revoked,
    opener,
    public_key_of,
)
from tangle.protocol.parameters import ProtocolParameters
from tests.client.channels.tables import TableCarrier, read

SEED = b"s" * 32
ALICE, BOB = b"a" * 32, b"b" * 32


@pytest.fixture
async def carrier(tmp_path: Path) -> AsyncIterator[TableCarrier]:
    made = TableCarrier(tmp_path / "tangle.db")
    yield made
    made.close()


async def publisher_of(tmp_path: Path, carrier: TableCarrier, channel: Channel | None = None) -> Publisher:
    return await Publisher.create(tmp_path / "channel.db", channel or Channel(SEED, Mode.PRIVATE, 1), carrier)


def bodies(events: list[Event]) -> list[bytes]:
    return [event.body for event in events if isinstance(event, Message)]


async def test_what_is_published_is_read(tmp_path: Path, carrier: TableCarrier) -> None:
    async with await publisher_of(tmp_path, carrier) as publisher:
        first = await publisher.publish({"pressure_bar": 3.2, "at": "2026-11-21T10:00:00Z"})
        many = await publisher.publish_many([b"raw", "text", [1, 2], None, b""])
        long = await publisher.publish(bytes(100_000))
        events = read(carrier, publisher.channel)
    assert [first.index, *(one.index for one in many), long.index] == list(range(7))
    expected = [json.dumps({"pressure_bar": 3.2, "at": "2026-11-21T10:00:00Z"}, separators=(",", ":")).encode()]
    assert bodies(events) == [*expected, b"raw", b'"text"', b"[1,2]", b"null", b"", bytes(100_000)]
    sources = [list(event.sources) for event in events if isinstance(event, Message)]
    assert sources == [one.block_ids for one in (first, *many, long)]


async def test_concurrent_calls_share_the_channel(tmp_path: Path, carrier: TableCarrier) -> None:
    async with await publisher_of(tmp_path, carrier) as publisher:
        published = await asyncio.gather(*(publisher.publish(n) for n in range(40)))
        assert [one.index for one in published] == list(range(40))
        assert bodies(read(carrier, publisher.channel)) == [b"%d" % n for n in range(40)]


@pytest.mark.parametrize("when", ["fail_before", "fail_after"])
async def test_a_node_that_fails(tmp_path: Path, carrier: TableCarrier, when: str) -> None:
    """Kept or not kept by the node, the message is sent again before the next one, and readers see it once."""
    async with await publisher_of(tmp_path, carrier) as publisher:
        await publisher.publish(b"0")
        setattr(carrier, when, 1)
        with pytest.raises(NotYetPublished, match="nothing is lost") as raised:
            await publisher.publish(b"1")
        assert raised.value.indexes == [1]
        assert (await publisher.publish(b"2")).index == 2
        events = read(carrier, publisher.channel)
    assert bodies(events) == [b"0", b"1", b"2"]
    assert {type(event) for event in events} <= {Message, Repeated}


async def test_one_failure_among_many(tmp_path: Path, carrier: TableCarrier) -> None:
    async with await publisher_of(tmp_path, carrier) as publisher:
        carrier.fail_before = 2
        with pytest.raises(NotYetPublished, match="2 messages") as raised:
            await publisher.publish_many([b"0", b"1", b"2", b"3"])
        assert len(raised.value.indexes) == 2
        carrier.fail_before = 1
        with pytest.raises(NotYetPublished):
            await publisher.resume()
        assert len(await publisher.resume()) == 1
        assert await publisher.resume() == []
        assert bodies(read(carrier, publisher.channel)) == [b"0", b"1", b"2", b"3"]


async def test_a_failure_of_what_was_left_behind_is_not_the_new_message_s(
    tmp_path: Path, carrier: TableCarrier
) -> None:
    async with await publisher_of(tmp_path, carrier) as publisher:
        carrier.fail_before = 1
        with pytest.raises(NotYetPublished):
            await publisher.publish(b"0")
        carrier.fail_before = 1
        assert (await publisher.publish(b"1")).index == 1
        assert [one.index for one in await publisher.resume()] == [0]


async def test_a_crash_between_signing_and_publishing(tmp_path: Path, carrier: TableCarrier) -> None:
    book = ChannelBook.create(tmp_path / "channel.db", Channel(SEED, Mode.PUBLIC, 0))
    book.reserve([b"signed", bytes(50_000)])
    book.close()
    async with await Publisher.open(tmp_path / "channel.db", carrier) as publisher:
        assert (await publisher.publish(b"after")).index == 2
        assert bodies(read(carrier, publisher.channel)) == [b"signed", bytes(50_000), b"after"]


async def test_a_cancelled_call_loses_nothing(tmp_path: Path) -> None:
    carrier = TableCarrier(tmp_path / "tangle.db", delay_s=0.003)
    async with await publisher_of(tmp_path, carrier) as publisher:
        for n in range(12):
            task = asyncio.create_task(publisher.publish(b"%d" % n))
            await asyncio.sleep(n * 0.001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await publisher.publish(b"last")
        position = await publisher.position()
        events = read(carrier, publisher.channel)
    carrier.close()
    assert {type(event) for event in events} <= {Message, Repeated}
    delivered = [event for event in events if isinstance(event, Message)]
    assert [event.index for event in delivered] == list(range(position.index))
    assert delivered[-1].body == b"last"


async def test_a_call_cancelled_while_it_signs_loses_nothing(tmp_path: Path, carrier: TableCarrier) -> None:
    """Signing goes on in its thread, so the next call must find and send what it made."""
    async with await publisher_of(tmp_path, carrier) as publisher:
        await publisher.publish(b"0")
        task = asyncio.create_task(publisher.publish(bytes(2 * 2**20)))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        last = await publisher.publish(b"last")
        events = read(carrier, publisher.channel)
    assert [event.index for event in events if isinstance(event, Message)] == list(range(last.index + 1))
    assert bodies(events)[-1] == b"last"


async def test_bad_bodies_use_up_no_index(tmp_path: Path, carrier: TableCarrier) -> None:
    async with await publisher_of(tmp_path, carrier) as publisher:
        with pytest.raises(BodyTooLong):
            await publisher.publish(bytes(16 * 2**20 + 1))
        with pytest.raises(ArgumentInvalid):
            await publisher.publish({1, 2})  # type: ignore[arg-type]
        assert await publisher.position() == Position()


async def test_granting_and_revoking(tmp_path: Path, carrier: TableCarrier) -> None:
    channel = Channel(SEED, Mode.RESTRICTED, 2)
    async with await publisher_of(tmp_path, carrier, channel) as publisher:
        await publisher.publish(b"before")
        alice = Invitation.open(ALICE, await publisher.grant(public_key_of(ALICE)))
        await publisher.publish(b"for alice")
        bob = Invitation.open(BOB, await publisher.grant(public_key_of(BOB)))
        await publisher.publish(b"for both")
        await publisher.revoke(public_key_of(ALICE))
        await publisher.publish(b"for bob")
        assert await publisher.subscribers() == [public_key_of(BOB)]
        with pytest.raises(NotASubscriber):
            await publisher.revoke(public_key_of(ALICE))
        later = await publisher.invitation()
        await publisher.publish(b"last")
    seen = {
        name: read(carrier, channel, Reader(invitation.access, invitation.start, opener(key)))
        for name, invitation, key in (("alice", alice, ALICE), ("bob", bob, BOB), ("later", later, b"l" * 32))
    }
    assert bodies(seen["alice"]) == [b"for alice", b"for both"]
    assert isinstance(seen["alice"][-1], Revoked)
    assert bodies(seen["bob"]) == [b"for both", b"for bob", b"last"]
    assert sum(isinstance(event, Rekeyed) for event in seen["bob"]) == 1
    assert bodies(seen["later"]) == [b"last"]


@pytest.mark.parametrize("mode", [Mode.PUBLIC, Mode.PRIVATE])
async def test_only_restricted_channels_are_granted(tmp_path: Path, carrier: TableCarrier, mode: Mode) -> None:
    async with await publisher_of(tmp_path, carrier, Channel(SEED, mode)) as publisher:
        with pytest.raises(ArgumentInvalid):
            await publisher.grant(public_key_of(ALICE))
        assert (await publisher.subscribers(), await publisher.position()) == ([], Position())


async def test_the_second_publisher_is_refused(tmp_path: Path, carrier: TableCarrier) -> None:
    async with await publisher_of(tmp_path, carrier) as publisher:
        with pytest.raises(ChannelInUse):
            await Publisher.open(tmp_path / "channel.db", carrier)
        await publisher.publish(b"0")
    async with await Publisher.open(tmp_path / "channel.db", carrier) as publisher:
        assert (await publisher.publish(b"1")).index == 1


async def test_two_machines_with_one_seed_are_seen(tmp_path: Path, carrier: TableCarrier) -> None:
    """Copies of a file are beyond any lock; readers see the fork with both block ids."""
    channel = Channel(SEED, Mode.PRIVATE, 3)
    published = []
    for machine in ("one", "two"):
        path = tmp_path / machine / "channel.db"
        async with await Publisher.create(path, channel, carrier) as publisher:
            published.append(await publisher.publish(machine))
    events = read(carrier, channel)
    assert bodies(events) == [b'"one"']
    first, second = (one.block_ids[0] for one in published)
    assert [event for event in events if isinstance(event, Fork | Gap)] == [Fork(0, first, second)]


async def test_a_writer_goes_on_from_its_seed_alone(tmp_path: Path, carrier: TableCarrier) -> None:
    channel = Channel(SEED, Mode.RESTRICTED, 1)
    async with await publisher_of(tmp_path, carrier, channel) as publisher:
        await publisher.publish_many(range(3))
        await publisher.grant(public_key_of(ALICE))
        await publisher.publish(3)
    reader = Channel(SEED, Mode.RESTRICTED, 1).reader()
    read(carrier, channel, reader)
    assert reader.index is not None
    position = Position(reader.index, reader.rekeyed_at)
    path = tmp_path / "recovered.db"
    async with await Publisher.create(
        path, Channel(SEED, Mode.RESTRICTED, 1), carrier, position=position
    ) as again:
        await again.publish(4)
    assert bodies(read(carrier, channel)) == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("body", [{"x": float("nan")}, [float("-inf")], {"x": object()}, "\ud800"])
def test_what_is_no_json_is_refused(body: Body) -> None:
    with pytest.raises(ArgumentInvalid, match="neither bytes nor JSON"):
        encode(body)


def test_bodies_keep_their_kind() -> None:
    assert encode({"n": 2**200, "x": 0.1, "t": "1", "at": datetime(2026, 1, 31, tzinfo=UTC)}) == (
        b'{"n":%d,"x":0.1,"t":"1","at":"2026-01-31T00:00:00+00:00"}' % 2**200
    )


async def test_a_channel_is_not_published_on_another_network(tmp_path: Path, carrier: TableCarrier) -> None:
    async with await publisher_of(tmp_path, carrier) as publisher:
        await publisher.publish(b"0")
    carrier.network = ProtocolParameters(network_name="elsewhere")
    async with await Publisher.open(tmp_path / "channel.db", carrier) as publisher:
        for call in (publisher.publish(b"1"), publisher.resume(), publisher.invite(public_key_of(ALICE))):
            with pytest.raises(ChannelElsewhere):
                await call
        assert await publisher.position() == Position(1)
