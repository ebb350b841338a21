"""The REST client against a served fake node: answers, both shapes of errors, busy and broken connections."""

import socket

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from tangle.client.errors import NodeError, NodeUnreachable, UnexpectedAnswer
from tangle.client.node.once import error_of
from tangle.client.node.pow import work
from tangle.client.node.rest import NodeClient
from tangle.client.node.transport import RETRY_AFTER_MAX_S, retry_after_s
from tangle.protocol.answers import FaucetReceipt
from tangle.protocol.blocks import Block, check_block
from tangle.protocol.keys import Keys
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.serial import U64_MAX, to_hex
from tangle.protocol.tagged_data import TaggedData
from tests.client.fake_node import FakeNode, problem

ADDRESS = Keys.from_seed(bytes(32)).derive().address


async def test_info_and_parameters(fake: FakeNode, node: NodeClient) -> None:
    info = await node.info()
    assert info.parameters == fake.parameters == await node.parameters()
    assert info.features == ("pow",)
    assert info.latest_milestone.index == 0
    assert await node.health()
    assert fake.requests == ["GET /api/core/v2/info", "GET /health"]


async def test_an_unhealthy_node_is_not_asked_again(fake: FakeNode, node: NodeClient) -> None:
    fake.answers = [Response(status_code=503, headers={"retry-after": "0"})]
    assert not await node.health()
    assert len(fake.requests) == 1


async def test_a_block_goes_there_and_back(fake: FakeNode, node: NodeClient) -> None:
    block = await work(Block(tuple(await node.tips()), TaggedData(b"tag", b"data")), 1, workers=1)
    check_block(block, fake.parameters)
    assert await node.submit(block) == block.id
    assert await node.block(block.id) == block
    assert await node.block_bytes(block.id) == block.encoded
    metadata = await node.metadata(block.id)
    assert metadata.inclusion == "noTransaction"
    assert metadata.milestone_index == 1
    assert metadata.confidence is not None
    assert (metadata.confidence.m, metadata.confidence.n) == (1, 4)


async def test_the_node_does_the_work(fake: FakeNode, node: NodeClient) -> None:
    block_id = await node.submit_data(b"tag", b"data")
    assert fake.blocks[block_id].payload == TaggedData(b"tag", b"data")
    empty_id = await node.submit_payload(None, parents=[block_id, bytes(32), block_id])
    assert fake.blocks[empty_id].parents == tuple(sorted([bytes(32), block_id]))
    assert fake.blocks[empty_id].payload is None


async def test_a_nonce_of_zero_asks_the_node_for_the_work(fake: FakeNode, node: NodeClient) -> None:
    asked = Block((bytes(32),), TaggedData(b"tag", b"data"))
    made = asked.with_nonce(7)
    fake.answers = [JSONResponse({"blockId": to_hex(made.id)}, 201) for _ in range(2)]
    assert await node.submit(asked) == made.id
    with pytest.raises(UnexpectedAnswer, match="became"):
        await node.submit(asked.with_nonce(8))


async def test_another_block_than_asked_for_is_noticed(fake: FakeNode, node: NodeClient) -> None:
    block_id = await node.submit_data(b"a", b"")
    fake.blocks[bytes(32)] = fake.blocks[block_id]
    with pytest.raises(UnexpectedAnswer, match="asked for block 0x00"):
        await node.block(bytes(32))


async def test_pages_are_joined(fake: FakeNode, node: NodeClient) -> None:
    expected = [fake.fund(ADDRESS, 1000 + i) for i in range(5)]
    assert await node.basic_output_ids(ADDRESS) == expected
    assert await node.basic_output_ids(await node.bech32(ADDRESS)) == expected
    posted = [await node.submit_data(b"t", bytes([i])) for i in range(5)]
    await node.submit_data(b"other", b"")
    found = [item async for item in node.tagged_blocks(b"t")]
    assert [item.block_id for item in found] == posted
    assert [item async for item in node.tagged_blocks(b"t", after=found[2].number)] == found[3:]


async def test_a_cursor_that_stands_still_ends(fake: FakeNode, node: NodeClient) -> None:
    text = await node.bech32(ADDRESS)
    fake.answers = [JSONResponse({"items": [], "cursor": "1"}) for _ in range(9)]
    with pytest.raises(UnexpectedAnswer, match="repeats its cursor"):
        await node.basic_output_ids(text)


async def test_amounts_are_exact_up_to_the_last_unit(fake: FakeNode, node: NodeClient) -> None:
    output_id = fake.fund(ADDRESS, U64_MAX)
    output, metadata = await node.output(output_id)
    assert output == BasicOutput.to(ADDRESS, U64_MAX)
    assert (metadata.is_spent, metadata.milestone_index_booked) == (False, 1)


async def test_faucet(fake: FakeNode, node: NodeClient) -> None:
    assert await node.request_faucet(ADDRESS) == FaucetReceipt(await node.bech32(ADDRESS), 1)
    assert fake.balance(ADDRESS) == 10_000


async def test_what_is_not_there(node: NodeClient) -> None:
    assert await node.included_block(bytes(32)) is None
    with pytest.raises(NodeError) as raised:
        await node.metadata(bytes(32))
    assert (raised.value.status, raised.value.code, raised.value.message) == (404, "404", "not found")


