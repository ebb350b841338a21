"""Selections of tips, made beforehand: as many as were lately asked for.

With fewer, everyone would approve the same few tips and the number of tips would grow with the load.
"""

from __future__ import annotations

import numpy as np

from tangle.node.memory import Memory
from tangle.node.selection import Selection


def fill_pool(
    memory: Memory, select: Selection, rng: np.random.Generator, asked: int
) -> tuple[tuple[tuple[bytes, ...], ...], int]:
    """New selections, each of ids of tips, and how many tips there are.

    Parameters
    ----------
    asked : selections given out since the last time
    """
    dag, settings = memory.window.dag, memory.settings
    dag.flush()
    total = dag.graph.tip_count
    entry = memory.finality.entries(memory.window)
    wanted = min(max(asked, settings.tip_pool_min), settings.tip_pool_max, 1 + 2 * total)
    selections = (select(dag.graph, settings.tip_count, rng, entry) for _ in range(wanted))
    return tuple(tuple(dag.id_of(int(tip)) for tip in tips) for tips in selections), total
