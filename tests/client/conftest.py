"""A served fake node and a client of it."""

from collections.abc import AsyncIterator

import pytest

from client.rest import NodeClient
from tests.client.fake_node import FakeNode, served


@pytest.fixture
async def fake() -> AsyncIterator[FakeNode]:
    async with served(FakeNode()) as node:
        yield node


@pytest.fixture
async def node(fake: FakeNode) -> AsyncIterator[NodeClient]:
    async with NodeClient(fake.url, timeout=10) as client:
        yield client
