"""The command without a node: help, wallet files, data directories, and errors that tell."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, ROOT, Ended, Run, RunningNode

NOWHERE = "http://127.0.0.1:9"
"""the discard port: nobody listens there"""
WORDS = (
    "acoustic trophy damage hint search taste love bicycle foster cradle brown govern "
    "endless depend situate athlete pudding blame question genius transfer van random vast"
)
ADDRESS = "smr1qpg2xkj66wwgn8p2ggnp7p582gj8g6p79us5hve2tsudzpsr2ap4sp36wye"
"""first address of these words under coin type 4218; iota-sdk, bindings/python/tests/address_generation_test.py"""
COLOUR = re.compile(rb"\x1b\[(\d+;)*3\dm")
"""an ANSI sequence that sets a foreground colour"""


def new_wallet(run: Run, path: Path, *options: str, stdin: bytes = b"", **variables: str) -> Ended:
    return run("wallet", "new", "--wallet", path, "--hrp", "smr", "--json", *options, stdin=stdin, **variables)


def test_version_and_help(run: Run) -> None:
    assert re.fullmatch(r"tangle \d+\.\d+\.\d+\n", run("--version").out)
    shown = run("--help").out
    for name in ("up", "init", "info", "wallet", "data", "block", "audit", "demo"):
        assert re.search(rf"^  {name} ", shown, re.MULTILINE)
    assert "Exit codes:" in shown


def loaded_of(heavy: set[str], *arguments: str) -> set[str]:
    """Which of these modules a command has loaded at its end."""
    code = f"""
import sys
sys.argv = ["tangle", *{arguments!r}]
from tangle.cli.main import run
try:
    run()
finally:
    print(*({heavy!r} & sys.modules.keys()))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.stderr == ""
    return set(ended.stdout.splitlines()[-1].split())


SLOW = {"numba", "numpy", "sqlalchemy", "fastapi", "pyarrow", "matplotlib", "mnemonic"}


@pytest.mark.parametrize("group", [(), ("wallet",), ("mam",), ("sim",), ("data",), ("tips",)], ids=" ".join)
def test_help_loads_nothing_heavy(group: tuple[str, ...]) -> None:
    heavy = {"asyncio", "httpx", "nacl", "rich", "tangle.client", "tangle.sim"}
    assert loaded_of(SLOW | heavy, *group, "--help") == set()


def test_info_loads_neither_wallet_nor_channels_nor_node(node: RunningNode) -> None:
    rooms = {
        f"tangle.{name}" for name in ("client.wallet", "client.channels", "mam", "service", "node", "store", "sim")
    }
    heavy = SLOW | rooms | {"tangle.terminal.live", "tangle.client.node.rest", "asyncio", "httpx", "rich", "nacl"}
    assert loaded_of(heavy, "info", "--node", node.url) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("data", "get"),
        ("data", "get", "0x00", "--tag", "x"),
        ("wallet", "send", ADDRESS, "many"),
        ("wallet", "send", ADDRESS, "0"),
        ("up", "--port", "70000"),
        ("info", "--nonsense"),
    ],
    ids=" ".join,
)
def test_usage_errors(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).code == 2


def test_unreachable_node(run: Run) -> None:
    ended = run("info", "--node", NOWHERE)
    assert ended.code == 3
    assert NOWHERE in ended.err
    assert len(ended.err.splitlines()) == 1
    assert run("info", "--json", TANGLE_NODE=NOWHERE).error["code"] == "node_unreachable"


