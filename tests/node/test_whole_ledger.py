"""The whole ledger through the whole node, under random histories over all output types.

What a `History` checks at each milestone: base coins are conserved, native tokens too except through their
foundry, nothing is spent twice, or without the right unlock, and the tables say so. Here it is checked what a
history leaves: its journal makes the same ledger again, in this process and in another, and the audit agrees.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.audit import audit
from tangle.protocol.blocks import Block
from tangle.protocol.conflicts import Conflict
from tangle.protocol.milestones import Milestone
from tests.networks import close_nodes, found
from tests.node.follow import arrived, contents, follow, told, write
from tests.node.histories import PARAMETERS, History
from tests.tries import tries

STEPS = 10
"""milestones of a history"""
FOLLOWER_S = 120


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with nothing but a new network, to copy."""
    path = tmp_path_factory.mktemp("network") / "tangle.db"
    found(f"sqlite:///{path}", PARAMETERS)
    return path


def lived(directory: Path, network: Path, seed: int, steps: int = STEPS) -> History:
    """A history of so many milestones."""
    path = directory / "tangle.db"
    shutil.copy(network, path)
    history = History(path, seed)
    for _ in range(steps):
        history.step()
    return history


def check_remade(history: History, directory: Path) -> None:
    """The journal of `history`, attached to a ledger that is made anew, makes the same tables."""
    again = follow(directory / "again.db", arrived(history.node), random.Random(history.seed))
    here, there = contents(history.node.engine), contents(again.engine)
    for name, rows in here.items():
        assert there[name] == rows, f"seed {history.seed}: table {name}"
    assert again.reading.milestone == history.node.reading.milestone, f"seed {history.seed}"


def check_audited(history: History) -> None:
    """`tangle audit` proves the database, and counts what the history counted."""
    report, reasons, world = audit(history.node.engine), history.reasons, history.world
    assert report.unspent == PARAMETERS.token_supply, f"seed {history.seed}"
    assert report.transactions == reasons[Conflict.NONE], f"seed {history.seed}"
    assert report.conflicts == reasons.total() - reasons[Conflict.NONE], f"seed {history.seed}"
    assert report.outputs == len(world.unspent) + len(world.gone), f"seed {history.seed}"


@settings(max_examples=tries(10))
@given(st.integers(0, 2**32))
def test_nothing_is_made_lost_or_taken(tmp_path_factory: pytest.TempPathFactory, network: Path, seed: int) -> None:
    directory = tmp_path_factory.mktemp("history")
    history = lived(directory, network, seed)
    check_remade(history, directory)
    check_audited(history)
    close_nodes()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_made_lost_or_taken_in_the_long_run(tmp_path: Path, network: Path, seed: int) -> None:
    history = lived(tmp_path, network, seed, steps=80)
    check_remade(history, tmp_path)
    check_audited(history)


def test_all_kinds_of_steps_and_reasons_occur(tmp_path_factory: pytest.TempPathFactory, network: Path) -> None:
    reasons: Counter[Conflict] = Counter()
    steps: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for seed in range(12):
        history = lived(tmp_path_factory.mktemp("history"), network, seed, steps=20)
        reasons += history.reasons
        steps += history.steps
        refused += history.refused
        close_nodes()
    assert set(reasons) == set(Conflict) - {Conflict.SEMANTIC_VALIDATION_FAILED}
    assert set(steps) >= {"alias", "governed", "ended", "foundry", "closed", "minted", "melted", "nft", "burned"}
    assert refused["signature_invalid"]


@pytest.mark.parametrize("seed", [20, pytest.param(26, marks=pytest.mark.slow)])
def test_another_process_comes_to_the_same_roots(tmp_path: Path, network: Path, seed: int) -> None:
    history = lived(tmp_path, network, seed, steps=20)
    blocks = arrived(history.node)
    write(tmp_path / "blocks", blocks)
    program = [sys.executable, "-m", "tests.node.follow", str(tmp_path / "blocks"), str(tmp_path / "other.db")]
    # Hashes of bytes, and with them the order of sets, are others there than here.
    environment = dict(os.environ) | {"PYTHONHASHSEED": str(seed)}
    done = subprocess.run(
        program, capture_output=True, text=True, timeout=FOLLOWER_S, check=False, env=environment
    )
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"
    there = json.loads(done.stdout)
    assert there == told(history.node), f"seed {seed}"
    payloads = [Block.decode(data).payload for _, data in blocks]
    signed = [payload.essence for payload in payloads if isinstance(payload, Milestone)]
    assert len(signed) == 22
    # The first milestone is made before there is anything to apply.
    for (index, _, applied), essence in zip(there["milestones"][1:], signed[1:], strict=True):
        assert (index, applied) == (essence.index, essence.applied_root.hex()), f"seed {seed}"
    assert there["unspent"] == PARAMETERS.token_supply
