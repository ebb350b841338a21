"""A writer's side: sizes, bad arguments, what follows from a seed, boxes and invitations."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tangle.mam import (
    BODY_BYTES_MAX,
    DATA_BYTES_MAX,
    HEIGHT_MAX,
    ArgumentInvalid,
    BodyTooLong,
    BoxInvalid,
    Channel,
    ChannelExhausted,
    Invitation,
    Message,
    Mode,
    Position,
    Reader,
    join,
    opener,
    overhead_bytes,
    public_key_of,
    unseal,
)
from tangle.mam.access import Access
from tangle.mam.boxes import open_box, seal_box, side_key_for
from tangle.mam.message import INDEX_MAX
from tangle.mam.tree import Tree
from tests.mam.mailbox import Mailbox

SEED = sha256(b"written").digest()
ALICE, BOB = (sha256(name).digest() for name in (b"alice", b"bob"))


@pytest.mark.parametrize("height", [0, 1, 6])
def test_overhead_is_as_documented(height: int) -> None:
    channel = Channel(SEED, Mode.PRIVATE, height)
    sealed = channel.write(b"x" * 1_024, Position())
    assert len(sealed.parts[0]) - 1_024 == overhead_bytes(height) == 192 + 32 * height


def test_overhead_at_height_0_is_within_its_mark() -> None:
    sealed = Channel(SEED, Mode.RESTRICTED, 0).write(b"", Position())
    assert len(sealed.parts[0]) + len(sealed.address) <= 250


@pytest.mark.parametrize("height", [0, 3])
def test_bodies_around_the_size_of_a_part(height: int) -> None:
    one = DATA_BYTES_MAX - overhead_bytes(height)
    piece = DATA_BYTES_MAX - overhead_bytes(height, split=True)
    channel = Channel(SEED, Mode.PUBLIC, height)
    for size, parts in [(0, 1), (1, 1), (one, 1), (one + 1, 2), (2 * piece, 2), (2 * piece + 1, 3)]:
        body = bytes(n % 256 for n in range(size))
        sealed = channel.write(body, Position())
        assert len(sealed.parts) == parts, size
        assert max(map(len, sealed.parts)) <= DATA_BYTES_MAX
        read = [unseal(channel.access(), sealed.address, data) for data in sealed.parts]
        assert join(read) == body


def test_a_body_of_1_mb_in_any_order() -> None:
    body = bytes(n * n % 251 for n in range(1_000_000))
    channel, box = Channel(SEED, Mode.RESTRICTED, 0), Mailbox()
    sealed = channel.write(body, Position())
    ids = [box.post(sealed.address, data) for data in reversed(sealed.parts)]
    assert box.read(Reader(channel.access())) == [Message(0, body, tuple(reversed(ids)))]


def test_a_body_too_long() -> None:
    with pytest.raises(BodyTooLong, match="16,777,217 bytes, at most 16,777,216"):
        Channel(SEED).write(bytes(BODY_BYTES_MAX + 1), Position())


def test_the_longest_body() -> None:
    sealed = Channel(SEED, height=HEIGHT_MAX // 2).write(bytes(BODY_BYTES_MAX), Position())
    reader, events = Reader(Channel(SEED, height=HEIGHT_MAX // 2).access()), []
    for data in sealed.parts:
        events += reader.take(sealed.address, data)
    assert [len(event.body) for event in events if isinstance(event, Message)] == [BODY_BYTES_MAX]


@pytest.mark.parametrize("index", [-1, INDEX_MAX, INDEX_MAX + 1])
def test_no_index_is_left(index: int) -> None:
    with pytest.raises(ChannelExhausted):
        Channel(SEED, height=0).write(b"", Position(index))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((b"short",), "seed"),
        ((b"l" * 33,), "seed"),
        ((SEED, Mode.PUBLIC, -1), "height"),
        ((SEED, Mode.PUBLIC, HEIGHT_MAX + 1), "height"),
        ((SEED, Mode.PUBLIC, 0, b"k" * 32), "side_key"),
        ((SEED, Mode.PRIVATE, 0, b"k" * 32), "side_key"),
        ((SEED, Mode.RESTRICTED, 0, b"k" * 31), "side_key"),
        ((SEED, Mode.RESTRICTED, 0, b""), "side_key"),
    ],
)
def test_bad_arguments_of_a_channel(arguments: tuple[bytes, Mode, int], field: str) -> None:
    with pytest.raises(ArgumentInvalid) as raised:
        Channel(*arguments)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("mode", "root", "side_key", "field"),
    [
        (Mode.PUBLIC, b"", None, "root"),
        (Mode.PRIVATE, b"r" * 31, None, "root"),
        (Mode.PRIVATE, b"r" * 32, b"k" * 32, "side_key"),
        (Mode.RESTRICTED, b"r" * 32, None, "side_key"),
    ],
)
def test_bad_arguments_of_a_reader(mode: Mode, root: bytes, side_key: bytes | None, field: str) -> None:
    with pytest.raises(ArgumentInvalid) as raised:
        Access(mode, root, side_key)
    assert raised.value.field == field


def test_modes_have_names() -> None:
    assert [Mode.named(name) for name in ("public", "private", "restricted")] == list(Mode)
    with pytest.raises(ArgumentInvalid, match="is public, private or restricted, not 'secret'"):
        Mode.named("secret")


def test_new_channels_differ() -> None:
    assert Channel.create("private", 0).root() != Channel.create("private", 0).root()


def test_nothing_secret_is_shown() -> None:
    channel = Channel(SEED, Mode.RESTRICTED, 0, b"k" * 32)
    shown = repr((channel, channel.access(), Invitation(channel.access(), 0), channel.reader()))
    for secret in (SEED, channel.root(), b"k" * 32):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


def test_one_seed_gives_other_keys_in_every_mode_and_height() -> None:
    trees = [Tree(SEED, mode, height, number) for mode in Mode for height in range(3) for number in range(4)]
    keys = [tree.pair(leaf)[0] for tree in trees for leaf in range(1 << len(tree.path(0)))]
    assert len(set(keys)) == len(keys)
    assert len({tree.root for tree in trees}) == len(trees)


@pytest.mark.parametrize("mode", [Mode.PUBLIC, Mode.PRIVATE])
def test_only_restricted_channels_change_side_keys(mode: Mode) -> None:
    with pytest.raises(ArgumentInvalid, match="only a restricted channel"):
        Channel(SEED, mode).rekey([], Position())


@pytest.mark.parametrize("recipient", [b"", b"r" * 31, bytes(32)])
def test_keys_that_no_box_can_be_sealed_for(recipient: bytes) -> None:
    with pytest.raises(ArgumentInvalid) as raised:
        Channel(SEED, Mode.RESTRICTED).rekey([recipient], Position())
    assert raised.value.field == "recipient"


def test_boxes_open_for_their_recipient_alone() -> None:
    box = seal_box(SEED, public_key_of(ALICE), b"content")
    assert box == seal_box(SEED, public_key_of(ALICE), b"content")
    assert box[:32] != seal_box(SEED, public_key_of(ALICE), b"another")[:32]
    assert open_box(ALICE, box) == b"content"
    with pytest.raises(BoxInvalid):
        open_box(BOB, box)
    for bit in range(len(box) * 8):
        altered = bytearray(box)
        altered[bit // 8] ^= 1 << bit % 8
        # The highest bit of an X25519 key is ignored (RFC 7748), but the nonce is a hash of the key as it stands.
        with pytest.raises(BoxInvalid):
            open_box(ALICE, bytes(altered))
    for size in range(len(box)):
        with pytest.raises(BoxInvalid):
            open_box(ALICE, box[:size])


def test_boxes_of_a_rekey_message_do_not_tell_their_order() -> None:
    channel = Channel(SEED, Mode.RESTRICTED)
    keys = [public_key_of(bytes([n]) * 32) for n in range(5)]
    assert channel.rekey(keys, Position()) == channel.rekey([*reversed(keys), keys[0]], Position())


@pytest.mark.parametrize("body", [b"", b"x" * 79, b"x" * 80, b"x" * 161])
def test_no_box_is_for_this_reader(body: bytes) -> None:
    assert side_key_for(ALICE, body) is None


@pytest.mark.parametrize("private_key", [b"", b"p" * 33])
def test_bad_private_keys(private_key: bytes) -> None:
    with pytest.raises(ArgumentInvalid):
        opener(private_key)


@pytest.mark.parametrize("mode", list(Mode))
def test_invitations_travel_as_bytes(mode: Mode) -> None:
    channel = Channel(SEED, mode, 2)
    sealed = channel.invite(public_key_of(ALICE), Position(4))
    invitation = Invitation.open(ALICE, sealed)
    assert invitation == Invitation(channel.access(Position(4)), 4, 0, channel.writer)
    data = Invitation(channel.access(Position(4)), 4).encode()
    assert Invitation.decode(data) == Invitation(channel.access(Position(4)), 4)
    for broken in (b"", data[:-1], data + b"x", b"\1" + data[1:], data[:1] + b"\3" + data[2:]):
        with pytest.raises(ArgumentInvalid):
            Invitation.decode(broken)
    with pytest.raises(ArgumentInvalid):
        Invitation.decode(data[:2] + b"\xff" * 8 + data[10:])
