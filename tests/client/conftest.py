"""A served fake node and a client of it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tangle.client.node.rest import NodeClient
from tests.client.fake_node import FakeNode, served
from tests.client.live import Bank, bank_of
from tests.nodes import RunningNode, running_node


@pytest.fixture
async def fake() -> AsyncIterator[FakeNode]:
    async with served(FakeNode()) as node:
        yield node


@pytest.fixture
async def node(fake: FakeNode) -> AsyncIterator[NodeClient]:
    async with NodeClient(fake.url, timeout=10) as client:
        yield client


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A real node for all tests of a file."""
    with running_node(tmp_path_factory.mktemp("node") / "data") as node:
        yield node


@pytest.fixture
async def bank(running: RunningNode) -> AsyncIterator[Bank]:
    async with bank_of(running) as made:
        yield made
