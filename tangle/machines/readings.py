"""Readings from a CSV file of any make: the delimiter and the two columns are found, or named by the caller.

A row is handed on as text. Whether it makes sense is the meter's question, so that a broken row is counted and
skipped there, by one rule, and does not end production.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path

from tangle.machines.errors import ReadingsRefused
from tangle.machines.meter import Reading, parse_flow, parse_time

SAMPLE = Path(__file__).parent / "data" / "water-flow-sample.csv"
"""a week of a pipeline's hourly flow; see the README beside it"""
_LOOKED_AT = 50
"""rows from which the columns are found"""


def read(path: Path, *, time: str | None = None, value: str | None = None, skip: int = 0) -> Iterator[Reading]:
    """The readings of a CSV file, in its order, numbered from 1 and beginning after number `skip`.

    Parameters
    ----------
    time, value : names of columns in the header; found by their contents when None

    Raises
    ------
    ReadingsRefused : the file cannot be read, or a column is not found
    """
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            delimiter = _delimiter(file.read(8192))
            file.seek(0)
            rows = (row for row in csv.reader(file, delimiter=delimiter) if any(map(str.strip, row)))
            head = list(islice(rows, _LOOKED_AT))
            time_at, value_at, has_header = _columns(path, head, time, value)
            wanted = chain(head[int(has_header) :], rows)
            for number, row in enumerate(wanted, start=1):
                if number > skip:
                    yield Reading(number, _cell(row, time_at), _cell(row, value_at))
    except (OSError, csv.Error) as error:
        raise ReadingsRefused(f"{path}: {error}") from error


def _delimiter(text: str) -> str:
    first = text.splitlines()[0] if text else ""
    return max(";\t,", key=first.count)


def _columns(path: Path, head: list[list[str]], time: str | None, value: str | None) -> tuple[int, int, bool]:
    if not head:
        raise ReadingsRefused(f"{path}: holds no rows")
    names = [name.strip() for name in head[0]]
    has_header = all(parse_time(name) is None and parse_flow(name) is None for name in names)
    body = head[1:] if has_header else head
    time_at = _named(path, names, time) if time else _mostly(body, len(names), _plain_time, set())
    if time_at is None:
        raise ReadingsRefused(f"{path}: no column holds times; name one of {names}")
    value_at = _named(path, names, value) if value else _mostly(body, len(names), parse_flow, {time_at})
    if value_at is None:
        raise ReadingsRefused(f"{path}: no column holds numbers beside {names[time_at]!r}; name one of {names}")
    return time_at, value_at, has_header


def _named(path: Path, names: list[str], name: str) -> int:
    if name not in names:
        raise ReadingsRefused(f"{path}: no column is called {name!r}; there are {names}")
    return names.index(name)


def _mostly(rows: list[list[str]], width: int, parse: Callable[[str], int | None], taken: set[int]) -> int | None:
    scores = {
        column: sum(parse(_cell(row, column)) is not None for row in rows)
        for column in range(width)
        if column not in taken
    }
    best = max(scores, key=scores.__getitem__, default=None)
    return best if best is not None and scores[best] * 2 > len(rows) else None


def _plain_time(text: str) -> int | None:
    # A small number is a value, not a moment in 1970.
    seconds = parse_time(text)
    return seconds if seconds is not None and (seconds > 10**8) else None


def _cell(row: list[str], column: int) -> str:
    return row[column] if column < len(row) else ""
