"""Durable POSTs of blocks: per second and how long each takes, against one commit per request.

The node is `tangle up` with its default settings on fresh data: every answer is 201, sent once the block's commit
was flushed to the disk, while milestones, confidence and tips go on as ever. The load comes from
`tests.bench.generator`; its share of one core is in the note. All runs post the same blocks (`tests.bench.blocks`).
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tangle.protocol.blocks import Block
from tangle.protocol.parameters import ProtocolParameters
from tests.bench import processes
from tests.bench.blocks import prepared
from tests.bench.generator import write_requests

BINARY = "application/vnd.iota.serializer-v1"
JSON = "application/json"
CONNECTIONS = 64
OPEN_LOOP_RATE = 200
"""blocks per second, a moderate load"""
TIMEOUT_S = 300

Serve = Callable[[Path], AbstractContextManager[processes.Server]]


@dataclass(frozen=True)
class Run:
    """What the generator and the server's processor clock said of one run."""

    rate: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    generator_share: float
    server_share: float


def run(small: bool) -> list[dict[str, str]]:
    """Rows of the table; `small` posts 1,500 blocks once in place of 20,000 five times."""
    count, runs = (1_500, 1) if small else (20_000, 5)
    blocks = prepared(count, ProtocolParameters().min_pow_score)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        files = {kind: directory / f"requests-{kind.rpartition('/')[2]}" for kind in (BINARY, JSON)}
        write_requests(files[BINARY], (request(BINARY, block.encoded) for block in blocks))
        write_requests(files[JSON], (request(JSON, orjson.dumps(block.to_json())) for block in blocks))
        moderate = directory / "requests-moderate"
        seconds = 2 if small else 20
        write_requests(moderate, (request(BINARY, block.encoded) for block in blocks[: OPEN_LOOP_RATE * seconds]))
        rows = []
        for label, kind in (("binary", BINARY), ("JSON", JSON)):
            ours = [one(directory, _node, files[kind]) for _ in range(runs)]
            theirs = [one(directory, _naive, files[kind]) for _ in range(min(runs, 3))]
            rows += load_rows(f"durable POST, {label}", ours, theirs)
        ours = [one(directory, _node, moderate, OPEN_LOOP_RATE) for _ in range(min(runs, 3))]
        theirs = [one(directory, _naive, moderate, OPEN_LOOP_RATE) for _ in range(min(runs, 3))]
        rows.append(latency_row(f"durable POST, binary, {OPEN_LOOP_RATE}/s open loop", ours, theirs))
    return rows


def request(kind: str, body: bytes) -> bytes:
    """A whole HTTP request that posts `body`."""
    head = (
        "POST /api/core/v2/blocks HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def one(directory: Path, serve: Serve, requests: Path, rate: float = 0) -> Run:
    """Post all `requests` once to a fresh server."""
    with tempfile.TemporaryDirectory(dir=directory) as fresh, serve(Path(fresh)) as server:
        cpu = server.cpu_s
        result = generate(server.port, requests, rate)
        cpu = server.cpu_s - cpu
    if set(result["statuses"]) != {"201"}:
        raise RuntimeError(f"answers were {result['statuses']}, the first refusal {result['first_refusal']}")
    seconds = result["seconds"]
    return Run(
        result["count"] / seconds,
        result["p50_ms"],
        result["p99_ms"],
        result["max_ms"],
        result["cpu_s"] / seconds,
        cpu / seconds,
    )


def generate(port: int, requests: Path, rate: float = 0, connections: int = CONNECTIONS) -> dict[str, Any]:
    """Run the generator in a process of its own; returns what it prints."""
    program = [sys.executable, "-m", "tests.bench.generator"]
    arguments = [str(port), str(requests), str(connections), str(rate)]
    done = subprocess.run(program + arguments, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def load_rows(what: str, ours: Sequence[Run], theirs: Sequence[Run]) -> list[dict[str, str]]:
    """Blocks per second and latency under as much load as the connections can make."""
    rates = [run.rate for run in ours]
    middle, rival = statistics.median(rates), statistics.median(run.rate for run in theirs)
    note = (
        f"{min(rates):,.0f} to {max(rates):,.0f} in {len(ours)} runs; {CONNECTIONS} connections; of one core: "
        f"generator {share(ours, 'generator_share')}, node {share(ours, 'server_share')}; rival: one commit a request"
    )
    return [
        {
            "what": f"{what}, blocks/s",
            "ours": f"{middle:,.0f}",
            "rival": f"{rival:,.0f}",
            "ratio": f"{middle / rival:.1f}x",
            "note": note,
        },
        latency_row(f"{what}, full load", ours, theirs),
    ]


def latency_row(what: str, ours: Sequence[Run], theirs: Sequence[Run]) -> dict[str, str]:
    """Median of the runs' p50 and p99."""
    mine, rival = latency(ours), latency(theirs)
    longest = max(run.max_ms for run in ours)
    return {
        "what": f"{what}, p50 / p99 ms",
        "ours": f"{mine[0]:.1f} / {mine[1]:.1f}",
        "rival": f"{rival[0]:.1f} / {rival[1]:.1f}",
        "ratio": f"{rival[0] / mine[0]:.1f}x / {rival[1] / mine[1]:.1f}x",
        "note": f"longest {longest:.0f} ms in {len(ours)} runs",
    }


def latency(runs: Sequence[Run]) -> tuple[float, float]:
    """Medians of p50 and p99, ms."""
    return statistics.median(run.p50_ms for run in runs), statistics.median(run.p99_ms for run in runs)


def share(runs: Sequence[Run], name: str) -> str:
    """Median of a processor share, in percent."""
    return f"{statistics.median(getattr(run, name) for run in runs):.0%}"


def _node(fresh: Path) -> AbstractContextManager[processes.Server]:
    return processes.node(fresh, log_level="warning")


def _naive(fresh: Path) -> AbstractContextManager[processes.Server]:
    return processes.naive(fresh / "naive.db")


if __name__ == "__main__":
    for line in run(small="--small" in sys.argv):
        print(line)
