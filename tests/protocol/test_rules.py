"""Each syntactic rule of TIP-18, TIP-20, TIP-23, TIP-24 and TIP-29, broken alone, in both forms of a block.

A row changes one thing of a valid block's JSON form. The same change, laid out as bytes, must fail alike: with the
code and the path of the field that is wrong.
"""

import copy
from dataclasses import replace
from functools import partial

import pytest

from tangle.protocol.blocks import Block
from tangle.protocol.errors import ProtocolError
from tangle.protocol.milestones import ProtocolParametersOption, sign_milestone
from tangle.protocol.outputs import BasicOutput, MetadataFeature, SenderFeature, TagFeature
from tangle.protocol.serial import Fields, Json
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import ReferenceUnlock, Transaction, TransactionEssence, UtxoInput
from tests.protocol import twin
from tests.protocol.broken import Broken, find, path_of, put, refusal, repeat, swap
from tests.protocol.objects import (
    ADDRESSES,
    ESSENCE,
    MILESTONE_ESSENCE,
    PARENTS,
    SEEDS,
    name,
    unlock,
)


def transaction() -> Transaction:
    """Three inputs, the third unlocked by reference; one output with every feature; tagged data inside."""
    features = (SenderFeature(ADDRESSES[0]), MetadataFeature(b"m"), TagFeature(b"t"))
    essence = TransactionEssence(
        ESSENCE.network_id,
        tuple(UtxoInput(name("funding"), i) for i in range(3)),
        name("commitment"),
        (BasicOutput.to(ADDRESSES[1], 1_000, *features), BasicOutput.to(ADDRESSES[0], 4_000)),
        TaggedData(b"tag", b"data"),
    )
    return Transaction(essence, (unlock(essence, SEEDS[0]), unlock(essence, SEEDS[1]), ReferenceUnlock(0)))


def milestone_block() -> Block:
    option = ProtocolParametersOption(MILESTONE_ESSENCE.index + 30, 3, b"parameters")
    essence = replace(MILESTONE_ESSENCE, metadata=b"m", options=(option,))
    return Block(PARENTS, sign_milestone(essence, SEEDS[:2]))


DATA = Block(PARENTS, TaggedData(b"tag", b"data"), 7).to_json()
TRANSACTION = Block(PARENTS, transaction(), 7).to_json()
MILESTONE = milestone_block().to_json()


ES = ("payload", "essence")
OUT = ("payload", "essence", "outputs", 0)
HEX_65, HEX_8193 = "0x" + "00" * 65, "0x" + "00" * 8193
MANY_INPUTS = [
    {"type": 0, "transactionId": "0x" + f"{i // 100:02x}" * 32, "transactionOutputIndex": i % 100}
    for i in range(129)
]


def many_inputs(json: Json) -> None:
    json["payload"]["essence"]["inputs"] = MANY_INPUTS
    json["payload"]["unlocks"] = [json["payload"]["unlocks"][0], *[{"type": 1, "reference": 0}] * 128]


def another_parent(json: Json) -> None:
    json["payload"]["parents"] = json["parents"][:1]


