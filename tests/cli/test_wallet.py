"""`tangle wallet` against a running node: every kind of asset made, sent, claimed and ended.

The first test plays the session of docs/cli.md, word for word; the others do what it leaves out.
"""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import COMMAND, ROOT, RUN_S, Ended, Purse, Run, RunningNode, purse

DOCS = (ROOT / "docs" / "cli.md").read_text()
SESSION = re.search(r"^### A worked session\n.*?```console\n(.*?)```", DOCS, re.MULTILINE | re.DOTALL)
VARYING = [
    (r"0x[0-9a-f]{64,76}", "0x[id]"),
    (r"0x[0-9a-f]{8}…", "0x[short]…"),
    (r"tgl1[0-9a-z]+", "tgl1[address]"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "[time]"),
    (r"included by \d+", "included by [milestone]"),
]
"""what differs from one network to the next"""


@dataclass(frozen=True)
class Holder:
    """A wallet file and the command told of it."""

    purse: Purse
    tangle: Run

    @property
    def address(self) -> str:
        return self.purse.address

    def run(self, *args: object) -> Ended:
        return self.tangle("wallet", *args, "--json", TANGLE_WALLET=str(self.purse.path))

    def json(self, *args: object) -> Any:
        return self.run(*args).json

    def refused(self, *args: object) -> tuple[int, str, str]:
        ended = self.run(*args)
        return ended.code, ended.error["code"], ended.error["message"]

    @property
    def held(self) -> Any:
        return self.json("balance")


@pytest.fixture(scope="module")
def holder(
    tangle: Run, node: RunningNode, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Holder]:
    def make(name: str, *, funded: bool) -> Holder:
        made = Holder(purse(run, node, tmp_path_factory.mktemp(name) / "wallet.json"), tangle)
        if funded:
            made.json("fund")
        return made

    return make


@pytest.fixture(scope="module")
def maker(holder: Callable[..., Holder]) -> Holder:
    return holder("maker", funded=True)


@pytest.fixture(scope="module")
def taker(holder: Callable[..., Holder]) -> Holder:
    return holder("taker", funded=True)


def test_the_documented_session(run: Run, node: RunningNode, tmp_path: Path) -> None:
    assert SESSION
    for name in ("station", "customer"):
        purse(run, node, tmp_path / f"{name}.json")
    variables: dict[str, str] = {}
    environment = {"TANGLE_NODE": node.url}

    def play(line: str) -> str:
        words = [re.sub(r"\$(\w+)", lambda name: variables[name[1]], word) for word in shlex.split(line)]
        files = [str(tmp_path / word) if word.endswith(".json") else word for word in words]
        assert files[0] == "tangle"
        ended = run(*files[1:], **environment)
        assert ended.code == 0, (line, ended.err)
        return ended.out

    for step in re.split(r"^\$ ", SESSION[1], flags=re.MULTILINE)[1:]:
        line, _, expected = step.partition("\n")
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            environment[name] = str(tmp_path / value)
        elif assigned := re.fullmatch(r"(\w+)=\$\((.*)\)", line):
            variables[assigned[1]] = play(assigned[2]).strip()
        else:
            assert masked(play(line)) == masked(expected), line


def masked(text: str) -> list[str]:
    for pattern, instead in VARYING:
        text = re.sub(pattern, instead, text)
    return text.strip().splitlines()


def test_conditions_in_time(maker: Holder, taker: Holder) -> None:
    before = int(maker.held["total"])
    locked = maker.json("send", taker.address, 700, "--locked-until", "1d")
    comes_back = maker.json("send", taker.address, 5000, "--expires-in", "1s")
    assert comes_back["expiresAt"] < locked["lockedUntil"] <= comes_back["expiresAt"] + 86_400
    assert [item["until"] for item in taker.held["locked"]] == [locked["lockedUntil"]]
    # What has expired is the sender's again, and a claim takes the condition off.
    deadline = time.monotonic() + RUN_S
    while int(maker.held["total"]) != before - 700:
        assert time.monotonic() < deadline
        maker.tangle("data", "post", "a milestone comes with news")
    held = maker.held
    assert (held["returning"], [item["amount"] for item in held["claimable"]]) == ([], ["5000"])
    assert held["available"] == held["total"]
    assert maker.json("claim")["claimed"] == {"outputs": 1, "amount": "5000"}
    assert (maker.held["claimable"], maker.held["total"]) == ([], held["total"])


