"""Amounts and times as people write and read them.

Amounts of base coins and tokens are whole smallest units unless a point is asked for, so that no number means two
things: `12.5` alone is refused, never rounded or guessed at. Times are seconds since the Unix epoch, as in the
ledger.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from tangle.cli.errors import InvalidValue
from tangle.terminal.text import printable, when

UINT256_MAX = 2**256 - 1
"""the most that an output can hold of a native token; TIP-18"""
UNIX_TIME_MAX = 2**32 - 1
"""the last time that a condition can name; TIP-18"""
DECIMALS_SHOWN_MAX = 30
"""a token may claim any number of decimals; one of more is shown in smallest units, and no line is all zeros"""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LENGTH = re.compile(r"([0-9]{1,10})([smhd])")
_WHOLE = re.compile(r"[0-9]{1,100}")
_POINTED = re.compile(r"([0-9]{1,100})(?:\.([0-9]{1,100}))?")


def whole(text: str, field: str, *, least: int = 1) -> int:
    """An amount in smallest units. Raises InvalidValue."""
    if not _WHOLE.fullmatch(text):
        hint = "; --decimal takes a decimal point" if _POINTED.fullmatch(text) else ""
        raise InvalidValue(field, f"must be a whole number of smallest units, in digits only, not {text!r}{hint}")
    return _in_range(int(text), field, least)


def pointed(text: str, decimals: int | None, field: str, *, least: int = 1) -> int:
    """An amount with a decimal point, in smallest units. Raises InvalidValue."""
    found = _POINTED.fullmatch(text)
    if not found:
        raise InvalidValue(field, f"must be a number such as 12.5, in digits and one point, not {text!r}")
    if decimals is None:
        raise InvalidValue("--decimal", "the token does not say where its point is; give whole smallest units")
    fraction = found[2] or ""
    if len(fraction) > decimals:
        raise InvalidValue(field, f"has {len(fraction)} decimal places, and the token has {decimals}")
    if decimals > DECIMALS_SHOWN_MAX:
        raise InvalidValue("--decimal", f"the token claims {decimals} decimals; give whole smallest units")
    return _in_range(int(found[1] + fraction.ljust(decimals, "0")), field, least)


def token_units(text: str, decimals: int | None, field: str, *, decimal: bool, least: int = 1) -> int:
    """An amount in smallest units, read with or without a decimal point as `decimal` says."""
    return pointed(text, decimals, field, least=least) if decimal else whole(text, field, least=least)


def tokens(units: int, symbol: str | None, decimals: int | None) -> str:
    """An amount of a token for people, which cannot be misread: with a point, the smallest units stand beside."""
    called = printable(symbol, 20) if symbol else "tokens"
    if shown_decimals(decimals):
        return f"{number(units, decimals)} {called} ({units:,} smallest units)"
    return f"{units:,} smallest units of {called}" if decimals else f"{units:,} {called}"


def number(units: int, decimals: int | None) -> str:
    """An amount of a token as a bare number, with as many decimal places as are shown."""
    places = shown_decimals(decimals)
    if not places:
        return f"{units:,}"
    digits = str(units).rjust(places + 1, "0")
    return f"{int(digits[:-places]):,}.{digits[-places:]}"


def shown_decimals(decimals: int | None) -> int:
    """Decimal places that are shown for a token: none where it claims too many."""
    return decimals if decimals is not None and decimals <= DECIMALS_SHOWN_MAX else 0


def seconds(text: str, field: str) -> int:
    """A length of time such as `30s`, `10m`, `2h` or `1d`, in seconds. Raises InvalidValue."""
    found = _LENGTH.fullmatch(text)
    if not found or not int(found[1]):
        raise InvalidValue(field, f"must be a length of time such as 30s, 10m, 2h or 1d, not {text!r}")
    return int(found[1]) * _SECONDS[found[2]]


def moment(text: str, field: str, now: int) -> int:
    """A time to come, in seconds since the Unix epoch.

    Parameters
    ----------
    text : a length of time from `now` on, seconds since the Unix epoch, or ISO 8601 (UTC unless it says so)
    now : seconds since the Unix epoch

    Raises
    ------
    InvalidValue : it is no time, or not one to come that a condition can name
    """
    unix_time = now + seconds(text, field) if _LENGTH.fullmatch(text) else _absolute(text, field)
    if unix_time <= now:
        hint = "; for a length of time add its unit, such as 30s" if text.isdecimal() else ""
        raise InvalidValue(field, f"must be a time to come, and {when(max(unix_time, 0))} is past{hint}")
    if unix_time > UNIX_TIME_MAX:
        raise InvalidValue(field, f"must not be later than {when(UNIX_TIME_MAX)}")
    return unix_time


def _absolute(text: str, field: str) -> int:
    if re.fullmatch(r"[0-9]{1,11}", text):
        return int(text)
    try:
        found = datetime.fromisoformat(text)
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise InvalidValue(
            field,
            "must be a length of time such as 10m, seconds since 1970 or an ISO 8601 time such as "
            f"2026-12-24T18:00:00Z, not {text!r}",
        ) from None


def _in_range(units: int, field: str, least: int) -> int:
    if not least <= units <= UINT256_MAX:
        raise InvalidValue(field, f"must be at least {least} and at most 2^256 - 1")
    return units