BROKEN = [
    # TIP-24
    Broken(DATA, put("protocolVersion", value=1), "wrong_protocol_version", "protocolVersion"),
    Broken(DATA, put("parents", value=[]), "count_out_of_range", "parents"),
    Broken(DATA, put("parents", value=[f"0x{i:064x}" for i in range(9)]), "count_out_of_range", "parents"),
    Broken(DATA, swap("parents"), "not_sorted", "parents[1]"),
    Broken(DATA, repeat("parents"), "repeated", "parents[2]"),
    Broken(DATA, put("payload", "type", value=4), "unknown_type", "payload.type"),
    # TIP-23
    Broken(DATA, put("payload", "tag", value=HEX_65), "length_out_of_range", "payload.tag"),
    # TIP-20, essence
    Broken(TRANSACTION, put(*ES, "type", value=0), "unknown_type", "payload.essence.type"),
    Broken(TRANSACTION, put(*ES, "inputs", value=[]), "count_out_of_range", "payload.essence.inputs"),
    Broken(TRANSACTION, many_inputs, "count_out_of_range", "payload.essence.inputs"),
    Broken(TRANSACTION, put(*ES, "inputs", 1, "type", value=1), "unknown_type", "payload.essence.inputs[1].type"),
    Broken(
        TRANSACTION,
        put(*ES, "inputs", 1, "transactionOutputIndex", value=128),
        "index_out_of_range",
        "payload.essence.inputs[1].transactionOutputIndex",
    ),
    Broken(
        TRANSACTION,
        put(*ES, "inputs", 2, "transactionOutputIndex", value=0),
        "repeated",
        "payload.essence.inputs[2]",
    ),
    Broken(TRANSACTION, put(*ES, "outputs", value=[]), "count_out_of_range", "payload.essence.outputs"),
    Broken(TRANSACTION, repeat(*ES, "outputs", times=127), "count_out_of_range", "payload.essence.outputs"),
    Broken(TRANSACTION, put(*OUT, "type", value=2), "unknown_type", "payload.essence.outputs[0].type"),
    Broken(TRANSACTION, put(*ES, "payload", "type", value=6), "unknown_type", "payload.essence.payload.type"),
    Broken(
        TRANSACTION, put(*ES, "payload", "tag", value=HEX_65), "length_out_of_range", "payload.essence.payload.tag"
    ),
    # TIP-18
    Broken(
        TRANSACTION, put(*OUT, "amount", value="0"), "amount_out_of_range", "payload.essence.outputs[0].amount"
    ),
    Broken(
        TRANSACTION,
        put(*OUT, "unlockConditions", value=[]),
        "count_out_of_range",
        "payload.essence.outputs[0].unlockConditions",
    ),
    Broken(
        TRANSACTION,
        put(*OUT, "unlockConditions", 0, "type", value=4),
        "unknown_type",
        "payload.essence.outputs[0].unlockConditions[0].type",
    ),
    Broken(
        TRANSACTION,
        put(*OUT, "unlockConditions", 0, "address", "type", value=1),
        "unknown_type",
        "payload.essence.outputs[0].unlockConditions[0].address.type",
    ),
    Broken(TRANSACTION, swap(*OUT, "features"), "not_sorted", "payload.essence.outputs[0].features[1]"),
    Broken(
        TRANSACTION,
        put(*OUT, "features", value=[{"type": 3, "tag": "0x61"}] * 2),
        "repeated",
        "payload.essence.outputs[0].features[1]",
    ),
    Broken(
        TRANSACTION,
        put(*OUT, "features", 0, "type", value=1),
        "unknown_type",
        "payload.essence.outputs[0].features[0].type",
    ),
    Broken(
        TRANSACTION,
        put(*OUT, "features", 0, "address", "type", value=1),
        "unknown_type",
        "payload.essence.outputs[0].features[0].address.type",
    ),
    Broken(
        TRANSACTION,
        put(*OUT, "features", 1, "data", value="0x"),
        "length_out_of_range",
        "payload.essence.outputs[0].features[1].data",
    ),
    Broken(
        TRANSACTION,
        put(*OUT, "features", 1, "data", value=HEX_8193),
        "length_out_of_range",
        "payload.essence.outputs[0].features[1].data",
    ),
    Broken(
        TRANSACTION,
        put(*OUT, "features", 2, "tag", value="0x"),
        "length_out_of_range",
        "payload.essence.outputs[0].features[2].tag",
    ),
    Broken(
        TRANSACTION,
        put(*OUT, "features", 2, "tag", value=HEX_65),
        "length_out_of_range",
        "payload.essence.outputs[0].features[2].tag",
    ),
    Broken(
        TRANSACTION,
        repeat(*OUT, "unlockConditions"),
        "repeated",
        "payload.essence.outputs[0].unlockConditions[1]",
    ),
    # TIP-20, unlocks
    Broken(TRANSACTION, repeat("payload", "unlocks"), "unlock_mismatch", "payload.unlocks"),
    Broken(TRANSACTION, put("payload", "unlocks", 2, "type", value=4), "unknown_type", "payload.unlocks[2].type"),
    Broken(
        TRANSACTION,
        put("payload", "unlocks", 1, "signature", "type", value=1),
        "unknown_type",
        "payload.unlocks[1].signature.type",
    ),
    Broken(
        TRANSACTION,
        put("payload", "unlocks", 1, value=TRANSACTION["payload"]["unlocks"][0]),
        "repeated",
        "payload.unlocks[1]",
    ),
    Broken(
        TRANSACTION,
        put("payload", "unlocks", 2, "reference", value=2),
        "unlock_mismatch",
        "payload.unlocks[2].reference",
    ),
    Broken(
        TRANSACTION,
        put("payload", "unlocks", 2, "reference", value=2**16 - 1),
        "unlock_mismatch",
        "payload.unlocks[2].reference",
    ),
    Broken(
        TRANSACTION,
        put("payload", "unlocks", 1, value={"type": 1, "reference": 2}),
        "unlock_mismatch",
        "payload.unlocks[1].reference",
    ),
    Broken(
        TRANSACTION,
        put("payload", "unlocks", 0, value={"type": 1, "reference": 0}),
        "unlock_mismatch",
        "payload.unlocks[0].reference",
    ),
    # TIP-29
    Broken(MILESTONE, put("nonce", value="1"), "milestone_invalid", "nonce"),
    Broken(MILESTONE, another_parent, "milestone_invalid", "payload.parents"),
    Broken(MILESTONE, put("payload", "parents", value=[]), "count_out_of_range", "payload.parents"),
    Broken(MILESTONE, swap("payload", "parents"), "not_sorted", "payload.parents[1]"),
    Broken(MILESTONE, repeat("payload", "parents"), "repeated", "payload.parents[2]"),
    Broken(MILESTONE, put("payload", "metadata", value=HEX_8193), "length_out_of_range", "payload.metadata"),
    Broken(MILESTONE, put("payload", "options", 0, "type", value=0), "unknown_type", "payload.options[0].type"),
    Broken(
        MILESTONE,
        put("payload", "options", 0, "params", value=HEX_8193),
        "length_out_of_range",
        "payload.options[0].params",
    ),
    Broken(
        MILESTONE,
        put("payload", "options", 0, "targetMilestoneIndex", value=MILESTONE_ESSENCE.index),
        "milestone_invalid",
        "payload.options[0].targetMilestoneIndex",
    ),
    Broken(
        MILESTONE,
        put("payload", "options", 0, "targetMilestoneIndex", value=MILESTONE_ESSENCE.index + 31),
        "milestone_invalid",
        "payload.options[0].targetMilestoneIndex",
    ),
    Broken(MILESTONE, put("payload", "signatures", value=[]), "count_out_of_range", "payload.signatures"),
    Broken(
        MILESTONE,
        put("payload", "signatures", 1, "type", value=1),
        "unknown_type",
        "payload.signatures[1].type",
    ),
    Broken(MILESTONE, swap("payload", "signatures"), "not_sorted", "payload.signatures[1]"),
    Broken(MILESTONE, repeat("payload", "signatures"), "repeated", "payload.signatures[2]"),
]

