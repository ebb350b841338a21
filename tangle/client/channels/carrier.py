"""What a writer asks of a Tangle, as a protocol: a node over REST, or some tables in a test."""

from __future__ import annotations

from typing import Protocol

from tangle.client.node.attach import Pow, attach
from tangle.client.node.rest import NodeClient
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.tagged_data import TaggedData


class Carrier(Protocol):
    """Takes data under a tag."""

    async def post(self, tag: bytes, data: bytes) -> bytes:
        """Put data under a tag; returns the block id once a node holds it durably. Raises ClientError."""
        ...

    async def parameters(self) -> ProtocolParameters:
        """Of the network that data goes to. Raises ClientError."""
        ...


class NodeCarrier:
    """A node over REST.

    Parameters
    ----------
    node : what to ask
    pow : who does the proof of work
    """

    def __init__(self, node: NodeClient, *, pow: Pow = "local") -> None:  # noqa: A002
        self._node = node
        self._pow: Pow = pow

    async def post(self, tag: bytes, data: bytes) -> bytes:
        """Attach a block to current tips. Raises NodeUnreachable, NodeError, UnexpectedAnswer."""
        return await attach(self._node, TaggedData(tag, data), pow=self._pow)

    async def parameters(self) -> ProtocolParameters:
        """Of the node's network. Raises NodeUnreachable, NodeError, UnexpectedAnswer."""
        return await self._node.parameters()
