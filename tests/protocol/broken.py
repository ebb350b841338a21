"""Rules broken one at a time: how a valid JSON form is changed, and what must be said about it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tangle.protocol.errors import ProtocolError
from tangle.protocol.serial import Json


@dataclass(frozen=True)
class Broken:
    """One rule broken: where, how, and what must be said about it."""

    base: Json
    change: Callable[[Json], object]
    code: str
    field: str

    def __str__(self) -> str:
        return f"{self.code} {self.field}"


def find(json: Any, path: tuple[str | int, ...]) -> Any:
    """What `path` leads to."""
    for step in path:
        json = json[step]
    return json


def put(*path: str | int, value: object) -> Callable[[Json], object]:
    """Set the member that `path` names."""

    def change(json: Json) -> None:
        find(json, path[:-1])[path[-1]] = value

    return change


def repeat(*path: str | int, times: int = 1) -> Callable[[Json], object]:
    """Append the last element of the list that `path` names, `times` over."""

    def change(json: Json) -> None:
        held = find(json, path)
        held.extend(copy.deepcopy(held[-1:]) * times)

    return change


def swap(*path: str | int) -> Callable[[Json], object]:
    """Turn the list that `path` names round."""
    return lambda json: find(json, path).reverse()


def refusal(read: Callable[[], object]) -> tuple[str, str]:
    """Code and field of the ProtocolError that `read` must raise."""
    with pytest.raises(ProtocolError) as caught:
        read()
    return caught.value.code, caught.value.field


def path_of(steps: tuple[str | int, ...]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def places(value: object) -> list[tuple[Any, Any]]:
    """Every (container, key) within `value`."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        pairs = [(value, key) for key in value]
    elif isinstance(value, list):
        pairs = [(value, i) for i in range(len(value))]
    return pairs + [place for container, key in pairs for place in places(container[key])]
