"""Pages of output ids, and the places between them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tangle.store.errors import MalformedCursor

_INDEX_BYTES = 4
_ID_BYTES = 34
_PAGE_DIGITS_MAX = 9
STORE_DIGITS = 8
"""of the id of a journal; enough to tell two apart"""
_STORE = re.compile(f"[0-9a-f]{{{STORE_DIGITS}}}")


@dataclass(frozen=True)
class Cursor:
    """The place behind which the next page begins, and the page size it was asked with.

    As text: 4 bytes index (big endian) and 34 bytes output id in hex, a dot, the page size, a dot, the first
    digits of the id of the journal that gave it.
    """

    created_index: int
    output_id: bytes
    page_size: int
    store: str = ""

    def encode(self, store_id: str) -> str:
        """The text handed to clients; `store_id` is that of the journal."""
        place = self.created_index.to_bytes(_INDEX_BYTES, "big") + self.output_id
        return f"{place.hex()}.{self.page_size}.{store_id[:STORE_DIGITS]}"

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Read the text. The page size is the caller's to bound. Raises MalformedCursor."""
        place, _, rest = text.partition(".")
        size, dot, store = rest.partition(".")
        digits = size.isascii() and size.isdigit() and len(size) <= _PAGE_DIGITS_MAX
        if not dot or not digits or int(size) < 1 or len(place) != 2 * (_INDEX_BYTES + _ID_BYTES):
            raise MalformedCursor(text)
        try:
            data = bytes.fromhex(place)
        except ValueError:
            raise MalformedCursor(text) from None
        if data.hex() != place or not _STORE.fullmatch(store):
            raise MalformedCursor(text)
        return cls(int.from_bytes(data[:_INDEX_BYTES], "big"), data[_INDEX_BYTES:], int(size), store)


@dataclass(frozen=True)
class OutputPage:
    """Output ids (34 bytes each) in order of creation; `cursor` is None on the last page."""

    items: tuple[bytes, ...]
    cursor: Cursor | None