SIZED = [
    (DATA, ("parents", 1)),
    (TRANSACTION, (*ES, "inputsCommitment")),
    (TRANSACTION, (*ES, "inputs", 1, "transactionId")),
    (TRANSACTION, (*OUT, "unlockConditions", 0, "address", "pubKeyHash")),
    (TRANSACTION, (*OUT, "features", 0, "address", "pubKeyHash")),
    (TRANSACTION, ("payload", "unlocks", 0, "signature", "publicKey")),
    (TRANSACTION, ("payload", "unlocks", 0, "signature", "signature")),
    (MILESTONE, ("payload", "previousMilestoneId")),
    (MILESTONE, ("payload", "inclusionMerkleRoot")),
    (MILESTONE, ("payload", "appliedMerkleRoot")),
    (MILESTONE, ("payload", "parents", 0)),
    (MILESTONE, ("payload", "signatures", 1, "publicKey")),
]
"""members of a fixed number of bytes, which the binary form cannot get wrong"""


@pytest.mark.parametrize("base", [DATA, TRANSACTION, MILESTONE], ids=["data", "transaction", "milestone"])
def test_the_bases_are_valid(base: Json) -> None:
    assert Block.decode(twin.block(base)) == Block.from_json(Fields(base))


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_a_broken_rule_is_named_alike_in_both_forms(broken: Broken) -> None:
    json = copy.deepcopy(broken.base)
    broken.change(json)
    assert refusal(lambda: Block.from_json(Fields(json))) == (broken.code, broken.field)
    assert refusal(lambda: Block.decode(twin.block(json))) == (broken.code, broken.field)


