"""The one error base of all rooms: what went wrong, as a class of a few lines.

A class declares its `code`, its fields as annotations, and a `template` that writes the message from them::

    class UnknownParent(AttachError):
        \"\"\"A parent is not here and the caller did not want to wait for it.\"\"\"

        code = "unknown_parent"
        template = "parents: block {block_id} is not known here"
        block_id: bytes

    raise UnknownParent(block_id)

What it means to the one who asked is its `ending`, which a base usually sets for a whole branch; the exit code of
a command and the status of an answer follow from it. Programs decide by class, or by `code` where an error came
over a wire; never by the message, which is for people and may change.

    TangleError
    ├── BrokenRule           input that breaks a rule
    └── NotFound             the thing asked for is not here

A code is part of the interface: one class owns it, and it never changes meaning.

This module lies at the bottom of the house and imports nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from itertools import islice
from typing import Any, ClassVar, Self, dataclass_transform

NAMES_MAX, NAME_LENGTH_MAX = 128, 64
"""names that one is compared with, and characters of a name, when somebody has mistyped one"""


class Ending(Enum):
    """What an error means to the one who asked.

    A node says NOT_FOUND and REFUSED to a request; a wallet says NOT_HELD and NOT_POSSIBLE, and no request can be
    the cause.

    Attributes
    ----------
    exit_code : of a command that ends so
    status : of an HTTP answer; 500 where no request can be the cause
    meaning : of the exit code, for people; stated once where several endings share one
    """

    DONE = 0, 200, "done"
    FAILED = 1, 500, "failed for a reason not listed here; the message says which"
    UNAVAILABLE = 1, 503
    USAGE = 2, 500, "wrong options or arguments"
    UNREACHABLE = 3, 500, "no node answers at the URL"
    NOT_FOUND = 4, 404, "the node does not know it, or the wallet does not hold it"
    NOT_HELD = 4, 500
    REFUSED = 5, 400, "a rule is broken, found here or by the node; the message names it"
    NOT_POSSIBLE = 5, 500
    NOT_OFFERED = 5, 403
    NO_SUCH_METHOD = 5, 405
    TOO_SLOW = 5, 408
    CONFLICT = 5, 409
    TOO_LARGE = 5, 413
    URL_TOO_LONG = 5, 414
    UNKNOWN_MEDIA_TYPE = 5, 415
    OTHER_HOST = 5, 421
    TOO_OFTEN = 5, 429
    HEADER_TOO_LARGE = 5, 431
    INSUFFICIENT_FUNDS = 6, 500, "the wallet holds too little"
    WALLET = 7, 500, "the wallet file cannot be used or made, or its password is wrong"
    NOT_INCLUDED = 8, 500, "sent, but conflicting, or nothing decided in the time given"
    PORT = 9, 500, "cannot listen on the address or port, most often because another program does"
    DATA = 10, 500, "the data directory does not fit: other network, unknown revision, keys missing, in use"
    AUDIT = 11, 500, "the ledger does not add up"
    CHANNEL = 12, 500, "a channel cannot be written or read on: in use, revoked, waiting, or not whole"
    SIMULATION = 13, 500, "runs of a sweep failed, a result is damaged, no cluster answers, or nothing to replay"
    INTERRUPTED = 130, 500, "interrupted by Ctrl-C"

    def __init__(self, exit_code: int, status: int, meaning: str = "") -> None:
        self.exit_code = exit_code
        self.status = status
        self.meaning = meaning

    @classmethod
    def of_status(cls, status: int) -> Ending:
        """The ending that another node's HTTP status tells of."""
        known = next((ending for ending in cls if ending.status == status), None)
        return known or (cls.REFUSED if 400 <= status < 500 else cls.FAILED)


@dataclass_transform()
class TangleError(Exception):
    """Base of all errors this project raises for its callers.

    Attributes
    ----------
    code : stable name, for programs
    template : the message, with names of fields and properties in braces; bytes are written as 0x and hex digits.
        A class that declares none has a field `reason`, which is its message
    ending : what it means to the one who asked
    passes : whether it passes by itself, so that trying again later may help
    hint : what helps a person at the command line, or empty
    """

    code: str = "tangle_error"
    template: str = "{reason}"
    ending: Ending = Ending.FAILED
    passes: bool = False
    hint: str = ""
    fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        inherited = (name for base in reversed(cls.__bases__) for name in getattr(base, "fields", ()))
        cls.fields = tuple(dict.fromkeys((*inherited, *cls.__annotations__)))

    def __init__(self, *values: object, **named: object) -> None:
        if named or len(values) != len(self.fields):
            values = self._bound(values, named)
        super().__init__(*values)
        self.__dict__.update(zip(self.fields, values, strict=True))

    def _bound(self, values: tuple[object, ...], named: dict[str, object]) -> tuple[object, ...]:
        defaults = {name: getattr(self, name) for name in self.fields if hasattr(self, name)}
        given = defaults | dict(zip(self.fields, values, strict=False)) | named
        if len(values) > len(self.fields) or given.keys() != set(self.fields):
            raise TypeError(f"{type(self).__name__} takes {', '.join(self.fields) or 'nothing'}")
        return tuple(given[name] for name in self.fields)

    @classmethod
    def kinds(cls) -> list[type[Self]]:
        """This class and all that are loaded below it."""
        found = [cls]
        for kind in found:
            found += (below for below in kind.__subclasses__() if below not in found)
        return found

    def __str__(self) -> str:
        return self.template.format_map(_Shown(self))


class BrokenRule(TangleError):
    """Input that breaks a rule.

    Attributes
    ----------
    field : path of the offending field, such as ``payload.essence.outputs[0].amount``
    rule : the rule it broke, as a sentence fragment
    """

    code = "broken_rule"
    template = "{place}{rule}"
    field: str
    rule: str

    @property
    def place(self) -> str:
        """The field as a message begins with it."""
        return f"{self.field}: " if self.field else ""


class NotFound(TangleError):
    """The thing asked for is not here."""

    code = "not_found"
    ending = Ending.NOT_FOUND
    reason: str


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that was most likely meant by `name`, which is none of them; None where none is near.

    Strangers may give either: of `known` only the first `NAMES_MAX` are looked at, and of long names nothing.
    """
    if len(name) > NAME_LENGTH_MAX:
        return None
    # Without capitals and lines between words: `Page_Size` means `pageSize`.
    short = (one for one in known if len(one) <= NAME_LENGTH_MAX)
    plain = {_plain(one): one for one in islice(short, NAMES_MAX)}
    found = get_close_matches(_plain(name), plain, 1, cutoff=0.7)
    return plain[found[0]] if found else None


def unknown(known: Iterable[str], near: str | None) -> str:
    """The rule that a name broke which is none of `known`."""
    names = ", ".join(sorted(known))
    meant = f"; did you mean {near}?" if near else ""
    return f"is not known here{meant} (known: {names or 'none'})"


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


class _Shown:
    """The fields and properties of an error, as its message writes them."""

    def __init__(self, error: TangleError) -> None:
        self.error = error

    def __getitem__(self, name: str) -> Any:
        value = getattr(self.error, name)
        return f"0x{value.hex()}" if isinstance(value, bytes) else value
