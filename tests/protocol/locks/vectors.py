"""Test vectors of docs/locks.md: `python -m tests.protocol.locks.vectors` writes tests/vectors/locks-1.json."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tangle.protocol.addresses import AliasAddress, NftAddress
from tangle.protocol.locks import (
    Announcement,
    BaseCoins,
    Carries,
    Condition,
    Everything,
    Lock,
    Makes,
    NftAsset,
    Part,
    Pays,
    Preimage,
    Signed,
    Stake,
    Threshold,
    TokenAsset,
    Voucher,
    announcement_tag,
    sign_voucher,
    voucher_message,
)
from tangle.protocol.serial import blake2b_256
from tangle.protocol.transactions import Transaction
from tangle.state.rules.locks import blanked
from tests.networks import PARAMETERS
from tests.state.rules.builders import ALICE, BOB, CAROL, alias, basic, token_of
from tests.state.rules.locked import DEVICE, SECRET, Way, at, by, channel, lock_of, opening, show

FILE = Path(__file__).parents[2] / "vectors" / "locks-1.json"
HOME, TITLE = AliasAddress(blake2b_256(b"an alias")), blake2b_256(b"an nft")
TOKEN = token_of(HOME, 1).token_id
LOCKS: dict[str, Condition] = {
    "a key": Signed(ALICE.address),
    "an alias": Signed(HOME),
    "an NFT": Signed(NftAddress(TITLE)),
    "a payment channel": channel(),
    "a payment channel in a token": channel(asset=TokenAsset(TOKEN)),
    "two of three": Threshold(2, tuple(Part(1, Signed(key.address)) for key in (ALICE, BOB, CAROL))),
    "an offer": Pays(ALICE.address, BaseCoins(), 2_000_000),
    "a price in tokens": Pays(ALICE.address, TokenAsset(TOKEN), 7),
    "a bid for an NFT": Pays(ALICE.address, NftAsset(TITLE), 0),
    "an escrow": Threshold.any(
        Threshold.all(Signed(CAROL.address), Pays(ALICE.address, Everything(), 0)),
        Threshold.all(Signed(CAROL.address), Pays(BOB.address, Everything(), 0)),
    ),
    "a swap": Threshold.all(Signed(BOB.address), Preimage(1, hashlib.sha256(SECRET).digest())),
    "a vote": Threshold.all(Stake(TOKEN, 51, 86_400), Carries(), Makes(blanked(alias(1_000)))),
    "weights": Threshold(
        5, (Part(3, Signed(ALICE.address)), Part(2, Voucher(DEVICE.public, BOB.address, HOME, BaseCoins())))
    ),
    "as deep as can be": Threshold.all(Threshold.all(Threshold.all(Threshold.all(Carries())))),
}


def make() -> dict[str, Any]:
    """All vectors, from fixed keys."""
    return {
        "format": "docs/locks.md, version 1; bytes in hex; the network id is a number",
        "networkId": PARAMETERS.network_id,
        "locks": [lock(name, lock_of(condition)) for name, condition in LOCKS.items()],
        "vouchers": [voucher(cumulative) for cumulative in (0, 1_000_000, 2**64 - 1)],
        "announcement": announcement(),
        "blanked": {"output": alias(7, state=b"now").encode().hex(), "digest": blanked(alias(1)).hex()},
        "transactions": [transaction(name, made) for name, made in transactions().items()],
    }


def lock(name: str, made: Lock) -> dict[str, Any]:
    """One lock."""
    return {
        "name": name,
        "lock": made.encoded.hex(),
        "json": made.to_json(),
        "address": made.address.encode().hex(),
    }


def voucher(cumulative: int) -> dict[str, Any]:
    """A voucher of the payer's device."""
    output_id = blake2b_256(b"an output") + b"\x01\x00"
    return {
        "key": DEVICE.public.hex(),
        "outputId": output_id.hex(),
        "cumulative": cumulative,
        "message": voucher_message(PARAMETERS.network_id, output_id, cumulative).hex(),
        "signature": sign_voucher(DEVICE.seed, PARAMETERS.network_id, output_id, cumulative).hex(),
    }


def announcement() -> dict[str, Any]:
    """That of the payment channel."""
    made = Announcement(lock_of(channel()), b"a toast")
    return {
        "metadata": made.encode().hex(),
        "lock": made.lock.encoded.hex(),
        "purpose": made.purpose.hex(),
        "payee": BOB.address.encode().hex(),
        "tag": announcement_tag(BOB.address).hex(),
    }


def transactions() -> dict[str, Transaction]:
    """Transactions that open locks."""
    both = Threshold.all(Signed(BOB.address), Signed(CAROL.address))
    swap, offer = lock_of(LOCKS["a swap"]), lock_of(Pays(ALICE.address, BaseCoins(), 400))
    two = opening(both, Way(signers=by(CAROL)))
    return {
        "a claim": opening(
            channel(), Way(cumulative=700, taken=500), basic(500, BOB.address), basic(500)
        ).transaction,
        "a co-signature": two.transaction,
        "two locks and a note": two.but(
            consumed=[at(swap, "one"), at(offer, "two")],
            unlocks=[BOB, BOB],
            outputs=[basic(400), basic(1_600, BOB.address)],
            show=show((0, swap, Way()), (1, offer, Way()), note=b"thank you"),
        ).transaction,
    }


def transaction(name: str, made: Transaction) -> dict[str, Any]:
    """One transaction, what its co-signers sign, and what it shows."""
    essence = made.essence
    assert essence.payload is not None
    assert made.witness is not None
    return {
        "name": name,
        "transaction": made.encode().hex(),
        "bare": essence.bare.hex(),
        "outputIds": [consumed.output_id.hex() for consumed in essence.inputs],
        "witness": essence.payload.data.hex(),
        "note": made.witness.note.hex(),
        "entries": [
            {"input": entry.position, "lock": entry.lock.encoded.hex(), "shown": len(entry.shown)}
            for entry in made.witness.entries
        ],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(make(), indent=1) + "\n")
