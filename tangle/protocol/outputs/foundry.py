"""The foundry output: the supply of one native token, in the hands of one alias for ever (TIP-18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from tangle.protocol.addresses import AliasAddress
from tangle.protocol.errors import IndexOutOfRange
from tangle.protocol.outputs.conditions import U32_MAX, ImmutableAliasAddressUnlockCondition, UnlockCondition
from tangle.protocol.outputs.features import Feature, MetadataFeature
from tangle.protocol.outputs.form import ChainOutput
from tangle.protocol.outputs.tokens import TOKEN_SCHEMES, TokenScheme
from tangle.protocol.serial import Fields, Json, Reader, TypeTable, uint


@dataclass(frozen=True, kw_only=True)
class FoundryOutput(ChainOutput):
    """Unlock condition: immutable alias address; feature: metadata; immutable feature: metadata.

    Attributes
    ----------
    serial_number : number of the foundry among those of its alias, from 1, at most 2^32 - 1
    token_scheme : what was minted and melted, and how much may be
    """

    TYPE: ClassVar[int] = 5
    CONDITIONS: ClassVar[TypeTable[UnlockCondition]] = TypeTable(
        "unlock condition", 1, [ImmutableAliasAddressUnlockCondition]
    )
    FEATURES: ClassVar[TypeTable[Feature]] = TypeTable("feature", 1, [MetadataFeature])
    IMMUTABLE: ClassVar[TypeTable[Feature]] = TypeTable("immutable feature", 1, [MetadataFeature])

    serial_number: int
    token_scheme: TokenScheme

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.serial_number <= U32_MAX:
            raise IndexOutOfRange("serialNumber", f"must be 1 to {U32_MAX}, not {self.serial_number}")

    @property
    def alias_address(self) -> AliasAddress:
        """The address of the alias that created the foundry."""
        return cast("ImmutableAliasAddressUnlockCondition", self.unlock_conditions[0]).address

    @property
    def owner(self) -> AliasAddress:
        """The alias's address."""
        return self.alias_address

    @property
    def foundry_id(self) -> bytes:
        """38 bytes: alias address, serial number, token scheme type; the id of its tokens too."""
        return self.alias_address.encode() + uint(self.serial_number, 4) + uint(self.token_scheme.TYPE, 1)

    @property
    def explicit_id(self) -> bytes:
        """The foundry id, 38 bytes."""
        return self.foundry_id

    def _own_encoded(self) -> bytes:
        return uint(self.serial_number, 4) + self.token_scheme.encode()

    @classmethod
    def _own_decoded(cls, reader: Reader) -> dict[str, Any]:
        return {
            "serial_number": reader.uint(4, "serialNumber"),
            "token_scheme": TOKEN_SCHEMES.decode_field(reader, "tokenScheme"),
        }

    def _own_json(self) -> Json:
        return {"serialNumber": self.serial_number, "tokenScheme": self.token_scheme.to_json()}

    @classmethod
    def _own_from_json(cls, fields: Fields) -> dict[str, Any]:
        return {
            "serial_number": fields.integer("serialNumber", U32_MAX),
            "token_scheme": fields.nested("tokenScheme", TOKEN_SCHEMES.from_json),
            **super()._own_from_json(fields),
        }
