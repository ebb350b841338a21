"""What format 3 adds: side keys that are committed to, invitations that are signed, messages of one network."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tangle.mam import (
    ArgumentInvalid,
    Channel,
    Event,
    Invitation,
    InvitationForged,
    Message,
    Misplaced,
    Mode,
    Position,
    Reader,
    Rejected,
    Rekeyed,
    Revoked,
    Sealed,
    SideKeyContradicted,
    WrittenElsewhere,
    opener,
    public_key_of,
)
from tangle.mam.access import Access
from tangle.mam.boxes import committed, open_box, seal_box
from tangle.mam.message import MessageKind, seal

SEED = sha256(b"promised").digest()
ALICE, BOB = (sha256(name).digest() for name in (b"alice", b"bob"))
HERE, THERE = 7, 8


def take(reader: Reader, *messages: Sealed) -> list[Event]:
    return [event for sealed in messages for data in sealed.parts for event in reader.take(sealed.address, data)]


def test_two_side_keys_in_one_rekey_message_are_noticed_by_whoever_gets_the_wrong_one() -> None:
    channel = Channel(SEED, Mode.RESTRICTED, 2)
    first = channel.write(b"meter 0", Position())
    keys = {ALICE: b"a" * 32, BOB: b"b" * 32}
    boxes = b"".join(sorted(seal_box(SEED, public_key_of(reader), key) for reader, key in keys.items()))
    rekey = channel._seal(MessageKind.REKEY, committed(1, keys[ALICE]) + boxes, first.following, 1)
    for reader, key in keys.items():
        events = take(Reader(channel.access(), None, opener(reader)), first, rekey)
        rejected = [event.error for event in events if isinstance(event, Rejected)]
        if reader == ALICE:
            assert isinstance(events[1], Rekeyed)
            assert (rejected, events[1].commitment) == ([], committed(1, key))
        else:
            assert [type(error) for error in rejected] == [SideKeyContradicted]
            assert isinstance(events[-1], Revoked)
            assert events[-1].commitment == committed(1, keys[ALICE])


@pytest.mark.parametrize("body", [b"", b"short", bytes(32), bytes(112)])
def test_a_rekey_message_without_a_commitment_gives_no_key(body: bytes) -> None:
    channel = Channel(SEED, Mode.RESTRICTED, 2)
    rekey = channel._seal(MessageKind.REKEY, body, Position(), 0)
    assert [type(event) for event in take(Reader(channel.access(), None, opener(ALICE)), rekey)] == [Revoked]
    # Nor does it to the writer, which knows the key without a box: it did not write this.
    assert [type(event) for event in take(channel.reader(), rekey)] == [Rejected, Revoked]


def test_all_who_read_a_rekey_message_have_one_commitment() -> None:
    channel = Channel(SEED, Mode.RESTRICTED, 2)
    rekey = channel.rekey([public_key_of(ALICE)], Position())
    (alice,), (bob,) = (take(Reader(channel.access(), None, opener(one)), rekey) for one in (ALICE, BOB))
    assert isinstance(alice, Rekeyed)
    assert isinstance(bob, Revoked)
    assert alice.commitment == bob.commitment == committed(0, channel.side_key(0) or b"")


@pytest.mark.parametrize("mode", list(Mode))
def test_messages_of_anwritten_elsewhere_are_noticed(mode: Mode) -> None:
    channel = Channel(SEED, mode, 1, network=HERE)
    sealed = channel.write(b"paid", Position())
    assert take(Reader(channel.access(), network=HERE), sealed) == [Message(0, b"paid", (b"",))]
    (event,) = take(Reader(channel.access(), network=THERE), sealed)
    assert isinstance(event, Rejected)
    assert isinstance(event.error, WrittenElsewhere)
    assert (event.error.network, str(HERE) in str(event.error)) == (HERE, True)
    # A reader that asks for none, and a writer that names none.
    assert len(take(Reader(channel.access()), sealed)) == 1
    unbound = Channel(SEED, mode, 1).write(b"paid", Position())
    assert take(Reader(channel.access(), network=THERE), unbound) == [Message(0, b"paid", (b"",))]


def test_a_channel_is_of_one_format_and_one_root_names_it() -> None:
    old, new = (Channel(SEED, Mode.PRIVATE, 0, version=version) for version in (2, 3))
    assert old.root() != new.root()
    assert take(Reader(old.access()), old.write(b"old", Position()))[0] == Message(0, b"old", (b"",))
    tree = new._tree(0)
    leads_back = seal(new.access(), tree, 0, MessageKind.DATA, 0, old.root(1), b"new")
    reader = Reader(new.access())
    assert [type(event) for event in reader.take(new.access().address, leads_back[0])] == [Message]
    (event,) = take(reader, old.write(b"old", Position(1)))
    assert isinstance(event, Rejected)
    assert isinstance(event.error, Misplaced)


def box_of(channel: Channel, reader: bytes = ALICE, index: int = 5) -> bytes:
    return channel.invite(public_key_of(reader), Position(index, 2))


@pytest.mark.parametrize("mode", list(Mode))
def test_an_invitation_tells_who_signed_it_and_for_which_network(mode: Mode) -> None:
    channel = Channel(SEED, mode, 2, network=HERE)
    invitation = Invitation.open(ALICE, box_of(channel))
    assert (invitation.writer, invitation.network, invitation.start) == (channel.writer, HERE, 5)
    assert invitation.access == channel.access(Position(5, 2))
    mallory = Invitation.open(ALICE, box_of(Channel(b"m" * 32, mode, 2, network=HERE)))
    assert mallory.writer != channel.writer


def test_who_has_the_way_in_cannot_invite_in_the_writers_name() -> None:
    """Bob opens his invitation, and seals what is in it for Alice, as it is or with other words."""
    channel, mallory = Channel(SEED, Mode.RESTRICTED, 2, network=HERE), Channel(b"m" * 32, Mode.RESTRICTED, 2)
    content = open_box(BOB, box_of(channel, BOB))
    theirs = open_box(ALICE, box_of(mallory))
    with pytest.raises(InvitationForged, match="another reader"):
        Invitation.open(ALICE, seal_box(BOB, public_key_of(ALICE), content))
    for_alice = content[:82] + public_key_of(ALICE) + content[114:]
    with pytest.raises(InvitationForged, match="not signed"):
        Invitation.open(ALICE, seal_box(BOB, public_key_of(ALICE), for_alice))
    # Mallory's own signature under the root of the channel, and the writer's name under Mallory's.
    for forged in (content[:74] + theirs[74:], theirs[:114] + channel.writer + theirs[146:]):
        with pytest.raises(InvitationForged):
            Invitation.open(ALICE, seal_box(BOB, public_key_of(ALICE), forged))


def test_every_bit_of_an_invitation_counts() -> None:
    content = open_box(ALICE, box_of(Channel(SEED, Mode.PRIVATE, 1, network=HERE)))
    for bit in range(8 * len(content)):
        altered = bytearray(content)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises((InvitationForged, ArgumentInvalid)):
            Invitation.open(ALICE, seal_box(BOB, public_key_of(ALICE), bytes(altered)))


def test_invitations_of_format_2_open_and_nobody_signed_them() -> None:
    channel = Channel(SEED, Mode.RESTRICTED, 2, version=2)
    invitation = Invitation.open(ALICE, box_of(channel))
    assert (invitation.writer, invitation.network) == (None, 0)
    assert invitation.access == Access(Mode.RESTRICTED, channel.root(5), channel.side_key(2))
