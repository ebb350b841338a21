"""Each syntactic rule of TIP-18 on outputs, unlock conditions, features and unlocks, broken alone, in both forms.

A row changes one thing of a valid block's JSON form. The same change, laid out as bytes, must fail alike: with the
code and the path of the field that is wrong.
"""

import copy
from dataclasses import replace
from functools import partial

import pytest

from tangle.protocol.addresses import AliasAddress, NftAddress
from tangle.protocol.blocks import Block
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
from tangle.protocol.serial import Fields, Json
from tangle.protocol.transactions import (
    AliasUnlock,
    NftUnlock,
    ReferenceUnlock,
    Transaction,
    TransactionEssence,
    UtxoInput,
    check_transaction,
)
from tests.protocol import twin
from tests.protocol.broken import Broken, find, path_of, put, refusal, repeat, swap
from tests.protocol.objects import ADDRESSES, PARAMETERS, PARENTS, SEEDS, name, signed, unlock

ALIAS_ID, NFT_ID = name("alias"), name("nft")
TOKENS = tuple(NativeToken(b"\x08" + bytes([i]) * 37, i + 1) for i in range(2))
CONDITIONS = (
    AddressUnlockCondition(ADDRESSES[0]),
    StorageDepositReturnUnlockCondition(ADDRESSES[1], 1_000),
    TimelockUnlockCondition(1_700_000_000),
    ExpirationUnlockCondition(NftAddress(name("another nft")), 1_800_000_000),
)
SENDER, NOTE, TAG = SenderFeature(ADDRESSES[1]), MetadataFeature(b"note"), TagFeature(b"tag")
IMMUTABLE = (IssuerFeature(ADDRESSES[2]), MetadataFeature(b"for ever"))
OUTPUTS: tuple[Output, ...] = (
    BasicOutput(5_000, CONDITIONS, (SENDER, NOTE, TAG), TOKENS),
    AliasOutput(
        6_000,
        (
            StateControllerAddressUnlockCondition(AliasAddress(name("another alias"))),
            GovernorAddressUnlockCondition(ADDRESSES[1]),
        ),
        (SENDER, NOTE),
        TOKENS,
        immutable_features=IMMUTABLE,
        alias_id=ALIAS_ID,
        state_index=7,
        state_metadata=b"state",
        foundry_counter=2,
    ),
    FoundryOutput(
        7_000,
        (ImmutableAliasAddressUnlockCondition(AliasAddress(ALIAS_ID)),),
        (NOTE,),
        TOKENS,
        immutable_features=(NOTE,),
        serial_number=2,
        token_scheme=SimpleTokenScheme(100, 10, 1_000),
    ),
    NftOutput(8_000, CONDITIONS, (SENDER, NOTE, TAG), TOKENS, immutable_features=IMMUTABLE, nft_id=NFT_ID),
)


def ledger() -> Transaction:
    """An output of every type with all it may hold; inputs unlocked in every way."""
    essence = TransactionEssence(
        PARAMETERS.network_id,
        tuple(UtxoInput(name("funding"), i) for i in range(5)),
        name("commitment"),
        OUTPUTS,
    )
    own, other = unlock(essence, SEEDS[0]), unlock(essence, SEEDS[1])
    return Transaction(essence, (own, AliasUnlock(0), NftUnlock(1), ReferenceUnlock(0), other))


BASE = Block(PARENTS, ledger(), 7).to_json()
AT = ("payload", "essence", "outputs")
BASIC, ALIAS, FOUNDRY, NFT = range(4)
TYPES = {"basic": BASIC, "alias": ALIAS, "foundry": FOUNDRY, "nft": NFT}
HEX_65, HEX_8193 = "0x" + "00" * 65, "0x" + "00" * 8193
ZERO = "0x" + "00" * 32
MOST = 2**256 - 1
MANY_TOKENS = [{"id": f"0x{i:076x}", "amount": "0x1"} for i in range(65)]


