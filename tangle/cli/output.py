"""What a command prints: its result on stdout, for people or for programs.

Programs read one JSON document per run (`--json`): keys in camelCase, bytes as 0x hexadecimal, base units as
decimal strings, absent means absent. People get aligned lines.

A command that has done something says so with `show_done`: whatever becomes of its output, what was done is never
told as failed.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from typing import Any

from tangle.cli.errors import OutputFailed
from tangle.terminal.streams import encodable, let_go, note


def show(result: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print a result: `result` for programs, or `text` for people. Raises OutputFailed."""
    try:
        _write(result, text, as_json)
    except BrokenPipeError:
        let_go()
    except OSError as error:
        let_go()
        raise OutputFailed(error.strerror or type(error).__name__) from None


def show_done(result: dict[str, Any], text: str, *, as_json: bool) -> bool:
    """Print what was done, on stderr where stdout does not take it; whether anything took it."""
    try:
        _write(result, text, as_json)
    except OSError as error:
        let_go()
        told = _document(result, text, as_json)
        return note(f"done, but standard output does not take it ({error.strerror}):\n{told}")
    return True


def _write(result: dict[str, Any], text: str, as_json: bool) -> None:
    if sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    sys.stdout.write(_document(result, text, as_json) + "\n")
    sys.stdout.flush()


def _document(result: dict[str, Any], text: str, as_json: bool) -> str:
    return encodable(json.dumps(result, ensure_ascii=False), sys.stdout or sys.stderr) if as_json else text
