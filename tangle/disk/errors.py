"""What can go wrong with files.

TangleError
├── BookError
│   ├── BookInUse       another process, or another part of this one, has it open
│   ├── NoBook          there is no such file, or it is something else
│   ├── BookExists      a book is there already and is not overwritten
│   └── BookFailed      the disk is full, the file not ours to write, ...
└── TextRefused         a file of another system that is no text in the encoding it should have
    └── TableRefused    a text that is no table, or one of several
"""

from __future__ import annotations

from pathlib import Path

from tangle.errors import Ending, TangleError


class BookError(TangleError):
    """A book cannot be used."""

    code = "book"
    ending = Ending.CHANNEL
    path: Path


class BookInUse(BookError):
    """A book has one writer at a time; the second is refused."""

    code = "book_in_use"
    template = "{path}: another program has it open"


class NoBook(BookError):
    """No file, or one that is no book of the kind asked for."""

    code = "no_book"
    template = "{path}: no book of this kind is kept here"


class BookExists(BookError):
    """A book is kept there already."""

    code = "book_exists"
    template = "{path}: a book is kept here already"


class BookFailed(BookError):
    """Writing or reading failed, and nothing was changed; `cause` is what the system said."""

    code = "book_failed"
    template = "{path}: could not be written or read ({cause})"
    cause: str


class TextRefused(TangleError):
    """A file is no text in the encoding it should have; `rule` says what it is, and what helps."""

    code = "text_refused"
    template = "{path}: {rule}"
    ending = Ending.USAGE
    path: Path
    rule: str


class TableRefused(TextRefused):
    """A text that is no table, or that could be read as more than one."""

    code = "table_refused"
