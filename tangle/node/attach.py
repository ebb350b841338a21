"""A block's way into the Tangle: known, waiting, refused or attached, and what it settles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tangle.errors import TangleError
from tangle.node.memory import Memory
from tangle.node.settle import confirm, ledger
from tangle.node.step import Outcome, Receipt, Step
from tangle.protocol.blocks import Block
from tangle.protocol.errors import AttachError, BelowMaxDepth, MilestoneInvalid, WindowFull
from tangle.protocol.milestones import NO_ID
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction
from tangle.store import queries
from tangle.store.rows import BlockRow


def attach(memory: Memory, blocks: Sequence[Block], now_ms: int) -> Step:
    """See `Node.attach`."""
    step = Step()
    _look_up(memory, step, _without_parents(memory, blocks))
    step.answers += [_take(memory, step, block, now_ms) for block in blocks]
    return step


def append(memory: Memory, step: Step, block: Block, parents: list[int], now_ms: int) -> int:
    """Add a block whose parents are at the indices `parents`; returns its index."""
    payload, number = block.payload, memory.take_number()
    kind = payload.TYPE if payload else None
    tag = payload.tag if isinstance(payload, TaggedData) else None
    step.batch.blocks.append(BlockRow(number, block.id, block.encoded, kind, tag, now_ms))
    step.events.append(queries.SolidEvent(number, block.id))
    step.attached.add(block.id)
    transaction = payload if isinstance(payload, Transaction) else None
    return memory.window.dag.append(block.id, parents, number=number, transaction=transaction)


def _take(memory: Memory, step: Step, block: Block, now_ms: int) -> Receipt | TangleError:
    """Let one block in, and those that waited for it, and those that waited for them."""
    answer = _admit(memory, step, block, now_ms)
    freed = _freed(memory, answer)
    while freed:
        child = freed.pop()
        step.released[child.id] = found = _admit(memory, step, child, now_ms)
        freed += _freed(memory, found)
    return answer


def _freed(memory: Memory, answer: Receipt | TangleError) -> list[Block]:
    """What waited for nothing but the block that was answered so; in falling order of ids."""
    if isinstance(answer, Receipt) and answer.outcome is Outcome.ATTACHED:
        return memory.room.arrived(answer.block_id)[::-1]
    return []


def _admit(memory: Memory, step: Step, block: Block, now_ms: int) -> Receipt | TangleError:
    dag = memory.window.dag
    if block.id in dag:
        return Receipt(block.id, Outcome.KNOWN)
    missing = [parent for parent in block.parents if parent not in dag]
    try:
        if missing:
            return _park(memory, step, block, missing)
        if len(dag) >= memory.settings.window_blocks_max:
            raise WindowFull
        parents = memory.window.indices(block.parents)
        settlement = memory.finality.judge(memory.window, block, ledger(memory, step))
        if settlement is None:
            _check_depth(memory, block, parents)
    except (AttachError, MilestoneInvalid) as error:
        return error
    index = append(memory, step, block, parents, now_ms)
    if settlement is not None:
        confirm(memory, step, settlement, index)
    return Receipt(block.id, Outcome.ATTACHED)


def _without_parents(memory: Memory, blocks: Sequence[Block]) -> Iterator[bytes]:
    """Ids of blocks whose parents are neither in the window nor among the blocks before, and of these parents."""
    dag, coming = memory.window.dag, set[bytes]()
    for block in blocks:
        missing = [parent for parent in block.parents if parent not in dag and parent not in coming]
        if missing:
            yield from (block.id, *missing)
        else:
            coming.add(block.id)


def _look_up(memory: Memory, step: Step, block_ids: Iterable[bytes]) -> None:
    """Find out which blocks the database holds, once for each id and step."""
    new = dict.fromkeys(block_ids).keys() - step.stored.keys()
    if new:
        with memory.own.reading() as connection:
            found = queries.block_numbers(connection, new)
        step.stored |= {block_id: block_id in found for block_id in new}


def _park(memory: Memory, step: Step, block: Block, missing: list[bytes]) -> Receipt:
    """Let the block wait, unless it is here already or what it misses has left the window."""
    _look_up(memory, step, (block.id, *missing))
    if step.stored[block.id] or block.id in step.attached:
        return Receipt(block.id, Outcome.KNOWN)
    for parent in missing:
        if step.stored[parent] or parent in step.attached or parent == NO_ID:
            raise BelowMaxDepth(parent, memory.window.depth)
    memory.room.park(block, missing)
    return Receipt(block.id, Outcome.WAITING)


def _check_depth(memory: Memory, block: Block, parents: list[int]) -> None:
    """Refuse what no settlement can reference any more; where one seems to, it is wrong for every node alike."""
    dag, floor = memory.window.dag, memory.finality.floor(memory.window.head.index)
    if dag.oldest_root(parents) < floor:
        old = next(
            parent
            for parent, index in zip(block.parents, parents, strict=True)
            if dag.oldest_root([index]) < floor
        )
        raise BelowMaxDepth(old, memory.window.depth)
