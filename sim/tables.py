"""Scenarios and sweeps as tables: what TOML and JSON can hold, fields within them, functions by their names."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from tangle.sim.errors import BadScenario

FORMERLY_ON_TOP = ("sim.", "tipselect.")
"""rooms that lay beside `tangle` in earlier versions; what those kept on disk names functions so"""


def plain(value: Any) -> Any:
    """Return a value as TOML and JSON have it: without fields that are None or never end, functions by name."""
    if isinstance(value, BaseModel):
        return _without_gaps(dict(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _without_gaps({each.name: getattr(value, each.name) for each in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if callable(value):
        return f"{value.__module__}:{getattr(value, '__qualname__', type(value).__name__)}"
    return value


def _without_gaps(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in fields.items() if value is not None and value != math.inf}


def named_function(name: str, field: str) -> Any:
    """Return what "module:function" names. BadScenario, of that field, when it cannot be imported."""
    module, _, attribute = current(name).partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadScenario(field, f"{name!r} cannot be imported: {error}") from None
    if not callable(found):
        raise BadScenario(field, f"{name!r} is no function")
    return found


def current(name: str) -> str:
    """Return the name that a function of this package has now."""
    return f"tangle.{name}" if name.startswith(FORMERLY_ON_TOP) else name


def changed(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table with some fields changed; the one given stays as it is."""
    out = copy.deepcopy(dict(table))
    for field, value in changes.items():
        put(out, field, value)
    return out


def put(table: dict[str, Any], field: str, value: object) -> None:
    """Set a field, also of a table in a table. BadScenario for one that cannot be there."""
    *way, last = field.split(".")
    here: Any = table
    for i, word in enumerate(way):
        here = here.setdefault(word, {}) if isinstance(here, dict) else here[_place(here, word, field)]
        if not isinstance(here, dict | list):
            raise BadScenario(field, f"{'.'.join(way[: i + 1])} is {here!r} and has no fields")
    if isinstance(here, dict):
        here[last] = value
    else:
        here[_place(here, last, field)] = value


def _place(inside: Sequence[object], word: str, field: str) -> int:
    if not (word.isascii() and word.isdigit() and int(word) < len(inside)):
        raise BadScenario(field, f"{word!r} is no place in a list of {len(inside)}, counted from 0")
    return int(word)
