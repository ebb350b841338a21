"""Tables that other programs wrote: CSV of any make, read the same way by everything that takes a table.

What the columns are parted with (comma, semicolon, tab, bar) and whether numbers have a decimal comma is found in
the file. Where it could be read in two ways it is refused and the caller says which: a table that is misread is
worse than one that is not read.

Cells are text. `number` gives the decimal text of one that is a number, every digit kept: nothing is rounded here.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tangle.disk.errors import TableRefused
from tangle.disk.texts import UTF_8, read_text

DELIMITERS = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars"}
"""what can part columns; what stands in numbers and texts the least comes first"""
LOOKED_AT = 50
"""rows that show how a table is written"""
_SEP_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""the first line by which spreadsheets tell each other the delimiter"""
_NUMBER = re.compile(r"([+-]?)(\d*)(?:[.](\d*))?([eE][+-]?\d+)?", re.ASCII)
_WITH_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?", re.ASCII)
_WITH_POINT = re.compile(r"[+-]?\d+\.\d+([eE][+-]?\d+)?", re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
"""with a decimal comma, or with a mark for thousands"""
NO_NUMBERS = frozenset(
    ("nan", "+nan", "-nan", "inf", "+inf", "-inf", "infinity", "-infinity", "#n/a", "#num!", "#div/0!", "#value!")
)
"""what programs write where there is no number, in small letters"""


@dataclass(frozen=True, slots=True)
class TableForm:
    """How a table is written, where it does not show.

    Attributes
    ----------
    delimiter : what parts columns; None: found
    decimal : the decimal sign, a comma or a point; None: found
    encoding : of the text
    """

    delimiter: str | None = None
    decimal: str | None = None
    encoding: str = UTF_8

    @classmethod
    def named(cls, delimiter: str | None, decimal: str | None, encoding: str | None) -> TableForm:
        """The form of these options; ``tab``, ``comma`` and ``point`` may be said in words. Raises ValueError."""
        words = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "bar": "|", "point": "."}
        parting = None if delimiter is None else words.get(delimiter.lower(), delimiter)
        sign = None if decimal is None else words.get(decimal.lower(), decimal)
        if parting is not None and parting not in DELIMITERS:
            raise ValueError("columns are parted with comma, semicolon, tab or bar")
        if sign not in {None, ",", "."}:
            raise ValueError("the decimal sign is comma or point")
        return cls(parting, sign, encoding or UTF_8)


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table, the first as well, without those that are empty.

    Attributes
    ----------
    decimal : the decimal sign of its numbers
    """

    path: Path
    rows: list[list[str]]
    decimal: str

    def number(self, cell: str, *, padded: bool = False) -> str | None:
        """A number as JSON writes it, every digit kept; None if the cell is none, such as ``1,234.5``.

        Parameters
        ----------
        padded : take zeros before a number, as counters show them; else ``007`` is a name
        """
        text = cell.strip()
        if self.decimal == ",":
            text = text.replace(".", " ").replace(",", ".")
        found = _NUMBER.fullmatch(text)
        if found is None:
            return None
        sign, whole, part, power = found.groups(default="")
        if not (whole or part) or (len(whole) > 1 and whole[0] == "0" and not padded):
            return None
        return f"{'-' * (sign == '-')}{whole.lstrip('0') or '0'}{'.' * bool(part)}{part}{power}"

    def columns(self) -> tuple[list[str], list[list[str]]]:
        """Names from the first row, and the rows below it, each with as many cells. Raises TableRefused."""
        names = [name.strip() for name in self.rows[0]] if self.rows else []
        rows = self.rows[1:]
        # A spreadsheet writes a last column without a name or a cell where somebody once clicked.
        while names and not names[-1] and all(len(row) == len(names) and not row[-1].strip() for row in rows):
            names, rows = names[:-1], [row[:-1] for row in rows]
        if not names or "" in names or len(set(names)) != len(names):
            raise TableRefused(self.path, "its first row must name every column, each once")
        for number, row in enumerate(rows, 1):
            if len(row) != len(names):
                rule = f"row {number} has {len(row)} fields, the first row names {len(names)}"
                raise TableRefused(self.path, rule)
        return names, rows


def read_table(path: Path, form: TableForm | None = None) -> Table:
    """The table in a file.

    Raises
    ------
    TextRefused : it is no text in its encoding
    TableRefused : it is no table, or could be read as more than one
    OSError : it cannot be read
    """
    form = form or TableForm()
    text = read_text(path, form.encoding)
    delimiter = form.delimiter
    if said := _SEP_LINE.match(text):
        text = text[said.end() :]
        delimiter = delimiter or said[1]
    delimiter = delimiter or _delimiter(path, text)
    rows = _parsed(path, text, delimiter)
    return Table(path, rows, form.decimal or _decimal(path, rows, delimiter))


def _parsed(path: Path, text: str, delimiter: str, most: int | None = None) -> list[list[str]]:
    reader, rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), []
    try:
        for row in reader:
            if any(map(str.strip, row)):
                rows.append(row)
            if len(rows) == most:
                break
    except csv.Error as error:
        raise TableRefused(path, f"it is no CSV: {error} (line {reader.line_num})") from None
    return rows


def _delimiter(path: Path, text: str) -> str:
    """What parts the columns. Raises TableRefused where more than one would do."""
    seen = {}
    for delimiter in DELIMITERS:
        try:
            seen[delimiter] = _parsed(path, text, delimiter, LOOKED_AT)
        except TableRefused:
            # With another delimiter a quote stands in the middle of a cell.
            continue
    if not seen:
        return ","
    widths = {delimiter: len(rows[0]) if rows else 0 for delimiter, rows in seen.items()}
    fitting = [delimiter for delimiter, rows in seen.items() if widths[delimiter] > 1 and _is_even(rows)]
    if fitting:
        wider = [delimiter for delimiter in fitting[1:] if widths[delimiter] > widths[fitting[0]]]
        if wider:
            both = f"{DELIMITERS[fitting[0]]} and {DELIMITERS[wider[0]]}"
            raise TableRefused(path, f"its columns may be parted with {both}; say which with --delimiter")
        return fitting[0]
    widest = max(widths, key=lambda delimiter: (widths[delimiter], delimiter == ","))
    return widest if widths[widest] > 1 else _of_one_column(path, seen[widest])


def _is_even(rows: list[list[str]]) -> bool:
    """Whether most rows are as wide as the first."""
    width = len(rows[0])
    return 2 * sum(len(row) == width for row in rows) > len(rows)


def _of_one_column(path: Path, rows: list[list[str]]) -> str:
    """A delimiter that leaves a table of one column as it is. Raises TableRefused if it looks like several."""
    words = {len(row[0].split()) for row in rows if len(row) == 1}
    if len(rows) > 1 and len(words) == 1 and words.pop() > 1:
        raise TableRefused(path, "its columns seem to be parted with blanks; use commas, semicolons or tabs")
    below = [cell for row in rows[1:] for cell in [",".join(row)]]
    with_commas = below and all("," not in cell or _WITH_COMMA.fullmatch(cell.strip()) for cell in below)
    return ";" if with_commas else ","


def _decimal(path: Path, rows: Sequence[Sequence[str]], delimiter: str) -> str:
    """The decimal sign. Raises TableRefused where both are there, or a comma may part thousands."""
    found = Counter[str]()
    first: dict[str, str] = {}
    for row in rows:
        for cell in map(str.strip, row):
            for sign, form in ((",", _WITH_COMMA), (".", _WITH_POINT)):
                if form.fullmatch(cell):
                    found[sign] += 1
                    found["plain"] += sign == "," and not _GROUPED.fullmatch(cell)
                    first.setdefault(sign, cell)
    if found[","] and found["."] and delimiter == ",":
        return "."
    if found[","] and found["."]:
        both = f"{first[',']!r} and {first['.']!r}"
        raise TableRefused(path, f"it has numbers with a comma and with a point, {both}; say which with --decimal")
    if found[","] and not found["plain"]:
        rule = f"{first[',']!r} may have a decimal comma or a mark for thousands; say --decimal comma or point"
        raise TableRefused(path, rule)
    return "," if found[","] else "."
