"""Claims and consolidation of more than one transaction takes, by tokens, inputs and bytes."""

from __future__ import annotations

import pytest

from tangle.client.errors import InsufficientFunds, UnknownInput
from tangle.client.node.rest import NodeClient
from tangle.client.wallet import outputs as build
from tangle.client.wallet.wallet import Wallet
from tangle.protocol.conflicts import Conflict
from tangle.protocol.keys import Keys
from tangle.protocol.outputs import NftOutput, Output
from tangle.protocol.parameters import NATIVE_TOKENS_MAX
from tangle.protocol.serial import uint
from tangle.protocol.transactions import Transaction
from tangle.state.rules import Consumed, check_semantics
from tests.client.drawn import AT, PARAMETERS, STRANGER
from tests.client.fake_node import FakeNode

KEYS = Keys.from_seed(bytes(range(32)))
ME = KEYS.derive().address


@pytest.fixture
def wallet(node: NodeClient) -> Wallet:
    return Wallet(node, KEYS, pow="node", gap_limit=0)


def token(number: int) -> bytes:
    return b"\x08" + uint(number, 32) + uint(1, 4) + b"\0"


def check_valid(fake: FakeNode, transactions: list[Transaction]) -> None:
    for one in transactions:
        inputs = [Consumed(spent.output_id, fake.outputs[spent.output_id][0], AT) for spent in one.essence.inputs]
        assert check_semantics(one, inputs, AT) is Conflict.NONE


def unspent(fake: FakeNode) -> list[Output]:
    return [output for output_id, (output, _, _) in fake.outputs.items() if output_id not in fake.spent]


async def test_many_offers_are_claimed_in_rounds(fake: FakeNode, wallet: Wallet) -> None:
    for _ in range(130):
        fake.put(build.basic(PARAMETERS, ME, 10, return_deposit_to=STRANGER))
    fake.fund(ME, 1000)
    told: list[tuple[int, int]] = []
    rounds = await wallet.claim(progress=lambda done, total: told.append((done, total)))
    transactions = [sent.transaction for sent in rounds.rounds]
    check_valid(fake, transactions)
    assert told == [(100, 130), (130, 130)]
    assert (await wallet.balance()).available == 1000 + 1300


async def test_claims_touch_no_more_tokens_than_allowed(fake: FakeNode, wallet: Wallet) -> None:
    for number in range(70):
        fake.put(build.basic(PARAMETERS, ME, tokens={token(number): 3}, return_deposit_to=STRANGER))
    for _ in range(2):
        fake.fund(ME, 20_000)
    rounds = await wallet.claim()
    check_valid(fake, [sent.transaction for sent in rounds.rounds])
    assert len(rounds.rounds) == 2
    balance = await wallet.balance()
    assert [held.available for held in balance.tokens] == [3] * 70
    assert balance.total == 40_000


async def test_nfts_with_much_to_say_are_claimed_a_few_at_a_time(fake: FakeNode, wallet: Wallet) -> None:
    for _ in range(5):
        fake.put(build.nft(PARAMETERS, ME, immutable_metadata=bytes(7000), return_deposit_to=STRANGER))
    fake.fund(ME, 100_000)
    rounds = await wallet.claim()
    check_valid(fake, [sent.transaction for sent in rounds.rounds])
    assert len(rounds.rounds) == 3
    claimed = [output for output in unspent(fake) if isinstance(output, NftOutput)]
    assert [len(output.unlock_conditions) for output in claimed] == [1] * 5
    assert sum(output.amount for output in unspent(fake) if output.owner == ME) == 100_000


async def test_offers_that_cost_more_than_there_is_are_left(fake: FakeNode, wallet: Wallet) -> None:
    # Anybody may send tokens whose deposit goes back whole; without coins they cannot be given another place.
    costly = [
        fake.put(build.basic(PARAMETERS, ME, tokens={token(number): 3}, return_deposit_to=STRANGER))
        for number in range(2)
    ]
    with pytest.raises(InsufficientFunds):
        await wallet.claim()
    good = fake.put(build.basic(PARAMETERS, ME, 2000, expires=(STRANGER, AT + 3600)))
    junk = [
        fake.put(
            build.basic(PARAMETERS, ME, tokens={token(2 + n): 1 for n in range(60)}, return_deposit_to=STRANGER)
        )
        for n in range(2)
    ]
    rounds = await wallet.claim()
    check_valid(fake, [sent.transaction for sent in rounds.rounds])
    claimed = {spent.output_id for sent in rounds.rounds for spent in sent.transaction.essence.inputs}
    assert good in claimed
    assert claimed | set(rounds.left) == {good, *costly, *junk}
    assert set(rounds.left) == set(junk)
    assert {one.output_id for one in (await wallet.balance()).claimable} == set(rounds.left)


async def test_chosen_offers_alone_are_claimed(fake: FakeNode, wallet: Wallet) -> None:
    one, two = (fake.put(build.basic(PARAMETERS, ME, 500, return_deposit_to=STRANGER)) for _ in range(2))
    await wallet.claim([two])
    assert [offer.output_id for offer in (await wallet.balance()).claimable] == [one]
    with pytest.raises(UnknownInput, match=two.hex()):
        await wallet.claim([two])
    plain = fake.fund(ME, 1000)
    with pytest.raises(UnknownInput, match=plain.hex()):
        await wallet.claim([one, plain])


async def test_consolidation_leaves_an_output_per_64_tokens(fake: FakeNode, wallet: Wallet) -> None:
    for number in range(70):
        fake.put(build.basic(PARAMETERS, ME, 1000, tokens={token(number): 1 + number}))
    for _ in range(140):
        fake.fund(ME, 500)
    rounds = await wallet.consolidate()
    check_valid(fake, [sent.transaction for sent in rounds.rounds])
    assert all(len(sent.transaction.essence.inputs) <= 128 for sent in rounds.rounds)
    left = unspent(fake)
    assert len(left) == 2
    assert max(len(output.native_tokens) for output in left) == NATIVE_TOKENS_MAX
    balance = await wallet.balance()
    assert [held.available for held in balance.tokens] == [1 + number for number in range(70)]
    assert balance.available == 70 * 1000 + 140 * 500


async def test_only_the_first_round_is_posted_without_waiting(fake: FakeNode, wallet: Wallet) -> None:
    fake.auto_confirm = False
    for _ in range(200):
        fake.fund(ME, 500)
    rounds = await wallet.consolidate(wait=False)
    assert len(rounds.rounds) == 1
    assert rounds.sent.milestone_index is None
