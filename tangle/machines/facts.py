"""What a machine tells in its channel, and whom: readings, units, payments and states, decided in the journal.

The log of facts is the channel: fact n is message n. A fact is entered in the very transaction that makes it
true, so it is entered once, whatever is killed. The body of message n is a row, its index is the number of the
row and its key follows from the seed, so message n is a pure function of the journal; where the writer stands is
noted by the channel's book in the transaction that signs it (`tangle.client.channels.book`). There is no second
note that could differ: after a crash the row whose number is the book's position comes next. Should the book be
lost, everything is signed again with the same bytes, and readers see repetitions.

Side keys change with facts, too. A reader is admitted for a reason, the order it paid for or the owner's word, and
shut out when the last reason is gone. Its invitation opens what follows the rekey message, and is known the moment
that is entered.

The channel's seed comes from the machine's key and a salt of the journal. With another journal the machine begins
another channel, rather than signing the first indexes of the old one once more. Invitations tell when the journal
was begun, and readers turn to the channel that was begun last.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from tangle.machines.messages import seal
from tangle.machines.terms import reader_tag
from tangle.mam import ArgumentInvalid, Channel, Mode, Position
from tangle.parties import book
from tangle.parties.errors import MessageRefused
from tangle.protocol.keys import KeyPair
from tangle.protocol.serial import blake2b_256, to_hex

READING, UNIT, PAYMENT, STATE = "reading", "unit", "payment", "state"
"""kinds of facts"""
UNORDERED = "unordered"
"""kind of the fact that tells of money nobody ordered with"""
GRANT, REVOKE = "grant", "revoke"
"""kinds of facts that change the side key, and of the owner's instructions"""
SEND_ON = "send_on"
"""kind of the owner's instruction to send money without an order back or on"""
OWNER, AUDITOR = "owner", "auditor"
"""reasons to read, beside the id of an order as hexadecimal"""
INVITATION = "invitation"
"""kind of the message that brings an invitation"""
_SEED_DOMAIN = b"pay-on-production/1 channel\n"


@dataclass(frozen=True, slots=True)
class Fact:
    """One message of the channel: JSON, or a new side key.

    Attributes
    ----------
    index : of the message
    body : JSON of what is told; for a new side key the X25519 public key that is admitted or shut out
    """

    index: int
    kind: str
    body: bytes


def channel_of(key: KeyPair, salt: bytes, network: int, version: int) -> Channel:
    """The channel of a machine's key and its journal's salt, on one network."""
    seed = blake2b_256(_SEED_DOMAIN + key.seed + salt)
    return Channel(seed, Mode.RESTRICTED, network=network, version=version)


def check_reader(public_key: bytes) -> None:
    """Raise MessageRefused unless something can be sealed for this X25519 public key."""
    try:
        Channel(bytes(32), Mode.RESTRICTED, height=0).invite(public_key, Position())
    except ArgumentInvalid as error:
        raise MessageRefused(f"no key of a reader: {error}") from None


def facts_from(connection: Connection, index: int, limit: int) -> list[Fact]:
    """Facts from a message on, in order."""
    query = "SELECT number, kind, body FROM facts WHERE number >= ? ORDER BY number LIMIT ?"
    return [Fact(*row) for row in connection.execute(query, (index, limit))]


def fact_count(connection: Connection) -> int:
    """How many facts there are; the next one has this number."""
    last: int | None = connection.execute("SELECT max(number) FROM facts").fetchone()[0]
    return 0 if last is None else last + 1


@dataclass(frozen=True, slots=True)
class Log:
    """The facts of one machine, over an open transaction of its journal."""

    connection: Connection
    key: KeyPair
    channel: Channel

    def tell(self, kind: str, body: dict[str, Any]) -> None:
        """Enter a fact."""
        text = json.dumps({"kind": kind, **body}, separators=(",", ":"), allow_nan=False)
        self._enter(kind, text.encode())

    def admit(self, public_key: bytes, reason: str) -> None:
        """Let a reader read from here on, for a reason, and invite it; once per reason."""
        row = (public_key, reason)
        if not self.connection.execute("INSERT OR IGNORE INTO readers VALUES (?, ?)", row).rowcount:
            return
        index = self._enter(GRANT, public_key)
        # Sealed for the place right behind the new side key, where the book stands once it has signed the fact.
        box = self.channel.invite(public_key, Position(index + 1, index))
        body = {"kind": INVITATION, "reader": to_hex(public_key), "invitation": to_hex(box)}
        data = seal({**body, "begun": book.begun_ms(self.connection)}, self.key)
        book.enqueue(self.connection, reader_tag(public_key), data)

    def dismiss(self, reason: str, public_key: bytes | None = None) -> None:
        """Take a reason away, from all who have it or from one; who has no other one reads no further."""
        for one in self._readers(reason) if public_key is None else [public_key]:
            gone = "DELETE FROM readers WHERE public_key = ? AND reason = ?"
            others = "SELECT 1 FROM readers WHERE public_key = ?"
            if not self.connection.execute(gone, (one, reason)).rowcount:
                continue
            if not self.connection.execute(others, (one,)).fetchone():
                self._enter(REVOKE, one)

    def instruct(self, kind: str, public_key: bytes, number: int) -> None:
        """Do what the owner asks, to admit an auditor or to shut it out, if it has not asked for something later.

        Anybody can post an old instruction again, the auditor that was shut out above all; so only one with a
        higher number than those before for the same reader counts.
        """
        check_reader(public_key)
        if not self.is_new(public_key, number):
            return
        if kind == GRANT:
            self.admit(public_key, AUDITOR)
        else:
            self.dismiss(AUDITOR, public_key)

    def is_new(self, about: bytes, number: int) -> bool:
        """Whether an instruction comes after all earlier ones about the same; it is one of those from then on."""
        mine = "SELECT number FROM instructions WHERE public_key = ?"
        latest = self.connection.execute(mine, (about,)).fetchone()
        if latest is not None and number <= latest[0]:
            return False
        self.connection.execute("INSERT OR REPLACE INTO instructions VALUES (?, ?)", (about, number))
        return True

    def name_owner(self, public_key: bytes) -> None:
        """Make this key the owner's, and shut the one before it out."""
        known = self._readers(OWNER)
        self.admit(public_key, OWNER)
        for one in known:
            if one != public_key:
                self.dismiss(OWNER, one)

    def _readers(self, reason: str) -> list[bytes]:
        rows = self.connection.execute("SELECT public_key FROM readers WHERE reason = ?", (reason,))
        return [public_key for (public_key,) in rows]

    def _enter(self, kind: str, body: bytes) -> int:
        number = fact_count(self.connection)
        self.connection.execute("INSERT INTO facts VALUES (?, ?, ?)", (number, kind, body))
        return number
