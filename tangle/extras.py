"""Libraries that the base install leaves out, and what is said where one is missing.

The base install is the client. A room that needs more says so before it imports it::

    needs("pow", "proof of work on this machine", "numba", "numpy")
"""

from __future__ import annotations

from importlib.util import find_spec

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


def needs(extra: str, purpose: str, *libraries: str) -> None:
    """Raise ExtraMissing for the first of `libraries` that is not installed; none of them is imported."""
    for library in libraries:
        if find_spec(library) is None:
            raise ExtraMissing(purpose, library, extra)
