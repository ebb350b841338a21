"""Transactions to be judged: those of the rules, and random ones over all types of output."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from tangle.errors import TangleError
from tangle.protocol.outputs import Output, StorageDepositReturnUnlockCondition
from tests.state.rules.builders import ALICE, Held, Scene, basic
from tests.state.rules.world import KEYS, NoWay, World

SUPPLY = 10**15
"""so much that hardly an output falls below its storage deposit"""
SEEDS = range(30)
STEPS = 12


def enlarged(scene: Scene) -> Scene:
    """The scene with a thousand times the base coins, so that storage deposits are no matter."""

    def more(output: Output) -> Output:
        conditions = (
            replace(one, amount=one.amount * 1_000)
            if isinstance(one, StorageDepositReturnUnlockCondition)
            else one
            for one in output.unlock_conditions
        )
        return replace(output, amount=output.amount * 1_000, unlock_conditions=tuple(conditions))

    consumed = [Held(one.output_id, more(one.output)) for one in scene.consumed]
    return scene.but(consumed=consumed, outputs=[more(output) for output in scene.outputs])


def worlds() -> Iterator[tuple[int, World, Scene]]:
    """Seed, world and a transaction of it that hardly ever breaks a rule; those that break none are applied."""
    for seed in SEEDS:
        rng = random.Random(seed)
        first = [basic(SUPPLY // 4, address) for address in (*KEYS, ALICE.address)]
        world = World(rng, {bytes(32) + bytes((n, 0)): output for n, output in enumerate(first)})
        for _ in range(STEPS):
            try:
                scene = world.draft()
                transaction = scene.transaction
            except (NoWay, TangleError):
                continue
            yield seed, world, scene
            if scene.broken():
                continue
            for one in scene.consumed:
                del world.unspent[one.output_id]
            for index, output in enumerate(scene.outputs):
                world.unspent[transaction.output_id(index)] = output
            world.at += rng.choice([0, 1, 1])
