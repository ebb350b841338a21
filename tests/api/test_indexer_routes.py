"""All of TIP-26 over outputs of every type, and the routes of TIP-25 that show them, on a running node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tangle.protocol.addresses import Address
from tangle.protocol.blocks import Block
from tangle.protocol.outputs import (
    OUTPUTS,
    AddressUnlockCondition,
    AliasOutput,
    BasicOutput,
    ExpirationUnlockCondition,
    FoundryOutput,
    GovernorAddressUnlockCondition,
    ImmutableAliasAddressUnlockCondition,
    IssuerFeature,
    MetadataFeature,
    NativeToken,
    NftOutput,
    Output,
    SenderFeature,
    SimpleTokenScheme,
    StateControllerAddressUnlockCondition,
    StorageDepositReturnUnlockCondition,
    TagFeature,
    TimelockUnlockCondition,
)
from tangle.protocol.serial import Fields, Reader
from tangle.protocol.transactions import Transaction
from tests.networks import Coin, Key, coins_of, spend
from tests.nodes import BINARY, RunningNode, running_node

ALICE, BOB, CAROL, DAVE = (Key.named(name) for name in ("alice", "bob", "carol", "dave"))
AMOUNT = 1_000_000
LATER = 2**32 - 1
PATH = "/api/indexer/v1/outputs"
PARAMETERS = {
    "": {"unlockableByAddress"},
    "/basic": {
        "address",
        "unlockableByAddress",
        "hasStorageDepositReturn",
        "storageDepositReturnAddress",
        "hasTimelock",
        "timelockedBefore",
        "timelockedAfter",
        "hasExpiration",
        "expiresBefore",
        "expiresAfter",
        "expirationReturnAddress",
        "sender",
        "tag",
    },
    "/alias": {"stateController", "governor", "unlockableByAddress", "issuer", "sender"},
    "/foundry": {"aliasAddress"},
}
PARAMETERS["/nft"] = PARAMETERS["/basic"] | {"issuer"}
EVERYWHERE = {
    "hasNativeTokens",
    "minNativeTokenCount",
    "maxNativeTokenCount",
    "createdBefore",
    "createdAfter",
    "pageSize",
    "cursor",
}
"""parameters of every query of TIP-26, beside those above"""


@dataclass(frozen=True)
class Story:
    """Alice makes an alias, an NFT and outputs on conditions; then her alias makes a foundry, which mints tokens.

    Attributes
    ----------
    ids : what an output is called here -> its id in hex; the unspent ones
    """

    node: RunningNode
    made: Transaction
    minted: Transaction
    alias: AliasOutput
    foundry: FoundryOutput
    ids: dict[str, str]

    @property
    def alias_id(self) -> bytes:
        return self.alias.alias_id

    @property
    def nft_id(self) -> bytes:
        nft = self.made.essence.outputs[1]
        assert isinstance(nft, NftOutput)
        return nft.chain_id(self.made.output_id(1))

    def found(self, kind: str, **asked: object) -> set[str]:
        """The names of the outputs that a query finds, over all its pages, without what the holder has."""
        names = {output_id: name for name, output_id in self.ids.items()}
        items, cursor = list[str](), None
        while True:
            page = self.node.get(PATH + kind, **asked, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page.get("cursor")
            if cursor is None:
                assert len(items) == len(set(items))
                return {names[item] for item in items if item in names}

    def bech32(self, key: Key | Address) -> str:
        return self.node.bech32(key.address if isinstance(key, Key) else key)


def conditional_outputs() -> list[Output]:
    to_bob, to_carol = AddressUnlockCondition(BOB.address), AddressUnlockCondition(CAROL.address)
    expiration = ExpirationUnlockCondition(ALICE.address, LATER)
    return [
        AliasOutput(
            AMOUNT,
            (StateControllerAddressUnlockCondition(ALICE.address), GovernorAddressUnlockCondition(DAVE.address)),
            immutable_features=(IssuerFeature(ALICE.address), MetadataFeature(b"works")),
        ),
        NftOutput(
            AMOUNT,
            (to_bob, expiration),
            (SenderFeature(ALICE.address), TagFeature(b"car")),
            immutable_features=(IssuerFeature(ALICE.address),),
        ),
        BasicOutput(AMOUNT, (to_bob, StorageDepositReturnUnlockCondition(ALICE.address, AMOUNT))),
        BasicOutput(AMOUNT, (to_carol, TimelockUnlockCondition(LATER))),
        BasicOutput(AMOUNT, (to_carol, expiration), (SenderFeature(ALICE.address), TagFeature(b"rent"))),
    ]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    data = tmp_path_factory.mktemp("indexer") / "data"
    with running_node(data, page_size_max=3, faucet=False) as node:
        parameters = node.service.parameters
        (genesis,) = node.coins(node.holder)
        rest = BasicOutput.to(node.holder.address, genesis.output.amount - 10 * AMOUNT)
        gift = spend([genesis], [BasicOutput.to(ALICE.address, 10 * AMOUNT), rest], parameters=parameters)
        node.include(gift)
        change = BasicOutput.to(ALICE.address, 5 * AMOUNT)
        made = spend(coins_of(gift, [ALICE]), [*conditional_outputs(), change], parameters=parameters)
        assert node.include(made)["ledgerInclusionState"] == "included"
        minted, alias, foundry = mint(made, node)
        assert node.include(minted)["ledgerInclusionState"] == "included"
        places = {"alias": (minted, 0), "foundry": (minted, 1), "tokens": (minted, 2), "coins": (minted, 3)}
        places |= {"nft": (made, 1), "returning": (made, 2), "locked": (made, 3), "expiring": (made, 4)}
        ids = {name: f"0x{source.output_id(i).hex()}" for name, (source, i) in places.items()}
        yield Story(node, made, minted, alias, foundry, ids)


def mint(made: Transaction, node: RunningNode) -> tuple[Transaction, AliasOutput, FoundryOutput]:
    """The alias's next state, its foundry, and tokens of two in a basic output."""
    new = made.essence.outputs[0]
    assert isinstance(new, AliasOutput)
    alias_id = new.chain_id(made.output_id(0))
    alias = AliasOutput(
        AMOUNT,
        new.unlock_conditions,
        immutable_features=new.immutable_features,
        alias_id=alias_id,
        state_index=1,
        state_metadata=b"open",
        foundry_counter=1,
    )
    address = alias.alias_address(b"")
    foundry = FoundryOutput(
        AMOUNT,
        (ImmutableAliasAddressUnlockCondition(address),),
        immutable_features=(MetadataFeature(b"tokens"),),
        serial_number=1,
        token_scheme=SimpleTokenScheme(100, 0, 1000),
    )
    tokens = BasicOutput(
        AMOUNT, (AddressUnlockCondition(CAROL.address),), native_tokens=(NativeToken(foundry.foundry_id, 100),)
    )
    coins = [Coin(made.output_id(i), made.essence.outputs[i], ALICE) for i in (0, 5)]
    outputs: list[Output] = [alias, foundry, tokens, BasicOutput.to(ALICE.address, 3 * AMOUNT)]
    return spend(coins, outputs, parameters=node.service.parameters), alias, foundry


