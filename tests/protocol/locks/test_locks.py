"""Locks, witnesses, vouchers and announcements as bytes and JSON: the bounds, and two readers that agree."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.errors import LockInvalid, ProtocolError, SignatureInvalid
from tangle.protocol.locks import (
    Announcement,
    BaseCoins,
    Carries,
    Condition,
    Everything,
    Lock,
    Part,
    Pays,
    Preimage,
    Signed,
    Threshold,
    Voucher,
    announcement_tag,
    check_secrets,
    voucher_message,
)
from tangle.protocol.locks.conditions import CONDITIONS
from tangle.protocol.outputs import MetadataFeature, SenderFeature, TagFeature
from tangle.protocol.serial import Fields, Json
from tangle.protocol.signatures import verify
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction, check_witness
from tests.networks import PARAMETERS
from tests.protocol.locks import decoder, vectors
from tests.protocol.locks.drawn import LOCKS
from tests.state.rules.builders import ALICE, BOB, CAROL, basic
from tests.state.rules.locked import SALT, Way, by, channel, lock_of, opening, show
from tests.tries import tries

VECTORS: dict[str, Any] = json.loads(vectors.FILE.read_text())
KEY = Signed(ALICE.address)


def test_the_code_still_makes_the_vectors() -> None:
    assert vectors.make() == VECTORS


@pytest.mark.parametrize("vector", VECTORS["locks"], ids=lambda vector: vector["name"])
def test_the_second_decoder_reads_every_lock(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["lock"])
    assert decoder.read_lock(data) == vector["json"]
    assert decoder.lock_address(data).hex() == vector["address"]
    assert Lock.decode(data) == Lock.from_json(Fields(vector["json"]))


@pytest.mark.parametrize("vector", VECTORS["transactions"], ids=lambda vector: vector["name"])
def test_the_second_decoder_reads_every_witness(vector: dict[str, Any]) -> None:
    read = decoder.read_witness(
        bytes.fromhex(vector["witness"]),
        bytes.fromhex(vector["bare"]),
        VECTORS["networkId"],
        [bytes.fromhex(output_id) for output_id in vector["outputIds"]],
    )
    assert read["note"].hex() == vector["note"]
    told = [{**one, "lock": one["lock"].hex(), "shown": len(one["shown"])} for one in read["entries"]]
    assert [{key: one[key] for key in ("input", "lock", "shown")} for one in told] == vector["entries"]
    transaction = Transaction.decode(bytes.fromhex(vector["transaction"]))
    assert transaction.witness is not None
    assert transaction.witness.encode().hex() == vector["witness"]


def test_the_second_decoder_blanks_an_alias() -> None:
    vector = VECTORS["blanked"]
    assert decoder.blanked(bytes.fromhex(vector["output"])).hex() == vector["digest"]


def test_vouchers_and_announcement_are_as_the_page_says() -> None:
    for vector in VECTORS["vouchers"]:
        message = bytes.fromhex(vector["message"])
        head = b"tangle voucher 1\n" + VECTORS["networkId"].to_bytes(8, "little")
        assert message == head + bytes.fromhex(vector["outputId"]) + vector["cumulative"].to_bytes(8, "little")
        assert len(message) == 67
        assert verify(bytes.fromhex(vector["key"]), bytes.fromhex(vector["signature"]), message)
    told = VECTORS["announcement"]
    lock = bytes.fromhex(told["lock"])
    metadata = len(lock).to_bytes(2, "little") + lock + bytes.fromhex(told["purpose"])
    assert metadata.hex() == told["metadata"]
    assert told["tag"] == (b"lock/1" + bytes.fromhex(told["payee"])[1:]).hex()


def test_an_announcement_is_found_by_both() -> None:
    announced = Announcement(lock_of(channel()), b"a toast")
    features = announced.features(ALICE.address, BOB.address)
    output = basic(1_000, announced.lock.address, *features)
    assert [type(feature) for feature in output.features] == [SenderFeature, MetadataFeature, TagFeature]
    assert output.tag == announcement_tag(BOB.address)
    assert output.metadata is not None
    assert Announcement.decode(output.metadata) == announced
    with pytest.raises(ProtocolError, match="purpose: must be at most 64 bytes, not 65"):
        Announcement(announced.lock, bytes(65))


@settings(max_examples=tries(80), deadline=None)
@given(LOCKS)
def test_both_readers_agree(lock: Lock) -> None:
    assert Lock.decode(lock.encode()) == lock
    assert Lock.from_json(Fields(lock.to_json())) == lock
    assert decoder.read_lock(lock.encode()) == lock.to_json()
    assert decoder.lock_address(lock.encode()) == lock.address.encode()


@settings(max_examples=tries(160), deadline=None)
@given(LOCKS, st.data())
def test_both_readers_refuse_the_same(lock: Lock, data: st.DataObject) -> None:
    spoiled = bytearray(lock.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        spoiled[data.draw(st.integers(0, len(spoiled) - 1))] = data.draw(st.integers(0, 255))
    spoiled = spoiled[: data.draw(st.sampled_from([len(spoiled), len(spoiled), len(spoiled) - 1]))]
    try:
        theirs: Json | None = decoder.read_lock(bytes(spoiled))
    except AssertionError:
        theirs = None
    try:
        ours: Json | None = Lock.decode(bytes(spoiled)).to_json()
    except ProtocolError:
        ours = None
    assert ours == theirs


def deep(levels: int) -> Any:
    condition: Any = Carries()
    for _ in range(levels - 1):
        condition = Threshold.all(condition)
    return condition


def wide(count: int) -> Threshold:
    """`count` conditions in all."""
    first, second = Threshold.any(*[Carries()] * 30), Threshold.any(*[Carries()] * (count - 33))
    return Threshold.all(first, second)


BOUNDS: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    # what may just be, and what may not
    "depth": (lambda: lock_of(deep(5)), lambda: lock_of(deep(6))),
    "conditions": (lambda: lock_of(wide(64)), lambda: lock_of(wide(65))),
    "bytes": (
        lambda: lock_of(Threshold.any(*[KEY] * 32)),
        lambda: lock_of(Threshold.any(*[Threshold.all(KEY)] * 32)),
    ),
    "parts": (lambda: Threshold.any(*[KEY] * 32), lambda: Threshold.any(*[KEY] * 33)),
    "no parts": (lambda: Threshold.any(KEY), lambda: Threshold(1, ())),
    "need": (lambda: Threshold(2, (Part(2, KEY),)), lambda: Threshold(3, (Part(2, KEY),))),
    "no need": (lambda: Threshold(1, (Part(2, KEY),)), lambda: Threshold(0, (Part(2, KEY),))),
    "weight": (lambda: Part(1, KEY), lambda: Part(0, KEY)),
    "hash": (lambda: Preimage(1, bytes(32)), lambda: Preimage(2, bytes(32))),
    "digest": (lambda: Preimage(1, bytes(32)), lambda: Preimage(1, bytes(31))),
    "amount of everything": (
        lambda: Pays(ALICE.address, Everything(), 0),
        lambda: Pays(ALICE.address, Everything(), 1),
    ),
    "salt": (lambda: Lock(bytes(8), KEY), lambda: Lock(bytes(7), KEY)),
    "version": (lambda: Lock(SALT, KEY, 1), lambda: Lock(SALT, KEY, 2)),
    "everything in a voucher": (
        lambda: CONDITIONS.from_json(Fields(channel().to_json())),
        lambda: CONDITIONS.from_json(Fields(_with_asset({"type": 3}))),
    ),
    "an NFT in a voucher": (
        channel,
        lambda: CONDITIONS.from_json(Fields(_with_asset({"type": 2, "nftId": "0x" + "00" * 32}))),
    ),
}


def _with_asset(asset: Json) -> Json:
    return {**Voucher(bytes(32), ALICE.address, BOB.address, BaseCoins()).to_json(), "asset": asset}


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds(name: str) -> None:
    good, bad = BOUNDS[name]
    good()
    with pytest.raises(ProtocolError):
        bad()


def test_deep_input_ends_early() -> None:
    levels = 212
    data = b"\x01" + bytes(8) + b"\x01\x01\x00\x01\x01\x00" * (levels - 1) + b"\x06"
    assert len(data) < 1_280
    with pytest.raises(LockInvalid, match="at most 5 deep"):
        Lock.decode(data)
    condition: Json = {"type": 6}
    for _ in range(5_000):
        condition = {"type": 1, "need": 1, "parts": [{"weight": 1, "condition": condition}]}
    with pytest.raises(LockInvalid, match="at most 5 deep"):
        Lock.from_json(Fields({"version": 1, "salt": "0x" + "00" * 8, "condition": condition}))


SECRET = Preimage(0, bytes(32))
UNSAFE: dict[str, Condition] = {
    "alone": SECRET,
    "beside what is due": Threshold.all(SECRET, Pays(ALICE.address, BaseCoins(), 1)),
    "signed elsewhere": Threshold.any(KEY, SECRET),
    "weights": Threshold(3, (Part(3, SECRET), Part(1, KEY))),
    "surplus": Threshold.any(SECRET, Carries()),
    "deep": Threshold.all(Threshold.any(KEY, SECRET), Carries()),
    "a voucher signs no transaction": Threshold.all(
        SECRET, Voucher(bytes(32), ALICE.address, BOB.address, BaseCoins())
    ),
}
SAFE: dict[str, Condition] = {
    "signed": Threshold.all(SECRET, KEY),
    "weights": Threshold(4, (Part(3, SECRET), Part(1, KEY))),
    "deep": Threshold.any(Threshold.all(SECRET, KEY), Carries()),
    "no secret": Threshold.any(Carries(), KEY),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_a_secret_needs_a_signature(name: str) -> None:
    with pytest.raises(LockInvalid, match="without a signature"):
        check_secrets(lock_of(UNSAFE[name]))


@pytest.mark.parametrize("name", SAFE)
def test_a_secret_with_a_signature_is_safe(name: str) -> None:
    check_secrets(lock_of(SAFE[name]))


CLAIM = opening(channel(), Way(cumulative=700, taken=500), basic(500, BOB.address), basic(500))
WITNESS = CLAIM.transaction.witness
assert WITNESS is not None
DATA = WITNESS.encode()
LOCK_BYTES = len(lock_of(channel()).encoded)
PROOF = 2 + 2 + 2 + LOCK_BYTES
"""where the proofs begin"""


def carrying(data: bytes, tag: bytes = b"lock/1") -> Transaction:
    """The claim with another payload; its own signature is for the old one, which nobody asks here."""
    transaction = CLAIM.transaction
    return replace(transaction, essence=replace(transaction.essence, payload=TaggedData(tag, data)))


def changed(at: int, value: int) -> bytes:
    return DATA[:at] + bytes([value]) + DATA[at + 1 :]


BAD: dict[str, bytes] = {
    "version": changed(0, 2),
    "no entry": changed(1, 0),
    "more entries than there are": changed(1, 2),
    "more entries than inputs can be": changed(1, 129),
    "an input that is not there": changed(2, 1),
    "a lock of another length": changed(4, LOCK_BYTES - 1),
    "a mask of other parts": changed(PROOF, 7),
    "a proof byte that is none": changed(PROOF + 4, 2),
    "cut": DATA[:-1],
    "bytes behind": DATA + b"\0",
    "empty": b"",
    "one input twice": DATA[:1] + b"\x02" + DATA[2:-2] * 2 + DATA[-2:],
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_witness_is_none_and_the_door_says_so(name: str) -> None:
    transaction = carrying(BAD[name])
    assert transaction.witness is None
    with pytest.raises(LockInvalid, match=r"^essence\.payload"):
        check_witness(transaction)


@pytest.mark.parametrize("size", [31, 33])
def test_a_preimage_has_32_bytes(size: int) -> None:
    scene = opening(Threshold.all(Signed(BOB.address), Preimage(0, bytes(32))))
    witness = scene.transaction.witness
    assert witness is not None
    data = witness.encode()
    assert data.endswith(bytes(range(32)) + bytes(2))
    spoiled = data[:-34] + bytes(size) + bytes(2)
    with pytest.raises(LockInvalid):
        check_witness(carrying(spoiled))


SIGNED_WRONG = {
    "voucher": changed(PROOF + 5, DATA[PROOF + 5] ^ 1),
    "voucher's signature": changed(len(DATA) - 3, DATA[-3] ^ 1),
}


@pytest.mark.parametrize("name", SIGNED_WRONG)
def test_a_bad_voucher_makes_all_of_it_none(name: str) -> None:
    transaction = carrying(SIGNED_WRONG[name])
    assert transaction.witness is None
    with pytest.raises(SignatureInvalid, match=r"^essence\.payload\.entries\[0\]\.proof"):
        check_witness(transaction)


def test_a_co_signature_is_for_these_inputs_and_outputs() -> None:
    both = Threshold.all(Signed(BOB.address), Signed(CAROL.address))
    scene = opening(both, Way(signers=by(CAROL)))
    made = scene.transaction
    assert made.witness is not None
    assert made.essence.payload is not None
    for essence in (
        replace(made.essence, outputs=(basic(999, BOB.address), basic(1, BOB.address))),
        replace(made.essence, network_id=made.essence.network_id + 1),
    ):
        with pytest.raises(SignatureInvalid):
            essence.witness()
    # Whoever signs the transaction may still add a note: the co-signature leaves the payload out.
    noted = replace(made.witness, note=b"thanks")
    essence = replace(made.essence, payload=TaggedData(b"lock/1", noted.encode()))
    assert essence.witness() == noted


def test_a_voucher_is_for_one_network_and_one_output() -> None:
    made = CLAIM.transaction.essence
    with pytest.raises(SignatureInvalid):
        replace(made, network_id=made.network_id + 1).witness()
    with pytest.raises(SignatureInvalid):
        replace(made, inputs=(replace(made.inputs[0], index=1),)).witness()
    assert voucher_message(1, bytes(34), 2) != voucher_message(2, bytes(34), 1)


def test_signatures_are_bounded() -> None:
    lock = lock_of(Threshold.any(*[KEY] * 32))
    scene = opening(lock.condition)
    coins = [replace(scene.consumed[0], output_id=bytes([n]) * 32 + bytes(2)) for n in range(5)]

    def with_entries(count: int) -> Transaction:
        opened = [(n, lock, Way(signers=by(ALICE))) for n in range(count)]
        outputs = [basic(1_000 * len(coins), BOB.address)]
        return scene.but(
            consumed=coins, unlocks=[BOB] * len(coins), outputs=outputs, show=show(*opened)
        ).transaction

    check_witness(with_entries(4))
    with pytest.raises(LockInvalid, match="at most 128 signatures"):
        check_witness(with_entries(5))


def test_what_says_nothing_of_locks_is_let_in() -> None:
    check_witness(carrying(b"junk", tag=b"locks"))
    check_witness(replace(CLAIM.transaction, essence=replace(CLAIM.transaction.essence, payload=None)))
    assert carrying(b"junk", tag=b"locks").witness is None


def test_no_key_has_the_address_of_a_lock() -> None:
    lock = lock_of(KEY)
    assert isinstance(lock.address, Ed25519Address)
    assert Ed25519Address.from_public_key(lock.encoded[:32]) != lock.address
    assert PARAMETERS.network_id == VECTORS["networkId"]
