"""Features: what an output says beside what it holds, checked by the protocol or read by people (TIP-18)."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from tangle.protocol.addresses import ADDRESSES, Address
from tangle.protocol.codec import Wire
from tangle.protocol.fields import Blob
from tangle.protocol.parameters import METADATA_BYTES_MAX, TAG_BYTES_MAX
from tangle.protocol.tables import One, TypeTable


@dataclass(frozen=True, slots=True)
class SenderFeature(Wire):
    """The address of an input that this transaction unlocks: who sent it, proven."""

    TYPE: ClassVar[int] = 0
    address: Annotated[Address, One(ADDRESSES)]


@dataclass(frozen=True, slots=True)
class IssuerFeature(Wire):
    """The address that the transaction which made the alias or NFT unlocked: who issued it, proven."""

    TYPE: ClassVar[int] = 1
    address: Annotated[Address, One(ADDRESSES)]


@dataclass(frozen=True, slots=True)
class MetadataFeature(Wire):
    """1 to 8,192 bytes for whoever reads the output."""

    TYPE: ClassVar[int] = 2
    data: Annotated[bytes, Blob(2, least=1, most=METADATA_BYTES_MAX)]


@dataclass(frozen=True, slots=True)
class TagFeature(Wire):
    """1 to 64 bytes under which an indexer finds the output."""

    TYPE: ClassVar[int] = 3
    tag: Annotated[bytes, Blob(1, least=1, most=TAG_BYTES_MAX, example="0x7761746572")]


Feature = SenderFeature | IssuerFeature | MetadataFeature | TagFeature
FEATURES: TypeTable[Feature] = TypeTable("feature", 1, [SenderFeature, IssuerFeature, MetadataFeature, TagFeature])
