"""Hand-made bad blocks: each is refused with a code of its own, and nothing of it is kept.

What only the ledger can tell (inputs, sums, commitments) is decided by the milestone: such a block is kept in the
Tangle, marked as conflicting with the reason, and changes no balance.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select

from tangle.protocol.blocks import Block
from tangle.protocol.milestones import Milestone, MilestoneEssence, sign_milestone
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.pow.score import has_score
from tangle.protocol.pow.search import search
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import (
    Ed25519Signature,
    SignatureUnlock,
    Transaction,
    TransactionEssence,
    UtxoInput,
    inputs_commitment,
)
from tangle.store import tables
from tests.networks import Coin, Key, note, spend
from tests.nodes import RunningNode, running_node

SCORE = 20
ALICE = Key.named("alice")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    with running_node(
        tmp_path_factory.mktemp("bad") / "data", min_pow_score=SCORE, pow=False, faucet=False
    ) as running:
        yield running


def _counts(node: RunningNode) -> dict[str, Any]:
    """What there is beside milestones, which come all the time."""
    blocks = tables.blocks.c
    with node.service.connect() as connection:
        return {
            "blocks": connection.execute(
                select(func.count())
                .select_from(tables.blocks)
                .where(blocks.payload_type.is_distinct_from(Milestone.TYPE))
            ).scalar(),
            "outputs": connection.execute(select(func.count()).select_from(tables.outputs)).scalar(),
            "transactions": connection.execute(select(func.count()).select_from(tables.transactions)).scalar(),
        }


def _genesis(node: RunningNode) -> Coin:
    (coin,) = node.coins(node.holder)
    return coin


def _worked(data: bytes) -> bytes:
    """Block bytes with a nonce that suffices, whatever the bytes are."""
    return data[:-8] + search(data[:-8], SCORE, workers=1).to_bytes(8, "little")


def _bytes(parents: tuple[bytes, ...], payload: bytes, version: int = 2) -> bytes:
    """A block put together by hand, unchecked."""
    head = bytes([version, len(parents)]) + b"".join(parents) + len(payload).to_bytes(4, "little")
    return _worked(head + payload + bytes(8))


def _too_long(node: RunningNode) -> bytes:
    return _bytes(node.tips(), TaggedData(b"long", bytes(32_768)).encode())


def _unsorted(node: RunningNode) -> bytes:
    return _bytes((b"\xff" * 32, *node.tips()), note("unsorted").encode())


def _repeated(node: RunningNode) -> bytes:
    tip = node.tips()[0]
    return _bytes((tip, tip), note("repeated").encode())


def _nine_parents(node: RunningNode) -> bytes:
    return _bytes(tuple(bytes([i]) * 32 for i in range(9)), note("nine").encode())


def _wrong_version(node: RunningNode) -> bytes:
    return _bytes(node.tips(), note("version").encode(), version=3)


def _trailing(node: RunningNode) -> bytes:
    return node.finished(note("trailing")).encoded + b"\x00"


def _short(node: RunningNode) -> bytes:
    return node.finished(note("short")).encoded[:-1]


def _inner_length(node: RunningNode) -> bytes:
    payload = note("length").encode()
    return _bytes(node.tips(), payload + b"\x00")


def _unknown_payload(node: RunningNode) -> bytes:
    return _bytes(node.tips(), (99).to_bytes(4, "little") + bytes(10))


def _no_work(node: RunningNode) -> bytes:
    block = Block(node.tips(), note("no work")).with_nonce(1)
    while has_score(block.encoded, SCORE):
        block = block.with_nonce(block.nonce + 1)
    return block.encoded


def _unknown_parent(node: RunningNode) -> bytes:
    return _bytes((b"\x77" * 32,), note("orphan").encode())


def _transaction(node: RunningNode, change: Callable[[Transaction], Transaction]) -> bytes:
    coin = _genesis(node)
    transaction = spend([coin], [BasicOutput.to(ALICE.address, coin.output.amount)], parameters=_parameters(node))
    return node.finished(change(transaction)).encoded


def _parameters(node: RunningNode) -> Any:
    return node.service.parameters


def _wrong_network(node: RunningNode) -> bytes:
    coin = _genesis(node)
    other = dataclasses.replace(_parameters(node), network_name="another")
    return node.finished(
        spend([coin], [BasicOutput.to(ALICE.address, coin.output.amount)], parameters=other)
    ).encoded


def _bad_signature(node: RunningNode) -> bytes:
    def forge(transaction: Transaction) -> Transaction:
        signature = transaction.signature_of(0)
        forged = bytes([signature.signature[0] ^ 1]) + signature.signature[1:]
        unlock = SignatureUnlock(Ed25519Signature(signature.public_key, forged))
        return Transaction(transaction.essence, (unlock,))

    return _transaction(node, forge)


def _small_deposit(node: RunningNode) -> bytes:
    coin = _genesis(node)
    outputs = [BasicOutput.to(ALICE.address, 425), BasicOutput.to(ALICE.address, coin.output.amount - 425)]
    return node.finished(spend([coin], outputs, parameters=_parameters(node))).encoded


def _overflow(node: RunningNode) -> bytes:
    outputs = [BasicOutput.to(ALICE.address, 2**64 - 1), BasicOutput.to(ALICE.address, 2**64 - 1)]
    return node.finished(spend([_genesis(node)], outputs, parameters=_parameters(node))).encoded


def _zero_amount(node: RunningNode) -> bytes:
    data = spend([_genesis(node)], [BasicOutput.to(ALICE.address, 426)], parameters=_parameters(node)).encode()
    return _bytes(node.tips(), data.replace(b"\x03" + (426).to_bytes(8, "little"), b"\x03" + bytes(8)))


def _same_input_twice(node: RunningNode) -> bytes:
    coin = _genesis(node)
    once = spend(
        [coin], [BasicOutput.to(ALICE.address, coin.output.amount)], parameters=_parameters(node)
    ).encode()
    consumed = UtxoInput.of(coin.output_id).encode()
    count = 4 + 1 + 8
    doubled = once[:count] + (2).to_bytes(2, "little") + consumed + once[count + 2 :]
    return _bytes(node.tips(), doubled)


def _forged_milestone(node: RunningNode) -> bytes:
    parents = node.tips()
    essence = MilestoneEssence(2**31, 1, 2, bytes(32), parents, bytes(32), bytes(32))
    return Block(parents, sign_milestone(essence, [Key.named("nobody").seed])).encoded


BAD: dict[str, tuple[Callable[[RunningNode], bytes], str, str | None]] = {
    "too long": (_too_long, "block_too_long", "block"),
    "unsorted parents": (_unsorted, "not_sorted", "parents[1]"),
    "repeated parents": (_repeated, "repeated", "parents[1]"),
    "nine parents": (_nine_parents, "count_out_of_range", "parents"),
    "wrong version": (_wrong_version, "wrong_protocol_version", "protocolVersion"),
    "trailing bytes": (_trailing, "trailing_bytes", "block"),
    "a byte short": (_short, "unexpected_end", "nonce"),
    "payload length": (_inner_length, "length_out_of_range", "payload"),
    "unknown payload": (_unknown_payload, "unknown_type", "payload.type"),
    "work too low": (_no_work, "pow_too_low", "nonce"),
    "unknown parent": (_unknown_parent, "unknown_parent", None),
    "wrong network": (_wrong_network, "wrong_network", "payload.essence.networkId"),
    "bad signature": (_bad_signature, "signature_invalid", "payload.unlocks[0].signature"),
    "deposit too small": (_small_deposit, "deposit_too_small", "payload.essence.outputs[0].amount"),
    "amounts overflow": (_overflow, "amount_out_of_range", "payload.essence.outputs"),
    "amount zero": (_zero_amount, "amount_out_of_range", "payload.essence.outputs[0].amount"),
    "one input twice": (_same_input_twice, "repeated", "payload.essence.inputs[1]"),
    "forged milestone": (_forged_milestone, "milestone_invalid", "payload.signatures[0].publicKey"),
    "nothing": (lambda _: b"", "unexpected_end", "protocolVersion"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_block_is_refused_and_changes_nothing(node: RunningNode, name: str) -> None:
    make, code, field = BAD[name]
    data = make(node)
    before = _counts(node)
    response = node.post_bytes(data)
    assert response.status_code == 400, response.text
    body = response.json()
    assert body["code"] == code
    assert body["error"]["code"] == "400"
    assert body["error"]["message"]
    assert body.get("field") == field
    assert _counts(node) == before
    assert node.service.reading.waiting_count == 0


JSON_BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "parents no list": ({"parents": "0x00"}, "malformed_json", "parents"),
    "parent too short": ({"parents": ["0x00"]}, "malformed_json", "parents[0]"),
    "nonce as number": ({"nonce": 5}, "malformed_json", "nonce"),
    "nonce too large": ({"nonce": str(2**64)}, "malformed_json", "nonce"),
    "payload type as text": ({"payload": {"type": "5"}}, "malformed_json", "payload.type"),
    "hex without 0x": ({"payload": {"type": 5, "tag": "61"}}, "malformed_json", "payload.tag"),
    "tag too long": ({"payload": {"type": 5, "tag": "0x" + "61" * 65}}, "length_out_of_range", "payload.tag"),
    "version as text": ({"protocolVersion": "2"}, "malformed_json", "protocolVersion"),
}


@pytest.mark.parametrize("name", JSON_BAD)
def test_bad_json_is_refused_with_its_field(node: RunningNode, name: str) -> None:
    members, code, field = JSON_BAD[name]
    before = _counts(node)
    response = node.http.post("/api/core/v2/blocks", json=members)
    assert (response.status_code, response.json()["code"], response.json()["field"]) == (400, code, field)
    assert _counts(node) == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'"x"', b"\xff", b"[" * 100_000], ids=range(7))
def test_what_is_no_json_object_is_refused(node: RunningNode, body: bytes) -> None:
    response = node.http.post("/api/core/v2/blocks", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert orjson.loads(response.content)["code"] in {"body_invalid", "malformed_json"}


def test_a_body_too_large_is_refused_whether_announced_or_not(node: RunningNode) -> None:
    size = node.settings.body_bytes_max + 1
    announced = node.post_bytes(bytes(size))
    streamed = node.http.post("/api/core/v2/blocks", content=iter([bytes(size)]))
    for response in (announced, streamed):
        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


def test_another_media_type_is_refused(node: RunningNode) -> None:
    response = node.http.post("/api/core/v2/blocks", content=b"{}", headers={"content-type": "text/plain"})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def _wrong_commitment(coin: Coin, node: RunningNode) -> Transaction:
    outputs = [BasicOutput.to(ALICE.address, coin.output.amount)]
    return spend([coin], outputs, parameters=_parameters(node), commitment=bytes(32))


def _unbalanced(coin: Coin, node: RunningNode) -> Transaction:
    return spend([coin], [BasicOutput.to(ALICE.address, coin.output.amount - 1)], parameters=_parameters(node))


def _unknown_input(coin: Coin, node: RunningNode) -> Transaction:
    absent = Coin(b"\x42" * 32 + bytes(2), coin.output, coin.key)
    return spend([absent], [BasicOutput.to(ALICE.address, coin.output.amount)], parameters=_parameters(node))


def _others_coin(coin: Coin, node: RunningNode) -> Transaction:
    essence = TransactionEssence(
        _parameters(node).network_id,
        (UtxoInput.of(coin.output_id),),
        inputs_commitment([coin.output]),
        (BasicOutput.to(ALICE.address, coin.output.amount),),
    )
    thief = Key.named("thief")
    signed = spend([coin], essence.outputs, parameters=_parameters(node), signers=[thief])
    assert signed.essence == essence
    return signed


@pytest.mark.parametrize(
    ("make", "reason"),
    [(_wrong_commitment, 10), (_unbalanced, 4), (_unknown_input, 3), (_others_coin, 5)],
    ids=["inputs commitment", "unbalanced", "unknown input", "somebody else's coin"],
)
def test_what_the_ledger_refuses_is_conflicting_and_moves_nothing(
    node: RunningNode, make: Callable[[Coin, RunningNode], Transaction], reason: int
) -> None:
    before = _counts(node)
    metadata = node.include(make(_genesis(node), node))
    assert metadata["ledgerInclusionState"] == "conflicting"
    assert metadata["conflictReason"] == reason
    after = _counts(node)
    assert (after["outputs"], after["transactions"]) == (before["outputs"], before["transactions"])
    supply = node.get("/api/tangle/v1/supply")
    assert supply["unspent"] == supply["tokenSupply"]
