"""The memory of a graph: one row per vertex, in arrays that move together.

Everything is relative to the row (see kernels), so moving is copying. A row is 34 bytes, 8 more for each parent it
has room for, and a tip 8 more at most.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from tangle.tipselect.kernels import PARENTS_MAX, Int8, Int32, Int64, UInt8, UInt64


@dataclass(slots=True, eq=False)
class Columns:
    """Arrays of one length; rows not yet in use are zero. `back` to `last` are explained in kernels."""

    back: Int32
    following: Int32
    count: Int8
    first: Int32
    last: Int32
    approvers: Int32
    """approvers that are not barred"""
    flags: UInt8
    """what a vertex is: forbidden, lazy, semi-lazy, frozen; see kernels"""
    weights: Int64
    """cumulative weight, less the anchor's gain where frozen; 0 until the vertex has been added up"""
    mask: UInt64
    """scratch of the weight sweep, zero between sweeps"""
    tip_at: Int32
    """place in the tip list, -1 for a vertex that is no tip"""

    @classmethod
    def empty(cls, rows: int, parents: int = PARENTS_MAX) -> Self:
        """Return arrays of `rows` zeros with room for so many parents each."""
        return cls(
            back=np.zeros((rows, parents), np.int32),
            following=np.zeros((rows, parents), np.int32),
            count=np.zeros(rows, np.int8),
            first=np.zeros(rows, np.int32),
            last=np.zeros(rows, np.int32),
            approvers=np.zeros(rows, np.int32),
            flags=np.zeros(rows, np.uint8),
            weights=np.zeros(rows, np.int64),
            mask=np.zeros(rows, np.uint64),
            tip_at=np.zeros(rows, np.int32),
        )

    def moved(self, start: int, stop: int, rows: int) -> Self:
        """Return new arrays of `rows` rows that begin with a copy of the rows [start, stop)."""
        new = type(self).empty(rows, self.back.shape[1])
        for field in fields(self):
            getattr(new, field.name)[: stop - start] = getattr(self, field.name)[start:stop]
        return new