def test_a_lent_deposit_comes_back(maker: Holder, taker: Holder) -> None:
    before = int(maker.held["total"])
    maker.json("send", taker.address, 1, "--return-deposit")
    waiting = taker.held["claimable"]
    assert (waiting[0]["amount"], waiting[0]["returnAddress"]) == ("1", maker.address)
    claimed = taker.json("claim", waiting[0]["outputId"])["claimed"]
    assert claimed == {"outputs": 1, "amount": "1", "returned": waiting[0]["returnAmount"]}
    assert int(maker.held["total"]) == before - 1
    assert taker.refused("claim")[0] == 1
    assert taker.refused("claim", waiting[0]["outputId"])[:2] == (4, "unknown_input")


def test_an_alias_with_foundries_is_made_and_ended(maker: Holder, taker: Holder) -> None:
    home = maker.json("create-alias", "--metadata", "Station", "--state-metadata", "0x00ff")["aliasId"]
    make = ("create-token", "--alias", home[:20], "--maximum", 100)
    salt = maker.json(*make, "--initial", 10, "--name", "Salt", "--symbol", "SALT")["tokenId"]
    nameless = maker.json(*make, "--initial", 1)["tokenId"]
    assert salt[4:68] == nameless[4:68] == home[2:]

    account = next(item for item in maker.json("accounts")["items"] if item["aliasId"] == home)
    assert (account["metadata"], account["controlled"], account["governed"]) == (
        "0x" + b"Station".hex(),
        True,
        True,
    )
    assert [(item["tokenId"], item["minted"]) for item in account["foundries"]] == [(salt, "10"), (nameless, "1")]
    token = next(item for item in maker.json("tokens")["items"] if item["tokenId"] == salt)
    assert token["irc30"] == {"standard": "IRC30", "name": "Salt", "symbol": "SALT", "decimals": 0}

    # Several kinds go in one transaction; a gift of the deposit leaves nothing to claim.
    sent = maker.json("send-tokens", taker.address, "salt", 4, nameless, 1, "--give-deposit")
    assert sorted(item["amount"] for item in sent["tokens"]) == ["1", "4"]
    assert {item["tokenId"]: item["available"] for item in taker.held["tokens"]} == {salt: "4", nameless: "1"}
    assert maker.refused("melt", "SALT", 7)[:2] == (6, "not_enough_tokens")
    assert maker.refused("mint", "SALT", 91)[:2] == (5, "supply_exceeded")
    assert taker.refused("mint", "SALT", 1)[:2] == (4, "unknown_token")
    assert maker.refused("mint", "PEPPER", 1)[:2] == (4, "not_held")
    assert maker.refused("send-tokens", taker.address, home[:1] + "x", 1)[0] == 2
    assert maker.refused("destroy", home, "--yes")[:2] == (5, "not_empty")

    taker.json("send-tokens", maker.address, "SALT", 4, nameless, 1, "--give-deposit")
    for token_id in (salt, nameless):
        assert maker.json("destroy", token_id, "--yes")["tokenId"] == token_id
    assert maker.json("destroy", home[:12], "--yes")["aliasId"] == home
    assert maker.held["aliases"] == maker.held["foundries"] == maker.held["tokens"] == []


def test_nfts_of_a_collection(maker: Holder, taker: Holder) -> None:
    said = ("--type", "text/plain", "--uri", "urn:x", "--royalty", f"{maker.address}=2.5%")
    collection = maker.json("mint-nft", "--name", "Pumps", *said, "--issuer", "self")
    seventh = maker.json("mint-nft", "--name", "Pump 7", *said, "--issuer", "Pumps", "--to", taker.address)
    (item,) = taker.json("nfts")["items"]
    assert (item["nftId"], item["issuer"], item["state"]) == (seventh["nftId"], collection["address"], "available")
    assert item["irc27"]["royalties"] == {maker.address: 0.025}
    sent = taker.json("send-nft", maker.address, "pump 7", "--expires-in", "1d")
    assert taker.held["returning"][0]["until"] == sent["expiresAt"]
    assert maker.json("claim")["claimed"]["nftIds"] == [seventh["nftId"]]
    assert maker.refused("burn-nft", "pump")[:2] == (2, "ambiguous")
    assert maker.json("burn-nft", "Pump 7", "--yes")["nftId"] == seventh["nftId"]
    assert [item["irc27"]["name"] for item in maker.json("nfts")["items"]] == ["Pumps"]


