"""The load generator: grows a Tangle over kept-alive connections and times the answers; run as a program.

A process of its own with little to compute, so that it is not what is measured; it reports the processor time it
took as evidence. A block is composed when it is sent: it approves two random tips among the blocks that were
acknowledged to the generator and those that the node itself offers, milestones among them, which one more
connection asks for again and again. The Tangle is therefore what clients would make of it, and walks are as long
as in the field. No proof of work is done: the network asks for a score of 0. Checking the score is the same
computation whatever the network asks for.

Without a rate every connection sends its next block when the last one is answered (closed loop). With one, blocks
fall due at even intervals whether or not earlier ones are answered, and latency counts from when a block was due
(open loop), so that a stall is seen by all whom it keeps waiting.

Arguments: port, kind (binary, json or payloads), number of blocks, connections, blocks per second (0: closed loop)
and, for payloads made beforehand, the file that holds at least so many of them, each behind its uint32 length.
Prints one JSON object.
"""

import asyncio
import hashlib
import json
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PATH = "/api/core/v2/blocks"
TIPS_PATH = "/api/core/v2/tips"
DATA_BYTES = 100
"""of each block, about a sensor reading in JSON"""
SEED = 2018
TIPS_PAUSE_S = 0.05
"""seconds between an answer with the node's tips and the next question"""
_TIPS_REQUEST = f"GET {TIPS_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
_TAG = b"bench"


class Tangle:
    """What the generator knows of the Tangle: the tips among the blocks it was told of."""

    def __init__(self) -> None:
        self.tips: list[bytes] = []
        self.known: set[bytes] = set()
        self.random = random.Random(SEED)

    def parents(self) -> list[bytes]:
        """One or two random tips, sorted."""
        return sorted(self.random.sample(self.tips, min(2, len(self.tips))))

    def data(self) -> bytes:
        """The data of a new block."""
        return self.random.randbytes(DATA_BYTES)

    def offered(self, tips: list[bytes]) -> None:
        """Take tips that the node named."""
        for tip in tips:
            if tip not in self.known:
                self.known.add(tip)
                self.tips.append(tip)

    def acknowledged(self, block_id: bytes, parents: list[bytes]) -> None:
        """A block is part of the Tangle; its parents are no tips any more."""
        for parent in parents:
            if parent in self.tips:
                self.tips.remove(parent)
        self.known.add(block_id)
        self.tips.append(block_id)


def block_of(parents: list[bytes], payload: bytes) -> bytes:
    """A block around an encoded payload, in the binary form (TIP-24), nonce 1."""
    head = bytes([2, len(parents)]) + b"".join(parents)
    return head + len(payload).to_bytes(4, "little") + payload + (1).to_bytes(8, "little")


def binary_block(parents: list[bytes], data: bytes) -> bytes:
    """A data block in the binary form (TIP-23), nonce 1."""
    payload = (5).to_bytes(4, "little") + bytes([len(_TAG)]) + _TAG + len(data).to_bytes(4, "little") + data
    return block_of(parents, payload)


def json_block(parents: list[bytes], data: bytes) -> bytes:
    """The same block in JSON (TIP-25)."""
    named = ",".join(f'"0x{parent.hex()}"' for parent in parents)
    payload = f'{{"type":5,"tag":"0x{_TAG.hex()}","data":"0x{data.hex()}"}}'
    return f'{{"protocolVersion":2,"parents":[{named}],"payload":{payload},"nonce":"1"}}'.encode()


BINARY_TYPE = "application/vnd.iota.serializer-v1"
Encode = Callable[[list[bytes], bytes], bytes]
"""parents and data, or an encoded payload -> block"""
KINDS: dict[str, tuple[str, Encode, Encode]] = {
    "binary": (BINARY_TYPE, binary_block, binary_block),
    "json": ("application/json", json_block, binary_block),
    "payloads": (BINARY_TYPE, block_of, block_of),
}
"""media type, what is sent, and its binary form, whose hash is the block's id"""


def payloads_of(path: Path) -> Iterator[bytes]:
    """The payloads in a file."""
    data, start = path.read_bytes(), 0
    while start < len(data):
        end = start + 4 + int.from_bytes(data[start : start + 4], "little")
        yield data[start + 4 : end]
        start = end


