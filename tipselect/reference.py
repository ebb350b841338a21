"""The room's functions once more, on networkx, slow and obvious: oracle of the tests, rival of the bench.

A Tangle is a DiGraph with an edge from every vertex to each of its parents in the window. Node attributes:
`parents` (stored order, -1 for one outside), `forbidden` and `score` (see lazy). Vertices are absolute indices.
The two ways to grow a graph make real ones; nothing else here uses a kernel.
"""

import math
import statistics
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

import networkx as nx
import numpy as np

from tangle.tipselect import uniform
from tangle.tipselect.graph import OUTSIDE, Graph
from tangle.tipselect.lazy import LAZY, NON_LAZY, SEMI_LAZY, Limits

Tangle: TypeAlias = nx.DiGraph


def tangle(
    parents: Mapping[int, Sequence[int]], forbidden: Collection[int] = (), scores: Mapping[int, int] | None = None
) -> Tangle:
    """Build the Tangle of the given vertices; parents that are not among them are outside."""
    scores = scores or {}
    g = nx.DiGraph()
    for x in sorted(parents):
        inside = [p if p in parents else OUTSIDE for p in parents[x]]
        g.add_node(x, parents=inside, forbidden=x in forbidden, score=scores.get(x, NON_LAZY))
        g.add_edges_from((x, p) for p in inside if p != OUTSIDE)
    return g


def tangle_of(graph: Graph) -> Tangle:
    """Copy the window of a graph."""
    window = range(graph.low, graph.high)
    return tangle(
        {x: graph.parents(x).tolist() for x in window},
        {x for x in window if graph.is_forbidden(x)},
        dict(zip(window, graph.scores.tolist(), strict=True)),
    )


def random_graph(
    rng: np.random.Generator, size: int, *, forbidden: float = 0.0, outside: float = 0.0, poor: float = 0.0
) -> Graph:
    """Grow `size` vertices of up to 4 recent parents each; `forbidden`, `outside`, `poor` are shares, 0 to 1.

    Anchors are near and weights are brought up to date now and then, so that small graphs have all there is.
    """
    graph = Graph(capacity=4, anchor_distance=2)
    for x in range(size):
        recent = np.arange(max(0, x - int(rng.integers(2, 12))), x)
        count = min(int(rng.integers(1, 5)), x)
        chosen = rng.choice(recent, min(count, recent.size), replace=False)
        graph.append([OUTSIDE if rng.random() < outside else int(p) for p in chosen])
        if x > 0 and rng.random() < forbidden:
            graph.forbid(x)
        if rng.random() < 0.1:
            graph.flush()
    if poor:
        graph.rate(np.where(rng.random(size) < poor, rng.integers(LAZY, NON_LAZY, size), NON_LAZY).astype(np.int8))
    return graph


def grown_graph(rng: np.random.Generator, size: int, *, delay: int, window: int | None = None) -> Graph:
    """Grow `size` vertices, each on two uniform tips of what had arrived `delay` vertices before.

    The growth of Popov 2018, section 3. With `window`, about so many of the newest are kept.
    """
    graph = Graph()
    graph.append([])
    on_the_way = deque[list[int]]()
    for _ in range(size - 1):
        if len(on_the_way) > delay:
            graph.append(on_the_way.popleft())
        if window is not None:
            graph.drop_before(graph.high - window)
        on_the_way.append(uniform.select(graph, 2, rng).tolist())
    for parents in on_the_way:
        graph.append(parents)
    return graph


# --- cones and order ----------------------------------------------------------------------------------------


def weights(g: Tangle) -> dict[int, int]:
    """Cumulative weight of every vertex: itself and all that approve it."""
    return {x: 1 + len(nx.ancestors(g, x)) for x in g}


def barred(g: Tangle, x: int) -> bool:
    """Whether walks may not enter x."""
    return bool(g.nodes[x]["forbidden"] or g.nodes[x]["score"] != NON_LAZY)


def allowed_children(g: Tangle, x: int) -> list[int]:
    """Approvers of x that are not barred, ascending."""
    return sorted(y for y in g.predecessors(x) if not barred(g, y))


def tips(g: Tangle) -> list[int]:
    """Vertices not barred whose approvers all are, ascending."""
    return sorted(x for x in g if not barred(g, x) and not allowed_children(g, x))


