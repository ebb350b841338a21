"""Tip selection in Tangles of three sizes: pairs, exact weights, confidence, attaching, memory; with rivals.

Each Tangle is grown in waves: BATCH blocks at a time approve two uniform tips of those seen by then (the growth of
Popov 2018, section 3, with a delay of a wave), while the window moves along. Only the window is in memory, so what
is measured should not depend on how many blocks there ever were: the table shows that it does not.

Medians, with the middle half of the runs in brackets; seeds are fixed; the sizes take turns, run by run, so that
other work on the machine meets all of them. Rivals, in the same run: the networkx twins, on fewer blocks where the
note says so, and the way of the well-known Python simulators, which walk the whole past cone of each new block in
a networkx graph and add one everywhere.
"""

import time
from collections.abc import Callable
from functools import partial

import networkx as nx
import numpy as np

from tangle.tipselect import confidence, exact, reference, selectors, walk
from tangle.tipselect.compile import compile_kernels
from tangle.tipselect.graph import Graph

BATCH = 64
"""blocks attached at a time"""
WALKS = 1_000
"""per confidence"""
SEED = 2018

Row = dict[str, str]
Batch = tuple[np.ndarray, np.ndarray]


def run(small: bool) -> list[Row]:
    """Return rows of what, ours, rival, ratio, note; `small` takes much smaller Tangles and a window of 4,000."""
    compile_kernels()
    window, sizes = (4_000, (2_000, 10_000)) if small else (20_000, (10_000, 100_000, 1_000_000))
    repeats = 30 if small else 500
    graphs = {size: grown(size, window) for size in sizes}
    twin = reference.tangle_of(grown(400 if small else 1_000, 1_000))
    return [
        *pairs(graphs, twin, repeats),
        *others(graphs[sizes[-1]], repeats),
        *weights(graphs, twin, repeats),
        *hard_weights(window, repeats // 5),
        *hits(graphs, twin, repeats // 5),
        *attach(graphs, repeats),
        *memory(graphs),
    ]


def pairs(graphs: dict[int, Graph], twin: reference.Tangle, repeats: int) -> list[Row]:
    """A weighted pair, default settings, where no walker starts deeper than the window allows."""
    for graph in graphs.values():
        graph.flush()
    seconds = in_turns(graphs, lambda graph, i: partial(walk.select, graph, 2, np.random.default_rng(i)), repeats)
    weight = reference.weights(twin)
    entries = reference.entry_points(twin, weight, len(twin) // 10)
    rival = sample(
        lambda i: reference.race(
            twin, weight, entries, i, k=2, walkers=8, rounds=1, alpha=walk.ALPHA, fast_ratio=walk.FAST_RATIO
        ),
        5,
    )
    rows = []
    for size, graph in graphs.items():
        note = f"window {len(graph):,}; twin: window {len(twin):,}, weights given"
        rows.append(row("weighted tip pair", size, (seconds[size], 1), (rival, 1), note))
    first, last = min(graphs), max(graphs)
    ratio = np.median(seconds[last]) / np.median(seconds[first])
    note = f"{last:,} blocks against {first:,}, medians of {repeats} pairs each, in turns"
    rows.append(
        {"what": "weighted tip pair, growth", "ours": f"{ratio:.2f} x", "rival": "", "ratio": "", "note": note}
    )
    return rows


def others(graph: Graph, repeats: int) -> list[Row]:
    """A pair by each of the other selectors."""
    rows = []
    for name in selectors.SELECTORS:
        if name != "weighted":
            pair = partial(selectors.named(name), graph, 2, np.random.default_rng(SEED))
            ours = np.array([timed(pair) for _ in range(repeats)])
            rows.append(row(f"{name} tip pair", None, (ours, 1), None, f"window {len(graph):,}"))
    return rows


def weights(graphs: dict[int, Graph], twin: reference.Tangle, repeats: int) -> list[Row]:
    """Keeping weights exact, per block, while blocks come and the window moves."""
    rng = np.random.default_rng(SEED)
    seconds = in_turns(graphs, lambda graph, _: grow(graph, rng), repeats)
    recomputed = sample(lambda _: reference.weights(twin), 1) / len(twin)
    rows = []
    for size, graph in graphs.items():
        classic = np.array([past_cone_per_block(graph, rng)])
        note = f"window {len(graph):,}, batches of {BATCH}; rival: past cone of each block, networkx, same window"
        rows.append(row("exact weights, per block", size, (seconds[size], BATCH), (classic, 1), note))
    note = f"window {len(graph):,}; rival: networkx twin, all recomputed, window {len(twin):,}"
    rows.append(row("exact weights, per block", size, (seconds[size], BATCH), (recomputed, 1), note))
    return rows


def hard_weights(window: int, repeats: int) -> list[Row]:
    """The same in a window ten times as large, and where half of the blocks approve what is old."""
    rng = np.random.default_rng(SEED)
    large = grown(10 * window, 10 * window)
    ours = np.array([timed(grow(large, rng)) for _ in range(repeats)])
    rows = [row("exact weights, per block", 10 * window, (ours, BATCH), None, f"window {len(large):,}")]
    graph = grown(window, window)
    ours = np.array([timed(grow(graph, rng, lazy=True)) for _ in range(repeats)])
    note = f"window {len(graph):,}, half of the blocks on blocks of its older half"
    return [*rows, row("exact weights, lazy flood", None, (ours, BATCH), None, note)]


def hits(graphs: dict[int, Graph], twin: reference.Tangle, repeats: int) -> list[Row]:
    """Confidence of the whole window, walks included."""
    seconds = in_turns(
        graphs, lambda graph, i: partial(confidence.hits, graph, WALKS, np.random.default_rng(i)), repeats
    )
    ends = np.random.default_rng(SEED).choice(reference.tips(twin), 50).tolist()
    rival = sample(lambda _: reference.hits(twin, ends), 1)
    rows = []
    for size, graph in graphs.items():
        note = f"window {len(graph):,}, n = {WALKS:,}; twin: {len(twin):,} blocks, n = 50, no walks, scaled up"
        scale = 50 * len(twin) / (WALKS * len(graph))
        rows.append(row("confidence of the window", size, (seconds[size], 1), (rival, scale), note))
    ours = np.array([timed(partial(exact.confidence, graph)) for _ in range(repeats)])
    note = f"window {len(graph):,}, {graph.tip_count} tips, no sampling"
    return [*rows, row("exact confidence", None, (ours, 1), None, note)]


def attach(graphs: dict[int, Graph], repeats: int) -> list[Row]:
    """Blocks attached to the graph per second, in batches."""
    rng = np.random.default_rng(SEED)
    seconds: dict[int, list[float]] = {size: [] for size in graphs}
    for _ in range(repeats):
        for size, graph in graphs.items():
            seconds[size].append(timed(partial(graph.extend, *batch(graph, rng))))
            graph.drop_before(graph.low + BATCH)
    rows = []
    for size, graph in graphs.items():
        low, middle, high = BATCH / np.quantile(seconds[size], [0.75, 0.5, 0.25])
        cell = f"{middle:,.0f} ({low:,.0f} … {high:,.0f})"
        note = f"window {len(graph):,}, batches of {BATCH}, graph only"
        what = f"attach, blocks/s, {size:,} blocks"
        rows.append({"what": what, "ours": cell, "rival": "", "ratio": "", "note": note})
    return rows


def memory(graphs: dict[int, Graph]) -> list[Row]:
    """Bytes per block of the window."""
    return [
        {
            "what": f"memory of the window, {size:,} blocks",
            "ours": f"{graph.memory_bytes / len(graph):.0f} B/block",
            "rival": "",
            "ratio": "",
            "note": f"{len(graph):,} blocks, unused rows included, ids not",
        }
        for size, graph in graphs.items()
    ]


# --- growth -------------------------------------------------------------------------------------------------


def grown(size: int, window: int) -> Graph:
    """Grow a Tangle of `size` blocks, the newest `window` of which are kept."""
    rng = np.random.default_rng(SEED)
    graph = Graph()
    graph.append([])
    while graph.high < size:
        graph.extend(*batch(graph, rng))
        graph.drop_before(graph.high - window)
        graph.flush()
    return graph


def batch(graph: Graph, rng: np.random.Generator, *, lazy: bool = False) -> Batch:
    """Return parents int64[BATCH, 8] and counts int8[BATCH] of blocks that approve two of the present tips each.

    lazy : every other one approves two blocks of the older half of the window instead
    """
    tips = graph.tips
    at = rng.integers(0, tips.size, (BATCH, 2))
    parents = np.full((BATCH, 8), -1, np.int64)
    parents[:, :2] = tips[at]
    if lazy:
        parents[::2, :2] = rng.integers(graph.low, graph.low + len(graph) // 2, (BATCH // 2, 2))
    counts = np.where(parents[:, 0] == parents[:, 1], 1, 2).astype(np.int8)
    parents[counts == 1, 1] = -1
    return parents, counts


def grow(graph: Graph, rng: np.random.Generator, *, lazy: bool = False) -> Callable[[], None]:
    """Attach a batch, move the window; return what is left to do: bring the weights up to date."""
    graph.flush()
    graph.extend(*batch(graph, rng, lazy=lazy))
    graph.drop_before(graph.low + BATCH)
    return graph.flush


def past_cone_per_block(graph: Graph, rng: np.random.Generator, blocks: int = 3) -> float:
    """Return the seconds per block of adding one to the weight of everything in each new block's past cone."""
    tangle = reference.tangle_of(graph)
    weight = dict.fromkeys(tangle, 1)
    tips = reference.tips(tangle)
    start = time.perf_counter()
    for x in range(graph.high, graph.high + blocks):
        tangle.add_edges_from((x, p) for p in rng.choice(tips, 2, replace=False).tolist())
        weight[x] = 1
        for y in nx.descendants(tangle, x):
            weight[y] += 1
    return (time.perf_counter() - start) / blocks


# --- measuring ----------------------------------------------------------------------------------------------


def timed(call: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def sample(call: Callable[[int], object], repeats: int) -> np.ndarray:
    """Return the seconds of call(0), call(1), …"""
    return np.array([timed(partial(call, i)) for i in range(repeats)])


def in_turns(
    graphs: dict[int, Graph], prepare: Callable[[Graph, int], Callable[[], object]], repeats: int
) -> dict[int, np.ndarray]:
    """Return the seconds of `repeats` calls per graph, made in turns; preparing them is not counted."""
    seconds: dict[int, list[float]] = {size: [] for size in graphs}
    for i in range(repeats):
        for size, graph in graphs.items():
            seconds[size].append(timed(prepare(graph, i)))
    return {size: np.array(found) for size, found in seconds.items()}


def row(
    what: str,
    size: int | None,
    ours: tuple[np.ndarray, float],
    rival: tuple[np.ndarray, float] | None,
    note: str,
) -> Row:
    """Return a table row; each side is its seconds and what to divide them by, to make both comparable."""
    low, middle, high = np.quantile(ours[0] / ours[1] * 1e6, [0.25, 0.5, 0.75])
    named = what if size is None else f"{what}, {size:,} blocks"
    cells = {"what": named, "ours": f"{middle:,.2f} µs ({low:,.2f} … {high:,.2f})", "rival": "", "ratio": ""}
    if rival is not None:
        theirs = float(np.median(rival[0])) / rival[1] * 1e6
        cells |= {"rival": f"{theirs:,.0f} µs", "ratio": f"{theirs / middle:,.0f} x"}
    return cells | {"note": note}