def wrong(code: str, place: int, *path: str | int, value: object, says: tuple[str | int, ...] = ()) -> Broken:
    """Output `place` with another value at `path`; the error names `path`, or `says` where given."""
    return Broken(BASE, put(*AT, place, *path, value=value), code, path_of((*AT, place, *(says or path))))


def turned(place: int, held: str) -> Broken:
    """Output `place` with a list turned round."""
    return Broken(BASE, swap(*AT, place, held), "not_sorted", path_of((*AT, place, held, 1)))


def twice(place: int, held: str) -> Broken:
    """Output `place` with the first element of a list in the place of the second too."""
    first = find(BASE, (*AT, place, held, 0))
    return wrong("repeated", place, held, 1, value=first)


def crowded(place: int, held: str, times: int) -> Broken:
    """Output `place` with so many elements more in a list that they are too many, whatever they are."""
    change = repeat(*AT, place, held, times=times)
    return Broken(BASE, change, "count_out_of_range", path_of((*AT, place, held)))


def foreign(place: int, held: str, element: Json) -> Broken:
    """Output `place` with an element that its type may not hold in this list."""
    return wrong("unknown_type", place, held, 0, value=element, says=(held, 0, "type"))


def new_alias_with(counter: str, other: str) -> Broken:
    """The output that creates an alias, with one counter that is not 0."""

    def change(json: Json) -> None:
        put(*AT, ALIAS, "aliasId", value=ZERO)(json)
        put(*AT, ALIAS, other, value=0)(json)

    return Broken(BASE, change, "index_out_of_range", path_of((*AT, ALIAS, counter)))


def copied(place: int) -> Broken:
    """Output `place` once more."""

    def change(json: Json) -> None:
        outputs = find(json, AT)
        outputs.append(copy.deepcopy(outputs[place]))

    return Broken(BASE, change, "repeated", path_of((*AT, len(OUTPUTS))))


def unlocked(position: int, kind: int, reference: int) -> Broken:
    """Unlock `position` replaced by a reference of type `kind`."""
    change = put("payload", "unlocks", position, value={"type": kind, "reference": reference})
    return Broken(BASE, change, "unlock_mismatch", f"payload.unlocks[{position}].reference")


def scheme(minted: int, melted: int, maximum_supply: int) -> Json:
    amounts = {"mintedTokens": minted, "meltedTokens": melted, "maximumSupply": maximum_supply}
    return {"type": 0, **{member: hex(amount) for member, amount in amounts.items()}}


ADDRESS, RETURN, TIMELOCK, EXPIRATION = (condition.to_json() for condition in CONDITIONS)
CONTROLLER = {"type": 4, "address": ADDRESSES[0].to_json()}
GOVERNOR = {"type": 5, "address": ADDRESSES[0].to_json()}
OF_ALIAS = {"type": 6, "address": AliasAddress(name("a third alias")).to_json()}
ISSUER = IMMUTABLE[0].to_json()
METADATA = [
    (BASIC, "features", 1),
    (ALIAS, "features", 1),
    (FOUNDRY, "features", 0),
    (NFT, "features", 1),
    (ALIAS, "immutableFeatures", 1),
    (FOUNDRY, "immutableFeatures", 0),
    (NFT, "immutableFeatures", 1),
]
ALL, HELD, CHAINS = (BASIC, ALIAS, FOUNDRY, NFT), (BASIC, NFT), (ALIAS, FOUNDRY, NFT)

