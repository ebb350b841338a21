"""Features: what an output says beside what it holds, checked by the protocol or read by people (TIP-18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tangle.protocol.outputs.addressed import Addressed
from tangle.protocol.parameters import METADATA_BYTES_MAX, TAG_BYTES_MAX
from tangle.protocol.serial import Fields, Json, Reader, TypeTable, blob, check_length, to_hex


@dataclass(frozen=True, slots=True)
class SenderFeature(Addressed):
    """The address of an input that this transaction unlocks: who sent it, proven."""

    TYPE: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class IssuerFeature(Addressed):
    """The address that the transaction which made the alias or NFT unlocked: who issued it, proven."""

    TYPE: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class MetadataFeature:
    """1 to 8,192 bytes for whoever reads the output."""

    TYPE: ClassVar[int] = 2
    data: bytes

    def __post_init__(self) -> None:
        check_length(len(self.data), "data", 1, METADATA_BYTES_MAX)

    def encode(self) -> bytes:
        """Type byte, length, bytes."""
        return b"\x02" + blob(self.data, 2)

    @classmethod
    def decode(cls, reader: Reader) -> MetadataFeature:
        """Read type byte, length, bytes."""
        reader.type(cls.TYPE, 1)
        return cls(reader.blob(2, "data", least=1, most=METADATA_BYTES_MAX))

    def to_json(self) -> Json:
        """The JSON form."""
        return {"type": self.TYPE, "data": to_hex(self.data)}

    @classmethod
    def from_json(cls, fields: Fields) -> MetadataFeature:
        """Read the JSON form."""
        return cls(fields.data("data"))


@dataclass(frozen=True, slots=True)
class TagFeature:
    """1 to 64 bytes under which an indexer finds the output."""

    TYPE: ClassVar[int] = 3
    tag: bytes

    def __post_init__(self) -> None:
        check_length(len(self.tag), "tag", 1, TAG_BYTES_MAX)

    def encode(self) -> bytes:
        """Type byte, length, bytes."""
        return b"\x03" + blob(self.tag, 1)

    @classmethod
    def decode(cls, reader: Reader) -> TagFeature:
        """Read type byte, length, bytes."""
        reader.type(cls.TYPE, 1)
        return cls(reader.blob(1, "tag", least=1, most=TAG_BYTES_MAX))

    def to_json(self) -> Json:
        """The JSON form."""
        return {"type": self.TYPE, "tag": to_hex(self.tag)}

    @classmethod
    def from_json(cls, fields: Fields) -> TagFeature:
        """Read the JSON form."""
        return cls(fields.data("tag"))


Feature = SenderFeature | IssuerFeature | MetadataFeature | TagFeature
FEATURES: TypeTable[Feature] = TypeTable("feature", 1, [SenderFeature, IssuerFeature, MetadataFeature, TagFeature])
