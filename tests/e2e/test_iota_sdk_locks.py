"""PyPI iota-sdk, as it is, beside locks: it opens a payment channel, is refunded by the payee's claim, takes an
expired one back by itself, and reads the block that opens a lock.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from tangle.protocol.addresses import from_bech32, to_bech32
from tangle.protocol.locks import (
    WITNESS_TAG,
    BaseCoins,
    Entry,
    Lock,
    OwnSignature,
    PartsShown,
    Shown,
    Signed,
    Threshold,
    Voucher,
    VoucherShown,
    Witness,
    sign_voucher,
)
from tangle.protocol.outputs import OUTPUTS, BasicOutput
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import Fields, from_hex, to_hex
from tangle.protocol.signatures import sign
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import (
    Ed25519Signature,
    SignatureUnlock,
    Transaction,
    TransactionEssence,
    UtxoInput,
    inputs_commitment,
)
from tests.e2e.nodes import NodeProcess
from tests.e2e.sdk import (
    FAUCET_AMOUNT,
    address_of,
    balance_of,
    fund,
    make_client,
    make_wallet,
    sdk,
    settled,
    until,
)
from tests.networks import Key

DEPOSIT, USED, ALLOWED = 10_000_000, 1_000_000, 7_000_000
PAYEE, DEVICE = Key.named("a payee without a single coin"), Key.named("the payer's device")
HRP = "tgl"
SOON_S = 4


def channel(payer: str) -> tuple[Lock, Signed, Voucher]:
    """The lock of a payment channel from the wallet's address, and its parts."""
    signed = Signed(PAYEE.address)
    voucher = Voucher(DEVICE.public, PAYEE.address, from_bech32(payer, HRP), BaseCoins())
    return Lock(b"8 bytes.", Threshold.all(signed, voucher)), signed, voucher


def claim(output_id: bytes, output: Any, payer: str) -> Transaction:
    """The payee takes what it used of what the voucher allows; the rest goes back."""
    lock, signed, voucher = channel(payer)
    network_id = ProtocolParameters().network_id
    signature = sign_voucher(DEVICE.seed, network_id, output_id, ALLOWED)
    shown = (
        Shown(lock.condition, PartsShown(3)),
        Shown(signed, OwnSignature()),
        Shown(voucher, VoucherShown(ALLOWED, USED, signature)),
    )
    essence = TransactionEssence(
        network_id,
        (UtxoInput.of(output_id),),
        inputs_commitment([output]),
        (BasicOutput.to(PAYEE.address, USED), BasicOutput.to(voucher.refund, DEPOSIT - USED)),
        TaggedData(WITNESS_TAG, Witness((Entry(0, lock, shown),)).encode()),
    )
    own = Ed25519Signature(PAYEE.public, sign(PAYEE.seed, essence.hash))
    return Transaction(essence, (SignatureUnlock(own),))


def open_channel(account: Any, client: Any, expires_at: int) -> str:
    """Has the wallet fund a payment channel; returns the output's id."""
    address = to_bech32(channel(address_of(account))[0].address, HRP)
    unlocks = sdk.Unlocks(expirationUnixTime=expires_at)
    prepared = account.prepare_output(sdk.OutputParams(address, str(DEPOSIT), unlocks=unlocks))
    sent = account.submit_and_store_transaction(account.prepare_transaction([prepared]).sign())
    assert settled(client, sent.blockId).ledgerInclusionState == "included"
    balance_of(account)
    return f"{sent.transactionId}0000"


def test_a_payment_channel_of_a_wallet_that_knows_no_locks(shared_node: NodeProcess, tmp_path: Path) -> None:
    client = make_client(shared_node, local_pow=True)
    wallet = make_wallet(shared_node, str(tmp_path / "wallet"), sdk.Utils.generate_mnemonic())
    account = wallet.create_account("payer")
    fund(client, shared_node, account)
    soon = int(time.time()) + SOON_S
    expiring = open_channel(account, client, soon)
    output_id = open_channel(account, client, soon + 3_600)
    payer = address_of(account)
    assert int(balance_of(account).baseCoin.available) == FAUCET_AMOUNT - 2 * DEPOSIT

    with httpx.Client(base_url=shared_node.url, trust_env=False, timeout=30) as http:
        told = http.get(f"/api/core/v2/outputs/{output_id}").json()["output"]
        output = OUTPUTS.from_json(Fields(told))
        made = claim(from_hex(output_id, "output"), output, payer)
        assert made.essence.payload is not None
        forged = replace(made.essence, payload=TaggedData(WITNESS_TAG, made.essence.payload.data[:-1]))
        own = Ed25519Signature(PAYEE.public, sign(PAYEE.seed, forged.hash))
        refused = http.post(
            "/api/core/v2/blocks", json={"payload": Transaction(forged, (SignatureUnlock(own),)).to_json()}
        )
        assert (refused.status_code, refused.json()["code"]) == (400, "lock_invalid")
        answer = http.post("/api/core/v2/blocks", json={"payload": made.to_json()})
        assert answer.status_code == 201, answer.text
    block_id = answer.json()["blockId"]
    metadata = settled(client, block_id)
    assert (metadata.ledgerInclusionState, metadata.conflictReason) == ("included", None)
    # It reads the block that carries the witness, and sees the rest come back.
    read = client.get_block_data(block_id)
    assert read.payload.essence.payload.tag == to_hex(WITNESS_TAG)
    assert int(balance_of(account).baseCoin.available) == FAUCET_AMOUNT - DEPOSIT - USED

    until(lambda: time.time() > soon + 1, "the expiration")
    balance_of(account)
    assert account.claimable_outputs("All") == [expiring]
    taken_back = account.submit_and_store_transaction(account.prepare_claim_outputs([expiring]).sign())
    assert settled(client, taken_back.blockId).ledgerInclusionState == "included"
    assert int(balance_of(account).baseCoin.available) == FAUCET_AMOUNT - USED
    wallet.destroy()
