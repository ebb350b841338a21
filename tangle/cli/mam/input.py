"""What `tangle mam publish` takes: a text, a file, the rows of a CSV file, or lines as they come.

All but lines is read whole and checked before anything is published, so a bad row changes nothing.
"""

from __future__ import annotations

import asyncio
import csv
import re
import sys
import threading
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import orjson

from tangle.cli.errors import FileUnreadable, InvalidValue

BATCH = 64
"""messages signed together"""
AHEAD = 4 * BATCH
"""lines read before they are published"""
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def file_body(path: Path) -> bytes:
    """The bytes of a file. Raises FileUnreadable."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(path, error.strerror or "it cannot be read") from None


def csv_bodies(path: Path, skip: int = 0) -> list[bytes]:
    """Each row as a JSON object with the names of the first row; numbers keep every digit they are written with.

    Raises
    ------
    FileUnreadable : it is no file, no UTF-8 or no CSV, or has no names
    InvalidValue : a row has more or fewer fields than there are names
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file, strict=True))
    except OSError as error:
        raise FileUnreadable(path, error.strerror or "it cannot be read") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileUnreadable(path, f"it is no CSV in UTF-8: {error}") from None
    names = rows[0] if rows else []
    if not names or len(set(names)) != len(names):
        raise FileUnreadable(path, "its first row must name every column, each once")
    bodies = []
    for number, row in enumerate(filter(None, rows[1:]), 1):
        if len(row) != len(names):
            raise InvalidValue(f"row {number}", f"has {len(row)} fields, the first row names {len(names)}")
        bodies.append(_object(names, row))
    return bodies[skip:]


def _object(names: Iterable[str], row: Iterable[str]) -> bytes:
    """A JSON object; an empty field is left out."""
    given = [(name, value) for name, value in zip(names, row, strict=True) if value]
    return orjson.dumps(
        {name: orjson.Fragment(value) if _NUMBER.fullmatch(value) else value for name, value in given}
    )


async def batches(bodies: Iterable[bytes]) -> AsyncIterator[list[bytes]]:
    """Bodies that are all there, some at a time."""
    batch: list[bytes] = []
    for body in bodies:
        batch.append(body)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def line_batches() -> AsyncIterator[list[bytes]]:
    """The lines of standard input as they come, without their ends; those that have gathered come together."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[bytes | None](AHEAD)

    def read() -> None:
        for line in sys.stdin.buffer:
            asyncio.run_coroutine_threadsafe(lines.put(line.rstrip(b"\r\n")), loop).result()
        asyncio.run_coroutine_threadsafe(lines.put(None), loop).result()

    # A thread that the process does not wait for: a read of a terminal cannot be interrupted.
    threading.Thread(target=read, name="lines", daemon=True).start()
    line = await lines.get()
    while line is not None:
        batch = [line]
        while len(batch) < BATCH and not lines.empty() and (line := lines.get_nowait()) is not None:
            batch.append(line)
        yield batch
        if line is not None:
            line = await lines.get()
