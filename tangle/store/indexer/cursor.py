"""Pages of output ids, and the places between them."""

from __future__ import annotations

from dataclasses import dataclass

from tangle.store.errors import MalformedCursor

_INDEX_BYTES = 4
_ID_BYTES = 34
_PAGE_DIGITS_MAX = 9


@dataclass(frozen=True)
class Cursor:
    """The place behind which the next page begins, and the page size it was asked with.

    As text: 4 bytes index (big endian) and 34 bytes output id in hex, a dot, the page size.
    """

    created_index: int
    output_id: bytes
    page_size: int

    def encode(self) -> str:
        """The text handed to clients."""
        place = self.created_index.to_bytes(_INDEX_BYTES, "big") + self.output_id
        return f"{place.hex()}.{self.page_size}"

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Read the text. The page size is the caller's to bound. Raises MalformedCursor."""
        place, dot, size = text.partition(".")
        digits = size.isascii() and size.isdigit() and len(size) <= _PAGE_DIGITS_MAX
        if not dot or not digits or int(size) < 1 or len(place) != 2 * (_INDEX_BYTES + _ID_BYTES):
            raise MalformedCursor(text)
        try:
            data = bytes.fromhex(place)
        except ValueError:
            raise MalformedCursor(text) from None
        if data.hex() != place:
            raise MalformedCursor(text)
        return cls(int.from_bytes(data[:_INDEX_BYTES], "big"), data[_INDEX_BYTES:], int(size))


@dataclass(frozen=True)
class OutputPage:
    """Output ids (34 bytes each) in order of creation; `cursor` is None on the last page."""

    items: tuple[bytes, ...]
    cursor: Cursor | None
