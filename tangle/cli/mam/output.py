"""What `tangle mam follow` writes: lines for people, JSON lines, a table in CSV, or bodies as they are."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TextIO

from tangle.cli.errors import FileUnreadable, FileUnwritable
from tangle.disk.files import PRIVATE
from tangle.mam import Event, Fork, Gap, Message, Rejected, Rekeyed, Repeated, Revoked, SideKeyContradicted
from tangle.protocol.serial import Json, to_hex
from tangle.terminal.streams import encodable, note
from tangle.terminal.text import for_people, printable, readable

REST = "_rest"
"""column for fields that the table did not begin with, and for bodies that are no JSON objects"""
INDEX = "_index"
"""column for the number of the message"""
LINE_CHARS = 2_000
"""characters of a body that people see of a line"""


def event_json(event: Event) -> Json:
    """An event for programs; a body is `json`, `text` or `data`, whichever it is first."""
    kind = type(event).__name__.lower()
    match event:
        case Message(index=index, sources=sources, late=late):
            late_part = {"late": True} if late else {}
            ids = [to_hex(source) for source in sources]
            return {"event": kind, "index": index, "blockIds": ids, **late_part, **body_json(event.body)}
        case Rekeyed(index=index, sources=sources) | Revoked(index=index, sources=sources):
            return {"event": kind, "index": index, "blockIds": [to_hex(source) for source in sources]}
        case Gap(first=first, last=last):
            return {"event": kind, "first": first, "last": last}
        case Fork(index=index, first=one, second=other):
            return {"event": kind, "index": index, "blockIds": [to_hex(one), to_hex(other)]}
        case Repeated(index=index, source=source):
            return {"event": kind, "index": index, "blockId": to_hex(source)}
        case Rejected(source=source, error=error):
            return {"event": kind, "blockId": to_hex(source), "code": error.code, "reason": str(error)}


def notice(event: Event) -> str | None:
    """An event other than a message for people; None for what needs nobody's attention."""
    match event:
        case Rekeyed(index=index):
            return f"message {index} changed the side key; this reader has the new one"
        case Gap(first=first, last=last):
            what = f"message {first} is" if first == last else f"messages {first} to {last} are"
            return f"{what} missing and given up"
        case Fork(index=index, first=one, second=other):
            return f"two writers: message {index} was signed twice, in blocks {to_hex(one)} and {to_hex(other)}"
        case Rejected(error=SideKeyContradicted() as error):
            return f"the writer contradicts itself: {error}"
        case _:
            return None


class Digits(str):
    """A number of JSON, as it is written."""

    __slots__ = ()


def body_json(body: bytes) -> Json:
    """A body as `json`, `text` or `data`, whichever it is first. Numbers in JSON are `Digits`.

    So every digit stays as the writer wrote it, whatever a float can hold. NaN and Infinity are no JSON, though
    Python reads them; nor is what could not be written again: text that is no Unicode, or what lies too deep.
    """
    try:
        value = json.loads(body.decode(), parse_float=Digits, parse_int=Digits, parse_constant=_no_constant)
        json_text(value).encode()
    except (ValueError, RecursionError):
        text = readable(body)
        return {"data": to_hex(body)} if text is None else {"text": text}
    return {"json": value}


def _no_constant(name: str) -> None:
    raise ValueError(name)


def json_text(value: Any) -> str:
    """A value of `body_json` as JSON, its numbers as they are; no deeper than `body_json` takes it."""
    if isinstance(value, Digits):
        return value
    if isinstance(value, dict):
        members = (f"{json.dumps(name, ensure_ascii=False)}: {json_text(inner)}" for name, inner in value.items())
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(json_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class Sink(Protocol):
    """Takes what is followed, in order."""

    def take(self, event: Event) -> None:
        """Write an event, or leave it out."""
        ...

    def flush(self) -> None:
        """All that was taken is written."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


class Lines:
    """Messages for people on standard output, notices on standard error."""

    def take(self, event: Event) -> None:
        """Write it."""
        if isinstance(event, Message):
            late = " (late)" if event.late else ""
            text = printable(for_people(event.body).replace("\n", "⏎"), LINE_CHARS)
            sys.stdout.write(f"{event.index:>6}{late}  {text}\n")
        elif (told := notice(event)) is not None:
            note(told)

    def flush(self) -> None:
        """Write all."""
        sys.stdout.flush()

    def close(self) -> None:
        """Write all."""
        self.flush()


class JsonLines:
    """Every event as a line of JSON."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def take(self, event: Event) -> None:
        """Write it."""
        self._file.write(encodable(json_text(event_json(event)), self._file) + "\n")

    def flush(self) -> None:
        """Write all."""
        self._file.flush()

    def close(self) -> None:
        """Write all."""
        self.flush()


class Raw:
    """Bodies on standard output as they are, each with a line end if `lines`."""

    def take(self, event: Event) -> None:
        """Write it."""
        if isinstance(event, Message):
            sys.stdout.buffer.write(event.body + b"\n")
        elif (told := notice(event)) is not None:
            note(told)

    def flush(self) -> None:
        """Write all."""
        sys.stdout.buffer.flush()

    def close(self) -> None:
        """Write all."""
        self.flush()


class Table:
    """Messages as rows of a CSV file; notices on standard error.

    The fields of the first message are the columns. What another message has beyond them, or a body that is no
    JSON object, stands as JSON or text in the column `_rest`: nothing is left out. Numbers keep every digit they
    were written with. An existing file is continued; one that is new and got no row is gone at the end.
    """

    def __init__(self, path: Path) -> None:
        self._columns: list[str] | None = None
        self._path = path
        try:
            if path.exists() and path.stat().st_size:
                self._columns = _columns_of(path)
            # What a private channel says is nobody else's.
            private = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
            self._file = os.fdopen(private, "a", newline="", encoding="utf-8")
        except OSError as error:
            raise FileUnwritable(path, error.strerror or "it cannot be written") from None
        self._rows = csv.writer(self._file, lineterminator="\n")

    def take(self, event: Event) -> None:
        """Write it."""
        if not isinstance(event, Message):
            if (told := notice(event)) is not None:
                note(told)
            return
        body = body_json(event.body)
        members = body.get("json")
        fields: Mapping[str, Any] = members if isinstance(members, dict) else {}
        if self._columns is None:
            self._columns = [name for name in fields if name not in {INDEX, REST}]
            self._rows.writerow([INDEX, *self._columns, REST])
        further: Any = {name: value for name, value in fields.items() if name not in self._columns}
        if not isinstance(members, dict):
            further = next(iter(body.values()))
        rest = further if isinstance(further, str) else json_text(further)
        cells = [_cell(fields.get(name)) for name in self._columns]
        self._rows.writerow([event.index, *cells, "" if further == {} else rest])

    def flush(self) -> None:
        """Write all."""
        self._file.flush()

    def close(self) -> None:
        """Write all, and close the file."""
        self._file.close()
        if self._columns is None:
            self._path.unlink()


def _columns_of(path: Path) -> list[str]:
    """The columns of a table that is continued. Raises FileUnreadable."""
    with path.open(newline="", encoding="utf-8") as file:
        head = next(csv.reader(file), [])
    if len(head) < 2 or (head[0], head[-1]) != (INDEX, REST):
        raise FileUnreadable(path, f"it is no table of messages: its columns must begin with {INDEX}")
    return head[1:-1]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json_text(value)
