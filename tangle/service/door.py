"""The one way in: every block enters by `Door.admit`, save for those that the node issues with its milestones.

A transport gives what it was sent, as bytes, as JSON or as a block, and says where it comes from. The door reads
it, checks it once and hands it to the writer; what a check refuses never reaches the writer.

A block that the node finishes is one of its own: its nonce is sought from a place drawn by lot, so that two equal
readings are two blocks although they have the same parents. A block that its sender finished stays as it is, and
is the same block however often it comes.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from tangle.errors import TangleError
from tangle.node import Node, Receipt
from tangle.protocol import peek
from tangle.protocol.blocks import Block, check_payload, check_work
from tangle.protocol.errors import ProofOfWorkTooLow, UnexpectedEnd
from tangle.protocol.milestones import Milestone
from tangle.protocol.parameters import NONCE_BYTES, PARENTS_MAX, PROTOCOL_VERSION
from tangle.protocol.ruleset import LOCKS
from tangle.protocol.serial import Fields, to_hex, within
from tangle.protocol.transactions import Transaction, check_witness
from tangle.service.turns import Turns
from tangle.service.writer import Writer

log = logging.getLogger("tangle.door")

SHORT_BYTES = 1_024
"""bytes of a block up to which it is checked on the loop: at most 7 signatures, a millisecond"""
CHECKS = 1
"""threads that check longer ones"""
CHECKS_BYTES_MAX = 32 * 2**20
"""bytes of blocks that may wait for them"""

Work = Callable[[Block], Awaitable[Block]]
"""finds a nonce that suffices"""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a block comes from, and what it may ask of the node.

    Attributes
    ----------
    name : for the log
    completes : whether the node fills in what is missing: parents, protocol version, nonce
    work : does the work of a block that has none, from its nonce on; None refuses such a block
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
        self._turns = Turns(CHECKS, CHECKS_BYTES_MAX, CHECKS_BYTES_MAX / 2)
        self._checks = ThreadPoolExecutor(CHECKS, "checks")

    async def admit(self, given: Any, source: Source) -> Receipt:
        """Read, finish, check and attach a block; returns when it is durable.

        Parameters
        ----------
        given : a block, its binary form (TIP-24), or the value of its JSON form (TIP-25)

        Raises
        ------
        ProtocolError, AttachError : it breaks a rule, or does not fit the Tangle
        QueueFull, NotWritten : nothing was kept; try again
        TooBusy : too many long blocks wait to be checked
        TangleError : the source's work cannot be done
        """
        try:
            block, finished = self._read(given, source)
            if not finished and not isinstance(block.payload, Milestone):
                block = block.with_nonce(secrets.randbits(64))
            return await self._writer.submit(await self._worked(block, source, finished=finished))
        except TangleError as error:
            source.refused(error)
            raise

    async def _worked(self, block: Block, source: Source, *, finished: bool) -> Block:
        """The block, checked, with its work done."""
        node, work = self._node, None
        try:
            check_work(block, node.parameters.min_pow_score)
        except ProofOfWorkTooLow:
            work = source.work
            if (finished and block.nonce) or work is None:
                raise
        await self._check(block, source)
        if work is None:
            return block
        return await work(block if block.nonce else block.with_nonce(secrets.randbits(64)))

    async def _check(self, block: Block, source: Source) -> None:
        """Many signatures are checked on another thread, in turn, so that nobody waits for them on the loop."""
        if len(block.encoded) <= SHORT_BYTES:
            self._check_payload(block)
            return
        async with self._turns.turn(source.name, len(block.encoded)):
            await asyncio.get_running_loop().run_in_executor(self._checks, self._check_payload, block)

    def _check_payload(self, block: Block) -> None:
        node = self._node
        check_payload(block, node.parameters, node.network.keys)
        if LOCKS in node.reading.milestone.rules and isinstance(block.payload, Transaction):
            within("payload", partial(check_witness, block.payload))

    def _read(self, given: Any, source: Source) -> tuple[Block, bool]:
        """The block, and whether its sender finished it: chose its parents and its nonce."""
        if isinstance(given, Block):
            return given, source.work is None or given.nonce != 0
        if isinstance(given, bytes):
            return self._from_bytes(given) if source.completes else (Block.decode(given), True)
        fields = Fields(given, "block", exact=True)
        if source.completes:
            return self._from_json(dict(fields.members))
        return fields.whole(Block.from_json), True

    def _from_bytes(self, data: bytes) -> tuple[Block, bool]:
        finished = not peek.lacks_parents(data)
        if not finished:
            data = peek.with_parents(data, self._node.reading.tips(PARENTS_MAX))
        try:
            return Block.decode(data), finished
        except UnexpectedEnd as error:
            # A block that ends where its nonce would begin is one without a nonce.
            if error.field != "nonce" or error.remain:
                raise
            return Block.decode(data + bytes(NONCE_BYTES)), False

    def _from_json(self, members: dict[str, Any]) -> tuple[Block, bool]:
        finished = bool(members.get("parents")) and members.get("nonce") is not None
        if not members.get("parents"):
            members["parents"] = [to_hex(tip) for tip in self._node.reading.tips(PARENTS_MAX)]
        if members.get("protocolVersion") is None:
            members["protocolVersion"] = PROTOCOL_VERSION
        return Fields(members, exact=True).whole(Block.from_json), finished
