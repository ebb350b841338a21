"""Nodes for the end-to-end tests, and what they wrote when a test fails."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.e2e.nodes import NodeProcess
from tests.forked import SPEED

MakeNode = Callable[..., NodeProcess]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the log of the nodes that a failing test used."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, NodeProcess):
                report.sections.append((f"log of the node at {value.url}", value.log_end))
    return report


@pytest.fixture(scope="module")
def shared_node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A fresh node for all tests of a file, with the file's `SETTINGS`, or those of a user who sets none."""
    settings = getattr(request.module, "SETTINGS", {})
    node = NodeProcess(tmp_path_factory.mktemp("node") / "data", **settings)
    try:
        node.start()
        yield node
        assert node.stop() == 0, node.log_end
    finally:
        node.kill()


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[MakeNode]:
    """Make a node with settings of one's own; it is killed at the end of the test, should it still run."""
    made: list[NodeProcess] = []

    def make(speed: float = SPEED, **settings: object) -> NodeProcess:
        made.append(NodeProcess(tmp_path / f"data-{len(made)}", speed, **settings))
        return made[-1]

    yield make
    for node in made:
        node.kill()
