"""What can go wrong between customer, machine and owner, as one tree with stable codes.

TangleError
└── MachineError
    ├── IllegalEvent       an event that the order's state does not know
    ├── TermsRefused       terms or an order that cannot be carried out exactly
    └── ReadingsRefused    a file of readings without a time or a value column

What goes wrong with messages, seeds and books is in `tangle.parties.errors`.
"""

from __future__ import annotations

from tangle.errors import TangleError


class MachineError(TangleError):
    """Base of this room's errors."""

    code = "machine"


class IllegalEvent(MachineError):
    """The life cycle has no such transition; nothing was changed."""

    code = "illegal_event"
    template = "an order that is {state} knows no event {event}"
    state: str
    event: str


class TermsRefused(MachineError):
    """Terms or an order that cannot be carried out exactly."""

    code = "terms_refused"
    reason: str


class ReadingsRefused(MachineError):
    """A file of readings in which no time or no value column is found."""

    code = "readings_refused"
    reason: str