class Connection(asyncio.Protocol):
    """One kept-alive connection with one request under way; `answered` is called with each whole answer."""

    def __init__(self, answered: Callable[[bytes], None], lost: Callable[[Exception], None]) -> None:
        self.answered = answered
        self.lost = lost
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def send(self, request: bytes) -> None:
        """Send one request."""
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, blank, body = self.buffer.partition(b"\r\n\r\n")
        if blank and len(body) >= _content_length(head):
            answer, self.buffer = self.buffer, b""
            self.answered(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost(exc or ConnectionResetError("the server closed a connection"))


class Poster:
    """A connection that posts one block after the other."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.connection = Connection(self.answered, load.fail)
        self.begun = 0.0
        self.parents: list[bytes] = []
        self.block_id = b""

    def post(self, due: float | None) -> None:
        """Post a new block; its latency counts from `due`, or from now."""
        load = self.load
        self.parents = load.tangle.parents()
        data = next(load.payloads) if load.payloads else load.tangle.data()
        media_type, encode, binary_form = KINDS[load.kind]
        body = encode(self.parents, data)
        binary = body if encode is binary_form else binary_form(self.parents, data)
        self.block_id = hashlib.blake2b(binary, digest_size=32).digest()
        load.tangle.known.add(self.block_id)
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.begun = time.perf_counter() if due is None else due
        self.connection.send(head.encode() + body)

    def answered(self, answer: bytes) -> None:
        """Count an answer and take the next block that is due."""
        self.load.latencies.append(time.perf_counter() - self.begun)
        if answer[9:12] == b"201" and self.block_id.hex().encode() in answer:
            self.load.tangle.acknowledged(self.block_id, self.parents)
        self.load.count(self, answer)


class Load:
    """Blocks that are due, connections that are free, and what came of it."""

    def __init__(self, kind: str, total: int, payloads: Iterator[bytes] | None) -> None:
        self.kind = kind
        self.total = total
        self.payloads = payloads
        self.tangle = Tangle()
        self.due: deque[float | None] = deque()
        self.free: deque[Poster] = deque()
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.first_refusal = ""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def pump(self) -> None:
        """Give due blocks to free connections."""
        while self.due and self.free:
            self.free.popleft().post(self.due.popleft())

    def count(self, poster: Poster, answer: bytes) -> None:
        """Count an answer; its connection is free again."""
        status = answer[9:12].decode()
        self.statuses[status] += 1
        if status != "201" and not self.first_refusal:
            self.first_refusal = answer.decode(errors="replace")
        self.free.append(poster)
        self.pump()
        if len(self.latencies) == self.total and not self.done.done():
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        """End the load with an error, unless it has ended."""
        if not self.done.done():
            self.done.set_exception(error)


async def run(
    port: int, kind: str, total: int, connections: int, rate: float, payloads: Path | None = None
) -> dict[str, Any]:
    """Post `total` blocks; returns what the module says."""
    loop = asyncio.get_running_loop()
    load = Load(kind, total, payloads_of(payloads) if payloads else None)
    await _ask_for_tips(port, load)
    posters = [Poster(load) for _ in range(connections)]
    for poster in posters:
        await loop.create_connection(lambda poster=poster: poster.connection, "127.0.0.1", port)  # type: ignore[misc]
    load.free.extend(posters)
    cpu, start = time.process_time(), time.perf_counter()
    if rate:
        await _feed(load, rate)
    else:
        load.due.extend([None] * total)
        load.pump()
    await load.done
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    latencies = sorted(load.latencies)
    return {
        "count": total,
        "seconds": seconds,
        "cpu_s": cpu,
        "p50_ms": latencies[len(latencies) // 2] * 1e3,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1e3,
        "max_ms": latencies[-1] * 1e3,
        "statuses": dict(load.statuses),
        "first_refusal": load.first_refusal,
        "tips": len(load.tangle.tips),
    }


async def _ask_for_tips(port: int, load: Load) -> None:
    """Begin to ask, now and then until the loop ends; returns with the first tips."""
    loop = asyncio.get_running_loop()
    first: asyncio.Future[None] = loop.create_future()

    def take(answer: bytes) -> None:
        named = json.loads(answer.partition(b"\r\n\r\n")[2])["tips"]
        load.tangle.offered([bytes.fromhex(tip[2:]) for tip in named])
        loop.call_later(TIPS_PAUSE_S, connection.send, _TIPS_REQUEST)
        if not first.done():
            first.set_result(None)

    connection = Connection(take, load.fail)
    await loop.create_connection(lambda: connection, "127.0.0.1", port)
    connection.send(_TIPS_REQUEST)
    await first


async def _feed(load: Load, rate: float) -> None:
    start = time.perf_counter()
    for number in range(load.total):
        due = start + number / rate
        if due > time.perf_counter():
            await asyncio.sleep(due - time.perf_counter())
        load.due.append(due)
        load.pump()


def _content_length(head: bytes) -> int:
    lower = head.lower()
    start = lower.index(b"content-length:") + 15
    return int(lower[start:].split(b"\r\n", 1)[0])


def main() -> None:
    """Run as the module says."""
    import uvloop  # noqa: PLC0415

    port, kind, total, connections, rate = sys.argv[1:6]
    payloads = Path(sys.argv[6]) if len(sys.argv) > 6 else None
    print(json.dumps(uvloop.run(run(int(port), kind, int(total), int(connections), float(rate), payloads))))


if __name__ == "__main__":
    main()
