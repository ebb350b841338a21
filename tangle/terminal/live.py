"""What is written to stderr while one waits, and when something fails.

Colour and moving text appear on a terminal only, and `NO_COLOR` switches colour off there too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

from tangle.errors import TangleError

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
    with console.status(Text(first)) as status:
        yield lambda text: status.update(Text(text))


def _line(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def report(error: TangleError, *, as_json: bool) -> int:
    """Say what went wrong, as one line or one JSON object; returns the exit code."""
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


def _nothing(_text: str) -> None:
    return
