"""Reading a machine's channel: the key of a reader, its invitations, and the facts that follow.

A reader shows its X25519 public key, in an order or to the owner, and finds an invitation under a tag of that
key. It follows the channel from there until it is shut out, and from the next invitation again if there is one.
What it reads is the machine's: the invitation is signed with the machine's key and names the root of the channel,
whose messages prove themselves (docs/mam.md).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Self

from tangle.client.channels.errors import AccessRevoked
from tangle.client.channels.subscription import Subscription
from tangle.client.errors import ClientError
from tangle.machines.facts import INVITATION, PAYMENT, READING, UNIT
from tangle.machines.messages import unseal
from tangle.machines.payments import REFUND
from tangle.machines.payments import UNIT as UNIT_PAYMENT
from tangle.machines.terms import INTEGER_MAX, reader_tag
from tangle.mam import Invitation, MamError, public_key_of
from tangle.parties.errors import MessageRefused
from tangle.parties.ledger import NodeLedger, until_there
from tangle.parties.report import Report
from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.errors import ProtocolError
from tangle.protocol.keys import KeyPair
from tangle.protocol.serial import Fields, blake2b_256

LOOK_S = 0.5
"""seconds between two looks for invitations"""
_DOMAIN = b"pay-on-production/1 reader\n"


@dataclass(frozen=True, slots=True)
class ReaderKey:
    """The X25519 pair of a reader.

    Attributes
    ----------
    private : 32 bytes, secret
    public : 32 bytes; what a writer is shown
    """

    private: bytes = field(repr=False)
    public: bytes

    @classmethod
    def of(cls, key: KeyPair) -> Self:
        """The pair of a party: the private half is a hash of its key, so that it need not be kept."""
        private = blake2b_256(_DOMAIN + key.seed)
        return cls(private, public_key_of(private))


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation and the machine that signed it.

    Attributes
    ----------
    begun_ms : when the channel was begun; it tells the channels of one machine apart, and the last one counts
    """

    machine: Ed25519Address
    invitation: Invitation
    begun_ms: int


@dataclass(frozen=True, slots=True)
class Told:
    """A fact as it was read; `index` is that of its message."""

    index: int
    kind: str
    body: Fields


@dataclass
class Tally:
    """What was told, counted.

    Attributes
    ----------
    counts : by kind
    amounts : base units of payments in the ledger, by purpose
    """

    counts: Counter[str] = field(default_factory=Counter)
    amounts: Counter[str] = field(default_factory=Counter)

    def count(self, fact: Told) -> None:
        """Count one fact. Raises ProtocolError for a payment without an amount."""
        self.counts[fact.kind] += 1
        if fact.kind == PAYMENT:
            self.amounts[fact.body.text("purpose")] += fact.body.u64("amount")

    def holds(self, units: int, paid: int, refunded: int) -> bool:
        """Whether each unit was told, and the payments make these sums."""
        sums = (self.amounts[UNIT_PAYMENT], self.amounts[REFUND])
        return self.counts[UNIT] == units and sums == (paid, refunded)

    def to_json(self) -> dict[str, Any]:
        """Counts and sums for a report."""
        counts = {kind + "s": self.counts[kind] for kind in (READING, UNIT, PAYMENT)}
        paid = {"paid": self.amounts[UNIT_PAYMENT], "refunded": self.amounts[REFUND]}
        return {"messages": self.counts.total(), **counts, **paid}


async def invitations(ledger: NodeLedger, reader: ReaderKey, report: Report) -> AsyncGenerator[Invited]:
    """All invitations for a reader, oldest first, for ever; anybody can have sent them."""
    after = 0
    while True:
        found, after = await _new_invitations(ledger, reader, after, report)
        for invited in found:
            yield invited
        if not found:
            await asyncio.sleep(LOOK_S)


async def _new_invitations(
    ledger: NodeLedger, reader: ReaderKey, after: int, report: Report
) -> tuple[list[Invited], int]:
    """All that came after an event number, and the number up to which that is."""
    tag, found = reader_tag(reader.public), []
    here = (await until_there(ledger.parameters, report)).network_id
    while heard := await until_there(lambda: ledger.hear(tag, after), report):  # noqa: B023  awaited at once
        after = heard[-1].number
        found += [invited for one in heard if (invited := _opened(reader, one.data, here))]
    return found, after


def _opened(reader: ReaderKey, data: bytes, network: int) -> Invited | None:
    """The invitation in a message; None for anything else, and for one to a channel of another network."""
    try:
        message = unseal(data)
        if message.kind != INVITATION:
            return None
        invitation = Invitation.open(reader.private, message.body.data("invitation"))
        if invitation.network not in {0, network}:
            return None
        return Invited(message.sender, invitation, message.body.integer("begun", INTEGER_MAX))
    except (MessageRefused, ProtocolError, MamError):
        return None


async def facts(
    ledger: NodeLedger, reader: ReaderKey, machine: Ed25519Address, report: Report
) -> AsyncGenerator[Told]:
    """What a machine tells a reader, for ever: from an invitation until it is shut out, and from the next one on.

    Reports ``shut_out`` with the index of the message behind which the channel is closed.
    """
    there, _ = await _new_invitations(ledger, reader, 0, report)
    newest, reached = max((one.begun_ms for one in there if one.machine == machine), default=0), -1
    async with aclosing(invitations(ledger, reader, report)) as inviting:
        async for invited in inviting:
            if invited.machine != machine or invited.begun_ms < newest:
                continue
            if invited.begun_ms == newest and invited.invitation.start <= reached:
                continue
            newest = invited.begun_ms
            subscription = Subscription(
                ledger.node,
                invited.invitation,
                private_key=reader.private,
                give_up_after=None,
                on_break=lambda error: _tell_break(report, error),
            )
            try:
                async for message in subscription:
                    reached = message.index
                    yield read_fact(message.index, message.body)
            except AccessRevoked as revoked:
                reached = revoked.index
                report({"event": "shut_out", "index": revoked.index})


def read_fact(index: int, body: bytes) -> Told:
    """A fact from the body of a message. Raises MessageRefused."""
    try:
        fields = Fields(json.loads(body))
        return Told(index, fields.text("kind"), fields)
    except (ValueError, RecursionError, ProtocolError) as error:
        raise MessageRefused(f"message {index} of the channel tells no fact: {error}") from None


def _tell_break(report: Report, error: ClientError) -> None:
    report({"event": "node_away", "message": str(error)})
