"""Following a channel: from data in any order, with anything between, to messages in order, each once.

A reader knows one tree, learns the next root from its messages, and moves on when the last index of the tree is
settled. It is told what lies under `addresses` and answers with events. It has no clock: a missing message is
awaited until the caller gives it up (`pass_gap`) or too much waits behind it.

Invariants: messages come in order of index, none twice; whatever anybody puts under an address, the messages of
the writer come out the same; memory is bounded by what waits (32 MiB) and by two trees of identities, 256 at
least.

Source: docs/mam.md, "Reading".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tangle.mam.access import Access
from tangle.mam.boxes import committed
from tangle.mam.errors import Misplaced, SideKeyContradicted, Unreadable, WrittenElsewhere, WrongKey
from tangle.mam.events import Event, Fork, Gap, Message, Rejected, Rekeyed, Repeated, Revoked
from tangle.mam.hashes import HASH_BYTES, VERSIONS
from tangle.mam.message import BODY_BYTES_MAX, MessageKind, Part, join, unseal

WAITING_BYTES_MAX = 2 * BODY_BYTES_MAX
"""bytes of bodies that wait for a missing message before it is given up"""
WAITING_MAX = 4_096
"""messages that wait, likewise"""
FORKS_MAX = 4_096
"""forks remembered so that each is told once; beyond, every block of a further one is told"""
PAST_MESSAGES = 256
"""messages behind the reader in which a fork is still noticed; always the whole tree before"""


@dataclass(slots=True)
class _Waiting:
    """A message of which parts have come."""

    access: Access
    parts: list[Part | None]
    sources: list[bytes]
    identity: bytes
    missing: int

    @classmethod
    def starting(cls, access: Access, part: Part) -> _Waiting:
        return cls(access, [None] * part.parts, [b""] * part.parts, part.identity, part.parts)

    @property
    def present(self) -> list[Part]:
        return [part for part in self.parts if part is not None]

    def add(self, part: Part, source: bytes) -> bool:
        """Whether the part was new."""
        if self.parts[part.part] is not None:
            return False
        self.parts[part.part] = part
        self.sources[part.part] = source
        self.missing -= 1
        return True


@dataclass(frozen=True, slots=True)
class _Settled:
    identity: bytes
    source: bytes


def _no_side_key(_index: int, _body: bytes) -> None:
    return None


class Reader:
    """The state of one reader of one channel.

    Parameters
    ----------
    access : the way into the tree to begin with
    start : index of the first message wanted; by default the first of the tree
    new_side_key : gives the side key that a rekey message (index, body) holds for this reader, None if none;
        `mam.opener(private_key)` for a subscriber
    network : id of the network it reads on: what was written for another one is refused; None asks nothing

    Attributes
    ----------
    version : of the format of the channel, None before its first message; one channel has one
    """

    def __init__(
        self,
        access: Access,
        start: int | None = None,
        new_side_key: Callable[[int, bytes], bytes | None] = _no_side_key,
        network: int | None = None,
    ) -> None:
        self.network = network
        self.version: int | None = None
        self._current: Access | None = access
        self._next: Access | None = None
        self._past: dict[bytes, tuple[Access, int]] = {}
        self._start = start
        self._expected = start
        self._height: int | None = None
        self._new_side_key = new_side_key
        self._waiting: dict[int, _Waiting] = {}
        self._waiting_bytes = 0
        self._settled: dict[int, _Settled] = {}
        self._forks: set[tuple[int, bytes]] = set()
        self.rekeyed_at: int | None = None

    def __repr__(self) -> str:
        return f"Reader(index={self._expected})"

    @property
    def access(self) -> Access | None:
        """The way into the tree of `index`, None once revoked; with `index` enough to go on later."""
        return self._current

    @property
    def index(self) -> int | None:
        """Index of the next message, None while the first has not shown the number of its tree."""
        return self._expected

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """Where new messages can appear, the soonest first: one or two; none once revoked."""
        return tuple(access.address for access in (self._current, self._next) if access is not None)

    @property
    def past_addresses(self) -> tuple[bytes, ...]:
        """Where messages were read before, the latest first; what appears there is a fork or a repetition."""
        return tuple(reversed(self._past))

    @property
    def missing(self) -> range | None:
        """Indexes that are awaited while a later message is whole; None if nothing is known to be missing."""
        whole = [index for index, entry in self._waiting.items() if self._ahead(index) and not entry.missing]
        return range(self._expected, min(whole)) if self._expected is not None and whole else None

    def take(self, address: bytes, data: bytes, source: bytes = b"") -> list[Event]:
        """Read the data of a block that lay under `address`; errors in it come back as events."""
        access = self._access_at(address)
        try:
            if access is None:
                raise WrongKey
            part = unseal(access, address, data)
            return self._take(access, part, source)
        except Unreadable as error:
            return [Rejected(source, error)]

    def pass_gap(self) -> list[Event]:
        """Give up what is missing and go on with what waits behind it; nothing happens if nothing is missing."""
        missing = self.missing
        if missing is None:
            return []
        for index in [index for index in self._waiting if index in missing]:
            self._forget(index)
        events: list[Event] = [Gap(missing.start, missing.stop - 1)]
        return events + self._advance_to(missing.stop) + self._deliver()

    def _access_at(self, address: bytes) -> Access | None:
        for access in (self._current, self._next):
            if access is not None and access.address == address:
                return access
        past = self._past.get(address)
        return None if past is None else past[0]

    def _take(self, access: Access, part: Part, source: bytes) -> list[Event]:
        if self.network is not None and part.network not in {0, self.network}:
            raise WrittenElsewhere(network=part.network)
        if self._height is None:
            self._begin(part)
        self._check_tree(access, part)
        if access is self._current:
            if self._next is None:
                self._next = access.of(part.next_root)
            elif self._next.root != part.next_root:
                raise Misplaced("it names another next root than the messages before it")
        settled = self._settled.get(part.index)
        if settled is not None:
            return self._again(part, settled.identity, settled.source, source)
        assert self._start is not None
        if part.index < self._start:
            return []
        if self._ahead(part.index) and access.address in self._past:
            raise Misplaced("it is masked with a side key that was replaced before")
        return self._gather(access, part, source)

    def _begin(self, part: Part) -> None:
        """The first part shows which messages the tree holds."""
        self._height, self.version = part.height, part.version
        first = part.index >> part.height << part.height
        if self._start is None or self._start >> part.height != part.index >> part.height:
            self._start = self._expected = first

    def _check_tree(self, access: Access, part: Part) -> None:
        """Roots fix height and number of their trees; the writer must have chosen them in a row."""
        assert self._height is not None
        assert self._expected is not None
        number = (self._expected >> self._height) + (access is self._next)
        in_row = access.address in self._past or part.index >> part.height == number
        if part.height != self._height or not in_row:
            raise Misplaced("its tree does not follow the one before")
        if part.version != self.version:
            raise Misplaced("it is of another format than the messages before it")

    def _ahead(self, index: int) -> bool:
        return self._expected is not None and index >= self._expected

    def _again(self, part: Part, identity: bytes, first: bytes, source: bytes) -> list[Event]:
        """What to say of a part whose index is taken."""
        if part.identity == identity:
            return [Repeated(part.index, source)]
        if (part.index, part.identity) in self._forks:
            return []
        if len(self._forks) < FORKS_MAX:
            self._forks.add((part.index, part.identity))
        return [Fork(part.index, first, source)]

    def _gather(self, access: Access, part: Part, source: bytes) -> list[Event]:
        entry = self._waiting.setdefault(part.index, _Waiting.starting(access, part))
        if entry.identity != part.identity:
            return self._again(part, entry.identity, next(filter(None, entry.sources), b""), source)
        if not entry.add(part, source):
            return [Repeated(part.index, source)]
        self._waiting_bytes += len(part.body)
        if self._ahead(part.index):
            return self._deliver() + self._relieve()
        return self._relieve() if entry.missing else self._late(part.index)

    def _deliver(self) -> list[Event]:
        events: list[Event] = []
        while self._expected is not None and self._current is not None:
            entry = self._waiting.get(self._expected)
            if entry is None or entry.missing:
                break
            events += self._settle(self._expected, entry)
        return events

    def _settle(self, index: int, entry: _Waiting) -> list[Event]:
        parts, sources = self._forget(index)
        self._settled[index] = _Settled(entry.identity, sources[0])
        try:
            body = join(parts)
        except Misplaced as error:
            return [*self._advance_to(index + 1), *(Rejected(source, error) for source in sources)]
        if parts[0].kind is MessageKind.DATA:
            return [Message(index, body, sources), *self._advance_to(index + 1)]
        return self._rekey(index, body, sources)

    def _late(self, index: int) -> list[Event]:
        entry = self._waiting[index]
        parts, sources = self._forget(index)
        self._settled[index] = _Settled(entry.identity, sources[0])
        if parts[0].kind is MessageKind.REKEY:
            raise Misplaced("it changes the side key with which later messages were masked")
        return [Message(index, join(parts), sources, late=True)]

    def _rekey(self, index: int, body: bytes, sources: tuple[bytes, ...]) -> list[Event]:
        """Take over the new side key; what waits under the old one contradicts the writer and goes."""
        assert self._current is not None
        current, following = self._current, self._next
        has_commitment = self.version is not None and self.version > VERSIONS[0]
        commitment, boxes = (body[:HASH_BYTES], body[HASH_BYTES:]) if has_commitment else (b"", body)
        side_key = self._new_side_key(index, boxes)
        contradicted = has_commitment and side_key is not None and committed(index, side_key) != commitment
        self._retire()
        if side_key is None or contradicted:
            self._current = self._next = None
            self._expected = index + 1
            told = [Rejected(sources[0], SideKeyContradicted())] if contradicted else []
            return [*told, Revoked(index, sources, commitment), *self._drop_all()]
        self.rekeyed_at = index
        self._current = current.rekeyed(side_key)
        self._next = None if following is None else following.rekeyed(side_key)
        return [Rekeyed(index, sources, commitment), *self._drop_all(), *self._advance_to(index + 1)]

    def _advance_to(self, index: int) -> list[Event]:
        """Expect `index` next, in the next tree if it lies there."""
        assert self._expected is not None
        assert self._height is not None
        crossing = self._expected >> self._height != index >> self._height
        self._expected = index
        if not crossing:
            return []
        self._retire()
        self._current, self._next = self._next, None
        waiting = sorted(self._waiting)
        return self._agree_on_next([i for i in waiting if self._ahead(i)])

    def _agree_on_next(self, indexes: list[int]) -> list[Event]:
        """Take the next root from the first message that waits in the new tree; drop those that name another."""
        events: list[Event] = []
        for index in indexes:
            root = self._waiting[index].present[0].next_root
            if self._next is None and self._current is not None:
                self._next = self._current.of(root)
            elif self._next is not None and self._next.root != root:
                events += self._drop(index, "it names another next root than the messages before it")
        return events

    def _retire(self) -> None:
        """Keep the current access to notice forks, and forget those that lie too far behind."""
        assert self._current is not None
        assert self._expected is not None
        assert self._height is not None
        self._past[self._current.address] = (self._current, self._expected)
        tree = 1 << self._height
        horizon = self._expected - max(PAST_MESSAGES, 2 * tree)
        while self._past[oldest := next(iter(self._past))][1] < horizon:
            del self._past[oldest]
        # A tree that ends behind the horizon may begin before it, and none of its messages may come a second time.
        if len(self._settled) > 2 * (self._expected - horizon):
            self._settled = {index: entry for index, entry in self._settled.items() if index >= horizon - tree}
            self._forks = {fork for fork in self._forks if fork[0] >= horizon - tree}

    def _relieve(self) -> list[Event]:
        """Give up what is missing, or what is furthest ahead, when too much waits."""
        events: list[Event] = []
        while self._waiting_bytes > WAITING_BYTES_MAX or len(self._waiting) > WAITING_MAX:
            events += self.pass_gap() or self._drop(max(self._waiting), "too many messages before it are missing")
        return events

    def _drop_all(self) -> list[Event]:
        reason = "it is masked with a side key that was replaced before"
        return [event for index in sorted(self._waiting) for event in self._drop(index, reason)]

    def _drop(self, index: int, reason: str) -> list[Event]:
        entry = self._waiting[index]
        self._forget(index)
        came = (source for part, source in zip(entry.parts, entry.sources, strict=True) if part is not None)
        return [Rejected(source, Misplaced(reason)) for source in came]

    def _forget(self, index: int) -> tuple[list[Part], tuple[bytes, ...]]:
        entry = self._waiting.pop(index)
        self._waiting_bytes -= sum(len(part.body) for part in entry.present)
        return entry.present, tuple(entry.sources)
