"""The vectors are what the code makes, and what a decoder written from the page alone reads."""

import json
from itertools import takewhile
from typing import Any

import nacl.exceptions
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.mam import Invitation, Mode
from tests.mam import decoder, vectors
from tests.tries import tries

VECTORS: dict[int, Any] = {version: json.loads(file.read_text()) for version, file in vectors.FILES.items()}
CHANNELS = pytest.mark.parametrize(
    ("version", "channel"),
    [(version, channel) for version, told in VECTORS.items() for channel in told["channels"]],
    ids=lambda value: value if isinstance(value, int) else value["name"],
)


@pytest.mark.parametrize("version", VECTORS)
def test_the_code_still_makes_the_vectors(version: int) -> None:
    assert vectors.make(version) == VECTORS[version]


@CHANNELS
def test_roots_follow_from_the_seed(version: int, channel: dict[str, Any]) -> None:
    mode = decoder.MODES[channel["mode"]]
    seed = bytes.fromhex(channel["seed"])
    roots = [decoder.root_from_seed(seed, mode, channel["height"], tree, version).hex() for tree in range(2)]
    assert roots == channel["roots"]


@CHANNELS
@pytest.mark.parametrize("reader", [vectors.ALICE, vectors.BOB], ids=["alice", "bob"])
def test_the_second_decoder_reads_every_message(version: int, channel: dict[str, Any], reader: bytes) -> None:
    key = side_key(channel, version)
    read = decoder.read_channel(channel["mode"], root(channel), key, reader, blocks(channel))
    expected = messages_for(channel, reader)
    assert [message["index"] for message in read] == list(range(len(expected)))
    for message, written in zip(read, expected, strict=True):
        assert message["kind"] == ("rekeyFor" in written)
        if "body" in written:
            assert message["body"].hex() == written["body"]
        else:
            assert len(message["body"]) == 32 * (version > 2) + 80 * len(written["rekeyFor"])


@pytest.mark.parametrize("version", VECTORS)
def test_new_side_keys_follow_from_the_seed(version: int) -> None:
    channel = VECTORS[version]["channels"][-1]
    mode, height, seed = decoder.MODES["restricted"], channel["height"], bytes.fromhex(channel["seed"])
    key = side_key(channel, version)
    read = decoder.read_channel("restricted", root(channel), key, vectors.ALICE, blocks(channel))
    rekeys = [message for message in read if message["kind"] == 1]
    assert [message["index"] for message in rekeys] == [2, 5]
    for message in rekeys:
        index, body = message["index"], message["body"]
        derived = decoder.side_key_from_seed(seed, mode, height, index, version)
        assert decoder.new_side_key(vectors.ALICE, index, body, version) == derived


@settings(max_examples=tries(50), deadline=None)
@given(
    st.sampled_from(list(Mode)),
    st.integers(0, 3),
    st.lists(
        st.one_of(st.binary(max_size=50), st.sets(st.sampled_from([vectors.ALICE, vectors.BOB]))), max_size=10
    ),
)
def test_the_second_decoder_reads_what_any_channel_writes(
    mode: Mode, height: int, steps: list[bytes | set[bytes]]
) -> None:
    chosen = [step if isinstance(step, bytes) else tuple(sorted(step)) for step in steps]
    if mode is not Mode.RESTRICTED:
        chosen = [step for step in chosen if isinstance(step, bytes)]
    channel = vectors.channel("drawn", mode, height, chosen)
    read = decoder.read_channel(channel["mode"], root(channel), side_key(channel), vectors.ALICE, blocks(channel))
    expected = messages_for(channel, vectors.ALICE)
    assert [message["body"].hex() for message in read if not message["kind"]] == [
        message["body"] for message in expected if "body" in message
    ]
    assert len(read) == len(expected)


@CHANNELS
def test_the_second_decoder_refuses_every_altered_byte(version: int, channel: dict[str, Any]) -> None:
    first, *others = blocks(channel)
    for at in range(0, len(first[1]), max(1, len(first[1]) // 300)):
        altered = bytearray(first[1])
        altered[at] ^= 1
        with pytest.raises((AssertionError, nacl.exceptions.CryptoError)):
            decoder.read_channel(
                channel["mode"],
                root(channel),
                side_key(channel, version),
                vectors.ALICE,
                [(first[0], bytes(altered)), *others],
            )


@CHANNELS
def test_invitations_open(version: int, channel: dict[str, Any]) -> None:
    given = channel["invitation"]
    box, private_key = bytes.fromhex(given["box"]), bytes.fromhex(given["privateKey"])
    invitation = decoder.open_invitation(private_key, box)
    assert Invitation.open(private_key, box).writer == invitation.get("writer")
    mode, height, seed = decoder.MODES[channel["mode"]], channel["height"], bytes.fromhex(channel["seed"])
    start = len(channel["messages"])
    key = b""
    if channel["mode"] == "restricted":
        rekeyed = [n for n, message in enumerate(channel["messages"]) if "rekeyFor" in message]
        key = decoder.side_key_from_seed(seed, mode, height, rekeyed[-1] if rekeyed else None, version)
    root = decoder.root_from_seed(seed, mode, height, start >> height, version)
    expected: dict[str, Any] = {"start": start, "root": root, "sideKey": key}
    if version > 2:
        expected |= {"network": int(channel["network"]), "writer": bytes.fromhex(channel["writer"])}
    assert invitation == expected


def messages_for(channel: dict[str, Any], reader: bytes) -> list[dict[str, Any]]:
    """What a reader with a private key can read: all up to the first rekey message that leaves it out."""
    messages: list[dict[str, Any]] = channel["messages"]
    readable = list(takewhile(lambda m: "rekeyFor" not in m or reader.hex() in m["rekeyFor"], messages))
    return messages[: len(readable) + 1]


def root(channel: dict[str, Any]) -> bytes:
    return bytes.fromhex(channel["roots"][0])


def side_key(channel: dict[str, Any], version: int = 3) -> bytes:
    """The first side key: chosen, or from the seed; none in other modes."""
    if channel["mode"] != "restricted" or channel["sideKey"]:
        return bytes.fromhex(channel["sideKey"])
    mode, seed = decoder.MODES["restricted"], bytes.fromhex(channel["seed"])
    return decoder.side_key_from_seed(seed, mode, channel["height"], None, version)


def blocks(channel: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    return [(bytes.fromhex(block["address"]), bytes.fromhex(block["data"])) for block in channel["blocks"]]
