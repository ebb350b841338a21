"""The wallet against a served fake node: paying, pending outputs, conflicts, stuck transactions, addresses."""

import asyncio

import pytest
from starlette.responses import JSONResponse

from tangle.client.errors import (
    Conflicting,
    InsufficientFunds,
    NodeError,
    NotIncludedInTime,
    RemainderTooSmall,
    UnknownInput,
    WalletError,
)
from tangle.client.node.inclusion import wait_referenced
from tangle.client.node.rest import NodeClient
from tangle.client.wallet.selection import Coin
from tangle.client.wallet.wallet import Wallet
from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.errors import CountOutOfRange, DepositTooSmall, MalformedAddress
from tangle.protocol.keys import Keys
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction
from tests.client.fake_node import FakeNode, problem
from tests.tries import drawn

KEYS = Keys.from_seed(bytes(range(32)))
OTHER = Ed25519Address(bytes(range(32)))


@pytest.fixture
def wallet(node: NodeClient) -> Wallet:
    return Wallet(node, KEYS, pow="node", gap_limit=2)


def to_other(amount: int) -> list[BasicOutput]:
    return [BasicOutput.to(OTHER, amount)]


def inputs_of(*transactions: Transaction) -> list[bytes]:
    return [spent.output_id for transaction in transactions for spent in transaction.essence.inputs]


@drawn
@pytest.mark.parametrize("pow_by", ["local", "node"])
async def test_send(fake: FakeNode, node: NodeClient, pow_by: str) -> None:
    wallet = Wallet(node, KEYS, pow="local" if pow_by == "local" else "node")
    await node.request_faucet(wallet.address())
    sent = await wallet.send(await node.bech32(OTHER), 3000, payload=TaggedData(b"order", b"1"))
    assert fake.balance(OTHER) == 3000
    assert fake.balance(wallet.address()) == 7000
    assert fake.included[sent.transaction.id] == sent.block_id
    assert sent.milestone_index == fake.milestone
    balance = await wallet.balance()
    assert (balance.total, balance.available) == (7000, 7000)
    assert balance.outputs == (Coin(sent.transaction.output_id(1), sent.transaction.essence.outputs[1]),)


async def test_everything_without_a_remainder(fake: FakeNode, wallet: Wallet) -> None:
    fake.fund(wallet.address(), 1000)
    sent = await wallet.send(OTHER, 1000)
    assert len(sent.transaction.essence.outputs) == 1
    assert (await wallet.balance()).outputs == ()


async def test_what_cannot_be_sent(fake: FakeNode, wallet: Wallet) -> None:
    with pytest.raises(InsufficientFunds, match="1000 base units are needed, 0 are available"):
        await wallet.send(OTHER, 1000)
    fake.fund(wallet.address(), 1000)
    with pytest.raises(RemainderTooSmall, match="200 base units"):
        await wallet.send(OTHER, 800)
    with pytest.raises(DepositTooSmall, match="storage deposit of 426"):
        await wallet.send(OTHER, 425)
    with pytest.raises(MalformedAddress):
        await wallet.send("smr1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq", 500)
    with pytest.raises(CountOutOfRange):
        await wallet.prepare([])
    assert (await wallet.balance()).available == 1000


async def test_pending_outputs_are_not_chosen_again(fake: FakeNode, wallet: Wallet) -> None:
    fake.auto_confirm = False
    for amount in (1000, 2000):
        fake.fund(wallet.address(), amount)
    one = await wallet.prepare(to_other(1000))
    two = await wallet.prepare(to_other(1000))
    assert set(inputs_of(one)).isdisjoint(inputs_of(two))
    balance = await wallet.balance()
    assert (balance.total, balance.available) == (3000, 0)
    with pytest.raises(InsufficientFunds, match="0 are available"):
        await wallet.prepare(to_other(1000))
    wallet.release(two)
    assert (await wallet.balance()).available == 2000
    fake.confirm(await wallet.submit(one))
    balance = await wallet.balance()
    assert (balance.total, balance.available) == (2000, 2000)


async def test_payments_at_once_take_different_outputs(fake: FakeNode, wallet: Wallet) -> None:
    for _ in range(5):
        fake.fund(wallet.address(), 1000)
    sent = await asyncio.gather(*(wallet.send(OTHER, 1000) for _ in range(5)))
    assert len({one.transaction.id for one in sent}) == 5
    assert fake.balance(OTHER) == 5000


async def test_named_inputs_are_the_inputs(fake: FakeNode, wallet: Wallet) -> None:
    ids = [fake.fund(wallet.address(), 1000) for _ in range(3)]
    transaction = await wallet.prepare(to_other(500), inputs=[ids[2], ids[0]])
    assert inputs_of(transaction) == [ids[2], ids[0]]
    assert [output.amount for output in transaction.essence.outputs] == [500, 1500]
    foreign = fake.fund(OTHER, 1000)
    with pytest.raises(UnknownInput, match=foreign.hex()):
        await wallet.prepare(to_other(500), inputs=[foreign])


