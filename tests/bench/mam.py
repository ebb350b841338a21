"""Channels: messages of 1 KB per second on one core, their overhead, and the cost of splitting and of junk.

Every figure is of one thread, in rounds that each begin with a fresh channel, so trees are paid for. Medians of
the rounds, slowest and fastest in brackets. Marks: 5,000 messages/s written (created, masked, signed), 8,000/s
read (verified, unmasked), 250 bytes beyond the body at height 0. Rivals: the least one can do with the classes
of PyNaCl, and the JavaScript library that machines in the field carry, in Node.js after a round to warm up.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import starmap
from typing import TypeVar

import nacl.secret
import nacl.signing

from tangle import mam
from tangle.mam import Channel, Message, Mode, Position, Reader, Sealed
from tests import npm
from tests.bench import mam_node

BODY = bytes(n * n % 251 for n in range(1_024))
SEED = bytes(range(32))
ROUNDS = 7
LIBRARY = "@iota/mam.js", "1.6.3"
SCRIPT = """
const { createChannel, createMessage, parseMessage, TrytesHelper } = require("@iota/mam.js");
const [mode, count, size] = process.argv.slice(1);
const sideKey = mode === "restricted" ? "SALT9AND9VINEGAR" : undefined;
const body = TrytesHelper.fromAscii("x".repeat(Number(size)));
const state = createChannel("A".repeat(81), 2, mode, sideKey);
const round = () => {
  const start = process.hrtime.bigint();
  const messages = Array.from({ length: Number(count) }, () => createMessage(state, body));
  const middle = process.hrtime.bigint();
  for (const message of messages) {
    if (parseMessage(message.payload, message.root, sideKey).message !== body) throw new Error("another body");
  }
  const rate = (from, to) => Number(count) / (Number(to - from) / 1e9);
  return [rate(start, middle), rate(middle, process.hrtime.bigint())];
};
round();
const rounds = [round(), round()];
console.log(JSON.stringify({ write: rounds.map((one) => one[0]), read: rounds.map((one) => one[1]) }));
"""
T = TypeVar("T")


@dataclass(frozen=True)
class Rival:
    """Messages per second of another way, if it could be measured, and what it is."""

    write: list[float] | None
    read: list[float] | None
    note: str


def run(small: bool) -> list[dict[str, str]]:
    """Return rows of what, ours, rival, ratio, note; `small` takes 200 messages a round in place of 4,000."""
    count = 200 if small else 4_000
    rows = bare(count)
    for mode in Mode:
        # The library takes more than half a second for a message.
        rival = javascript(mode, 2 if small else 5) if mode is Mode.PRIVATE or not small else None
        rows += write_and_read(mode, 0, count, rival)
    for mode in Mode:
        rows += write_and_read(mode, mam.HEIGHT, count, None)
    return [*rows, split(small), flood(count), overhead(), *mam_node.run(small)]


def write_and_read(mode: Mode, height: int, count: int, rival: Rival | None) -> list[dict[str, str]]:
    wrote, read = [], []
    for _ in range(ROUNDS):
        channel = Channel(SEED, mode, height)
        seconds, messages = timed(partial(written, channel, count))
        wrote.append(count / seconds)
        seconds, events = timed(partial(taken, Reader(channel.access()), messages))
        assert events == count
        read.append(count / seconds)
    name = f"1 KB, {mode.name.lower()}, height {height}"
    note = f"{count:,} messages a round"
    theirs, why = ((rival.write, rival.read), f"; {rival.note}") if rival else ((None, None), "")
    return [
        row(f"write {name}", wrote, theirs[0], f"{note}; created, masked, signed{why}"),
        row(f"read {name}", read, theirs[1], f"{note}; verified, unmasked, put in order{why}"),
    ]


def javascript(mode: Mode, count: int) -> Rival:
    """The library in the field; without it a note says why there is none."""
    try:
        place = npm.installed(*LIBRARY)
    except npm.Unavailable as error:
        return Rival(None, None, f"without the library's figures: {error}")
    told = npm.run(place, SCRIPT, mode.name.lower(), str(count), str(len(BODY)))
    return Rival(told["write"], told["read"], f"{LIBRARY[0]} {LIBRARY[1]}, security 2: {count} messages")


def written(channel: Channel, count: int) -> list[Sealed]:
    position, messages = Position(), []
    for _ in range(count):
        messages.append(channel.write(BODY, position))
        position = messages[-1].following
    return messages


def taken(reader: Reader, messages: Iterable[Sealed]) -> int:
    """Number of messages that a reader delivers of these."""
    events = (event for sealed in messages for event in reader.take(sealed.address, sealed.parts[0], b"id"))
    return sum(isinstance(event, Message) for event in events)


def bare(count: int) -> list[dict[str, str]]:
    """A private channel of height 0 beside the least that PyNaCl can do."""
    wrote, read = naive(count)
    note = "keys by index, sign, mask; unmask, verify: no order, no gaps, no forks"
    rows = write_and_read(Mode.PRIVATE, 0, count, Rival(wrote, read, f"bare PyNaCl: {note}"))
    return [{**one, "what": f"{one['what']}, beside bare PyNaCl"} for one in rows]


def naive(count: int) -> tuple[list[float], list[float]]:
    """Messages per second written and read with the classes of PyNaCl and nothing else."""
    wrote, read = [], []
    for _ in range(ROUNDS):
        seconds, messages = timed(lambda: [naive_write(index) for index in range(count)])
        wrote.append(count / seconds)
        seconds, _ = timed(partial(list, starmap(naive_read, messages)))
        read.append(count / seconds)
    return wrote, read


def naive_key(index: int) -> nacl.signing.SigningKey:
    return nacl.signing.SigningKey(blake2b(SEED + index.to_bytes(8, "little"), digest_size=32).digest())


def naive_write(index: int) -> tuple[bytes, bytes]:
    key, following = naive_key(index), naive_key(index + 1)
    root = blake2b(bytes(key.verify_key), digest_size=32).digest()
    next_root = blake2b(bytes(following.verify_key), digest_size=32).digest()
    content = key.sign(index.to_bytes(8, "little") + bytes(key.verify_key) + next_root + BODY)
    return root, nacl.secret.Aead(blake2b(root, digest_size=32).digest()).encrypt(content)


def naive_read(root: bytes, data: bytes) -> bytes:
    signed = nacl.secret.Aead(blake2b(root, digest_size=32).digest()).decrypt(data)
    key = signed[72:104]
    assert blake2b(key, digest_size=32).digest() == root
    return nacl.signing.VerifyKey(key).verify(signed)[72:]


def split(small: bool) -> dict[str, str]:
    """Megabytes per second of a body of 1 MB, written and read."""
    body, channel = bytes(1_000_000), Channel(SEED, Mode.PRIVATE, 0)

    def there_and_back() -> None:
        sealed, reader = channel.write(body, Position()), Reader(channel.access())
        events = [event for data in sealed.parts for event in reader.take(sealed.address, data)]
        assert len(events) == 1

    rates = [1 / timed(there_and_back)[0] for _ in range(3 if small else 20)]
    return row("write and read a body of 1 MB", rates, None, "split into 32 parts and joined again", " MB/s")


def flood(count: int) -> dict[str, str]:
    """Blocks of junk per second that a reader passes over."""
    reader, junk = Reader(Channel(SEED, Mode.PRIVATE, 0).access()), b"\2" + BODY

    def passed_over() -> int:
        return sum(len(reader.take(reader.addresses[0], junk)) for _ in range(count))

    rates = [count / timed(passed_over)[0] for _ in range(ROUNDS)]
    return row(
        "pass over 1 KB of junk", rates, None, "shaped like a message, under the right address", " blocks/s"
    )


def overhead() -> dict[str, str]:
    sealed = Channel(SEED, Mode.RESTRICTED, 0).write(BODY, Position())
    size = len(sealed.parts[0]) + len(sealed.address) - len(BODY)
    note = "the 32 bytes of the address counted; 32 more per unit of height"
    return {"what": "bytes beyond the body", "ours": f"{size} B", "rival": "", "ratio": "", "note": note}


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """Seconds and result of a call."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def row(what: str, ours: list[float], rival: list[float] | None, note: str, unit: str = "/s") -> dict[str, str]:
    """A table row of rates."""
    middle = statistics.median(ours)
    cells = {"what": what, "ours": f"{middle:,.0f}{unit} ({min(ours):,.0f} … {max(ours):,.0f})"}
    theirs = None if rival is None else statistics.median(rival)
    cells["rival"] = "" if theirs is None else f"{shown(theirs)}{unit}"
    cells["ratio"] = "" if theirs is None else f"{shown(middle / theirs)} x"
    return cells | {"note": note}


def shown(value: float) -> str:
    """A figure with a decimal place where it matters."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