async def test_a_refusal_names_rule_and_field(fake: FakeNode, node: NodeClient) -> None:
    await node.parameters()
    fake.answers = [problem(400, "pow_too_low", "reaches a score of 1", field="nonce")]
    with pytest.raises(NodeError, match=r"400 \(pow_too_low\): reaches a score of 1") as raised:
        await node.submit(Block((bytes(32),)))
    assert (raised.value.code, raised.value.field) == ("pow_too_low", "nonce")


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"error": {"code": "400", "message": "bad"}}', "400", "bad"),
        (b'{"error": {"code": 400}}', "400", "no explanation"),
        (b'{"error": {"code": "400", "message": "bad"}, "code": "pow_too_low"}', "pow_too_low", "bad"),
        (b'{"title": "Bad", "status": 418, "code": "x"}', "x", "Bad"),
        (b'{"detail": "why"}', "418", "why"),
        (b"<html>teapot</html>", "418", "<html>teapot</html>"),
        (b"", "418", "no explanation"),
        (b"[1]", "418", "[1]"),
        (b"\xff", "418", "\ufffd"),
    ],
)
def test_errors_of_any_shape(body: bytes, code: str, message: str) -> None:
    error = error_of(418, body)
    assert (error.status, error.code, error.message) == (418, code, message)


async def test_a_busy_node_is_asked_again(fake: FakeNode, node: NodeClient) -> None:
    busy = Response(status_code=503, headers={"retry-after": "0"})
    fake.answers = [busy, busy]
    block = await work(Block((bytes(32),)), 1, workers=1)
    assert await node.submit(block) == block.id
    assert len(fake.requests) == 3


async def test_a_node_that_stays_busy_is_an_error(fake: FakeNode) -> None:
    async with NodeClient(fake.url, busy_retries=2) as node:
        fake.answers = [problem(503, "queue_full", "full") for _ in range(9)]
        for answer in fake.answers:
            answer.headers["retry-after"] = "0"
        with pytest.raises(NodeError, match="queue_full"):
            await node.tips()
    assert len(fake.requests) == 3


async def test_503_without_a_time_is_final(fake: FakeNode, node: NodeClient) -> None:
    fake.answers = [problem(503, "window_full", "no milestones")]
    with pytest.raises(NodeError, match="window_full"):
        await node.tips()


@pytest.mark.parametrize(
    ("value", "pause"),
    [("0", 0.0), ("3", 3.0), ("86400", RETRY_AFTER_MAX_S), ("Wed, 21 Oct 2026 07:28:00 GMT", 1.0), ("-1", 1.0)],
)
def test_the_pause_is_bounded(value: str, pause: float) -> None:
    assert retry_after_s(httpx.Response(503, headers={"retry-after": value})) == pause
    assert retry_after_s(httpx.Response(429, headers={"retry-after": value})) is None


async def test_a_broken_connection_is_tried_once_more(fake: FakeNode, node: NodeClient) -> None:
    fake.drops = 1
    assert (await node.tips()) == [bytes(32)]
    fake.drops = 2
    with pytest.raises(NodeUnreachable, match="peer closed"):
        await node.tips()
    fake.drops = 1
    with pytest.raises(NodeUnreachable):
        await node.submit_data(b"t", b"not repeated: the node may have made a block of it")


async def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    async with NodeClient(url) as node:
        with pytest.raises(NodeUnreachable, match=url) as raised:
            await node.tips()
    assert raised.value.url == f"{url}/api/core/v2/tips"


@pytest.mark.parametrize("url", ["localhost:1", "ftp://127.0.0.1", "http://[", ""])
async def test_no_url(url: str) -> None:
    with pytest.raises(NodeUnreachable):
        async with NodeClient(url) as node:
            await node.tips()


@pytest.mark.parametrize("body", [b"no json", b"[]", b'{"tips": [1]}', b'{"tips": ["0x00"]}', b"{}"])
async def test_not_a_node(fake: FakeNode, node: NodeClient, body: bytes) -> None:
    fake.answers = [Response(body)]
    with pytest.raises(UnexpectedAnswer, match="/api/core/v2/tips"):
        await node.tips()


async def test_questions_about_the_graph_carry_what_was_given_and_no_more(
    fake: FakeNode, node: NodeClient
) -> None:
    share = {"m": 3, "n": 9, "low": 0.1, "high": 0.7}
    fake.answers = [JSONResponse(share), JSONResponse(share), *(JSONResponse({"items": []}) for _ in range(6))]
    block = bytes(range(32))
    assert (await node.confidence(block)).m == 3
    await node.confidence(block, walks=9, seed=0)
    assert await node.graph() == {"items": []}
    await node.graph(5, first=0)
    await node.graph(5, around=block)
    await node.explain_tips(3, seed=7)
    await node.unapproved()
    await node.orphans(4)
    assert [request.removeprefix("GET /api/tangle/v1/") for request in fake.requests] == [
        *[f"confidence/{to_hex(block)}"] * 2, *["graph"] * 3, "tips/explain", "tips", "orphans",
    ]  # fmt: skip
    queries = [
        "",
        "n=9&seed=0",
        "",
        "limit=5&from=0",
        f"limit=5&around={to_hex(block)}",
        "k=3&seed=7",
        "",
        "age=4",
    ]
    assert fake.queries == queries
