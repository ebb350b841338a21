"""Times as tables write them, made into ISO 8601.

A date with points is written day first everywhere. With slashes or dashes it is day first in one country and month
first in another: which one it is shows only where some day is beyond the 12th, and else has to be said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

FORMS = (
    "a time is ISO 8601 such as 2026-01-31T10:00, seconds since 1970, or a local one such as 31.01.2026 10:00; "
    "any other is named with --time-format, such as '%d/%m/%Y %H:%M'"
)
"""what times may look like, for messages"""
_LOCAL = re.compile(
    r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})"
    r"(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?(?: ?([AaPp])\.?[Mm]\.?)?)?",
    re.ASCII,
)

Reading = Callable[[str], str | None]
"""makes ISO 8601 of a cell; None where it is no time"""


class AmbiguousTimes(ValueError):
    """Dates that mean one day here and another there."""


def local_times(cells: Sequence[str]) -> Reading | None:
    """What reads the local times of a column; None if most of its cells are none. Raises AmbiguousTimes."""
    found = [one for cell in cells if (one := _LOCAL.fullmatch(cell.strip()))]
    if 2 * len(found) <= len(cells):
        return None
    orders = [order for order in ("ymd", "dmy", "mdy") if all(_date(one, order) for one in found)]
    if not orders:
        return None
    if len(orders) > 1 and found[0][2] == ".":
        orders = ["dmy"]
    if len(orders) > 1:
        raise AmbiguousTimes(
            f"{found[0][0]!r} may be day or month first; say --time-format '%d{found[0][2]}%m{found[0][2]}%Y"
            f"{_clock(found[0])}' or '%m{found[0][2]}%d{found[0][2]}%Y{_clock(found[0])}'"
        )
    order = orders[0]

    def read(cell: str) -> str | None:
        one = _LOCAL.fullmatch(cell.strip())
        return _date(one, order) if one else None

    return read


def times_of(form: str) -> Reading:
    """What reads times of a `strptime` format. Raises ValueError."""
    if not any(part in form for part in ("%Y", "%y", "%G", "%c", "%x")):
        raise ValueError(f"{form!r} names no year; a format of times is such as %d/%m/%Y %H:%M")
    _checked(form)

    def read(cell: str) -> str | None:
        try:
            return datetime.strptime(cell.strip(), form).isoformat()
        except ValueError:
            return None

    return read


def _checked(form: str) -> None:
    """Raise ValueError for a format that `strptime` does not know."""
    try:
        datetime.strptime("", form)
    except ValueError as error:
        if "does not match" not in str(error):
            raise


def _date(one: re.Match[str], order: str) -> str | None:
    """ISO 8601 of a local time whose date is written in this order; None if there is no such day."""
    parts = dict(zip(order, (one[1], one[3], one[4]), strict=True))
    if len(parts["y"]) != 4 and (order != "dmy" or one[2] != "." or len(parts["y"]) != 2):
        return None
    year = int(parts["y"]) + 2000 * (len(parts["y"]) == 2)
    hour, minute, second = (int(text or 0) for text in (one[5], one[6], one[7]))
    if one[8]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (one[8] in "Pp")
    try:
        return datetime(year, int(parts["m"]), int(parts["d"]), hour, minute, second).isoformat()
    except ValueError:
        return None


def _clock(one: re.Match[str]) -> str:
    if not one[5]:
        return ""
    seconds = ":%S" if one[7] else ""
    return f" %I:%M{seconds} %p" if one[8] else f" %H:%M{seconds}"
