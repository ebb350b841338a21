"""Order, gaps, forks, repetitions, rekeying and revocation, as a reader reports them."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tangle.mam import (
    BODY_BYTES_MAX,
    Channel,
    Event,
    Fork,
    Gap,
    Invitation,
    Message,
    Misplaced,
    Mode,
    Position,
    Reader,
    Rejected,
    Rekeyed,
    Repeated,
    Revoked,
    opener,
    public_key_of,
)
from tangle.mam.reader import FORKS_MAX, WAITING_MAX
from tests.mam.mailbox import Mailbox, written

SEED = sha256(b"read").digest()
ALICE, BOB, CAROL = (sha256(name).digest() for name in (b"alice", b"bob", b"carol"))
MODES = pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode.name.lower())
HEIGHTS = pytest.mark.parametrize("height", [0, 1, 3])


def bodies(events: list[Event]) -> list[bytes]:
    return [event.body for event in events if isinstance(event, Message)]


def numbered(count: int) -> list[bytes]:
    return [b"%d" % n for n in range(count)]


@MODES
@HEIGHTS
def test_messages_come_in_order_each_once(mode: Mode, height: int) -> None:
    channel, box = Channel(SEED, mode, height), Mailbox()
    ids = [box.publish(sealed) for sealed in written(channel, numbered(20))]
    events = box.read(Reader(channel.access()))
    assert events == [Message(n, b"%d" % n, tuple(ids[n])) for n in range(20)]


@MODES
def test_a_reader_reads_from_its_root_on(mode: Mode) -> None:
    channel, box = Channel(SEED, mode, 1), Mailbox()
    for sealed in written(channel, numbered(6)):
        box.publish(sealed)
    assert bodies(box.read(Reader(channel.access(Position(2))))) == numbered(6)[2:]


def test_a_reader_goes_on_where_another_stopped() -> None:
    channel, box = Channel(SEED, Mode.PRIVATE, 2), Mailbox()
    messages = written(channel, numbered(9))
    for sealed in messages[:6]:
        box.publish(sealed)
    reader = Reader(channel.access())
    box.read(reader)
    assert reader.access is not None
    following = Reader(reader.access, reader.index)
    for sealed in messages[6:]:
        box.publish(sealed)
    assert bodies(box.read(following)) == numbered(9)[6:]


@HEIGHTS
def test_any_order_within_reach(height: int) -> None:
    channel, box = Channel(SEED, Mode.PUBLIC, height), Mailbox()
    for sealed in reversed(written(channel, numbered(20))):
        box.publish(sealed)
    assert bodies(box.read(Reader(channel.access()))) == numbered(20)


def test_a_gap_waits_until_it_is_given_up() -> None:
    channel, box = Channel(SEED, Mode.PUBLIC, 2), Mailbox()
    messages = written(channel, numbered(8))
    for sealed in messages[:2] + messages[4:]:
        box.publish(sealed)
    reader = Reader(channel.access())
    assert bodies(box.read(reader)) == numbered(2)
    assert reader.missing == range(2, 4)
    assert reader.pass_gap() == [Gap(2, 3), *(Message(n, b"%d" % n, (box.blocks[n - 2][2],)) for n in range(4, 8))]
    assert not reader.missing
    assert reader.pass_gap() == []
    assert reader.take(messages[3].address, messages[3].parts[0], b"x") == [Message(3, b"3", (b"x",), late=True)]
    assert reader.take(messages[3].address, messages[3].parts[0], b"y") == [Repeated(3, b"y")]


def test_the_end_of_a_tree_may_be_missing() -> None:
    channel, box = Channel(SEED, Mode.PRIVATE, 1), Mailbox()
    messages = written(channel, numbered(5))
    for sealed in [messages[0], *messages[2:]]:
        box.publish(sealed)
    events = box.read(Reader(channel.access()), pass_gaps=True)
    assert bodies(events) == [b"0", b"2", b"3", b"4"]
    assert [event for event in events if isinstance(event, Gap)] == [Gap(1, 1)]


def test_a_missing_part_is_a_gap() -> None:
    channel, box = Channel(SEED, Mode.PUBLIC, 3), Mailbox()
    for sealed in written(channel, [b"before", bytes(100_000), b"after"]):
        for number, data in enumerate(sealed.parts):
            if number != 2:
                box.post(sealed.address, data)
    events = box.read(Reader(channel.access()), pass_gaps=True)
    assert [type(event) for event in events] == [Message, Gap, Message]


def test_repetitions_are_told_apart_from_forks() -> None:
    channel = Channel(SEED, Mode.PUBLIC, 2)
    ours, again, theirs = (channel.write(body, Position()) for body in (b"a", b"a", b"b"))
    assert again.parts == ours.parts
    reader = Reader(channel.access())
    assert reader.take(ours.address, ours.parts[0], b"1") == [Message(0, b"a", (b"1",))]
    assert reader.take(ours.address, again.parts[0], b"2") == [Repeated(0, b"2")]
    assert reader.take(ours.address, theirs.parts[0], b"3") == [Fork(0, b"1", b"3")]
    assert reader.take(ours.address, theirs.parts[0], b"4") == []
    assert reader.index == 1


@HEIGHTS
def test_two_writers_with_one_seed(height: int) -> None:
    """The reader sees each index that was signed twice, with both places, and goes on."""
    channel, box = Channel(SEED, Mode.PRIVATE, height), Mailbox()
    first = [box.publish(sealed)[0] for sealed in written(channel, numbered(5))]
    second = [box.publish(sealed)[0] for sealed in written(channel, [b"0", b"1", b"x", b"y"])]
    reader = Reader(channel.access())
    events = box.read(reader)
    for address in reader.past_addresses:
        for _, data, block_id in (block for block in box.blocks if block[0] == address):
            events += reader.take(address, data, block_id)
    assert bodies(events) == numbered(5)
    forks = {event for event in events if isinstance(event, Fork)}
    assert forks == {Fork(n, first[n], second[n]) for n in (2, 3)}


@HEIGHTS
def test_rekeying(height: int) -> None:
    """Alice is granted twice, Bob once, Carol is invited after the second time."""
    channel, box = Channel(SEED, Mode.RESTRICTED, height, b"k" * 32), Mailbox()
    position = Position()
    for step in (b"0", [ALICE, BOB], b"2", b"3", [ALICE, CAROL], b"5", b"6", b"7"):
        if isinstance(step, bytes):
            sealed = channel.write(step, position)
        else:
            sealed = channel.rekey([public_key_of(key) for key in step], position)
        box.publish(sealed)
        position = sealed.following
        if position.index == 5:
            invitation = Invitation.open(CAROL, channel.invite(public_key_of(CAROL), position))
    alice = box.read(Reader(channel.access(), None, opener(ALICE)))
    assert bodies(alice) == [b"0", b"2", b"3", b"5", b"6", b"7"]
    assert [event.index for event in alice if isinstance(event, Rekeyed)] == [1, 4]
    reader = Reader(channel.access(), None, opener(BOB))
    bob = box.read(reader)
    assert bodies(bob) == [b"0", b"2", b"3"]
    assert isinstance(bob[-1], Revoked)
    assert bob[-1].index == 4
    assert (reader.addresses, reader.access) == ((), None)
    nobody = box.read(Reader(channel.access()))
    assert [type(event) for event in nobody] == [Message, Revoked]
    carol = Reader(invitation.access, invitation.start, opener(CAROL))
    assert bodies(box.read(carol)) == [b"5", b"6", b"7"]
    # What is under the invitation's address is all she can open: nothing of before.
    opened = Reader(invitation.access)
    assert bodies(box.read(opened, pass_gaps=True))[:3] == [b"5", b"6", b"7"]


def test_what_the_old_side_key_masks_after_a_rekey_is_refused() -> None:
    channel = Channel(SEED, Mode.RESTRICTED, 3)
    rekey = channel.rekey([public_key_of(ALICE)], Position())
    stale = channel.write(b"old key", Position(1))
    for early in (True, False):
        reader = Reader(channel.access(), None, opener(ALICE))
        events = reader.take(stale.address, stale.parts[0]) if early else []
        events += reader.take(rekey.address, rekey.parts[0])
        events += [] if early else reader.take(stale.address, stale.parts[0])
        assert [type(event) for event in events] == [Rekeyed, Rejected]
        assert isinstance(events[1], Rejected)
        assert isinstance(events[1].error, Misplaced)
    fork = channel.write(b"no rekey", Position())
    assert reader.take(fork.address, fork.parts[0], b"2") == [Fork(0, b"", b"2")]


@MODES
@HEIGHTS
def test_a_writer_finds_where_it_stood_from_its_seed(mode: Mode, height: int) -> None:
    channel, box = Channel(SEED, mode, height), Mailbox()
    position = Position()
    for n in range(11):
        rekeying = mode is Mode.RESTRICTED and n in (2, 7)
        sealed = channel.rekey([], position) if rekeying else channel.write(b"%d" % n, position)
        box.publish(sealed)
        position = sealed.following
    reader = Channel(SEED, mode, height).reader()
    box.read(reader)
    assert reader.index is not None
    assert Position(reader.index, reader.rekeyed_at) == position


def test_too_much_that_waits_is_given_up() -> None:
    channel = Channel(SEED, Mode.PUBLIC, 13)
    reader = Reader(channel.access())
    events: list[Event] = []
    messages = written(channel, [b""] * (WAITING_MAX + 2))
    for sealed in messages[1:]:
        events += reader.take(sealed.address, sealed.parts[0])
    assert events[0] == Gap(0, 0)
    assert len(bodies(events)) == WAITING_MAX + 1


def test_halves_of_messages_do_not_pile_up() -> None:
    """A writer that never finishes its messages costs a reader 32 MiB and no more."""
    channel = Channel(SEED, Mode.PUBLIC, 2)
    reader, position, events = Reader(channel.access()), Position(), list[Event]()
    body = bytes(BODY_BYTES_MAX)
    for _ in range(3):
        sealed = channel.write(body, position)
        position = sealed.following
        for data in sealed.parts[:-1]:
            events += reader.take(sealed.address, data)
    assert reader._waiting_bytes <= 2 * BODY_BYTES_MAX
    assert all(isinstance(event, Rejected) for event in events)
    assert events


def test_forks_without_end_do_not_pile_up() -> None:
    channel = Channel(SEED, Mode.PUBLIC, 0)
    reader = Reader(channel.access())
    told = 0
    for n in range(FORKS_MAX + 10):
        sealed = channel.write(b"%d" % n, Position())
        told += sum(isinstance(event, Fork) for event in reader.take(sealed.address, sealed.parts[0]))
    assert told == FORKS_MAX + 9
    assert len(reader._forks) == FORKS_MAX


def test_forks_and_repetitions_long_ago_are_forgotten_but_never_delivered_twice() -> None:
    channel = Channel(SEED, Mode.PUBLIC, 1)
    reader, count = Reader(channel.access()), 2_000
    messages = written(channel, numbered(count))
    for sealed in messages:
        assert len(reader.take(sealed.address, sealed.parts[0])) == 1
    assert len(reader._settled) < count
    for sealed in messages:
        assert bodies(reader.take(sealed.address, sealed.parts[0])) == []
