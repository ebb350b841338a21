"""What holds for all bodies, modes, heights, orders and losses."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.mam import (
    Channel,
    Gap,
    Invitation,
    MamError,
    Message,
    Mode,
    Position,
    Reader,
    Rejected,
    Repeated,
    Unreadable,
    join,
    opener,
    public_key_of,
    unseal,
)
from tangle.mam.access import Access
from tangle.mam.boxes import side_key_for
from tangle.mam.message import mask
from tests.mam.mailbox import Mailbox, written
from tests.tries import tries

SEEDS = st.binary(min_size=32, max_size=32)
MODES = st.sampled_from(list(Mode))
HEIGHTS = st.integers(0, 3)


@given(SEEDS, MODES, HEIGHTS, st.integers(0, 2**62), st.binary(max_size=300))
def test_what_was_sealed_is_what_is_read(seed: bytes, mode: Mode, height: int, index: int, body: bytes) -> None:
    channel, position = Channel(seed, mode, height), Position(index)
    sealed = channel.write(body, position)
    parts = [unseal(channel.access(position), sealed.address, data) for data in sealed.parts]
    assert (join(parts), parts[0].index, parts[0].height) == (body, index, height)
    assert parts[0].next_root == channel.root(index + (1 << height))
    assert sealed.following == Position(index + 1)
    assert Channel(seed, mode, height).write(body, position) == sealed


@given(MODES, st.binary(max_size=400))
def test_no_bytes_are_a_message(mode: Mode, data: bytes) -> None:
    access = Access(mode, b"r" * 32, b"k" * 32 if mode is Mode.RESTRICTED else None)
    for candidate in (data, b"\2" + data, mask(access, data), mask(access, bytes((mode, 0)) + data)):
        with pytest.raises(Unreadable):
            unseal(access, access.address, candidate)


@given(st.binary(max_size=200))
def test_no_bytes_crash_a_decoder(data: bytes) -> None:
    assert side_key_for(b"p" * 32, data) is None
    with pytest.raises(MamError):
        Invitation.open(b"p" * 32, data)
    with suppress(MamError):
        assert Invitation.decode(data).encode() == data


@settings(max_examples=tries(40), deadline=None)
@given(MODES, HEIGHTS, st.lists(st.binary(max_size=40), max_size=25), st.randoms(use_true_random=False))
def test_disorder_copies_and_junk_do_no_harm(mode: Mode, height: int, bodies: list[bytes], random: Random) -> None:
    channel = Channel(b"s" * 32, mode, height)
    blocks = [(sealed.address, data) for sealed in written(channel, bodies) for data in sealed.parts]
    copies = random.sample(blocks, len(blocks) // 2)
    junk = [(address, random.randbytes(random.randrange(400))) for address, _ in copies]
    everything = [*blocks, *copies, *junk]
    random.shuffle(everything)
    box = Mailbox()
    for address, data in everything:
        box.post(address, data)
    events = box.read(Reader(channel.access()))
    assert [(event.index, event.body) for event in events if isinstance(event, Message)] == list(enumerate(bodies))
    assert all(isinstance(event, Message | Repeated | Rejected) for event in events)
    # Once a tree is read the box is not asked for it again, so late copies of its last messages are not seen.
    assert len(bodies) <= len(events) <= len(everything)


@settings(max_examples=tries(60), deadline=None)
@given(MODES, st.integers(1, 3), st.integers(1, 30), st.randoms(use_true_random=False))
def test_gaps_are_what_was_lost(mode: Mode, height: int, count: int, random: Random) -> None:
    """Of each tree at least one message stays, so that the channel can be followed."""
    channel, box = Channel(b"s" * 32, mode, height), Mailbox()
    kept: list[int] = []
    for sealed in written(channel, [b"%d" % n for n in range(count)]):
        last_of_tree = (sealed.index + 1) % (1 << height) == 0
        if random.random() < 0.6 or (
            last_of_tree and not any(n >> height == sealed.index >> height for n in kept)
        ):
            box.publish(sealed)
            kept.append(sealed.index)
    events = box.read(Reader(channel.access()), pass_gaps=True)
    assert [event.index for event in events if isinstance(event, Message)] == kept
    lost = [n for event in events if isinstance(event, Gap) for n in range(event.first, event.last + 1)]
    assert lost == [n for n in range(max(kept, default=0)) if n not in kept]


@settings(max_examples=tries(40), deadline=None)
@given(st.integers(0, 2), st.lists(st.one_of(st.binary(max_size=20), st.sets(st.integers(0, 2))), max_size=15))
def test_readers_read_until_they_are_left_out(height: int, steps: list[bytes | set[int]]) -> None:
    """A set among the steps is a rekey message for these of three subscribers."""
    keys = [bytes([n + 1]) * 32 for n in range(3)]
    channel, box, position = Channel(b"s" * 32, Mode.RESTRICTED, height), Mailbox(), Position()
    for step in steps:
        if isinstance(step, bytes):
            sealed = channel.write(step, position)
        else:
            sealed = channel.rekey([public_key_of(keys[n]) for n in step], position)
        box.publish(sealed)
        position = sealed.following
    for n, key in enumerate(keys):
        events = box.read(Reader(channel.access(), None, opener(key)))
        readable: list[bytes] = []
        for step in steps:
            if isinstance(step, bytes):
                readable.append(step)
            elif n not in step:
                break
        assert [event.body for event in events if isinstance(event, Message)] == readable
