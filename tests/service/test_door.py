"""The door: every form a block comes in, what each source may ask, and that nobody goes round it."""

from __future__ import annotations

import ast
import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tangle.errors import TangleError
from tangle.node import Outcome
from tangle.protocol.blocks import Block
from tangle.protocol.errors import LockInvalid, MilestoneInvalid, ProofOfWorkTooLow, SignatureInvalid, WrongNetwork
from tangle.protocol.milestones import sign_milestone
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.pow.search import search
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction
from tangle.service.door import Door, Source
from tangle.service.writer import Writer, WriterSettings
from tests.networks import (
    COORDINATOR,
    HOLDER,
    PARAMETERS,
    T0,
    Coin,
    Key,
    block_on,
    found,
    genesis_coin,
    note,
    open_node,
    spend,
)
from tests.state.rules.builders import Held, Scene

QUIET = WriterSettings(coordinator=False, confidence_interval_ms=3_600_000)
ROOT = Path(__file__).parents[2]
CHECKS = {
    "check_block",
    "check_work",
    "check_payload",
    "check_milestone",
    "check_transaction",
    "check_witness",
    "has_score",
}


@asynccontextmanager
async def standing(path: Path, **parameters: Any) -> AsyncIterator[Door]:
    node = open_node(path, **parameters)
    writer = Writer(node, QUIET)
    writer.start(asyncio.get_running_loop())
    try:
        yield Door(node, writer)
    finally:
        await asyncio.to_thread(writer.stop)


def test_nothing_enters_but_by_the_door() -> None:
    for path in [*(ROOT / "api").rglob("*.py"), *(ROOT / "tangle" / "service").glob("*.py")]:
        if path.name == "door.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr != "submit", f"{path}:{node.lineno} goes round the door"
            if isinstance(node, ast.Name | ast.alias):
                name = node.id if isinstance(node, ast.Name) else node.name
                assert name not in CHECKS, f"{path}:{node.lineno} checks what the door checks"


async def test_a_block_its_bytes_and_its_json_are_one_block(tmp_path: Path) -> None:
    async with standing(tmp_path / "t.db") as door:
        block = block_on([bytes(32)], note("one"))
        for given in (block, block.encoded, block.to_json()):
            assert (await door.admit(given, Source("a test"))).block_id == block.id


async def test_what_is_missing_is_filled_in_only_for_those_who_may_ask(tmp_path: Path) -> None:
    without = [{"payload": TaggedData(b"a", b"b").to_json()}, bytes([2, 0]) + bytes(4)]
    async with standing(tmp_path / "t.db") as door:
        for given in without:
            receipt = await door.admit(given, Source("a client", completes=True))
            assert receipt.outcome is Outcome.ATTACHED
            with pytest.raises(TangleError):
                await door.admit(given, Source("a neighbour"))


async def test_work_is_done_once_for_sound_blocks_without_a_nonce(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    worked: list[Block] = []

    async def work(block: Block) -> Block:
        worked.append(block)
        return block.with_nonce(search(block.encoded[:-8], 10, workers=1))

    strict = replace(PARAMETERS, min_pow_score=10)
    source = Source("a client", work=work)
    async with standing(tmp_path / "t.db", parameters=strict) as door:
        bare = block_on([bytes(32)], note("no work"))
        with pytest.raises(ProofOfWorkTooLow):
            await door.admit(bare, Source("a neighbour"))
        with pytest.raises(ProofOfWorkTooLow):
            await door.admit(bare.with_nonce(1), source)
        with pytest.raises(WrongNetwork), caplog.at_level(logging.INFO, "tangle.door"):
            await door.admit(block_on([bytes(32)], foreign()), source)
        assert caplog.messages[-1].startswith("refused a block from a client: wrong_network: ")
        assert not worked
        receipt = await door.admit(bare, source)
        finished = bare.with_nonce(search(bare.encoded[:-8], 10, workers=1))
        (begun,) = worked
        assert (begun.with_nonce(0), receipt.block_id) == (bare, finished.id)


def foreign() -> Transaction:
    """A transaction of another network."""
    elsewhere = replace(PARAMETERS, network_name="elsewhere")
    return spend([genesis_coin()], [BasicOutput.to(HOLDER.address, elsewhere.token_supply)], parameters=elsewhere)


async def test_a_bad_witness_is_told_at_once_where_locks_are_switched_on(tmp_path: Path) -> None:
    coin = genesis_coin()
    scene = Scene([Held(coin.output_id, coin.output)], [HOLDER], [coin.output], show=lambda _: b"junk")
    block = block_on([bytes(32)], scene.transaction)
    async with standing(tmp_path / "t.db") as door:
        with pytest.raises(LockInvalid, match=r"^payload\.essence\.payload\.version: ") as refused:
            await door.admit(block, Source("a client"))
        assert refused.value.code == "lock_invalid"
    found(f"sqlite:///{tmp_path}/old.db", rules=())
    async with standing(tmp_path / "old.db") as door:
        assert (await door.admit(block, Source("a client"))).outcome is Outcome.ATTACHED


async def test_many_signatures_are_checked_on_another_thread(tmp_path: Path) -> None:
    keys = [Key.named(f"owner {i}") for i in range(40)]
    outputs = [BasicOutput.to(key.address, 1_000_000) for key in keys]
    coins = [Coin(bytes([i]) * 32 + bytes(2), outputs[i], key) for i, key in enumerate(keys)]
    whole = spend(coins, [BasicOutput.to(HOLDER.address, 40_000_000)])
    other = spend(coins, [BasicOutput.to(HOLDER.address, 39_000_000), BasicOutput.to(HOLDER.address, 1_000_000)])
    forged = Transaction(other.essence, whole.unlocks)
    async with standing(tmp_path / "t.db") as door:
        admitting = asyncio.ensure_future(door.admit(block_on([bytes(32)], whole), Source("a")))
        await asyncio.sleep(0)
        assert not admitting.done()
        assert (await admitting).outcome is Outcome.ATTACHED
        with pytest.raises(SignatureInvalid):
            await door.admit(block_on([bytes(32)], forged), Source("a"))


async def test_milestone_of_a_stranger_is_refused(tmp_path: Path) -> None:
    essence = open_node(tmp_path / "other.db").issue_milestone(T0 + 1)
    async with standing(tmp_path / "t.db") as door:
        forged = Block(essence.parents, sign_milestone(essence, [Key.named("a stranger").seed]))
        with pytest.raises(MilestoneInvalid) as refused:
            await door.admit(forged, Source("a neighbour"))
        assert refused.value.field == "payload.signatures[0].publicKey"
        right = Block(essence.parents, sign_milestone(essence, [COORDINATOR.seed]))
        assert (await door.admit(right, Source("a neighbour"))).outcome is Outcome.ATTACHED
