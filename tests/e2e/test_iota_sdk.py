"""PyPI iota-sdk 1.1.4, as it is, against a node in a process of its own.

The library was written for other nodes and knows nothing of this one: what it accepts, others will.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tangle.protocol.blocks import PAYLOADS, Block
from tangle.protocol.milestones import Milestone
from tangle.protocol.pow.score import has_score
from tangle.protocol.serial import Reader, to_hex
from tests.e2e.nodes import NodeProcess
from tests.e2e.sdk import (
    FAUCET_AMOUNT,
    WAIT_S,
    address_of,
    fund,
    make_client,
    make_wallet,
    sdk,
    settled,
    synced,
)

ALREADY_SPENT = {1, 2}
"""conflict reasons, TIP-25: the input was spent before, or by one that comes first in the same milestone"""


@pytest.fixture(scope="module")
def client(shared_node: NodeProcess) -> Any:
    """A client that does its own proof of work."""
    return make_client(shared_node, local_pow=True)


@pytest.fixture
def open_wallet(shared_node: NodeProcess, tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """Wallets, each with a storage of its own, over mnemonics."""
    opened: list[Any] = []

    def open_one(mnemonic: str) -> Any:
        opened.append(make_wallet(shared_node, str(tmp_path / f"wallet-{len(opened)}"), mnemonic))
        return opened[-1]

    yield open_one
    for wallet in opened:
        wallet.destroy()


def test_the_node_is_known_and_healthy(client: Any, shared_node: NodeProcess) -> None:
    info = client.get_info().nodeInfo
    assert info.status.isHealthy
    assert info.status.latestMilestone.index >= 1
    assert abs(info.status.latestMilestone.timestamp - time.time()) < 300
    assert info.protocol.bech32Hrp == client.get_bech32_hrp() == "tgl"
    assert info.protocol.rentStructure.vByteCost == 1
    assert int(info.protocol.tokenSupply) > 0
    assert info.features == ["pow"]
    assert client.get_health(shared_node.url) is True
    assert client.get_node_info(shared_node.url).name == info.name
    assert client.unhealthy_nodes() == []
    assert 1 <= len(client.get_tips()) <= 8


@pytest.mark.parametrize("local_pow", [True, False], ids=["local pow", "pow by the node"])
def test_a_tagged_data_block_is_kept_and_referenced(shared_node: NodeProcess, local_pow: bool) -> None:
    client = make_client(shared_node, local_pow=local_pow)
    tag, data = sdk.utf8_to_hex("water"), sdk.utf8_to_hex('{"flow_l_per_s": 3.2}')

    block_id, posted = client.build_and_post_block(tag=tag, data=data)

    held = client.get_block_data(block_id)
    assert held == posted
    assert (held.payload.tag, held.payload.data) == (tag, data)
    metadata = client.get_block_metadata(block_id)
    assert metadata.isSolid
    assert metadata.parents == held.parents
    raw = bytes(client.get_block_raw(block_id))
    block = Block.decode(raw)
    assert (to_hex(block.id), str(block.nonce)) == (block_id, held.nonce)
    assert has_score(raw, client.get_min_pow_score())
    metadata = settled(client, block_id)
    assert metadata.ledgerInclusionState == "noTransaction"
    milestone = client.get_milestone_by_index(metadata.referencedByMilestoneIndex)
    assert milestone.index == metadata.referencedByMilestoneIndex


@pytest.mark.slow
def test_a_connection_outlives_the_pause_between_two_looks_at_the_tips(
    client: Any, shared_node: NodeProcess
) -> None:
    # During its own work the library asks for new tips at this interval, over the connection it has.
    pause_s = client.get_tips_interval() + 0.5
    connection = HTTPConnection("127.0.0.1", shared_node.port, timeout=10)
    with closing(connection):
        connection.connect()
        kept = connection.sock
        for _ in range(2):
            connection.request("GET", "/api/core/v2/tips")
            assert connection.getresponse().read()
            time.sleep(pause_s)
        connection.request("GET", "/api/core/v2/tips")
        assert connection.getresponse().status == 200
        assert connection.sock is kept


def test_wallets_are_funded_and_pay_each_other(
    client: Any, shared_node: NodeProcess, open_wallet: Callable[[str], Any]
) -> None:
    customer_words = sdk.Utils.generate_mnemonic()
    customer = open_wallet(customer_words).create_account("customer")
    owner = open_wallet(sdk.Utils.generate_mnemonic()).create_account("owner")
    fund(client, shared_node, customer)

    sent = customer.send("1000000", address_of(owner))
    customer.retry_transaction_until_included(sent.transactionId, 1, WAIT_S)

    assert int(synced(customer).available) == FAUCET_AMOUNT - 1_000_000
    assert int(synced(owner).available) == 1_000_000
    assert [heard.transactionId for heard in owner.incoming_transactions()] == [sent.transactionId]
    # Back again, whole: an input without a remainder.
    back = owner.send("1000000", address_of(customer))
    owner.retry_transaction_until_included(back.transactionId, 1, WAIT_S)
    assert int(synced(owner).total) == 0
    assert int(synced(customer).available) == FAUCET_AMOUNT
    # Two outputs into one, and then all of it found again from the words alone.
    merged = customer.consolidate_outputs(sdk.ConsolidationParams(force=True))
    customer.retry_transaction_until_included(merged.transactionId, 1, WAIT_S)
    (recovered,) = open_wallet(customer_words).recover_accounts(0, 1, 3, None)
    assert [held["amount"] for held in unspent_of(recovered)] == [str(FAUCET_AMOUNT)]


def unspent_of(account: dict[str, Any]) -> list[dict[str, Any]]:
    return [held["output"] for held in account["unspentOutputs"].values()]


def test_of_two_spends_of_one_output_one_is_included(
    client: Any, shared_node: NodeProcess, open_wallet: Callable[[str], Any]
) -> None:
    # The same words on two devices: neither knows what the other one sends.
    words = sdk.Utils.generate_mnemonic()
    here, there = (open_wallet(words).create_account("both") for _ in range(2))
    heirs = [open_wallet(sdk.Utils.generate_mnemonic()).create_account("heir") for _ in range(2)]
    fund(client, shared_node, here)
    assert int(synced(there).available) == FAUCET_AMOUNT

    sent = [
        account.send(amount, address_of(heir))
        for account, amount, heir in zip((here, there), ("1000000", "2000000"), heirs, strict=True)
    ]

    found = {one.blockId: settled(client, one.blockId) for one in sent}
    states = [found[one.blockId].ledgerInclusionState for one in sent]
    assert sorted(states) == ["conflicting", "included"]
    reasons = {metadata.ledgerInclusionState: metadata.conflictReason for metadata in found.values()}
    assert reasons["included"] is None
    assert reasons["conflicting"] in ALREADY_SPENT
    amounts = [1_000_000, 2_000_000]
    kept = [amount if state == "included" else 0 for amount, state in zip(amounts, states, strict=True)]
    assert [int(synced(heir).total) for heir in heirs] == kept
    # Both devices agree with the ledger in the end.
    for account, one, state in zip((here, there), sent, states, strict=True):
        assert int(synced(account).available) == FAUCET_AMOUNT - sum(kept)
        assert account.pending_transactions() == []
        expected = {"included": "Confirmed", "conflicting": "Conflicting"}[state]
        assert account.get_transaction(one.transactionId).inclusionState == expected


def test_the_ledger_is_told_as_the_library_expects(
    client: Any, shared_node: NodeProcess, open_wallet: Callable[[str], Any]
) -> None:
    account = open_wallet(sdk.Utils.generate_mnemonic()).create_account("reader")
    fund(client, shared_node, account)

    (output_id,) = client.basic_output_ids(sdk.NodeIndexerAPI.QueryParameters(address=address_of(account))).items
    held = client.get_output(output_id)
    assert held.output.amount == str(FAUCET_AMOUNT)
    assert held.metadata.isSpent is False
    transaction_id, index = held.metadata.transactionId, held.metadata.milestoneIndexBooked
    block_id = held.metadata.blockId
    assert client.get_included_block(transaction_id) == client.get_block_data(block_id)
    assert client.get_included_block_metadata(transaction_id).blockId == block_id
    changes = client.get_utxo_changes_by_index(index)
    assert str(output_id) in changes.createdOutputs
    raw = bytes(client.get_milestone_by_index_raw(index))
    milestone = PAYLOADS.decode(Reader(raw))
    assert isinstance(milestone, Milestone)
    assert client.get_milestone_by_id(to_hex(milestone.id)) == client.get_milestone_by_index(index)
    assert bytes(client.get_milestone_by_id_raw(to_hex(milestone.id))) == raw
    assert client.get_receipts() == []
    assert client.get_treasury()["amount"] == "0"
    assert client.get_peers() == []
    with pytest.raises(sdk.client.client.ClientError, match="not found"):
        client.get_block_data(to_hex(bytes(31) + b"\1"))
