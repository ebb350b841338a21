"""What the protocol writes in JSON is what the OpenAPI document describes, and nothing else is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import jsonschema_rs
import orjson
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from tangle.api.documentation import describe
from tangle.api.routes import blocks, utxo
from tangle.errors import TangleError
from tangle.protocol.addresses import ADDRESSES
from tangle.protocol.outputs import FEATURES, OUTPUTS, TOKEN_SCHEMES, UNLOCK_CONDITIONS
from tangle.protocol.serial import Fields
from tangle.protocol.unlocks import SIGNATURES, UNLOCKS
from tests.protocol import objects


def document() -> dict[str, Any]:
    app = FastAPI()
    app.include_router(blocks.router)
    app.include_router(utxo.router)
    describe(app)
    return app.openapi()


DOCUMENT = document()
SCHEMAS = DOCUMENT["components"]["schemas"]


def validator(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({"components": DOCUMENT["components"], **schema})


OUTPUT = validator(SCHEMAS["FoundOutput"]["properties"]["output"])
BLOCK = validator({"$ref": "#/components/schemas/Block"})


def as_sent(json: object) -> Any:
    """As a client reads it: no tuples, no bytes."""
    return orjson.loads(orjson.dumps(json))


@given(objects.outputs)
def test_every_output_is_as_described(output: Any) -> None:
    OUTPUT.validate(as_sent(output.to_json()))


@given(objects.blocks)
def test_every_block_is_as_described(block: Any) -> None:
    BLOCK.validate(as_sent(block.to_json()))


def test_every_type_of_the_protocol_has_a_shape_of_its_name_and_number() -> None:
    tables = (OUTPUTS, UNLOCK_CONDITIONS, FEATURES, TOKEN_SCHEMES, UNLOCKS, SIGNATURES, ADDRESSES)
    for table in tables:
        for number, kind in table.classes.items():
            assert SCHEMAS[kind.__name__]["properties"]["type"]["const"] == number
            assert SCHEMAS[kind.__name__]["additionalProperties"] is False


def members(json: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all members of all objects in `json`."""
    if isinstance(json, dict):
        for name, value in json.items():
            yield (*path, name)
            yield from members(value, (*path, name))
    elif isinstance(json, list):
        for i, value in enumerate(json):
            yield from members(value, (*path, i))


def within(json: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        json = json[step]
    return json


@given(objects.outputs, st.integers(0, 2**32 - 1))
def test_what_is_required_here_is_required_there(output: Any, seed: int) -> None:
    """A member taken away: what the shape still allows, the protocol reads, and the other way round."""
    json = as_sent(output.to_json())
    path = random.Random(seed).choice(list(members(json)))
    changed = deepcopy(json)
    del within(changed, path[:-1])[path[-1]]
    assert OUTPUT.is_valid(changed) == readable(changed), path


@given(objects.outputs, st.integers(0, 2**32 - 1), st.sampled_from(["null", "number", "empty", "more"]))
def test_nothing_else_is_described(output: Any, seed: int, how: str) -> None:
    """No member is ever null or empty, of another kind, or unknown."""
    json = as_sent(output.to_json())
    path = random.Random(seed).choice(list(members(json)))
    place = within(json, path[:-1])
    if how == "more":
        place["more"] = 1
    else:
        place[path[-1]] = {"null": None, "number": 1.5, "empty": ""}[how]
    assert not OUTPUT.is_valid(json), path


def readable(json: Any) -> bool:
    try:
        OUTPUTS.from_json(Fields(json))
    except TangleError:
        return False
    return True


@pytest.mark.parametrize(("amount", "right"), [("0x0", True), ("0x64", True), ("0x064", False), ("100", False)])
def test_native_tokens_are_hexadecimal_without_leading_zeros(amount: str, right: bool) -> None:
    pattern = SCHEMAS["NativeToken"]["properties"]["amount"]["pattern"]
    assert validator({"pattern": pattern}).is_valid(amount) == right
