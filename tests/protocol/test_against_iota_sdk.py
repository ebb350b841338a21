"""Every hash, byte and amount that iota-sdk 1.1 computes offline, against ours, on random objects.

The library was written by others in Rust; agreeing with it is what makes existing clients work. Where its wheel
does not exist these tests are skipped.
"""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.protocol.addresses import (
    AliasAddress,
    Ed25519Address,
    NftAddress,
    bech32_encode,
    from_bech32,
    to_bech32,
)
from tangle.protocol.blocks import PAYLOADS, Block
from tangle.protocol.errors import ProtocolError
from tangle.protocol.milestones import Milestone
from tangle.protocol.outputs import BasicOutput, FoundryOutput, Output, storage_deposit
from tangle.protocol.parameters import ProtocolParameters, RentStructure
from tangle.protocol.serial import Fields, Json, blake2b_256, to_hex
from tangle.protocol.transactions import (
    SignatureUnlock,
    Transaction,
    UtxoInput,
    check_transaction,
    inputs_commitment,
)
from tests.protocol import objects
from tests.protocol.broken import Broken, places
from tests.protocol.objects import ADDRESSES, ESSENCE, PARAMETERS, SEEDS, fuzz, name, signed, unlock
from tests.protocol.test_output_rules import BASE, BROKEN

sdk = pytest.importorskip("iota_sdk.utils", reason="iota-sdk has no wheel for this Python")


def ask(method: str, **data: Any) -> Any:
    """What the library answers to `method`; its public functions would want objects of its own."""
    return sdk._call_method(method, data)


@fuzz
@given(block=objects.blocks)
def test_block_bytes_and_ids(block: Block) -> None:
    json = block.to_json()
    assert bytes(ask("blockBytes", block=json)) == block.encoded
    assert ask("blockId", block=json) == to_hex(block.id)
    assert ask("blockHashWithoutNonce", block=json) == to_hex(blake2b_256(block.encoded[:-8]))


@fuzz
@given(transaction=objects.transactions())
def test_transaction_ids_and_the_hash_that_is_signed(transaction: Transaction) -> None:
    json = transaction.to_json()
    assert ask("transactionId", payload=json) == to_hex(transaction.id)
    assert ask("hashTransactionEssence", essence=json["essence"]) == to_hex(transaction.essence.hash)
    output_id = ask("computeOutputId", id=to_hex(transaction.id), index=0)
    assert output_id == to_hex(transaction.output_id(0))
    assert ask("outputIdToUtxoInput", outputId=output_id)["transactionId"] == to_hex(transaction.id)


@fuzz
@given(milestone=objects.milestones)
def test_milestone_ids(milestone: Milestone) -> None:
    assert ask("milestoneId", payload=milestone.to_json()) == to_hex(milestone.id)


@fuzz
@given(consumed=st.lists(objects.outputs, min_size=1, max_size=8))
def test_inputs_commitments(consumed: list[Output]) -> None:
    found = ask("computeInputsCommitment", inputs=[output.to_json() for output in consumed])
    assert found == to_hex(inputs_commitment(consumed))


@fuzz
@given(output=objects.outputs, cost=st.integers(1, 10_000), data=st.integers(1, 255), key=st.integers(1, 255))
def test_output_bytes_and_storage_deposits(output: Output, cost: int, data: int, key: int) -> None:
    assert ask("outputHexBytes", output=output.to_json()) == to_hex(output.encoded)
    rent = {"vByteCost": cost, "vByteFactorData": data, "vByteFactorKey": key}
    parameters = ProtocolParameters(rent_structure=RentStructure(cost, data, key))
    assert int(ask("computeStorageDeposit", output=output.to_json(), rent=rent)) == storage_deposit(
        output, parameters
    )


@fuzz
@given(public_key=objects.ids, hrp=st.sampled_from(["tgl", "iota", "smr", "rms", "a-very-long-network-name"]))
def test_bech32(public_key: bytes, hrp: str) -> None:
    address = Ed25519Address.from_public_key(public_key)
    text = to_bech32(address, hrp)
    assert ask("hexToBech32", hex=to_hex(address.public_key_hash), bech32Hrp=hrp) == text
    assert ask("hexPublicKeyToBech32Address", hex=to_hex(public_key), bech32Hrp=hrp) == text
    assert ask("bech32ToHex", bech32=text) == to_hex(address.public_key_hash)
    assert ask("parseBech32Address", address=text) == address.to_json()


