"""Libraries that the base install leaves out, and what is said where one is missing.

The base install is the client. What needs more says so where it imports it::

    with extra("pow", "proof of work on this machine"):
        import numba
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tangle.errors import TangleError


class ExtraMissing(TangleError):
    """A library is not installed that an extra of this package brings.

    Attributes
    ----------
    purpose : what needs it
    library : name of the module that was not found
    extra : what installs it
    """

    code = "extra_missing"
    template = '{purpose} needs {library}, which is not installed: pip install "tangle-ledger[{extra}]"'
    purpose: str
    library: str
    extra: str


@contextmanager
def extra(name: str, purpose: str) -> Iterator[None]:
    """Imports of the block come with the extra `name`. Raises ExtraMissing where one is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library in {"", "tangle"}:
            raise
        raise ExtraMissing(purpose, library, name) from error
