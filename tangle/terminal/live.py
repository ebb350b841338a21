"""What is written to stderr while one waits, and when something fails.

Colour and moving text appear on a terminal only, and `NO_COLOR` switches colour off there too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

from tangle.errors import TangleError
from tangle.terminal.streams import note

Tell = Callable[[str], None]
"""replaces what is shown"""


@contextmanager
def progress(first: str, *, as_json: bool = False, lines: bool = False) -> Iterator[Tell]:
    """Tell what one waits for: yields a function that replaces the text.

    lines : where stderr is no terminal, print each text as a line instead of nothing
    """
    console = Console(stderr=True, highlight=False)
    if as_json or not console.is_terminal:
        tell = _line if lines and not as_json else _nothing
        tell(first)
        yield tell
        return
    # Dots are braille, which other encodings do not have.
    spinner = "dots" if console.encoding.startswith("utf") else "line"
    with console.status(Text(first), spinner=spinner) as status:
        yield lambda text: status.update(Text(text))


def report(error: TangleError, *, as_json: bool) -> int:
    """Say what went wrong, as one line or one JSON object; returns the exit code."""
    message = " ".join(str(error).split())
    if as_json:
        details: dict[str, Any] = {"code": error.code, "message": message, "exitCode": error.ending.exit_code}
        if field := getattr(error, "field", None):
            details["field"] = field
        note(json.dumps({"error": details}))
    else:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(Text.assemble(("error: ", "bold red"), message, f" ({error.hint})" if error.hint else ""))
    return error.ending.exit_code


def _line(text: str) -> None:
    note(text)


def _nothing(_text: str) -> None:
    return