@fuzz
@given(identifier=objects.ids, hrp=st.sampled_from(["tgl", "smr"]))
def test_bech32_of_aliases_and_nfts(identifier: bytes, hrp: str) -> None:
    alias, nft = AliasAddress(identifier), NftAddress(identifier)
    assert ask("aliasIdToBech32", aliasId=to_hex(identifier), bech32Hrp=hrp) == to_bech32(alias, hrp)
    assert ask("nftIdToBech32", nftId=to_hex(identifier), bech32Hrp=hrp) == to_bech32(nft, hrp)
    assert ask("parseBech32Address", address=to_bech32(alias, hrp)) == alias.to_json()
    assert ask("parseBech32Address", address=to_bech32(nft, hrp)) == nft.to_json()


@fuzz
@given(transaction_id=objects.ids, index=st.integers(0, 127), foundry=objects.foundry_outputs)
def test_ids_of_chains(transaction_id: bytes, index: int, foundry: FoundryOutput) -> None:
    output_id = UtxoInput(transaction_id, index).output_id
    alias_id = AliasAddress.created_by(output_id).alias_id
    assert ask("computeAliasId", outputId=to_hex(output_id)) == to_hex(alias_id)
    assert ask("computeNftId", outputId=to_hex(output_id)) == to_hex(NftAddress.created_by(output_id).nft_id)
    of_foundry = {
        "aliasId": to_hex(foundry.alias_address.alias_id),
        "serialNumber": foundry.serial_number,
        "tokenSchemeType": foundry.token_scheme.TYPE,
    }
    assert ask("computeFoundryId", **of_foundry) == to_hex(foundry.foundry_id)
    assert ask("computeTokenId", **of_foundry) == to_hex(foundry.foundry_id)


@fuzz
@given(draws=st.data())
def test_both_refuse_the_same_mistyped_addresses(draws: st.DataObject) -> None:
    text = to_bech32(draws.draw(objects.addresses), "tgl")
    place = draws.draw(st.integers(0, len(text) - 1))
    typed = text[:place] + draws.draw(st.sampled_from("q1Q bé")) + text[place + 1 :]
    try:
        from_bech32(typed)
    except ProtocolError:
        assert not ask("isAddressValid", address=typed)
    else:
        assert ask("isAddressValid", address=typed)


def test_both_refuse_text_of_too_few_bytes() -> None:
    # Of a byte too many the library takes no notice; `test_addresses` has us refuse it.
    for size in (0, 1, 32):
        text = bech32_encode("tgl", bytes(size))
        assert not ask("isAddressValid", address=text)
        with pytest.raises(ProtocolError):
            from_bech32(text)


def transactions() -> Iterator[tuple[str, bool, Transaction]]:
    """Name, whether it is sound, and a transaction."""
    out, more = BasicOutput.to(ADDRESSES[1], 426), BasicOutput.to(ADDRESSES[1], 1_000)
    supply = PARAMETERS.token_supply
    yield "sound", True, signed(ESSENCE, SEEDS[0])
    yield "least deposit", True, signed(replace(ESSENCE, outputs=(out, more)), SEEDS[0])
    yield "deposit too small", False, signed(replace(ESSENCE, outputs=(replace(out, amount=425),)), SEEDS[0])
    yield "whole supply", True, signed(replace(ESSENCE, outputs=(replace(out, amount=supply),)), SEEDS[0])
    above = (replace(out, amount=supply - 426), replace(out, amount=427))
    yield "above the supply", False, signed(replace(ESSENCE, outputs=above), SEEDS[0])
    yield "another network", False, signed(replace(ESSENCE, network_id=1), SEEDS[0])