def poor_tips(g: Tangle, score: int) -> list[int]:
    """Vertices of a poor score, not forbidden, whose approvers all are forbidden, ascending."""
    return sorted(
        x
        for x, node in g.nodes.items()
        if node["score"] == score
        and not node["forbidden"]
        and all(g.nodes[y]["forbidden"] for y in g.predecessors(x))
    )


def past_cone(g: Tangle, starts: Collection[int], stop: Collection[int] = ()) -> list[int]:
    """The starts and all they approve without passing through `stop`, ascending."""
    open_part = g.subgraph(x for x in g if x not in stop)
    return sorted({y for x in starts if x in open_part for y in nx.descendants(open_part, x) | {x}})


def future_cone(g: Tangle, x: int) -> list[int]:
    """The vertex and all that approve it, ascending."""
    return sorted(nx.ancestors(g, x) | {x})


def post_order(g: Tangle, starts: Sequence[int], done: Collection[int] = ()) -> list[int]:
    """White-flag order (TIP-2), recursive."""
    seen = set(done) | {OUTSIDE}
    order: list[int] = []

    def visit(x: int) -> None:
        if x in seen:
            return
        seen.add(x)
        for p in g.nodes[x]["parents"]:
            visit(p)
        order.append(x)

    for x in starts:
        visit(x)
    return order


def cone_roots(g: Tangle, referenced: Mapping[int, int], outside_root: int) -> dict[int, tuple[int, int]]:
    """Oldest and youngest cone root: extremes of the milestones where the past cone meets the referenced."""
    roots: dict[int, tuple[int, int]] = {OUTSIDE: (outside_root, outside_root)}
    for x in sorted(g):
        met = [roots[p] for p in g.nodes[x]["parents"]] or [roots[OUTSIDE]]
        own = referenced.get(x, 0)
        roots[x] = (own, own) if own > 0 else (min(m[0] for m in met), max(m[1] for m in met))
    del roots[OUTSIDE]
    return roots


def scores(
    g: Tangle, referenced: Mapping[int, int], outside_root: int, latest: int, limits: Limits
) -> dict[int, int]:
    """Score of every vertex, from the milestones that its past cone first meets (TIP-3)."""
    found = {}
    for x in g:
        met: set[int] = set()
        seen = set()
        queue = deque([x])
        while queue:
            y = queue.popleft()
            if y in seen:
                continue
            seen.add(y)
            if y == OUTSIDE:
                met.add(outside_root)
            elif referenced.get(y, 0) > 0:
                met.add(referenced[y])
            else:
                queue.extend(g.nodes[y]["parents"] or [OUTSIDE])
        if referenced.get(x, 0) > 0:
            found[x] = NON_LAZY
        elif latest - min(met) > limits.depth_max or latest - max(met) > limits.youngest_max:
            found[x] = LAZY
        else:
            found[x] = SEMI_LAZY if latest - min(met) > limits.oldest_max else NON_LAZY
    return found


def orphaned(g: Tangle, age: int) -> list[int]:
    """Vertices at least `age` old, not forbidden, that no tip younger than that approves, ascending."""
    newest = max(g, default=0)
    young = [x for x in tips(g) if newest - x < age]
    return sorted(
        x
        for x in g
        if newest - x >= age
        and not g.nodes[x]["forbidden"]
        and not any(x == tip or nx.has_path(g, tip, x) for tip in young)
    )


# --- walks --------------------------------------------------------------------------------------------------


def uniforms(state: int) -> Iterator[float]:
    """Yield the splitmix64 stream of [0, 1) that the kernels draw from a seed."""
    bits = (1 << 64) - 1
    while True:
        state = (state + 0x9E3779B97F4A7C15) & bits
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & bits
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & bits
        yield ((z ^ (z >> 31)) >> 11) * 2.0**-53


def step_probabilities(g: Tangle, weight: Mapping[int, int], x: int, alpha: float) -> dict[int, float]:
    """Probability of each allowed approver to be the next; empty for a tip."""
    children = allowed_children(g, x)
    if not children:
        return {}
    heaviest = max(weight[y] for y in children)
    terms = {y: math.exp(-alpha * (heaviest - weight[y])) for y in children}
    total = sum(terms.values())
    return {y: term / total for y, term in terms.items()}