BROKEN = [
    # Every type: amount, native tokens, unlock conditions, features.
    *(wrong("amount_out_of_range", i, "amount", value="0") for i in ALL),
    *(wrong("count_out_of_range", i, "nativeTokens", value=MANY_TOKENS) for i in ALL),
    *(wrong("amount_out_of_range", i, "nativeTokens", 1, "amount", value="0x0") for i in ALL),
    *(turned(i, "nativeTokens") for i in ALL),
    *(twice(i, "nativeTokens") for i in ALL),
    *(wrong("count_out_of_range", i, "unlockConditions", value=[]) for i in ALL),
    *(crowded(i, "unlockConditions", times=4) for i in ALL),
    *(turned(i, "unlockConditions") for i in (BASIC, ALIAS, NFT)),
    *(twice(i, "unlockConditions") for i in (BASIC, ALIAS, NFT)),
    *(crowded(i, "features", times=3) for i in ALL),
    *(turned(i, "features") for i in (BASIC, ALIAS, NFT)),
    *(twice(i, "features") for i in (BASIC, ALIAS, NFT)),
    *(crowded(i, "immutableFeatures", times=2) for i in CHAINS),
    *(turned(i, "immutableFeatures") for i in (ALIAS, NFT)),
    *(twice(i, "immutableFeatures") for i in (ALIAS, NFT)),
    # What a type may hold, and must hold.
    *(foreign(i, "unlockConditions", held) for i in HELD for held in (CONTROLLER, GOVERNOR, OF_ALIAS)),
    *(foreign(ALIAS, "unlockConditions", held) for held in (ADDRESS, RETURN, TIMELOCK, EXPIRATION, OF_ALIAS)),
    *(
        foreign(FOUNDRY, "unlockConditions", held)
        for held in (ADDRESS, RETURN, TIMELOCK, EXPIRATION, CONTROLLER, GOVERNOR)
    ),
    *(foreign(i, "features", ISSUER) for i in ALL),
    foreign(ALIAS, "features", TAG.to_json()),
    *(foreign(FOUNDRY, "features", held.to_json()) for held in (SENDER, TAG)),
    *(foreign(i, "immutableFeatures", held.to_json()) for i in CHAINS for held in (SENDER, TAG)),
    foreign(FOUNDRY, "immutableFeatures", ISSUER),
    *(wrong("count_out_of_range", i, "unlockConditions", value=[RETURN]) for i in HELD),
    *(wrong("count_out_of_range", ALIAS, "unlockConditions", value=[held]) for held in (CONTROLLER, GOVERNOR)),
    # Unlock conditions and features.
    *(
        wrong("amount_out_of_range", i, "unlockConditions", 1, "amount", value=str(OUTPUTS[i].amount + 1))
        for i in HELD
    ),
    *(wrong("time_out_of_range", i, "unlockConditions", k, "unixTime", value=0) for i in HELD for k in (2, 3)),
    *(
        wrong("unknown_type", i, "unlockConditions", k, "returnAddress", "type", value=1)
        for i in HELD
        for k in (1, 3)
    ),
    *(
        wrong(
            "unknown_type",
            FOUNDRY,
            *("unlockConditions", 0, "address"),
            value=address.to_json(),
            says=("unlockConditions", 0, "address", "type"),
        )
        for address in (ADDRESSES[0], NftAddress(NFT_ID))
    ),
    *(
        wrong("length_out_of_range", i, held, k, "data", value=value)
        for i, held, k in METADATA
        for value in ("0x", HEX_8193)
    ),
    *(
        wrong("length_out_of_range", i, "features", 2, "tag", value=value)
        for i in HELD
        for value in ("0x", HEX_65)
    ),
    # Alias.
    new_alias_with("stateIndex", other="foundryCounter"),
    new_alias_with("foundryCounter", other="stateIndex"),
    wrong("length_out_of_range", ALIAS, "stateMetadata", value=HEX_8193),
    *(
        wrong("self_unlock", ALIAS, "unlockConditions", k, "address", value=AliasAddress(ALIAS_ID).to_json())
        for k in (0, 1)
    ),
    # Foundry and simple token scheme.
    wrong("index_out_of_range", FOUNDRY, "serialNumber", value=0),
    wrong("unknown_type", FOUNDRY, "tokenScheme", "type", value=1),
    *(
        wrong("amount_out_of_range", FOUNDRY, "tokenScheme", value=held, says=("tokenScheme", member))
        for held, member in (
            (scheme(0, 0, 0), "maximumSupply"),
            (scheme(100, 101, 1_000), "meltedTokens"),
            (scheme(1_011, 10, 1_000), "mintedTokens"),
        )
    ),
    # NFT.
    wrong("self_unlock", NFT, "unlockConditions", 0, "address", value=NftAddress(NFT_ID).to_json()),
    # Transactions: a chain once, and references to earlier unlocks.
    *(copied(i) for i in CHAINS),
    *(unlocked(0, kind, 0) for kind in (1, 2, 3)),
    *(unlocked(2, kind, reference) for kind in (1, 2, 3) for reference in (2, 3, 128, 2**16 - 1)),
    unlocked(3, 1, reference=1),
    unlocked(3, 1, reference=2),
]


