"""Views of an agent at many times, each grown out of the one before instead of built anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from tangle.sim.result import Result
from tangle.sim.seen import Seen
from tangle.tipselect.kernels import PARENTS_MAX


def watch(result: Result, times: Iterable[float], agent: int = 0) -> Iterator[Seen]:
    """Yield what `Result.view` returns at each of the times, which ascend. Read each before asking for the next.

    Weights are kept up to date for what is new only, which makes views close to each other cheap.
    """
    received = result.received(agent)
    order = np.argsort(received, kind="stable").astype(np.int32)
    when = received[order]
    place = np.empty(result.blocks, np.int64)
    place[order] = np.arange(result.blocks)
    window = result.scenario.window_blocks
    graph = None
    for time in times:
        stop = int(np.searchsorted(when, time, "right"))
        if graph is None or stop - graph.high > window // 4:
            graph = result.view(time, agent).graph
        elif stop > graph.high:
            parents = result.parents[order[graph.high : stop]]
            rows = np.full((parents.shape[0], PARENTS_MAX), -1, np.int64)
            rows[:, : parents.shape[1]] = np.where(parents >= 0, place[parents], -1)
            graph.extend(rows, (parents >= 0).sum(axis=1).astype(np.int8))
            graph.drop_before(stop - window)
        yield Seen(graph, order[graph.low : graph.high])
