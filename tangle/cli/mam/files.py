"""Files of channels beside the writer's book: keys, seeds, invitations and bookmarks, as JSON of a kind.

What opens or writes a channel has mode 0600 and is refused when others may read it. A file comes into being
complete or not at all; only bookmarks are ever replaced.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tangle.cli.errors import FileUnreadable, FileUnwritable
from tangle.disk import files as disk
from tangle.protocol.errors import ProtocolError
from tangle.protocol.serial import Fields, Json

VERSION = 1
"""of the files' form"""
KEY, SEED, INVITATION, BOOKMARK = "mam-key", "mam-seed", "mam-invitation", "mam-bookmark"
"""kinds of files"""


def write_new(path: Path, kind: str, content: Json, mode: int = disk.PRIVATE) -> None:
    """Write a file that is not there yet. Raises FileUnwritable."""
    with _told(path):
        disk.create(path, _encoded(kind, content), mode)


def replace(path: Path, kind: str, content: Json) -> None:
    """Write a file, over an older one of the same name. Raises FileUnwritable."""
    with _told(path):
        disk.write(path, _encoded(kind, content), disk.PRIVATE)


def read(path: Path, *kinds: str) -> Fields:
    """The content of a file of one of these kinds. Raises FileUnreadable."""
    try:
        value: Any = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise FileUnreadable(path, "there is no such file") from None
    except OSError as error:
        raise FileUnreadable(path, error.strerror or "it cannot be read") from None
    except ValueError:
        raise FileUnreadable(path, "it holds no JSON") from None
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind not in kinds or value.get("version") != VERSION:
        raise FileUnreadable(path, f"it is no file of the kind {' or '.join(kinds)}, version {VERSION}")
    if kind != INVITATION:
        refuse_exposed(path)
    return Fields(value, str(path))


def refuse_exposed(path: Path) -> None:
    """Raise FileUnreadable if others may read a file with secrets."""
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise FileUnreadable(path, f"others may read it; close it with `chmod 600 {path}`")


def data_of(path: Path, fields: Fields, name: str, size: int | None = None) -> bytes:
    """Bytes out of a file. Raises FileUnreadable."""
    try:
        return fields.data(name, size=size)
    except ProtocolError as error:
        raise FileUnreadable(path, str(error)) from None


def _encoded(kind: str, content: Json) -> bytes:
    return json.dumps({"version": VERSION, "kind": kind, **content}, indent=2).encode() + b"\n"


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield
    except FileExistsError:
        raise FileUnwritable(path, "it is there already, and is never overwritten; name another") from None
    except OSError as error:
        raise FileUnwritable(path, error.strerror or "it cannot be written") from None
