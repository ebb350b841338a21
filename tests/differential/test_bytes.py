"""The bytes of blocks, one thing changed: what iota-sdk 1.1 decodes we decode, and what it refuses we refuse.

A client of it that knows no node decodes a block that it is to post, strictly and for its own network, before it
finds that there is nobody to post it to. Out of JSON it mends much; out of bytes it takes only what is canonical.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tangle.protocol.blocks import Block
from tangle.protocol.errors import ProtocolError
from tangle.protocol.parameters import ProtocolParameters, RentStructure
from tangle.protocol.transactions import SignatureUnlock, Transaction, check_transaction
from tests.differential.scenes import enlarged, worlds
from tests.networks import block_on
from tests.protocol.objects import name, unlock
from tests.state.rules.builders import Scene, signed
from tests.state.rules.test_rules import CASES

sdk: Any = pytest.importorskip("iota_sdk", reason="PyPI iota-sdk has no wheel for this machine")

NOBODY = "no healthy node available"
"""what the client says of a block that it has decoded"""
PARAMETERS = ProtocolParameters(
    network_name="shimmer",
    bech32_hrp="smr",
    token_supply=1_813_620_509_061_365,
    min_pow_score=0,
    rent_structure=RentStructure(100, 1, 10),
)
"""what such a client assumes; work it leaves to the node"""
CHANGES = 25
"""changes of each block"""
SIZES = (1, 2, 4, 8, 32, 33, 34, 38)
"""bytes of the fields and elements that are cut out or doubled"""
PARENTS = [name("parent 1"), name("parent 2")]


@pytest.fixture(scope="module")
def client() -> Any:
    """A client that knows no node."""
    return sdk.Client()


def theirs(client: Any, data: bytes) -> str:
    """Why the library refuses the block; nothing when it takes it."""
    with pytest.raises(sdk.ClientError) as refused:
        client.post_block_raw(list(data))
    said = refused.value.args[0]["error"]
    return "" if said == NOBODY else str(said)


def ours(data: bytes) -> str:
    """Why we refuse it. The library does not look at signatures here, so each is made anew."""
    try:
        payload = Block.decode(data).payload
        if isinstance(payload, Transaction):
            essence = payload.essence
            unlocks = tuple(
                unlock(essence, name(f"key {i}")) if isinstance(held, SignatureUnlock) else held
                for i, held in enumerate(payload.unlocks)
            )
            check_transaction(Transaction(essence, unlocks), PARAMETERS)
    except ProtocolError as error:
        return f"{error.code} {error.field}"
    return ""


Change = Callable[[bytearray, int, random.Random], None]


def _flip(data: bytearray, place: int, rng: random.Random) -> None:
    data[place] ^= 1 << rng.randrange(8)


def _set(data: bytearray, place: int, rng: random.Random) -> None:
    data[place] = rng.choice([0, 1, 2, 3, 4, 5, 6, 8, 16, 128, 255])


def _step(data: bytearray, place: int, rng: random.Random) -> None:
    data[place] = (data[place] + rng.choice([-1, 1])) % 256


def _cut(data: bytearray, place: int, rng: random.Random) -> None:
    del data[place : place + rng.choice(SIZES)]


def _double(data: bytearray, place: int, rng: random.Random) -> None:
    data[place:place] = data[place : place + rng.choice(SIZES)]


def _insert(data: bytearray, place: int, rng: random.Random) -> None:
    data.insert(place, rng.choice([0, 1, 255]))


def _swap(data: bytearray, place: int, rng: random.Random) -> None:
    size = rng.choice(SIZES)
    end = place + 2 * size
    data[place:end] = data[place + size : end] + data[place : place + size]


WAYS: tuple[Change, ...] = (_flip, _flip, _set, _step, _step, _cut, _double, _insert, _swap)


def block_of(scene: Scene) -> bytes:
    """The bytes of a block with the transaction of `scene`, in the network of the client."""
    essence = replace(scene.transaction.essence, network_id=PARAMETERS.network_id)
    return block_on(PARENTS, Transaction(essence, signed(essence, scene.unlocks))).encoded


def blocks() -> Iterator[bytes]:
    """Blocks with a transaction for every rule, and with random ones over all types of output."""
    for twin in {id(twin): twin for _, twin, _ in CASES}.values():
        yield block_of(enlarged(twin))
    for _, _, scene in worlds():
        if not scene.broken():
            yield block_of(scene)


def test_both_decode_the_same_bytes(client: Any) -> None:
    rng = random.Random(1)
    tried: Counter[bool] = Counter()
    for data in blocks():
        if theirs(client, data):  # an output that fell below its deposit
            assert ours(data)
            continue
        assert ours(data) == ""
        for _ in range(CHANGES):
            changed = bytearray(data)
            rng.choice(WAYS)(changed, rng.randrange(len(data)), rng)
            our, their = ours(bytes(changed)), theirs(client, bytes(changed))
            assert bool(our) == bool(their), f"ours: {our}, theirs: {their}: {changed.hex()}"
            tried[bool(our)] += 1
    assert min(tried.values()) > 1_500
