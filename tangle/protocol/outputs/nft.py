"""The NFT output: a thing of which there is one, with what its issuer says about it for ever (TIP-18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tangle.protocol.addresses import NftAddress
from tangle.protocol.errors import LengthOutOfRange, SelfUnlock
from tangle.protocol.outputs.features import Feature, IssuerFeature, MetadataFeature
from tangle.protocol.outputs.form import NO_ID, AddressedOutput, ChainOutput
from tangle.protocol.serial import Fields, Json, Reader, TypeTable, to_hex


@dataclass(frozen=True, kw_only=True)
class NftOutput(AddressedOutput, ChainOutput):
    """Unlock conditions and features as a basic output's; immutable features: issuer, metadata.

    Attributes
    ----------
    nft_id : 32 bytes, `NO_ID` in the output that mints the NFT
    """

    TYPE: ClassVar[int] = 6
    IMMUTABLE: ClassVar[TypeTable[Feature]] = TypeTable("immutable feature", 1, [IssuerFeature, MetadataFeature])

    nft_id: bytes = NO_ID

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.nft_id) != 32:
            raise LengthOutOfRange("nftId", f"must be 32 bytes, not {len(self.nft_id)}")
        if self.nft_id != NO_ID and self.address == NftAddress(self.nft_id):
            raise SelfUnlock("unlockConditions[0].address", "must not be the address of this very NFT")

    @property
    def explicit_id(self) -> bytes:
        """The NFT id, 32 bytes; empty in the output that creates it."""
        return self.nft_id if self.nft_id != NO_ID else b""

    def nft_address(self, output_id: bytes) -> NftAddress:
        """The address of this NFT, given the id of the output (34 bytes)."""
        return NftAddress(self.chain_id(output_id))

    def _own_encoded(self) -> bytes:
        return self.nft_id

    @classmethod
    def _own_decoded(cls, reader: Reader) -> dict[str, Any]:
        return {"nft_id": reader.take(32, "nftId")}

    def _own_json(self) -> Json:
        return {"nftId": to_hex(self.nft_id)}

    @classmethod
    def _own_from_json(cls, fields: Fields) -> dict[str, Any]:
        return {"nft_id": fields.data("nftId", size=32), **super()._own_from_json(fields)}