def test_new_wallet_is_shown_once(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    made = new_wallet(run, path).json
    assert len(made["mnemonic"].split()) == 24
    assert path.stat().st_mode & 0o777 == 0o600
    asked = run("wallet", "address", "--wallet", path, "--hrp", "smr", "--json")
    assert asked.json["address"] == made["address"]
    assert made["mnemonic"].split()[0] not in asked.out
    again = new_wallet(run, path)
    assert again.code == 7
    assert again.error["code"] == "wallet_exists"


def test_imported_words_give_the_known_address(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    made = new_wallet(run, path, "--mnemonic-stdin", stdin=WORDS.replace(" ", "\n").encode())
    assert made.json == {"wallet": str(path), "address": ADDRESS, "encrypted": False}
    wrong = new_wallet(
        run, tmp_path / "other.json", "--mnemonic-stdin", stdin=WORDS.replace("vast", "van").encode()
    )
    assert wrong.code == 5
    assert wrong.error["code"] == "invalid_mnemonic"
    assert not (tmp_path / "other.json").exists()


def test_encrypted_wallet(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    made = new_wallet(
        run, path, "--mnemonic-stdin", "--password", stdin=WORDS.encode(), TANGLE_WALLET_PASSWORD="p 1"
    )
    assert made.json["encrypted"] is True
    assert "acoustic" not in path.read_text()
    ask = ("wallet", "address", "--wallet", path, "--hrp", "smr", "--json")
    assert run(*ask, TANGLE_WALLET_PASSWORD="p 1").json["address"] == ADDRESS
    assert run(*ask, TANGLE_WALLET_PASSWORD="p 2").error["code"] == "wrong_password"
    assert run(*ask).error["code"] == "password_needed"
    # Where nobody can be asked for a new password, no file is made.
    assert new_wallet(run, tmp_path / "other.json", "--password").error["code"] == "password_needed"
    assert not (tmp_path / "other.json").exists()


def test_missing_and_exposed_wallet(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    ended = run("wallet", "balance", "--json", TANGLE_WALLET=str(path))
    assert (ended.code, ended.error["code"]) == (7, "wallet_missing")
    path.write_text(json.dumps({"version": 1, "mnemonic": WORDS}))
    path.chmod(0o644)
    ended = run("wallet", "balance", "--wallet", path)
    assert ended.code == 7
    assert "chmod 600" in ended.err


def test_wallet_in_an_impossible_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    ended = new_wallet(run, tmp_path / "file" / "wallet.json")
    assert (ended.code, ended.error["code"]) == (7, "wallet_unwritable")


def test_colour_is_for_terminals(run: Run, environment: dict[str, str]) -> None:
    assert COLOUR.search(shown_on_terminal(environment))
    assert not COLOUR.search(shown_on_terminal(environment | {"NO_COLOR": "1"}))
    assert "\x1b" not in run("info", "--node", NOWHERE).err


def shown_on_terminal(environment: dict[str, str]) -> bytes:
    """What an error looks like where stderr is a terminal."""
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            [*COMMAND, "info", "--node", NOWHERE],
            stderr=theirs,
            stdout=subprocess.DEVNULL,
            env=environment | {"TERM": "xterm-256color"},
            cwd=ROOT,
            check=False,
        )
        return os.read(ours, 10_000)
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.fixture(scope="module")
def made(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a network."""
    data = tmp_path_factory.mktemp("made") / "data"
    result = run("init", "--data", data, "--network-name", "first", "--json").json
    supply = str(data.with_name("data-supply.json"))
    told = {"network": "first", "data": str(data), "tokenSupply": "2779530283277761", "supplyWallet": supply}
    assert result == told
    return data


def copied(made: Path, into: Path) -> Path:
    """A data directory to spoil."""
    return Path(shutil.copytree(made, into / "data"))


def test_init_closes_keys_and_never_overwrites(run: Run, made: Path) -> None:
    assert (made / "keys.json").stat().st_mode & 0o777 == 0o600
    before = (made / "keys.json").read_bytes()
    ended = run("init", "--data", made, "--json")
    assert (ended.code, ended.error["code"]) == (10, "network_exists")
    assert (made / "keys.json").read_bytes() == before


def test_audit_of_a_fresh_network(run: Run, made: Path, tmp_path: Path) -> None:
    proven = run("audit", "--data", made, "--json").json
    assert proven["unspent"] == "2779530283277761"
    nothing = run("audit", "--data", tmp_path, "--json")
    assert (nothing.code, nothing.error["code"]) == (10, "no_network")
    assert list(tmp_path.iterdir()) == []


def test_audit_finds_a_changed_amount(run: Run, made: Path, tmp_path: Path) -> None:
    copied(made, tmp_path)
    with sqlite3.connect(tmp_path / "data" / "tangle.db") as database:
        database.execute("UPDATE outputs SET amount = amount + 1")
    database.close()
    ended = run("audit", "--data", tmp_path / "data", "--json")
    assert (ended.code, ended.error["code"]) == (11, "audit_failed")


def test_up_refuses_another_network(run: Run, made: Path) -> None:
    # The file in the data directory names the first one, so this also shows that a variable comes before it.
    ended = run("up", "--port", 0, "--data", made, "--json", TANGLE_NETWORK_NAME="second")
    assert (ended.code, ended.error["code"]) == (10, "other_network")
    assert "'first'" in ended.error["message"]
    assert "'second'" in ended.error["message"]


def test_up_refuses_an_unknown_revision(run: Run, made: Path, tmp_path: Path) -> None:
    copied(made, tmp_path)
    with sqlite3.connect(tmp_path / "data" / "tangle.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    database.close()
    ended = run("up", "--port", 0, "--data", tmp_path / "data", "--json")
    assert (ended.code, ended.error["code"]) == (10, "unknown_revision")
    assert "from_the_future" in ended.error["message"]


def test_up_refuses_what_is_no_database(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tangle.db").write_bytes(b"no database at all" * 500)
    ended = run("up", "--port", 0, "--data", tmp_path, "--json")
    assert (ended.code, ended.error["code"]) == (10, "database_unusable")


def test_up_refuses_missing_and_exposed_keys(run: Run, made: Path, tmp_path: Path) -> None:
    data = copied(made, tmp_path)
    (data / "keys.json").chmod(0o644)
    ended = run("up", "--port", 0, "--data", data, "--json")
    assert (ended.code, ended.error["code"]) == (10, "keys_unusable")
    (data / "keys.json").rename(tmp_path / "copy")
    ended = run("up", "--port", 0, "--data", data, "--json")
    assert (ended.code, ended.error["code"]) == (10, "keys_missing")


def test_settings_come_from_the_file(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "tangle.toml").write_text('network_name = "from-file"\nbech32_hrp = "tst"\n')
    assert run("init", "--data", data, "--json").json["network"] == "from-file"
    (data / "tangle.toml").write_text("netwrok_name = 'x'\n")
    ended = run("up", "--data", data, "--json")
    assert (ended.code, ended.error["code"]) == (2, "setting_invalid")
    assert "netwrok_name" in ended.error["message"]


def test_an_audit_of_a_database_that_is_not_there_makes_none(run: Run, tmp_path: Path) -> None:
    gone = tmp_path / "gone.db"
    assert run("audit", "--database-url", f"sqlite:///{gone}", "--json").error["code"] == "no_network"
    assert not gone.exists()
