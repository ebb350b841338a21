"""Outputs: what they give to whoever asks, and what cannot be built."""

import hashlib
from collections.abc import Callable

import pytest

from tangle.protocol.addresses import Address, AliasAddress, NftAddress
from tangle.protocol.errors import (
    AmountOutOfRange,
    CountOutOfRange,
    DepositTooSmall,
    IndexOutOfRange,
    LengthOutOfRange,
    NotSorted,
    ProtocolError,
    Repeated,
    TimeOutOfRange,
    UnknownType,
)
from tangle.protocol.outputs import (
    AddressUnlockCondition,
    AliasOutput,
    BasicOutput,
    ExpirationUnlockCondition,
    FoundryOutput,
    GovernorAddressUnlockCondition,
    ImmutableAliasAddressUnlockCondition,
    IssuerFeature,
    MetadataFeature,
    NativeToken,
    NftOutput,
    Output,
    SenderFeature,
    SimpleTokenScheme,
    StateControllerAddressUnlockCondition,
    StorageDepositReturnUnlockCondition,
    TagFeature,
    TimelockUnlockCondition,
    check_deposit,
    storage_deposit,
)
from tangle.protocol.serial import Reader
from tests.protocol.objects import ADDRESSES, PARAMETERS

OWNER, SENDER = ADDRESSES[0], ADDRESSES[1]
FULL = BasicOutput.to(OWNER, 1_000, SenderFeature(SENDER), MetadataFeature(b"note"), TagFeature(b"tag"))
PLAIN = BasicOutput.to(OWNER, 1_000)
HELD = (AddressUnlockCondition(OWNER),)
RULED = (StateControllerAddressUnlockCondition(OWNER), GovernorAddressUnlockCondition(SENDER))
# iotaledger/iota-sdk 1.1, sdk/tests/types/foundry_id.rs
ALIAS = AliasAddress(bytes.fromhex("52fdfc072182654f163f5f0f9a621d729566c74d10037c4d7bbb0407d1e2c649"))
FOUNDRY_ID = bytes.fromhex("0852fdfc072182654f163f5f0f9a621d729566c74d10037c4d7bbb0407d1e2c6492a00000000")
FOUNDRY = FoundryOutput(
    1_000,
    (ImmutableAliasAddressUnlockCondition(ALIAS),),
    serial_number=42,
    token_scheme=SimpleTokenScheme(100, 0, 100),
)
OUTPUT_ID = bytes(range(34))
CREATED = hashlib.blake2b(OUTPUT_ID, digest_size=32).digest()


def test_features_are_found_by_kind() -> None:
    assert (FULL.address, FULL.sender, FULL.tag) == (OWNER, SENDER, b"tag")
    assert FULL.feature(MetadataFeature) == MetadataFeature(b"note")
    assert (PLAIN.address, PLAIN.sender, PLAIN.tag, PLAIN.feature(MetadataFeature)) == (OWNER, None, None, None)


@pytest.mark.parametrize(
    ("make", "error", "field"),
    [
        (lambda: BasicOutput.to(OWNER, 0), AmountOutOfRange, "amount"),
        (lambda: BasicOutput.to(OWNER, -1), AmountOutOfRange, "amount"),
        (lambda: BasicOutput.to(OWNER, 2**64), AmountOutOfRange, "amount"),
        (lambda: BasicOutput(1, ()), CountOutOfRange, "unlockConditions"),
        (lambda: BasicOutput(1, (AddressUnlockCondition(OWNER),) * 2), Repeated, "unlockConditions[1]"),
        (lambda: BasicOutput.to(OWNER, 1, TagFeature(b"a"), TagFeature(b"b")), Repeated, "features[1]"),
        (lambda: BasicOutput.to(OWNER, 1, TagFeature(b"a"), SenderFeature(OWNER)), NotSorted, "features[1]"),
        (lambda: BasicOutput(1, RULED), UnknownType, "unlockConditions[0].type"),
        (lambda: BasicOutput.to(OWNER, 1, IssuerFeature(OWNER)), UnknownType, "features[0].type"),
        (lambda: NftOutput(1, HELD, nft_id=bytes(31)), LengthOutOfRange, "nftId"),
        (lambda: AliasOutput(1, RULED, alias_id=bytes(33)), LengthOutOfRange, "aliasId"),
        (lambda: AliasOutput(1, RULED, alias_id=CREATED, state_index=2**32), IndexOutOfRange, "stateIndex"),
        (lambda: AliasOutput(1, RULED, alias_id=CREATED, foundry_counter=-1), IndexOutOfRange, "foundryCounter"),
        (lambda: NativeToken(bytes(37), 1), LengthOutOfRange, "id"),
        (lambda: NativeToken(bytes(38), 2**256), AmountOutOfRange, "amount"),
        (lambda: SimpleTokenScheme(2**256, 2, 2**256 - 1), AmountOutOfRange, "mintedTokens"),
        (lambda: SimpleTokenScheme(1, -1, 2), AmountOutOfRange, "meltedTokens"),
        (lambda: SimpleTokenScheme(1, 0, 2**256), AmountOutOfRange, "maximumSupply"),
        (lambda: StorageDepositReturnUnlockCondition(OWNER, 2**64), AmountOutOfRange, "amount"),
        (lambda: TimelockUnlockCondition(2**32), TimeOutOfRange, "unixTime"),
        (lambda: ExpirationUnlockCondition(OWNER, -1), TimeOutOfRange, "unixTime"),
    ],
)
def test_what_breaks_a_rule_cannot_be_built(
    make: Callable[[], object], error: type[ProtocolError], field: str
) -> None:
    with pytest.raises(error) as caught:
        make()
    assert caught.value.field == field


