"""Query parameters by their names: one that a route does not know is refused, with those that it knows.

A mistyped name must not be answered as if nothing had been asked. What a route knows follows from its signature.
"""

from __future__ import annotations

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request

from tangle.api.problems import UnknownParameter
from tangle.errors import nearest, unknown


async def known_names(request: Request) -> None:
    """A dependency of all routes. Raises UnknownParameter."""
    if not request.scope["query_string"]:
        return
    known = _names(request.scope["route"])
    for name in request.query_params:
        if name not in known:
            shown = name[:100]
            raise UnknownParameter(f"{shown}: {unknown(known, nearest(shown, known))}", shown)


def _names(route: APIRoute) -> frozenset[str]:
    """Names of the parameters that a route takes, those of a class of parameters one by one."""
    names: set[str] = set()
    for field in route.dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names.update(each.alias or name for name, each in kind.model_fields.items())
        else:
            names.add(field.alias)
    return frozenset(names)
