"""Files that are on the disk whole, with their mode, or not there at all, whatever is killed or loses its power.

The content is written under another name in the same directory and flushed, then given its name, and the name is
flushed too. A name is taken by rename, which replaces an older file, or by link, which fails when the name is
taken, even if it was taken a moment ago.

All functions raise OSError, which the caller says in its own words.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE, PUBLIC = 0o600, 0o644
"""modes: for its owner only; for everybody to read"""


def write(path: Path, data: bytes, mode: int = PUBLIC) -> None:
    """Write a file, over an older one of the same name."""
    with replacing(path, mode) as beside:
        beside.write_bytes(data)


def create(path: Path, data: bytes, mode: int = PUBLIC) -> None:
    """Write a file that is not there yet. Raises FileExistsError; the older file stays as it is."""
    with _beside(path, mode) as beside:
        beside.write_bytes(data)
        _sync(beside)
        os.link(beside, path)
        _sync(path.parent)


@contextmanager
def replacing(path: Path, mode: int = PUBLIC) -> Iterator[Path]:
    """The name under which the block writes what `path` holds after it; if it raises, nothing has changed."""
    with _beside(path, mode) as beside:
        yield beside
        _sync(beside)
        beside.replace(path)
        _sync(path.parent)


@contextmanager
def _beside(path: Path, mode: int) -> Iterator[Path]:
    """An empty file next to `path`, gone at the end; what a killed process left under its name goes first."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    try:
        yield beside
    finally:
        beside.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a directory, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
