"""A whole channel verified, and a report of it that others can check.

Every message is verified by its reader: mask, Merkle path, signature, order. Every block is fetched by its id and
hashed, so the ids in the report name exactly the bytes that were verified; and for each the node is asked which
milestone references it, which bounds the time before which the message existed.

The report holds digests instead of bodies, and no keys: it can be handed on. Who has the way in repeats it and
compares `digest`, one number for the whole content:

    digest(0) = 32 zero bytes, digest(n + 1) = BLAKE2b-256(digest(n) | u64 index, little-endian | body digest)

over data messages in order of their index, with the body digest BLAKE2b-256 of the body. Where nothing was read
there is no digest, and nothing is complete: two readers who found nothing have not found the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tangle.client.channels.subscription import Subscription
from tangle.client.node.rest import NodeClient
from tangle.mam import Fork, Gap, Message, Rejected, Rekeyed, Revoked
from tangle.protocol.serial import Json, blake2b_256, to_hex, uint

VERSION = 1
"""of the report's form"""


@dataclass(frozen=True, slots=True)
class ProvenMessage:
    """A message of which everything was verified.

    Attributes
    ----------
    block_ids : of its parts
    size, digest : bytes of the body, and their BLAKE2b-256
    milestone_index, milestone_time : of the first milestone that references all its blocks, and its unix time;
        None while none does
    """

    index: int
    block_ids: tuple[bytes, ...]
    size: int
    digest: bytes
    milestone_index: int | None = None
    milestone_time: int | None = None


@dataclass
class Proof:
    """What was found in a channel.

    Attributes
    ----------
    network : name of the network
    address : under which its first tree lies
    rekeyed : indexes of the messages that changed the side key
    unreferenced : indexes of those among them that no milestone references yet
    commitments : by index of a message that changed the side key, what it commits to: the same for all readers
    format : version of the channel's format; None if nothing was read
    seen : blocks that lay under the addresses, whatever they hold
    rejected : why data under the addresses was none of the channel's, by code
    revoked_at : index of the message that left this reader out, None if none did
    """

    network: str
    mode: str
    address: bytes
    messages: list[ProvenMessage] = field(default_factory=list)
    rekeyed: list[int] = field(default_factory=list)
    unreferenced: list[int] = field(default_factory=list)
    commitments: dict[int, bytes] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    forks: list[Fork] = field(default_factory=list)
    repeated: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    revoked_at: int | None = None
    seen: int = 0
    format: int | None = None

    @property
    def is_complete(self) -> bool:
        """Whether there are messages, and each up to the last is there, once, and referenced by a milestone."""
        referenced = all(message.milestone_index is not None for message in self.messages)
        whole = not self.gaps and not self.forks and not self.unreferenced and self.revoked_at is None
        return bool(self.messages) and referenced and whole

    @property
    def digest(self) -> bytes | None:
        """Of all bodies, 32 bytes; None where there are none."""
        if not self.messages:
            return None
        digest = bytes(32)
        for message in self.messages:
            digest = blake2b_256(digest + uint(message.index, 8) + message.digest)
        return digest

    def to_json(self) -> Json:
        """The report for programs."""
        json: Json = {
            "version": VERSION,
            "network": self.network,
            "mode": self.mode,
            "address": to_hex(self.address),
            "complete": self.is_complete,
            "digest": None if self.digest is None else to_hex(self.digest),
            "blocksSeen": self.seen,
            "format": self.format,
            "messages": [_message_json(message) for message in self.messages],
            "rekeyed": self.rekeyed,
            "sideKeys": [{"index": index, "commitment": to_hex(one)} for index, one in self.commitments.items()],
            "gaps": [{"first": gap.first, "last": gap.last} for gap in self.gaps],
            "forks": [
                {"index": fork.index, "blockIds": [to_hex(fork.first), to_hex(fork.second)]} for fork in self.forks
            ],
            "repeated": self.repeated,
            "rejected": dict(self.rejected),
        }
        return json if self.revoked_at is None else {**json, "revokedAt": self.revoked_at}


def _message_json(message: ProvenMessage) -> Json:
    json: Json = {
        "index": message.index,
        "blockIds": [to_hex(block_id) for block_id in message.block_ids],
        "bytes": message.size,
        "digest": to_hex(message.digest),
    }
    if message.milestone_index is not None:
        json |= {"milestoneIndex": message.milestone_index, "milestoneTime": message.milestone_time}
    return json


async def prove(
    node: NodeClient, subscription: Subscription, tell: Callable[[int], None] = lambda _: None
) -> Proof:
    """Read the history of a channel and prove what is in it.

    Parameters
    ----------
    subscription : a new one, made with `prove_blocks`
    tell : called with the number of messages verified so far

    Raises
    ------
    NodeUnreachable, NodeError
    UnexpectedAnswer : a block is not what the node says
    """
    access = subscription.bookmark.access
    network = (await node.parameters()).network_name
    proof = Proof(network, access.mode.name.lower(), access.address)
    times: dict[int, int] = {}
    async for event in subscription.history():
        match event:
            case Message():
                proof.messages.append(await _proven(node, event, times))
                tell(len(proof.messages))
            case Rekeyed(index=index, sources=sources, commitment=commitment):
                proof.rekeyed.append(index)
                proof.commitments |= {index: commitment} if commitment else {}
                if None in await _milestones(node, sources):
                    proof.unreferenced.append(index)
            case Gap():
                proof.gaps.append(event)
            case Fork():
                proof.forks.append(event)
            case Rejected(error=error):
                proof.rejected[error.code] += 1
            case Revoked(index=index, commitment=commitment):
                proof.revoked_at = index
                proof.commitments |= {index: commitment} if commitment else {}
            case _:
                proof.repeated += 1
    proof.seen, proof.format = subscription.waiting.seen, subscription.version
    # A message that was given up and came late stands where it belongs, and leaves no gap.
    proof.messages.sort(key=lambda message: message.index)
    late = {message.index for message in proof.messages}
    missing = (index for gap in proof.gaps for index in range(gap.first, gap.last + 1))
    proof.gaps = _ranges(index for index in missing if index not in late)
    return proof


def _ranges(indexes: Iterable[int]) -> list[Gap]:
    """Ascending indexes as ranges."""
    gaps: list[Gap] = []
    for index in indexes:
        if gaps and gaps[-1].last == index - 1:
            gaps[-1] = Gap(gaps[-1].first, index)
        else:
            gaps.append(Gap(index, index))
    return gaps


async def _proven(node: NodeClient, message: Message, times: dict[int, int]) -> ProvenMessage:
    found = await _milestones(node, message.sources)
    digest = blake2b_256(message.body)
    known = [index for index in found if index is not None]
    proven = ProvenMessage(message.index, message.sources, len(message.body), digest)
    if not known or len(known) < len(found):
        return proven
    index = max(known)
    if index not in times:
        times[index] = (await node.milestone(index)).essence.timestamp
    return ProvenMessage(proven.index, proven.block_ids, proven.size, digest, index, times[index])


async def _milestones(node: NodeClient, sources: Iterable[bytes]) -> list[int | None]:
    """For each block the index of the milestone that references it."""
    found = await asyncio.gather(*(node.metadata(source) for source in sources))
    return [one.milestone_index for one in found]
