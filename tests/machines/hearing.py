"""What a reader gets out of a channel whose messages lie in a ledger of tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tangle.machines.follow import ReaderKey, Told, read_fact
from tangle.machines.messages import unseal
from tangle.machines.terms import reader_tag
from tangle.mam import Fork, Invitation, Message, Reader, Rejected, Repeated, Revoked, opener
from tangle.parties.errors import MessageRefused
from tangle.protocol.addresses import Ed25519Address
from tests.machines.tables import MACHINE, TableLedger


@dataclass
class Heard:
    """What was told from one invitation on; `closed` is the index of the message that shut the reader out."""

    start: int
    facts: list[Told] = field(default_factory=list)
    closed: int | None = None
    counts: Counter[str] = field(default_factory=Counter)
    missing: range | None = None

    def numbers(self, kind: str) -> list[int]:
        """The numbers that the facts of one kind tell, in order."""
        return [fact.body.integer("number", 10**9) for fact in self.facts if fact.kind == kind]

    def states(self) -> list[str]:
        """The states that were told."""
        return [fact.body.text("state") for fact in self.facts if fact.kind == "state"]


def invited(ledger: TableLedger, key: ReaderKey, sender: Ed25519Address = MACHINE.address) -> list[Invitation]:
    """The invitations that `sender` has sent to a reader, each once."""
    found: list[Invitation] = []
    rows = ledger.db.execute("SELECT data FROM messages WHERE tag = ? ORDER BY number", (reader_tag(key.public),))
    for (data,) in rows:
        try:
            message = unseal(data)
        except MessageRefused:
            continue
        if message.sender == sender:
            invitation = Invitation.open(key.private, message.body.data("invitation"))
            found += [invitation] if invitation not in found else []
    return found


def hear(ledger: TableLedger, key: ReaderKey, number: int = 0) -> Heard:
    """Read from the invitation of this number to the end."""
    invitation = invited(ledger, key)[number]
    reader = Reader(invitation.access, invitation.start, opener(key.private))
    heard, given = Heard(invitation.start), set[int]()
    while True:
        query = "SELECT number, tag, data FROM messages WHERE tag IN (?, ?) ORDER BY number"
        addresses = (*reader.addresses, b"", b"")[:2]
        rows = [row for row in ledger.db.execute(query, addresses) if row[0] not in given]
        if not rows:
            break
        given.add(rows[0][0])
        for event in reader.take(rows[0][1], rows[0][2], rows[0][0].to_bytes(32, "big")):
            heard.counts[type(event).__name__] += 1
            if isinstance(event, Message):
                heard.facts.append(read_fact(event.index, event.body))
            elif isinstance(event, Revoked):
                heard.closed = event.index
            assert not isinstance(event, Fork | Rejected), event
    heard.missing = reader.missing
    return heard


def repeated(heard: Heard) -> int:
    """How many parts came more than once, byte for byte."""
    return heard.counts[Repeated.__name__]
