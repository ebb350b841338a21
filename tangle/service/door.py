"""The one way in: every block enters by `Door.admit`, save for those that the node issues with its milestones.

A transport gives what it was sent, as bytes, as JSON or as a block, and says where it comes from. The door reads
it, checks it once and hands it to the writer; what a check refuses never reaches the writer.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tangle.errors import TangleError
from tangle.node import Node, Receipt
from tangle.protocol import peek
from tangle.protocol.blocks import Block, check_payload, check_work
from tangle.protocol.errors import ProofOfWorkTooLow, UnexpectedEnd
from tangle.protocol.parameters import NONCE_BYTES, PARENTS_MAX, PROTOCOL_VERSION
from tangle.protocol.serial import Fields, to_hex
from tangle.service.writer import Writer

log = logging.getLogger("tangle.door")

Work = Callable[[Block], Awaitable[Block]]
"""finds a nonce that suffices"""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a block comes from, and what it may ask of the node.

    Attributes
    ----------
    name : for the log
    completes : whether the node fills in what is missing: parents, protocol version, nonce
    work : does the work of a block that has none (its nonce is 0); None refuses such a block
    """

    name: str
    completes: bool = False
    work: Work | None = None

    def refused(self, error: TangleError) -> None:
        """Log why a block was refused: wallets swallow what they are answered."""
        log.info("refused a block from %s: %s: %s", self.name, error.code, error)


class Door:
    """Where blocks enter the node that `writer` runs."""

    def __init__(self, node: Node, writer: Writer) -> None:
        self._node = node
        self._writer = writer

    async def admit(self, given: Any, source: Source) -> Receipt:
        """Read, finish, check and attach a block; returns when it is durable.

        Parameters
        ----------
        given : a block, its binary form (TIP-24), or the value of its JSON form (TIP-25)

        Raises
        ------
        ProtocolError, AttachError : it breaks a rule, or does not fit the Tangle
        QueueFull, NotWritten : nothing was kept; try again
        TangleError : the source's work cannot be done
        """
        try:
            block = given if isinstance(given, Block) else self._read(given, source)
            return await self._writer.submit(await self._finished(block, source))
        except TangleError as error:
            source.refused(error)
            raise

    async def _finished(self, block: Block, source: Source) -> Block:
        """The block, checked, with its work done."""
        node, work = self._node, None
        try:
            check_work(block, node.parameters.min_pow_score)
        except ProofOfWorkTooLow:
            work = source.work
            if block.nonce or work is None:
                raise
        check_payload(block, node.parameters, node.network.keys)
        return await work(block) if work is not None else block

    def _read(self, given: Any, source: Source) -> Block:
        if isinstance(given, bytes):
            return self._from_bytes(given) if source.completes else Block.decode(given)
        fields = Fields(given, "block")
        return self._from_json(dict(fields.members)) if source.completes else Block.from_json(fields)

    def _from_bytes(self, data: bytes) -> Block:
        if peek.lacks_parents(data):
            data = peek.with_parents(data, self._node.reading.tips(PARENTS_MAX))
        try:
            return Block.decode(data)
        except UnexpectedEnd as error:
            # A block that ends where its nonce would begin is one without a nonce.
            if error.field != "nonce" or error.remain:
                raise
            return Block.decode(data + bytes(NONCE_BYTES))

    def _from_json(self, members: dict[str, Any]) -> Block:
        if not members.get("parents"):
            members["parents"] = [to_hex(tip) for tip in self._node.reading.tips(PARENTS_MAX)]
        if members.get("protocolVersion") is None:
            members["protocolVersion"] = PROTOCOL_VERSION
        return Block.from_json(Fields(members))
