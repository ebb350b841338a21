"""Scenes with locks: what is shown of them, in few words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tangle.protocol.addresses import Address
from tangle.protocol.locks import (
    BaseCoins,
    Condition,
    CoSignature,
    Entry,
    Lock,
    NoProof,
    OwnSignature,
    PartsShown,
    Preimage,
    Proof,
    Secret,
    Shown,
    Signed,
    Threshold,
    Voucher,
    VoucherShown,
    Witness,
    co_signed,
    sign_voucher,
)
from tangle.protocol.outputs import Output
from tangle.protocol.signatures import sign
from tangle.protocol.transactions import TransactionEssence
from tests.networks import PARAMETERS, Key
from tests.state.rules.builders import ALICE, BOB, Held, Scene, basic, held

SALT = b"8 bytes."
SECRET = bytes(range(32))
DEVICE = Key.named("device of the payer")


@dataclass(frozen=True)
class Way:
    """How to open a lock: what is shown of each condition, parents before their parts.

    Attributes
    ----------
    shown : of each threshold in depth-first order, the parts that are shown
    signers : address of a *signed* -> key that co-signs for it; others are met by the transaction
    secret : shown for a preimage
    cumulative, taken : of a voucher
    device : who signs it
    """

    shown: Sequence[Sequence[int]] = ()
    signers: Mapping[Address, Key] = field(default_factory=dict)
    secret: bytes = SECRET
    cumulative: int = 0
    taken: int = 0
    device: Key = DEVICE


def by(*keys: Key) -> Mapping[Address, Key]:
    """Each of the keys co-signs for its own address."""
    return {key.address: key for key in keys}


def lock_of(condition: Condition, salt: bytes = SALT) -> Lock:
    """A lock of that condition."""
    return Lock(salt, condition)


def entry(essence: TransactionEssence, position: int, lock: Lock, way: Way) -> Entry:
    """What is shown for the input at `position`; a threshold shows all its parts where `way` says nothing."""
    masks = iter(way.shown)
    return Entry(position, lock, tuple(_prove(essence, position, lock.condition, way, masks)))


def _prove(
    essence: TransactionEssence, position: int, condition: Condition, way: Way, masks: Iterator[Sequence[int]]
) -> Iterator[Shown]:
    proof: Proof = NoProof()
    if isinstance(condition, Threshold):
        parts = next(masks, range(len(condition.parts)))
        proof = PartsShown(sum(1 << part for part in parts if part < len(condition.parts)))
        yield Shown(condition, proof)
        for part in condition.shown(proof.mask):
            yield from _prove(essence, position, part.condition, way, masks)
        return
    if isinstance(condition, Signed):
        key = way.signers.get(condition.address)
        digest = co_signed(essence.bare)
        proof = CoSignature(key.public, sign(key.seed, digest)) if key else OwnSignature()
    elif isinstance(condition, Preimage):
        proof = Secret(way.secret)
    elif isinstance(condition, Voucher):
        output_id = essence.inputs[position].output_id
        signature = sign_voucher(way.device.seed, PARAMETERS.network_id, output_id, way.cumulative)
        proof = VoucherShown(way.cumulative, way.taken, signature)
    yield Shown(condition, proof)


def show(*opened: tuple[int, Lock, Way], note: bytes = b"") -> Callable[[TransactionEssence], bytes]:
    """What a scene shows: input, lock and the way it is opened."""
    return lambda essence: Witness(tuple(entry(essence, *one) for one in opened), note).encode()


def at(lock: Lock, name: str = "locked", output: Output | None = None, **kinds: Any) -> Held:
    """1,000 base units, or `output`, at the address of a lock."""
    return held(name, output or basic(1_000, lock.address, **kinds))


def opening(
    condition: Condition,
    way: Way = Way(),
    *outputs: Output,
    signer: Key = BOB,
    **changes: Any,
) -> Scene:
    """1,000 base units behind a lock, opened by `way` in a transaction that `signer` signs."""
    lock = lock_of(condition)
    scene = Scene([at(lock)], [signer], outputs or [basic(1_000, signer.address)], show=show((0, lock, way)))
    return scene.but(**changes)


def channel(refund: Address = ALICE.address, asset: Any = None) -> Threshold:
    """The condition of a payment channel from Alice, whose device signs vouchers, to Bob."""
    return Threshold.all(Signed(BOB.address), Voucher(DEVICE.public, BOB.address, refund, asset or BaseCoins()))
