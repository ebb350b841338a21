"""The load generator: sends prepared requests over kept-alive connections and times the answers; run as a program.

A process of its own with nothing to compute, so that it is not what is measured; it reports the processor time it
took as evidence. Without a rate every connection sends its next request when the last one is answered (closed
loop). With one, requests fall due at even intervals whether or not earlier ones are answered, and latency counts
from when a request was due (open loop), so that a stall is seen by all whom it keeps waiting.

Arguments: port, file of requests (see `write_requests`), connections, requests per second (0: closed loop). Prints
one JSON object.
"""

import asyncio
import json
import struct
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_LENGTH = struct.Struct("<I")


def write_requests(path: Path, requests: Iterable[bytes]) -> None:
    """Write whole HTTP requests for the generator to `path`."""
    with path.open("wb") as file:
        for request in requests:
            file.write(_LENGTH.pack(len(request)) + request)


def read_requests(path: Path) -> list[bytes]:
    """The requests in the file at `path`."""
    data, requests, at = path.read_bytes(), [], 0
    while at < len(data):
        (size,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        requests.append(data[at : at + size])
        at += size
    return requests


class Load:
    """Requests that are due, connections that are free, and what came of it."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.due: deque[tuple[bytes, float | None]] = deque()
        self.free: deque[Connection] = deque()
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.first_refusal = ""
        self.done = asyncio.get_running_loop().create_future()

    def pump(self) -> None:
        """Give due requests to free connections."""
        while self.due and self.free:
            self.free.popleft().send(*self.due.popleft())

    def answered(self, connection: "Connection", latency: float, answer: bytes) -> None:
        """Count an answer."""
        status = answer[9:12].decode()
        self.latencies.append(latency)
        self.statuses[status] += 1
        if status != "201" and not self.first_refusal:
            self.first_refusal = answer.decode(errors="replace")
        self.free.append(connection)
        self.pump()
        if len(self.latencies) == self.total and not self.done.done():
            self.done.set_result(None)


class Connection(asyncio.Protocol):
    """One kept-alive connection with one request under way."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.buffer = b""
        self.begun = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.load.free.append(self)

    def send(self, request: bytes, due: float | None) -> None:
        """Send one request; its latency counts from `due`, or from now."""
        self.begun = time.perf_counter() if due is None else due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, blank, body = self.buffer.partition(b"\r\n\r\n")
        if blank and len(body) >= _content_length(head):
            answer, self.buffer = self.buffer, b""
            self.load.answered(self, time.perf_counter() - self.begun, answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.load.done.done():
            self.load.done.set_exception(exc or ConnectionResetError("the server closed a connection"))


def _content_length(head: bytes) -> int:
    lower = head.lower()
    start = lower.index(b"content-length:") + 15
    return int(lower[start:].split(b"\r\n", 1)[0])


async def run(port: int, requests: list[bytes], connections: int, rate: float) -> dict[str, Any]:
    """Send all requests; returns what the module says."""
    loop = asyncio.get_running_loop()
    load = Load(len(requests))
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", port)
    cpu, start = time.process_time(), time.perf_counter()
    if rate:
        await _feed(load, requests, rate)
    else:
        load.due.extend((request, None) for request in requests)
        load.pump()
    await load.done
    seconds = time.perf_counter() - start
    latencies = sorted(load.latencies)
    return {
        "count": len(requests),
        "seconds": seconds,
        "cpu_s": time.process_time() - cpu,
        "p50_ms": latencies[len(latencies) // 2] * 1e3,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1e3,
        "max_ms": latencies[-1] * 1e3,
        "statuses": dict(load.statuses),
        "first_refusal": load.first_refusal,
    }


async def _feed(load: Load, requests: list[bytes], rate: float) -> None:
    start = time.perf_counter()
    for number, request in enumerate(requests):
        due = start + number / rate
        if due > time.perf_counter():
            await asyncio.sleep(due - time.perf_counter())
        load.due.append((request, due))
        load.pump()


def main() -> None:
    """Run as the module says."""
    import uvloop  # noqa: PLC0415

    port, path, connections, rate = sys.argv[1:]
    requests = read_requests(Path(path))
    print(json.dumps(uvloop.run(run(int(port), requests, int(connections), float(rate)))))


if __name__ == "__main__":
    main()
