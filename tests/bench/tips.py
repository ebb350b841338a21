"""Tip selection: time of a weighted pair, of keeping weights exact and of confidence, against networkx twins.

The Tangle is grown as Popov 2018 has it: each block approves two uniform tips seen DELAY blocks before. Medians with
the middle half of the runs; seeds are fixed. The twins work on fewer blocks, which each note states; times per block
are compared there.
"""

import time
from collections.abc import Callable

import numpy as np

from tipselect import confidence, reference, uniform, walk
from tipselect.compile import compile_kernels
from tipselect.graph import Graph

DELAY = 100
"""blocks issued between a block and its becoming visible; rate times delay"""
SEED = 2018


def run(small: bool) -> list[dict[str, str]]:
    """Return rows of what, ours, rival, ratio, note; `small` takes a window of 4,000 blocks in place of 20,000."""
    compile_kernels()
    window, repeats = (4_000, 50) if small else (20_000, 500)
    rng = np.random.default_rng(SEED)
    graph = reference.grown_graph(rng, window, delay=DELAY)
    twin_graph = reference.grown_graph(rng, 400 if small else 1_000, delay=DELAY // 4)
    twin = reference.tangle_of(twin_graph)
    twin_weights, twin_weights_s = timed(lambda: reference.weights(twin))
    entry_depth = window // 10
    where = f"window {window:,} blocks"
    return [
        pair(graph, twin, twin_weights, entry_depth, repeats, where),
        upkeep(graph, rng, twin_weights_s, len(twin), repeats // 5, where),
        hits(graph, rng, twin, len(twin), repeats // 5, where),
        attach(graph, window, repeats // 5),
        memory(graph),
    ]


def pair(
    graph: Graph, twin: reference.Tangle, weights: dict[int, int], depth: int, repeats: int, where: str
) -> dict[str, str]:
    graph.flush()
    rngs = [np.random.default_rng(i) for i in range(repeats)]
    ours = sample(lambda i: walk.select(graph, 2, rngs[i], entry_depth=depth), repeats)
    entries = reference.entry_points(twin, weights, len(twin) // 10)
    rival = sample(
        lambda i: reference.race(
            twin, weights, entries, i, k=2, walkers=8, rounds=1, alpha=walk.ALPHA, fast_ratio=walk.FAST_RATIO
        ),
        5,
    )
    note = f"{where}, entry {depth:,} to {2 * depth:,} back; twin: window {len(twin):,}, weights given"
    return row("weighted tip pair", ours, rival, 1, 1, note)


def upkeep(
    graph: Graph, rng: np.random.Generator, twin_s: float, twin_blocks: int, repeats: int, where: str
) -> dict[str, str]:
    ours = []
    for _ in range(repeats):
        graph.extend(*batch(graph, rng))
        graph.drop_before(graph.low + 64)
        ours.append(timed(graph.flush)[1])
    note = f"{where}, batches of 64; twin: recomputed for {twin_blocks:,} blocks"
    return row("exact weights, per block", np.array(ours), np.array([twin_s]), 64, twin_blocks, note)


def hits(
    graph: Graph, rng: np.random.Generator, twin: reference.Tangle, twin_blocks: int, repeats: int, where: str
) -> dict[str, str]:
    ours = sample(lambda _: confidence.hits(graph, 1_000, rng), repeats)
    ends = rng.choice(reference.tips(twin), 50).tolist()
    rival = sample(lambda _: reference.hits(twin, ends), 1)
    note = f"{where}, n = 1,000 with walks; twin: {twin_blocks:,} blocks, n = 50 without walks, scaled to both"
    return row("confidence of the whole window", ours, rival, 1, 50 * twin_blocks / (1_000 * len(graph)), note)


def attach(graph: Graph, window: int, repeats: int) -> dict[str, str]:
    rng = np.random.default_rng(SEED)
    ours = []
    for _ in range(repeats):
        parents, counts = batch(graph, rng)
        ours.append(timed(lambda p=parents, c=counts: graph.extend(p, c))[1])
        graph.drop_before(graph.high - window)
    return row("attach, per block", np.array(ours), None, 64, 1, "batches of 64, window arrays moved now and then")


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
