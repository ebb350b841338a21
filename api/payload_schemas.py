"""The shapes of payloads: tagged data, transactions and milestones, down to the last unlock (TIP-18, 20, 23, 29).

They are exact: a member that is not named here does not occur, and one that can be absent is so where it would be
empty, and never null. `tangle.protocol` writes and reads the JSON; a test holds what it writes against them.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from tangle.protocol.parameters import (
    INPUTS_MAX,
    METADATA_BYTES_MAX,
    NATIVE_TOKENS_MAX,
    OUTPUTS_MAX,
    PARENTS_MAX,
    TAG_BYTES_MAX,
)

HASH_EXAMPLE = "0x3dc5871e2cbb524d60e53358fc16fca92e67d7921c6f70d482e70e6fb6ab2acc"

Hash = Annotated[str, Field(pattern="^0x[0-9a-f]{64}$", examples=[HASH_EXAMPLE])]
Amount = Annotated[str, Field(pattern="^[0-9]{1,20}$", examples=["1000000"])]
Index = Annotated[int, Field(ge=0, le=2**32 - 1)]
UnixTime = Annotated[int, Field(ge=1, le=2**32 - 1, description="seconds since the Unix epoch")]
Hex = Annotated[str, Field(pattern="^0x([0-9a-f]{2})+$")]
TokenAmount = Annotated[str, Field(pattern="^0x(0|[1-9a-f][0-9a-f]{0,63})$", examples=["0x64"])]
TokenId = Annotated[str, Field(pattern="^0x[0-9a-f]{76}$", description="that of the foundry, too")]
Metadata = Annotated[str, Field(pattern="^0x([0-9a-f]{2})+$", max_length=2 + 2 * METADATA_BYTES_MAX)]
Tag = Annotated[str, Field(pattern=f"^0x([0-9a-f]{{2}}){{1,{TAG_BYTES_MAX}}}$", examples=["0x7761746572"])]

T = TypeVar("T")
Some = Annotated[list[T], Field(min_length=1)]
Absent = SkipJsonSchema[None]
# A factory, because a default would be shown as null, which no member ever is.
ABSENT = Field(default_factory=lambda: None)


class Exact(BaseModel):
    """Base: members are written in camel case, and there are no others."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Ed25519Address(Exact):
    """The hash of a public key."""

    type: Literal[0]
    pub_key_hash: Hash


class AliasAddress(Exact):
    """That of an alias."""

    type: Literal[8]
    alias_id: Hash


class NftAddress(Exact):
    """That of an NFT."""

    type: Literal[16]
    nft_id: Hash


Address = Annotated[Ed25519Address | AliasAddress | NftAddress, Field(discriminator="type")]


class AddressUnlockCondition(Exact):
    """Who may spend."""

    type: Literal[0]
    address: Address


class StorageDepositReturnUnlockCondition(Exact):
    """How much goes back, and to whom."""

    type: Literal[1]
    return_address: Address
    amount: Amount


class TimelockUnlockCondition(Exact):
    """From when on the output may be spent."""

    type: Literal[2]
    unix_time: UnixTime


class ExpirationUnlockCondition(Exact):
    """From when on the output is somebody else's."""

    type: Literal[3]
    return_address: Address
    unix_time: UnixTime


class StateControllerAddressUnlockCondition(Exact):
    """Who moves the alias on."""

    type: Literal[4]
    address: Address


class GovernorAddressUnlockCondition(Exact):
    """Who rules the alias."""

    type: Literal[5]
    address: Address


class ImmutableAliasAddressUnlockCondition(Exact):
    """Whose foundry it is."""

    type: Literal[6]
    address: AliasAddress


class SenderFeature(Exact):
    """Who sent the output, proven."""

    type: Literal[0]
    address: Address


class IssuerFeature(Exact):
    """Who issued the alias or NFT, proven."""

    type: Literal[1]
    address: Address


class MetadataFeature(Exact):
    """Bytes for whoever reads the output."""

    type: Literal[2]
    data: Metadata


class TagFeature(Exact):
    """Bytes to find the output by."""

    type: Literal[3]
    tag: Tag


class NativeToken(Exact):
    """So many tokens of a foundry."""

    id: TokenId
    amount: TokenAmount


class SimpleTokenScheme(Exact):
    """What was minted and melted, and how much may circulate."""

    type: Literal[0]
    minted_tokens: TokenAmount
    melted_tokens: TokenAmount
    maximum_supply: TokenAmount


SenderOrMetadata = Annotated[SenderFeature | MetadataFeature, Field(discriminator="type")]
IssuerOrMetadata = Annotated[IssuerFeature | MetadataFeature, Field(discriminator="type")]
AddressedCondition = Annotated[
    AddressUnlockCondition
    | StorageDepositReturnUnlockCondition
    | TimelockUnlockCondition
    | ExpirationUnlockCondition,
    Field(discriminator="type"),
]
AddressedFeature = Annotated[SenderFeature | MetadataFeature | TagFeature, Field(discriminator="type")]
AliasCondition = Annotated[
    StateControllerAddressUnlockCondition | GovernorAddressUnlockCondition, Field(discriminator="type")
]
NativeTokens = Annotated[list[NativeToken], Field(min_length=1, max_length=NATIVE_TOKENS_MAX)]


