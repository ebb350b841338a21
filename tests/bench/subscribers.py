"""A thousand subscribers of one tag: whether all get everything, what memory they take, what the node loses by it.

The node is `tangle up` on fresh data with a minimum score of 0. Blocks of the tag come at even intervals (open
loop), so that latency counts from when each was due; the rival of every figure is the same node without
subscribers. Some more subscribers read nothing at all. See `tests.bench.listeners` for what is checked.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import posts, processes

LISTENERS, STALLED = 1_000, 20
RATE = 20
"""blocks per second of the tag: a thousand listeners are then sent 20,000 messages a second"""
CATCH_UP_S = 60


@dataclass(frozen=True)
class Served:
    """What one run of posts under subscribers gave."""

    run: posts.Run
    told: dict[str, Any]
    before_bytes: int
    open_bytes: int
    after_bytes: int
    catch_up_s: float


def run(small: bool) -> list[dict[str, str]]:
    """Rows of the table; `small` has 50 subscribers and 60 blocks in place of 1,000 and 600."""
    listeners, stalled, count = (50, 5, 60) if small else (LISTENERS, STALLED, 600)
    with tempfile.TemporaryDirectory() as name:
        alone = served(Path(name) / "alone", 0, 0, count)
        many = served(Path(name) / "many", listeners, stalled, count)
    return rows(alone, many, listeners, stalled, count)


def served(data: Path, listeners: int, stalled: int, count: int) -> Served:
    """Post `count` blocks while `listeners` listen and `stalled` more do not read."""
    data.mkdir()
    settings = {"log_level": "warning", "min_pow_score": 0, "event_subscribers_max": listeners + stalled + 1}
    with processes.node(data, **settings) as server:
        before = server.rss_bytes
        with listening(server.port, listeners, stalled) as process:
            opened = server.rss_bytes
            result = posts.measured(server, "binary", count, RATE)
            begun = time.perf_counter()
            # Listeners that have everything are those that a last message of each has reached.
            wait_until_silent(server)
            seconds = time.perf_counter() - begun
            told = ended(process)
            return Served(result, told, before, opened, server.rss_bytes, seconds)


@contextmanager
def listening(port: int, listeners: int, stalled: int) -> Iterator[subprocess.Popen[str]]:
    """Listeners in a process of their own, all connected."""
    program = [sys.executable, "-m", "tests.bench.listeners", str(port), str(listeners), str(stalled)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise RuntimeError("the listeners could not connect")
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What the listeners say at their end."""
    out, _ = process.communicate("\n", timeout=CATCH_UP_S)
    told: dict[str, Any] = json.loads(out)
    return told


def wait_until_silent(server: processes.Server) -> None:
    """Wait until the node does next to nothing for half a second."""
    deadline = time.monotonic() + CATCH_UP_S
    while time.monotonic() < deadline:
        cpu = server.cpu_s
        time.sleep(0.5)
        if server.cpu_s - cpu < 0.1:
            return
    raise RuntimeError("the node does not come to rest")


def rows(alone: Served, many: Served, listeners: int, stalled: int, count: int) -> list[dict[str, str]]:
    """The table."""
    told = many.told
    if (told["fewest"], told["most"], told["wrong"], told["lost"]) != (count, count, 0, 0):
        raise RuntimeError(f"of {count} messages the listeners saw {told}")
    each = (many.open_bytes - many.before_bytes) / (listeners + stalled)
    return [
        {
            "what": f"{listeners:,} subscribers, memory each, KB",
            "ours": f"{each / 1e3:,.0f}",
            "rival": "",
            "ratio": "",
            "note": f"node {many.before_bytes / 1e6:,.0f} MB before, {many.open_bytes / 1e6:,.0f} MB with all "
            f"open, {many.after_bytes / 1e6:,.0f} MB after {count:,} messages to each "
            f"({alone.after_bytes / 1e6:,.0f} MB without subscribers); {stalled} more read nothing",
        },
        posts.latency_row(f"durable POST at {RATE}/s while {listeners:,} listen", [many.run], [alone.run]),
        {
            "what": f"messages delivered to {listeners:,} subscribers",
            "ours": f"{listeners * count:,}",
            "rival": "",
            "ratio": "",
            "note": f"each all {count:,} in order, none twice; node {many.run.server_us / 1e3:,.1f} ms of "
            f"processor time a block, {alone.run.server_us / 1e3:,.1f} ms without subscribers; all was delivered "
            f"{many.catch_up_s:.1f} s after the last answer or earlier",
        },
    ]


if __name__ == "__main__":
    for line in run(small="--small" in sys.argv):
        print(line)
