"""Whatever is not the writer's message, as it was written and where it was written, is refused, and told what it
is."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256

import pytest
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt, crypto_sign, crypto_sign_seed_keypair

from tangle.mam import (
    DATA_BYTES_MAX,
    Channel,
    Forged,
    ForgedSignature,
    Fork,
    Junk,
    LayoutInvalid,
    MaskInvalid,
    Message,
    Misplaced,
    Mode,
    NonceInvalid,
    NotAMessage,
    PathInvalid,
    Position,
    Reader,
    Rejected,
    Sealed,
    Unreadable,
    WrongKey,
    unseal,
)
from tangle.mam.access import Access
from tangle.mam.hashes import uint
from tangle.mam.message import mask, seal_content
from tests.mam.mailbox import Mailbox, written

SEED = sha256(b"attacked").digest()
OTHER_SEED = sha256(b"another").digest()
MODES = pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode.name.lower())
HEIGHT = 2
KEY, PATH = 23, 55
"""where the public key and the path begin"""


def channel_of(mode: Mode, seed: bytes = SEED) -> Channel:
    return Channel(seed, mode, HEIGHT)


def plain_of(access: Access, data: bytes) -> bytes:
    """What any reader sees behind the mask."""
    return crypto_aead_xchacha20poly1305_ietf_decrypt(data[25:], data[:1], data[1:25], access.mask_key)


def refused(access: Access, data: bytes, error: type[Unreadable], address: bytes | None = None) -> None:
    with pytest.raises(error) as raised:
        unseal(access, access.address if address is None else address, data)
    assert type(raised.value) is error


def one_message(mode: Mode, index: int = 1) -> tuple[Channel, Access, Sealed]:
    channel = channel_of(mode)
    return channel, channel.access(Position(index)), channel.write(b"3.2 bar", Position(index))


def test_wrong_side_key() -> None:
    channel, access, sealed = one_message(Mode.RESTRICTED)
    wrong = Access(Mode.RESTRICTED, channel.root(), b"?" * 32)
    refused(wrong, sealed.parts[0], WrongKey, sealed.address)
    # Even if somebody copies the message to where the wrong key looks, it stays closed.
    refused(wrong, sealed.parts[0], MaskInvalid)
    assert unseal(access, sealed.address, sealed.parts[0]).body == b"3.2 bar"


@MODES
def test_wrong_root(mode: Mode) -> None:
    channel, access, sealed = one_message(mode)
    wrong = access.of(channel.root(1 << HEIGHT))
    refused(wrong, sealed.parts[0], WrongKey, sealed.address)
    refused(wrong, sealed.parts[0], MaskInvalid)


def test_the_address_of_a_private_channel_does_not_open_it() -> None:
    _, access, sealed = one_message(Mode.PRIVATE)
    for mode in (Mode.PUBLIC, Mode.PRIVATE):
        refused(Access(mode, access.address), sealed.parts[0], MaskInvalid)


@MODES
def test_every_bit_of_a_message_altered(mode: Mode) -> None:
    _, access, sealed = one_message(mode)
    data = sealed.parts[0]
    for bit in range(len(data) * 8):
        altered = bytearray(data)
        altered[bit // 8] ^= 1 << bit % 8
        refused(access, bytes(altered), NotAMessage if 0 < bit < 8 else MaskInvalid)


@MODES
def test_every_bit_behind_the_mask_altered_by_a_reader(mode: Mode) -> None:
    """A reader can unmask, alter and mask again: key, path, place, next root, body and signature all hold."""
    _, access, sealed = one_message(mode)
    plain = plain_of(access, sealed.parts[0])
    for bit in range(len(plain) * 8):
        altered = bytearray(plain)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Forged):
            unseal(access, access.address, mask(access, bytes(altered)))


@MODES
def test_every_length_cut(mode: Mode) -> None:
    _, access, sealed = one_message(mode)
    plain = plain_of(access, sealed.parts[0])
    for size in range(len(sealed.parts[0])):
        with pytest.raises(Junk):
            unseal(access, access.address, sealed.parts[0][:size])
    for size in range(len(plain)):
        with pytest.raises((Junk, Forged)):
            unseal(access, access.address, mask(access, plain[:size]))


@MODES
def test_replayed_under_another_tag(mode: Mode) -> None:
    channel, _, sealed = one_message(mode)
    elsewhere = channel_of(mode, OTHER_SEED).access()
    refused(elsewhere, sealed.parts[0], MaskInvalid)
    next_tree = channel.access(Position(1 << HEIGHT))
    refused(next_tree, sealed.parts[0], MaskInvalid)


@MODES
def test_replayed_and_masked_anew_for_another_channel_or_tree(mode: Mode) -> None:
    channel, access, sealed = one_message(mode)
    plain = plain_of(access, sealed.parts[0])
    for target in (channel_of(mode, OTHER_SEED).access(), channel.access(Position(1 << HEIGHT))):
        refused(target, mask(target, plain), PathInvalid)


def test_replayed_and_masked_anew_under_another_side_key() -> None:
    _, access, sealed = one_message(Mode.RESTRICTED)
    rekeyed = access.rekeyed(b"!" * 32)
    refused(rekeyed, mask(rekeyed, plain_of(access, sealed.parts[0])), ForgedSignature)


@MODES
@pytest.mark.parametrize("index", [0, 2, 1 + (1 << HEIGHT)])
def test_replayed_under_another_index(mode: Mode, index: int) -> None:
    _, access, sealed = one_message(mode, 1)
    plain = plain_of(access, sealed.parts[0])
    refused(access, mask(access, plain[:3] + uint(index, 8) + plain[11:]), PathInvalid)


@MODES
def test_forged_signature_under_the_writers_key(mode: Mode) -> None:
    _, access, sealed = one_message(mode)
    content = plain_of(access, sealed.parts[0])[:-64]
    _, secret_key = crypto_sign_seed_keypair(OTHER_SEED)
    refused(access, seal_content(access, secret_key, content), ForgedSignature)
    signature_of_something_else = crypto_sign(b"something else", secret_key)[:64]
    refused(access, mask(access, content + signature_of_something_else), ForgedSignature)


@MODES
def test_signed_with_a_key_of_ones_own(mode: Mode) -> None:
    _, access, sealed = one_message(mode)
    content = plain_of(access, sealed.parts[0])[:-64]
    public_key, secret_key = crypto_sign_seed_keypair(OTHER_SEED)
    refused(access, seal_content(access, secret_key, content[:KEY] + public_key + content[PATH:]), PathInvalid)


@MODES
def test_key_and_path_of_another_tree(mode: Mode) -> None:
    """A writer of another channel signs with a key and a path that are right, there."""
    _, access, sealed = one_message(mode)
    other = channel_of(mode, OTHER_SEED)
    theirs = plain_of(other.access(), other.write(b"theirs", Position(1)).parts[0])
    content = plain_of(access, sealed.parts[0])[:-64]
    _, secret_key = other._tree(0).pair(1)
    end = PATH + 32 * HEIGHT
    refused(access, seal_content(access, secret_key, content[:KEY] + theirs[KEY:end] + content[end:]), PathInvalid)


@MODES
def test_masked_a_second_time_with_another_nonce(mode: Mode) -> None:
    """The writer's own content in other bytes would look like a fork."""
    _, access, sealed = one_message(mode)
    twisted = Access(access.mode, access.root, access.side_key)
    object.__setattr__(twisted, "nonce_key", b"n" * 32)
    refused(access, mask(twisted, plain_of(access, sealed.parts[0])), NonceInvalid)


