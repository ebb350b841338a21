"""One running node for all tests that only read from it or add to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.nodes import RunningNode, running_node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node with the defaults of `tests.nodes`."""
    with running_node(tmp_path_factory.mktemp("node") / "data") as running:
        yield running
