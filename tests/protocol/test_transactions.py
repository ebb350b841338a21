"""Transactions: what they hash to, and the checks that need the network's parameters."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given

from tangle.protocol.errors import ProtocolError
from tangle.protocol.outputs import BasicOutput, TagFeature, storage_deposit
from tangle.protocol.parameters import ProtocolParameters, RentStructure
from tangle.protocol.transactions import (
    OUTPUT_ID_BYTES,
    Ed25519Signature,
    ReferenceUnlock,
    SignatureUnlock,
    Transaction,
    TransactionEssence,
    Unlock,
    UtxoInput,
    check_transaction,
    inputs_commitment,
)
from tests.protocol import objects, twin
from tests.protocol.objects import (
    ADDRESSES,
    CONSUMED,
    ESSENCE,
    PARAMETERS,
    SEEDS,
    TRANSACTION,
    fuzz,
    name,
    signed,
    unlock,
)


def blake2b(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


def refusal(check: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ProtocolError) as caught:
        check()
    return caught.value.code, caught.value.field


def paying(*amounts: int) -> Transaction:
    """The sound transaction with other amounts, signed anew."""
    outputs = tuple(BasicOutput.to(ADDRESSES[1], amount) for amount in amounts)
    return signed(replace(ESSENCE, outputs=outputs), SEEDS[0])


@fuzz
@given(transaction=objects.transactions())
def test_hashes_are_of_the_bytes_that_the_twin_lays_out(transaction: Transaction) -> None:
    json = transaction.to_json()
    assert transaction.id == blake2b(twin.payload(json))
    assert transaction.essence.hash == blake2b(twin.essence(json["essence"]))


def test_an_output_id_is_the_transaction_id_and_an_index() -> None:
    assert TRANSACTION.output_id(1) == TRANSACTION.id + b"\x01\x00"
    spent = UtxoInput.of(TRANSACTION.output_id(1))
    assert (spent.transaction_id, spent.index) == (TRANSACTION.id, 1)
    assert spent.output_id == TRANSACTION.output_id(1)


@pytest.mark.parametrize("size", [0, OUTPUT_ID_BYTES - 1, OUTPUT_ID_BYTES + 1])
def test_an_output_id_has_34_bytes(size: int) -> None:
    assert refusal(lambda: UtxoInput.of(bytes(size))) == ("length_out_of_range", "outputId")


def test_an_output_index_is_below_128() -> None:
    assert UtxoInput.of(bytes(32) + b"\x7f\x00").index == 127
    for index in (b"\x80\x00", b"\x00\x01"):
        assert refusal(lambda index=index: UtxoInput.of(bytes(32) + index)) == (  # type: ignore[misc]
            "index_out_of_range",
            "transactionOutputIndex",
        )


def test_the_commitment_hashes_the_hashes_in_order_of_the_inputs() -> None:
    # TIP-20: BLAKE2b-256 over the concatenated hashes of the consumed outputs.
    one, other = BasicOutput.to(ADDRESSES[0], 1), BasicOutput.to(ADDRESSES[1], 2, TagFeature(b"t"))
    hashes = [blake2b(twin.output(output.to_json())) for output in (one, other)]
    assert inputs_commitment([one, other]) == blake2b(hashes[0] + hashes[1])
    assert inputs_commitment([other, one]) == blake2b(hashes[1] + hashes[0])
    assert ESSENCE.inputs_commitment == inputs_commitment([CONSUMED])


def test_references_lead_to_the_signature() -> None:
    inputs = tuple(UtxoInput(name("funding"), i) for i in range(4))
    essence = replace(ESSENCE, inputs=inputs)
    first, second = unlock(essence, SEEDS[0]), unlock(essence, SEEDS[1])
    transaction = Transaction(essence, (first, second, ReferenceUnlock(0), ReferenceUnlock(1)))
    found = [transaction.signature_of(i) for i in range(4)]
    assert found == [first.signature, second.signature, first.signature, second.signature]


def test_a_sound_transaction_passes() -> None:
    check_transaction(TRANSACTION, PARAMETERS)


def test_the_network_must_be_this_one() -> None:
    other = signed(replace(ESSENCE, network_id=ESSENCE.network_id + 1), SEEDS[0])
    assert refusal(lambda: check_transaction(other, PARAMETERS)) == ("wrong_network", "essence.networkId")


def test_every_output_pays_for_its_storage() -> None:
    check_transaction(paying(426, 426), PARAMETERS)
    assert refusal(lambda: check_transaction(paying(426, 425), PARAMETERS)) == (
        "deposit_too_small",
        "essence.outputs[1].amount",
    )


def test_the_deposit_error_names_the_least_amount() -> None:
    parameters = replace(PARAMETERS, rent_structure=RentStructure(500))
    with pytest.raises(ProtocolError, match="storage deposit of 213000"):
        check_transaction(paying(212_999), parameters)


def test_features_cost_what_they_weigh() -> None:
    # TIP-19: every byte of data weighs 1; type, length and five bytes of tag are seven.
    plain, tagged = BasicOutput.to(ADDRESSES[0], 1), BasicOutput.to(ADDRESSES[0], 1, TagFeature(b"12345"))
    assert storage_deposit(tagged, PARAMETERS) - storage_deposit(plain, PARAMETERS) == 7


def test_amounts_add_up_to_the_supply_at_most() -> None:
    parameters = replace(PARAMETERS, token_supply=10_000)
    check_transaction(paying(4_000, 6_000), parameters)
    assert refusal(lambda: check_transaction(paying(4_001, 6_000), parameters)) == (
        "amount_out_of_range",
        "essence.outputs",
    )


def test_amounts_do_not_wrap_around() -> None:
    parameters = replace(PARAMETERS, token_supply=2**64 - 1)
    assert refusal(lambda: check_transaction(paying(2**64 - 1, 427), parameters)) == (
        "amount_out_of_range",
        "essence.outputs",
    )


@pytest.mark.parametrize("place", [0, 31, 32, 63])
def test_a_signature_with_one_flipped_bit_is_refused(place: int) -> None:
    true = unlock(ESSENCE, SEEDS[0]).signature
    flipped = bytearray(true.signature)
    flipped[place] ^= 1
    forged = SignatureUnlock(Ed25519Signature(true.public_key, bytes(flipped)))
    refused = refusal(lambda: check_transaction(Transaction(ESSENCE, (forged,)), PARAMETERS))
    assert refused == ("signature_invalid", "unlocks[0].signature")


def test_a_signature_over_another_essence_is_refused() -> None:
    essence = replace(ESSENCE, inputs=(*ESSENCE.inputs, UtxoInput(name("more"), 0)))
    transaction = Transaction(essence, (unlock(essence, SEEDS[0]), unlock(ESSENCE, SEEDS[1])))
    assert refusal(lambda: check_transaction(transaction, PARAMETERS)) == (
        "signature_invalid",
        "unlocks[1].signature",
    )


def test_all_of_128_inputs_and_outputs_pass() -> None:
    essence = TransactionEssence(
        PARAMETERS.network_id,
        tuple(UtxoInput(name("funding"), i) for i in range(128)),
        inputs_commitment([CONSUMED] * 128),
        (BasicOutput.to(ADDRESSES[1], 5_000),) * 128,
    )
    unlocks: tuple[Unlock, ...] = (unlock(essence, SEEDS[0]), *[ReferenceUnlock(0)] * 127)
    check_transaction(Transaction(essence, unlocks), PARAMETERS)


def test_a_network_of_another_name_refuses_a_replay() -> None:
    other = ProtocolParameters(network_name="another", min_pow_score=0)
    assert refusal(lambda: check_transaction(TRANSACTION, other)) == ("wrong_network", "essence.networkId")


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: UtxoInput(bytes(31), 0), "transactionId"),
        (lambda: Ed25519Signature(bytes(33), bytes(64)), "publicKey"),
        (lambda: Ed25519Signature(bytes(32), bytes(63)), "signature"),
        (lambda: replace(ESSENCE, inputs_commitment=bytes(31)), "inputsCommitment"),
    ],
)
def test_ids_keys_and_signatures_have_their_length(make: Callable[[], object], field: str) -> None:
    assert refusal(make) == ("length_out_of_range", field)
