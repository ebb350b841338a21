"""The foundry output: the supply of one native token, in the hands of one alias for ever (TIP-18)."""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar, cast

from tangle.protocol.addresses import AliasAddress
from tangle.protocol.errors import IndexOutOfRange
from tangle.protocol.fields import UInt
from tangle.protocol.outputs.conditions import ImmutableAliasAddressUnlockCondition, UnlockCondition
from tangle.protocol.outputs.features import Feature, MetadataFeature
from tangle.protocol.outputs.form import ChainOutput
from tangle.protocol.outputs.tokens import TOKEN_SCHEMES, TokenScheme
from tangle.protocol.serial import uint
from tangle.protocol.tables import One, one_each


@dataclass(frozen=True)
class FoundryOutput(ChainOutput):
    """The supply of a native token.

    Unlock condition: immutable alias address; feature: metadata; immutable feature: metadata.

    Attributes
    ----------
    serial_number : number of the foundry among those of its alias, from 1, at most 2^32 - 1
    token_scheme : what was minted and melted, and how much may be
    """

    TYPE: ClassVar[int] = 5
    unlock_conditions: Annotated[
        tuple[UnlockCondition, ...], one_each("unlock condition", ImmutableAliasAddressUnlockCondition, least=1)
    ]
    features: Annotated[tuple[Feature, ...], one_each("feature", MetadataFeature)] = ()
    _: KW_ONLY
    serial_number: Annotated[int, UInt(4, least=1, error=IndexOutOfRange)]
    token_scheme: Annotated[TokenScheme, One(TOKEN_SCHEMES)]
    immutable_features: Annotated[tuple[Feature, ...], one_each("immutable feature", MetadataFeature)] = ()

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
