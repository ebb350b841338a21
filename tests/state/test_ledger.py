"""The ledger: each rule of TIP-20 broken alone, and nothing created or lost under random transactions."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.protocol.conflicts import Conflict
from tangle.protocol.outputs import BasicOutput, SenderFeature
from tangle.protocol.transactions import Transaction
from tangle.state.ledger import Find, Found, apply
from tests.networks import T0, Coin, Key, coins_of, genesis_coin, spend

ALICE, BOB, CAROL = Key.named("alice"), Key.named("bob"), Key.named("carol")


def ledger_of(*coins: Coin, spent: Sequence[Coin] = ()) -> Find:
    known = {coin.output_id: Found(coin.output, T0) for coin in coins}
    known.update({coin.output_id: Found(coin.output, T0, spent=True) for coin in spent})
    return lambda ids: {output_id: known[output_id] for output_id in ids if output_id in known}


def coin(name: str, key: Key, amount: int) -> Coin:
    return Coin(Key.named(name).seed + b"\x00\x00", BasicOutput.to(key.address, amount), key)


A, B = coin("a", ALICE, 5_000), coin("b", BOB, 3_000)
TO_CAROL = BasicOutput.to(CAROL.address, 5_000)


def only(transaction: Transaction, find: Find) -> Conflict:
    changes = apply([transaction], find, T0)
    if changes.conflicts[0]:
        assert not changes.created
        assert not changes.spent
        assert changes.touched == [frozenset()]
    return changes.conflicts[0]


def test_applied_transaction_consumes_and_creates() -> None:
    transaction = spend([A, B], [BasicOutput.to(CAROL.address, 7_000), BasicOutput.to(ALICE.address, 1_000)])
    changes = apply([transaction], ledger_of(A, B), T0)
    assert changes.conflicts == [Conflict.NONE]
    assert changes.spent == {A.output_id: transaction.id, B.output_id: transaction.id}
    assert [output.amount for output, _ in changes.created.values()] == [7_000, 1_000]
    assert changes.touched == [frozenset(key.address for key in (ALICE, BOB, CAROL))]
    assert list(changes.created) == [transaction.output_id(0), transaction.output_id(1)]


RULES = {
    Conflict.INPUT_ALREADY_SPENT: (spend([A], [TO_CAROL]), ledger_of(spent=[A])),
    Conflict.INPUT_NOT_FOUND: (spend([A], [TO_CAROL]), ledger_of(B)),
    Conflict.AMOUNTS_DO_NOT_BALANCE: (spend([A], [BasicOutput.to(CAROL.address, 5_001)]), ledger_of(A)),
    Conflict.SIGNATURE_INVALID: (spend([A], [TO_CAROL], signers=[BOB]), ledger_of(A)),
    Conflict.INPUTS_COMMITMENT_INVALID: (spend([A], [TO_CAROL], commitment=bytes(32)), ledger_of(A)),
    Conflict.SENDER_NOT_UNLOCKED: (
        spend([A], [BasicOutput.to(CAROL.address, 5_000, SenderFeature(BOB.address))]),
        ledger_of(A),
    ),
}


@pytest.mark.parametrize("conflict", RULES, ids=lambda conflict: conflict.name)
def test_each_rule_alone(conflict: Conflict) -> None:
    assert only(*RULES[conflict]) is conflict


def test_sender_whose_input_is_unlocked_is_accepted() -> None:
    sent = BasicOutput.to(CAROL.address, 5_000, SenderFeature(ALICE.address))
    assert only(spend([A], [sent]), ledger_of(A)) is Conflict.NONE


def test_first_of_two_spends_wins_within_a_milestone() -> None:
    first, second = spend([A], [TO_CAROL]), spend([A], [BasicOutput.to(BOB.address, 5_000)])
    for order in ([first, second], [second, first]):
        changes = apply(order, ledger_of(A), T0)
        assert changes.conflicts == [Conflict.NONE, Conflict.INPUT_ALREADY_SPENT_IN_THIS_MILESTONE]
        assert changes.spent == {A.output_id: order[0].id}


def test_output_may_be_spent_in_the_milestone_that_creates_it() -> None:
    first = spend([A], [TO_CAROL])
    second = spend(coins_of(first, [CAROL]), [BasicOutput.to(BOB.address, 5_000)])
    changes = apply([first, second], ledger_of(A), T0)
    assert changes.conflicts == [Conflict.NONE, Conflict.NONE]
    assert apply([second, first], ledger_of(A), T0).conflicts == [Conflict.INPUT_NOT_FOUND, Conflict.NONE]


def test_failed_transaction_leaves_its_inputs_to_others() -> None:
    bad, good = spend([A], [BasicOutput.to(CAROL.address, 1)]), spend([A], [TO_CAROL])
    assert apply([bad, good], ledger_of(A), T0).conflicts == [Conflict.AMOUNTS_DO_NOT_BALANCE, Conflict.NONE]


@given(st.integers(0, 2**32))
def test_supply_is_conserved_and_nothing_moves_without_its_key(seed: int) -> None:
    rng = random.Random(seed)
    keys = [ALICE, BOB, CAROL]
    genesis = genesis_coin()
    unspent: dict[bytes, Coin] = {genesis.output_id: genesis}
    spent: list[Coin] = []
    supply = genesis.output.amount
    for _ in range(4):
        transactions, made = _random_transactions(rng, keys, list(unspent.values()) + spent)
        changes = apply(transactions, ledger_of(*unspent.values(), spent=spent), T0)
        for transaction, conflict in zip(transactions, changes.conflicts, strict=True):
            if conflict is Conflict.NONE:
                _check_signers(transaction, {**unspent, **made})
        for output_id in changes.spent:
            gone = unspent.pop(output_id, None) or made[output_id]
            spent.append(gone)
        unspent.update({i: made[i] for i in changes.created if i not in changes.spent})
        assert sum(held.output.amount for held in unspent.values()) == supply, f"seed {seed}"
        assert len({held.output_id for held in spent}) == len(spent)


def _random_transactions(
    rng: random.Random, keys: list[Key], coins: list[Coin]
) -> tuple[list[Transaction], dict[bytes, Coin]]:
    transactions: list[Transaction] = []
    made: dict[bytes, Coin] = {}
    for _ in range(rng.randint(1, 5)):
        inputs = rng.sample(coins, min(len(coins), rng.randint(1, 3)))
        total = sum(held.output.amount for held in inputs)
        part = rng.randint(1, max(1, total - 1))
        amounts = [part, total - part] if total > part else [total]
        if rng.random() < 0.2:
            amounts[0] += rng.choice([1, 1_000])
        signers = [rng.choice(keys) if rng.random() < 0.1 else held.key for held in inputs]
        outputs = [BasicOutput.to(rng.choice(keys).address, amount) for amount in amounts]
        transaction = spend(inputs, outputs, signers=signers)
        transactions.append(transaction)
        fresh = coins_of(transaction, keys)
        made.update({held.output_id: held for held in fresh})
        coins = coins + fresh
    return transactions, made


def _check_signers(transaction: Transaction, coins: dict[bytes, Coin]) -> None:
    for position, consumed in enumerate(transaction.essence.inputs):
        held = coins.get(consumed.output_id)
        assert held is None or transaction.signature_of(position).public_key == held.key.public
