"""File descriptors: the limit is raised, and a node that has none left still writes and reads."""

from pathlib import Path

from tests.forked import Forked
from tests.networks import open_node
from tests.service.starved import raised, starve


def test_a_node_without_a_descriptor_left_writes_and_reads(tmp_path: Path) -> None:
    open_node(tmp_path / "t.db").close()
    process = Forked(starve, str(tmp_path / "t.db"), 256, stdout=tmp_path / "out", stderr=tmp_path / "err")
    assert process.wait(120) == 0, (tmp_path / "err").read_text()
    assert (tmp_path / "out").read_text().split()[:2] == ["True", "Receipt"]


def test_the_limit_is_raised_and_a_reserve_kept(tmp_path: Path) -> None:
    process = Forked(raised, str(tmp_path / "limits"), 200, stderr=tmp_path / "err")
    assert process.wait(120) == 0, (tmp_path / "err").read_text()
    low, limit, clients = map(int, (tmp_path / "limits").read_text().split())
    assert 16 <= low < 200
    assert limit > 200
    assert clients < limit
