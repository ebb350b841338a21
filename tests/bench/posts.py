"""Durable POSTs of blocks: per second and how long each takes, against one commit per request.

The node is `tangle up` on fresh data, with its default settings save for a minimum score of 0. An answer is 201,
sent once the block's commit was flushed to the disk, while milestones, confidence and tips go on as ever. The load
comes from `tests.bench.generator`, which says what it sends; its share of one core is in the note.
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

from tests.bench import processes

CONNECTIONS = 64
OPEN_LOOP_RATE = 200
"""blocks per second, a moderate load"""
TIMEOUT_S = 300

Serve = Callable[[Path], AbstractContextManager[processes.Server]]


@dataclass(frozen=True)
class Run:
    """What the generator and the processor clocks said of one run.

    Attributes
    ----------
    generator_share : of one core, from 0 to 1
    server_us : processor time of the server by block, both threads
    """

    rate: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    generator_share: float
    server_us: float


def run(small: bool) -> list[dict[str, str]]:
    """Rows of the table; `small` posts 1,500 blocks once in place of 20,000 five times."""
    count, runs = (1_500, 1) if small else (20_000, 5)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for kind in ("binary", "json"):
            rows += load_rows(f"durable POST, {kind}", *turns(directory, runs, kind, count))
        count = OPEN_LOOP_RATE * (2 if small else 20)
        both = turns(directory, min(runs, 3), "binary", count, OPEN_LOOP_RATE)
        rows.append(latency_row(f"durable POST, binary, {OPEN_LOOP_RATE}/s open loop", *both))
    return rows


def turns(directory: Path, runs: int, kind: str, count: int, rate: float = 0) -> tuple[list[Run], list[Run]]:
    """Runs of the node and of the rival, in turns, so that both meet the same weather on a shared machine."""
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(one(directory, _node, kind, count, rate))
        theirs.append(one(directory, _naive, kind, count, rate))
    return ours, theirs


def one(directory: Path, serve: Serve, kind: str, count: int, rate: float = 0) -> Run:
    """Post `count` blocks to a fresh server."""
    with tempfile.TemporaryDirectory(dir=directory) as fresh, serve(Path(fresh)) as server:
        return measured(server, kind, count, rate)


def measured(
    server: processes.Server, kind: str, count: int, rate: float = 0, payloads: Path | None = None
) -> Run:
    """Post `count` blocks to `server`; those of kind "payloads" carry what is in the file `payloads`."""
    cpu = server.cpu_s
    result = generate(server.port, kind, count, rate, payloads=payloads)
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
        cpu / result["count"] * 1e6,
    )


def generate(
    port: int,
    kind: str,
    count: int,
    rate: float = 0,
    connections: int = CONNECTIONS,
    payloads: Path | None = None,
) -> dict[str, Any]:
    """Run the generator in a process of its own; returns what it prints."""
    program = [sys.executable, "-m", "tests.bench.generator"]
    arguments = [str(port), kind, str(count), str(connections), str(rate)]
    arguments += [str(payloads)] if payloads else []
    done = subprocess.run(program + arguments, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def load_rows(what: str, ours: Sequence[Run], theirs: Sequence[Run]) -> list[dict[str, str]]:
    """Blocks per second and latency under as much load as the connections can make."""
    rates = [run.rate for run in ours]
    middle, rival = statistics.median(rates), statistics.median(run.rate for run in theirs)
    load = statistics.median(run.generator_share for run in ours)
    work = statistics.median(run.server_us for run in ours)
    note = (
        f"{min(rates):,.0f} to {max(rates):,.0f} in {len(ours)} runs; {CONNECTIONS} connections; processor time: "
        f"node {work:.0f} µs a block, generator {load:.0%} of one core"
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


def _node(fresh: Path) -> AbstractContextManager[processes.Server]:
    return processes.node(fresh, log_level="warning", min_pow_score=0)


def _naive(fresh: Path) -> AbstractContextManager[processes.Server]:
    return processes.naive(fresh / "naive.db")


if __name__ == "__main__":
    for line in run(small="--small" in sys.argv):
        print(line)
