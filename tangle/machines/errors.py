"""What can go wrong between customer, machine and owner, as one tree with stable codes.

TangleError
└── MachineError
    ├── IllegalEvent       an event that the order's state does not know
    ├── TermsRefused       terms or an order that cannot be carried out exactly
    ├── MessageRefused     a message that is malformed or not signed by who may send it
    ├── ReadingsRefused    a file of readings without a time or a value column
    ├── SeedRefused        a seed file that others may read, or that holds no seed
    ├── OtherState         a state file of another machine
    └── PaymentConflicting a payment whose coins someone else has spent
"""

from __future__ import annotations

from tangle.errors import TangleError


class MachineError(TangleError):
    """Base of this room's errors."""

    code = "machine"


class IllegalEvent(MachineError):
    """The life cycle has no such transition; nothing was changed."""

    code = "illegal_event"

    def __init__(self, state: str, event: str) -> None:
        super().__init__(state, event)
        self.state = state
        self.event = event

    def __str__(self) -> str:
        return f"an order that is {self.state} knows no event {self.event}"


class TermsRefused(MachineError):
    """Terms or an order that cannot be carried out exactly."""

    code = "terms_refused"


class MessageRefused(MachineError):
    """A message that is malformed, or not signed by the one who may send it."""

    code = "message_refused"


class ReadingsRefused(MachineError):
    """A file of readings in which no time or no value column is found."""

    code = "readings_refused"


class SeedRefused(MachineError):
    """A seed file that others may read, or that holds no seed."""

    code = "seed_refused"


class OtherState(MachineError):
    """The state file belongs to another machine, or has a layout this version does not know."""

    code = "other_state"


class PaymentConflicting(MachineError):
    """A stored payment can never be included: its coins were spent by a transaction not in the journal."""

    code = "payment_conflicting"

    def __init__(self, transaction_id: bytes, reason: str) -> None:
        super().__init__(transaction_id, reason)
        self.transaction_id = transaction_id
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"transaction 0x{self.transaction_id.hex()} conflicts ({self.reason}); "
            "does another process use this machine's seed?"
        )
