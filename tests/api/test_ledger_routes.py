"""Outputs, milestones, the indexer, histories and the supply, after a few real transactions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from tangle.protocol.answers import BlockMetadata
from tangle.protocol.merkle import merkle_root
from tangle.protocol.milestones import Milestone
from tangle.protocol.outputs import OUTPUTS, BasicOutput, Output, SenderFeature, TagFeature
from tangle.protocol.serial import Fields, Reader
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction
from tangle.store import queries
from tests.networks import Key, coins_of, note, spend
from tests.nodes import BINARY, RunningNode, running_node

ALICE, BOB = Key.named("alice"), Key.named("bob")
COINS = 7
AMOUNT = 1_000_000


@dataclass(frozen=True)
class Story:
    """The holder gives Alice seven coins, one of them tagged; Alice sends one on to Bob."""

    node: RunningNode
    gift: Transaction
    payment: Transaction
    gift_index: int
    payment_index: int


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    data = tmp_path_factory.mktemp("ledger") / "data"
    with running_node(data, page_size_max=3, faucet=False) as node:
        holder = node.holder
        (genesis,) = node.coins(holder)
        outputs = [BasicOutput.to(ALICE.address, AMOUNT) for _ in range(COINS - 1)]
        outputs.append(BasicOutput.to(ALICE.address, AMOUNT, SenderFeature(holder.address), TagFeature(b"gift")))
        rest = genesis.output.amount - COINS * AMOUNT
        parameters = node.service.parameters
        gift = spend([genesis], [*outputs, BasicOutput.to(holder.address, rest)], parameters=parameters)
        given = node.include(gift)
        coin = coins_of(gift, [ALICE])[0]
        payment = spend([coin], [BasicOutput.to(BOB.address, AMOUNT)], parameters=parameters)
        paid = node.include(payment)
        assert given["ledgerInclusionState"] == paid["ledgerInclusionState"] == "included"
        indexes = given["referencedByMilestoneIndex"], paid["referencedByMilestoneIndex"]
        yield Story(node, gift, payment, *indexes)


def test_a_spent_output_tells_by_what_and_when(story: Story) -> None:
    node, output_id = story.node, story.gift.output_id(0)
    answer = node.get(f"/api/core/v2/outputs/0x{output_id.hex()}")
    assert OUTPUTS.from_json(Fields(answer["output"])) == story.gift.essence.outputs[0]
    metadata = answer["metadata"]
    assert metadata == node.get(f"/api/core/v2/outputs/0x{output_id.hex()}/metadata") | {
        "ledgerIndex": metadata["ledgerIndex"]
    }
    assert metadata["isSpent"] is True
    assert metadata["transactionId"] == f"0x{story.gift.id.hex()}"
    assert metadata["transactionIdSpent"] == f"0x{story.payment.id.hex()}"
    assert metadata["milestoneIndexBooked"] == story.gift_index
    assert metadata["milestoneIndexSpent"] == story.payment_index
    assert metadata["ledgerIndex"] >= story.payment_index


def test_an_unspent_output_has_no_members_of_spending(story: Story) -> None:
    answer = story.node.get(f"/api/core/v2/outputs/0x{story.payment.output_id(0).hex()}")
    assert answer["metadata"]["isSpent"] is False
    assert not [name for name in answer["metadata"] if name.endswith("Spent") and name != "isSpent"]
    raw = story.node.http.get(
        f"/api/core/v2/outputs/0x{story.payment.output_id(0).hex()}", headers={"accept": BINARY}
    ).content
    assert OUTPUTS.decode(Reader(raw)) == story.payment.essence.outputs[0]


def test_the_included_block_carries_the_transaction(story: Story) -> None:
    path = f"/api/core/v2/transactions/0x{story.payment.id.hex()}/included-block"
    assert story.node.get(path)["payload"] == story.payment.to_json()
    assert story.node.get(path + "/metadata")["ledgerInclusionState"] == "included"


def test_milestones_by_id_and_index_are_the_same_and_name_the_changes(story: Story) -> None:
    node, index = story.node, story.payment_index
    by_index = node.get(f"/api/core/v2/milestones/by-index/{index}")
    milestone = Milestone.from_json(Fields(by_index))
    path = f"/api/core/v2/milestones/0x{milestone.id.hex()}"
    assert node.get(path) == by_index
    raw = node.http.get(path, headers={"accept": BINARY}).content
    assert Milestone.decode(Reader(raw)) == milestone
    changes = node.get(f"/api/core/v2/milestones/by-index/{index}/utxo-changes")
    assert changes == node.get(path + "/utxo-changes")
    assert f"0x{story.payment.output_id(0).hex()}" in changes["createdOutputs"]
    assert f"0x{story.gift.output_id(0).hex()}" in changes["consumedOutputs"]


def test_the_root_of_a_milestone_recomputes_from_the_event_stream(story: Story) -> None:
    """The inclusion root recomputes from the blocks in order of their referenced events (TIP-4)."""
    node = story.node
    milestone = Milestone.from_json(Fields(node.get(f"/api/core/v2/milestones/by-index/{story.gift_index}")))
    order = [
        event["blockId"]
        for event in _events(node)
        if event["type"] == "referenced" and event["milestoneIndex"] == story.gift_index
    ]
    assert merkle_root([bytes.fromhex(text[2:]) for text in order]) == milestone.essence.inclusion_root


def _events(node: RunningNode) -> list[dict[str, Any]]:
    last = node.get("/api/tangle/v1/metrics")["eventNumber"]
    found: list[dict[str, Any]] = []
    with node.http.stream("GET", "/api/tangle/v1/events", params={"after": 0}) as response:
        for line in response.iter_lines():
            if line.startswith("data: "):
                found.append(orjson.loads(line[6:]))
                if found[-1]["number"] == last:
                    break
    return found


def _pages(node: RunningNode, path: str, **filters: object) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        answer = node.get(path, **filters, **({"cursor": cursor} if cursor else {}))
        assert answer["ledgerIndex"] >= 1
        pages.append(answer["items"])
        cursor = answer.get("cursor")
        if cursor is None:
            return pages


@pytest.mark.parametrize("path", ["/api/indexer/v1/outputs/basic", "/api/indexer/v1/outputs"])
def test_pages_hold_every_output_once(story: Story, path: str) -> None:
    node = story.node
    pages = _pages(node, path, unlockableByAddress=node.bech32(ALICE.address), pageSize=2)
    assert [len(page) for page in pages] == [2, 2, 2]
    expected = {f"0x{story.gift.output_id(i).hex()}" for i in range(1, COINS)}
    assert {item for page in pages for item in page} == expected


def test_the_node_bounds_the_page_whoever_names_its_size(story: Story) -> None:
    node, address = story.node, story.node.bech32(ALICE.address)
    first = node.get("/api/indexer/v1/outputs/basic", address=address, pageSize=1_000)
    assert len(first["items"]) == 3
    place, _, store = first["cursor"].split(".")
    stretched = f"{place}.1000.{store}"
    assert len(node.get("/api/indexer/v1/outputs/basic", address=address, cursor=stretched)["items"]) == 3


@pytest.mark.parametrize("cursor", ["", "x", "00.1", "0" * 76, "0" * 76 + ".0", "é" * 20])
def test_a_made_up_cursor_is_refused(story: Story, cursor: str) -> None:
    response = story.node.http.get("/api/indexer/v1/outputs/basic", params={"cursor": cursor})
    assert (response.status_code, response.json()["code"]) == (400, "malformed_cursor")


def test_filters_of_the_indexer(story: Story) -> None:
    node = story.node
    tagged = f"0x{story.gift.output_id(COINS - 1).hex()}"
    booked = node.get(f"/api/core/v2/outputs/{tagged}/metadata")["milestoneTimestampBooked"]
    alice = {"address": node.bech32(ALICE.address)}

    def items(**filters: object) -> list[str]:
        return [item for page in _pages(node, "/api/indexer/v1/outputs/basic", **filters) for item in page]

    assert items(tag="0x67696674") == items(sender=node.bech32(node.holder.address)) == [tagged]
    assert items(tag="0x6769") == []
    assert len(items(**alice, createdAfter=booked - 1)) == COINS - 1
    assert items(**alice, createdAfter=booked) == items(**alice, createdBefore=booked) == []
    assert len(items(**alice, createdBefore=booked + 1)) == COINS - 1
    for absent in ("hasNativeTokens", "hasStorageDepositReturn", "hasTimelock", "hasExpiration"):
        assert items(**alice, **{absent: "true"}) == []
        assert len(items(**alice, **{absent: "false"})) == COINS - 1
    assert items(**alice, minNativeTokenCount=1) == []
    assert len(items(**alice, maxNativeTokenCount=1)) == COINS - 1
    assert items(**alice, expiresBefore=2**40) == items(**alice, timelockedAfter=0) == []


@pytest.mark.parametrize("kind", ["alias", "foundry", "nft"])
def test_kinds_of_outputs_that_nobody_has_are_empty_pages(story: Story, kind: str) -> None:
    answer = story.node.get(f"/api/indexer/v1/outputs/{kind}")
    assert answer["items"] == []
    assert "cursor" not in answer


def test_histories_add_up_to_the_balance(story: Story) -> None:
    node = story.node
    items = node.get(f"/api/tangle/v1/addresses/{node.bech32(ALICE.address)}/history")["items"]
    assert [item["amount"] for item in items] == [str(COINS * AMOUNT), str(-AMOUNT)]
    assert items[0]["counterparts"] == [node.bech32(node.holder.address)]
    assert items[1]["counterparts"] == [node.bech32(BOB.address)]
    assert [item["milestoneIndex"] for item in items] == [story.gift_index, story.payment_index]
    assert sum(int(item["amount"]) for item in items) == sum(output.amount for output in _all_coins(story, ALICE))


def _all_coins(story: Story, key: Key) -> list[Output]:
    node = story.node
    pages = _pages(node, "/api/indexer/v1/outputs/basic", address=node.bech32(key.address))
    answers = [node.get(f"/api/core/v2/outputs/{item}")["output"] for page in pages for item in page]
    return [OUTPUTS.from_json(Fields(answer)) for answer in answers]


def test_histories_come_in_pages(story: Story) -> None:
    node = story.node
    path = f"/api/tangle/v1/addresses/{node.bech32(ALICE.address)}/history"
    first = node.get(path, pageSize=1)
    second = node.get(path, pageSize=1, after=first["next"])
    assert "next" not in second
    assert first["items"] + second["items"] == node.get(path)["items"]


def test_the_supply_is_all_there(story: Story) -> None:
    answer = story.node.get("/api/tangle/v1/supply")
    assert answer["unspent"] == answer["tokenSupply"] == str(story.node.settings.token_supply)


def test_blocks_by_tag_come_in_pages(story: Story) -> None:
    node = story.node
    ids = [f"0x{node.attach(note(f'tagged {i}')).hex()}" for i in range(5)]
    path = f"/api/tangle/v1/tags/0x{b'note'.hex()}/blocks"
    first = node.get(path)
    assert len(first["items"]) == 3
    second = node.get(path, after=first["next"])
    assert "next" not in second
    assert [item["blockId"] for item in first["items"] + second["items"]] == ids


def test_the_graph_is_a_slice_whose_parents_come_first(story: Story) -> None:
    answer = story.node.get("/api/tangle/v1/graph", limit=3)
    nodes = answer["nodes"]
    assert len(nodes) == 3
    assert [one["number"] for one in nodes] == sorted(one["number"] for one in nodes)
    position = {one["blockId"]: i for i, one in enumerate(nodes)}
    for i, one in enumerate(nodes):
        assert all(position.get(parent, -1) < i for parent in one["parents"])


def test_the_node_info_has_every_member_that_clients_need(story: Story) -> None:
    info = story.node.get("/api/core/v2/info")
    assert info["status"]["isHealthy"] is True
    assert info["status"]["latestMilestone"]["index"] >= story.payment_index
    assert info["status"]["pruningIndex"] == 0
    assert info["protocol"]["tokenSupply"] == str(story.node.settings.token_supply)
    assert info["features"] == ["pow"]
    assert info["rules"] == ["locks/1"]
    assert info["pendingProtocolParameters"] == []
    assert all(isinstance(rate, float) for rate in info["metrics"].values())
    assert story.node.http.get("/health").status_code == 200
    assert "core/v2" in story.node.get("/api/routes")["routes"]


def test_what_was_never_migrated_is_empty(story: Story) -> None:
    assert story.node.get("/api/core/v2/receipts") == {"receipts": []}
    assert story.node.get("/api/core/v2/receipts/7") == {"receipts": []}
    assert story.node.get("/api/core/v2/treasury") == {"milestoneId": "0x" + "00" * 32, "amount": "0"}
    assert story.node.get("/api/core/v2/peers") == []


def test_tips_are_sorted_unique_and_as_many_as_asked(story: Story) -> None:
    for count in (None, 1, 8):
        tips = story.node.get("/api/core/v2/tips", **({"count": count} if count else {}))["tips"]
        assert 1 <= len(tips) <= (count or 2)
        assert tips == sorted(set(tips))


def test_the_generation_before_finds_what_it_wrote(story: Story) -> None:
    node = story.node
    body = {"payload": {"type": 2, "index": b"old".hex(), "data": "c0ffee"}}
    response = node.http.post("/api/v1/messages", json=body)
    assert response.status_code == 201, response.text
    message_id = response.json()["data"]["messageId"]
    assert node.get("/api/v1/messages", index=b"old".hex())["data"]["messageIds"] == [message_id]
    message = node.get(f"/api/v1/messages/{message_id}")["data"]
    assert message["payload"] == body["payload"]
    assert node.get(f"/api/v1/messages/{message_id}/metadata")["data"]["messageId"] == message_id
    raw = node.http.get(f"/api/v1/messages/{message_id}/raw").content
    assert raw == node.http.get(f"/api/core/v2/blocks/0x{message_id}", headers={"accept": BINARY}).content
    assert node.get("/api/v1/info")["data"]["networkId"] == node.settings.network_name
    assert node.get("/api/v1/tips")["data"]["tipMessageIds"]
    bad = node.http.post("/api/v1/messages", json={"payload": {"type": 0}})
    assert (bad.status_code, bad.json()["code"]) == (400, "unknown_type")


def test_metadata_tells_the_place_in_white_flag_order(node: RunningNode) -> None:
    blocks = [node.attach(TaggedData(b"order", bytes([number]))) for number in range(3)]
    found = [node.wait_referenced(block_id) for block_id in blocks]
    for metadata in found:
        index = metadata["referencedByMilestoneIndex"]
        with node.service.connect() as connection:
            order = [record.block.block_id for record in queries.milestone_blocks(connection, index)]
        assert "0x" + order[metadata["whiteFlagIndex"]].hex() == metadata["blockId"]
        assert BlockMetadata.from_json(Fields(metadata)).white_flag_index == metadata["whiteFlagIndex"]
