"""The Tangle as it is, asked block by block: what would another selector, or another alpha, have chosen here?

Nothing grows differently, so this compares choices, not histories: for each block the Tangle is taken as the
node had it when the issuer selected, and the selector is run on it as a node runs it (`tipselect`).

What the issuer had received is not known. It is taken to be everything that came `delay` before his block did, and
his block's parents, with all that came before these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tangle.sim.arrivals import SELECTION, stream
from tangle.sim.errors import BadReplay
from tangle.sim.replay.recording import Recording
from tangle.tipselect import exact, orphans, selectors, walk
from tangle.tipselect.errors import TipSelectError
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import PARENTS_MAX, Bools, Float64, Int32, Int64
from tangle.tipselect.selectors import Selector

ASKED = 10_000
"""blocks asked about at most, unless told otherwise"""


@dataclass(frozen=True, eq=False)
class Reselection:
    """What a selector chose for m blocks beside what they do approve; k is the width of the DAG's parents.

    blocks : int64[m], ascending, numbers of the blocks that were asked about
    real, chosen : int32[m, k], what they approve, and what was selected; as many each, or as there were tips,
        -1 where there are fewer
    were_tips : bool[m, k], whether the real parents still were tips when they are taken to have been selected
    tips : int32[m], how many tips there were to choose from
    chances : float64[m, k], probability that a single walk ends on each real parent (`tangle.tipselect.exact`),
    0 for one
        that was no tip, nan where there is none. Walks have the alpha that was asked for; a selection is a race
    real_ages, chosen_ages : float64[m, k], seconds between the arrival of each and that of the block, nan where
        there is none
    passed_by : int64[p], ascending: real parents of these blocks that were not selected for any of them
    left_behind : int64[q], ascending: tips at the end, as they really are, since which `age` blocks have come
    rescued : int64[r], ascending: those of them that were selected at least once
    """

    blocks: Int64
    real: Int32
    chosen: Int32
    were_tips: Bools
    tips: Int32
    chances: Float64
    real_ages: Float64
    chosen_ages: Float64
    passed_by: Int64
    left_behind: Int64
    rescued: Int64

    @property
    def equal(self) -> float:
        """Share of the real parents that were selected for the same block."""
        same = (self.real[:, :, None] == self.chosen[:, None, :]).any(axis=2) & (self.real >= 0)
        return float(same.sum() / max((self.real >= 0).sum(), 1))

    @property
    def equal_by_chance(self) -> float:
        """The same share where all tips are as likely as each other: what `equal` is to be compared with."""
        counts = (self.real >= 0).sum(axis=1)
        expected = self.were_tips.sum(axis=1) * np.minimum(counts / np.maximum(self.tips, 1), 1.0)
        return float(expected.sum() / max(counts.sum(), 1))

    def summary(self) -> dict[str, float]:
        """Return the scalars of the comparison; ages are means, in seconds."""
        return {
            "blocks": float(self.blocks.size),
            "equal": self.equal,
            "equal_by_chance": self.equal_by_chance,
            "mean_chance": _mean(self.chances),
            "real_age": _mean(self.real_ages),
            "chosen_age": _mean(self.chosen_ages),
            "passed_by": float(self.passed_by.size),
            "approved": float(np.unique(self.real[self.real >= 0]).size),
            "left_behind": float(self.left_behind.size),
            "rescued": float(self.rescued.size),
        }


def reselect(
    dag: Recording,
    selector: str | Selector = "weighted",
    alpha: float | None = None,
    *,
    delay: float = 0.0,
    blocks: Sequence[int] | Int64 | None = None,
    entry_depth: int = walk.ENTRY_DEPTH,
    age: int = orphans.AGE,
    seed: int = 1,
    **settings: Any,
) -> Reselection:
    """Ask another selector at each block of a DAG.

    selector : a name of tipselect.selectors, or a function select(graph, k, rng)
    alpha : the selector's own where None; `chances` are then of `walk.ALPHA`, or of 0 for unweighted walks
    delay : seconds between an issuer's selection and the arrival of his block
    blocks : whom to ask about; None: all that have parents, ASKED of them evenly if there are more
    entry_depth : where walks start, see `tangle.tipselect.walk`; of selectors that take it
    settings : of the selector, see `tangle.tipselect.selectors.named`

    BadReplay for blocks that cannot be asked about, and for settings that the selector does not take.
    """
    if not 0 <= delay < np.inf:
        raise BadReplay("delay", f"a number of at least 0 is needed, not {delay}")
    asked = _asked(dag, blocks)
    select = _bound(selector, alpha, entry_depth, settings)
    walked = alpha if alpha is not None else 0.0 if selector == "unweighted" else walk.ALPHA
    m, k = asked.size, dag.parents.shape[1]
    real = dag.parents[asked]
    chosen, tips = np.full((m, k), -1, np.int32), np.zeros(m, np.int32)
    chances = np.where(real >= 0, 0.0, np.nan)
    were_tips = np.zeros((m, k), np.bool_)
    rng = stream(seed, SELECTION)
    try:
        for i, graph in _as_they_saw(dag, asked, delay):
            k_real = int((real[i] >= 0).sum())
            there, ends = exact.tip_chances(graph, alpha=walked, entry_depth=entry_depth)
            found = select(graph, k_real, rng)
            tips[i], chosen[i, : found.size] = there.size, found
            at = np.minimum(np.searchsorted(there, real[i]), there.size - 1)
            were_tips[i] = (there[at] == real[i]) & (real[i] >= 0)
            chances[i, were_tips[i]] = ends[at[were_tips[i]]]
    except TipSelectError as error:
        raise BadReplay(error.field, error.rule) from None
    left = orphans.left_behind(dag.graph, age)
    return Reselection(
        blocks=asked, real=real, chosen=chosen, were_tips=were_tips, tips=tips, chances=chances,
        real_ages=_ages(dag, asked, real), chosen_ages=_ages(dag, asked, chosen),
        passed_by=np.setdiff1d(real[real >= 0], chosen).astype(np.int64), left_behind=left,
        rescued=np.intersect1d(left, chosen),
    )  # fmt: skip


def _asked(dag: Recording, blocks: Sequence[int] | Int64 | None) -> Int64:
    candidates = np.nonzero((dag.parents >= 0).any(axis=1))[0].astype(np.int64)
    if blocks is None:
        every = np.linspace(0, candidates.size - 1, min(ASKED, candidates.size)).astype(np.int64)
        return candidates[every]
    asked = np.unique(np.array(blocks, np.int64))
    if not np.isin(asked, candidates).all():
        raise BadReplay("blocks", f"there are {len(dag)}, and the oldest, number 0, approves nothing")
    return asked


def _bound(selector: str | Selector, alpha: float | None, entry_depth: int, settings: dict[str, Any]) -> Selector:
    """Return the selector with its settings; the depth only where it takes one."""
    if not isinstance(selector, str):
        given = settings if alpha is None else {**settings, "alpha": alpha}
        return partial(selector, **given) if given else selector
    try:
        takes = selectors.accepted(selector)
        given = dict(settings) if alpha is None else {**settings, "alpha": alpha}
        if "entry_depth" in takes:
            given["entry_depth"] = entry_depth
        return selectors.named(selector, **given)
    except TipSelectError as error:
        raise BadReplay(error.field, error.rule) from None


def _as_they_saw(dag: Recording, asked: Int64, delay: float) -> Iterator[tuple[int, Graph]]:
    """Yield the place of each block in `asked` and the Tangle as its issuer had it, smaller ones first."""
    sizes = np.searchsorted(dag.times, dag.times[asked] - delay, "right")
    sizes = np.minimum(np.maximum(sizes, dag.parents[asked].max(axis=1) + 1), asked)
    graph = Graph(len(dag))
    rows = np.full((len(dag), PARENTS_MAX), -1, np.int64)
    rows[:, : dag.parents.shape[1]] = dag.parents
    counts = (dag.parents >= 0).sum(axis=1).astype(np.int8)
    for i in np.argsort(sizes, kind="stable"):
        graph.extend(rows[graph.high : sizes[i]], counts[graph.high : sizes[i]])
        yield int(i), graph


def _ages(dag: Recording, asked: Int64, others: Int32) -> Float64:
    ages = dag.times[asked][:, None] - dag.times[np.maximum(others, 0)]
    return np.where(others >= 0, ages, np.nan)


def _mean(values: Float64) -> float:
    """Mean without nan, which is nan only where there is nothing else."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