def test_the_parameters_have_the_names_of_the_tip(story: Story) -> None:
    paths = story.node.get("/openapi.json")["paths"]
    for kind, names in PARAMETERS.items():
        described = paths[PATH + kind]["get"]["parameters"]
        assert {one["name"] for one in described} == names | EVERYWHERE, kind
        assert all(one["in"] == "query" and not one["required"] for one in described)


@pytest.mark.parametrize(
    ("kind", "asked", "expected"),
    [
        ("", {"unlockableByAddress": ALICE}, {"alias", "nft", "returning", "expiring", "coins"}),
        ("", {"unlockableByAddress": BOB}, {"nft", "returning"}),
        ("", {"unlockableByAddress": DAVE}, {"alias"}),
        ("", {"unlockableByAddress": "alias"}, {"foundry"}),
        ("", {"hasNativeTokens": "true"}, {"tokens"}),
        ("", {"minNativeTokenCount": 1}, {"tokens"}),
        ("", {"minNativeTokenCount": 2}, set()),
        ("", {"unlockableByAddress": CAROL, "maxNativeTokenCount": 0}, {"locked", "expiring"}),
        ("/basic", {"address": BOB}, {"returning"}),
        ("/basic", {"address": CAROL}, {"locked", "expiring", "tokens"}),
        ("/basic", {"address": CAROL, "hasExpiration": "false", "hasTimelock": "false"}, {"tokens"}),
        ("/basic", {"unlockableByAddress": ALICE}, {"returning", "expiring", "coins"}),
        ("/basic", {"unlockableByAddress": ALICE, "hasExpiration": "true"}, {"expiring"}),
        ("/basic", {"hasStorageDepositReturn": "true"}, {"returning"}),
        ("/basic", {"storageDepositReturnAddress": ALICE}, {"returning"}),
        ("/basic", {"hasTimelock": "true"}, {"locked"}),
        ("/basic", {"timelockedBefore": LATER + 1}, {"locked"}),
        ("/basic", {"timelockedBefore": LATER}, set()),
        ("/basic", {"timelockedAfter": LATER - 1}, {"locked"}),
        ("/basic", {"timelockedAfter": LATER}, set()),
        ("/basic", {"hasExpiration": "true"}, {"expiring"}),
        ("/basic", {"expiresBefore": LATER + 1}, {"expiring"}),
        ("/basic", {"expiresBefore": LATER}, set()),
        ("/basic", {"expiresAfter": 0}, {"expiring"}),
        ("/basic", {"expiresAfter": LATER}, set()),
        ("/basic", {"expirationReturnAddress": ALICE}, {"expiring"}),
        ("/basic", {"sender": ALICE}, {"expiring"}),
        ("/basic", {"tag": "0x" + b"rent".hex()}, {"expiring"}),
        ("/alias", {}, {"alias"}),
        ("/alias", {"stateController": ALICE}, {"alias"}),
        ("/alias", {"stateController": DAVE}, set()),
        ("/alias", {"governor": DAVE}, {"alias"}),
        ("/alias", {"governor": ALICE}, set()),
        ("/alias", {"unlockableByAddress": DAVE}, {"alias"}),
        ("/alias", {"issuer": ALICE}, {"alias"}),
        ("/alias", {"sender": ALICE}, set()),
        ("/foundry", {}, {"foundry"}),
        ("/foundry", {"aliasAddress": "alias"}, {"foundry"}),
        ("/foundry", {"aliasAddress": ALICE}, set()),
        ("/foundry", {"hasNativeTokens": "true"}, set()),
        ("/nft", {}, {"nft"}),
        ("/nft", {"address": BOB}, {"nft"}),
        ("/nft", {"address": ALICE}, set()),
        ("/nft", {"unlockableByAddress": ALICE}, {"nft"}),
        ("/nft", {"issuer": ALICE}, {"nft"}),
        ("/nft", {"issuer": BOB}, set()),
        ("/nft", {"sender": ALICE, "tag": "0x" + b"car".hex()}, {"nft"}),
        ("/nft", {"tag": "0x" + b"cars".hex()}, set()),
        ("/nft", {"expirationReturnAddress": ALICE, "expiresAfter": 0, "hasTimelock": "false"}, {"nft"}),
        ("/nft", {"hasExpiration": "false"}, set()),
    ],
)
def test_queries_find_what_they_ask_for(
    story: Story, kind: str, asked: dict[str, Any], expected: set[str]
) -> None:
    alias = story.alias.alias_address(b"")
    addresses = {
        name: story.bech32(alias if value == "alias" else value)
        for name, value in asked.items()
        if value == "alias" or isinstance(value, Key)
    }
    for size in (1, 3):
        assert story.found(kind, **{**asked, **addresses}, pageSize=size) == expected