def tip_probabilities(g: Tangle, weight: Mapping[int, int], start: int, alpha: float) -> dict[int, float]:
    """Probability of each tip to end a walk from `start`: the absorbing chain solved as linear equations."""
    inner = [x for x in sorted(g) if allowed_children(g, x)]
    ends = tips(g)
    if start in ends:
        return {x: float(x == start) for x in ends}
    row = {x: i for i, x in enumerate(inner)}
    stay = np.zeros((len(inner), len(inner)))
    leave = np.zeros((len(inner), len(ends)))
    for x in inner:
        for y, probability in step_probabilities(g, weight, x, alpha).items():
            if y in row:
                stay[row[x], row[y]] = probability
            else:
                leave[row[x], ends.index(y)] = probability
    absorbed = np.linalg.solve(np.eye(len(inner)) - stay, leave)
    return dict(zip(ends, absorbed[row[start]].tolist(), strict=True))


def walk(
    g: Tangle, weight: Mapping[int, int], start: int, alpha: float, draws: Iterator[float]
) -> tuple[int, int]:
    """Walk from `start`; return the tip and the steps.

    A step takes one of `draws` per approver but the first, or just one with alpha = 0.
    """
    steps = 0
    x = start
    while children := allowed_children(g, x):
        if alpha == 0.0:
            x = children[int(next(draws) * len(children))] if len(children) > 1 else children[0]
            steps += 1
            continue
        x = children[0]
        for i in range(1, len(children)):
            met = max(weight[y] for y in children[: i + 1])
            terms = [math.exp(-alpha * (met - weight[y])) for y in children[: i + 1]]
            if next(draws) * sum(terms) < terms[i]:
                x = children[i]
        steps += 1
    return x, steps


def entry_points(g: Tangle, weight: Mapping[int, int], depth: int) -> list[int]:
    """Entry points where none are given: see `tangle.tipselect.walk`."""
    newest = max(g)
    allowed = [x for x in sorted(g) if not barred(g, x)]
    deep = [x for x in allowed if depth <= newest - x <= 2 * depth and 2 * (weight[x] - 1) >= newest - x]
    if deep and depth:
        return deep
    return [max(allowed, key=lambda x: (weight[x], -x))] if allowed else []


def race(
    g: Tangle,
    weight: Mapping[int, int],
    entries: Sequence[int],
    state: int,
    *,
    k: int,
    walkers: int,
    rounds: int,
    alpha: float,
    fast_ratio: float,
) -> list[int]:
    """Return the tips of a race in the order of arrival: see `tangle.tipselect.walk`, without its random rest."""
    draws = uniforms(state)
    arrivals: list[tuple[int, int, float]] = []
    won: list[int] = []
    wanted = min(k, len(tips(g)))
    for _ in range(rounds):
        for _ in range(walkers):
            start = entries[int(next(draws) * len(entries))]
            tip, steps = walk(g, weight, start, alpha, draws)
            arrivals.append((steps, tip, steps / (max(g) + 1 - start)))
        least = fast_ratio * statistics.median_high(pace for _, _, pace in arrivals)
        order = sorted(arrivals, key=lambda arrival: arrival[0])
        honest = [tip for _, tip, pace in order if pace >= least]
        won = list(dict.fromkeys(honest))[:wanted]
        if len(won) == wanted:
            return won
    fast = [tip for _, tip, pace in order if pace < least]
    return list(dict.fromkeys(honest + fast))[:wanted]


def confidences(g: Tangle, chances: Mapping[int, float]) -> dict[int, float]:
    """Probability of each vertex to be approved by, or be, the tip of a walk with these chances per tip."""
    found = dict.fromkeys(g, 0.0)
    for tip, chance in chances.items():
        for x in past_cone(g, [tip]):
            found[x] += chance
    return found


def hits(g: Tangle, ends: Sequence[int]) -> dict[int, int]:
    """How many of `ends` are or approve each vertex."""
    found = dict.fromkeys(g, 0)
    for tip in ends:
        for x in past_cone(g, [tip]):
            found[x] += 1
    return found
