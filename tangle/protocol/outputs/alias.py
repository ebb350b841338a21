"""The alias output: an account with a state, which one key moves and another rules (TIP-18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from tangle.protocol.addresses import Address, AliasAddress
from tangle.protocol.errors import IndexOutOfRange, LengthOutOfRange, SelfUnlock
from tangle.protocol.outputs.conditions import (
    U32_MAX,
    GovernorAddressUnlockCondition,
    StateControllerAddressUnlockCondition,
    UnlockCondition,
)
from tangle.protocol.outputs.features import Feature, IssuerFeature, MetadataFeature, SenderFeature
from tangle.protocol.outputs.form import NO_ID, ChainOutput
from tangle.protocol.parameters import METADATA_BYTES_MAX
from tangle.protocol.serial import Fields, Json, Reader, TypeTable, blob, check_length, to_hex, uint


@dataclass(frozen=True, kw_only=True)
class AliasOutput(ChainOutput):
    """Unlock conditions: state controller and governor; features: sender, metadata; immutable: issuer, metadata.

    Attributes
    ----------
    alias_id : 32 bytes, `NO_ID` in the output that creates the alias
    state_index : steps since its creation, 0 to 2^32 - 1
    state_metadata : at most 8,192 bytes, the state controller's
    foundry_counter : foundries the alias has created, 0 to 2^32 - 1
    """

    TYPE: ClassVar[int] = 4
    CONDITIONS: ClassVar[TypeTable[UnlockCondition]] = TypeTable(
        "unlock condition", 1, [StateControllerAddressUnlockCondition, GovernorAddressUnlockCondition]
    )
    CONDITIONS_LEAST: ClassVar[int] = 2
    FEATURES: ClassVar[TypeTable[Feature]] = TypeTable("feature", 1, [SenderFeature, MetadataFeature])
    IMMUTABLE: ClassVar[TypeTable[Feature]] = TypeTable("immutable feature", 1, [IssuerFeature, MetadataFeature])

    alias_id: bytes = NO_ID
    state_index: int = 0
    state_metadata: bytes = b""
    foundry_counter: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.alias_id) != 32:
            raise LengthOutOfRange("aliasId", f"must be 32 bytes, not {len(self.alias_id)}")
        check_length(len(self.state_metadata), "stateMetadata", 0, METADATA_BYTES_MAX)
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

    def _own_encoded(self) -> bytes:
        return b"".join(
            (
                self.alias_id,
                uint(self.state_index, 4),
                blob(self.state_metadata, 2),
                uint(self.foundry_counter, 4),
            )
        )

    @classmethod
    def _own_decoded(cls, reader: Reader) -> dict[str, Any]:
        return {
            "alias_id": reader.take(32, "aliasId"),
            "state_index": reader.uint(4, "stateIndex"),
            "state_metadata": reader.blob(2, "stateMetadata", most=METADATA_BYTES_MAX),
            "foundry_counter": reader.uint(4, "foundryCounter"),
        }

    def _own_json(self) -> Json:
        json: Json = {"aliasId": to_hex(self.alias_id), "stateIndex": self.state_index}
        if self.state_metadata:
            json["stateMetadata"] = to_hex(self.state_metadata)
        return {**json, "foundryCounter": self.foundry_counter}

    @classmethod
    def _own_from_json(cls, fields: Fields) -> dict[str, Any]:
        return {
            "alias_id": fields.data("aliasId", size=32),
            "state_index": fields.integer("stateIndex", U32_MAX),
            "state_metadata": fields.optional_data("stateMetadata"),
            "foundry_counter": fields.integer("foundryCounter", U32_MAX),
            **super()._own_from_json(fields),
        }
