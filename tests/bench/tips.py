"""Tip selection: time of a weighted pair, of keeping weights exact and of confidence, against networkx twins.

The Tangle is grown as in Popov 2018: each block approves two uniform tips seen DELAY blocks before. Medians, with
the middle half of the runs in brackets; seeds are fixed. The twins work on fewer blocks, as each note states.
"""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from tipselect import confidence, reference, walk
from tipselect.compile import compile_kernels
from tipselect.graph import Graph

DELAY = 100
"""blocks issued between a block and its becoming visible; rate times delay"""
SEED = 2018


def run(small: bool) -> list[dict[str, str]]:
    """Return rows of what, ours, rival, ratio, note; `small` takes a window of 4,000 blocks in place of 20,000."""
    compile_kernels()
    window, repeats = (4_000, 50) if small else (20_000, 500)
    graph = reference.grown_graph(np.random.default_rng(SEED), window, delay=DELAY)
    small_graph = reference.grown_graph(np.random.default_rng(SEED), 400 if small else 1_000, delay=DELAY // 4)
    twin = reference.tangle_of(small_graph)
    return [
        pair(graph, twin, repeats),
        upkeep(graph, twin, repeats // 5),
        hits(graph, twin, repeats // 5),
        attach(graph, repeats // 5),
        memory(graph),
    ]


def pair(graph: Graph, twin: reference.Tangle, repeats: int) -> dict[str, str]:
    graph.flush()
    depth = len(graph) // 10
    rngs = [np.random.default_rng(i) for i in range(repeats)]
    ours = sample(lambda i: walk.select(graph, 2, rngs[i], entry_depth=depth), repeats)
    weights = reference.weights(twin)
    entries = reference.entry_points(twin, weights, len(twin) // 10)
    rival = sample(
        lambda i: reference.race(
            twin, weights, entries, i, k=2, walkers=8, rounds=1, alpha=walk.ALPHA, fast_ratio=walk.FAST_RATIO
        ),
        5,
    )
    note = (
        f"window {len(graph):,}, entry {depth:,} to {2 * depth:,} back; twin: window {len(twin):,}, weights given"
    )
    return row("weighted tip pair", (ours, 1), (rival, 1), note)


def upkeep(graph: Graph, twin: reference.Tangle, repeats: int) -> dict[str, str]:
    rng = np.random.default_rng(SEED)
    ours = []
    for _ in range(repeats):
        graph.extend(*batch(graph, rng))
        graph.drop_before(graph.low + 64)
        ours.append(timed(graph.flush))
    rival = sample(lambda _: reference.weights(twin), 1)
    note = f"window {len(graph):,}, batches of 64; twin: all recomputed, {len(twin):,} blocks"
    return row("exact weights, per block", (np.array(ours), 64), (rival, len(twin)), note)


def hits(graph: Graph, twin: reference.Tangle, repeats: int) -> dict[str, str]:
    rng = np.random.default_rng(SEED)
    ours = sample(lambda _: confidence.hits(graph, 1_000, rng), repeats)
    ends = rng.choice(reference.tips(twin), 50).tolist()
    rival = sample(lambda _: reference.hits(twin, ends), 1)
    note = f"window {len(graph):,}, n = 1,000 with walks; twin: {len(twin):,} blocks, n = 50, no walks, scaled up"
    return row("confidence of the window", (ours, 1), (rival, 50 * len(twin) / (1_000 * len(graph))), note)


def attach(graph: Graph, repeats: int) -> dict[str, str]:
    rng = np.random.default_rng(SEED)
    ours = []
    for _ in range(repeats):
        ours.append(timed(partial(graph.extend, *batch(graph, rng))))
        graph.drop_before(graph.low + 64)
    return row("attach, per block", (np.array(ours), 64), None, f"window {len(graph):,}, batches of 64")


def memory(graph: Graph) -> dict[str, str]:
    per_block = graph.memory_bytes / len(graph)
    note = f"{len(graph):,} blocks, unused rows included"
    return {
        "what": "memory of the window",
        "ours": f"{per_block:.0f} B/block",
        "rival": "",
        "ratio": "",
        "note": note,
    }


def batch(graph: Graph, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return parents int64[64, 8] and counts int8[64] of 64 blocks that approve two of the present tips each."""
    parents = np.full((64, 8), -1, np.int64)
    tips = graph.tips
    parents[:, :2] = [rng.choice(tips, 2, replace=False) for _ in range(64)]
    return parents, np.full(64, 2, np.int8)


def timed(call: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def sample(call: Callable[[int], object], repeats: int) -> np.ndarray:
    """Return the seconds of call(0), call(1), …"""
    return np.array([timed(partial(call, i)) for i in range(repeats)])


def row(
    what: str, ours: tuple[np.ndarray, float], rival: tuple[np.ndarray, float] | None, note: str
) -> dict[str, str]:
    """Return a table row; each side is its seconds and what to divide them by, to make both comparable."""
    low, middle, high = np.quantile(ours[0] / ours[1] * 1e6, [0.25, 0.5, 0.75])
    cells = {"what": what, "ours": f"{middle:,.2f} µs ({low:,.2f} … {high:,.2f})", "rival": "", "ratio": ""}
    if rival is not None:
        theirs = float(np.median(rival[0])) / rival[1] * 1e6
        cells |= {"rival": f"{theirs:,.0f} µs", "ratio": f"{theirs / middle:,.0f} x"}
    return cells | {"note": note}
