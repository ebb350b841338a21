"""What `tangle mam follow --parquet` writes: messages as a typed table, for notebooks.

A Parquet file cannot be read before its end is written. So rows are kept in a file beside it, which takes the name
that was asked for when the reading ends, Ctrl-C included; a table that should be readable while it grows is CSV.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tangle.cli.errors import FileUnwritable
from tangle.cli.mam.output import INDEX, REST, Digits, body_json, json_text, notice
from tangle.disk import files
from tangle.mam import Event, Message
from tangle.terminal.streams import note

INT_DIGITS_MAX = 20
"""characters of a whole number of 64 bits"""
FLOAT_EXACT_MAX = 2**53
"""up to which a double holds every whole number"""
GROUP_ROWS = 10_000
"""rows of a row group; the first group decides the columns and their types"""


class ParquetTable:
    """Messages as rows; notices on standard error.

    Fields of the messages in the first group are the columns: whole numbers are int64, numbers double, and so on;
    what is of no one type, or would not be exact in it, is JSON text. What does not fit a column of a later group,
    further fields, and bodies that are no JSON objects stand as JSON or text in the column `_rest`: nothing is
    left out.

    Raises
    ------
    FileUnwritable : there is a file already, or the place cannot be written
    """

    def __init__(self, path: Path, group_rows: int = GROUP_ROWS) -> None:
        if path.exists():
            raise FileUnwritable(path, "it is there already, and a Parquet file cannot be continued")
        self.path = path
        self._group_rows = group_rows
        self._open = ExitStack()
        self._rows: list[tuple[int, Mapping[str, Any], str]] = []
        self._writer: parquet.ParquetWriter | None = None
        self._columns: list[Column] = []
        try:
            self._beside = self._open.enter_context(files.replacing(path, files.PRIVATE))
        except OSError as error:
            raise FileUnwritable(path, error.strerror or "it cannot be written") from None

    def take(self, event: Event) -> None:
        """Keep it."""
        if not isinstance(event, Message):
            if (told := notice(event)) is not None:
                note(told)
            return
        body = body_json(event.body)
        members = body.get("json")
        if isinstance(members, dict):
            fields = {name: _plain(value) for name, value in members.items()}
            self._rows.append((event.index, fields, ""))
        else:
            other = next(iter(body.values()))
            rest = other if isinstance(other, str) else json_text(other)
            self._rows.append((event.index, {}, rest))
        if len(self._rows) == self._group_rows:
            self._write()

    def flush(self) -> None:
        """Nothing: the file is written in large pieces, and readable at the end."""

    def close(self) -> None:
        """Write what is left and give the file its name; a table without a row is none, and no file is left."""
        if self._rows:
            self._write()
        if self._writer is not None:
            self._writer.close()
            self._open.close()
            return
        with suppress(_NoRow), self._open:
            raise _NoRow

    def _write(self) -> None:
        if self._writer is None:
            self._columns = columns_of([fields for _, fields, _ in self._rows])
            typed = [pa.field(column.name, column.kind) for column in self._columns]
            schema = pa.schema([pa.field(INDEX, pa.int64()), *typed, pa.field(REST, pa.string())])
            self._writer = parquet.ParquetWriter(self._beside, schema)
        rows = [self._cells(*row) for row in self._rows]
        self._writer.write_table(pa.Table.from_pylist(rows, schema=self._writer.schema))
        self._rows.clear()

    def _cells(self, index: int, fields: Mapping[str, Any], rest: str) -> dict[str, Any]:
        """A row: each field in its column where it fits, what is left in the last."""
        row: dict[str, Any] = {INDEX: index}
        further = dict(fields)
        for column in self._columns:
            if column.name in further and column.takes(further[column.name]):
                row[column.name] = column.cell(further.pop(column.name))
        row[REST] = rest or (json_text(further) if further else None)
        return row


class _NoRow(Exception):
    """There is no row to be written."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes
    ----------
    kind : its Arrow type
    types : Python types of the values that it takes as they are; none where it takes all as JSON text
    """

    name: str
    kind: pa.DataType
    types: frozenset[type]

    def takes(self, value: object) -> bool:
        """Whether a value has a place here."""
        if float in self.types and type(value) is int and abs(value) > FLOAT_EXACT_MAX:
            return False
        return value is None or not self.types or type(value) in self.types

    def cell(self, value: Any) -> Any:
        """A value that has a place here, as it is written."""
        return value if value is None or self.types else json_text(value)


def columns_of(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The columns for these fields, in the order in which they come up."""
    found: dict[str, set[type]] = {}
    inexact = set[str]()
    for fields in rows:
        for name, value in fields.items():
            types = found.setdefault(name, set())
            if value is not None:
                types.add(type(value))
                inexact |= {name} if type(value) is int and abs(value) > FLOAT_EXACT_MAX else set()
    kinds: list[tuple[set[type], pa.DataType]] = [
        ({bool}, pa.bool_()), ({int}, pa.int64()), ({int, float}, pa.float64()), ({str}, pa.string()),
    ]  # fmt: skip
    columns = []
    for name, types in found.items():
        if name not in {INDEX, REST}:
            whole = next(((frozenset(taken), kind) for taken, kind in kinds if types and types <= taken), None)
            taken, kind = whole or (frozenset(), pa.string())
            if float in taken and name in inexact:
                taken, kind = frozenset(), pa.string()
            columns.append(Column(name, kind, taken))
    return columns


def _plain(value: Any) -> Any:
    """A number as Python has it, where that is exact for a whole number and finite for any other."""
    if not isinstance(value, Digits):
        return value
    if value.lstrip("-").isdigit():
        number = int(value) if len(value) <= INT_DIGITS_MAX else 2**63
        return number if -(2**63) <= number < 2**63 else value
    return float(value) if math.isfinite(float(value)) else value