@pytest.mark.parametrize(
    ("base", "path"), SIZED, ids=lambda held: path_of(held) if isinstance(held, tuple) else ""
)
@pytest.mark.parametrize("value", ["0x00", "0x" + "00" * 65, "00" * 32, 7, None, ["0x"]])
def test_json_names_a_member_of_wrong_kind_or_size(base: Json, path: tuple[str | int, ...], value: object) -> None:
    json = copy.deepcopy(base)
    put(*path, value=value)(json)
    assert refusal(lambda: Block.from_json(Fields(json))) == ("malformed_json", path_of(path))


def test_a_second_option_of_one_type_is_repeated() -> None:
    json = copy.deepcopy(MILESTONE)
    repeat("payload", "options")(json)
    assert refusal(lambda: Block.from_json(Fields(json))) == ("repeated", "payload.options[1]")
    assert refusal(lambda: Block.decode(twin.block(json))) == ("count_out_of_range", "payload.options")


def test_unlocks_cannot_be_none() -> None:
    json = copy.deepcopy(TRANSACTION)
    json["payload"]["unlocks"] = []
    assert refusal(lambda: Block.from_json(Fields(json))) == ("unlock_mismatch", "payload.unlocks")
    assert refusal(lambda: Block.decode(twin.block(json))) == ("count_out_of_range", "payload.unlocks")


@pytest.mark.parametrize("base", [DATA, TRANSACTION, MILESTONE], ids=["data", "transaction", "milestone"])
@pytest.mark.parametrize("off", [-1, 1, 1_000_000])
def test_the_payload_takes_what_its_length_says(base: Json, off: int) -> None:
    data = bytearray(twin.block(base))
    at = 2 + 32 * len(base["parents"])
    size = int.from_bytes(data[at : at + 4], "little")
    data[at : at + 4] = (size + off).to_bytes(4, "little")
    assert refusal(lambda: Block.decode(bytes(data))) == ("length_out_of_range", "payload")


def test_the_inner_payload_takes_what_its_length_says() -> None:
    data = twin.block(TRANSACTION)
    inner = twin.payload(TRANSACTION["payload"]["essence"]["payload"])
    longer = data.replace(twin.sized(inner, 4), twin.uint(len(inner) + 1, 4) + inner)
    assert refusal(lambda: Block.decode(longer)) == ("length_out_of_range", "payload.essence.payload")


@pytest.mark.parametrize("base", [DATA, TRANSACTION, MILESTONE], ids=["data", "transaction", "milestone"])
def test_nothing_follows_the_nonce(base: Json) -> None:
    assert refusal(lambda: Block.decode(twin.block(base) + b"\x00")) == ("trailing_bytes", "block")


@pytest.mark.parametrize("base", [DATA, TRANSACTION, MILESTONE], ids=["data", "transaction", "milestone"])
def test_every_shorter_block_ends_too_early(base: Json) -> None:
    data = twin.block(base)
    for size in range(len(data)):
        code, field = refusal(partial(Block.decode, data[:size]))
        assert code == "unexpected_end"
        assert field


