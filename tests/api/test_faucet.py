"""The faucet: pays once per request, bounded by queue and balance."""

from __future__ import annotations

import time
from pathlib import Path

from tangle.api.routes.tangle import PREFIX
from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.outputs import AddressUnlockCondition, BasicOutput, TimelockUnlockCondition
from tests.networks import Key, coins_of, spend
from tests.nodes import RunningNode, running_node

ENQUEUE = f"{PREFIX}/faucet/enqueue"


def _balance(node: RunningNode, address: Ed25519Address) -> int:
    items = node.get("/api/indexer/v1/outputs/basic", address=node.bech32(address))["items"]
    return sum(int(node.get(f"/api/core/v2/outputs/{item}")["output"]["amount"]) for item in items)


def _faucet(node: RunningNode) -> Key:
    """The faucet's key."""
    assert node.service.faucet is not None
    return Key(node.service.faucet.keys.seed)


def _wait_balance(node: RunningNode, address: Ed25519Address, least: int) -> int:
    deadline = time.monotonic() + 30
    while (held := _balance(node, address)) < least:
        assert time.monotonic() < deadline, f"the faucet has not paid in time: {held}"
        time.sleep(0.1)
    return held


def test_everybody_is_paid_once_and_the_supply_stays(tmp_path: Path) -> None:
    keys = [Key.named(f"asker {i}") for i in range(140)]
    with running_node(tmp_path / "data", faucet_balance_max=2_000_000, faucet_amount=1_000_000) as node:
        for i, key in enumerate(keys):
            response = node.http.post(ENQUEUE, json={"address": node.bech32(key.address)})
            assert response.status_code == 202, response.text
            assert response.json()["address"] == node.bech32(key.address)
            assert 1 <= response.json()["waitingRequests"] <= i + 1
        # More than fit one transaction; the last are paid by the second.
        for key in (keys[0], keys[126], keys[127], keys[-1]):
            assert _wait_balance(node, key.address, 1_000_000) == 1_000_000
        supply = node.get(f"{PREFIX}/supply")
        assert supply["unspent"] == supply["tokenSupply"]

        again = keys[0].address
        assert _ask(node, again) == (202, None)
        assert _wait_balance(node, again, 2_000_000) == 2_000_000
        # The faucet looks now and then whether its transaction was settled.
        deadline = time.monotonic() + 10
        while (answer := _ask(node, again)) == (429, "faucet_request_pending"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert answer == (429, "faucet_balance_high")


def _ask(node: RunningNode, address: Ed25519Address) -> tuple[int, str | None]:
    response = node.http.post(ENQUEUE, json={"address": node.bech32(address)})
    return response.status_code, response.json().get("code")


def test_one_request_per_address_and_a_bounded_queue(tmp_path: Path) -> None:
    # With a milestone only every four minutes nothing is settled while the test asks.
    with running_node(
        tmp_path / "data", faucet_queue_max=2, milestone_interval_ms=240_000, milestone_silence_ms=240_000
    ) as node:
        first, second, third = (Key.named(name).address for name in "abc")
        assert _ask(node, first) == (202, None)
        assert _ask(node, first) == (429, "faucet_request_pending")
        assert _ask(node, second) == (202, None)
        assert _ask(node, third) == (503, "faucet_busy")


def test_an_empty_faucet_says_so(tmp_path: Path) -> None:
    with running_node(tmp_path / "data", token_supply=1_500, faucet_amount=500) as node:
        asked = [Key.named(f"last {i}").address for i in range(3)]
        for address in asked:
            assert _ask(node, address)[0] == 202
        for address in asked:
            _wait_balance(node, address, 500)
        late = Key.named("late").address
        assert _ask(node, late)[0] == 202
        deadline = time.monotonic() + 10
        while _ask(node, late) != (403, "faucet_empty"):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_coins_with_conditions_do_not_stop_the_faucet(tmp_path: Path) -> None:
    asker = Key.named("asker").address
    with running_node(tmp_path / "data", token_supply=10_000_000, faucet_amount=500_000) as node:
        own = _faucet(node)
        # What it holds most of, as anybody may send it: locked for years.
        locked = BasicOutput(9_000_000, (AddressUnlockCondition(own.address), TimelockUnlockCondition(2**32 - 1)))
        gift = spend(
            node.coins(node.holder),
            [locked, BasicOutput.to(own.address, 1_000_000)],
            parameters=node.service.parameters,
        )
        assert node.include(gift)["ledgerInclusionState"] == "included"
        assert _ask(node, asker) == (202, None)
        assert _wait_balance(node, asker, 1) == node.settings.faucet_amount


def test_dust_at_its_own_address_does_not_stop_it(tmp_path: Path) -> None:
    asker = Key.named("asker").address
    with running_node(tmp_path / "data", token_supply=10_000_000, faucet_amount=500_000) as node:
        own, holder = _faucet(node), node.holder
        (coin,) = node.coins(holder)
        parents = node.tips()
        for _ in range(8):
            # Each upon the one before, so that they apply in this order; together more than a page of outputs.
            dust = [BasicOutput.to(own.address, 500) for _ in range(126)]
            rest = BasicOutput.to(holder.address, coin.output.amount - 126 * 500)
            sent = spend([coin], [*dust, rest], parameters=node.service.parameters)
            block = node.finished(sent, parents)
            assert node.post_bytes(block.encoded).status_code == 201
            parents, coin = (block.id,), coins_of(sent, [own, holder])[-1]
        rest = BasicOutput.to(own.address, coin.output.amount)
        block = node.finished(spend([coin], [rest], parameters=node.service.parameters), parents)
        assert node.post_bytes(block.encoded).status_code == 201
        assert node.wait_referenced(block.id)["ledgerInclusionState"] == "included"
        assert _ask(node, asker) == (202, None)
        assert _wait_balance(node, asker, 1) == 500_000


def test_a_client_and_an_address_are_given_to_so_often_in_an_hour(tmp_path: Path) -> None:
    with running_node(tmp_path / "data", faucet_client_hourly=3, faucet_address_hourly=1) as node:
        first, second, third, fourth = (Key.named(f"often {i}").address for i in range(4))
        assert _ask(node, first) == (202, None)
        _wait_balance(node, first, 1)
        deadline = time.monotonic() + 10
        while (answer := _ask(node, first)) == (429, "faucet_request_pending"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert answer == (429, "faucet_too_often")
        assert [_ask(node, one)[0] for one in (second, third)] == [202, 202]
        assert _ask(node, fourth) == (429, "faucet_too_often")


def test_what_is_no_address_is_refused(node: RunningNode) -> None:
    for body, code in (
        ({}, "malformed_json"),
        ([], "malformed_json"),
        ({"address": 7}, "malformed_json"),
        ({"adress": "tgl1qqqq"}, "unknown_member"),
        ({"address": "tgl1qqqq"}, "malformed_address"),
    ):
        response = node.http.post(ENQUEUE, json=body)
        assert (response.status_code, response.json()["code"]) == (400, code)
        assert response.headers["content-type"] == "application/problem+json"


def test_a_node_without_a_faucet_says_so(tmp_path: Path) -> None:
    with running_node(tmp_path / "data", faucet=False) as node:
        assert _ask(node, Key.named("a").address) == (403, "faucet_disabled")
