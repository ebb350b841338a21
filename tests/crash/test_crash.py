"""A short siege in the suite; `make crash` is the long one."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.crash.faults import end_of_commits
from tests.crash.siege import Siege
from tests.tries import LONG


@pytest.mark.timeout(900)
async def test_a_node_under_siege_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    toll = await Siege(tmp_path / "siege", seed, print).run(40 if LONG else 4)
    assert toll.acknowledged
    assert toll.orders
    assert toll.messages


def test_a_log_ends_where_its_last_commit_does() -> None:
    salt, other = b"saltsalt", b"othersal"
    header = bytes(8) + (512).to_bytes(4, "big") + bytes(4) + salt + bytes(8)

    def frame(pages: int, salt: bytes) -> bytes:
        return bytes(4) + pages.to_bytes(4, "big") + salt + bytes(8) + bytes(512)

    commit, middle = frame(7, salt), frame(0, salt)
    assert end_of_commits(header) == len(header)
    assert end_of_commits(header + middle + commit + middle) == len(header + middle + commit)
    assert end_of_commits(header + commit + frame(9, other) + commit) == len(header + commit)
    assert end_of_commits(header + commit + commit[:-1]) == len(header + commit)
