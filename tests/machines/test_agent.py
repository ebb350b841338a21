"""The parties' processes: seed files, what they remember, how they end."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tangle.client.wallet.selection import Coin
from tangle.machines.customer import Said
from tangle.machines.owner import Revenue
from tangle.machines.payments import read_note
from tangle.parties.errors import OtherState, SeedRefused
from tangle.parties.seed import read_keys
from tangle.protocol.outputs import BasicOutput
from tests.machines.tables import OWNER

ROOT = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:9"
"""the discard port, where nobody listens"""


def test_a_seed_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "machine.seed"
    address = read_keys(path).derive().address
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_keys(path).derive().address == address
    assert read_keys(tmp_path / "other.seed").derive().address != address


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_seed_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "machine.seed"
    read_keys(path)
    path.chmod(mode)
    with pytest.raises(SeedRefused, match="others may read"):
        read_keys(path)


@pytest.mark.parametrize("content", ["", "zz", "00" * 31, "00" * 64])
def test_what_is_no_seed_is_refused_and_not_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "machine.seed"
    path.touch(0o600)
    path.write_text(content)
    with pytest.raises(SeedRefused) as refusal:
        read_keys(path)
    assert not content or content not in str(refusal.value)


def test_a_customer_remembers_what_it_said(tmp_path: Path) -> None:
    path = tmp_path / "customer.json"
    assert Said.read(path) == Said()
    Said("aa", "bb").write(path)
    assert Said.read(path) == Said("aa", "bb")
    path.write_text("[1]")
    with pytest.raises(OtherState, match="no state of a customer"):
        Said.read(path)


def coin(number: int, amount: int = 1000) -> Coin:
    return Coin(bytes(33) + bytes([number]), BasicOutput.to(OWNER.address, amount))


def test_revenue_counts_each_unit_once() -> None:
    revenue = Revenue()
    note = b'{"kind":"unit","order":"0xaa","number":%d}'
    for number in (1, 2, 3):
        revenue.count(coin(number), note % number)
    assert (revenue.total, len(revenue.units), revenue.twice) == (3000, 3, 0)
    revenue.count(coin(4, 50), b"")
    revenue.count(coin(5), b'{"kind":"refund","order":"0xaa","number":1}')
    assert (revenue.total, revenue.other) == (3000, 1050)
    revenue.count(coin(6), note % 2)
    assert (revenue.total, revenue.twice) == (3000, 1)
    assert revenue.knows(coin(6).output_id)
    assert not revenue.knows(coin(7).output_id)


@pytest.mark.parametrize("note", [b"", b"{}", b"[]", b'{"kind":"unit","order":"0x"}', b"\xff", b"[" * 10_000])
def test_other_notes_are_none(note: bytes) -> None:
    assert read_note(note) is None


@pytest.mark.parametrize("agent", ["owner", "machine", "customer"])
def test_an_agent_without_a_node_says_so_and_waits(tmp_path: Path, agent: str) -> None:
    options = {
        "owner": [],
        "machine": ["--state", str(tmp_path / "m.db"), "--owner", "tgl1x"],
        "customer": ["--state", str(tmp_path / "c.json"), "--machine", "tgl1x", "--units", "1"],
    }
    command = [sys.executable, "-m", f"tangle.machines.{agent}", "--json", "--node", NOWHERE]
    with subprocess.Popen(
        [*command, "--seed-file", str(tmp_path / "seed"), *options[agent]],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        reports = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.terminate()
        rest, errors = process.communicate(timeout=60)
    assert [(report["agent"], report["event"]) for report in reports] == [(agent, "node_away")] * 2
    assert json.loads(rest.splitlines()[-1])["event"] == "stopped"
    assert process.returncode == 0
    assert errors == ""
