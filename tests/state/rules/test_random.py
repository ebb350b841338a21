"""Invariants of the ledger under random sequences of sound and spoiled transactions over all output types."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.errors import TangleError
from tangle.protocol.conflicts import Conflict
from tangle.protocol.transactions import Transaction
from tangle.state.ledger import Changes, Found, apply
from tests.state.rules.builders import ALICE, basic
from tests.state.rules.invariants import check_chains, check_transaction, kinds
from tests.state.rules.world import KEYS, NoWay, World, spoil
from tests.tries import tries

SUPPLY = 100_000
MILESTONES = 12


def beginning(rng: random.Random) -> World:
    outputs = [basic(SUPPLY // 4, address) for address in (*KEYS, ALICE.address)]
    return World(rng, {bytes(32) + bytes((n, 0)): output for n, output in enumerate(outputs)})


def transactions_of(world: World) -> list[Transaction]:
    """Some for the next milestone; two in five are spoiled, some spend what is gone or what another spends."""
    found = []
    for _ in range(world.rng.randint(2, 6)):
        try:
            scene = world.draft()
            if world.rng.random() < 0.4:
                scene = spoil(scene, world)
            found.append(scene.transaction)
        except (NoWay, TangleError):
            continue
    return found


def step(world: World, seed: int) -> tuple[list[Transaction], Changes]:
    """One milestone: applied, checked, and taken over into the world."""
    transactions = transactions_of(world)
    at = world.at + world.rng.choice([0, 0, 0, -1, 1])
    known = {i: Found(o, at) for i, o in world.unspent.items()} | {
        i: Found(o, at, spent=True) for i, o in world.gone.items()
    }
    changes = apply(transactions, lambda ids: {i: known[i] for i in ids if i in known}, at)
    reach = world.unspent | {i: output for i, (output, _) in changes.created.items()}
    for transaction, conflict in zip(transactions, changes.conflicts, strict=True):
        if conflict is Conflict.NONE:
            inputs = {consumed.output_id: reach[consumed.output_id] for consumed in transaction.essence.inputs}
            check_transaction(transaction, inputs, at)
    for output_id in changes.spent:
        assert output_id not in world.gone, f"seed {seed}: spent twice"
        world.gone[output_id] = reach[output_id]
    world.unspent = {i: output for i, output in reach.items() if i not in world.gone}
    world.at = max(at, world.at) + 1
    return transactions, changes


@given(st.integers(0, 2**32))
@settings(max_examples=tries(100), deadline=None)
def test_nothing_is_made_lost_or_taken(seed: int) -> None:
    world = beginning(random.Random(seed))
    for _ in range(MILESTONES):
        step(world, seed)
        assert sum(output.amount for output in world.unspent.values()) == SUPPLY, f"seed {seed}"
        check_chains(world.unspent, seed)


def test_all_kinds_of_steps_and_reasons_occur() -> None:
    steps: Counter[str] = Counter()
    reasons: Counter[Conflict] = Counter()
    for seed in range(60):
        world = beginning(random.Random(seed))
        for _ in range(MILESTONES):
            before = dict(world.unspent)
            transactions, changes = step(world, seed)
            reasons.update(changes.conflicts)
            for transaction, conflict in zip(transactions, changes.conflicts, strict=True):
                inputs = [before.get(consumed.output_id) for consumed in transaction.essence.inputs]
                if conflict is Conflict.NONE and None not in inputs:
                    steps.update(kinds(transaction, [one for one in inputs if one is not None]))
    assert set(steps) >= {"alias", "governed", "ended", "foundry", "closed", "minted", "melted", "nft", "burned"}
    assert set(reasons) >= set(Conflict) - {
        Conflict.INPUT_ALREADY_SPENT,
        Conflict.INPUT_NOT_FOUND,
        Conflict.SEMANTIC_VALIDATION_FAILED,
    }
