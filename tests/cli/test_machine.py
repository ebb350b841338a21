"""`tangle machine`: the owner's instructions reach the machine, signed, and nobody else's are sent."""

from __future__ import annotations

import json
from pathlib import Path

from tangle.machines.messages import seal, unseal
from tangle.machines.terms import Terms, machine_tag
from tangle.parties.seed import read_keys
from tangle.protocol.addresses import Ed25519Address, from_bech32, to_bech32
from tangle.protocol.keys import KeyPair
from tests.cli.conftest import Run, RunningNode, purse


def test_money_is_sent_on_by_whoever_is_paid(tangle: Run, node: RunningNode, tmp_path: Path) -> None:
    owner, stranger = (purse(tangle, node, tmp_path / f"{name}.json") for name in ("owner", "stranger"))
    key = KeyPair.of(bytes([77]) * 32)
    at, tag = to_bech32(key.address, "tgl"), machine_tag(key.address)
    call = ("machine", "send-on", at, "--json")

    early = tangle(*call, "--back", "--wallet", owner.path)
    assert (early.code, early.error["code"]) == (4, "not_found")
    terms = Terms(key.address, from_bech32(owner.address, "tgl"), price=1_000)
    for data in (seal(terms.to_json(), key), b"junk"):
        tangle("data", "post", "--tag", f"0x{tag.hex()}", stdin=data)
    for wrong in (["--back", "--to", owner.address], [], ["--back", "--seed-file", tmp_path / "none.seed"]):
        refused = tangle(*call, *wrong, "--wallet", owner.path)
        assert (refused.code, refused.error["code"]) == (2, "invalid_value")
    assert not (tmp_path / "none.seed").exists()
    foreign = tangle(*call, "--back", "--wallet", stranger.path)
    assert "key of the machine's owner" in foreign.error["message"]

    told = [
        tangle(*call, *where, "--wallet", owner.path).json for where in (["--back"], ["--to", stranger.address])
    ]
    assert [sorted(one) for one in told] == [["blockId", "machine"], ["blockId", "machine", "to"]]
    posted = json.loads(tangle("data", "get", "--tag", f"0x{tag.hex()}", "--json").out)["items"]
    back, on = (unseal(bytes.fromhex(one["data"][2:])) for one in posted[-2:])
    assert (back.kind, back.sender) == ("send_on", from_bech32(owner.address, "tgl"))
    assert "to" not in back.body
    assert on.body.nested("to", Ed25519Address.from_json) == from_bech32(stranger.address, "tgl")
    assert on.body.integer("number", 2**53) > back.body.integer("number", 2**53)


def test_a_seed_does_in_place_of_a_wallet(tangle: Run, tmp_path: Path) -> None:
    seed, machine = tmp_path / "owner.seed", KeyPair.of(bytes([78]) * 32)
    owner = read_keys(seed).derive().address
    tag = machine_tag(machine.address)
    tangle(
        "data",
        "post",
        "--tag",
        f"0x{tag.hex()}",
        stdin=seal(Terms(machine.address, owner, 1_000).to_json(), machine),
    )
    text = tangle("machine", "send-on", to_bech32(machine.address, "tgl"), "--back", "--seed-file", seed).out
    assert "sends it back as soon as it reads this" in text
