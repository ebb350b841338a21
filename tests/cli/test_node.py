"""The command against a running node: every command that talks to one, for people and for programs."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import Purse, Run, RunningNode, StartNode, purse

NOT_THERE = "0x" + "5e" * 32
BYTES = bytes(range(256))


@pytest.fixture(scope="module")
def rich(run: Run, node: RunningNode, tmp_path_factory: pytest.TempPathFactory) -> Purse:
    """A wallet that the faucet has filled."""
    made = purse(run, node, tmp_path_factory.mktemp("rich") / "wallet.json")
    funded = run("wallet", "fund", "--wallet", made.path, "--json", TANGLE_NODE=node.url)
    assert int(funded.json["amount"]) == 1_000_000_000
    return made


@pytest.fixture(scope="module")
def poor(run: Run, node: RunningNode, tmp_path_factory: pytest.TempPathFactory) -> Purse:
    return purse(run, node, tmp_path_factory.mktemp("poor") / "wallet.json")


def test_ready_names_everything(node: RunningNode) -> None:
    assert node.ready["docs"] == f"{node.url}/docs"
    assert node.ready["network"] == "tangle-local"
    assert (node.data / "keys.json").stat().st_mode & 0o777 == 0o600


def test_info(tangle: Run) -> None:
    answer = tangle("info", "--json").json
    assert answer["protocol"]["networkName"] == "tangle-local"
    assert answer["status"]["isHealthy"] is True
    shown = tangle("info").out
    assert re.search(r"^network +tangle-local$", shown, re.MULTILINE)
    assert re.search(r"^health +healthy$", shown, re.MULTILINE)


def test_data_from_argument_file_and_input(tangle: Run, tmp_path: Path) -> None:
    file = tmp_path / "bytes"
    file.write_bytes(BYTES)
    posted = [
        tangle("data", "post", "wörds", "--tag", "cli/three", "--pow", "local", "--json").json,
        tangle("data", "post", "--file", file, "--tag", "0x" + b"cli/three".hex(), "--json").json,
        tangle("data", "post", "--tag", "cli/three", "--json", "--pow", "node", stdin=b"from\x00input").json,
    ]
    assert [item["bytes"] for item in posted] == [6, 256, 10]
    assert tangle("data", "get", posted[1]["blockId"], "--raw").raw == BYTES
    first = tangle("data", "get", posted[0]["blockId"], "--json").json
    assert (first["text"], first["tag"]) == ("wörds", "0x" + b"cli/three".hex())
    assert "text" not in tangle("data", "get", posted[2]["blockId"], "--json").json

    listed = tangle("data", "get", "--tag", "cli/three", "--json").json
    assert [item["blockId"] for item in listed["items"]] == [item["blockId"] for item in posted]
    assert "next" not in listed
    page = tangle("data", "get", "--tag", "cli/three", "--limit", 2, "--json").json
    rest = tangle("data", "get", "--tag", "cli/three", "--after", page["next"], "--json").json
    assert page["items"] + rest["items"] == listed["items"]
    assert "wörds" in tangle("data", "get", "--tag", "cli/three").out


def test_show_data_block(tangle: Run) -> None:
    posted = tangle("data", "post", "21.5 bar", "--tag", "pressure", "--wait", "--json").json
    shown = tangle("block", "show", posted["blockId"], "--json").json
    metadata = shown["metadata"]
    assert metadata["referencedByMilestoneIndex"] == posted["milestoneIndex"]
    assert metadata["ledgerInclusionState"] == "noTransaction"
    assert 0 <= metadata["confidence"]["low"] <= metadata["confidence"]["high"] <= 1
    text = tangle("block", "show", posted["blockId"].upper().replace("0X", "0x")).out
    for line in (r"  tag +pressure", r"  data +21\.5 bar", r"milestone +referenced by milestone \d+"):
        assert re.search(f"^{line}$", text, re.MULTILINE), text
    assert re.search(r"^confidence +\d\.\d\d  \(\d+ of \d+ walks; 95 % interval ", text, re.MULTILINE), text
    parents = shown["block"]["parents"]
    assert all(parent in text for parent in parents)


def test_send_balance_history(tangle: Run, rich: Purse, poor: Purse) -> None:
    before = int(tangle("wallet", "balance", "--wallet", rich.path, "--json").json["total"])
    paid = tangle("wallet", "send", poor.address, 1234, "--data", "thanks", "--wallet", rich.path, "--json").json
    assert paid["amount"] == "1234"
    assert int(tangle("wallet", "balance", "--wallet", rich.path, "--json").json["total"]) == before - 1234
    held = tangle("wallet", "balance", "--wallet", poor.path, "--json").json
    assert (held["total"], held["available"]) == ("1234", "1234")
    assert held["outputs"][0]["address"] == poor.address

    received = tangle("wallet", "history", "--wallet", poor.path, "--json").json["items"]
    assert [(item["kind"], item["amount"]) for item in received] == [("received", "1234")]
    assert received[0]["transactionId"] == paid["transactionId"]
    assert received[0]["counterparts"] == [rich.address]
    newest = tangle("wallet", "history", "--wallet", rich.path, "--limit", 1, "--json").json["items"]
    assert [(item["kind"], item["amount"]) for item in newest] == [("sent", "-1234")]
    assert "+1,234" in tangle("wallet", "history", "--wallet", poor.path).out

    shown = tangle("block", "show", paid["blockId"]).out
    for line in (r"payload +transaction", rf"  outputs +1,234 base units to {poor.address}", r"  data +thanks"):
        assert re.search(f"^{line}$", shown, re.MULTILINE), shown
    assert re.search(r"^ledger +included$", shown, re.MULTILINE)


def test_consolidate(tangle: Run, rich: Purse) -> None:
    tangle("wallet", "send", rich.address, 5000, "--wallet", rich.path)
    before = tangle("wallet", "balance", "--wallet", rich.path, "--json").json
    assert len(before["outputs"]) > 1
    tangle("wallet", "consolidate", "--wallet", rich.path, "--json")
    after = tangle("wallet", "balance", "--wallet", rich.path, "--json").json
    assert (len(after["outputs"]), after["total"]) == (1, before["total"])


def test_rules_are_named(tangle: Run, rich: Purse) -> None:
    def refused(*arguments: object) -> tuple[int, str, str]:
        ended = tangle(*arguments, "--json")
        return ended.code, ended.error["code"], ended.error["message"]

    send = ("wallet", "send", "--wallet", rich.path)
    mistyped = rich.address[:-1] + ("q" if rich.address[-1] != "q" else "p")
    code, name, message = refused(*send, mistyped, 1000)
    assert (code, name) == (5, "malformed_address")
    assert "checksum" in message
    foreign = "smr1qpg2xkj66wwgn8p2ggnp7p582gj8g6p79us5hve2tsudzpsr2ap4sp36wye"
    code, name, message = refused(*send, foreign, 1000)
    assert (code, name) == (5, "malformed_address")
    assert "'tgl'" in message
    code, name, message = refused(*send, rich.address, 1)
    assert (code, name) == (5, "deposit_too_small")
    assert "426" in message
    code, name, message = refused(*send, rich.address, 10**15)
    assert (code, name) == (6, "insufficient_funds")
    assert str(10**15) in message
    assert refused("data", "post", "x", "--tag", "t" * 65)[:2] == (5, "length_out_of_range")
    assert refused("data", "post", "x" * 32_768)[0] == 5
    assert refused("block", "show", "0x1234")[:2] == (5, "malformed_json")


def test_not_found(tangle: Run) -> None:
    for arguments in (("block", "show", NOT_THERE), ("data", "get", NOT_THERE)):
        ended = tangle(*arguments, "--json")
        assert (ended.code, ended.error["code"]) == (4, "not_found")
    assert tangle("data", "get", "--tag", "never used").code == 0


def test_errors_are_one_line(tangle: Run) -> None:
    ended = tangle("block", "show", NOT_THERE)
    assert ended.err == f"error: the node does not know block {NOT_THERE}\n"


def test_port_and_data_are_taken(run: Run, node: RunningNode, tmp_path: Path) -> None:
    ended = run("up", "--port", node.port, "--data", tmp_path / "other")
    assert ended.code == 9
    assert str(node.port) in ended.err
    assert "--port" in ended.err
    assert not (tmp_path / "other").exists()
    ended = run("up", "--port", 0, "--data", node.data, "--json")
    assert (ended.code, ended.error["code"]) == (10, "data_in_use")


def test_audit_of_a_running_node(run: Run, node: RunningNode, rich: Purse) -> None:
    proven = run("audit", "--data", node.data, "--json").json
    assert proven["unspent"] == "2779530283277761"
    assert proven["transactions"] >= 1
    assert proven["blocks"] > proven["milestones"] > 0


def test_interrupt_stops_and_a_second_start_continues(
    run: Run, tangle_up: StartNode, start_node: StartNode, tmp_path: Path
) -> None:
    first = tangle_up(tmp_path / "data")
    posted = run("data", "post", "kept", "--json", TANGLE_NODE=first.url).json
    assert first.stop(signal.SIGINT) == 0
    second = start_node(tmp_path / "data")
    assert run("data", "get", posted["blockId"], "--json", TANGLE_NODE=second.url).json["text"] == "kept"
    assert second.stop() == 0
