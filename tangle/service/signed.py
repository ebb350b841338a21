"""The highest milestone that this node has signed, kept apart from the database: an older copy is known by it.

Who puts a data directory back from a copy that is a little older would sign the same indexes a second time, upon
another past. So what was signed is written down beside the database, and beside the data directory as well, where
that can be written: a copy of the database alone is recognised by the first, one of the whole directory by the
second. It is on the disk before the milestone is (`signing`); `kept` follows when the milestone is committed, and
needs no flush: the database is never behind it.

A file has a line for each journal (`network.store_id`), newest last. A journal goes on from an older copy only
when an operator says so, under a new id; the old line stays, and the same copy is recognised once more.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tangle.disk import files
from tangle.service.clock import Moment
from tangle.service.errors import DataUnusable

log = logging.getLogger("tangle.signed")

NAME = "signed"
JOURNALS_MAX = 16
"""lines of one file; the oldest go"""


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of one journal.

    Attributes
    ----------
    signed, kept : highest milestone index that may have been signed, and that is in the database
    moment : what the clocks said when it was signed
    """

    store_id: str
    signed: int
    kept: int
    moment: Moment

    def encode(self) -> bytes:
        """One line, as long as every other."""
        at = self.moment
        return (
            f"{self.store_id:<32} {self.signed:>12} {self.kept:>12} "
            f"{at.wall:>18.3f} {at.steady:>18.3f} {at.boot or '-':<36}\n"
        ).encode()

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read a line. Raises ValueError."""
        store_id, signed, kept, wall, steady, boot = text.split()
        return cls(store_id, int(signed), int(kept), Moment(float(wall), float(steady), boot.strip("-")))


class Signed:
    """The files of one data directory; close it at the end."""

    def __init__(self, data: Path) -> None:
        self._paths = [data / NAME]
        whole = data.absolute()
        if whole.name:
            self._paths.append(whole.with_name(f"{whole.name}.{NAME}"))
        self._lines = {path: _read(path) for path in self._paths}
        self._open: list[tuple[int, int]] = []
        self._own: Line | None = None

    def known(self, store_id: str) -> Line | None:
        """What any of the files knows of a journal."""
        found = [line for lines in self._lines.values() for line in lines if line.store_id == store_id]
        return max(found, key=lambda line: (line.kept, line.signed), default=None)

    def begin(self, store_id: str, index: int, now: Moment) -> None:
        """Keep a line for this journal, whose newest milestone is `index`, from here on. Raises DataUnusable."""
        known = self.known(store_id)
        self._own = own = Line(store_id, index, index, known.moment if known else now)
        for path, lines in self._lines.items():
            others = [line for line in lines if line.store_id != store_id][1 - JOURNALS_MAX :]
            try:
                files.write(path, b"".join(line.encode() for line in (*others, own)))
                self._open.append((os.open(path, os.O_WRONLY), len(others) * len(own.encode())))
            except OSError as error:
                if path == self._paths[0]:
                    raise DataUnusable(f"{path} cannot be written: {error.strerror}") from None
                log.warning("%s cannot be written: a copy of the whole directory is not recognised", path)

    def signing(self, index: int, now: Moment) -> None:
        """Before milestone `index` is signed: on the disk when this returns. Raises OSError."""
        assert self._own is not None, "begun before"
        self._own = replace(self._own, signed=index, moment=now)
        for number, at in self._open:
            os.pwrite(number, self._own.encode(), at)
            os.fsync(number)

    def kept(self, index: int) -> None:
        """Milestone `index` is in the database."""
        assert self._own is not None, "begun before"
        self._own = replace(self._own, kept=index)
        with suppress(OSError):  # the database says so as well
            for number, at in self._open:
                os.pwrite(number, self._own.encode(), at)

    def close(self) -> None:
        """Let go of the files."""
        for number, _ in self._open:
            os.close(number)
        self._open.clear()


def _read(path: Path) -> list[Line]:
    """The lines of a file; raises DataUnusable."""
    try:
        return [Line.decode(line) for line in path.read_text().splitlines()]
    except (FileNotFoundError, PermissionError):
        return []
    except (OSError, ValueError) as error:
        raise DataUnusable(
            f"{path}, which tells how far milestones were signed, cannot be read ({error}); put it back from your "
            "copy, or remove it if no older copy of the database was put back"
        ) from None
