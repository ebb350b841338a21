"""Readings from a CSV file of any make: the two columns are found, or named by the caller (`tangle.disk.tables`).

A row is handed on as text, its time in ISO 8601 and its number with a decimal point where they are any. Whether
it makes sense is the meter's question, so that a broken row is counted and skipped there, by one rule, and does
not end production.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tangle.disk import times
from tangle.disk.errors import TextRefused
from tangle.disk.tables import LOOKED_AT, Table, TableForm, read_table
from tangle.machines.errors import ReadingsRefused
from tangle.machines.meter import Reading, parse_flow, parse_time

SAMPLE = Path(__file__).parent / "data" / "water-flow-sample.csv"
"""a week of a pipeline's hourly flow; see the README beside it"""


@dataclass(frozen=True, slots=True)
class ReadingsForm:
    """Where times and values stand in a table, and how they are written, where that does not show.

    Attributes
    ----------
    time, value : names of columns in the header; found by their contents when None
    time_format : of `strptime`; None: ISO 8601, seconds since 1970, or a local time that has one meaning
    table : how the table is written
    """

    time: str | None = None
    value: str | None = None
    time_format: str | None = None
    table: TableForm = field(default_factory=TableForm)

    @classmethod
    def named(
        cls,
        value: str | None,
        time: str | None,
        time_format: str | None,
        delimiter: str | None,
        decimal: str | None,
        encoding: str | None,
    ) -> Self:
        """The form of these options of a command. Raises ReadingsRefused."""
        try:
            return cls(time, value, time_format, TableForm.named(delimiter, decimal, encoding))
        except ValueError as error:
            raise ReadingsRefused(str(error)) from None

    def options(self) -> list[str]:
        """The options of a command that name this form."""
        given = {
            "--column": self.value,
            "--time-column": self.time,
            "--time-format": self.time_format,
            "--delimiter": self.table.delimiter,
            "--decimal": self.table.decimal,
            "--encoding": self.table.encoding,
        }
        return [f"{name}={value}" for name, value in given.items() if value is not None]


@dataclass(frozen=True, slots=True)
class _Columns:
    time_at: int
    time_of: times.Reading
    value_at: int
    has_header: bool


def read(path: Path, form: ReadingsForm | None = None, *, skip: int = 0) -> Iterator[Reading]:
    """The readings of a CSV file, in its order, numbered from 1 and beginning after number `skip`.

    Raises
    ------
    ReadingsRefused : the file cannot be read, or a column is not found
    """
    form = form or ReadingsForm()
    try:
        table = read_table(path, form.table)
        columns = _columns(table, form)
    except (times.AmbiguousTimes, _NotFound) as error:
        raise ReadingsRefused(f"{path}: {error}") from None
    except TextRefused as error:
        raise ReadingsRefused(str(error)) from None
    except OSError as error:
        raise ReadingsRefused(f"{path}: {error.strerror or error}") from None
    for number, row in enumerate(table.rows[int(columns.has_header) :], start=1):
        if number > skip:
            time, value = _cell(row, columns.time_at), _cell(row, columns.value_at)
            yield Reading(number, columns.time_of(time) or time, _value(table, value))


class _NotFound(Exception):
    """A column that is needed is not there."""


def _columns(table: Table, form: ReadingsForm) -> _Columns:
    head = table.rows[:LOOKED_AT]
    if not head:
        raise _NotFound("holds no rows")
    names = [name.strip() for name in head[0]]
    has_header = not any(_is_value(table, form, name) for name in names)
    body = head[1:] if has_header else head
    time_at, time_of = _times(table.rows[int(has_header) :], body, names, form)
    taken = {time_at}
    if form.value:
        value_at = _named(names, form.value)
    else:
        found = _mostly(body, len(names), lambda cell: table.number(cell, padded=True), taken)
        if found is None:
            raise _NotFound(f"no column holds numbers beside {names[time_at]!r}; name one of {names}")
        value_at = found
    return _Columns(time_at, time_of, value_at, has_header)


def _is_value(table: Table, form: ReadingsForm, name: str) -> bool:
    """Whether the name of a column is none, but a time or a number: then there is no header."""
    if table.number(name, padded=True) is not None or parse_time(name) is not None:
        return True
    try:
        read = times.times_of(form.time_format) if form.time_format else times.local_times([name])
    except times.AmbiguousTimes:
        return True
    except ValueError as error:
        raise _NotFound(str(error)) from None
    return read is not None and read(name) is not None


def _times(
    rows: Sequence[list[str]], body: list[list[str]], names: list[str], form: ReadingsForm
) -> tuple[int, times.Reading]:
    """The column of times and what reads it."""
    asked = range(len(names)) if form.time is None else [_named(names, form.time)]
    if form.time_format:
        read = times.times_of(form.time_format)
        found = _mostly(body, len(names), read, set(range(len(names))) - set(asked))
        if found is not None:
            return found, read
        where = f"column {form.time!r}" if form.time else "no column"
        raise _NotFound(f"{where} holds times of the format {form.time_format!r}; the first row is {body[:1]}")
    found = _mostly(body, len(names), _plain_time, set(range(len(names))) - set(asked))
    if found is not None:
        return found, str
    for column in asked:
        read_local = times.local_times([_cell(row, column) for row in rows])
        if read_local is not None:
            return column, read_local
    where = f"column {form.time!r} holds no times" if form.time else f"no column holds times; name one of {names}"
    raise _NotFound(f"{where}: {times.FORMS}")


def _value(table: Table, cell: str) -> str:
    """A number with a decimal point; what is none in this table stays what it is, and passes for none."""
    number = table.number(cell, padded=True)
    if number is not None:
        return number
    return cell if parse_flow(cell) is None else repr(cell)


def _named(names: list[str], name: str) -> int:
    if name not in names:
        raise _NotFound(f"no column is called {name!r}; there are {names}")
    return names.index(name)


def _mostly(
    rows: list[list[str]], width: int, parse: Callable[[str], object | None], taken: set[int]
) -> int | None:
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
