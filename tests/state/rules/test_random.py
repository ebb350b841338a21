"""Invariants of the ledger under random sequences of sound and spoiled transactions over all output types."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.protocol.addresses import Address, AliasAddress, Ed25519Address, NftAddress
from tangle.protocol.errors import TangleError
from tangle.protocol.outputs import (
    AliasOutput,
    BasicOutput,
    ChainOutput,
    FoundryOutput,
    NftOutput,
    Output,
    StorageDepositReturnUnlockCondition,
    TimelockUnlockCondition,
)
from tangle.protocol.transactions import SignatureUnlock, Transaction
from tangle.state.ledger import Changes, Conflict, Found, apply
from tests.state.rules.builders import ALICE, basic
from tests.state.rules.world import GOVERN, KEYS, MOVE, NoWay, World, expired, owner_of, spoil

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
    known = {i: Found(o) for i, o in world.unspent.items()} | {
        i: Found(o, spent=True) for i, o in world.gone.items()
    }
    changes = apply(transactions, lambda ids: {i: known[i] for i in ids if i in known}, at)
    reach = world.unspent | {i: output for i, (output, _) in changes.created.items()}
    for transaction, conflict in zip(transactions, changes.conflicts, strict=True):
        if conflict is Conflict.NONE:
            inputs = {consumed.output_id: reach[consumed.output_id] for consumed in transaction.essence.inputs}
            check_unlocked(transaction, inputs, at)
            check_returned(transaction, inputs, at)
            check_tokens(transaction, inputs)
            check_lasting(transaction, inputs)
    for output_id in changes.spent:
        assert output_id not in world.gone, f"seed {seed}: spent twice"
        world.gone[output_id] = reach[output_id]
    world.unspent = {i: output for i, output in reach.items() if i not in world.gone}
    world.at = max(at, world.at) + 1
    return transactions, changes


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
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
        Conflict.INPUTS_COMMITMENT_INVALID,
        Conflict.SEMANTIC_VALIDATION_FAILED,
    }


def kinds(transaction: Transaction, inputs: list[Output]) -> set[str]:
    """What an applied transaction does with chains."""
    found = set()
    created = transaction.essence.outputs
    for consumed, output in zip(transaction.essence.inputs, inputs, strict=True):
        following = next_state(created, output, consumed.output_id)
        if isinstance(output, AliasOutput):
            same = isinstance(following, AliasOutput) and following.state_index == output.state_index
            found.add("ended" if following is None else "governed" if same else "alias")
        elif isinstance(output, NftOutput):
            found.add("nft" if following else "burned")
        elif isinstance(output, FoundryOutput):
            found.add("foundry" if following else "closed")
            if isinstance(following, FoundryOutput):
                found.add("minted" if following.token_scheme.minted > output.token_scheme.minted else "foundry")
                found.add("melted" if following.token_scheme.melted > output.token_scheme.melted else "foundry")
    return found


def next_state(created: tuple[Output, ...], output: Output, output_id: bytes) -> Output | None:
    if isinstance(output, BasicOutput):
        return None
    name = output.chain_id(output_id)
    same = [one for one in created if type(one) is type(output) and one.chain_id(bytes(34)) == name]
    return same[0] if same else None


def check_unlocked(transaction: Transaction, inputs: Mapping[bytes, Output], at: int) -> None:
    """Each input by itself: who owns it, and is there a signature at the end of the way?"""
    signers = {
        Ed25519Address.from_public_key(unlock.signature.public_key)
        for unlock in transaction.unlocks
        if isinstance(unlock, SignatureUnlock)
    }

    def opened(address: Address, depth: int = 0) -> bool:
        assert depth < 10
        if isinstance(address, Ed25519Address):
            return address in signers
        for output_id, output in inputs.items():
            if isinstance(output, AliasOutput) and AliasAddress(output.chain_id(output_id)) == address:
                return plan(output_id, output) == MOVE and opened(owner_of(output, MOVE, at), depth + 1)
            if isinstance(output, NftOutput) and NftAddress(output.chain_id(output_id)) == address:
                return opened(owner_of(output, MOVE, at), depth + 1)
        return False

    def plan(output_id: bytes, output: Output) -> str:
        following = next_state(transaction.essence.outputs, output, output_id)
        if isinstance(following, AliasOutput) and isinstance(output, AliasOutput):
            return MOVE if following.state_index == output.state_index + 1 else GOVERN
        return GOVERN

    for output_id, output in inputs.items():
        assert opened(owner_of(output, plan(output_id, output), at))
        timelock = output.condition(TimelockUnlockCondition)
        assert timelock is None or timelock.unix_time <= at
    consumed = {name_of(output_id, output) for output_id, output in inputs.items()}
    for index, created in enumerate(transaction.essence.outputs):
        assert created.sender is None or opened(created.sender)
        if isinstance(created, ChainOutput) and name_of(transaction.output_id(index), created) not in consumed:
            assert created.issuer is None or opened(created.issuer)


def name_of(output_id: bytes, output: Output) -> tuple[int, bytes]:
    """Tells chains apart, whatever their type."""
    return output.TYPE, b"" if isinstance(output, BasicOutput) else output.chain_id(output_id)


def check_returned(transaction: Transaction, inputs: Mapping[bytes, Output], at: int) -> None:
    """Whoever lent a storage deposit has it back, by outputs that ask for nothing."""
    for address in KEYS:
        owed = [
            output.condition(StorageDepositReturnUnlockCondition)
            for output in inputs.values()
            if not expired(output, at)
        ]
        due = sum(condition.amount for condition in owed if condition and condition.return_address == address)
        plain = (output for output in transaction.essence.outputs if output == basic(output.amount, address))
        assert sum(output.amount for output in plain) >= due


def check_lasting(transaction: Transaction, inputs: Mapping[bytes, Output]) -> None:
    """What must never change of a chain does not."""
    for output_id, output in inputs.items():
        following = next_state(transaction.essence.outputs, output, output_id)
        if isinstance(output, ChainOutput) and isinstance(following, ChainOutput):
            assert output.immutable_features == following.immutable_features
        if isinstance(output, FoundryOutput) and isinstance(following, FoundryOutput):
            assert output.token_scheme.maximum_supply == following.token_scheme.maximum_supply


def check_tokens(transaction: Transaction, inputs: Mapping[bytes, Output]) -> None:
    """Tokens increase by what their foundry says it minted, and by nothing else."""
    sums: Counter[bytes] = Counter()
    minted: Counter[bytes] = Counter()
    for sign, outputs in ((1, transaction.essence.outputs), (-1, tuple(inputs.values()))):
        for output in outputs:
            for token in output.native_tokens:
                sums[token.token_id] += sign * token.amount
            if isinstance(output, FoundryOutput):
                minted[output.foundry_id] += sign * output.token_scheme.minted
    for token_id, amount in sums.items():
        assert amount <= 0 or amount == minted[token_id]


def check_chains(unspent: Mapping[bytes, Output], seed: int) -> None:
    """No chain has two states, and no foundry has more tokens about than it minted and did not melt."""
    chains = [(o.TYPE, o.chain_id(i)) for i, o in unspent.items() if not isinstance(o, BasicOutput)]
    assert len(chains) == len(set(chains)), f"seed {seed}"
    about: Counter[bytes] = Counter()
    for output in unspent.values():
        for token in output.native_tokens:
            about[token.token_id] += token.amount
    for output in unspent.values():
        if isinstance(output, FoundryOutput):
            assert about[output.foundry_id] <= output.token_scheme.circulating, f"seed {seed}"
