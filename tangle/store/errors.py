"""What can be wrong with a database, as one tree with stable codes.

    TangleError
    └── StoreError
        ├── DatabaseDamaged      the database does not hold what a node wrote
        ├── UnknownRevision      the schema is not one this version knows
        ├── OtherNetwork         the database belongs to another network
        ├── NetworkExists        a network is founded already
        ├── UnusableNetwork      the network cannot be kept in this store
        ├── NoNetwork            no network is founded yet
        ├── AuditFailed          the database holds other things than its blocks say
        ├── DoubleSpend          a journal entry spends what is absent or spent already
        └── MalformedCursor      a page cursor that no query handed out

A code is part of the interface: it never changes meaning.
"""

from __future__ import annotations

from tangle.errors import Ending, TangleError


class StoreError(TangleError):
    """Base of all errors of the store."""

    code = "store"


class DatabaseDamaged(StoreError):
    """The database does not hold what a node wrote."""

    code = "database_damaged"
    template = "the database is damaged ({found}); put it back from your copy"
    ending = Ending.DATA
    found: str


class UnknownRevision(StoreError):
    """The schema of the database is not one that this version can bring up to date."""

    code = "unknown_revision"
    template = (
        "the database is at {found}, which this version does not know (its newest revision is "
        "{newest}); run the version that wrote the database or a newer one, or start with an empty data "
        "directory. Nothing was changed"
    )
    ending = Ending.DATA
    found: str
    newest: str


class OtherNetwork(StoreError):
    """The database belongs to a network with other parameters.

    Attributes
    ----------
    differences : field name -> (value in the database, value asked for)
    """

    code = "other_network"
    template = (
        "the database holds the network {name!r}, which is not the one asked for: {listed}. Use another "
        "data directory for the other network, or the settings that this one was founded with"
    )
    ending = Ending.DATA
    name: str
    differences: dict[str, tuple[object, object]]

    @property
    def listed(self) -> str:
        """The differences as a message tells them."""
        return "; ".join(f"{key} is {here!r}, not {asked!r}" for key, (here, asked) in self.differences.items())


class NetworkExists(StoreError):
    """The database holds a network; it is never overwritten."""

    code = "network_exists"
    template = "the database holds the network {name!r} already; it is never overwritten"
    ending = Ending.DATA
    name: str


class UnusableNetwork(StoreError):
    """A network whose amounts this store cannot hold, or whose genesis does not add up."""

    code = "unusable_network"
    ending = Ending.DATA
    reason: str


class NoNetwork(StoreError):
    """The database holds no network yet."""

    code = "no_network"
    template = "{place} holds no network; make one with `tangle init`"
    ending = Ending.DATA
    hint = "--data names another data directory"
    place: str = "the database"


class AuditFailed(StoreError):
    """The ledger does not add up, or something else in the database is not what its blocks say."""

    code = "audit_failed"
    ending = Ending.AUDIT
    reason: str


class DoubleSpend(StoreError):
    """A journal batch spends outputs that are absent or spent already; nothing of it was written."""

    code = "double_spend"
    template = "of {wanted} outputs to spend only {done} were there and unspent"
    wanted: int
    done: int


class MalformedCursor(StoreError):
    """A page cursor that no query handed out."""

    code = "malformed_cursor"
    template = "cursor: {text!r:.102} is none; pass the one of the page before, unchanged"
    ending = Ending.REFUSED
    text: str
