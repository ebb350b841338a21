"""Tips and slices on the command line, against a running node."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import pytest

from tangle.cli.tips.picture import picture
from tests.cli.conftest import Run, RunningNode, StartNode

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def node(start_node: StartNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    node = start_node(tmp_path_factory.mktemp("node") / "data")
    yield node
    assert node.stop() == 0


@pytest.fixture(scope="module")
def tangle(run: Run, node: RunningNode) -> Run:
    """The command, told where the node is; the Tangle has a few blocks."""
    tangle = partial(run, TANGLE_NODE=node.url)
    for number in range(4):
        assert tangle("data", "post", str(number), "--tag", "few").code == 0
    return tangle


def test_tips_are_listed_and_counted(tangle: Run) -> None:
    listed = tangle("tips", "list", "--limit", 3, "--json").json
    assert 1 <= len(listed["items"]) <= 3
    text = tangle("tips", "list").out
    assert re.search(r"^\d+ tip", text)
    assert re.search(r"^block +state +blocks since +rests on milestones$", text, re.MULTILINE)
    stats = tangle("tips", "stats", "--age", 2, "--json").json
    assert stats["age"] == 2
    assert re.search(r"^orphaned +\d+ blocks, ", tangle("tips", "stats").out, re.MULTILINE)


def test_a_selection_is_explained_and_drawn(tangle: Run, tmp_path: Path) -> None:
    file = tmp_path / "selection.svg"
    told = tangle("tips", "explain", "--seed", 7, "--count", 1, "--svg", file, "--json").json
    assert (told["seed"], told["k"]) == (7, 1)
    drawn = ElementTree.fromstring(file.read_text())
    assert drawn.tag == f"{SVG}svg"
    titles = [title.text or "" for title in drawn.iter(f"{SVG}title")]
    for block in (*told["selected"], *(walker["entry"] for walker in told["walkers"])):
        assert any(title.startswith(block) for title in titles)
    text = tangle("tips", "explain", "--seed", 7).out
    assert re.search(r"^seed +7, alpha 0\.01$", text, re.MULTILINE)
    assert re.search(r"^walker +steps +chance of its way", text, re.MULTILINE)


def test_a_selection_without_walkers_is_drawn_too() -> None:
    told = {"walkers": [], "selected": [], "numbers": {}, "tipCount": 0, "alpha": 0.01, "seed": 1}
    drawn = ElementTree.fromstring(picture({**told, "milestoneIndex": 1}))
    assert not list(drawn.iter(f"{SVG}circle"))


def test_slices_are_exported(tangle: Run, tmp_path: Path) -> None:
    whole = nx.node_link_graph(json.loads(tangle("graph", "export").raw), edges="edges")
    assert len(whole) >= 5
    numbers = sorted(known["number"] for _, known in whole.nodes(data=True))
    from_first = tangle("graph", "export", "--from", numbers[1], "--limit", 3).raw
    paged = nx.node_link_graph(json.loads(from_first), edges="edges")
    assert sorted(known["number"] for _, known in paged.nodes(data=True)) == numbers[1:4]
    file = tmp_path / "slice.graphml"
    block = next(iter(whole))
    ended = tangle("graph", "export", "--around", block, "--limit", 4, "--format", "graphml", "--out", file)
    assert (ended.code, ended.raw) == (0, b"")
    assert block in nx.read_graphml(file)
    assert tangle("graph", "export", "--format", "dot").out.startswith("digraph tangle {")


def test_what_cannot_be_is_said(tangle: Run, tmp_path: Path) -> None:
    assert tangle("graph", "export", "--from", 1, "--around", "0x" + "77" * 32).code == 2
    unknown = tangle("graph", "export", "--around", "0x" + "77" * 32)
    assert (unknown.code, "does not know" in unknown.err) == (4, True)
    assert tangle("graph", "export", "--out", tmp_path / "no" / "such").code == 2
    assert tangle("tips", "explain", "--svg", tmp_path / "no" / "such").code == 2
