"""Which software made a result: the same scenario gives the same result with the same versions."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

DISTRIBUTIONS = ("tangle-ledger", "numpy", "numba")


def versions() -> dict[str, str]:
    """Return name -> version of what a result depends on, Python included."""
    return {name: _version(name) for name in DISTRIBUTIONS} | {"python": platform.python_version()}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