def spread_tokens(json: Json) -> None:
    """65 different tokens over two outputs, neither of which holds too many."""
    put(*AT, BASIC, "nativeTokens", value=MANY_TOKENS[:40])(json)
    put(*AT, ALIAS, "nativeTokens", value=MANY_TOKENS[40:])(json)


BROKEN.append(Broken(BASE, spread_tokens, "count_out_of_range", "payload.essence.outputs"))

SIZED = [
    ((*AT, BASIC, "nativeTokens", 0, "id"), 38),
    ((*AT, ALIAS, "aliasId"), 32),
    ((*AT, ALIAS, "unlockConditions", 0, "address", "aliasId"), 32),
    ((*AT, NFT, "nftId"), 32),
    ((*AT, BASIC, "unlockConditions", 3, "returnAddress", "nftId"), 32),
    ((*AT, FOUNDRY, "unlockConditions", 0, "address", "aliasId"), 32),
]
"""members of a fixed number of bytes"""
U256 = [
    (*AT, BASIC, "nativeTokens", 0, "amount"),
    *((*AT, FOUNDRY, "tokenScheme", member) for member in ("mintedTokens", "meltedTokens", "maximumSupply")),
]
U32 = [
    (*AT, BASIC, "unlockConditions", 2, "unixTime"),
    (*AT, BASIC, "unlockConditions", 3, "unixTime"),
    (*AT, ALIAS, "stateIndex"),
    (*AT, ALIAS, "foundryCounter"),
    (*AT, FOUNDRY, "serialNumber"),
    ("payload", "unlocks", 1, "reference"),
]


def test_the_base_is_valid() -> None:
    assert Block.decode(twin.block(BASE)) == Block.from_json(Fields(BASE))


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_a_broken_rule_is_named_alike_in_both_forms(broken: Broken) -> None:
    json = copy.deepcopy(broken.base)
    broken.change(json)
    assert refusal(lambda: Block.from_json(Fields(json))) == (broken.code, broken.field)
    assert refusal(lambda: Block.decode(twin.block(json))) == (broken.code, broken.field)


@pytest.mark.parametrize(("path", "size"), SIZED)
def test_json_names_an_id_of_wrong_size(path: tuple[str | int, ...], size: int) -> None:
    for value in ("0x", "0x" + "00" * (size - 1), "0x" + "00" * (size + 1), 7, None):
        json = copy.deepcopy(BASE)
        put(*path, value=value)(json)
        assert refusal(partial(Block.from_json, Fields(json))) == ("malformed_json", path_of(path))


@pytest.mark.parametrize("path", U256)
@pytest.mark.parametrize(
    "value", ["1", "0x", "0x" + "1" * 65, "0xg", "-0x1", "0x1_0", "0x 1", "0X1", "0x1\n", 1, None]
)
def test_json_refuses_what_is_no_uint256(path: tuple[str | int, ...], value: object) -> None:
    json = copy.deepcopy(BASE)
    put(*path, value=value)(json)
    assert refusal(lambda: Block.from_json(Fields(json))) == ("malformed_json", path_of(path))


