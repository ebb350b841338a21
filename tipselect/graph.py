"""An append-only DAG in arrays, with a window that moves forward.

Vertices are numbered 0, 1, 2, … in the order of arrival, parents before children. Those with low <= index < high
are in memory; arrays given and taken are indexed by index - low. Older ones are forgotten: a parent there counts
as outside, -1.

Invariants:

- A parent's index is smaller than its child's, so one sweep through the arrays follows the edges.
- The cumulative weight of a vertex is 1 + the number of vertices that approve it, directly or not. Approvers are
  newer, so moving the window changes no weight that is left. Weights are added up when first asked for, 64
  vertices in one masked sweep.
- A sweep ends soon. Some vertex behind the newest, approved by at least half of them, is the anchor; what approves
  it approves its past cone too, and is counted for all of that at once. So the cost follows the distance to the
  anchor, which moves up with the Tangle, and depends on the window only while approvers pass the anchor by.
- A vertex is barred when it is forbidden, which is for ever, or has a poor score (see lazy), which may change. A
  tip is a vertex that is not barred and has no approver, or only barred ones. Whoever attaches an invalid or lazy
  vertex to a good tip therefore takes nothing away, and a walk over what is not barred ends on a tip, always.

Ownership: one thread writes to a graph and no other reads it meanwhile. Kernels release the GIL, but that lets
other work run, it does not make two callers of one graph safe.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from tangle.tipselect import cone_kernels, kernels
from tangle.tipselect.columns import Columns
from tangle.tipselect.errors import BadIndex, BadParents, BadSetting
from tangle.tipselect.kernels import FORBIDDEN, PARENTS_MAX, Bools, Int8, Int32, Int64

OUTSIDE = -1
"""stands for a parent that is not in the window"""
ANCHOR_DISTANCE = 1_024
"""vertices between the newest and a new anchor at least"""


class GraphState(NamedTuple):
    """What a graph knows beside its arrays: indices, but for `gain` and `tip_count`; see Graph."""

    base: int
    low: int
    high: int
    weighed: int
    anchor: int
    anchor_due: int
    gain: int
    tip_count: int


class Graph:
    """The DAG.

    capacity : rows allocated at first and at least
    low : index of the first vertex
    anchor_distance : changes what weights cost, never what they are
    """

    def __init__(self, capacity: int = 1024, low: int = 0, *, anchor_distance: int = ANCHOR_DISTANCE) -> None:
        if capacity < 1:
            raise BadSetting("capacity", f"at least one row is needed, not {capacity}")
        if low < 0:
            raise BadIndex("low", f"indices start at 0, not at {low}")
        if anchor_distance < 1:
            raise BadSetting("anchor_distance", f"at least one vertex is needed, not {anchor_distance}")
        self._capacity = capacity
        self._base = self._low = self._high = self._weighed = int(low)
        self._tips = np.empty(capacity, np.int64)
        self._tip_count = np.zeros(1, np.int64)
        self._anchor_distance = anchor_distance
        self._anchor = OUTSIDE
        self._anchor_due = 0
        self._gain = 0
        self.far = np.empty(kernels.FAR_MAX, np.int64)
        """scratch of weight sweeps"""
        self.columns = Columns.empty(capacity)

    @classmethod
    def of(
        cls, columns: Columns, tips: Int64, state: GraphState, *, anchor_distance: int = ANCHOR_DISTANCE
    ) -> Self:
        """Return a graph over arrays that a compiled program has filled by the rules of kernels; none is copied.

        tips : int64[rows], the first `state.tip_count` are the tips

        What the program needs to go on afterwards is in `state` and `columns`.
        """
        graph = cls(1, 0, anchor_distance=anchor_distance)
        graph.columns, graph._tips = columns, tips
        graph._base, graph._low, graph._high, graph._weighed = state.base, state.low, state.high, state.weighed
        graph._anchor, graph._anchor_due, graph._gain = state.anchor, state.anchor_due, state.gain
        graph._tip_count[0] = state.tip_count
        return graph

    @property
    def state(self) -> GraphState:
        """What `of` needs beside the arrays."""
        return GraphState(
            self._base, self._low, self._high, self._weighed, self._anchor, self._anchor_due, self._gain,
            self.tip_count,
        )  # fmt: skip

    @property
    def low(self) -> int:
        """Oldest index in the window."""
        return self._low

    @property
    def high(self) -> int:
        """Index the next vertex will get."""
        return self._high

    @property
    def base(self) -> int:
        """Index of the vertex in row 0 of `columns`; at most `low`."""
        return self._base

    @property
    def tip_count(self) -> int:
        """Number of tips."""
        return int(self._tip_count[0])

    @property
    def tips(self) -> Int64:
        """int64[tip_count], tips in ascending order; a copy."""
        return np.sort(self._tips[: self.tip_count])

    @property
    def weights(self) -> Int64:
        """int64[window], cumulative weights, up to date; a copy."""
        self.flush()
        out = np.empty(len(self), np.int64)
        low = self._low - self._base
        kernels.read_weights(low, low + len(self), self._gain, self.columns.flags, self.columns.weights, out)
        return out

    @property
    def gain(self) -> int:
        """What the weights of frozen vertices in `columns` have to be added; see kernels."""
        return self._gain

    @property
    def anchor(self) -> int:
        """Index of the anchor, -1 for none."""
        return self._anchor

    @property
    def anchor_slot(self) -> int:
        """Row of the anchor in `columns`, -1 for none."""
        return self._anchor - self._base if self._anchor >= 0 else OUTSIDE

    @property
    def forbidden(self) -> Bools:
        """bool[window], True where forbidden; a copy."""
        flags = self.columns.flags[self._low - self._base : self._high - self._base]
        found: Bools = flags & np.uint8(FORBIDDEN) != 0
        return found

    @property
    def scores(self) -> Int8:
        """int8[window], what `rate` was last told: LAZY, SEMI_LAZY or NON_LAZY; a copy."""
        out = np.empty(len(self), np.int8)
        kernels.read_scores(self.columns.flags[self._low - self._base : self._high - self._base], out)
        return out

    @property
    def memory_bytes(self) -> int:
        """Bytes of all arrays, unused rows included."""
        c = self.columns
        arrays = (c.back, c.following, c.count, c.first, c.last, c.approvers, c.flags, c.weights, c.mask)
        return sum(a.nbytes for a in arrays) + c.tip_at.nbytes + self._tips.nbytes

    def __len__(self) -> int:
        return self._high - self._low

    # --- changes --------------------------------------------------------------------------------------------

    def append(self, parents: Sequence[int]) -> int:
        """Add one vertex with `parents` (absolute indices, in the order of the block) and return its index.

        A negative parent, or one that has left the window, is outside. BadParents as for `extend`.
        """
        if len(parents) > PARENTS_MAX:
            raise BadParents("parents", f"{len(parents)} given, at most {PARENTS_MAX} are possible")
        rows = np.full((1, PARENTS_MAX), OUTSIDE, np.int64)
        rows[0, : len(parents)] = parents
        return self.extend(rows, np.array([len(parents)], np.int8))

    def extend(self, parents: Int64, counts: Int8) -> int:
        """Add n vertices and return the index of the first; a parent may be an earlier one of the same call.

        parents : int64[n, 8], absolute indices, padded with -1; negative or out of the window: outside
        counts : int8[n], how many of each row are parents

        BadParents when a row has a parent that is not older than the vertex, or one twice; BadSetting for wrong
        shapes. Then nothing is added.
        """
        parents = np.ascontiguousarray(parents, np.int64)
        if counts.dtype != np.int8 and not ((counts >= 0) & (counts <= PARENTS_MAX)).all():
            raise BadParents("counts", f"0 to {PARENTS_MAX} parents are possible")
        counts = np.ascontiguousarray(counts, np.int8)
        n = counts.size
        if counts.ndim != 1 or parents.shape != (n, PARENTS_MAX):
            raise BadSetting("parents", f"shape {(n, PARENTS_MAX)} expected for {n} counts, not {parents.shape}")
        bad = kernels.first_bad_row(parents, counts, self._high, self._low)
        if bad >= 0:
            raise BadParents("parents", self._complaint(bad, parents, counts))
        self._make_room(n)
        c = self.columns
        kernels.attach(
            parents, counts, self._base, self._low - self._base, self._high - self._base, c.back, c.count,
            c.first, c.last, c.following, c.approvers, self._tips, c.tip_at, self._tip_count,
        )  # fmt: skip
        self._high += n
        return self._high - n

    def forbid(self, index: int) -> None:
        """Never walk into this vertex nor select it. Forbidding its approvers is up to the caller. BadIndex."""
        self.forbid_many(np.array([index], np.int64))

    def forbid_many(self, indices: Iterable[int] | Int64) -> None:
        """Forbid all `indices`; again is no error. BadIndex when one is outside the window: then none is."""
        c = self.columns
        kernels.forbid(
            self._slots(indices, "indices"), self._base, self._low - self._base, c.back, c.count, c.approvers,
            c.flags, self._tips, c.tip_at, self._tip_count,
        )  # fmt: skip

    def rate(self, scores: Int8, start: int | None = None) -> None:
        """Tell how lazy vertices are (see `lazy.scores`): new ones are not. Lazy and semi-lazy ones are barred.

        scores : int8[n], LAZY, SEMI_LAZY or NON_LAZY
        start : index of the vertex that scores[0] is of, the oldest of the window unless given

        BadIndex when one of the n vertices is outside the window, BadSetting for another score: nothing changes.
        """
        given = np.ascontiguousarray(scores, np.int8).reshape(-1)
        first = self._low if start is None else int(start)
        if given.size and ((given < 0) | (given > 2)).any():
            raise BadSetting("scores", "0 (lazy), 1 (semi-lazy) and 2 (not lazy) are possible")
        if given.size and not self._low <= first <= first + given.size <= self._high:
            last = first + given.size - 1
            raise BadIndex("scores", f"{first} … {last} is not in the window {self._low} … {self._high - 1}")
        c = self.columns
        kernels.rate(
            first - self._base, given, self._base, self._low - self._base, c.back, c.count, c.approvers, c.flags,
            self._tips, c.tip_at, self._tip_count,
        )  # fmt: skip

    def drop_before(self, index: int) -> None:
        """Move the window so that `index` is its oldest vertex; nothing happens when it already begins later.

        BadIndex for one beyond `high`.
        """
        if index > self._high:
            raise BadIndex("index", f"{index} is beyond the newest vertex, {self._high - 1}")
        if index <= self._low:
            return
        kernels.drop(
            self._low - self._base,
            index - self._base,
            self._base,
            self._tips,
            self.columns.tip_at,
            self._tip_count,
        )
        self._low = int(index)
        if OUTSIDE < self._anchor < index:
            self._lift_anchor()

    def flush(self) -> None:
        """Bring the weights up to date. Readers of weights do this themselves."""
        # Vertices that came and left unseen need no sweep: they are no approvers of what is left.
        done = max(self._weighed, self._low)
        while done < self._high:
            # In pieces, so that the anchor can follow.
            piece = min(done + self._anchor_distance, self._high)
            c = self.columns
            base = self._base
            self._gain += kernels.add_weights(
                done - base, piece - base, self._low - base, self.anchor_slot, c.back, c.count, c.flags,
                c.mask, self.far, c.weights,
            )  # fmt: skip
            done = self._weighed = piece
            if done >= self._anchor_due:
                self._move_anchor()

    def copy(self) -> Self:
        """Return a graph of its own that holds the same window; its arrays have no unused rows."""
        new = copy(self)
        top = self._high - self._base
        new.columns = self.columns.moved(self._low - self._base, top, max(len(self), 1))
        new._base = self._low
        new._tips = np.empty(new.columns.count.size, np.int64)
        new._tips[: self.tip_count] = self._tips[: self.tip_count]
        new._tip_count = self._tip_count.copy()
        new.far = np.empty_like(self.far)
        return new

    # --- reading --------------------------------------------------------------------------------------------

    def parents(self, index: int) -> Int64:
        """int64[k], parents in stored order, -1 for one outside the window. BadIndex outside."""
        s = self._slot(index)
        back = self.columns.back[s, : self.columns.count[s]].astype(np.int64)
        found = index - back
        found[(back == 0) | (found < self._low)] = OUTSIDE
        return found

    def children(self, index: int) -> Int64:
        """int64[k], direct approvers in ascending order, forbidden ones too. BadIndex outside."""
        s = self._slot(index)
        c = self.columns
        out = np.empty(64, np.int64)
        n = kernels.children(s, c.first, c.following, out)
        if n > out.size:
            out = np.empty(n, np.int64)
            kernels.children(s, c.first, c.following, out)
        return out[:n] + self._base

    def poor_tips(self, score: int) -> Int64:
        """int64[k], ascending: vertices of this score, LAZY or SEMI_LAZY, that nothing approves. They are no tips.

        What only forbidden vertices approve counts as not approved.
        """
        c = self.columns
        window = slice(self._low - self._base, self._high - self._base)
        out = np.empty(len(self), np.int64)
        n = kernels.poor_tips(window.start, window.stop, 1 << (1 + score), c.first, c.following, c.flags, out)
        return out[:n] + self._base

    def is_forbidden(self, index: int) -> bool:
        """Tell whether the vertex is forbidden. BadIndex outside."""
        return bool(self.columns.flags[self._slot(index)] & FORBIDDEN)

    def weight(self, index: int) -> int:
        """Cumulative weight of one vertex, up to date. BadIndex outside."""
        s = self._slot(index)
        self.flush()
        out = np.empty(1, np.int64)
        kernels.read_weights(s, s + 1, self._gain, self.columns.flags, self.columns.weights, out)
        return int(out[0])

    def past_cone(self, indices: int | Iterable[int] | Int64, stop: Bools | None = None) -> Int64:
        """int64[k], ascending: the given vertices and all they approve, directly or not, within the window.

        stop : bool[window], vertices that are not entered, given ones included. BadIndex outside.
        """
        starts = self._slots([indices] if isinstance(indices, int | np.integer) else indices, "indices")
        stopped = self._window(stop, np.bool_, "stop")
        out = np.empty(len(self), np.int64)
        c = self.columns
        n = cone_kernels.past_cone(
            starts, self._low - self._base, c.back, c.count, stopped, np.zeros(len(self), np.bool_), out
        )
        return out[:n][::-1] + self._base

    def future_cone(self, index: int) -> Int64:
        """int64[k], ascending: the vertex and all that approve it, directly or not. BadIndex outside."""
        s = self._slot(index)
        size = self._high - index
        out = np.empty(size, np.int64)
        c = self.columns
        n = cone_kernels.future_cone(s, s + size, c.back, c.count, np.zeros(size, np.bool_), out)
        return out[:n] + self._base

    def post_order(self, starts: Iterable[int] | Int64, done: Bools | None = None) -> Int64:
        """int64[k]: the past cones of `starts` in white-flag order, parents before children (TIP-2).

        Depth first, parents in stored order, then the vertex itself; starts one after the other. What is `done`
        (bool[window]: referenced before) is not entered. BadIndex outside.
        """
        size = len(self)
        out = np.empty(size, np.int64)
        c = self.columns
        n = cone_kernels.post_order(
            self._slots(starts, "starts"), self._low - self._base, c.back, c.count,
            self._window(done, np.bool_, "done"), np.zeros(size, np.int8), np.empty(size, np.int64), out,
        )  # fmt: skip
        return out[:n] + self._base

    def cone_roots(self, referenced: Int32, outside_root: int) -> tuple[Int32, Int32]:
        """Return the oldest and youngest cone root index of every vertex, both int32[window].

        referenced : int32[window], the milestone that referenced the vertex, 0 for none
        outside_root : milestone taken for parents outside the window, and for a vertex without parents
        """
        marks = self._window(referenced, np.int32, "referenced")
        oldest = np.empty(len(self), np.int32)
        youngest = np.empty(len(self), np.int32)
        low = self._low - self._base
        c = self.columns
        cone_kernels.cone_roots(low, low + len(self), c.back, c.count, marks, int(outside_root), oldest, youngest)
        return oldest, youngest

    # --- inside ---------------------------------------------------------------------------------------------

    def _slot(self, index: int) -> int:
        if not self._low <= index < self._high:
            raise BadIndex("index", f"{index} is not in the window {self._low} … {self._high - 1}")
        return int(index) - self._base

    def _slots(self, indices: Iterable[int] | Int64, argument: str) -> Int64:
        """Return `indices` as fresh slots, or raise BadIndex."""
        given = indices if isinstance(indices, np.ndarray) else list(indices)
        slots = np.array(given, np.int64).reshape(-1) - self._base
        wrong = (slots < self._low - self._base) | (slots >= self._high - self._base)
        if wrong.any():
            index = int(slots[wrong][0]) + self._base
            raise BadIndex(argument, f"{index} is not in the window {self._low} … {self._high - 1}")
        return slots

    def _window(self, given: ArrayLike | None, dtype: DTypeLike, argument: str) -> Any:
        """Return an array over the window as the kernels want it: contiguous, writable, of this type."""
        if given is None:
            return np.zeros(len(self), dtype)
        array = np.require(given, dtype, ["C", "W"])
        if array.shape != (len(self),):
            raise BadSetting(argument, f"one entry for each of {len(self)} vertices expected, not {array.shape}")
        return array

    def _move_anchor(self) -> None:
        """Move the anchor up to a well approved vertex, if there is one that approves the present anchor."""
        c = self.columns
        low, top = self._low - self._base, self._weighed - self._base
        old = self.anchor_slot
        self._anchor_due = self._weighed + self._anchor_distance
        better = kernels.find_anchor(low, top, self._anchor_distance, self._gain, c.flags, c.weights)
        new, self._gain = kernels.move_anchor(
            better, old, low, top, self._gain, c.back, c.count, c.flags, c.mask, c.weights
        )
        if new != old:
            self._anchor = new + self._base
            self._anchor_due = max(self._anchor_due, self._weighed + top - new)

    def _lift_anchor(self) -> None:
        """Do without an anchor for now."""
        c = self.columns
        kernels.thaw(self._low - self._base, self._high - self._base - 1, self._gain, c.flags, c.weights)
        self._anchor = OUTSIDE
        self._anchor_due = self._gain = 0

    def _make_room(self, n: int) -> None:
        """Move the window to the front of larger or fresh arrays when n rows do not fit behind it."""
        top = self._high - self._base
        if top + n <= self.columns.count.size:
            return
        # Half as much again as is alive: a row is copied at most about twice per life, and of a window at rest
        # no more than a third of the memory is unused.
        rows = max(self._capacity, (len(self) + n) * 3 // 2)
        self.columns = self.columns.moved(self._low - self._base, top, rows)
        tips = np.empty(rows, np.int64)
        tips[: self.tip_count] = self._tips[: self.tip_count]
        self._tips = tips
        self._base = self._low

    def _complaint(self, row: int, parents: Int64, counts: Int8) -> str:
        """Say what is wrong with a row that `first_bad_row` found."""
        index = self._high + row
        count = int(counts[row])
        if not 0 <= count <= PARENTS_MAX:
            return f"{count} given for vertex {index}, 0 to {PARENTS_MAX} are possible"
        given = [int(p) for p in parents[row, :count]]
        newer = [p for p in given if p >= index]
        if newer:
            return f"{newer[0]} is not older than its child {index}"
        return f"vertex {index} has the same parent twice in {given}"
