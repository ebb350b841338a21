"""Every decoder, binary and JSON: it says again what it made, and refuses with nothing but ProtocolError."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.protocol import addresses, milestones, outputs, transactions
from tangle.protocol.blocks import PAYLOADS, Block
from tangle.protocol.errors import ProtocolError
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import Fields, Json, Reader
from tangle.protocol.tables import TypeTable
from tests.protocol import objects, twin
from tests.protocol.broken import places
from tests.protocol.objects import fuzz


@dataclass(frozen=True)
class Form:
    """One kind of object: how to draw, write and read it."""

    draw: st.SearchStrategy[Any]
    decode: Callable[[bytes], Any]
    from_json: Callable[[Fields], Any]
    lay_out: Callable[[Json], bytes]


def whole(table: TypeTable[Any]) -> Callable[[bytes], Any]:
    """Read one element of `table` that takes all the bytes."""

    def decode(data: bytes) -> Any:
        reader = Reader(data)
        made = table.decode(reader)
        reader.finish("")
        return made

    return decode


def of(draw: st.SearchStrategy[Any], table: TypeTable[Any], lay_out: Callable[[Json], bytes]) -> Form:
    return Form(draw, whole(table), table.from_json, lay_out)


PAYLOAD = st.one_of(objects.tagged_data, objects.transactions(), objects.milestones)
FORMS = {
    "block": Form(objects.blocks, Block.decode, Block.from_json, twin.block),
    "payload": of(PAYLOAD, PAYLOADS, twin.payload),
    "essence payload": of(objects.tagged_data, transactions.ESSENCE_PAYLOADS, twin.payload),
    "address": of(objects.addresses, addresses.ADDRESSES, twin.address),
    "unlock condition": of(objects.conditions, outputs.UNLOCK_CONDITIONS, twin.condition),
    "feature": of(objects.features, outputs.FEATURES, twin.feature),
    "token scheme": of(objects.token_schemes, outputs.TOKEN_SCHEMES, twin.token_scheme),
    "basic output": of(objects.basic_outputs(), outputs.OUTPUTS, twin.output),
    "alias output": of(objects.alias_outputs(), outputs.OUTPUTS, twin.output),
    "foundry output": of(objects.foundry_outputs, outputs.OUTPUTS, twin.output),
    "nft output": of(objects.nft_outputs(), outputs.OUTPUTS, twin.output),
    "input": of(objects.inputs, transactions.INPUTS, twin.utxo_input),
    "signature": of(objects.signatures, transactions.SIGNATURES, twin.signature),
    "unlock": of(objects.unlocks, transactions.UNLOCKS, twin.unlock),
    "milestone option": of(objects.options(), milestones.OPTIONS, twin.option),
}
each_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def encoded(made: Any) -> bytes:
    data: bytes = made.encoded if isinstance(made, Block) else made.encode()
    return data


def check_decoded(form: Form, data: bytes) -> None:
    """Either a ProtocolError, or an object that lays out as `data`; its own cached bytes prove nothing."""
    try:
        made = form.decode(data)
    except ProtocolError:
        return
    assert encoded(made) == data
    assert form.lay_out(made.to_json()) == data
    again = form.from_json(Fields(made.to_json()))
    assert again == made
    assert encoded(again) == data


def check_parsed(form: Form, value: object) -> None:
    """Either a ProtocolError, or an object that both forms give back."""
    try:
        made = form.from_json(Fields(value))
    except ProtocolError:
        return
    assert form.from_json(Fields(made.to_json())) == made
    assert form.decode(encoded(made)) == made


@each_form
@fuzz
@given(draws=st.data())
def test_both_forms_give_the_object_back(form: Form, draws: st.DataObject) -> None:
    made = draws.draw(form.draw)
    assert encoded(made) == form.lay_out(made.to_json())
    assert form.decode(encoded(made)) == made
    assert form.from_json(Fields(json.loads(json.dumps(made.to_json())))) == made
    assert hash(form.decode(encoded(made))) == hash(made)


@each_form
@fuzz
@given(data=st.binary(max_size=200))
def test_any_bytes(form: Form, data: bytes) -> None:
    check_decoded(form, data)


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` cut, extended, or with a few bytes replaced."""
    kind = draw(st.sampled_from(["cut", "extend", "drop", "replace", "replace"]))
    at = draw(st.integers(0, len(data)))
    if kind == "cut":
        return data[:at]
    if kind == "extend":
        return data + draw(st.binary(min_size=1, max_size=40))
    if kind == "drop":
        return data[:at] + data[at + draw(st.integers(1, 40)) :]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data) - 1))
        data = data[:at] + bytes([draw(objects.u8)]) + data[at + 1 :]
    return data