async def test_of_two_that_spend_the_same_one_is_included(fake: FakeNode, wallet: Wallet) -> None:
    coin = fake.fund(wallet.address(), 5000)
    fake.fund(wallet.address(), 1000)
    one = await wallet.prepare(to_other(1000), inputs=[coin])
    other = await wallet.prepare(to_other(2000), inputs=[coin])
    await wallet.submit(one)
    await wallet.submit(other)
    assert (await wallet.wait_included(one)).transaction_id == one.id
    with pytest.raises(Conflicting, match=r"\(1\): an input was already spent") as raised:
        await wallet.wait_included(other)
    assert (raised.value.transaction_id, raised.value.reason) == (other.id, 1)
    balance = await wallet.balance()
    assert balance.total == balance.available == 5000


async def test_a_conflict_for_another_reason_frees_the_inputs(fake: FakeNode, wallet: Wallet) -> None:
    fake.auto_confirm = False
    fake.fund(wallet.address(), 5000)
    transaction = await wallet.prepare(to_other(1000))
    fake.referenced[await wallet.submit(transaction)] = (1, "conflicting", 10)
    with pytest.raises(Conflicting, match="inputs commitment"):
        await wallet.wait_included(transaction)
    assert (await wallet.balance()).available == 5000


async def until(fake: FakeNode, blocks: int) -> list[bytes]:
    """The ids of all blocks, once there are so many."""
    async with asyncio.timeout(20):
        while len(fake.blocks) < blocks:  # noqa: ASYNC110 - the server under test has no event for it
            await asyncio.sleep(0.01)
    return list(fake.blocks)


async def test_a_stuck_transaction_is_reattached(fake: FakeNode, wallet: Wallet) -> None:
    fake.auto_confirm = False
    fake.fund(wallet.address(), 5000)
    transaction = await wallet.prepare(to_other(1000))
    fake.flags[await wallet.submit(transaction)] = "shouldReattach"
    waiting = asyncio.create_task(wallet.wait_included(transaction, within_s=20))
    first, second = await until(fake, 2)
    assert fake.blocks[second].payload == transaction
    fake.confirm(second)
    assert (await waiting).block_id == second
    fake.confirm(first)
    assert fake.referenced[first][1] == "conflicting"
    found = await Wallet(wallet.node, KEYS, gap_limit=0).wait_included(transaction)
    assert found.block_id == second


async def test_the_first_block_may_be_the_one_that_counts(fake: FakeNode, wallet: Wallet) -> None:
    fake.auto_confirm = False
    fake.fund(wallet.address(), 5000)
    transaction = await wallet.prepare(to_other(1000))
    first = await wallet.submit(transaction)
    fake.confirm(first)
    restarted = Wallet(wallet.node, KEYS, pow="node", gap_limit=0)
    second = await restarted.submit(transaction)
    assert second != first
    fake.confirm(second)
    assert fake.referenced[second][1:] == ("conflicting", 1)
    assert (await restarted.wait_included(transaction)).block_id == first


@drawn
@pytest.mark.parametrize("pow_by", ["local", "node"])
async def test_a_stuck_transaction_is_promoted(fake: FakeNode, node: NodeClient, pow_by: str) -> None:
    wallet = Wallet(node, KEYS, pow="local" if pow_by == "local" else "node", gap_limit=0)
    fake.auto_confirm = False
    fake.fund(wallet.address(), 5000)
    transaction = await wallet.prepare(to_other(1000))
    block_id = await wallet.submit(transaction)
    fake.flags[block_id] = "shouldPromote"
    waiting = asyncio.create_task(wallet.wait_included(transaction, within_s=20))
    promotion = (await until(fake, 2))[1]
    assert fake.blocks[promotion].payload is None
    assert block_id in fake.blocks[promotion].parents
    fake.confirm(block_id)
    assert (await waiting).block_id == block_id


async def test_a_prepared_transaction_is_posted_by_waiting(fake: FakeNode, wallet: Wallet) -> None:
    fake.fund(wallet.address(), 5000)
    transaction = await wallet.prepare(to_other(1000))
    found = await Wallet(wallet.node, KEYS, pow="node", gap_limit=0).wait_included(transaction, within_s=20)
    assert fake.included == {transaction.id: found.block_id}


async def test_waiting_goes_through_failures_of_the_node(fake: FakeNode, wallet: Wallet) -> None:
    fake.fund(wallet.address(), 5000)
    transaction = await wallet.prepare(to_other(1000))
    await wallet.submit(transaction)
    fake.answers = [problem(500, "internal", "oops"), problem(503, "starting", "not yet")]
    fake.drops = 2
    assert (await wallet.wait_included(transaction, within_s=20)).transaction_id == transaction.id


async def test_waiting_ends(fake: FakeNode, wallet: Wallet) -> None:
    fake.auto_confirm = False
    fake.fund(wallet.address(), 5000)
    transaction = await wallet.prepare(to_other(1000))
    block_id = await wallet.submit(transaction)
    with pytest.raises(NotIncludedInTime, match=block_id.hex()):
        await wallet.wait_included(transaction, within_s=0.1)
    assert (await wallet.balance()).available == 0
    fake.confirm(block_id)
    assert (await wallet.wait_included(transaction)).block_id == block_id


