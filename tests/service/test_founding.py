"""Founding and opening a network: whole, continued after a kill, and clear about what is wrong."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from tangle.api.app import listen, prepared
from tangle.node import create_network
from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.keys import Keys
from tangle.protocol.ruleset import LOCKS
from tangle.service.directory import (
    FOUNDED_NAME,
    KEYS_NAME,
    read_fund,
    read_keys,
    supply_words,
)
from tangle.service.errors import (
    DataInUse,
    DataUnusable,
    KeysMissing,
    KeysUnusable,
    NetworkLost,
    PortUnusable,
    SettingInvalid,
)
from tangle.service.founding import make_network, open_node, switch_on
from tangle.service.settings import CONFIG_NAME, NETWORK_SETTINGS, OF_OTHERS, Settings
from tangle.store.engine import migrate, open_engine
from tangle.store.errors import NoNetwork, OtherNetwork
from tangle.store.journal import read_network


def _settings(data: Path, **given: Any) -> Settings:
    return Settings.load(**{"data": data, "min_pow_score": 0, **given})


def _open(settings: Settings) -> None:
    open_node(settings).close()


def test_a_new_network_keeps_its_secrets(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    assert make_network(_settings(data)) is True
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE((data / KEYS_NAME).stat().st_mode) == 0o600
    keys = read_keys(data)
    assert keys.faucet_seed.hex() not in repr(keys)
    assert keys.coordinator_seeds[0].hex() not in repr(keys)
    assert make_network(_settings(data)) is False
    assert read_keys(data) == keys
    _open(_settings(data))


def test_the_words_of_the_supply_lie_outside_of_the_node(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings = _settings(data, faucet_fund=5_000_000, token_supply=10_000_000)
    make_network(settings)
    assert settings.supply_path == tmp_path / "data-supply.json"
    assert stat.S_IMODE(settings.supply_path.stat().st_mode) == 0o600
    words = supply_words(settings.supply_path)
    assert not [file for file in data.iterdir() if words.split()[0] in file.read_text(errors="ignore")]
    fund = read_fund(data)
    assert fund is not None
    given = {output.owner: output.amount for output in fund.essence.outputs}
    holder = Keys.from_mnemonic(words).derive().address
    assert given == {read_keys(data).faucet.address: 5_000_000, holder: 5_000_000}


def test_a_supply_file_that_is_there_is_used_and_one_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "supply.json"
    words = supply_words(file)
    make_network(_settings(tmp_path / "data", supply_file=str(file)))
    assert supply_words(file) == words
    file.write_text("{}")
    with pytest.raises(KeysUnusable, match="TANGLE_SUPPLY_FILE"):
        make_network(_settings(tmp_path / "other", supply_file=str(file)))
    with pytest.raises(DataUnusable, match="TANGLE_SUPPLY_FILE"):
        make_network(_settings(tmp_path / "third", supply_file=str(tmp_path / "no" / "such" / "place.json")))


def test_a_directory_of_an_earlier_build_goes_on_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = _settings(tmp_path / "data")
    make_network(settings)
    path, words = settings.data / KEYS_NAME, supply_words(settings.supply_path)
    members = json.loads(path.read_text())
    own = read_keys(settings.data).faucet.address
    del members["faucetSeed"]
    path.write_text(json.dumps(members | {"supplyMnemonic": words}))
    assert read_keys(settings.data).faucet.address == Keys.from_mnemonic(words).derive().address
    _open(settings)
    assert "holds the words of the supply" in caplog.text
    # With the words taken out, as it advises, the faucet has a key of its own.
    path.write_text(json.dumps(members))
    there = read_keys(settings.data).faucet.address
    assert there not in {own, Keys.from_mnemonic(words).derive().address}
    assert there == read_keys(settings.data).faucet.address


def test_two_networks_share_no_key(tmp_path: Path) -> None:
    for name in "ab":
        make_network(_settings(tmp_path / name))
    assert read_keys(tmp_path / "a") != read_keys(tmp_path / "b")


def test_a_network_that_was_half_made_is_finished_with_the_same_keys(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    make_network(settings)
    keys = read_keys(tmp_path)
    for name in ("tangle.db", "tangle.db-wal", "tangle.db-shm", FOUNDED_NAME):
        (tmp_path / name).unlink(missing_ok=True)
    # As after a kill between the keys and the network, with a schema and a draft of the settings already there.
    engine = open_engine(settings.url)
    migrate(engine)
    engine.dispose()
    (tmp_path / (KEYS_NAME + ".new")).write_text("half")
    assert make_network(settings) is True
    assert read_keys(tmp_path) == keys
    _open(settings)


@pytest.mark.parametrize("older", [False, True], ids=["marked when made", "marked by a later start"])
def test_a_lost_database_is_not_replaced_by_another_history(tmp_path: Path, older: bool) -> None:
    settings = _settings(tmp_path)
    make_network(settings)
    if older:
        (tmp_path / FOUNDED_NAME).unlink()
        assert make_network(settings) is False
    (tmp_path / "tangle.db").rename(tmp_path / "copy.db")
    with pytest.raises(NetworkLost, match="put the database back"):
        make_network(settings)
    (tmp_path / "copy.db").rename(tmp_path / "tangle.db")
    assert make_network(settings) is False
    _open(settings)


def test_the_file_that_is_written_gives_the_settings_back(tmp_path: Path) -> None:
    first = _settings(tmp_path, network_name='odd "name"', v_byte_cost=7, bech32_hrp="xyz")
    make_network(first)
    text = (tmp_path / CONFIG_NAME).read_text()
    for name in Settings.model_fields:
        assert f"{name} = " in text or name == "data"
    again = Settings.load(data=tmp_path)
    assert [getattr(again, name) for name in NETWORK_SETTINGS] == [
        getattr(first, name) for name in NETWORK_SETTINGS
    ]
    _open(again)


def test_the_file_with_every_setting_uncommented_still_loads(tmp_path: Path) -> None:
    make_network(_settings(tmp_path))
    path = tmp_path / CONFIG_NAME
    lines = path.read_text().splitlines()
    set_all = [line.removeprefix("# ") if line.startswith("# ") and " = " in line else line for line in lines]
    path.write_text("\n".join(set_all))
    assert Settings.load(data=tmp_path).model_dump() == _settings(tmp_path).model_dump()


def test_settings_of_another_network_are_refused(tmp_path: Path) -> None:
    make_network(_settings(tmp_path))
    with pytest.raises(OtherNetwork) as caught:
        _open(_settings(tmp_path, network_name="another", v_byte_cost=500))
    assert caught.value.differences["network_name"] == ("tangle-local", "another")
    assert set(caught.value.differences) == {"network_name", "rent_structure"}


def test_a_network_is_opened_without_naming_its_settings(tmp_path: Path) -> None:
    make_network(_settings(tmp_path, token_supply=10**9, bech32_hrp="few"))
    (tmp_path / CONFIG_NAME).unlink()
    opened = open_node(Settings.load(data=tmp_path))
    assert opened.node.parameters.token_supply == 10**9
    opened.close()


def test_keys_of_another_network_are_refused(tmp_path: Path) -> None:
    for name in "ab":
        make_network(_settings(tmp_path / name))
    (tmp_path / "a" / KEYS_NAME).write_bytes((tmp_path / "b" / KEYS_NAME).read_bytes())
    with pytest.raises(KeysUnusable, match="another network"):
        _open(_settings(tmp_path / "a"))


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    make_network(_settings(tmp_path))
    (tmp_path / KEYS_NAME).chmod(0o644)
    with pytest.raises(KeysUnusable, match="chmod 600"):
        _open(_settings(tmp_path))


@pytest.mark.parametrize("text", ["", "{}", "[]", json.dumps({"coordinatorSeeds": ["00"], "supplyMnemonic": "x"})])
def test_damaged_keys_are_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    make_network(_settings(tmp_path))
    (tmp_path / KEYS_NAME).write_text(text)
    with pytest.raises(KeysUnusable):
        _open(_settings(tmp_path))


def test_missing_keys_are_named(tmp_path: Path) -> None:
    make_network(_settings(tmp_path))
    (tmp_path / KEYS_NAME).unlink()
    with pytest.raises(KeysMissing, match=KEYS_NAME):
        _open(_settings(tmp_path))
    # A node that neither issues milestones nor gives anything away needs none.
    _open(_settings(tmp_path, coordinator=False, faucet=False))


def test_one_directory_is_for_one_process(tmp_path: Path) -> None:
    make_network(_settings(tmp_path))
    opened = open_node(_settings(tmp_path))
    with pytest.raises(DataInUse):
        _open(_settings(tmp_path))
    opened.close()
    _open(_settings(tmp_path))


def test_an_unusable_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataUnusable, match="file"):
        make_network(_settings(tmp_path / "file" / "data"))


def test_no_network_is_made_by_opening(tmp_path: Path) -> None:
    with pytest.raises(NoNetwork):
        _open(_settings(tmp_path))


def test_a_port_in_use_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortUnusable, match=str(port)), prepared(_settings(tmp_path / "data", port=port)):
            pass
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"port": 70_000}, "port"),
        ({"milestone_interval_ms": 10}, "milestone_interval_ms"),
        ({"bech32_hrp": "ABC"}, "bech32_hrp"),
        ({"confidence_thresholds": "0.5,2"}, "confidence_thresholds"),
        ({"alfa": 1}, "alfa"),
        ({"selector": "heaviest"}, "selector"),
        ({"selector": "uniform", "selector_settings": "age=3"}, "selector_settings.age"),
        ({"selector": "g-iota", "selector_settings": {"age": 0}}, "selector_settings.age"),
        ({"selector_settings": "alpha"}, "selector_settings.alpha"),
        ({"confidence_share": 0}, "confidence_share"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, given: dict[str, Any], name: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        _settings(tmp_path, **given)
    assert caught.value.name == name


def test_a_faucet_that_gives_less_than_the_deposit_is_refused(tmp_path: Path) -> None:
    make_network(_settings(tmp_path))
    with pytest.raises(SettingInvalid, match="storage deposit"):
        _open(_settings(tmp_path, faucet_amount=1))


def test_arguments_beat_the_environment_which_beats_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / CONFIG_NAME).write_text("port = 1\nalpha = 0.5\nqueue_max = 7\n")
    monkeypatch.setenv("TANGLE_PORT", "2")
    monkeypatch.setenv("TANGLE_QUEUE_MAX", "8")
    monkeypatch.setenv("TANGLE_ALPHA", "")
    monkeypatch.setenv("TANGLE_CORS_ORIGINS", "https://a.example, https://b.example")
    settings = Settings.load(data=tmp_path, port=3)
    assert (settings.port, settings.queue_max, settings.alpha) == (3, 8, 0.5)
    assert settings.cors_origins == ("https://a.example", "https://b.example")


def test_a_mistyped_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANGLE_WALLET_PASSWORD", "another command's")
    monkeypatch.setenv("TANGLE_POW_SCORE_MIN", "")
    Settings.load(data=tmp_path)
    monkeypatch.setenv("TANGLE_MIN_POW_SCOR", "0")
    with pytest.raises(SettingInvalid, match=r"TANGLE_MIN_POW_SCOR: .*did you mean min_pow_score"):
        Settings.load(data=tmp_path)


def test_every_variable_that_commands_read_is_known() -> None:
    root = Path(__file__).parents[2] / "tangle"
    text = "".join(path.read_text() for path in root.rglob("*.py"))
    named = set(re.findall(r'(?:envvar=|PASSWORD_VARIABLE = )"TANGLE_([A-Z_]+)"', text))
    assert {"NODE", "WALLET_PASSWORD"} < named <= OF_OTHERS | {name.upper() for name in Settings.model_fields}


def test_a_mistyped_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / CONFIG_NAME).write_text("prot = 1\n")
    with pytest.raises(SettingInvalid, match=r"prot: .*did you mean port"):
        Settings.load(data=tmp_path)
    with pytest.raises(SettingInvalid, match="no file"):
        Settings.load(tmp_path / "absent.toml")


def test_a_rule_is_switched_on_once_and_for_good(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    make_network(settings)
    assert switch_on(settings, LOCKS) == (1, False)
    with pytest.raises(SettingInvalid, match="coordinator: must be true"):
        switch_on(_settings(tmp_path, coordinator=False), LOCKS)
    opened = open_node(settings)
    with pytest.raises(DataInUse):
        switch_on(settings, LOCKS)
    opened.close()


def test_an_older_network_gets_locks(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    make_network(settings)
    engine = open_engine(settings.url)
    keys = read_keys(tmp_path)
    network = read_network(engine)
    assert network is not None
    engine.dispose()
    (tmp_path / "tangle.db").unlink()
    engine = open_engine(settings.url)
    migrate(engine)
    holder = Ed25519Address(bytes(32))
    create_network(
        engine, network.parameters, network.keys, keys.coordinator_seeds, holder, 1_700_000_000, rules=()
    )
    engine.dispose()
    assert switch_on(settings, LOCKS) == (2, True)
    assert switch_on(settings, LOCKS) == (2, False)
    opened = open_node(settings)
    assert opened.node.reading.milestone.rules == {LOCKS}
    opened.close()
