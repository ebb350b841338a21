"""Ten seconds of each target, from its corpus on; `make fuzz` goes on for an hour."""

from __future__ import annotations

import random
import secrets
from pathlib import Path

import pytest

from tests.fuzz.fuzzing import Fault, Target, fuzz
from tests.fuzz.mutations import changed_bytes
from tests.fuzz.targets import TARGETS, routes
from tests.nodes import running_node
from tests.tries import LONG

SECONDS = 60 if LONG else 10
SEED = secrets.randbits(32) if LONG else 2018
"""drawn anew in the long run; the short one goes the same way each time, as far as its seconds reach"""


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_breaks(target: Target) -> None:
    found = fuzz(target, SECONDS, SEED)
    assert len(found.answers) > 3, found.answers


def test_no_request_breaks_a_node(tmp_path: Path) -> None:
    with running_node(tmp_path / "data", min_pow_score=0) as node:
        found = fuzz(routes(node.http), SECONDS, SEED)
        assert any(answer.startswith("GET 200") for answer in found.answers), found.answers
        assert any(answer.startswith("POST 201") for answer in found.answers), found.answers
        assert node.get("/api/core/v2/info")["status"]["isHealthy"]


def test_a_fault_is_found_and_told_with_its_input() -> None:
    def attempt(data: bytes) -> str:
        if len(data) > 2:
            raise ValueError("broken")
        return data[:1].hex()

    def change(data: bytes, rng: random.Random) -> bytes:
        return changed_bytes(data, rng)

    with pytest.raises(Fault, match=r"seed 7: ValueError\('broken'\) on \d+ bytes: "):
        fuzz(Target("small", lambda: [b"xx"], change, attempt), 60, 7)
