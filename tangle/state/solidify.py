"""The waiting room: blocks whose parents have not come yet.

Blocks may arrive before their parents. They wait here, bounded by bytes, so that nobody can fill the memory with
blocks whose parents never come. Nothing here is acknowledged: a block that waits is as good as not received until
its parents let it into the Tangle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tangle.protocol.blocks import Block
from tangle.protocol.errors import WaitingRoomFull

WAITING_BYTES_MAX = 16 * 1024 * 1024
"""bytes of all blocks that wait, together"""


class WaitingRoom:
    """Blocks by id, and who waits for whom."""

    def __init__(self, bytes_max: int = WAITING_BYTES_MAX) -> None:
        self.bytes_max = bytes_max
        self.bytes_held = 0
        self._blocks: dict[bytes, Block] = {}
        self._missing: dict[bytes, set[bytes]] = {}
        self._children: defaultdict[bytes, set[bytes]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._blocks)

    def __contains__(self, block_id: bytes) -> bool:
        return block_id in self._blocks

    def park(self, block: Block, missing: Iterable[bytes]) -> None:
        """Let `block` wait for the `missing` ids. Raises WaitingRoomFull; parking twice is no error."""
        if block.id in self._blocks:
            return
        if self.bytes_held + len(block.encoded) > self.bytes_max:
            raise WaitingRoomFull
        self.bytes_held += len(block.encoded)
        self._blocks[block.id] = block
        self._missing[block.id] = set(missing)
        for parent in self._missing[block.id]:
            self._children[parent].add(block.id)

    def arrived(self, block_id: bytes) -> list[Block]:
        """Blocks that waited for nothing but `block_id`; they leave, in order of their ids."""
        complete = []
        for child in sorted(self._children.pop(block_id, ())):
            self._missing[child].discard(block_id)
            if not self._missing[child]:
                complete.append(self._blocks[child])
                self.forget(child)
        return complete

    def missing(self, block_id: bytes) -> bytes:
        """One parent that the waiting block `block_id` still misses, 32 bytes; the first in lexical order."""
        return min(self._missing[block_id])

    def forget(self, block_id: bytes) -> None:
        """Give up waiting for the parents of `block_id`; unknown ids are no error."""
        block = self._blocks.pop(block_id, None)
        if block is None:
            return
        self.bytes_held -= len(block.encoded)
        for parent in self._missing.pop(block_id):
            self._children[parent].discard(block_id)
            if not self._children[parent]:
                del self._children[parent]
