"""What the machine told in its channel, read once more over REST with each reader's own key.

Every block is fetched and hashed and every message verified: neither the reports of the parties nor the node's
word on what a block carries count here.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from tangle.client.channels.subscription import Subscription
from tangle.client.node.rest import NodeClient
from tangle.demo.check import Case, Check, is_count
from tangle.demo.plan import DemoFailed
from tangle.machines.facts import PAYMENT, READING, UNIT
from tangle.machines.follow import ReaderKey, Tally, Told, invitations, read_fact
from tangle.mam import Access, Invitation, Message, Revoked, Unreadable, unseal
from tangle.parties.ledger import NodeLedger
from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.serial import to_hex
from tangle.protocol.tagged_data import TaggedData

INVITED_S = 10.0
"""seconds in which an invitation must be found"""
FAULTS = ("gap", "fork", "rejected")
"""events that a channel as it should be has none of"""


@dataclass(frozen=True, slots=True)
class Heard:
    """All that one reader of a channel can read.

    Attributes
    ----------
    facts : in order
    blocks : ids of the blocks that carry them
    closed : index of the message that shut the reader out; None if it may read on
    access : the last keys it held
    faults : number of messages that are missing, contradicted or forged
    """

    facts: list[Told]
    blocks: list[bytes]
    closed: int | None
    access: Access
    faults: int

    def of(self, kind: str, order_id: bytes) -> list[Told]:
        """The facts of one kind about an order."""
        return [fact for fact in self.facts if fact.kind == kind and fact.body.text("order") == to_hex(order_id)]

    def numbers(self, kind: str, order_id: bytes) -> list[int]:
        """The numbers that the facts of one kind about an order tell."""
        return [fact.body.integer("number", 2**53) for fact in self.of(kind, order_id)]


async def hear(node: NodeClient, reader: ReaderKey, machine: Ed25519Address) -> Heard:
    """Read the channel of `machine` from a reader's first invitation on, as far as its keys go.

    Raises
    ------
    DemoFailed : there is no invitation
    """
    invitation = await _invitation(node, reader, machine)
    subscription = Subscription(node, invitation, private_key=reader.private, prove_blocks=True)
    facts: list[Told] = []
    blocks: list[bytes] = []
    closed, access = None, invitation.access
    async for event in subscription.history():
        if isinstance(event, Message):
            facts.append(read_fact(event.index, event.body))
            blocks.extend(event.sources)
        elif isinstance(event, Revoked):
            closed = event.index
        access = subscription.bookmark.access
    faults = sum(subscription.counts[name] for name in FAULTS)
    return Heard(facts, blocks, closed, access, faults)


async def _invitation(node: NodeClient, reader: ReaderKey, machine: Ed25519Address) -> Invitation:
    try:
        async with asyncio.timeout(INVITED_S):
            async with aclosing(invitations(NodeLedger(node, "node"), reader, lambda _: None)) as inviting:
                return await anext(one.invitation async for one in inviting if one.machine == machine)
    except TimeoutError:
        raise DemoFailed("the machine has not invited a reader to its channel") from None


async def check_channel(node: NodeClient, case: Case, units: int, paid: int, refunded: int) -> list[Check]:
    """What the channel must be, given what the ledger holds.

    Parameters
    ----------
    units : units that the owner was paid for
    paid, refunded : base units that are in the ledger
    """
    heard = {name: await hear(node, reader, case.machine) for name, reader in case.readers.items()}
    both = [heard["owner"], heard["customer"]]
    sums = [_tally(one, case.order_id) for one in both]
    told = {one.amounts["unit"] for one in sums}, {one.amounts["refund"] for one in sums}
    return [
        _whole(both, case.order_id, units),
        Check(
            "and the payments in it are those of the ledger",
            f"{sums[0].amounts['unit']:,} paid, {sums[0].amounts['refund']:,} refunded",
            told == ({paid}, {refunded}),
        ),
        *[await _shut_out(node, name, one, heard["owner"]) for name, one in heard.items() if name != "owner"],
    ]


def _tally(heard: Heard, order_id: bytes) -> Tally:
    tally = Tally()
    for fact in heard.of(PAYMENT, order_id):
        tally.count(fact)
    return tally


def _whole(both: list[Heard], order_id: bytes, units: int) -> Check:
    kinds = {kind: [one.numbers(kind, order_id) for one in both] for kind in (READING, UNIT, PAYMENT)}
    figures = ", ".join(f"{len(numbers[0])} {kind}s" for kind, numbers in kinds.items())
    whole = (
        all(numbers[0] == numbers[1] for numbers in kinds.values())
        and all(is_count(numbers) for kind in (READING, UNIT) for numbers in kinds[kind])
        and len(kinds[UNIT][0]) == units
        and not any(one.faults for one in both)
    )
    return Check("owner and customer read the whole channel", figures, whole)


async def _shut_out(node: NodeClient, name: str, heard: Heard, owner: Heard) -> Check:
    """That a reader was shut out, and that its last keys open nothing that was written since."""
    if heard.closed is None:
        return Check(f"the {name} was shut out", f"{len(heard.facts)} messages read", holds=False)
    before = [fact.index for fact in heard.facts]
    later = [fact.index for fact in owner.facts if fact.index > heard.closed]
    opened = 0
    for block_id in owner.blocks[len(owner.facts) - len(later) :]:
        payload = (await node.block(block_id)).payload
        assert isinstance(payload, TaggedData)
        opened += _opens(heard.access, payload)
    after = f"{opened} of {len(later)} later ones" if later else "none came later"
    return Check(
        f"the {name}, shut out by message {heard.closed}, reads nothing after it",
        f"{len(before)} messages read, {after}",
        bool(before) and max(before) < heard.closed and opened == 0,
    )


def _opens(access: Access, payload: TaggedData) -> bool:
    try:
        unseal(access, payload.tag, payload.data)
    except Unreadable:
        return False
    return True
