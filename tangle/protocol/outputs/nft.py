"""The NFT output: a thing of which there is one, with what its issuer says about it for ever (TIP-18)."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from tangle.protocol.addresses import NftAddress
from tangle.protocol.errors import SelfUnlock
from tangle.protocol.fields import Fixed
from tangle.protocol.outputs.features import Feature
from tangle.protocol.outputs.form import ISSUER_METADATA, NO_ID, AddressedOutput, ChainOutput


@dataclass(frozen=True, kw_only=True)
class NftOutput(AddressedOutput, ChainOutput):
    """A thing of which there is one.

    Unlock conditions and features as a basic output's; immutable features: issuer, metadata.

    Attributes
    ----------
    nft_id : 32 bytes, `NO_ID` in the output that mints the NFT
    """

    TYPE: ClassVar[int] = 6
    nft_id: Annotated[bytes, Fixed(32, about="zeros in the output that mints the NFT")] = NO_ID
    immutable_features: Annotated[tuple[Feature, ...], ISSUER_METADATA] = ()

    def rules(self) -> None:
        """Raise where the NFT would hold itself, and as other outputs do."""
        super().rules()
        if self.nft_id != NO_ID and self.address == NftAddress(self.nft_id):
            raise SelfUnlock("unlockConditions[0].address", "must not be the address of this very NFT")

    @property
    def explicit_id(self) -> bytes:
        """The NFT id, 32 bytes; empty in the output that creates it."""
        return self.nft_id if self.nft_id != NO_ID else b""

    def nft_address(self, output_id: bytes) -> NftAddress:
        """The address of this NFT, given the id of the output (34 bytes)."""
        return NftAddress(self.chain_id(output_id))
