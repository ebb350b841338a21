"""What can be wrong with a database, as one tree with stable codes.

    TangleError
    └── StoreError
        ├── DatabaseDamaged      the database does not hold what a node wrote
        ├── UnknownRevision      the schema is not one this version knows
        ├── OtherNetwork         the database belongs to another network
        ├── NetworkExists        a network is founded already
        ├── UnusableNetwork      the network cannot be kept in this store
        ├── DoubleSpend          a journal entry spends what is absent or spent already
        └── MalformedCursor      a page cursor that no query handed out

A code is part of the interface: it never changes meaning.
"""

from __future__ import annotations

from tangle.errors import TangleError


class StoreError(TangleError):
    """Base of all errors of the store."""

    code = "store"


class DatabaseDamaged(StoreError):
    """The database does not hold what a node wrote."""

    code = "database_damaged"

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found

    def __str__(self) -> str:
        return f"the database is damaged ({self.found}); put it back from your copy"


class UnknownRevision(StoreError):
    """The schema of the database is not one that this version can bring up to date."""

    code = "unknown_revision"

    def __init__(self, found: str, newest: str) -> None:
        super().__init__(found, newest)
        self.found = found
        self.newest = newest

    def __str__(self) -> str:
        return (
            f"the database is at {self.found}, which this version does not know (its newest revision is "
            f"{self.newest}); run the version that wrote the database or a newer one, or start with an empty data "
            "directory. Nothing was changed"
        )


class OtherNetwork(StoreError):
    """The database belongs to a network with other parameters.

    Attributes
    ----------
    differences : field name -> (value in the database, value asked for)
    """

    code = "other_network"

    def __init__(self, name: str, differences: dict[str, tuple[object, object]]) -> None:
        super().__init__(name, differences)
        self.name = name
        self.differences = differences

    def __str__(self) -> str:
        listed = "; ".join(f"{key} is {here!r}, not {asked!r}" for key, (here, asked) in self.differences.items())
        return (
            f"the database holds the network {self.name!r}, which is not the one asked for: {listed}. Use another "
            "data directory for the other network, or the settings that this one was founded with"
        )


class NetworkExists(StoreError):
    """The database holds a network; it is never overwritten."""

    code = "network_exists"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"the database holds the network {self.name!r} already; it is never overwritten"


class UnusableNetwork(StoreError):
    """A network whose amounts this store cannot hold, or whose genesis does not add up."""

    code = "unusable_network"


class DoubleSpend(StoreError):
    """A journal batch spends outputs that are absent or spent already; nothing of it was written."""

    code = "double_spend"

    def __init__(self, wanted: int, done: int) -> None:
        super().__init__(wanted, done)
        self.wanted = wanted
        self.done = done

    def __str__(self) -> str:
        return f"of {self.wanted} outputs to spend only {self.done} were there and unspent"


class MalformedCursor(StoreError):
    """A page cursor that no query handed out."""

    code = "malformed_cursor"

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"cursor: {self.text[:100]!r} is none; pass the one of the page before, unchanged"
