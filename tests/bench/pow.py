"""Hashes per second of the proof-of-work search, ours and iota-sdk's local one in the same run.

Hashes are counted, not estimated. Ours: the nonces tried until a cancelled search stops. iota-sdk with one worker
counts up from nonce 0, so the nonce it finds is the number of hashes it took. With n workers it keeps only the one
that finished, which had counted up from a multiple of (2**64 - 1) // n while its peers did about as much; hashes
are therefore n times that distance. Its time includes asking a minimal local node for parameters and tips and
posting the block; a run with a score of almost nothing measures that overhead, and it is subtracted.
"""

import importlib.util
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tangle.protocol.pow.score import has_score
from tangle.protocol.pow.search import SearchCancelled, compile_kernels, cores, search

UNREACHABLE = 10**30


def run(small: bool) -> list[dict[str, str]]:
    """Rows of the table: one core, all cores, and the check of a single block."""
    compile_kernels()
    runs = 3 if small else 9
    rows = []
    for workers in sorted({1, cores()}):
        ours = [_our_rate(workers, 0.2 if small else 1.0) for _ in range(runs)]
        rows.append(_row(workers, ours, *_rival_rates(workers, runs, 300 if small else 3_000)))
    rows.append(_check_row(200 if small else 20_000))
    return rows


def _row(workers: int, ours: list[float], theirs: list[float], why_not: str) -> dict[str, str]:
    middle = statistics.median(ours)
    row = {
        "what": f"PoW search, {workers} core{'s' if workers > 1 else ''}, hashes/s",
        "ours": _rate(middle),
        "rival": "-",
        "ratio": "-",
        "note": why_not,
    }
    if theirs:
        rival = statistics.median(theirs)
        row |= {
            "rival": _rate(rival),
            "ratio": f"{middle / rival:.1f}x",
            "note": f"iota-sdk local PoW; ours {_spread(ours)}, iota-sdk {_spread(theirs)}, {len(ours)} runs each",
        }
    return row


def _check_row(repeats: int) -> dict[str, str]:
    blocks = [i.to_bytes(8, "little") * 38 for i in range(repeats)]
    took = []
    for _ in range(5):
        start = time.perf_counter()
        for block in blocks:
            has_score(block, 100)
        took.append((time.perf_counter() - start) / repeats * 1e6)
    return {
        "what": "PoW score of one 304-byte block, µs",
        "ours": f"{statistics.median(took):.1f}",
        "rival": "-",
        "ratio": "-",
        "note": f"{min(took):.1f} to {max(took):.1f} in 5 runs of {repeats}",
    }


def _rate(hashes_s: float) -> str:
    return f"{hashes_s / 1e6:.2f} M"


def _spread(rates: list[float]) -> str:
    return f"{_rate(min(rates))} to {_rate(max(rates))}"


def _our_rate(workers: int, seconds: float) -> float:
    cancel = threading.Event()
    timer = threading.Timer(seconds, cancel.set)
    start = time.perf_counter()
    timer.start()
    try:
        search(b"bench", UNREACHABLE, workers=workers, cancel=cancel)
    except SearchCancelled as cancelled:
        return cancelled.tried / (time.perf_counter() - start)
    finally:
        timer.cancel()
    raise AssertionError("an unreachable score was reached")


def _rival_rates(workers: int, runs: int, min_score: int) -> tuple[list[float], str]:
    """Hashes per second of each run, or none and why."""
    if importlib.util.find_spec("iota_sdk") is None:
        return [], "iota-sdk is not installed here"
    overhead = statistics.median(seconds for _, seconds in _rival_blocks(workers, 5, 1))
    counted = _rival_blocks(workers, runs, min_score)
    # Short runs that hit at once measure the overhead's jitter, not hashing.
    rates = [hashes / (seconds - overhead) for hashes, seconds in counted if seconds > 3 * overhead]
    return rates, "" if rates else "every iota-sdk run was too short to tell"


def _rival_blocks(workers: int, runs: int, min_score: int) -> Iterator[tuple[int, float]]:
    """(hashes, seconds) of blocks that iota-sdk builds with local PoW."""
    from iota_sdk import Block, HexStr  # noqa: PLC0415
    from iota_sdk.client.client import Client  # noqa: PLC0415

    part = (2**64 - 1) // workers
    with _node(min_score) as url:
        client = Client(nodes=[url], local_pow=True, pow_worker_count=workers, tips_interval=600)
        for i in range(runs):
            start = time.perf_counter()
            _, block = client.build_and_post_block(tag=HexStr("0x706f77"), data=HexStr(f"0x{i:08x}"))
            seconds = time.perf_counter() - start
            assert isinstance(block, Block)
            yield (int(block.nonce) % part + 1) * workers, seconds


@contextmanager
def _node(min_score: int) -> Iterator[str]:
    program = [sys.executable, str(Path(__file__).with_name("pow_node.py")), str(min_score)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(node.stdout.readline())}"
        finally:
            node.stdin.close()
            node.wait(10)


if __name__ == "__main__":
    for line in run(small="--small" in sys.argv):
        print(line)