def test_the_deposit_is_the_least_amount() -> None:
    least = storage_deposit(FULL, PARAMETERS)
    assert least == 426 + len(FULL.encoded) - len(PLAIN.encoded)
    exact = BasicOutput.to(OWNER, least, *FULL.features)
    check_deposit(exact, PARAMETERS)
    with pytest.raises(DepositTooSmall, match=f"amount: {least - 1} base units .* {least} "):
        check_deposit(BasicOutput.to(OWNER, least - 1, *FULL.features), PARAMETERS)


def test_an_output_is_read_from_the_middle_of_other_bytes() -> None:
    reader = Reader(b"before" + FULL.encoded + b"after")
    reader.take(6, "before")
    read = BasicOutput.decode(reader)
    assert read == FULL
    assert read.encoded == FULL.encoded
    assert reader.take(5, "after") == b"after"


@pytest.mark.parametrize(
    ("output", "least"),
    [
        # TIP-19, v_byte minimum of each table; that of the alias leaves out one of its two unlock conditions.
        (PLAIN, 426),
        (AliasOutput(1_000, RULED), 469 + 34),
        (FOUNDRY, 528),
        (NftOutput(1_000, HELD), 459),
    ],
)
def test_the_least_deposits_of_tip_19(output: Output, least: int) -> None:
    assert storage_deposit(output, PARAMETERS) == least


@pytest.mark.parametrize(
    ("output", "owner"),
    [(PLAIN, OWNER), (AliasOutput(1, RULED), OWNER), (FOUNDRY, ALIAS), (NftOutput(1, HELD), OWNER)],
)
def test_every_type_has_an_owner(output: Output, owner: Address) -> None:
    assert output.owner == owner


def test_conditions_and_immutable_features_are_found_by_kind() -> None:
    expiration = ExpirationUnlockCondition(SENDER, 7)
    issued = NftOutput(
        1,
        (*HELD, expiration),
        (MetadataFeature(b"mine"),),
        immutable_features=(IssuerFeature(SENDER), MetadataFeature(b"for ever")),
    )
    assert issued.condition(ExpirationUnlockCondition) == expiration
    assert issued.condition(TimelockUnlockCondition) is None
    assert (issued.metadata, issued.issuer) == (b"mine", SENDER)
    assert issued.immutable_feature(MetadataFeature) == MetadataFeature(b"for ever")
    assert (PLAIN.metadata, NftOutput(1, HELD).issuer) == (None, None)


def test_a_chain_is_named_by_the_output_that_creates_it() -> None:
    alias, nft = AliasOutput(1, RULED), NftOutput(1, HELD)
    assert alias.chain_id(OUTPUT_ID) == nft.chain_id(OUTPUT_ID) == CREATED
    assert (alias.alias_address(OUTPUT_ID), nft.nft_address(OUTPUT_ID)) == (
        AliasAddress(CREATED),
        NftAddress(CREATED),
    )
    assert (alias.explicit_id, nft.explicit_id) == (b"", b"")


def test_a_chain_keeps_its_name() -> None:
    alias, nft = AliasOutput(1, RULED, alias_id=ALIAS.alias_id), NftOutput(1, HELD, nft_id=CREATED)
    assert alias.explicit_id == alias.chain_id(OUTPUT_ID) == ALIAS.alias_id
    assert nft.explicit_id == nft.chain_id(OUTPUT_ID) == CREATED
    assert (alias.state_controller, alias.governor) == (OWNER, SENDER)


def test_the_foundry_id_of_iota_sdk() -> None:
    assert FOUNDRY.foundry_id == FOUNDRY.chain_id(OUTPUT_ID) == FOUNDRY.explicit_id == FOUNDRY_ID
    assert FOUNDRY.token_scheme.circulating == 100
