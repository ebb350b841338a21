"""Confidence of every block in the window, and who crossed which threshold (consensus: m of n walks).

A sample is an array of hits over the window; readers get an immutable `Sample` and never see one half made. A
crossing is told once per block and threshold, upwards: confidence is sampled, and a value that wavers around a
threshold is no news.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PERMILLE = 1000


@dataclass(frozen=True, slots=True)
class Sample:
    """Hits of one sampling.

    Attributes
    ----------
    low : index of the block that `hits[0]` belongs to
    numbers : int64[window], of the blocks' solid events, ascending
    hits : int32[window], walks out of `walks` whose tip approves the block
    """

    low: int
    numbers: NDArray[np.int64]
    hits: NDArray[np.int32]
    walks: int

    def of(self, number: int) -> tuple[int, int]:
        """m and n of the block of this number; what lies beyond the sample has not been asked yet: 0 of 0."""
        at = int(np.searchsorted(self.numbers, number))
        found = at < len(self.numbers) and self.numbers[at] == number
        return (int(self.hits[at]), self.walks) if found else (0, 0)

    def share(self, number: int, first: int, milestone_index: int | None, walks: int) -> tuple[int, int]:
        """m and n of a block: m of n walks ended on a tip that approves it; 0 of 0 when it has not been asked yet.

        Outside the window no walk is needed. Walks start at a milestone of the window: every tip approves what a
        milestone before the window referenced (m = n), and no tip can approve what none had.

        Parameters
        ----------
        first : number of the oldest block in the window
        milestone_index : of the milestone that references the block, None when none does
        walks : behind each confidence
        """
        if number >= first:
            return self.of(number)
        return (walks if milestone_index else 0), walks


@dataclass(frozen=True, slots=True)
class Crossing:
    """The block at `index` reached `threshold` (permille) with `hits` out of `walks`."""

    index: int
    threshold: int
    hits: int
    walks: int


class ConfidenceBoard:
    """The newest sample and what was told of it.

    Parameters
    ----------
    thresholds : shares in (0, 1], told when reached
    """

    def __init__(self, thresholds: Sequence[float]) -> None:
        self.thresholds = sorted(round(share * PERMILLE) for share in thresholds)
        self.sample = Sample(0, np.zeros(0, np.int64), np.zeros(0, np.int32), 0)
        self._told: NDArray[np.int8] = np.zeros(0, np.int8)
        self._low = 0

    def restore(self, told: Iterable[tuple[int, int]]) -> None:
        """Take crossings told before a restart: pairs of index and threshold in permille."""
        for index, threshold in told:
            self._cover(self._low, index + 1)
            level = sum(1 for known in self.thresholds if known <= threshold)
            at = index - self._low
            if at >= 0:
                self._told[at] = max(self._told[at], level)

    def update(self, sample: Sample) -> list[Crossing]:
        """Take a new sample; returns what crossed a threshold since the last, by index and threshold."""
        self._cover(sample.low, sample.low + len(sample.hits))
        self.sample = sample
        if not sample.walks:
            return []
        limits = np.array(self.thresholds, np.int64) * sample.walks
        levels = np.searchsorted(limits, sample.hits.astype(np.int64) * PERMILLE, side="right").astype(np.int8)
        told = self._told[: len(levels)]
        crossings: list[Crossing] = []
        up = np.flatnonzero(levels > told)
        # As lists: taking numbers out of arrays one by one takes longer than all the rest.
        columns = (up + sample.low).tolist(), sample.hits[up].tolist(), told[up].tolist(), levels[up].tolist()
        for index, hits, before, after in zip(*columns, strict=True):
            reached = self.thresholds[before:after]
            crossings.extend(Crossing(index, threshold, hits, sample.walks) for threshold in reached)
        np.maximum(told, levels, out=told)
        return crossings

    def _cover(self, low: int, high: int) -> None:
        if low > self._low:
            self._told = self._told[low - self._low :]
            self._low = low
        missing = high - self._low - len(self._told)
        if missing > 0:
            self._told = np.concatenate([self._told, np.zeros(missing, np.int8)])
