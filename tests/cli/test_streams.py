"""Output that cannot be written: what was done is told all the same, and never as failed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, ROOT, Run, RunningNode, purse

ASCII = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
LONG_S = 60
"""seconds"""
Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path) -> Shell:
    """A command with its streams redirected by a shell, in a directory of its own."""

    def call(*words: str, to: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        script = f'exec "$@" {to}'
        return subprocess.run(
            ["sh", "-c", script, "sh", *COMMAND, *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment | {"PYTHONPATH": str(ROOT)} | variables,
            timeout=LONG_S,
            check=False,
        )

    return call


def test_the_words_are_shown_whatever_the_encoding(shell: Shell) -> None:
    made = shell("wallet", "new", "--wallet", "büro.json", "--hrp", "tgl", **ASCII)
    assert (made.returncode, made.stderr) == (0, "")
    assert "b\\xfcro.json" in made.stdout
    assert len(made.stdout[made.stdout.index("mnemonic") :].split()) > 24
    told = shell("wallet", "new", "--wallet", "zwölf €.json", "--hrp", "tgl", "--json", **ASCII)
    assert json.loads(told.stdout)["wallet"] == "zwölf €.json"


@pytest.mark.parametrize("to", [">/dev/full", ">&-"])
def test_words_that_standard_output_does_not_take_are_shown_elsewhere(
    shell: Shell, tmp_path: Path, to: str
) -> None:
    made = shell("wallet", "new", "--wallet", "w.json", "--hrp", "tgl", to=to)
    assert made.returncode == 0
    assert made.stderr.startswith("done, but standard output does not take it")
    assert json.loads((tmp_path / "w.json").read_text())["mnemonic"] in " ".join(made.stderr.split())


def test_a_wallet_whose_words_nobody_can_see_is_not_made(shell: Shell, tmp_path: Path) -> None:
    made = shell("wallet", "new", "--wallet", "w.json", "--hrp", "tgl", to=">/dev/full 2>&1")
    assert made.returncode == 1
    assert not (tmp_path / "w.json").exists()


def test_a_question_whose_answer_cannot_be_written_fails_in_a_sentence(shell: Shell, node: RunningNode) -> None:
    asked = shell("info", "--node", node.url, to=">/dev/full")
    assert (asked.returncode, len(asked.stderr.splitlines())) == (1, 1)
    assert "cannot be written to standard output: No space left" in asked.stderr
    shown = shell("info", "--node", node.url, **ASCII)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shell("info", "--node", node.url, to="2>&-").returncode == 0


def test_a_payment_that_was_made_is_never_told_as_failed(
    shell: Shell, tangle: Run, node: RunningNode, tmp_path: Path
) -> None:
    mine = purse(tangle, node, tmp_path / "w.json")
    assert tangle("wallet", "fund", "--wallet", mine.path).code == 0
    for to in (">/dev/full", ">/dev/full 2>/dev/full"):
        send = ("wallet", "send", mine.address, "5000", "--json", "--wallet", str(mine.path), "--node", node.url)
        sent = shell(*send, to=to)
        assert sent.returncode == 0
        if "2>" not in to:
            note, _, document = sent.stderr.partition("\n")
            assert note.startswith("done, but")
            assert json.loads(document)["milestoneIndex"]
    assert len(tangle("wallet", "history", "--json", "--wallet", mine.path).json["items"]) == 3
