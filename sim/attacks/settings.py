"""The settings of attacks, checked when a scenario is made and not when the attack is under way.

An attack declares them as keyword-only arguments with defaults. The annotation is the check, as pydantic has it:
`int`, `float`, `bool` and `str` for the kind, `Annotated[int, Range(1, 8)]` for the range, `Literal` for words to
choose from. Arguments without an annotation take anything.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from tangle.sim.errors import BadScenario
from tangle.sim.fields import dotted, refusal


def bound(function: Callable[..., Any], settings: Mapping[str, Any]) -> Callable[..., Any]:
    """Bind settings to an attack. BadScenario names the one that is unknown, missing or out of its range."""
    shape = declared(function)
    try:
        shape.model_validate(dict(settings))
    except ValidationError as error:
        path, rule = refusal(error)
        if rule == "unknown":
            known = ", ".join(str(each.alias) for each in shape.model_fields.values())
            rule = f"unknown; there are {known or 'none'}"
        raise BadScenario(dotted(["adversary", "settings", *path]), rule) from None
    return partial(function, **settings)


@lru_cache(maxsize=64)
def declared(function: Callable[..., Any]) -> type[BaseModel]:
    """Return an attack's settings as a model."""
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    # Names of settings are aliases, so that they may be any.
    fields: dict[str, Any] = {}
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY:
            default = ... if p.default is p.empty else p.default
            fields[f"setting_{len(fields)}"] = hints.get(p.name, Any), Field(default, alias=p.name)
    takes_others = any(p.kind is p.VAR_KEYWORD for p in parameters)
    config = ConfigDict(strict=True, extra="allow" if takes_others else "forbid", arbitrary_types_allowed=True)
    return create_model("Settings", __config__=config, **fields)
