"""Reports of whole channels: what they hold, what their digest is of, and that a node cannot lie in them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest

from tangle.client.channels.proof import Proof, ProvenMessage, prove
from tangle.client.channels.subscription import Subscription
from tangle.client.errors import UnexpectedAnswer
from tangle.client.node.rest import NodeClient
from tangle.mam import Channel, Fork, Gap, Position, public_key_of
from tangle.protocol.answers import FoundData
from tests.client.following import everything, post, written
from tests.nodes import RunningNode

BODIES = [b"3.2 bar", b"", bytes(100_000), b"last"]


@pytest.fixture
async def node(running: RunningNode) -> AsyncIterator[NodeClient]:
    async with NodeClient(running.url, timeout=20) as client:
        yield client


class Liar(NodeClient):
    """Says that data lies in another block than it does."""

    async def tagged_data(self, tag: bytes, *, after: int = 0) -> AsyncIterator[FoundData]:
        found = [one async for one in super().tagged_data(tag, after=after)]
        for one, other in zip(found, [*found[1:], *found[:1]], strict=True):
            yield FoundData(one.number, other.block_id, one.tag, one.data, one.received_ms)


async def proven(node: NodeClient, channel: Channel) -> Proof:
    return await prove(node, Subscription(node, channel.access(), prove_blocks=True))


async def test_a_whole_channel(node: NodeClient, running: RunningNode) -> None:
    channel = Channel.create("private", 1)
    ids = await post(node, *written(channel, BODIES))
    for block_id in ids:
        running.wait_referenced(block_id)
    proof = await proven(node, channel)
    assert proof.is_complete
    assert [message.index for message in proof.messages] == [0, 1, 2, 3]
    assert [block_id for message in proof.messages for block_id in message.block_ids] == ids
    assert [message.size for message in proof.messages] == [len(body) for body in BODIES]
    for message in proof.messages:
        found = [running.get(f"/api/core/v2/blocks/0x{one.hex()}/metadata") for one in message.block_ids]
        assert message.milestone_index == max(one["referencedByMilestoneIndex"] for one in found)
        milestone = running.get(f"/api/core/v2/milestones/by-index/{message.milestone_index}")
        assert message.milestone_time == milestone["timestamp"]


async def test_the_digest_is_that_of_the_document(node: NodeClient) -> None:
    channel = Channel.create("restricted", 1)
    await post(node, *written(channel, BODIES))
    digest = bytes(32)
    for index, body in enumerate(BODIES):
        inner = hashlib.blake2b(body, digest_size=32).digest()
        digest = hashlib.blake2b(digest + index.to_bytes(8, "little") + inner, digest_size=32).digest()
    proof = await proven(node, channel)
    assert proof.to_json()["digest"] == "0x" + digest.hex()
    assert channel.root().hex() not in str(proof.to_json())


async def test_what_is_missing_forked_junk_or_repeated_is_told(node: NodeClient) -> None:
    channel = Channel.create("public", 3)
    messages = written(channel, [b"%d" % n for n in range(7)])
    ids = await post(node, messages[0], *messages[3:5], messages[6])
    other = await post(node, written(channel, [b"x"])[0])
    await node.submit_data(messages[0].address, b"junk")
    proof = await proven(node, channel)
    assert not proof.is_complete
    assert proof.gaps == [Gap(1, 2), Gap(5, 5)]
    assert proof.forks == [Fork(0, ids[0], other[0])]
    assert dict(proof.rejected) == {"not_a_message": 1}


async def test_a_node_that_names_other_blocks_is_caught(running: RunningNode) -> None:
    async with Liar(running.url) as liar:
        channel = Channel.create("public", 3)
        await post(liar, *written(channel, [b"0", b"1"]))
        # The messages themselves are beyond its reach: only the names of blocks can be wrong.
        assert len(await everything(Subscription(liar, channel.access()).history())) == 2
        with pytest.raises(UnexpectedAnswer, match="does not carry this data"):
            await proven(liar, channel)


@pytest.mark.parametrize(
    "change",
    [
        {"gaps": [Gap(1, 1)]},
        {"forks": [Fork(0, b"", b"")]},
        {"revoked_at": 3},
        {"messages": [ProvenMessage(0, (), 1, bytes(32))]},
        {"messages": []},
        {"unreferenced": [1]},
    ],
)
def test_each_fault_alone_makes_a_channel_incomplete(change: dict[str, object]) -> None:
    whole = [ProvenMessage(0, (), 1, bytes(32), 1, 1)]
    assert Proof("net", "public", bytes(32), messages=whole).is_complete
    assert not Proof("net", "public", bytes(32), **{"messages": whole, **change}).is_complete  # type: ignore[arg-type]


async def test_nothing_read_proves_nothing_and_two_who_found_nothing_have_not_found_the_same(
    node: NodeClient,
) -> None:
    proof = await proven(node, Channel.create("private"))
    assert (proof.is_complete, proof.digest, proof.to_json()["digest"]) == (False, None, None)
    channel = Channel.create("public")
    await node.submit_data(channel.access().address, b"junk")
    assert (await proven(node, channel)).to_json()["blocksSeen"] == 1


async def test_a_new_side_key_counts_once_a_milestone_references_it(
    node: NodeClient, running: RunningNode
) -> None:
    reader, channel = b"r" * 32, Channel.create("restricted")
    rekey = channel.rekey([public_key_of(reader)], Position())
    ids = await post(node, rekey, channel.write(b"after", rekey.following))
    for block_id in ids:
        running.wait_referenced(block_id)
    proof = await prove(node, Subscription(node, channel.access(), private_key=reader, prove_blocks=True))
    assert (proof.is_complete, proof.rekeyed, proof.unreferenced) == (True, [0], [])
