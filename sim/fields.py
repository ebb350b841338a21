"""What a field may be, declared beside it: pydantic reads and checks it, `refusal` says what is wrong in words.

Numbers are taken as they are: no text, no truth value and no fraction becomes a whole number. Sequences become
tuples, tables read-only mappings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

Table = Annotated[Mapping[str, Any], AfterValidator(lambda table: MappingProxyType(dict(table)))]
"""read-only"""
CHOICE = "="
"""first letter of the tags that tell forms of one field apart; they are no part of its path"""

WORDS = {
    "int_type": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "bool_type": "true or false is needed",
    "string_type": "a text is needed",
    "list_type": "a list is needed",
    "tuple_type": "a list is needed",
    "dict_type": "a table is needed",
    "mapping_type": "a table is needed",
    "model_type": "a table is needed",
    "dataclass_type": "a table is needed",
}
"""type of pydantic's error -> the rule"""


@dataclass(frozen=True, slots=True)
class Range:
    """What an `int` or a `float` may be: `Annotated[int, Range(1, 8)]`.

    least, most : both included
    below : not included; infinite for any number but infinity
    """

    least: float
    most: float = math.inf
    below: float | None = None

    def __str__(self) -> str:
        if self.least == -math.inf:
            return ""
        if self.most < math.inf:
            return f" from {self.least:g} to {self.most:.0f}"
        end = "" if self.below in {None, math.inf} else f" and less than {self.below:g}"
        return f" of at least {self.least:g}{end}"

    def __get_pydantic_core_schema__(self, source: Any, _: GetCoreSchemaHandler) -> CoreSchema:
        inner: CoreSchema
        if source is int:
            most = None if self.most == math.inf else int(self.most)
            inner = core_schema.int_schema(strict=True, ge=int(self.least), le=most)
        else:
            inner = core_schema.float_schema(strict=True, ge=self.least, le=self.most, lt=self.below)
        kind = "whole number" if source is int else "number"
        return needed(f"a {kind}{self} is needed", inner)


@dataclass(frozen=True, slots=True)
class Needed:
    """The rule of a field in words, instead of one for each of its parts."""

    rule: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return needed(self.rule, handler(source))


def needed(rule: str, inner: CoreSchema) -> CoreSchema:
    """Return a schema whose only error is the rule."""
    return core_schema.custom_error_schema(inner, custom_error_type="needed", custom_error_message=rule)


def refusal(error: ValidationError) -> tuple[list[str | int], str]:
    """Return the path of the first field that is wrong, and its rule; "missing" and "unknown" are such."""
    first = error.errors(include_url=False)[0]
    path = [each for each in first["loc"] if not str(each).startswith(CHOICE)]
    kind, given = first["type"], first["input"]
    if kind == "missing":
        return path, "missing"
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        return path, "unknown"
    if kind == "literal_error":
        known = first["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
        return path, f"{given!r} is none of {known}"
    rule = first["msg"] if kind == "needed" else WORDS.get(kind, first["msg"].removeprefix("Value error, "))
    return path, f"{rule}, not {given!r}"


def dotted(path: list[str | int]) -> str:
    """Return a path as people write it: agents[0].share."""
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path).removeprefix(".")
