"""Work for clients: measured in hashes, so that large blocks wait and small ones of others do not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tangle.protocol.blocks import Block, check_work
from tangle.protocol.tagged_data import TaggedData
from tangle.service.errors import PowBusy, PowDisabled
from tangle.service.work import WorkRoom
from tests.networks import PARAMETERS

SMALL = Block((bytes(32),), TaggedData(b"small", b"1"), nonce=5)
LARGE = Block((bytes(32),), TaggedData(b"large", bytes(30_000)), nonce=5)


async def test_a_price_is_the_hashes_that_the_work_takes_on_average() -> None:
    room = WorkRoom(replace(PARAMETERS, min_pow_score=100))
    assert room.price(SMALL) == 3**8
    assert room.price(LARGE) == 3**14


async def test_what_waits_is_bounded_by_hashes_and_small_blocks_still_fit() -> None:
    strict = replace(PARAMETERS, min_pow_score=5)
    room = WorkRoom(strict, workers=1, hashes_max=7 * 3**11)
    large = [asyncio.ensure_future(room.for_client(LARGE.with_nonce(n), "greedy")) for n in range(8)]
    await asyncio.sleep(0)
    small = asyncio.ensure_future(room.for_client(SMALL, "modest"))
    own = asyncio.ensure_future(room.for_client(SMALL.with_nonce(77), "greedy"))
    found = await asyncio.gather(*large, return_exceptions=True)
    assert [isinstance(one, PowBusy) for one in found] == [False] * 4 + [True] * 4
    for done in (await small, await own):
        check_work(done, strict.min_pow_score)


async def test_the_search_begins_at_the_nonce_of_the_block() -> None:
    room = WorkRoom(replace(PARAMETERS, min_pow_score=0))
    assert await room.for_client(SMALL, "a") == SMALL
    with pytest.raises(PowDisabled):
        await WorkRoom(PARAMETERS, enabled=False).for_client(SMALL, "a")