@pytest.mark.parametrize("size", [0, 1, 25, 191, DATA_BYTES_MAX + 1, 10**6])
def test_wrong_sizes(size: int) -> None:
    _, access, _ = one_message(Mode.PUBLIC)
    refused(access, b"\3" * size, NotAMessage)


@pytest.mark.parametrize("size", [192, 200, DATA_BYTES_MAX])
def test_noise_of_the_right_size(size: int) -> None:
    _, access, _ = one_message(Mode.PUBLIC)
    refused(access, b"\3" + os.urandom(size - 1), MaskInvalid)


HEAD: dict[str, tuple[int, int, int]] = {
    "mode": (0, 1, Mode.PRIVATE),
    "kind": (1, 1, 2),
    "rekey in a public channel": (1, 1, 1),
    "height": (2, 1, 17),
    "index": (3, 8, 2**63),
    "part": (11, 2, 1),
    "no parts": (13, 2, 0),
    "a part that is not full": (13, 2, 2),
}


@pytest.mark.parametrize("name", HEAD)
def test_fields_that_no_writer_makes(name: str) -> None:
    """Signed and masked by the writer itself, and still refused."""
    channel, access, sealed = one_message(Mode.PUBLIC)
    start, size, value = HEAD[name]
    content = plain_of(access, sealed.parts[0])[:-64]
    content = content[:start] + uint(value, size) + content[start + size :]
    refused(access, seal_content(access, channel._tree(0).pair(1)[1], content), LayoutInvalid)


def test_more_parts_than_the_longest_body_has() -> None:
    channel = channel_of(Mode.PUBLIC)
    access, sealed = channel.access(), channel.write(bytes(40_000), Position())
    content = plain_of(access, sealed.parts[0])[:-64]
    content = content[:13] + uint(60_000, 2) + content[15:]
    refused(access, seal_content(access, channel._tree(0).pair(0)[1], content), LayoutInvalid)


