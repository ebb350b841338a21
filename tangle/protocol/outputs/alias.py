"""The alias output: an account with a state, which one key moves and another rules (TIP-18)."""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar, cast

from tangle.protocol.addresses import Address, AliasAddress
from tangle.protocol.errors import IndexOutOfRange, SelfUnlock
from tangle.protocol.fields import Blob, Fixed, UInt
from tangle.protocol.outputs.conditions import (
    GovernorAddressUnlockCondition,
    StateControllerAddressUnlockCondition,
    UnlockCondition,
)
from tangle.protocol.outputs.features import Feature, MetadataFeature, SenderFeature
from tangle.protocol.outputs.form import ISSUER_METADATA, NO_ID, ChainOutput
from tangle.protocol.parameters import METADATA_BYTES_MAX
from tangle.protocol.serial import U32_MAX
from tangle.protocol.tables import one_each


@dataclass(frozen=True)
class AliasOutput(ChainOutput):
    """The state that an alias stands at.

    Unlock conditions: state controller and governor; features: sender, metadata; immutable: issuer, metadata.

    Attributes
    ----------
    alias_id : 32 bytes, `NO_ID` in the output that creates the alias
    state_index : steps since its creation, 0 to 2^32 - 1
    state_metadata : at most 8,192 bytes, the state controller's
    foundry_counter : foundries the alias has created, 0 to 2^32 - 1
    """

    TYPE: ClassVar[int] = 4
    unlock_conditions: Annotated[
        tuple[UnlockCondition, ...],
        one_each(
            "unlock condition", StateControllerAddressUnlockCondition, GovernorAddressUnlockCondition, least=2
        ),
    ]
    features: Annotated[tuple[Feature, ...], one_each("feature", SenderFeature, MetadataFeature)] = ()
    _: KW_ONLY
    alias_id: Annotated[bytes, Fixed(32, about="zeros in the output that creates the alias")] = NO_ID
    state_index: Annotated[int, UInt(4)] = 0
    state_metadata: Annotated[bytes, Blob(2, most=METADATA_BYTES_MAX, optional=True)] = b""
    foundry_counter: Annotated[int, UInt(4)] = 0
    immutable_features: Annotated[tuple[Feature, ...], ISSUER_METADATA] = ()

    def rules(self) -> None:
        """Raise unless a new alias begins to count at 0, and where an alias would hold itself."""
        most = U32_MAX if self.alias_id != NO_ID else 0
        for name, counter in (("stateIndex", self.state_index), ("foundryCounter", self.foundry_counter)):
            if not 0 <= counter <= most:
                new = "" if most else " in the output that creates the alias"
                raise IndexOutOfRange(name, f"must be 0 to {most}{new}, not {counter}")
        if most:
            self._check_holders(AliasAddress(self.alias_id))

    def _check_holders(self, own: AliasAddress) -> None:
        for i, holder in enumerate((self.state_controller, self.governor)):
            if holder == own:
                raise SelfUnlock(f"unlockConditions[{i}].address", "must not be the address of this very alias")

    @property
    def state_controller(self) -> Address:
        """Whose unlock moves the alias to its next state."""
        return cast("StateControllerAddressUnlockCondition", self.unlock_conditions[0]).address

    @property
    def governor(self) -> Address:
        """Whose unlock changes the state controller or the governor, or ends the alias."""
        return cast("GovernorAddressUnlockCondition", self.unlock_conditions[1]).address

    @property
    def owner(self) -> Address:
        """The state controller's address."""
        return self.state_controller

    @property
    def explicit_id(self) -> bytes:
        """The alias id, 32 bytes; empty in the output that creates it."""
        return self.alias_id if self.alias_id != NO_ID else b""

    def alias_address(self, output_id: bytes) -> AliasAddress:
        """The address of this alias, given the id of the output (34 bytes)."""
        return AliasAddress(self.chain_id(output_id))