@pytest.mark.parametrize("path", U32)
@pytest.mark.parametrize("value", ["1", 2**32, -1, 1.0, True])
def test_json_refuses_what_is_no_uint32(path: tuple[str | int, ...], value: object) -> None:
    json = copy.deepcopy(BASE)
    put(*path, value=value)(json)
    assert refusal(lambda: Block.from_json(Fields(json))) == ("malformed_json", path_of(path))


def test_the_largest_tokens_are_exact() -> None:
    json = copy.deepcopy(BASE)
    put(*AT, BASIC, "nativeTokens", 0, "amount", value=hex(MOST))(json)
    put(*AT, FOUNDRY, "tokenScheme", value=scheme(MOST, 0, MOST))(json)
    block = Block.from_json(Fields(json))
    assert block.to_json() == json
    assert block.encoded == twin.block(json)


def test_64_tokens_in_one_output_and_in_all() -> None:
    tokens = tuple(NativeToken(bytes(36) + bytes([1, i]), 1) for i in range(64))
    many = BasicOutput(10_000, CONDITIONS[:1], (), tokens)
    essence = TransactionEssence(1, (UtxoInput(bytes(32), 0),), bytes(32), (many, many))
    assert TransactionEssence.from_json(Fields(essence.to_json())) == essence


def test_new_aliases_and_nfts_have_no_chain_yet() -> None:
    alias = AliasOutput(6_000, OUTPUTS[ALIAS].unlock_conditions)
    nft = NftOutput(8_000, CONDITIONS)
    essence = TransactionEssence(1, (UtxoInput(bytes(32), 0),), bytes(32), (alias, alias, nft, nft))
    assert TransactionEssence.from_json(Fields(essence.to_json())) == essence


def test_a_new_alias_or_nft_may_name_the_zero_id() -> None:
    # Nothing ever has this id, so it is not the output's own; iota-sdk agrees.
    zero = AliasAddress(bytes(32))
    held = (StateControllerAddressUnlockCondition(zero), GovernorAddressUnlockCondition(zero))
    assert AliasOutput(6_000, held).state_controller == zero
    assert NftOutput(8_000, (AddressUnlockCondition(NftAddress(bytes(32))),)).address == NftAddress(bytes(32))


@pytest.mark.parametrize("place", TYPES.values(), ids=TYPES)
def test_every_type_pays_its_storage_deposit(place: int) -> None:
    output = OUTPUTS[place]
    least = storage_deposit(output, PARAMETERS)
    # TIP-19: the output id is a key of 34 bytes; 40 bytes of origin and all fields are data.
    assert least == 10 * 34 + 40 + len(twin.output(output.to_json()))
    plain = replace(
        output, unlock_conditions=tuple(held for held in output.unlock_conditions if held != CONDITIONS[1])
    )
    least = storage_deposit(plain, PARAMETERS)
    check_deposit(replace(plain, amount=least), PARAMETERS)
    assert refusal(lambda: check_deposit(replace(plain, amount=least - 1), PARAMETERS)) == (
        "deposit_too_small",
        "amount",
    )


@pytest.mark.parametrize("address", [ADDRESSES[0], AliasAddress(ALIAS_ID), NftAddress(NFT_ID)])
@pytest.mark.parametrize("place", [BASIC, NFT])
def test_a_return_pays_for_an_output_of_its_own(place: int, address: AliasAddress | NftAddress) -> None:
    def returning(amount: int) -> Transaction:
        held = (CONDITIONS[0], StorageDepositReturnUnlockCondition(address, amount))
        outputs = (replace(OUTPUTS[place], unlock_conditions=held),)
        essence = TransactionEssence(PARAMETERS.network_id, (UtxoInput(bytes(32), 0),), bytes(32), outputs)
        return signed(essence, SEEDS[0])

    check_transaction(returning(426), PARAMETERS)
    check_transaction(returning(OUTPUTS[place].amount), PARAMETERS)
    assert refusal(lambda: check_transaction(returning(425), PARAMETERS)) == (
        "deposit_too_small",
        "essence.outputs[0].unlockConditions[1].amount",
    )
