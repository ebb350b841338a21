"""Tables of other programs: what can be told is told right, and what could be read in two ways is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tangle.disk.errors import TableRefused, TextRefused
from tangle.disk.tables import Table, TableForm, read_table
from tangle.disk.texts import read_text


def table(tmp_path: Path, text: str | bytes, form: TableForm | None = None) -> Table:
    path = tmp_path / "a?b%20#.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path, form)


@pytest.mark.parametrize(
    ("text", "names", "row"),
    [
        ("time,bar\n10:00,3.2\n", ["time", "bar"], ["10:00", "3.2"]),
        ("time;bar\n10:00;3.2\n", ["time", "bar"], ["10:00", "3.2"]),
        ("time\tbar\n10:00\t3.2\n", ["time", "bar"], ["10:00", "3.2"]),
        ("time|bar\n10:00|3.2\n", ["time", "bar"], ["10:00", "3.2"]),
        ("\ufefftime;bar\r\n10:00;3,2\r\n", ["time", "bar"], ["10:00", "3,2"]),
        ("sep=;\ntime;bar\n10:00;3,2\n", ["time", "bar"], ["10:00", "3,2"]),
        ("time;bar, mean\n10:00;3,2\n", ["time", "bar, mean"], ["10:00", "3,2"]),
        ('time,note\n10:00,"a; b\nc"\n', ["time", "note"], ["10:00", "a; b\nc"]),
        ("time;a;b\n10:00;1,5;2,5\n", ["time", "a", "b"], ["10:00", "1,5", "2,5"]),
        ("bar\n3.2\n", ["bar"], ["3.2"]),
        ("bar\n3,2\n", ["bar"], ["3,2"]),
        ("note\nwater is cold\nit rains\n", ["note"], ["water is cold"]),
        ("a;b;\n1;2;\n", ["a", "b"], ["1", "2"]),
        ("time\rbar\n", ["time"], ["bar"]),
    ],
)
def test_columns_are_found(tmp_path: Path, text: str, names: list[str], row: list[str]) -> None:
    assert table(tmp_path, text).columns()[0] == names
    assert table(tmp_path, text).columns()[1][0] == row


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b,c;d\n1,2,3;4\n", "semicolons and commas; say which with --delimiter"),
        ("time bar\n10:00 3.2\n", "parted with blanks"),
        ("time,bar\n10:00,3.2\n10:01\n", "row 2 has 1 fields, the first row names 2"),
        ("a,,c\n1,2,3\n", "must name every column, each once"),
        ("a,a\n1,2\n", "must name every column, each once"),
        ("", "must name every column"),
        ('a,b\n"1,2\n', "no CSV"),
        ("t;a;b\nx;1,5;2.5\n", "'1,5' and '2.5'; say which with --decimal"),
        ("t;a\nx;1,234\ny;5,678\n", "may have a decimal comma or a mark for thousands"),
    ],
)
def test_what_could_be_read_in_two_ways_or_in_none_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(TableRefused, match=says):
        table(tmp_path, text).columns()


def test_the_caller_decides_what_does_not_show(tmp_path: Path) -> None:
    found = table(tmp_path, "t;a;b\nx;1,5;2.5\n", TableForm.named(None, "comma", None))
    assert (found.number("1,5"), found.number("2.5")) == ("1.5", None)
    found = table(tmp_path, "t;a\nx;1,234\n", TableForm.named("semicolon", "point", None))
    assert found.number("1,234") is None
    assert table(tmp_path, "a,b;c\n1,2;3\n", TableForm.named(",", None, None)).rows[0] == ["a", "b;c"]
    assert table(tmp_path, "M\xfcll\n1\n".encode("cp1252"), TableForm(encoding="cp1252")).rows[0] == ["M\xfcll"]
    for delimiter, decimal in (("x", None), (None, ";")):
        with pytest.raises(ValueError, match=r"comma"):
            TableForm.named(delimiter, decimal, None)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("3.20", "3.20"), (" -0.50 ", "-0.50"), ("+7", "7"), (".5", "0.5"), ("5.", "5"), ("1e-3", "1e-3"),
        ("12345678901234567890123", "12345678901234567890123"), ("007", None), ("1,2", None), ("1.2.3", None),
        ("", None), ("-", None), ("0", "0"), ("e5", None), ("NaN", None), ("inf", None), ("0x10", None),
        ("1_000", None), ("\u0663", None), (".", None),
    ],
)  # fmt: skip
def test_numbers_keep_every_digit(tmp_path: Path, cell: str, number: str | None) -> None:
    assert Table(tmp_path, [], ".").number(cell) == number


def test_decimal_commas_and_padding(tmp_path: Path) -> None:
    german = Table(tmp_path, [], ",")
    assert [german.number(cell) for cell in ("3,25", "-1", "1.234,5", "3.2")] == ["3.25", "-1", None, None]
    assert (german.number("007,5", padded=True), german.number("000", padded=True)) == ("7.5", "0")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("a;b\n".encode("utf-16"), "text in UTF-16; save it as UTF-8"),
        ("a;b\n".encode("utf-32"), "text in UTF-32; save it as UTF-8"),
        ("a;b\n".encode("utf-16-le"), "zero bytes"),
        ("a\nM\xfcll\n".encode("cp1252"), "byte 0xfc in line 2"),
    ],
)
def test_other_encodings_are_refused_in_a_sentence(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "text"
    path.write_bytes(data)
    with pytest.raises(TextRefused, match=says):
        read_text(path)


def test_an_encoding_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"a")
    with pytest.raises(TextRefused, match="no encoding is called 'klingon'"):
        read_text(tmp_path / "text", "klingon")
