"""How far agents agree: how alike are their views, the tips they prefer, and what they are sure of.

All three compare two lists of numbers, one for each block, by the sum of the lesser by the sum of the greater
(Ruzicka 1958): 1 when both are the same, 0 when they share nothing.

tips        1 for each tip of the view: Jaccard's index of the two sets of tips
preferred   the chance of each tip to end a selection, exactly, by each agent's own selector
confidence  the probability that a selection approves a block, exactly, over the blocks that not both are sure of
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tangle.sim.errors import BadMeasure
from tangle.sim.measures.kernels import likeness
from tangle.sim.measures.samples import alpha_of
from tangle.sim.measures.walks import exact_confidence, tip_chances
from tangle.sim.result import Result
from tangle.tipselect.kernels import Float64

KINDS = ("tips", "preferred", "confidence")
"""what agents may agree on"""


def agreement(
    result: Result, times: Float64, of: str = "tips", *, alpha: float | None = None,
    agents: Sequence[int] | None = None,
) -> Float64:  # fmt: skip
    """float64[times, agents, agents]: likeness of what each two agents saw at each time; symmetric, 1 with
    oneself.

    of : "tips", "preferred" or "confidence", as the module says
    alpha : of walks; each agent's own unless given
    agents : which are compared; all unless given

    BadMeasure for another kind.
    """
    if of not in KINDS:
        raise BadMeasure("of", f"{of!r} is none of {', '.join(KINDS)}")
    when = np.asarray(times, np.float64).reshape(-1)
    some = range(result.agents) if agents is None else agents
    out = np.ones((when.size, len(some), len(some)))
    for i, time in enumerate(when):
        views = [_numbers_of(result, float(time), agent, of, alpha) for agent in some]
        for a in range(len(some)):
            for b in range(a):
                out[i, a, b] = out[i, b, a] = likeness(views[a], views[b], of == "confidence")
    return out


def _numbers_of(result: Result, time: float, agent: int, of: str, alpha: float | None) -> Float64:
    """float64[n]: what an agent makes of each block at a time."""
    seen = result.view(time, agent)
    out = np.zeros(result.blocks)
    if of == "confidence":
        # Blocks that have left the window are certain, for whoever had them.
        gone = np.flatnonzero(result.received(agent) <= time)
        out[gone] = 1.0
        out[seen.numbers] = exact_confidence(result, seen, alpha_of(result, agent, alpha))
        return out
    tips = seen.graph.tips
    chances = tip_chances(result, seen, alpha_of(result, agent, alpha)) if of == "preferred" else 1.0
    out[seen.numbers[tips - seen.graph.low]] = chances
    return out