@pytest.mark.parametrize(
    ("size", "says"),
    [
        (0, "protocolVersion: needs 1 bytes, 0 remain"),
        (40, "parents: needs 64 bytes, 38 remain"),
        (72, "payload.type: needs 4 bytes, 2 remain"),
        (76, "payload.tag: needs 3 bytes, 1 remain"),
        (90, "nonce: needs 8 bytes, 4 remain"),
    ],
)
def test_a_block_that_ends_says_where(size: int, says: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        Block.decode(twin.block(DATA)[:size])
    assert str(caught.value) == says


def test_a_block_holds_at_most_32768_bytes() -> None:
    room = 32_768 - len(Block(PARENTS, TaggedData(b"", b"")).encoded)
    longest = Block(PARENTS, TaggedData(b"", bytes(room)))
    assert len(longest.encoded) == 32_768
    assert Block.decode(longest.encoded) == longest
    longer = copy.deepcopy(longest.to_json())
    longer["payload"]["data"] += "00"
    assert refusal(lambda: Block.decode(twin.block(longer))) == ("block_too_long", "block")
    assert refusal(lambda: Block.from_json(Fields(longer))) == ("block_too_long", "block")
    assert refusal(lambda: Block(PARENTS, TaggedData(b"", bytes(room + 1))).id) == ("block_too_long", "block")


@pytest.mark.parametrize(
    "path",
    [
        ("protocolVersion",),
        ("parents",),
        (*ES, "networkId"),
        (*ES, "inputs"),
        (*OUT, "amount"),
        ("payload", "unlocks"),
    ],
)
def test_json_names_a_missing_member(path: tuple[str | int, ...]) -> None:
    json = copy.deepcopy(TRANSACTION)
    del find(json, path[:-1])[path[-1]]
    with pytest.raises(ProtocolError) as caught:
        Block.from_json(Fields(json))
    assert str(caught.value) == f"{path_of(path)}: is missing"


@pytest.mark.parametrize(
    "value", [-1, 2**64, "-1", "18446744073709551616", "", " 1", "1_0", "1.0", "٣", "²", 1.0, True]
)
@pytest.mark.parametrize("path", [("nonce",), (*ES, "networkId"), (*OUT, "amount")])
def test_json_refuses_what_is_no_uint64_string(path: tuple[str | int, ...], value: object) -> None:
    json = copy.deepcopy(TRANSACTION)
    put(*path, value=value)(json)
    assert refusal(lambda: Block.from_json(Fields(json))) == ("malformed_json", path_of(path))


@pytest.mark.parametrize("value", ["2", 2.0, True, -1, 2**32, [2], {}])
@pytest.mark.parametrize(
    "path", [("protocolVersion",), ("payload", "type"), ("payload", "index"), ("payload", "options", 0, "type")]
)
def test_json_refuses_what_is_no_integer(path: tuple[str | int, ...], value: object) -> None:
    json = copy.deepcopy(MILESTONE)
    put(*path, value=value)(json)
    assert refusal(lambda: Block.from_json(Fields(json))) == ("malformed_json", path_of(path))


@pytest.mark.parametrize("value", ["text", [], 7, True])
@pytest.mark.parametrize("path", [("payload",), ES, (*ES, "inputs", 0), ("payload", "unlocks", 0, "signature")])
def test_json_names_what_is_no_object(path: tuple[str | int, ...], value: object) -> None:
    json = copy.deepcopy(TRANSACTION)
    put(*path, value=value)(json)
    assert refusal(lambda: Block.from_json(Fields(json))) == ("malformed_json", path_of(path))


def test_the_largest_numbers_are_exact() -> None:
    json = copy.deepcopy(TRANSACTION)
    for path in (("nonce",), (*ES, "networkId"), (*OUT, "amount")):
        put(*path, value=str(2**64 - 1))(json)
    block = Block.from_json(Fields(json))
    assert block.to_json() == json
    assert block.encoded == twin.block(json)


def test_a_missing_nonce_is_zero() -> None:
    json = copy.deepcopy(DATA)
    del json["nonce"]
    assert Block.from_json(Fields(json)).nonce == 0
    json["nonce"] = None
    assert Block.from_json(Fields(json)).nonce == 0