def test_nothing_is_destroyed_without_a_yes(maker: Holder, environment: dict[str, str]) -> None:
    token = maker.json("create-token", "--maximum", 9, "--initial", 9, "--name", "Ash", "--symbol", "ASH")[
        "tokenId"
    ]
    for command in (("burn", "ASH", 1), ("destroy", "ASH")):
        assert maker.refused(*command)[:2] == (2, "confirmation_needed")
    variables = environment | {"TANGLE_NODE": maker_url(maker), "TANGLE_WALLET": str(maker.purse.path)}
    code, shown = answered(("wallet", "burn", "ASH", "2"), "n\n", variables)
    assert (code, "nothing was done" in shown) == (1, True)
    assert f"Burn 2 ASH of token {token}?" in " ".join(shown.split())
    code, shown = answered(("wallet", "burn", "ASH", "2"), "y\n", variables)
    assert (code, "2 ASH burned" in shown) == (0, True), shown
    assert [item["total"] for item in maker.held["tokens"] if item["tokenId"] == token] == ["7"]


def maker_url(maker: Holder) -> str:
    return str(maker.tangle.keywords["TANGLE_NODE"])  # type: ignore[attr-defined]  # `tangle` is a partial


def answered(arguments: tuple[str, ...], answer: str, environment: dict[str, str]) -> tuple[int, str]:
    """How a command ends whose question is answered at a terminal, and all that the terminal showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=ROOT
    )
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + RUN_S
    try:
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                read = os.read(ours, 65_536)
            except OSError:  # the other end is closed
                break
            if not read:
                break
            if b"[y/N]" in shown + read and b"[y/N]" not in shown:
                os.write(ours, answer.encode())
            shown += read
        return process.wait(RUN_S), shown.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_consolidation_leaves_one_output(holder: Callable[..., Holder], maker: Holder) -> None:
    scattered = holder("scattered", funded=False)
    for amount in (1000, 2000, 3000):
        maker.json("send", scattered.address, amount)
    joined = scattered.json("consolidate")
    assert (joined["inputs"], joined["transactions"]) == (3, 1)
    assert [item["amount"] for item in scattered.held["outputs"]] == ["6000"]
    assert scattered.refused("consolidate")[0] == 1


def test_values_that_mean_nothing_are_named(maker: Holder, taker: Holder) -> None:
    for arguments, field in (
        (("send", taker.address, 1000, "--expires-at", "100"), "--expires-at"),
        (("send", taker.address, 1000, "--expires-in", "1h", "--expires-at", "2099-01-01"), "--expires-at"),
        (("send", taker.address, 1000, "--expires-in", "1h", "--locked-until", "2h"), "--locked-until"),
        (("create-token", "--maximum", "1.5"), "--maximum"),
        (("create-token", "--maximum", "5", "--initial", "6"), "--initial"),
        (("create-token", "--maximum", "5", "--name", "x"), "--symbol"),
        (("mint-nft", "--name", "x"), "--type"),
        (("send-tokens", taker.address, "PUMP"), "TOKEN AMOUNT"),
    ):
        ended = maker.run(*arguments)
        assert (ended.code, ended.error["code"], ended.error["field"]) == (2, "invalid_value", field)
    for arguments, field in (
        (("create-alias", "--governor", "nobody"), "--governor"),
        (("mint-nft", "--to", "nobody"), "--to"),
    ):
        ended = maker.run(*arguments)
        assert (ended.code, ended.error["code"], ended.error["field"]) == (5, "malformed_address", field)


def test_coins_behind_the_gap_and_in_other_accounts_are_found(
    maker: Holder, holder: Callable[..., Holder]
) -> None:
    far = holder("far", funded=False)
    for at in (["--index", "25"], ["--account", "1"], ["--coin-type", "4219"]):
        maker.json("send", far.json("address", *at)["address"], 5000)
    assert (far.held["total"], far.held["lookedAt"]["addresses"]) == ("0", 20)
    wider = far.json("balance", "--gap", "30")
    assert (wider["total"], wider["lookedAt"]) == (
        "5000",
        {"account": 0, "addresses": 56, "remainderAddresses": 30},
    )
    for at in (["--account", "1"], ["--coin-type", "4219"]):
        assert far.json("balance", *at)["total"] == "5000"
        assert len(far.json("history", *at)["items"]) == 1
    looked = far.tangle("wallet", "history", "--wallet", far.purse.path).out
    assert looked == "none; looked at account 0, addresses 0 to 19, remainders 0 to 19\n"
    # What is sent from another account is signed with its keys and comes back to it.
    sent = far.json("send", maker.address, 1000, "--account", "1")
    assert sent["milestoneIndex"]
    assert far.json("balance", "--account", "1")["total"] == "4000"
    assert far.run("balance", "--gap", "0").code == 2