@pytest.mark.parametrize(
    ("sound", "transaction"), [pytest.param(*case[1:], id=case[0]) for case in transactions()]
)
def test_both_give_the_same_verdict(sound: bool, transaction: Transaction) -> None:
    def ours() -> None:
        check_transaction(transaction, PARAMETERS)

    def theirs() -> None:
        ask("verifyTransactionSyntax", transaction=transaction.to_json(), protocolParameters=PARAMETERS.to_json())

    if sound:
        ours()
        theirs()
        return
    with pytest.raises(ProtocolError):
        ours()
    with pytest.raises(sdk.UtilsError):
        theirs()


def is_sound(payload: Json) -> bool:
    """Whether we take a transaction payload once it is signed anew, each signature with a key of its own."""
    try:
        read = PAYLOADS.from_json(Fields(payload))
        if not isinstance(read, Transaction):
            return False
        unlocks = tuple(
            unlock(read.essence, name(f"key {i}")) if isinstance(held, SignatureUnlock) else held
            for i, held in enumerate(read.unlocks)
        )
        check_transaction(Transaction(read.essence, unlocks), PARAMETERS)
    except ProtocolError:
        return False
    return True


def is_sound_to_them(payload: Json) -> bool:
    """Whether the library takes it; it does not look at signatures."""
    try:
        ask("verifyTransactionSyntax", transaction=payload, protocolParameters=PARAMETERS.to_json())
    except (sdk.UtilsError, ValueError):  # the latter where it cannot even read the JSON
        return False
    return True


MENDED = {"not_sorted", "repeated"}
"""rules on lists: out of JSON the library sorts a list and drops what is there twice, so it refuses nothing"""
LISTS = ("nativeTokens", "unlockConditions", "features", "immutableFeatures")
UNASKED = ("nativeTokens[1].amount", "tokenScheme.type")
"""members that the library does not check when it reads JSON, only when it reads bytes"""


def is_refused_by_both(broken: Broken) -> bool:
    mended = any(f".{held}" in broken.field for held in LISTS) and broken.code in MENDED | {"count_out_of_range"}
    return not mended and not broken.field.endswith(UNASKED)


def test_both_take_the_base() -> None:
    assert is_sound(BASE["payload"])
    assert is_sound_to_them(BASE["payload"])


@pytest.mark.parametrize("broken", [broken for broken in BROKEN if is_refused_by_both(broken)], ids=str)
def test_both_refuse_a_broken_rule(broken: Broken) -> None:
    json = copy.deepcopy(broken.base)
    broken.change(json)
    assert not is_sound(json["payload"])
    assert not is_sound_to_them(json["payload"])


GONE, AGAIN = object(), object()
"""a member that is left out, an element that occurs once more"""


def others(value: object) -> list[object]:
    """What may stand in the place of `value`."""
    if isinstance(value, int):
        return [GONE, *range(4), 8, 16, value - 1, value + 1, 127, 128, 2**16, 2**32 - 1, 2**32]
    if isinstance(value, str) and value.startswith("0x"):
        return [GONE, "0x", "0x0", "0xff", value[:-2], value + "00", "0x" + "00" * (len(value) // 2 - 1)]
    if isinstance(value, str):
        numbers = [0, 1, 425, 426, int(value) - 1, int(value) + 1, 2**64 - 1, 2**64]
        return [GONE, *(str(number) for number in numbers)]
    return [GONE, AGAIN]


def changed() -> Iterator[tuple[object, object, Json]]:
    """The place, what stands there now, and a payload that differs from the base in this alone."""
    for position, (container, key) in enumerate(places(BASE["payload"])):
        for value in others(container[key]):
            payload = copy.deepcopy(BASE["payload"])
            held, _ = places(payload)[position]
            if value is GONE:
                del held[key]
            elif value is not AGAIN:
                held[key] = value
            elif isinstance(held, list):
                held.append(copy.deepcopy(held[key]))
            yield key, value, payload


def test_what_they_refuse_after_one_change_we_refuse() -> None:
    tried = [(key, value, is_sound(payload), is_sound_to_them(payload)) for key, value, payload in changed()]
    assert len(tried) > 1_000
    assert [(key, value) for key, value, ours, theirs in tried if ours and not theirs] == []
