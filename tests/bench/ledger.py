"""Value transactions: durable per second, over HTTP and without it, and the time of a milestone over many of them.

Every transaction consumes one output and creates two, all are valid, and they come from 16 wallets
(`tests.bench.values`). Over HTTP: as `tests.bench.posts`, the transactions signed beforehand, and the run counts
only if milestones have applied every one of them in the end. Without HTTP: one thread that decodes, checks and
attaches, durably, as many per commit as there are connections. A milestone: from the call to its return, all it
settles being on the disk; what it references was attached before.

Rivals: for HTTP the one of `posts`, which checks nothing; without it the same node with a commit for each
transaction; for milestones `tests.bench.naive_ledger`.
"""

import gc
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from tangle.api.app import GC_THRESHOLDS
from tangle.node import Node
from tangle.protocol.blocks import Block, check_block
from tangle.service.founding import open_node
from tangle.service.settings import Settings
from tangle.service.writer import commit
from tangle.store import queries
from tests.bench import naive_ledger, posts, processes
from tests.bench.values import SETTINGS, Funded, attach, funded, grown, join

BATCH = posts.CONNECTIONS
"""transactions per commit without HTTP"""
APPLIED_WITHIN_S = 60
"""seconds after the last answer in which milestones must have applied everything"""

Row = dict[str, str]


def run(small: bool) -> list[Row]:
    """Rows of the table; `small` takes 1,000 transactions once in place of 10,000 several times."""
    count, runs = (1_000, 1) if small else (10_000, 3)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        network = funded(directory / "funded", count)
        rows = over_http(directory, network, runs)
        rows.append(attaching(directory, network, runs))
        for size in sorted({1_000, count}):
            rows.append(applying(directory, network, size, runs))
    return rows


def over_http(directory: Path, network: Funded, runs: int) -> list[Row]:
    """Payments posted to `tangle up`, the rival in turns."""
    count, payloads = len(network.payments), network.written(directory / "payloads")
    ours, theirs, late = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(dir=directory) as fresh:
            data = network.copied(Path(fresh) / "data")
            before = applied(data)
            with processes.node(data, log_level="warning", **SETTINGS) as server:
                ours.append(posts.measured(server, "payloads", count, payloads=payloads))
                late.append(wait_applied(data, before + count))
            with processes.naive(Path(fresh) / "naive.db") as server:
                theirs.append(posts.measured(server, "payloads", count, payloads=payloads))
    rows = posts.load_rows("durable POST, value transactions", ours, theirs)
    rows[0]["note"] += f"; all applied {statistics.median(late):.1f} s after the last answer"
    return rows


def applied(data: Path) -> int:
    """Transactions that milestones have applied, as the database in `data` has it."""
    with closing(sqlite3.connect(f"{(data / 'tangle.db').absolute().as_uri()}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT count(*) FROM transactions").fetchone()[0])


def wait_applied(data: Path, wanted: int) -> float:
    """Seconds until `wanted` transactions are applied."""
    begun = time.perf_counter()
    while (found := applied(data)) != wanted:
        if time.perf_counter() - begun > APPLIED_WITHIN_S:
            raise RuntimeError(f"{found} of {wanted} transactions were applied in {APPLIED_WITHIN_S} s")
        time.sleep(0.05)
    return time.perf_counter() - begun


def attaching(directory: Path, network: Funded, runs: int) -> Row:
    """Payments decoded, checked and attached by one thread; the rival commits each by itself."""
    rates: dict[int, list[float]] = {BATCH: [], 1: []}
    for _ in range(runs):
        for batch, found in rates.items():
            chosen = network.payments[: len(network.payments) if batch > 1 else 1_000]
            with opened(directory, network) as node:
                blocks, _ = grown(node.reading.tips(), chosen, BATCH)
                with as_served():
                    begun = time.perf_counter()
                    take(node, blocks, batch)
                    found.append(len(blocks) / (time.perf_counter() - begun))
    ours, rival = statistics.median(rates[BATCH]), statistics.median(rates[1])
    return {
        "what": "value transactions decoded, checked, attached, /s",
        "ours": f"{ours:,.0f}",
        "rival": f"{rival:,.0f}",
        "ratio": f"{ours / rival:.1f}x",
        "note": f"{min(rates[BATCH]):,.0f} to {max(rates[BATCH]):,.0f} in {runs} runs; one thread, durable, "
        f"{BATCH} a commit; the rival commits each",
    }


def take(node: Node, blocks: Sequence[bytes], batch: int) -> None:
    """What a server does with encoded blocks."""
    for first in range(0, len(blocks), batch):
        decoded = [Block.decode(data) for data in blocks[first : first + batch]]
        for block in decoded:
            check_block(block, node.parameters)
        attach(node, decoded)


def applying(directory: Path, network: Funded, count: int, runs: int) -> Row:
    """A milestone over `count` payments."""
    seconds = []
    for _ in range(runs):
        with opened(directory, network) as node:
            blocks, tips = grown(node.reading.tips(), network.payments[:count], BATCH)
            with as_served():
                take(node, blocks, BATCH)
                join(node, tips)
                begun = time.perf_counter()
                commit(node, partial(node.issue, int(time.time())))
                seconds.append(time.perf_counter() - begun)
            check_applied(node, count)
    naive = naively(directory, network, blocks)
    middle = statistics.median(seconds)
    return {
        "what": f"milestone over {count:,} value transactions, s",
        "ours": f"{middle:.2f}",
        "rival": f"{naive:.2f}",
        "ratio": f"{naive / middle:.0f}x",
        "note": f"{min(seconds):.2f} to {max(seconds):.2f} s in {runs} runs, {middle / count * 1e6:.0f} µs a "
        "transaction; the rival, once, verifies again and commits each",
    }


def check_applied(node: Node, count: int) -> None:
    """Raise unless the newest milestone applied `count` transactions."""
    with node.engine.connect() as connection:
        changes = queries.utxo_changes(connection, node.reading.milestone.index)
    if (len(changes.consumed), len(changes.created)) != (count, 2 * count):
        raise RuntimeError(f"{len(changes.consumed)} outputs were consumed, {count} should have been")


def naively(directory: Path, network: Funded, blocks: Sequence[bytes]) -> float:
    """Seconds that the rival takes for the same blocks."""
    with (
        tempfile.TemporaryDirectory(dir=directory) as fresh,
        naive_ledger.Ledger(Path(fresh) / "naive.db") as rival,
    ):
        rival.begin((coin.output_id, coin.output) for coin in network.coins)
        begun = time.perf_counter()
        count = sum(rival.apply(block) for block in blocks)
        seconds = time.perf_counter() - begun
    if count != len(blocks):
        raise RuntimeError(f"the rival applied {count} of {len(blocks)} transactions")
    return seconds


@contextmanager
def opened(directory: Path, network: Funded) -> Iterator[Node]:
    """The node of a copy of `network`."""
    with tempfile.TemporaryDirectory(dir=directory) as fresh:
        here = open_node(Settings.load(data=network.copied(Path(fresh) / "data"), **SETTINGS))
        try:
            here.node.refresh_tips()
            yield here.node
        finally:
            here.close()


@contextmanager
def as_served() -> Iterator[None]:
    """Garbage is looked for as in the server, which has no list of signed payments to look through."""
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


if __name__ == "__main__":
    for line in run(small="--small" in sys.argv):
        print(line)
