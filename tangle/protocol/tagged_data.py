"""Data under a tag (TIP-23): what a sensor writes and an indexer finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tangle.protocol.parameters import TAG_BYTES_MAX
from tangle.protocol.serial import Fields, Json, Reader, blob, check_length, to_hex, uint


@dataclass(frozen=True, slots=True)
class TaggedData:
    """A tag of at most 64 bytes and any data that fits the block."""

    TYPE: ClassVar[int] = 5
    tag: bytes
    data: bytes

    def __post_init__(self) -> None:
        check_length(len(self.tag), "tag", 0, TAG_BYTES_MAX)

    def encode(self) -> bytes:
        """The binary form."""
        return uint(self.TYPE, 4) + blob(self.tag, 1) + blob(self.data, 4)

    @classmethod
    def decode(cls, reader: Reader) -> TaggedData:
        """Read the binary form."""
        reader.type(cls.TYPE, 4)
        return cls(reader.blob(1, "tag", most=TAG_BYTES_MAX), reader.blob(4, "data"))

    def to_json(self) -> Json:
        """The JSON form; an empty tag or empty data is absent."""
        json: Json = {"type": self.TYPE}
        if self.tag:
            json["tag"] = to_hex(self.tag)
        if self.data:
            json["data"] = to_hex(self.data)
        return json

    @classmethod
    def from_json(cls, fields: Fields) -> TaggedData:
        """Read the JSON form."""
        return cls(fields.optional_data("tag"), fields.optional_data("data"))
