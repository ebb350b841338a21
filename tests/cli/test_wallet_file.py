"""The wallet file keeps a secret whole, closed, and never in the place of another."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.pwhash import argon2id

from tangle.cli.errors import WalletExists, WalletExposed, WalletMalformed, WalletMissing, WrongPassword
from tangle.cli.wallet import file as wallet_file
from tangle.cli.wallet.file import SealedMnemonic
from tests.tries import tries

WORDS = "letter advice cage absurd amount doctor acoustic avoid letter advice cage above"
CHEAP = {"operations": argon2id.OPSLIMIT_MIN, "memory_bytes": argon2id.MEMLIMIT_MIN}
in_one_directory = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "wallet.json"
    wallet_file.create(path, WORDS)
    assert wallet_file.load(path) == WORDS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["wallet.json"]


def test_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    wallet_file.create(path, WORDS)
    before = path.read_bytes()
    with pytest.raises(WalletExists):
        wallet_file.create(path, "other words")
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["wallet.json"]


def test_what_a_killed_run_left_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    (tmp_path / f".wallet.json.{os.getpid()}").write_bytes(b"half of a wal")
    wallet_file.create(path, WORDS)
    assert wallet_file.load(path) == WORDS
    assert [entry.name for entry in tmp_path.iterdir()] == ["wallet.json"]


@given(password=st.text(max_size=40), other=st.text(max_size=40))
@settings(max_examples=15, deadline=None)
def test_only_the_password_opens(password: str, other: str) -> None:
    sealed = SealedMnemonic.seal(WORDS, password, **CHEAP)
    assert sealed.open(password) == WORDS
    assert (sealed.open(other) == WORDS) == (other == password)


def test_sealed_file(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    sealed = SealedMnemonic.seal(WORDS, "correct horse", **CHEAP)
    wallet_file.create(path, WORDS, sealed)
    assert not any(word in path.read_text() for word in set(WORDS.split()) - {"amount"})
    held = wallet_file.load(path)
    assert held == sealed
    assert isinstance(held, SealedMnemonic)
    assert wallet_file.unseal(path, held, "correct horse") == WORDS
    with pytest.raises(WrongPassword):
        wallet_file.unseal(path, held, "wrong horse")


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(max_examples=tries(20), deadline=None)
def test_a_changed_box_stays_closed(place: int, bit: int) -> None:
    sealed = SealedMnemonic.seal(WORDS, "p", **CHEAP)
    box = bytearray(sealed.box)
    box[place % len(box)] ^= 1 << bit
    assert SealedMnemonic(sealed.salt, sealed.operations, sealed.memory_bytes, bytes(box)).open("p") is None


def test_missing_and_exposed(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    with pytest.raises(WalletMissing):
        wallet_file.load(path)
    wallet_file.create(path, WORDS)
    path.chmod(0o640)
    with pytest.raises(WalletExposed, match="chmod 600"):
        wallet_file.load(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
nearly_sealed = st.fixed_dictionaries(
    {"kdf": st.just("argon2id")},
    optional={
        "salt": json_values | st.just("00" * argon2id.SALTBYTES),
        "operations": json_values,
        "memoryBytes": json_values | st.just(2**50),
        "box": json_values | st.just("00"),
    },
)


@given(content=json_values | st.fixed_dictionaries({"version": st.just(1), "sealed": json_values | nearly_sealed}))
@in_one_directory
def test_other_json_is_malformed(tmp_path: Path, content: object) -> None:
    path = tmp_path / "wallet.json"
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    with contextlib.suppress(WalletMalformed):
        held = wallet_file.load(path)
        assert isinstance(held, SealedMnemonic)
        assert held.memory_bytes <= wallet_file.MEMORY_BYTES_MAX


@given(content=st.binary(max_size=60))
@in_one_directory
def test_other_bytes_are_malformed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wallet.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(WalletMalformed):
        wallet_file.load(path)