async def test_data_is_waited_for_too(fake: FakeNode, node: NodeClient) -> None:
    fake.auto_confirm = False
    block_id = await node.submit_data(b"tag", b"data")
    fake.flags[block_id] = "shouldReattach"
    waiting = asyncio.create_task(wait_referenced(node, block_id, pow_by="node", within_s=20))
    again = (await until(fake, 2))[1]
    assert fake.blocks[again].payload == fake.blocks[block_id].payload
    fake.confirm(again)
    assert (await waiting).block_id == again


async def test_a_failed_post_can_be_tried_again(fake: FakeNode, wallet: Wallet) -> None:
    fake.fund(wallet.address(), 5000)
    await wallet.balance()
    before = await wallet.prepare(to_other(1000))
    wallet.release(before)
    fake.parameters = type(fake.parameters)(min_pow_score=1, network_name="moved on")
    with pytest.raises(NodeError, match="wrong_network"):
        await wallet.send(OTHER, 1000)
    fake.parameters = type(fake.parameters)(min_pow_score=1)
    assert (await wallet.balance()).available == 5000
    assert (await wallet.send(OTHER, 1000)).transaction.id == before.id


async def test_stale_tips_are_replaced(fake: FakeNode, wallet: Wallet) -> None:
    fake.fund(wallet.address(), 5000)
    transaction = await wallet.prepare(to_other(1000))
    error = {"error": {"code": "400", "message": "ask for new tips"}, "code": "below_max_depth"}
    fake.answers = [problem(409, "below_max_depth", "ask for new tips"), JSONResponse(error, 400)]
    assert (await wallet.submit(transaction)) in fake.blocks
    fake.answers = [problem(409, "below_max_depth", "ask for new tips") for _ in range(3)]
    with pytest.raises(NodeError, match="below_max_depth"):
        await wallet.submit(transaction)


async def test_consolidate(fake: FakeNode, wallet: Wallet) -> None:
    fake.fund(wallet.address(), 1000)
    with pytest.raises(WalletError, match="no two available outputs"):
        await wallet.consolidate()
    for _ in range(6):
        fake.fund(wallet.address(), 500)
    await wallet.consolidate()
    assert [coin.amount for coin in (await wallet.balance()).outputs] == [4000]


async def test_used_addresses_are_found_up_to_the_gap(fake: FakeNode, wallet: Wallet) -> None:
    for index, internal in ((0, False), (2, False), (1, True), (5, False)):
        fake.fund(KEYS.derive(0, index, internal=internal).address, 1000 + index)
    assert (await wallet.balance()).total == 1000 + 1002 + 1001
    sent = await wallet.send(OTHER, 3003)
    assert len(sent.transaction.essence.inputs) == 3
    fake.fund(wallet.address(5), 500)
    assert (await wallet.balance()).total == 1505
    assert (await Wallet(wallet.node, KEYS).balance()).total == 1505
    assert (await Wallet(wallet.node, KEYS, gap_limit=0).balance()).total == 0
    assert (await Wallet(wallet.node, KEYS, account=1).balance()).total == 0


async def test_an_emptied_address_is_still_used(fake: FakeNode, wallet: Wallet) -> None:
    for index in (1, 3):
        fake.fund(KEYS.derive(0, index).address, 1000)
    first = Wallet(wallet.node, KEYS, gap_limit=2, pow="node")
    coins = {coin.output.owner: coin.output_id for coin in (await first.balance()).outputs}
    await first.wait_included(await first.prepare(to_other(1000), inputs=[coins[first.address(1)]]))
    assert (await wallet.balance()).total == 1000


async def test_history(fake: FakeNode, wallet: Wallet) -> None:
    payer = Wallet(wallet.node, Keys.from_seed(bytes(32)), pow="node", gap_limit=0)
    fake.fund(payer.address(), 20_000)
    for amount in (1000, 2000, 3000):
        await payer.send(wallet.address(), amount)
    await wallet.send(OTHER, 2500)
    await wallet.consolidate()
    entries = await wallet.history()
    assert [(entry.kind, entry.amount) for entry in entries] == [
        ("received", 1000),
        ("received", 2000),
        ("received", 3000),
        ("sent", -2500),
        ("moved", 0),
    ]
    payer_text, other_text = await wallet.node.bech32(payer.address()), await wallet.node.bech32(OTHER)
    assert [entry.counterparts for entry in entries] == [(payer_text,)] * 3 + [(other_text,), ()]
    assert sum(entry.amount for entry in entries) == (await wallet.balance()).total


async def test_a_node_without_histories_serves_too(fake: FakeNode, wallet: Wallet) -> None:
    fake.tells_history = False
    fake.fund(KEYS.derive(0, 1).address, 5000)
    await wallet.send(OTHER, 1000)
    assert (await wallet.balance()).total == 4000
    with pytest.raises(NodeError, match="404"):
        await wallet.history()
