"""What a command prints: results on stdout, for people or for programs; progress and errors on stderr.

Programs read one JSON document per run (`--json`): keys in camelCase, bytes as 0x hexadecimal, base units as
decimal strings, absent means absent. People get aligned lines. Colour and moving progress appear on a terminal
only, and `NO_COLOR` switches colour off there too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

from tangle.errors import TangleError

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


def printable(text: str, most: int = 60) -> str:
    """Text of strangers for a terminal: no control characters, at most so many characters."""
    shown = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def amount(base_units: int) -> str:
    """An amount for people."""
    return f"{base_units:,} base unit{'' if base_units == 1 else 's'}"


def show(result: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print a result: `result` for programs, or `text` for people."""
    sys.stdout.write((json.dumps(result, ensure_ascii=False) if as_json else text) + "\n")
    sys.stdout.flush()


@contextmanager
def progress(first: str, *, as_json: bool = False, lines: bool = False) -> Iterator[Callable[[str], None]]:
    """Tell what one waits for: yields a function that replaces the text.

    lines : where stderr is no terminal, print each text as a line instead of nothing
    """
    console = Console(stderr=True, highlight=False)
    if as_json or not console.is_terminal:
        tell = _line if lines and not as_json else _nothing
        tell(first)
        yield tell
        return
    with console.status(Text(first)) as status:
        yield lambda text: status.update(Text(text))


def _line(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _nothing(_text: str) -> None:
    return


def report(error: TangleError, *, as_json: bool) -> int:
    """Print what went wrong on stderr, as one line or one JSON object; returns the exit code."""
    message = " ".join(str(error).split())
    if as_json:
        details: dict[str, Any] = {"code": error.code, "message": message, "exitCode": error.ending.exit_code}
        if field := getattr(error, "field", None):
            details["field"] = field
        _line(json.dumps({"error": details}, ensure_ascii=False))
    else:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(Text.assemble(("error: ", "bold red"), message, f" ({error.hint})" if error.hint else ""))
    return error.ending.exit_code