def test_creation_times_are_exclusive_for_every_kind(story: Story) -> None:
    for name, kind in (("alias", "/alias"), ("foundry", "/foundry"), ("nft", "/nft"), ("tokens", "/basic")):
        metadata = story.node.get(f"/api/core/v2/outputs/{story.ids[name]}/metadata")
        booked = metadata["milestoneTimestampBooked"]
        assert name in story.found(kind, createdAfter=booked - 1, createdBefore=booked + 1)
        assert name not in story.found(kind, createdAfter=booked)
        assert name not in story.found(kind, createdBefore=booked)


def test_chains_are_found_by_their_id_where_they_stand_now(story: Story) -> None:
    ids = {"alias": story.alias_id, "foundry": story.foundry.foundry_id, "nft": story.nft_id}
    for kind, chain_id in ids.items():
        answer = story.node.get(f"{PATH}/{kind}/0x{chain_id.hex()}")
        assert answer["items"] == [story.ids[kind]]
        assert answer["ledgerIndex"] >= 3
        assert set(answer) == {"ledgerIndex", "items"}
        upper = story.node.get(f"{PATH}/{kind}/0x{chain_id.hex().upper()}")
        assert upper["items"] == answer["items"]
    for kind, other in (
        ("alias", story.nft_id),
        ("nft", story.alias_id),
        ("nft", bytes(32)),
        ("alias", bytes(32)),
    ):
        response = story.node.http.get(f"{PATH}/{kind}/0x{other.hex()}")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("name", ["alias", "foundry", "nft", "tokens", "returning", "locked", "expiring", "coins"])
