"""Coin selection and signed transfers: invariants over any coins, against the plainest possible count."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.client.errors import FundsTooScattered, InsufficientFunds, RemainderTooSmall
from tangle.client.wallet.selection import CONSOLIDATE_ABOVE, Coin, fits, select
from tangle.client.wallet.transfer import least_remainder, sign_transfer
from tangle.protocol.addresses import Address
from tangle.protocol.errors import BlockTooLong, DepositTooSmall
from tangle.protocol.keys import KeyPair, Keys
from tangle.protocol.outputs import BasicOutput, MetadataFeature, storage_deposit
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import uint
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import SignatureUnlock, check_transaction, inputs_commitment
from tests.tries import tries

PARAMETERS = ProtocolParameters()
KEYS = [Keys.from_seed(bytes([i] * 32)).derive() for i in range(4)]
KEY_OF: dict[Address, KeyPair] = {pair.address: pair for pair in KEYS}
LEAST = least_remainder(KEYS[0].address, PARAMETERS)


def coins_of(amounts: list[int], owners: int = 1) -> list[Coin]:
    return [
        Coin(uint(i, 32) + b"\0\0", BasicOutput.to(KEYS[i % owners].address, amount))
        for i, amount in enumerate(amounts)
    ]


amounts_lists = st.lists(st.integers(LEAST, 5000), max_size=60)


def test_the_least_output_is_the_one_of_the_defaults() -> None:
    assert LEAST == 426


@given(amounts=amounts_lists, needed=st.integers(LEAST, 60_000), shuffle=st.randoms(use_true_random=False))
@settings(max_examples=tries(300), deadline=None)
def test_a_choice_is_valid_small_and_always_the_same(
    amounts: list[int], needed: int, shuffle: random.Random
) -> None:
    coins = coins_of(amounts)
    total = sum(amounts)
    if not fits(total, needed, LEAST):
        with pytest.raises(InsufficientFunds if total < needed else RemainderTooSmall) as raised:
            select(coins, needed, LEAST)
        expected = (needed, total) if total < needed else (total - needed, LEAST)
        assert raised.value.args == expected
        return
    chosen = select(coins, needed, LEAST)
    assert len({coin.output_id for coin in chosen}) == len(chosen)
    assert set(chosen) <= set(coins)
    assert fits(sum(coin.amount for coin in chosen), needed, LEAST)
    shuffle.shuffle(coins)
    assert select(coins, needed, LEAST) == chosen
    largest = sorted(amounts, reverse=True)
    reaches = [k for k in range(1, len(amounts) + 1) if sum(largest[:k]) >= needed]
    assert len(chosen) >= reaches[0]
    if len(coins) <= CONSOLIDATE_ABOVE:
        with_rest = [k for k in range(1, len(amounts) + 1) if sum(largest[:k]) >= needed + LEAST]
        assert len(chosen) <= (with_rest[0] if with_rest else len(amounts))
    else:
        assert len(chosen) >= CONSOLIDATE_ABOVE or not fits(total, needed, LEAST)


@given(amounts=st.lists(st.integers(LEAST, 5000), min_size=3, max_size=20), most=st.integers(1, 5), data=st.data())
@settings(max_examples=tries(200), deadline=None)
def test_no_more_inputs_than_allowed(amounts: list[int], most: int, data: st.DataObject) -> None:
    needed = data.draw(st.integers(1, sum(amounts)))
    reachable = sum(sorted(amounts, reverse=True)[:most])
    if reachable < needed:
        with pytest.raises(FundsTooScattered) as raised:
            select(coins_of(amounts), needed, LEAST, inputs_max=most)
        assert raised.value.reachable == reachable
    elif fits(reachable, needed, LEAST):
        assert len(select(coins_of(amounts), needed, LEAST, inputs_max=most)) <= most


@pytest.mark.parametrize(
    ("amounts", "needed", "expected"),
    [
        ([5000, 1000, 2000], 1000, [1000]),  # exact, no remainder
        ([5000, 1500, 2000], 1000, [1500]),  # the smallest that leaves enough
        ([1200, 1000], 1100, [1200, 1000]),  # 100 would remain: one more input
        ([3000, 2000, 1000], 5000, [3000, 2000]),  # exact with two
        ([3000, 2000, 1000], 4000, [3000, 1000]),
    ],
)
def test_preferences(amounts: list[int], needed: int, expected: list[int]) -> None:
    assert [coin.amount for coin in select(coins_of(amounts), needed, LEAST)] == expected


def test_many_small_outputs_are_joined_on_the_way() -> None:
    chosen = select(coins_of([10_000] + [500] * 100), 2000, LEAST)
    assert len(chosen) == CONSOLIDATE_ABOVE
    assert chosen[0].amount == 10_000


@given(
    amounts=st.lists(st.integers(LEAST, 10**9), min_size=1, max_size=12),
    owners=st.integers(1, 4),
    shares=st.lists(st.integers(1, 100), min_size=1, max_size=5),
    tag=st.none() | st.binary(max_size=64),
)
@settings(max_examples=tries(60), deadline=None)
def test_a_transfer_is_what_a_node_accepts(
    amounts: list[int], owners: int, shares: list[int], tag: bytes | None
) -> None:
    coins = coins_of(amounts, owners)
    outputs = [BasicOutput.to(KEYS[3].address, LEAST + share) for share in shares]
    needed = sum(output.amount for output in outputs)
    try:
        chosen = select(coins, needed, LEAST)
    except (InsufficientFunds, RemainderTooSmall):
        return
    payload = None if tag is None else TaggedData(tag, b"why")
    signed = sign_transfer(chosen, outputs, KEY_OF.__getitem__, KEYS[0].address, PARAMETERS, payload)
    essence = signed.essence
    check_transaction(signed, PARAMETERS)
    assert sum(output.amount for output in essence.outputs) == sum(coin.amount for coin in chosen)
    assert list(essence.outputs[: len(outputs)]) == outputs
    for rest in essence.outputs[len(outputs) :]:
        assert rest.owner == KEYS[0].address
        assert rest.amount >= storage_deposit(rest, PARAMETERS)
    assert [spent.output_id for spent in essence.inputs] == [coin.output_id for coin in chosen]
    assert essence.inputs_commitment == inputs_commitment(coin.output for coin in chosen)
    for i, coin in enumerate(chosen):
        assert signed.signature_of(i).public_key == KEY_OF[coin.output.owner].public_key
    signatures = [unlock for unlock in signed.unlocks if isinstance(unlock, SignatureUnlock)]
    assert len(signatures) == len({coin.output.owner for coin in chosen})
    again = sign_transfer(chosen, outputs, KEY_OF.__getitem__, KEYS[0].address, PARAMETERS, payload)
    assert again.id == signed.id


def test_a_remainder_too_small_names_the_amounts() -> None:
    with pytest.raises(RemainderTooSmall, match=r"100 base units would remain.*at least 426.*at least 326 less"):
        sign_transfer(
            coins_of([1100]),
            [BasicOutput.to(KEYS[1].address, 1000)],
            KEY_OF.__getitem__,
            KEYS[0].address,
            PARAMETERS,
        )


def test_an_output_below_its_deposit_is_refused() -> None:
    with pytest.raises(DepositTooSmall, match=r"outputs\[0\]"):
        sign_transfer(
            coins_of([2000]),
            [BasicOutput.to(KEYS[1].address, LEAST - 1)],
            KEY_OF.__getitem__,
            KEYS[0].address,
            PARAMETERS,
        )


def test_a_transaction_that_fits_no_block_is_refused() -> None:
    big = [BasicOutput.to(KEYS[1].address, 10_000, MetadataFeature(bytes(8000))) for _ in range(4)]
    with pytest.raises(BlockTooLong, match="a block can hold"):
        sign_transfer(
            coins_of([40_000]), big, KEY_OF.__getitem__, KEYS[0].address, PARAMETERS, TaggedData(b"", bytes(500))
        )
