"""The Parquet table of a channel: nothing is left out, and what can have a type has one."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from tangle.cli.errors import FileUnwritable
from tangle.cli.mam.parquet import ParquetTable
from tangle.mam import Message


def message(index: int, body: bytes) -> Message:
    return Message(index, body, (bytes(32),))


def written(path: Path, bodies: list[bytes], group_rows: int = 10_000) -> list[dict[str, Any]]:
    table = ParquetTable(path, group_rows)
    for index, body in enumerate(bodies):
        table.take(message(index, body))
    table.close()
    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return rows


def test_fields_become_typed_columns(tmp_path: Path) -> None:
    path = tmp_path / "pump.parquet"
    bodies = [
        b'{"bar": 3, "at": "10:00", "on": true}',
        b'{"bar": 3.5, "at": "10:01", "on": null}',
        b"note",
        b"\xff",
    ]
    rows = written(path, bodies)
    assert {name: str(kind) for name, kind in zip(*_schema(path), strict=True)} == {
        "_index": "int64", "bar": "double", "at": "string", "on": "bool", "_rest": "string",
    }  # fmt: skip
    assert [row["bar"] for row in rows] == [3.0, 3.5, None, None]
    assert [row["_rest"] for row in rows] == [None, None, "note", "0xff"]
    assert list(tmp_path.iterdir()) == [path]


def _schema(path: Path) -> tuple[list[str], list[Any]]:
    schema = parquet.read_schema(path)
    return schema.names, schema.types


def test_what_fits_no_column_is_in_the_last(tmp_path: Path) -> None:
    bodies = [
        b'{"n": 1}',
        b'{"n": 2, "m": [1]}',
        b'{"n": "three", "x": 1}',
        b'{"n": 99999999999999999999, "m": {}}',
    ]
    rows = written(tmp_path / "t.parquet", bodies, 2)
    assert [row["n"] for row in rows] == [1, 2, None, None]
    assert [row["m"] for row in rows] == [None, "[1]", None, "{}"]
    assert json.loads(rows[2]["_rest"]) == {"n": "three", "x": 1}
    assert json.loads(rows[3]["_rest"]) == {"n": 99999999999999999999}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "_rest", "é"]), VALUES), min_size=1, max_size=5))
def test_nothing_is_left_out(tmp_path_factory: pytest.TempPathFactory, members: list[dict[str, Any]]) -> None:
    path = tmp_path_factory.mktemp("table") / "t.parquet"
    rows = written(path, [json.dumps(fields).encode() for fields in members])
    assert [row["_index"] for row in rows] == list(range(len(members)))
    for row, fields in zip(rows, members, strict=True):
        further = json.loads(row["_rest"]) if row["_rest"] else {}
        for name, value in fields.items():
            kept = further[name] if name in further else row[name]
            assert kept == value or json.loads(kept) == value


def test_a_file_that_is_there_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"precious")
    with pytest.raises(FileUnwritable, match="there already"):
        ParquetTable(path)
    assert path.read_bytes() == b"precious"
    with pytest.raises(FileUnwritable):
        ParquetTable(tmp_path / "no" / "t.parquet")


def test_what_a_column_cannot_hold_exactly_is_text(tmp_path: Path) -> None:
    bodies = [b'{"n": 9007199254740993, "x": 1e400}', b'{"n": 0.5, "x": 1.5}']
    rows = written(tmp_path / "t.parquet", bodies)
    assert [row["n"] for row in rows] == ["9007199254740993", "0.5"]
    assert [row["x"] for row in rows] == ["1e400", "1.5"]
    later = written(tmp_path / "l.parquet", [b'{"n": 0.5}', b'{"n": 9007199254740993}'], 1)
    assert [(row["n"], row["_rest"]) for row in later] == [(0.5, None), (None, '{"n": 9007199254740993}')]


def test_a_table_without_a_row_leaves_no_file(tmp_path: Path) -> None:
    ParquetTable(tmp_path / "t.parquet").close()
    assert list(tmp_path.iterdir()) == []