class BasicOutput(Exact):
    """Coins and tokens for an address."""

    type: Literal[3]
    amount: Amount
    native_tokens: NativeTokens | Absent = ABSENT
    unlock_conditions: Annotated[list[AddressedCondition], Field(min_length=1, max_length=4)]
    features: Some[AddressedFeature] | Absent = ABSENT


class AliasOutput(Exact):
    """The state that an alias stands at."""

    type: Literal[4]
    amount: Amount
    native_tokens: NativeTokens | Absent = ABSENT
    alias_id: Hash = Field(description="zeros in the output that creates the alias")
    state_index: Index
    state_metadata: Metadata | Absent = ABSENT
    foundry_counter: Index
    unlock_conditions: Annotated[list[AliasCondition], Field(min_length=2, max_length=2)]
    features: Some[SenderOrMetadata] | Absent = ABSENT
    immutable_features: Some[IssuerOrMetadata] | Absent = ABSENT


class FoundryOutput(Exact):
    """The supply of a native token."""

    type: Literal[5]
    amount: Amount
    native_tokens: NativeTokens | Absent = ABSENT
    serial_number: Annotated[int, Field(ge=1, le=2**32 - 1)]
    token_scheme: SimpleTokenScheme
    unlock_conditions: Annotated[list[ImmutableAliasAddressUnlockCondition], Field(min_length=1, max_length=1)]
    features: Some[MetadataFeature] | Absent = ABSENT
    immutable_features: Some[MetadataFeature] | Absent = ABSENT


class NftOutput(Exact):
    """A thing of which there is one."""

    type: Literal[6]
    amount: Amount
    native_tokens: NativeTokens | Absent = ABSENT
    nft_id: Hash = Field(description="zeros in the output that mints the NFT")
    unlock_conditions: Annotated[list[AddressedCondition], Field(min_length=1, max_length=4)]
    features: Some[AddressedFeature] | Absent = ABSENT
    immutable_features: Some[IssuerOrMetadata] | Absent = ABSENT


AnyOutput = Annotated[BasicOutput | AliasOutput | FoundryOutput | NftOutput, Field(discriminator="type")]


class Ed25519Signature(Exact):
    """A key and its signature."""

    type: Literal[0]
    public_key: Hash
    signature: Annotated[str, Field(pattern="^0x[0-9a-f]{128}$")]


class SignatureUnlock(Exact):
    """Unlocks by a signature."""

    type: Literal[0]
    signature: Ed25519Signature


Position = Annotated[int, Field(ge=0, le=2**16 - 1, description="of an earlier unlock")]


class ReferenceUnlock(Exact):
    """Unlocks by the signature of an earlier unlock."""

    type: Literal[1]
    reference: Position


class AliasUnlock(Exact):
    """Unlocks by the alias that an earlier input holds."""

    type: Literal[2]
    reference: Position


class NftUnlock(Exact):
    """Unlocks by the NFT that an earlier input holds."""

    type: Literal[3]
    reference: Position


AnyUnlock = Annotated[SignatureUnlock | ReferenceUnlock | AliasUnlock | NftUnlock, Field(discriminator="type")]


class UtxoInput(Exact):
    """The output to consume."""

    type: Literal[0]
    transaction_id: Hash
    transaction_output_index: Annotated[int, Field(ge=0, lt=OUTPUTS_MAX)]


class TaggedData(Exact):
    """Data under a tag."""

    type: Literal[5]
    tag: Tag | Absent = ABSENT
    data: Hex | Absent = ABSENT


class TransactionEssence(Exact):
    """The signed part of a transaction."""

    type: Literal[1]
    network_id: Amount
    inputs: Annotated[list[UtxoInput], Field(min_length=1, max_length=INPUTS_MAX)]
    inputs_commitment: Hash
    outputs: Annotated[list[AnyOutput], Field(min_length=1, max_length=OUTPUTS_MAX)]
    payload: TaggedData | Absent = ABSENT


class Transaction(Exact):
    """Outputs consumed and created."""

    type: Literal[6]
    essence: TransactionEssence
    unlocks: Annotated[list[AnyUnlock], Field(min_length=1, max_length=INPUTS_MAX)]


class ProtocolParametersOption(Exact):
    """Parameters that are to hold from a milestone on."""

    type: Literal[1]
    target_milestone_index: Index
    protocol_version: Annotated[int, Field(ge=0, le=255)]
    params: Annotated[str, Field(pattern="^0x([0-9a-f]{2})*$")]


class Milestone(Exact):
    """What the coordinator found settled."""

    type: Literal[7]
    index: Index
    timestamp: Index
    protocol_version: Annotated[int, Field(ge=0, le=255)]
    previous_milestone_id: Hash
    parents: Annotated[list[Hash], Field(min_length=1, max_length=PARENTS_MAX)]
    inclusion_merkle_root: Hash
    applied_merkle_root: Hash
    signatures: Annotated[list[Ed25519Signature], Field(min_length=1, max_length=255)]
    metadata: Metadata | Absent = ABSENT
    options: Some[ProtocolParametersOption] | Absent = ABSENT


AnyPayload = Annotated[TaggedData | Transaction | Milestone, Field(discriminator="type")]
