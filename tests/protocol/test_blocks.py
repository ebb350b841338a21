"""Blocks: the example of TIP-24, blocks of a public network, and `check_block`."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tangle.protocol.blocks import Block, check_block
from tangle.protocol.errors import (
    MilestoneInvalid,
    ProofOfWorkTooLow,
    ProtocolError,
    WrongNetwork,
    WrongProtocolVersion,
)
from tangle.protocol.milestones import Milestone
from tangle.protocol.parameters import ProtocolParameters, RentStructure
from tangle.protocol.pow.search import search
from tangle.protocol.serial import Fields, to_hex
from tangle.protocol.signatures import verify
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import SignatureUnlock, Transaction
from tests.protocol import twin
from tests.protocol.objects import ESSENCE, MILESTONE, PARAMETERS, PARENTS, TRANSACTION, name

# TIP-24, example, field by field.
EXAMPLE_BYTES = bytes.fromhex(
    "02"
    "02"
    "210fc7bb818639ac48a4c6afa2f1581a8b9525e20fda68927f2b2ff836f73578"
    "db0fa54c29f7fd928d92ca43f193dee47f591549f597a811c8fa67ab031ebd9c"
    "18000000"
    "05000000"
    "04494f5441"
    "0b00000068656c6c6f20776f726c64"
    "ce6d000000000000"
)
EXAMPLE = Block(
    (
        bytes.fromhex("210fc7bb818639ac48a4c6afa2f1581a8b9525e20fda68927f2b2ff836f73578"),
        bytes.fromhex("db0fa54c29f7fd928d92ca43f193dee47f591549f597a811c8fa67ab031ebd9c"),
    ),
    TaggedData(b"IOTA", b"hello world"),
    28110,
)
PUBLIC: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "iota-sdk-blocks.json").read_text()
)
each_public = pytest.mark.parametrize("vector", PUBLIC, ids=lambda vector: vector["name"])


def test_the_example_of_tip_24() -> None:
    assert Block.decode(EXAMPLE_BYTES) == EXAMPLE
    assert replace(EXAMPLE).encoded == EXAMPLE_BYTES
    assert twin.block(EXAMPLE.to_json()) == EXAMPLE_BYTES
    # TIP-24 names no id; iota-sdk 1.1.4 names this one for the same JSON.
    assert to_hex(EXAMPLE.id) == "0x1a58801fbea0f94796b125669dc293edce794188ca3514f834e2cfaa79c52cf6"


@each_public
def test_blocks_of_a_public_network(vector: dict[str, Any]) -> None:
    block = Block.from_json(Fields(vector["block"]))
    assert to_hex(block.id) == vector["blockId"]
    assert block.to_json() == vector["block"]
    assert Block.decode(twin.block(vector["block"])) == block


@each_public
def test_their_payloads_are_signed_for_the_hashes_that_we_find(vector: dict[str, Any]) -> None:
    payload = Block.from_json(Fields(vector["block"])).payload
    if isinstance(payload, Transaction):
        assert to_hex(payload.id) == vector["transactionId"]
        signatures = [unlock.signature for unlock in payload.unlocks if isinstance(unlock, SignatureUnlock)]
        message = payload.essence.hash
    elif isinstance(payload, Milestone):
        assert to_hex(payload.id) == vector["milestoneId"]
        signatures, message = list(payload.signatures), payload.id
    else:
        assert isinstance(payload, TaggedData)
        return
    assert signatures
    assert all(verify(signed.public_key, signed.signature, message) for signed in signatures)


def test_the_work_of_a_public_block_reaches_the_score_of_its_network() -> None:
    # Networks of this format asked for a score of 1500 (TIP-22).
    block = Block.from_json(Fields(PUBLIC[2]["block"]))
    assert isinstance(block.payload, TaggedData)
    check_block(block, ProtocolParameters(min_pow_score=1500))
    with pytest.raises(ProofOfWorkTooLow):
        check_block(block.with_nonce(block.nonce + 1), ProtocolParameters(min_pow_score=1500))


def test_a_public_transaction_passes_on_its_own_network() -> None:
    # The network id of this vector is the one that TIP-20 lists for testnet-1.
    block = Block.from_json(Fields(PUBLIC[1]["block"]))
    rent = RentStructure(v_byte_cost=500)
    check_block(block, ProtocolParameters("testnet-1", "rms", 1500, rent_structure=rent))
    with pytest.raises(WrongNetwork) as caught:
        check_block(block, ProtocolParameters("shimmer", "smr", 1500, rent_structure=rent))
    assert caught.value.field == "payload.essence.networkId"


def test_an_empty_block_is_a_block() -> None:
    block = Block(PARENTS[:1])
    assert len(block.encoded) == 46
    assert Block.decode(block.encoded) == Block.from_json(Fields(block.to_json())) == block
    assert "payload" not in block.to_json()
    check_block(block, PARAMETERS)


def test_a_block_with_another_nonce_is_another_block() -> None:
    block = Block(PARENTS, TaggedData(b"tag", b"data"))
    other = block.with_nonce(2**64 - 1)
    assert other.id != block.id
    assert other.encoded[:-8] == block.encoded[:-8]
    assert other.encoded[-8:] == b"\xff" * 8


def test_the_work_is_checked_against_the_network() -> None:
    parameters = ProtocolParameters(min_pow_score=50)
    bare = Block(PARENTS, TaggedData(b"tag", b"data"))
    block = bare.with_nonce(search(bare.encoded[:-8], 50, workers=1))
    check_block(block, parameters)
    with pytest.raises(ProofOfWorkTooLow) as caught:
        check_block(block, ProtocolParameters(min_pow_score=2**32 - 1))
    assert caught.value.field == "nonce"
    assert str(2**32 - 1) in caught.value.rule


def test_a_milestone_needs_no_work() -> None:
    check_block(Block(PARENTS, MILESTONE), ProtocolParameters(min_pow_score=2**32 - 1))


def test_a_milestone_lends_its_freedom_from_work_to_no_other_nonce() -> None:
    with pytest.raises(MilestoneInvalid) as caught:
        Block(PARENTS, MILESTONE, 1)
    assert caught.value.field == "nonce"


def test_a_sound_transaction_passes() -> None:
    check_block(Block(PARENTS, TRANSACTION), PARAMETERS)


def test_what_is_wrong_in_a_payload_is_named_from_the_block_on() -> None:
    forged = replace(TRANSACTION, essence=replace(ESSENCE, inputs_commitment=name("other")))
    with pytest.raises(ProtocolError) as caught:
        check_block(Block(PARENTS, forged), PARAMETERS)
    assert (caught.value.code, caught.value.field) == ("signature_invalid", "payload.unlocks[0].signature")


def test_a_block_of_another_version_cannot_be_made() -> None:
    with pytest.raises(WrongProtocolVersion):
        Block(PARENTS, protocol_version=3)


def test_importing_a_block_loads_neither_numba_nor_numpy() -> None:
    heavy = ("numba", "numpy", "sqlalchemy")
    code = f"import sys, tangle.protocol.blocks; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "[]"