@pytest.mark.parametrize("size", [0, 1, 32])
def test_a_body_split_without_need(size: int) -> None:
    """The writer cuts a body that fits one part into a full piece and a last one of `size` bytes."""
    channel = channel_of(Mode.PUBLIC)
    access, sealed = channel.access(), channel.write(bytes(40_000), Position())
    content = plain_of(access, sealed.parts[1])[:-64]
    fixed = PATH + 32 * HEIGHT + 32 + 32
    secret_key = channel._tree(0).pair(0)[1]
    refused(access, seal_content(access, secret_key, content[: fixed + size]), LayoutInvalid)
    assert unseal(access, access.address, seal_content(access, secret_key, content[: fixed + 33])).part == 1


@pytest.mark.parametrize("parts", [2, 3])
def test_an_empty_last_piece(parts: int) -> None:
    """The writer adds a piece of nothing behind the last full one."""
    channel = channel_of(Mode.PUBLIC)
    access, sealed = channel.access(), channel.write(bytes(40_000 * parts), Position())
    content = plain_of(access, sealed.parts[-1])[:-64]
    fixed = PATH + 32 * HEIGHT + 32 + 32
    ending = content[:11] + uint(parts - 1, 2) + uint(parts, 2) + content[15:fixed]
    refused(access, seal_content(access, channel._tree(0).pair(0)[1], ending), LayoutInvalid)


def signed_again(channel: Channel, sealed: Sealed, change: Callable[[bytes], bytes]) -> bytes:
    """A message changed by its own writer."""
    access = channel.access(Position(sealed.index))
    _, secret_key = channel._tree(sealed.index >> HEIGHT).pair(sealed.index % (1 << HEIGHT))
    return seal_content(access, secret_key, change(plain_of(access, sealed.parts[0])[:-64]))


def test_another_next_root_by_the_writer() -> None:
    channel = channel_of(Mode.PUBLIC)
    first, second = written(channel, [b"a", b"b"])
    at = PATH + 32 * HEIGHT
    other = signed_again(channel, second, lambda content: content[:at] + b"r" * 32 + content[at + 32 :])
    reader = Reader(channel.access())
    reader.take(first.address, first.parts[0])
    events = reader.take(second.address, other, b"other")
    assert [type(event.error) for event in events if isinstance(event, Rejected)] == [Misplaced]
    assert reader.take(second.address, second.parts[0]) == [Message(1, b"b", (b"",))]


def test_a_next_tree_with_another_number_by_the_writer() -> None:
    channel = channel_of(Mode.PUBLIC)
    first, skipped = channel.write(b"a", Position(3)), channel.write(b"b", Position(8))
    at = PATH + 32 * HEIGHT
    far_root = channel.root(8)
    leap = signed_again(channel, first, lambda content: content[:at] + far_root + content[at + 32 :])
    reader = Reader(channel.access(), start=3)
    assert [type(event) for event in reader.take(first.address, leap)] == [Message]
    events = reader.take(skipped.address, skipped.parts[0])
    assert [type(event.error) for event in events if isinstance(event, Rejected)] == [Misplaced]


def test_a_digest_of_another_body_by_the_writer() -> None:
    channel = channel_of(Mode.PUBLIC)
    access, sealed = channel.access(), channel.write(bytes(40_000), Position())
    at = PATH + 32 * HEIGHT + 32
    _, secret_key = channel._tree(0).pair(0)
    reader, events = Reader(access), []
    for data in sealed.parts:
        content = plain_of(access, data)[:-64]
        wrong = seal_content(access, secret_key, content[:at] + b"d" * 32 + content[at + 32 :])
        events += reader.take(access.address, wrong, b"part")
    assert [type(event.error) for event in events if isinstance(event, Rejected)] == [Misplaced, Misplaced]
    assert reader.index == 1


def test_parts_of_two_bodies_are_never_joined() -> None:
    channel = channel_of(Mode.PRIVATE)
    ours, theirs = (channel.write(bytes([n]) * 50_000, Position()) for n in range(2))
    reader = Reader(channel.access())
    assert reader.take(ours.address, ours.parts[0], b"1") == []
    assert reader.take(ours.address, theirs.parts[1], b"2") == [Fork(0, b"1", b"2")]
    assert reader.take(ours.address, ours.parts[1], b"3") == [Message(0, bytes(50_000), (b"1", b"3"))]


def test_a_flood_of_junk() -> None:
    """10,000 blocks of noise and copies between ten messages: all refused, every message delivered."""
    channel, box = channel_of(Mode.RESTRICTED), Mailbox()
    noise = b"\3" + os.urandom(400)
    for sealed in written(channel, [b"%d" % n for n in range(10)]):
        for n in range(1_000):
            box.post(sealed.address, noise[: 200 + n % 200] if n % 2 else noise[n % 100 + 1 :])
        box.publish(sealed)
    events = box.read(Reader(channel.access()))
    assert [event.body for event in events if isinstance(event, Message)] == [b"%d" % n for n in range(10)]
    rejected = [event for event in events if isinstance(event, Rejected)]
    assert len(rejected) == 10_000
    assert all(isinstance(event.error, Junk) for event in rejected)
