"""What people are told about tokens and NFTs: the JSON of IRC-30 (TIP-30) and IRC-27 (TIP-27).

Both stand in immutable metadata features: a token's in its foundry, an NFT's in the NFT itself, so they are said
once and for ever. Nothing checks them on the way into the ledger. Reading is therefore forgiving as a whole (bytes
that are not of the standard are None) and strict in detail, and a value that breaks the schema cannot exist.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import orjson

from tangle.client.errors import InvalidMetadata
from tangle.protocol.parameters import METADATA_BYTES_MAX
from tangle.protocol.serial import Json

_VERSION = re.compile(r"v\d+\.\d+")
_MIME_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+")


class _Standard:
    """A JSON object with a `standard` member and members named like the fields, in camel case."""

    STANDARD: ClassVar[str]
    NAMES: ClassVar[Mapping[str, str]]
    """field -> member, in the order in which they are written"""

    def encode(self) -> bytes:
        """The JSON, without what is absent. Raises InvalidMetadata when an output cannot hold so much."""
        json: Json = {"standard": self.STANDARD}
        for name, member in self.NAMES.items():
            value = getattr(self, name)
            if value or value == 0:
                json[member] = value
        data = orjson.dumps(json)
        if len(data) > METADATA_BYTES_MAX:
            raise InvalidMetadata("metadata", f"takes {len(data)} bytes, and an output holds {METADATA_BYTES_MAX}")
        return data

    @classmethod
    def decode(cls, data: bytes) -> Self | None:
        """What `data` says; None when it is not of this standard or breaks its schema."""
        try:
            json = orjson.loads(data)
            if not isinstance(json, dict) or json.get("standard") != cls.STANDARD:
                return None
            found = {name: json[member] for name, member in cls.NAMES.items() if json.get(member) is not None}
            return cls(**found)
        except (orjson.JSONDecodeError, InvalidMetadata, TypeError):
            return None

    def _check_texts(self, needed: tuple[str, ...], optional: tuple[str, ...]) -> None:
        for name in needed + optional:
            value = getattr(self, name)
            if value is None and name in optional:
                continue
            if not isinstance(value, str):
                raise InvalidMetadata(self.NAMES[name], "must be a text")
            try:
                value.encode()
            except UnicodeEncodeError:
                raise InvalidMetadata(self.NAMES[name], "must be a text of Unicode characters") from None
            if not value and name in needed:
                raise InvalidMetadata(self.NAMES[name], "must not be empty")


@dataclass(frozen=True, slots=True)
class Irc30(_Standard):
    """What a foundry says about its token (TIP-30).

    Attributes
    ----------
    symbol : ticker, such as ``FOO``
    decimals : places by which people move the decimal point, from 0
    url, logo_url : where to find more, and a picture
    logo : the picture itself, as SVG
    """

    STANDARD: ClassVar[str] = "IRC30"
    NAMES: ClassVar[Mapping[str, str]] = {
        "name": "name",
        "symbol": "symbol",
        "decimals": "decimals",
        "description": "description",
        "url": "url",
        "logo_url": "logoUrl",
        "logo": "logo",
    }
    name: str
    symbol: str
    decimals: int
    description: str | None = None
    url: str | None = None
    logo_url: str | None = None
    logo: str | None = None

    def __post_init__(self) -> None:
        self._check_texts(("name", "symbol"), ("description", "url", "logo_url", "logo"))
        if not isinstance(self.decimals, int) or isinstance(self.decimals, bool) or not 0 <= self.decimals < 2**63:
            raise InvalidMetadata("decimals", "must be an integer from 0")


@dataclass(frozen=True, slots=True)
class Irc27(_Standard):
    """What an NFT says about the thing it stands for (TIP-27).

    Attributes
    ----------
    type : MIME type of what `uri` points to
    royalties : bech32 address -> share of each later sale, 0 to 1; together at most 1
    attributes : JSON objects with whatever else there is to say
    version : of the standard
    """

    STANDARD: ClassVar[str] = "IRC27"
    NAMES: ClassVar[Mapping[str, str]] = {
        "version": "version",
        "type": "type",
        "uri": "uri",
        "name": "name",
        "description": "description",
        "collection_name": "collectionName",
        "royalties": "royalties",
        "issuer_name": "issuerName",
        "attributes": "attributes",
    }
    name: str
    type: str
    uri: str
    description: str | None = None
    collection_name: str | None = None
    issuer_name: str | None = None
    royalties: Mapping[str, float] = field(default_factory=dict)
    attributes: tuple[Any, ...] = ()
    version: str = "v1.0"

    def __post_init__(self) -> None:
        self._check_texts(("name", "type", "uri", "version"), ("description", "collection_name", "issuer_name"))
        if not _VERSION.fullmatch(self.version):
            raise InvalidMetadata("version", f"must be v, a number, a point and a number, not {self.version!r}")
        if not _MIME_TYPE.fullmatch(self.type):
            raise InvalidMetadata("type", f"must be a MIME type such as image/png, not {self.type!r}")
        if not isinstance(self.attributes, list | tuple) or not all(
            isinstance(held, dict) for held in self.attributes
        ):
            raise InvalidMetadata("attributes", "must be an array of objects")
        object.__setattr__(self, "attributes", tuple(self.attributes))
        self._check_royalties()

    def _check_royalties(self) -> None:
        if not isinstance(self.royalties, Mapping):
            raise InvalidMetadata("royalties", "must be an object of addresses and shares")
        for address, share in self.royalties.items():
            if not isinstance(share, int | float) or isinstance(share, bool) or not 0 <= share <= 1:
                raise InvalidMetadata(f"royalties.{address}", "must be a share from 0 to 1")
        if sum(self.royalties.values()) > 1:
            raise InvalidMetadata("royalties", "must not be more than 1 together")


def encoded(metadata: Irc30 | Irc27 | bytes | None) -> bytes | None:
    """The bytes for a metadata feature; None for no feature."""
    return metadata.encode() if isinstance(metadata, Irc30 | Irc27) else metadata
