"""The settings of attacks, checked when a scenario is made and not when the attack is under way.

An attack declares them as keyword-only arguments with defaults. The annotation is the check: `int`, `float`,
`bool` and `str` for the kind, `Annotated[int, Range(1, 8)]` for the range, `Literal` for words to choose from.
Arguments annotated otherwise take anything.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from tangle.sim.errors import BadScenario

WHERE = "adversary.settings"


@dataclass(frozen=True, slots=True)
class Range:
    """What a number may be, both ends included."""

    least: float
    most: float = math.inf

    def __str__(self) -> str:
        return f"at least {self.least:g}" if self.most == math.inf else f"{self.least:g} to {self.most:g}"


def bound(function: Callable[..., Any], settings: object) -> Callable[..., Any]:
    """Bind settings to an attack. BadScenario names the one that is unknown, missing or out of its range."""
    if not isinstance(settings, Mapping):
        raise BadScenario(WHERE, f"a table is needed, not {settings!r}")
    own, hints, open_ended = declared(function)
    for name, value in settings.items():
        if name in own:
            check(f"{WHERE}.{name}", value, hints.get(name))
        elif not open_ended:
            raise BadScenario(f"{WHERE}.{name}", f"unknown; there are {', '.join(own) or 'none'}")
    for name, parameter in own.items():
        if parameter.default is parameter.empty and name not in settings:
            raise BadScenario(f"{WHERE}.{name}", "missing")
    return partial(function, **settings)


@lru_cache(maxsize=64)
def declared(function: Callable[..., Any]) -> tuple[dict[str, inspect.Parameter], dict[str, Any], bool]:
    """Return an attack's settings, the annotations of all its arguments, and whether it takes any others."""
    parameters = inspect.signature(function).parameters.values()
    own = {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return own, get_type_hints(function, include_extras=True), open_ended


def check(field: str, value: object, hint: object) -> None:
    """Raise BadScenario for a value that an annotation does not allow."""
    kind, limits = hint, Range(-math.inf)
    if get_origin(hint) is Annotated:
        kind, *extras = get_args(hint)
        limits = next((extra for extra in extras if isinstance(extra, Range)), limits)
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise BadScenario(field, f"{value!r} is none of {', '.join(map(str, get_args(kind)))}")
    elif kind in {int, float}:
        kinds = int if kind is int else int | float
        if not isinstance(value, kinds) or isinstance(value, bool) or not limits.least <= value <= limits.most:
            what = "a whole number" if kind is int else "a number"
            raise BadScenario(field, f"{what} of {limits} is needed, not {value!r}")
    elif isinstance(kind, type) and kind in {bool, str} and not isinstance(value, kind):
        raise BadScenario(field, f"{'true or false' if kind is bool else 'a text'} is needed, not {value!r}")
