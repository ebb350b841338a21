"""Every hash, byte and amount that iota-sdk 1.1 computes offline, against ours, on random objects.

The library was written by others in Rust; agreeing with it is what makes existing clients work. Where its wheel
does not exist these tests are skipped.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.protocol.addresses import Ed25519Address, bech32_encode, from_bech32, to_bech32
from tangle.protocol.blocks import Block
from tangle.protocol.errors import ProtocolError
from tangle.protocol.milestones import Milestone
from tangle.protocol.outputs import BasicOutput, storage_deposit
from tangle.protocol.parameters import ProtocolParameters, RentStructure
from tangle.protocol.serial import blake2b_256, to_hex
from tangle.protocol.transactions import Transaction, check_transaction, inputs_commitment
from tests.protocol import objects
from tests.protocol.objects import ADDRESSES, ESSENCE, PARAMETERS, SEEDS, fuzz, signed

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
def test_inputs_commitments(consumed: list[BasicOutput]) -> None:
    found = ask("computeInputsCommitment", inputs=[output.to_json() for output in consumed])
    assert found == to_hex(inputs_commitment(consumed))


@fuzz
@given(output=objects.outputs, cost=st.integers(1, 10_000), data=st.integers(1, 255), key=st.integers(1, 255))
def test_output_bytes_and_storage_deposits(output: BasicOutput, cost: int, data: int, key: int) -> None:
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
