"""What `tangle mam publish` takes: a text, a file, the rows of a CSV file, or lines as they come.

All but lines is read whole and checked before anything is published, so a bad row changes nothing.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path

import orjson

from tangle.cli.errors import FileUnreadable, InvalidValue
from tangle.disk.errors import TextRefused
from tangle.disk.tables import NO_NUMBERS, Table, TableForm, read_table
from tangle.disk.times import times_of

BATCH = 64
"""messages signed together"""
Value = orjson.Fragment | str | None
"""a field: a number as it is written, a text, or nothing"""
AHEAD = 4 * BATCH
"""lines read before they are published"""


def file_body(path: Path) -> bytes:
    """The bytes of a file. Raises FileUnreadable."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(path, error.strerror or "it cannot be read") from None


def csv_bodies(
    path: Path,
    form: TableForm | None = None,
    *,
    wanted: Sequence[str] = (),
    time_format: str | None = None,
    skip: int = 0,
) -> list[bytes]:
    """Each row as a JSON object with the names of the first row; an empty field is left out.

    A column is of one kind: where every field is a number, its fields are numbers with every digit they are
    written with, and else they are texts.

    Parameters
    ----------
    form : how the table is written, where it does not show
    wanted : names of the columns to take; all by default
    time_format : of `strptime`; columns that are written so become ISO 8601
    skip : rows to leave out

    Raises
    ------
    FileUnreadable : it is no file, no text or no table, a row has more or fewer fields than there are names, or a
        number is none
    InvalidValue : an option that does not fit the table
    """
    try:
        table = read_table(path, form)
        names, rows = table.columns()
    except TextRefused as error:
        raise FileUnreadable(error.path, error.rule) from None
    except OSError as error:
        raise FileUnreadable(path, error.strerror or "it cannot be read") from None
    for name in wanted:
        if name not in names:
            raise InvalidValue("--column", f"the table has no column {name!r}; there are {', '.join(names)}")
    given = {name: [row[at] for row in rows] for at, name in enumerate(names) if not wanted or name in wanted}
    values = {name: _values(table, name, cells) for name, cells in given.items()}
    if time_format is not None:
        values |= _times(given, time_format)
    columns = list(values.items())
    bodies = ({name: cells[at] for name, cells in columns if cells[at] is not None} for at in range(len(rows)))
    return [orjson.dumps(body) for body in bodies][skip:]


def _values(table: Table, name: str, cells: Sequence[str]) -> list[Value]:
    """The fields of a column, all numbers or all texts; None for empty ones. Raises FileUnreadable."""
    numbers = [table.number(cell) for cell in cells]
    others = [at for at, cell in enumerate(cells) if cell.strip() and numbers[at] is None]
    no_numbers = [at for at in others if cells[at].strip().lower() in NO_NUMBERS]
    if no_numbers and len(no_numbers) == len(others) and any(numbers):
        rule = f"row {no_numbers[0] + 1}, column {name}: {cells[no_numbers[0]].strip()!r} is no number"
        raise FileUnreadable(table.path, f"{rule}; leave the field empty")
    if others:
        return [cell or None for cell in cells]
    return [None if number is None else orjson.Fragment(number) for number in numbers]


def _times(given: Mapping[str, Sequence[str]], time_format: str) -> dict[str, list[Value]]:
    """The columns that are written in a format of times, in ISO 8601. Raises InvalidValue if there is none."""
    try:
        read = times_of(time_format)
    except ValueError as error:
        raise InvalidValue("--time-format", str(error)) from None
    found: dict[str, list[Value]] = {}
    for name, cells in given.items():
        read_cells = [read(cell) for cell in cells if cell.strip()]
        if read_cells and None not in read_cells:
            found[name] = [read(cell) if cell.strip() else None for cell in cells]
    if not found:
        raise InvalidValue("--time-format", f"no column is written as {time_format!r} in every row")
    return found


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
