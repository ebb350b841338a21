"""Clients that ask one question again and again, each over a connection of its own: told on stdout what came back.

``python -m tests.bench.askers PORT CLIENTS SECONDS PATH``
"""

import asyncio
import json
import sys
import time
from collections import Counter

ANSWER_S = 60
"""seconds that a client waits for an answer"""


class Connection:
    """A connection that is kept, or made anew when it has ended."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(
        self, method: str, path: str, body: bytes = b"", kind: str = "application/json"
    ) -> tuple[int, bytes]:
        """Status and body of an answer."""
        if self.reader is None or self.writer is None or self.writer.is_closing():
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**24)
        head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        if body:
            head += f"content-type: {kind}\r\ncontent-length: {len(body)}\r\n"
        self.writer.write(head.encode() + b"\r\n" + body)
        await self.writer.drain()
        answer = await self.reader.readuntil(b"\r\n\r\n")
        size = next(
            (
                int(line.partition(b":")[2])
                for line in answer.lower().split(b"\r\n")
                if line.startswith(b"content-le")
            ),
            0,
        )
        return int(answer.split(None, 2)[1]), await self.reader.readexactly(size)

    def close(self) -> None:
        """Leave."""
        if self.writer is not None:
            self.writer.close()
            self.reader = self.writer = None


async def ask(port: int, clients: int, seconds: float, path: str, method: str, body: bytes) -> dict[str, object]:
    """Statuses, and the median time of an answer in milliseconds."""
    end = time.monotonic() + seconds
    statuses: Counter[str] = Counter()
    took: list[float] = []

    async def one() -> None:
        connection = Connection(port)
        while time.monotonic() < end:
            began = time.perf_counter()
            try:
                async with asyncio.timeout(min(ANSWER_S, max(end - time.monotonic(), 0.01))):
                    status, _ = await connection.ask(method, path, body)
            except TimeoutError:
                statuses["left"] += 1
                connection.close()
                continue
            statuses[str(status)] += 1
            took.append(time.perf_counter() - began)
            if status == 503:
                await asyncio.sleep(0.2)
        connection.close()

    await asyncio.gather(*(one() for _ in range(clients)))
    middle = sorted(took)[len(took) // 2] * 1e3 if took else None
    return {"statuses": dict(statuses), "p50_ms": middle}


if __name__ == "__main__":
    given = sys.argv[1:]
    told = ask(int(given[0]), int(given[1]), float(given[2]), given[3], given[4], sys.stdin.buffer.read())
    print(json.dumps(asyncio.run(told)))