def test_an_output_of_any_type_is_shown_in_json_and_raw(story: Story, name: str) -> None:
    node, output_id = story.node, story.ids[name]
    source = story.minted if output_id.startswith(f"0x{story.minted.id.hex()}") else story.made
    output = source.essence.outputs[int.from_bytes(bytes.fromhex(output_id[66:]), "little")]
    answer = node.get(f"/api/core/v2/outputs/{output_id}")
    assert answer["output"] == output.to_json()
    assert OUTPUTS.from_json(Fields(answer["output"])) == output
    raw = node.http.get(f"/api/core/v2/outputs/{output_id}", headers={"accept": BINARY})
    assert raw.headers["content-type"] == BINARY
    assert OUTPUTS.decode(Reader(raw.content)) == output
    metadata = node.get(f"/api/core/v2/outputs/{output_id}/metadata")
    assert metadata["isSpent"] is False
    assert metadata == answer["metadata"] | {"ledgerIndex": metadata["ledgerIndex"]}
    changes = node.get(f"/api/core/v2/milestones/by-index/{metadata['milestoneIndexBooked']}/utxo-changes")
    assert output_id in changes["createdOutputs"]


def test_a_state_that_an_alias_left_is_shown_as_spent(story: Story) -> None:
    before = f"0x{story.made.output_id(0).hex()}"
    answer = story.node.get(f"/api/core/v2/outputs/{before}")
    assert answer["metadata"]["transactionIdSpent"] == f"0x{story.minted.id.hex()}"
    assert answer["output"]["aliasId"] == "0x" + "00" * 32
    assert before not in story.node.get(f"{PATH}/alias")["items"]


@pytest.mark.parametrize("which", ["made", "minted"])
def test_transactions_over_all_types_are_shown_in_json_and_raw(story: Story, which: str) -> None:
    transaction: Transaction = getattr(story, which)
    path = f"/api/core/v2/transactions/0x{transaction.id.hex()}/included-block"
    assert story.node.get(path)["payload"] == transaction.to_json()
    raw = story.node.http.get(path, headers={"accept": BINARY}).content
    assert Block.decode(raw).payload == transaction


def test_pages_of_all_types_are_bounded_and_lead_to_each_other(story: Story) -> None:
    alice = story.bech32(ALICE)
    first = story.node.get(PATH, unlockableByAddress=alice, pageSize=1000)
    assert len(first["items"]) == 3
    second = story.node.get(PATH, unlockableByAddress=alice, cursor=first["cursor"])
    assert "cursor" not in second
    assert {*first["items"], *second["items"]} == {
        story.ids[name] for name in ("alias", "nft", "returning", "expiring", "coins")
    }


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/alias?governor=tgl1nobody", "governor"),
        ("/alias?stateController=tgl1nobody", "stateController"),
        ("/foundry?aliasAddress=tgl1nobody", "aliasAddress"),
        ("/nft?issuer=tgl1nobody", "issuer"),
        ("?unlockableByAddress=tgl1nobody", "unlockableByAddress"),
        ("/nft?storageDepositReturnAddress=tgl1nobody", "storageDepositReturnAddress"),
        ("/nft?tag=0x", "tag"),
        ("/nft?expiresBefore=-1", "expiresBefore"),
        ("/foundry?minNativeTokenCount=few", "minNativeTokenCount"),
        ("/alias?pageSize=0", "pageSize"),
        ("/foundry/0x" + "11" * 32, "foundryId"),
        ("/nft/0x" + "11" * 38, "nftId"),
        ("/alias/alias", "aliasId"),
    ],
)
def test_what_cannot_be_read_is_refused_and_named(story: Story, path: str, field: str) -> None:
    response = story.node.http.get(PATH + path)
    assert response.status_code == 400
    assert response.json()["field"] == field
    assert response.json()["error"]["code"] == "400"


def test_a_parameter_without_a_value_is_refused(story: Story) -> None:
    """Rather than that the client is given everything."""
    for name in ("hasTimelock", "address", "tag", "expiresBefore"):
        response = story.node.http.get(f"{PATH}/basic?{name}=")
        assert response.status_code == 400, name
