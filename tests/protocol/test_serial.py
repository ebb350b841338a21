"""Reading bytes and JSON members: what is taken, what is refused, and how a fault is named."""

from collections.abc import Callable

import nacl.bindings
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.protocol.errors import LengthOutOfRange, MalformedJson, ProtocolError, UnexpectedEnd, UnknownType
from tangle.protocol.serial import Fields, Reader, blake2b_256, from_hex, numbered, to_hex, within
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import SIGNATURES, UNLOCKS
from tests.protocol.objects import fuzz


def test_the_hash_is_blake2b_with_32_bytes() -> None:
    # Not the first half of the usual 64 bytes of RFC 7693. Another library must say the same.
    assert blake2b_256(b"data") == nacl.bindings.crypto_generichash_blake2b_salt_personal(b"data", digest_size=32)


@fuzz
@given(data=st.binary(max_size=100))
def test_hex_gives_bytes_back(data: bytes) -> None:
    assert from_hex(to_hex(data), "field") == from_hex("0x" + data.hex().upper(), "field", size=len(data)) == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0x0",
        "00",
        "0X00",
        "0xzz",
        "0x 00",
        "0x00 ",
        "0x0 0 ",
        "0x00 00",
        "0x\u0660\u0660",
        "0x0x",
        None,
        7,
        b"0x00",
    ],
)
def test_what_is_no_hex_is_refused(text: object) -> None:
    with pytest.raises(MalformedJson) as caught:
        from_hex(text, "field")
    assert caught.value.field == "field"


def test_a_read_beyond_the_end_moves_nothing() -> None:
    reader = Reader(b"\x01\x02\x03")
    assert reader.uint(2, "first") == 0x0201
    for read in (reader.take, reader.uint, reader.peek):
        with pytest.raises(UnexpectedEnd, match="second: needs 2 bytes, 1 remain"):
            read(2, "second")
    assert reader.position == 2
    assert reader.peek(1, "last") == reader.uint(1, "last") == 3
    reader.finish("all")


def test_a_prefix_beyond_its_limit_is_refused_before_the_bytes_are_missed() -> None:
    with pytest.raises(LengthOutOfRange, match="tag: must be 1 to 64 bytes, not 255"):
        Reader(b"\xff").blob(1, "tag", least=1, most=64)


def test_a_class_takes_only_its_own_type() -> None:
    with pytest.raises(UnknownType, match="type: must be 5 here, not 6"):
        TaggedData.decode(Reader(b"\x06\x00\x00\x00\x00\x00\x00\x00\x00"))


def test_a_table_names_the_types_that_it_knows() -> None:
    with pytest.raises(UnknownType, match=r"type: 9 is no unlock type here \(known: 0, 1, 2, 3\)"):
        UNLOCKS.decode(Reader(b"\x09"))
    with pytest.raises(UnknownType, match=r"type: 9 is no unlock type here \(known: 0, 1, 2, 3\)"):
        UNLOCKS.from_json(Fields({"type": 9}))


def test_a_member_named_like_its_parent_keeps_its_whole_path() -> None:
    json = {"type": 0, "signature": {"type": 0, "publicKey": to_hex(bytes(32))}}
    with pytest.raises(MalformedJson, match=r"^signature\.signature: is missing$"):
        UNLOCKS.from_json(Fields(json))
    with pytest.raises(UnexpectedEnd, match=r"^signature\.signature: needs 64 bytes"):
        UNLOCKS.decode(Reader(bytes(34)))


@pytest.mark.parametrize("value", [None, [], "text", 7, True])
def test_fields_are_read_from_an_object_only(value: object) -> None:
    with pytest.raises(MalformedJson, match=r"^must be an object$"):
        Fields(value)


def test_null_is_absent() -> None:
    fields = Fields({"here": "0x00", "null": None})
    assert "here" in fields
    assert "null" not in fields
    assert "absent" not in fields
    assert fields.optional_data("null") == fields.optional_data("absent") == b""
    assert list(fields.items("null", optional=True)) == []


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda fields: fields.text("member"), 7),
        (lambda fields: fields.items("member"), {"0": 1}),
        (lambda fields: fields.items("member"), "list"),
        (lambda fields: fields.integer("member", 255), 256),
        (lambda fields: fields.integer("member", 255), False),
        (lambda fields: fields.integer("member", 255), 10**4000),
        (lambda fields: fields.u64("member"), "1" * 5000),
        (lambda fields: fields.u64("member"), 7),
        (lambda fields: fields.data("member", size=2), "0x00"),
        (lambda fields: fields.nested("member", SIGNATURES.from_json), []),
    ],
)
def test_a_member_of_the_wrong_kind_is_named(read: Callable[[Fields], object], value: object) -> None:
    with pytest.raises(MalformedJson) as caught:
        read(Fields({"member": value}))
    assert caught.value.field == "member"


def test_elements_are_numbered_from_0() -> None:
    def positive(value: int) -> int:
        if value < 0:
            raise ProtocolError("sign", "must be positive")
        return value

    assert numbered("values", positive, [1, 2]) == (1, 2)
    with pytest.raises(ProtocolError, match=r"^values\[2\]\.sign: must be positive$"):
        numbered("values", positive, [1, 2, -3, -4])
    with pytest.raises(ProtocolError, match=r"^value\.sign: must be positive$"):
        within("value", lambda: positive(-1))
    assert within("value", lambda: positive(1)) == 1
