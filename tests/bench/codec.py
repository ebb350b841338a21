"""Microseconds to read and write blocks in both forms.

The rival of reading bytes is code written by hand for two kinds of blocks alone (`by_hand`). That of JSON is
iota-sdk, which makes the block and its bytes of the same JSON.
"""

import importlib
import importlib.util
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson

from tangle.protocol.addresses import AliasAddress
from tangle.protocol.blocks import Block
from tangle.protocol.milestones import MilestoneEssence, sign_milestone
from tangle.protocol.outputs import (
    BasicOutput,
    FoundryOutput,
    ImmutableAliasAddressUnlockCondition,
    IssuerFeature,
    MetadataFeature,
    NativeToken,
    NftOutput,
    SenderFeature,
    SimpleTokenScheme,
)
from tangle.protocol.serial import Fields, Json, blake2b_256
from tangle.protocol.tagged_data import TaggedData
from tests.bench import by_hand
from tests.networks import Coin, Key, spend

PARENTS = tuple(sorted(blake2b_256(bytes([i])) for i in range(4)))
RUNS = 9
Task = Callable[[], object]


def run(small: bool) -> list[dict[str, str]]:
    """A row for reading bytes, writing JSON and reading JSON of each block."""
    repeats = 200 if small else 5_000
    rows = []
    for name, block in blocks().items():
        text = orjson.dumps(block.to_json()).decode()
        hand = partial(by_hand.block, block.encoded) if name in {"data block", "payment"} else None
        read = partial(Block.decode, block.encoded), hand, "by hand" if hand else ""
        parse = partial(_bytes_of, text), _sdk(block.to_json()), "iota-sdk"
        rows += [
            _row(f"{name}: from bytes, µs", repeats, *read),
            _row(f"{name}: to JSON, µs", repeats, block.to_json, None, ""),
            _row(f"{name}: JSON text to bytes, µs", repeats, *parse),
        ]
    return rows


def _bytes_of(text: str) -> bytes:
    return Block.from_json(Fields(orjson.loads(text))).encoded


def _sdk(json: Json) -> Task | None:
    if importlib.util.find_spec("iota_sdk") is None:
        return None
    utils: Any = importlib.import_module("iota_sdk.utils")
    return partial(utils._call_method, "blockBytes", {"block": json})


def _row(what: str, repeats: int, ours: Task, rival: Task | None, name: str) -> dict[str, str]:
    took: list[list[float]] = [[], []]
    for _ in range(RUNS):
        for task, times in zip((ours, rival), took, strict=True):
            if task is not None:
                times.append(_microseconds(task, repeats))
    mine, theirs = (statistics.median(times) if times else 0.0 for times in took)
    return {
        "what": what,
        "ours": f"{mine:.1f}",
        "rival": f"{theirs:.1f}" if rival else "-",
        "ratio": f"{theirs / mine:.1f}x" if rival else "-",
        "note": f"{name or 'no rival'}; ours {min(took[0]):.1f} to {max(took[0]):.1f}, {RUNS} runs",
    }


def _microseconds(task: Task, repeats: int) -> float:
    start = time.process_time()
    for _ in range(repeats):
        task()
    return (time.process_time() - start) / repeats * 1e6


def blocks() -> dict[str, Block]:
    """The blocks that are measured."""
    alice, bob = Key.named("alice"), Key.named("bob")
    coins = [Coin(bytes([i]) * 32 + bytes(2), BasicOutput.to(alice.address, 5_000), alice) for i in (0, 1)]
    payment = spend(coins, [BasicOutput.to(bob.address, 4_000), BasicOutput.to(alice.address, 6_000)])
    alias = ImmutableAliasAddressUnlockCondition(AliasAddress(blake2b_256(b"alias")))
    note = MetadataFeature(b"what its issuer says about it")
    foundry = FoundryOutput(
        4_000,
        (alias,),
        (note,),
        serial_number=1,
        token_scheme=SimpleTokenScheme(100, 3, 1_000),
        immutable_features=(note,),
    )
    nft = NftOutput(
        6_000,
        coins[0].output.unlock_conditions,
        (SenderFeature(alice.address),),
        (NativeToken(foundry.foundry_id, 90),),
        nft_id=blake2b_256(b"nft"),
        immutable_features=(IssuerFeature(alice.address), note),
    )
    essence = MilestoneEssence(7, 1_700_000_000, 2, PARENTS[0], PARENTS, PARENTS[1], PARENTS[2])
    return {
        "data block": Block(PARENTS, TaggedData(b"sensor", bytes(64)), 7),
        "payment": Block(PARENTS, payment, 7),
        "NFT and foundry": Block(PARENTS, spend(coins, [nft, foundry]), 7),
        "milestone": Block(PARENTS, sign_milestone(essence, [alice.seed, bob.seed])),
    }
