"""Data under a tag (TIP-23): what a sensor writes and an indexer finds."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from tangle.protocol.codec import Wire
from tangle.protocol.fields import Blob
from tangle.protocol.parameters import TAG_BYTES_MAX


@dataclass(frozen=True, slots=True)
class TaggedData(Wire):
    """Data under a tag: at most 64 bytes of tag, and any data that fits the block."""

    TYPE: ClassVar[int] = 5
    TYPE_BYTES: ClassVar[int] = 4
    tag: Annotated[bytes, Blob(1, most=TAG_BYTES_MAX, optional=True, example="0x7761746572")]
    data: Annotated[bytes, Blob(4, optional=True)]
