"""More posts than a node can take, for a minute: what it refuses, what it keeps, and what others notice.

A process of its own pours blocks into 200 connections, 25 requests deep, and never waits for an answer. The
node has a queue of 2,000 blocks. Meanwhile this process asks for small things, one after the other, and looks at
the node's memory. Then the node is killed: whatever was answered with 201 has to be there after the next start.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from tangle.store import queries
from tangle.store.engine import open_engine
from tests.bench import generator, processes

CONNECTIONS, DEPTH = 200, 25
QUEUE_MAX = 2_000
SECONDS = 60
PATHS = ("/health", "/api/core/v2/info", "/api/core/v2/tips")
PAUSE_S = 0.02


def run(small: bool) -> list[dict[str, str]]:
    """Rows of the table; `small` pours for three seconds."""
    seconds = 3 if small else SECONDS
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        settings = {"log_level": "error", "min_pow_score": 0, "queue_max": QUEUE_MAX}
        with processes.node(data, **settings) as server:
            before = server.rss_bytes
            times, most, told = _meanwhile(server, seconds)
            server.kill()
        kept = _kept(data)
    lost = set(told.acknowledged) - kept
    if lost:
        raise RuntimeError(f"{len(lost)} acknowledged blocks are gone")
    cuts = statistics.quantiles(times, n=100)
    taken, refused = (told.statuses.get(status, 0) for status in ("201", "503"))
    others = {status: count for status, count in told.statuses.items() if status not in {"201", "503"}}
    return [
        _row(
            f"overload for {seconds} s, answers 201 / 503 a second",
            f"{taken / seconds:,.0f} / {refused / seconds:,.0f}",
            f"{CONNECTIONS} connections, {DEPTH} deep; other answers: {others or 'none'}; "
            f"after kill -9 none of {taken:,} acknowledged blocks is gone",
        ),
        _row(
            "small GETs beside it, p50 / p99 ms",
            f"{cuts[49] * 1e3:.0f} / {cuts[98] * 1e3:.0f}",
            f"{len(times):,} of {', '.join(PATHS)}",
        ),
        _row("memory of the node, MB before / at most", f"{before / 1e6:.0f} / {most / 1e6:.0f}", "resident"),
    ]


def _row(what: str, ours: str, note: str) -> dict[str, str]:
    return {"what": what, "ours": ours, "rival": "", "ratio": "", "note": note}


@dataclass(frozen=True)
class Poured:
    """What the pouring process was answered: how often each status, and the ids of what was acknowledged."""

    statuses: dict[str, int]
    acknowledged: list[str]


def _meanwhile(server: processes.Server, seconds: float) -> tuple[list[float], int, Poured]:
    """Seconds that small questions took, most memory, and what the pouring process says."""
    program = [sys.executable, "-m", "tests.bench.overload", str(server.port), str(seconds)]
    times, most = [], 0
    with (
        tempfile.TemporaryFile("w+") as told,
        subprocess.Popen(program, stdout=told) as pouring,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False, timeout=30) as client,
    ):
        while pouring.poll() is None:
            for path in PATHS:
                began = time.perf_counter()
                client.get(path).raise_for_status()
                times.append(time.perf_counter() - began)
            most = max(most, server.rss_bytes)
            time.sleep(PAUSE_S)
        told.seek(0)
        return times, most, Poured(**json.load(told))


def _kept(data: Path) -> set[str]:
    engine = open_engine(f"sqlite:///{data / 'tangle.db'}")
    try:
        with engine.connect() as connection:
            ids, cursor = set[str](), 0
            while page := queries.events(connection, cursor, 10_000):
                ids |= {event.block_id.hex() for event in page if hasattr(event, "block_id")}
                cursor = page[-1].number
            return ids
    finally:
        engine.dispose()


async def pour(port: int, seconds: float) -> Poured:
    """Pour blocks in without end, for so many seconds."""
    statuses: Counter[str] = Counter()
    acknowledged: list[str] = []
    tangle = generator.Tangle()

    async def ask_tips(first: asyncio.Event) -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            while True:
                answer = await client.get(generator.TIPS_PATH)
                if answer.is_success:
                    tangle.tips = [bytes.fromhex(tip[2:]) for tip in answer.json()["tips"]]
                    first.set()
                await asyncio.sleep(generator.TIPS_PAUSE_S)

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < end:
            blocks = [generator.binary_block(tangle.parents(), tangle.data()) for _ in range(DEPTH)]
            writer.writelines(_request(block) for block in blocks)
            for _ in blocks:
                status, body = await _answer(reader)
                statuses[status] += 1
                if status == "201":
                    acknowledged.append(json.loads(body)["blockId"][2:])
        writer.close()

    first = asyncio.Event()
    asking = asyncio.create_task(ask_tips(first))
    await first.wait()
    end = time.monotonic() + seconds
    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    asking.cancel()
    return Poured(dict(statuses), acknowledged)


def _request(block: bytes) -> bytes:
    head = f"POST {generator.PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {generator.BINARY_TYPE}\r\n"
    return f"{head}Content-Length: {len(block)}\r\n\r\n".encode() + block


async def _answer(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.partition("content-length:")[2].partition("\r\n")[0])
    return head.split(" ", 2)[1], await reader.readexactly(length)


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(pour(int(sys.argv[1]), float(sys.argv[2]))))))
