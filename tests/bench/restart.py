"""Starting again on a long history: seconds until ready, and memory per block in the window.

A history of plain data blocks is attached with milestones in between, once such that all of it is still in the
window, once such that most of it has left. Then `tangle up` runs on it as after any stop, imports, audit and
replay included. What a start on an empty network takes is measured beside it, and subtracted for memory.
"""

import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tangle.node import Node, Receipt
from tangle.protocol.blocks import Block
from tangle.protocol.parameters import ProtocolParameters
from tangle.service.founding import make_network, open_node
from tangle.service.settings import Settings
from tangle.service.writer import commit
from tangle.state.window import reach
from tests.bench import processes
from tests.bench.generator import Tangle, binary_block

BATCH = 100
"""blocks per commit while the history is made, which makes as many tips"""


def run(small: bool) -> list[dict[str, str]]:
    """Rows of the table; `small` takes 5,000 blocks in place of 100,000."""
    total, runs = (5_000, 1) if small else (100_000, 5)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        empty, whole, moved = directory / "empty", directory / "whole", directory / "moved"
        grow(empty, 0, 1)
        milestone_s, inside = grow(whole, total, total // 25)
        _, left = grow(moved, total, total // 200)
        starts = {data: [start(data) for _ in range(runs)] for data in (empty, whole, moved)}
    base = statistics.median(rss for _, rss in starts[empty])
    return [
        start_row("start of a new network, s", starts[empty], "mostly imports"),
        start_row(f"restart, {total:,} blocks, s", starts[whole], f"{inside:,} of them in the window"),
        start_row(f"restart, {total:,} blocks, window moved on, s", starts[moved], f"{left:,} in the window"),
        memory_row(f"memory per block, {inside:,} in the window, B", starts[whole], base, inside),
        memory_row(f"memory per block, {left:,} in the window, B", starts[moved], base, left),
        milestone_row(milestone_s, total // 25),
    ]


def grow(data: Path, total: int, every: int) -> tuple[list[float], int]:
    """Make a network in `data` and attach `total` blocks, a milestone after `every` of them.

    Returns
    -------
    seconds of each milestone, and blocks in the window at the end
    """
    settings = Settings.load(data=data, min_pow_score=0)
    make_network(settings)
    opened = open_node(settings)
    seconds = []
    try:
        node, tangle = opened.node, Tangle()
        now = node.reading.milestone.timestamp
        for first in range(0, total, every):
            tangle.offered(node.reading.tips())
            for number in range(first, first + every, BATCH):
                attach(node, tangle, min(BATCH, first + every - number))
            now += 1
            begun = time.perf_counter()
            commit(node, partial(node.issue, now))
            seconds.append(time.perf_counter() - begun)
            node.refresh_tips()
        return seconds, node.reading.window_count
    finally:
        opened.close()


def attach(node: Node, tangle: Tangle, count: int) -> None:
    """Attach `count` blocks in one commit, each on two random tips."""
    blocks = [Block.decode(binary_block(tangle.parents(), tangle.data())) for _ in range(count)]
    for answer in commit(node, partial(node.attach, blocks)).answers:
        if not isinstance(answer, Receipt):
            raise answer
    for block in blocks:
        tangle.acknowledged(block.id, list(block.parents))


def start(data: Path) -> tuple[float, int]:
    """Seconds until `tangle up` on `data` is ready, and its resident memory then."""
    begun = time.perf_counter()
    with processes.node(data, log_level="warning", min_pow_score=0) as server:
        return time.perf_counter() - begun, server.rss_bytes


def start_row(what: str, starts: list[tuple[float, int]], note: str) -> dict[str, str]:
    """Median and spread of the seconds."""
    seconds = [seconds for seconds, _ in starts]
    spread = f"{min(seconds):.1f} to {max(seconds):.1f} s in {len(seconds)} runs"
    return {
        "what": what,
        "ours": f"{statistics.median(seconds):.1f}",
        "rival": "",
        "ratio": "",
        "note": f"{note}; {spread}",
    }


def memory_row(what: str, starts: list[tuple[float, int]], base: float, blocks: int) -> dict[str, str]:
    """Resident memory above that of an empty network, by block."""
    rss = statistics.median(rss for _, rss in starts)
    return {
        "what": what,
        "ours": f"{max(rss - base, 0) / blocks:,.0f}",
        "rival": "",
        "ratio": "",
        "note": f"{rss / 1e6:,.0f} MB resident after the restart, {base / 1e6:,.0f} MB with an empty network",
    }


def milestone_row(seconds: list[float], blocks: int) -> dict[str, str]:
    """How long issuing a milestone keeps the writer."""
    return {
        "what": f"issue a milestone over {blocks:,} new blocks, ms",
        "ours": f"{statistics.median(seconds) * 1e3:.0f}",
        "rival": "",
        "ratio": "",
        "note": f"{min(seconds) * 1e3:.0f} to {max(seconds) * 1e3:.0f} ms; "
        f"the window keeps {reach(ProtocolParameters().below_max_depth)} milestones",
    }


if __name__ == "__main__":
    for line in run(small="--small" in sys.argv):
        print(line)
