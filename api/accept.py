"""Which of two media types a client prefers (RFC 9110, section 12.5.1).

The most specific range that covers a type says its weight. Of equal weights the type that the client names first
wins; a client that says nothing, or that wants neither, gets JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.requests import Request

from tangle.api.schemas import BINARY

JSON = "application/json"
_WEIGHT = re.compile(r"\s*q\s*=\s*(0(?:\.\d*)?|1(?:\.0*)?)\s*", re.IGNORECASE)


def wants_raw(request: Request) -> bool:
    """Whether the client prefers raw bytes to JSON."""
    ranges = dict(_ranges(request.headers.getlist("accept")))
    if not ranges:
        return False
    (raw, at), (json, other) = _wanted(ranges, BINARY), _wanted(ranges, JSON)
    return raw > json or (raw == json > 0 and at < other)


def _ranges(headers: Iterable[str]) -> Iterable[tuple[str, tuple[float, int]]]:
    """Media ranges with weight and place, the last one first, so that of repeated ones the first is kept."""
    parts = [part for header in headers for part in header.split(",")]
    for place in range(len(parts) - 1, -1, -1):
        kind, *parameters = parts[place].split(";")
        weights = [found for each in parameters if (found := _WEIGHT.fullmatch(each))]
        if kind.strip():
            yield kind.strip().lower(), (float(weights[0][1]) if weights else 1.0, place)


def _wanted(ranges: dict[str, tuple[float, int]], kind: str) -> tuple[float, float]:
    """The weight of a media type, and where the client names it; types that it does not name come last."""
    if kind in ranges:
        return ranges[kind]
    wider = (f"{kind.partition('/')[0]}/*", "*/*")
    return next((ranges[one][0] for one in wider if one in ranges), 0.0), float("inf")