@each_form
@fuzz
@given(draws=st.data())
def test_damaged_bytes(form: Form, draws: st.DataObject) -> None:
    check_decoded(form, draws.draw(damaged(encoded(draws.draw(form.draw)))))


texts = st.text(st.characters(exclude_categories=()), max_size=20)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(
        [-1, 0, 2**16, 2**32, 2**64, 10**4000, "0x", "0x0", "0X00", "0xzz", "0x 1", "0x1 2 ", "", "-1"]
    ),
    st.sampled_from(
        ["٣", "\uff11", "²", "1_0", "+1", " 1", "1e3", "9" * 21, "0x" + "00" * 31, "\ud800", "0x\ud800"]
    ),
    st.floats(),
    texts,
    st.binary(max_size=40).map(lambda data: "0x" + data.hex()),
    st.binary(max_size=4),
)
names = st.one_of(
    texts,
    st.sampled_from(
        ["type", "essence", "payload", "parents", "nonce", "tag", "data", "address", "nativeTokens", "nftId"]
    ),
)
values = st.recursive(
    scalars,
    lambda held: st.lists(held, max_size=4) | st.dictionaries(names, held, max_size=5),
    max_leaves=15,
)


@each_form
@fuzz
@given(value=values)
def test_any_json(form: Form, value: object) -> None:
    check_parsed(form, value)


@each_form
@fuzz
@given(draws=st.data())
def test_damaged_json(form: Form, draws: st.DataObject) -> None:
    value = draws.draw(form.draw).to_json()
    container, key = draws.draw(st.sampled_from(places(value)))
    kind = draws.draw(st.sampled_from(["drop", "repeat", "replace", "replace"]))
    if kind == "drop":
        del container[key]
    elif kind == "repeat" and isinstance(container, list):
        container.append(container[key])
    else:
        container[key] = draws.draw(values)
    check_parsed(form, value)


@each_form
@pytest.mark.parametrize("wrap", [lambda held: {"payload": held}, lambda held: [held]], ids=["objects", "arrays"])
def test_deep_nesting_does_not_recurse(form: Form, wrap: Callable[[object], object]) -> None:
    deep: object = None
    for _ in range(100_000):
        deep = wrap(deep)
    sample: Json = {"type": 0}
    for key in (
        "essence",
        "payload",
        "parents",
        "address",
        "signature",
        "unlocks",
        "outputs",
        "features",
        "tokenScheme",
    ):
        sample[key] = deep
    for number in range(8):
        check_parsed(form, {**sample, "type": number, "protocolVersion": 2})


@fuzz
@given(made=objects.parameters)
def test_parameters_give_themselves_back(made: ProtocolParameters) -> None:
    assert ProtocolParameters.decode(made.encode()) == made
    assert ProtocolParameters.from_json(Fields(json.loads(json.dumps(made.to_json())))) == made


@fuzz
@given(draws=st.data())
def test_damaged_parameters(draws: st.DataObject) -> None:
    data = draws.draw(st.one_of(st.binary(max_size=60), objects.parameters.map(ProtocolParameters.encode)))
    data = draws.draw(st.one_of(st.just(data), damaged(data or b"\x02")))
    try:
        made = ProtocolParameters.decode(data)
    except ProtocolError:
        return
    assert made.encode() == data


@fuzz
@given(draws=st.data())
def test_damaged_json_parameters(draws: st.DataObject) -> None:
    value = draws.draw(objects.parameters).to_json()
    container, key = draws.draw(st.sampled_from(places(value)))
    container[key] = draws.draw(values)
    try:
        made = ProtocolParameters.from_json(Fields(value))
    except ProtocolError:
        return
    assert ProtocolParameters.from_json(Fields(made.to_json())) == made


@fuzz
@given(text=texts | st.text("iota1qpzry9x8gf2tvdw0s3jn54khce6mua7l", max_size=95))
def test_any_text_as_address(text: str) -> None:
    try:
        found = addresses.from_bech32(text)
    except ProtocolError:
        return
    hrp = addresses.bech32_decode(text)[0]
    assert addresses.to_bech32(found, hrp) == text.lower()
