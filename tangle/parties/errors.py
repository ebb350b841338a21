"""What can go wrong with what parties keep and tell, as one tree with stable codes.

TangleError
└── PartyError
    ├── MessageRefused      a message that is malformed or not signed by who may send it
    ├── SeedRefused         a seed file that others may read, or that holds no seed
    ├── OtherState          a state file of another party
    └── PaymentConflicting  a payment whose coins someone else has spent
"""

from __future__ import annotations

from tangle.errors import TangleError


class PartyError(TangleError):
    """Base of this room's errors."""

    code = "party"


class MessageRefused(PartyError):
    """A message that is malformed, or not signed by the one who may send it."""

    code = "message_refused"
    reason: str


class SeedRefused(PartyError):
    """A seed file that others may read, or that holds no seed."""

    code = "seed_refused"
    reason: str


class OtherState(PartyError):
    """The state file belongs to another party, or has a layout this version does not know."""

    code = "other_state"
    reason: str


class PaymentConflicting(PartyError):
    """A stored payment can never be included: its coins were spent by a transaction unknown to its party."""

    code = "payment_conflicting"
    template = "transaction {transaction_id} conflicts ({reason}); does another process use this machine's seed?"
    transaction_id: bytes
    reason: str
