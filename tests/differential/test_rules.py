"""Every semantic rule, random transactions and single changes of them: iota-sdk 1.1 and we give the same verdict.

Where we differ on purpose `verdicts` says so, with the reason.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tangle.protocol.errors import TangleError
from tangle.protocol.outputs import Output, StorageDepositReturnUnlockCondition
from tangle.state.rules import Conflict, Rule, chains
from tests.differential.cases import Case
from tests.differential.oracle import ours, theirs
from tests.differential.verdicts import differences, disagreement
from tests.state.rules.builders import ALICE, Held, Scene, basic
from tests.state.rules.test_rules import CASES, NAMES
from tests.state.rules.world import KEYS, NoWay, World, spoil

SUPPLY = 10**15
"""so much that hardly an output falls below its storage deposit"""
SEEDS = range(30)
STEPS = 12
CHANGES = 12
"""changes of each random transaction; the last test tries all, of the sound twins of all rules"""


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


@pytest.mark.parametrize(("rule", "twin", "broken"), CASES, ids=NAMES)
def test_same_reason_for_every_rule(rule: Rule[...], twin: Scene, broken: Scene) -> None:
    sound = Case.of(enlarged(twin))
    assert ours(sound) == ()
    assert theirs(sound) is Conflict.NONE
    found = theirs(Case.of(enlarged(broken)))
    if rule is chains.unique:
        # Their tables keep one of the two states that a chain is given. No ledger holds two.
        assert found is Conflict.NONE
    else:
        assert isinstance(found, str) or found is rule.conflict


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


def test_same_reason_for_random_transactions() -> None:
    valid = tried = 0
    for seed, world, scene in worlds():
        drafted = Case.of(scene)
        assert disagreement(ours(drafted), theirs(drafted)) is None, f"seed {seed}"
        valid += ours(drafted) == ()
        for _ in range(4):
            try:
                case = Case.of(spoil(scene, world))
            except (NoWay, TangleError):
                continue
            assert disagreement(ours(case), theirs(case)) is None, f"seed {seed}"
            tried += 1
    assert valid > 200
    assert tried > 500


def test_same_verdict_after_one_change_of_random_transactions() -> None:
    tried = 0
    for seed, _, scene in worlds():
        count, found = differences(Case.of(scene), random.Random(seed), CHANGES)
        assert found == [], f"seed {seed}"
        tried += count
    assert tried > 2_000


def test_same_verdict_after_every_change_of_every_sound_twin() -> None:
    twins = {id(twin): twin for _, twin, _ in CASES}
    tried = 0
    for twin in twins.values():
        count, found = differences(Case.of(enlarged(twin)), random.Random(0), 10**6)
        assert found == []
        tried += count
    assert tried > 10_000
