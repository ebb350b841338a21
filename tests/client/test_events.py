"""The event stream: parsing in pieces of any size, and following through breaks without a loss or a repeat."""

import itertools
import random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.client.errors import NodeError, NodeUnreachable, UnexpectedAnswer
from tangle.client.node.events import StreamMessage, StreamParser
from tangle.client.node.rest import NodeClient
from tangle.protocol.answers import ConfidenceEvent, Event, MilestoneEvent, ReferencedEvent, SolidEvent
from tests.client.fake_node import FakeNode, problem
from tests.tries import drawn

ID = bytes(range(32))
HEX = "0x" + ID.hex()


def solid(number: int) -> bytes:
    return orjson.dumps({"number": number, "type": "solid", "blockId": HEX})


def parse(pieces: list[bytes]) -> list[StreamMessage]:
    parser = StreamParser()
    return [message for piece in pieces for message in parser.feed(piece)]


STREAM = (
    ": hello\r\n\r\nid: 7\nevent: solid\ndata: one\ndata:two\n\ndata\n\nid: 8\r\rdata: \u2028drei\r\r\ndata: lost"
)
MESSAGES = [StreamMessage("7", "one\ntwo"), StreamMessage("7", ""), StreamMessage("8", "\u2028drei")]


def test_a_stream_in_one_piece() -> None:
    assert parse([STREAM.encode()]) == MESSAGES


@given(cuts=st.sets(st.integers(0, len(STREAM.encode()))))
def test_a_stream_in_any_pieces(cuts: set[int]) -> None:
    data = STREAM.encode()
    places = [0, *sorted(cuts), len(data)]
    assert parse([data[a:b] for a, b in itertools.pairwise(places)]) == MESSAGES


async def test_every_type_of_event(fake: FakeNode, node: NodeClient) -> None:
    fake.event_log = [
        solid(1),
        orjson.dumps({"number": 2, "type": "confidence", "blockId": HEX, "threshold": 0.5, "m": 3, "n": 4}),
        orjson.dumps({"number": 3, "type": "milestone", "index": 9, "milestoneId": HEX, "timestamp": 17}),
        orjson.dumps(
            {
                "number": 4,
                "type": "referenced",
                "blockId": HEX,
                "milestoneIndex": 9,
                "ledgerInclusionState": "conflicting",
                "conflictReason": 1,
            }
        ),
        orjson.dumps({"number": 5, "type": "not known yet"}),
        solid(6),
    ]
    assert await first(node, 5) == [
        SolidEvent(1, ID),
        ConfidenceEvent(2, ID, 0.5, 3, 4),
        MilestoneEvent(3, 9, ID, 17),
        ReferencedEvent(4, ID, 9, "conflicting", 1),
        SolidEvent(6, ID),
    ]


async def first(node: NodeClient, count: int, after: int | None = 0) -> list[Event]:
    stream, found = node.events(after, give_up_after=0.5), []
    async for event in stream:
        found.append(event)
        if len(found) == count:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return found


@drawn
@pytest.mark.parametrize("seed", range(3))
async def test_breaks_lose_and_repeat_nothing(fake: FakeNode, node: NodeClient, seed: int) -> None:
    rng = random.Random(seed)
    fake.event_log = [solid(number) for number in range(1, 41)]
    fake.event_cuts = [(rng.randrange(1, 12), rng.random() < 0.5) for _ in range(40)]
    after = rng.randrange(0, 5)
    events = await first(node, 40 - after, after)
    assert [event.number for event in events] == list(range(after + 1, 41)), f"seed {seed}"
    assert len(fake.event_starts) > 3, f"seed {seed}"
    assert fake.event_starts == sorted(fake.event_starts)


async def test_only_new_events_and_none_of_them_lost(fake: FakeNode, node: NodeClient) -> None:
    fake.event_log = [solid(number) for number in range(1, 6)]
    fake.event_newest = 2
    fake.event_cuts = [(0, True)]
    assert [event.number for event in await first(node, 3, None)] == [3, 4, 5]
    assert fake.event_starts == [2, 2]


async def test_a_node_that_is_restarting_is_waited_for(fake: FakeNode, node: NodeClient) -> None:
    fake.event_log = [solid(1)]
    fake.answers = [problem(503, "starting", "not yet"), problem(500, "internal", "oops")]
    assert await first(node, 1) == [SolidEvent(1, ID)]


async def test_a_refusal_is_not_repeated(fake: FakeNode, node: NodeClient) -> None:
    fake.answers = [problem(400, "malformed", "no such type", field="types")]
    with pytest.raises(NodeError, match="no such type"):
        await first(node, 1)
    assert len(fake.requests) == 1


async def test_a_stream_that_never_comes_back_ends(fake: FakeNode, node: NodeClient) -> None:
    with pytest.raises(NodeUnreachable, match="ended"):
        await first(node, 1)
    assert len(fake.event_starts) > 1


async def test_nonsense_in_a_stream_is_told(fake: FakeNode, node: NodeClient) -> None:
    fake.event_log = [b'{"number": 1, "type": "solid", "blockId": "0x12"}']
    with pytest.raises(UnexpectedAnswer, match="blockId"):
        await first(node, 1)
