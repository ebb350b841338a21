"""Text files of other systems: UTF-8 with or without a byte order mark, or the encoding that the caller names.

Nothing is guessed: bytes that are no text of the encoding are refused, with the line where they stand, rather than
read as other letters.
"""

from __future__ import annotations

from pathlib import Path

from tangle.disk.errors import TextRefused

UTF_8 = "utf-8"
_WIDE = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
"""byte order marks that other encodings begin with, the longest first"""


def read_text(path: Path, encoding: str = UTF_8) -> str:
    """The text of a file, without its byte order mark.

    Raises
    ------
    TextRefused : it is no text in this encoding
    OSError : it cannot be read
    """
    return decoded(path, path.read_bytes(), encoding)


def decoded(path: Path, data: bytes, encoding: str = UTF_8) -> str:
    """The text in `data`, which came from `path`. Raises TextRefused."""
    if encoding == UTF_8:
        for mark, name in _WIDE:
            if data.startswith(mark):
                raise TextRefused(path, f"it is text in {name}; save it as UTF-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        byte = f"byte 0x{data[error.start]:02x} in line {line}"
        advice = "save it as UTF-8, or name its encoding, such as cp1252"
        raise TextRefused(path, f"it is no text in {encoding.upper()}: {byte}; {advice}") from None
    except LookupError:
        raise TextRefused(path, f"no encoding is called {encoding!r}") from None
    if "\0" in text:
        raise TextRefused(path, "it holds zero bytes, so it is no text, or text in UTF-16; save it as UTF-8")
    return text.removeprefix("\ufeff")
