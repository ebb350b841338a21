"""Outputs: who holds what, under which conditions (TIP-18), and what storing them costs (TIP-19).

    form        what all types have in common
    basic, alias, foundry, nft    a module per type: fields, binary and JSON form, syntactic rules
    conditions, features, tokens  what they are made of
    table       type number -> class
    deposit     storage deposit

An output that exists obeys every rule that it can be asked alone: whatever breaks one cannot be built or decoded.
What depends on the network's parameters is `check_deposit`'s; what depends on other outputs is the ledger's.
"""

from tangle.protocol.outputs.alias import AliasOutput
from tangle.protocol.outputs.basic import BasicOutput
from tangle.protocol.outputs.conditions import (
    UNLOCK_CONDITIONS,
    AddressUnlockCondition,
    ExpirationUnlockCondition,
    GovernorAddressUnlockCondition,
    ImmutableAliasAddressUnlockCondition,
    StateControllerAddressUnlockCondition,
    StorageDepositReturnUnlockCondition,
    TimelockUnlockCondition,
    UnlockCondition,
)
from tangle.protocol.outputs.deposit import check_deposit, least_return, storage_deposit
from tangle.protocol.outputs.features import (
    FEATURES,
    Feature,
    IssuerFeature,
    MetadataFeature,
    SenderFeature,
    TagFeature,
)
from tangle.protocol.outputs.form import NO_ID, AddressedOutput, ChainOutput, OutputForm
from tangle.protocol.outputs.foundry import FoundryOutput
from tangle.protocol.outputs.nft import NftOutput
from tangle.protocol.outputs.table import OUTPUTS, Output
from tangle.protocol.outputs.tokens import TOKEN_SCHEMES, NativeToken, SimpleTokenScheme, TokenScheme

__all__ = [
    "FEATURES",
    "NO_ID",
    "OUTPUTS",
    "TOKEN_SCHEMES",
    "UNLOCK_CONDITIONS",
    "AddressUnlockCondition",
    "AddressedOutput",
    "AliasOutput",
    "BasicOutput",
    "ChainOutput",
    "ExpirationUnlockCondition",
    "Feature",
    "FoundryOutput",
    "GovernorAddressUnlockCondition",
    "ImmutableAliasAddressUnlockCondition",
    "IssuerFeature",
    "MetadataFeature",
    "NativeToken",
    "NftOutput",
    "Output",
    "OutputForm",
    "SenderFeature",
    "SimpleTokenScheme",
    "StateControllerAddressUnlockCondition",
    "StorageDepositReturnUnlockCondition",
    "TagFeature",
    "TimelockUnlockCondition",
    "TokenScheme",
    "UnlockCondition",
    "check_deposit",
    "least_return",
    "storage_deposit",
]
