"""Files are whole or not there, with their mode; what fails leaves nothing behind."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tangle.disk import files


@pytest.mark.parametrize("mode", [files.PRIVATE, files.PUBLIC])
def test_what_is_written_has_its_content_and_mode(tmp_path: Path, mode: int) -> None:
    for write in (files.create, files.write):
        path = tmp_path / write.__name__
        write(path, b"content", mode)
        assert path.read_bytes() == b"content"
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert len(list(tmp_path.iterdir())) == 2


def test_an_older_file_is_replaced_by_write_and_kept_by_create(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        files.create(path, b"new")
    assert path.read_bytes() == b"old"
    files.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def break_off() -> None:
        with files.replacing(path) as beside:
            beside.write_bytes(b"half of the ne")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (tmp_path / f".file.{os.getpid()}").write_bytes(b"half of somethi")
    files.create(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_is_not_there_is_told(tmp_path: Path) -> None:
    for write in (files.create, files.write):
        with pytest.raises(FileNotFoundError):
            write(tmp_path / "missing" / "file", b"")
