"""Lines for people: aligned facts and columns, amounts, times, and what strangers wrote. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from tangle.protocol.serial import to_hex

Facts = Sequence[tuple[str, object]]
"""label and value; a value of None is left out"""


def facts(rows: Facts) -> str:
    """Aligned lines of label and value; further lines of a value are indented."""
    present = [(label, str(value)) for label, value in rows if value is not None]
    width = max((len(label) for label, _ in present), default=0) + 2
    indent = "\n" + " " * width
    return "\n".join(f"{label:<{width}}{value.replace(chr(10), indent)}" for label, value in present)


def columns(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Left-aligned columns under a head, two spaces apart, never cut short."""
    table = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in table)
    return "\n".join(line.rstrip() for line in lines)


def amount(base_units: int) -> str:
    """An amount for people."""
    return f"{base_units:,} base unit{'' if base_units == 1 else 's'}"


def when(unix_time: int) -> str:
    """A time for people, in UTC and in ISO 8601's order."""
    return f"{datetime.fromtimestamp(unix_time, UTC):%Y-%m-%d %H:%M:%S} UTC"


def printable(text: str, most: int = 60) -> str:
    """Text of strangers for a terminal: no control characters, at most so many characters."""
    shown = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def readable(data: bytes) -> str | None:
    """`data` as text when it is nothing but printable UTF-8, else None."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if all(char.isprintable() or char in "\n\t" for char in text) else None


def for_people(data: bytes) -> str:
    """Text where it is text, else 0x hexadecimal."""
    text = readable(data)
    return to_hex(data) if text is None else text
