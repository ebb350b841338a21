"""The waiting room: bounded, ordered, forgetful on request."""

import random

import pytest

from tangle.protocol.blocks import Block
from tangle.protocol.errors import WaitingRoomFull
from tangle.state.solidify import WaitingRoom
from tests.networks import block_on, note
from tests.tries import each, tries


def chain(length: int, root: bytes = bytes(32)) -> list[Block]:
    blocks = []
    for number in range(length):
        blocks.append(block_on([root], note(str(number))))
        root = blocks[-1].id
    return blocks


@each("seed", range(tries(20)))
def test_any_order_of_arrival_lets_all_in(seed: int) -> None:
    blocks = chain(12)
    arrivals = blocks.copy()
    random.Random(seed).shuffle(arrivals)
    room, inside, order = WaitingRoom(), {bytes(32)}, []

    def enter(block: Block) -> None:
        inside.add(block.id)
        order.append(block)
        for child in room.arrived(block.id):
            enter(child)

    for block in arrivals:
        missing = [parent for parent in block.parents if parent not in inside]
        if missing:
            room.park(block, missing)
        else:
            enter(block)
    assert order == blocks, f"seed {seed}"
    assert len(room) == 0
    assert room.bytes_held == 0


def test_waits_for_every_missing_parent() -> None:
    one, other = chain(1)[0], block_on([bytes(32)], note("other"))
    child = block_on([one.id, other.id])
    room = WaitingRoom()
    room.park(child, [one.id, other.id])
    assert room.arrived(one.id) == []
    assert room.missing(child.id) == other.id
    assert room.arrived(other.id) == [child]
    assert child.id not in room


def test_full_room_refuses_and_keeps_what_it_has() -> None:
    first, second, third = chain(3)
    room = WaitingRoom(bytes_max=len(second.encoded) + 10)
    room.park(second, [first.id])
    room.park(second, [first.id])
    with pytest.raises(WaitingRoomFull):
        room.park(third, [second.id])
    assert len(room) == 1
    room.forget(third.id)
    room.forget(second.id)
    assert room.bytes_held == 0
    assert room.arrived(first.id) == []
