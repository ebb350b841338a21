"""The page and its node over time: load, a node that goes away and comes back, a page that nobody sees."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.nodes import NodeProcess
from tests.forked import ROOT
from tests.web.browser import Page, needs_chromium

pytestmark = needs_chromium

GRAPH = "/api/tangle/v1/graph"
METRICS = "/api/tangle/v1/metrics"
BLOCKS, CONNECTIONS, RATE = 1_200, 4, 200


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeProcess]:
    """A node in a process of its own, on a network without work."""
    process = NodeProcess(tmp_path / "data", min_pow_score=0, milestone_silence_ms=20_000, pow=False)
    process.start()
    yield process
    process.kill()


@pytest.fixture
def page(window: Page, node: NodeProcess) -> Page:
    """Its page."""
    window.renew(node.url)
    return window


def test_two_hundred_blocks_a_second_are_kept_up_with(page: Page, node: NodeProcess) -> None:
    frames = page.ask("page.picture.frames")
    report = _load(node, BLOCKS, RATE)
    assert '"201": 1200' in report
    _caught_up(page, node)
    assert page.ask("page.picture.frames") > frames
    assert page.ask("page.tangle.blocks.length") > BLOCKS
    _nothing_missed(page, node)
    assert page.ask("page.tangle.sureTimes.taken.length + page.tangle.referencedTimes.taken.length") > 0
    assert page.complaints() == []


def test_a_node_that_comes_back_is_followed_from_where_it_stopped(page: Page, node: NodeProcess) -> None:
    _load(node, 40, 40)
    _caught_up(page, node)
    assert node.stop() == 0
    page.eventually(lambda: page.ask("page.source.state") == "lost", "the loss is not noticed")
    assert "does not answer" in page.text("lost")
    known = page.ask("page.tangle.blocks.length")
    node.start()
    _load(node, 40, 40)
    page.eventually(lambda: page.ask("page.source.state") == "live", "the page does not go on")
    assert not page.find("lost").is_displayed()
    _caught_up(page, node)
    assert page.ask("page.tangle.blocks.length") >= known + 40
    _nothing_missed(page, node)


def test_a_killed_node_that_comes_back_is_followed_from_where_it_stopped(page: Page, node: NodeProcess) -> None:
    _load(node, 40, 40)
    node.kill()
    page.eventually(lambda: page.ask("page.source.state") == "lost", "the loss is not noticed")
    node.start()
    _load(node, 40, 40)
    page.eventually(lambda: page.ask("page.source.state") == "live", "the page does not go on")
    _caught_up(page, node)
    _nothing_missed(page, node)


@pytest.mark.parametrize("blocks", [0, 200], ids=["with fewer events", "with more events"])
def test_another_network_under_the_same_address_is_shown_afresh(
    page: Page, node: NodeProcess, tmp_path: Path, blocks: int
) -> None:
    _load(node, 60, 60)
    _caught_up(page, node)
    last = page.ask("page.source.last")
    page.ask("page.source.rest()")
    node.kill()
    node.data = tmp_path / "other"
    node.start()
    if blocks:
        _load(node, blocks, 100)
    assert (_event_number(node) > last) == bool(blocks)
    page.driver.execute_script("dispatchEvent(new Event('pageshow'))")
    page.eventually(lambda: page.ask("page.source.slices") == 2, "no new slice is taken")
    _caught_up(page, node)
    _same_as_the_node(page, node)
    assert page.ask("page.tangle.blocks[0].number") == 1


def test_a_page_out_of_sight_lets_go_of_its_stream_and_misses_nothing(page: Page, node: NodeProcess) -> None:
    page.ask("page.source.rest()")
    with httpx.Client(base_url=node.url, trust_env=False) as http:
        page.eventually(lambda: http.get(METRICS).json()["eventStreams"] == 0, "the stream stays open")
    _load(node, 40, 40)
    page.driver.execute_script("dispatchEvent(new Event('pageshow'))")
    page.eventually(lambda: page.ask("page.source.state") == "live", "the page does not go on")
    _caught_up(page, node)
    _nothing_missed(page, node)


def test_far_behind_a_new_slice_is_taken(page: Page, node: NodeProcess) -> None:
    _load(node, 40, 40)
    _caught_up(page, node)
    page.ask("(page.source.rest(), page.source.last = -40_000)")
    page.driver.execute_script("dispatchEvent(new Event('pageshow'))")
    page.eventually(lambda: page.ask("page.source.slices") == 2, "no new slice is taken")
    _caught_up(page, node)
    _same_as_the_node(page, node)


def _load(node: NodeProcess, blocks: int, rate: int) -> str:
    """Blocks at an even rate; the generator's report."""
    command = [sys.executable, "-m", "tests.bench.generator"]
    arguments = [str(node.port), "binary", str(blocks), str(CONNECTIONS), str(rate)]
    done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def _caught_up(page: Page, node: NodeProcess) -> None:
    """Everything that the node has told of is taken in, and the page says so."""
    page.await_event(_event_number(node))
    page.eventually(lambda: " 0 behind" in page.text("position"), "the page does not say that it is level")


def _event_number(node: NodeProcess) -> int:
    return int(httpx.get(node.url + METRICS, trust_env=False).json()["eventNumber"])


def _nothing_missed(page: Page, node: NodeProcess) -> None:
    assert page.ask("[page.source.gaps, page.source.repeats, page.source.slices]") == [0, 0, 1]
    _same_as_the_node(page, node)


def _same_as_the_node(page: Page, node: NodeProcess) -> None:
    """The page holds each of the node's newest blocks once, with its parents, and what milestones made of them."""
    slice_ = httpx.get(node.url + GRAPH, params={"limit": 1_000}, trust_env=False).json()
    last = slice_["nodes"][-1]["number"]
    page.await_event(last)
    drawn = page.ask("page.tangle.blocks.map((b) => [b.number, b.id, b.parentIds, b.referencedBy])")
    numbers = [one[0] for one in drawn]
    assert numbers == sorted(set(numbers))
    by_id = {one[1]: one for one in drawn}
    assert len(by_id) == len(drawn)
    for told in slice_["nodes"]:
        number, _, parents, referenced = by_id[told["blockId"]]
        assert (number, parents) == (told["number"], told["parents"])
        # What the newest milestones reference may be told after the slice.
        if 0 < told.get("referencedByMilestoneIndex", 0) < slice_["ledgerIndex"]:
            assert referenced == told["referencedByMilestoneIndex"]
