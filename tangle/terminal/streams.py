"""The standard streams: they take any text, whatever their encoding, and nothing fails for want of a stderr."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TextIO


def prepare() -> None:
    """Have what the encoding of stdout and stderr cannot show written as `\\xfc`, and stderr be there at all."""
    if sys.stderr is None:
        sys.stderr = nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def let_go() -> None:
    """Have nothing more written to stdout, at the end of the process either."""
    sys.stdout = nowhere()


def nowhere() -> TextIO:
    """A stream that takes everything, for as long as the process lives."""
    return open(os.devnull, "w")


def note(text: str) -> bool:
    """Write a line to stderr; whether it took one."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return False
    return True


def encodable(document: str, stream: TextIO) -> str:
    """The same JSON document, in characters that the stream's encoding has: others stand in strings alone."""
    if document.isascii() or (stream.encoding or "").lower().startswith("utf"):
        return document
    return "".join(char if char.isascii() else json.dumps(char)[1:-1] for char in document)
