"""One node and one browser for all tests that leave both as usable as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.nodes import RunningNode, running_node
from tests.web.browser import Page, browser


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node with the defaults of `tests.nodes`."""
    with running_node(tmp_path_factory.mktemp("node") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def window() -> Iterator[Page]:
    """A browser."""
    with browser() as page:
        yield page


@pytest.fixture
def page(window: Page, node: RunningNode) -> Page:
    """The node's page, freshly loaded, with nothing in its logs."""
    window.renew(node.url)
    return window
