"""Every compiled function of the room, in one file: numba's disk cache notices edits of callees only there.

Kernels take arrays and scalars, write into arrays they are given, never raise and release the GIL. They work on
slots (index - base); the public functions beside them check arguments, allocate and translate.

Links are relative, so that the arrays can be moved without rewriting them:

- `back[s, j]` : how many slots before s its j-th parent lies; 0 for a parent outside the window
- `first[s]`, `last[s]` : link from s to its oldest and newest approver, 0 without one
- `following[s, j]` : link from s to the next approver of its j-th parent, 0 at the end
- a link holds (distance in slots) * 8 + j, where s is the j-th parent's approver at that distance

Slots below `low` have left the window; a parent there counts as outside.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

PARENTS_MAX = 8
"""parents per vertex; TIP-24"""

Bools = NDArray[np.bool_]
Int8 = NDArray[np.int8]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
UInt64 = NDArray[np.uint64]
Float64 = NDArray[np.float64]


@njit(cache=True, nogil=True)
def popcount(bits: np.uint64) -> int:
    """Return the number of set bits of a uint64. LLVM turns the loop into one instruction."""
    n = 0
    while bits != np.uint64(0):
        bits &= bits - np.uint64(1)
        n += 1
    return n


@njit(cache=True, nogil=True)
def uniform(state: UInt64) -> float:
    """Draw from [0, 1) by splitmix64 (Steele, Lea, Flood 2014); `state` uint64[1] is moved on."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * 2.0**-53


# --- growing ------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def first_bad_row(parents: Int64, counts: Int8, start: int, low: int) -> int:
    """Return the first row that no vertex can have as parents, -1 when all are good. Row i becomes start + i."""
    for i in range(counts.size):
        if counts[i] < 0 or counts[i] > PARENTS_MAX:
            return i
        for j in range(counts[i]):
            p = parents[i, j]
            if p >= start + i:
                return i
            for m in range(j):
                if p >= low and parents[i, m] == p:
                    return i
    return -1


@njit(cache=True, nogil=True)
def add_tip(s: int, base: int, tips: Int64, tip_at: Int32, tip_count: Int64) -> None:
    """Put slot s into the tip list."""
    tips[tip_count[0]] = s + base
    tip_at[s] = tip_count[0]
    tip_count[0] += 1


@njit(cache=True, nogil=True)
def remove_tip(s: int, base: int, tips: Int64, tip_at: Int32, tip_count: Int64) -> None:
    """Take slot s out of the tip list, if it is there; the last tip takes its place."""
    at = tip_at[s]
    if at < 0:
        return
    tip_count[0] -= 1
    moved = tips[tip_count[0]]
    tips[at] = moved
    tip_at[moved - base] = at
    tip_at[s] = -1


@njit(cache=True, nogil=True)
def attach(
    parents: Int64,
    counts: Int8,
    base: int,
    low: int,
    top: int,
    back: Int32,
    count: Int8,
    first: Int32,
    last: Int32,
    following: Int32,
    approvers: Int32,
    tips: Int64,
    tip_at: Int32,
    tip_count: Int64,
) -> None:
    """Write one vertex per row into the slots from `top` on, link it to its parents and update the tips.

    `parents` int64[n, 8] holds absolute indices; the slots written to must be fresh (all zero).
    """
    for i in range(counts.size):
        s = top + i
        count[s] = counts[i]
        add_tip(s, base, tips, tip_at, tip_count)
        for j in range(counts[i]):
            p = parents[i, j] - base
            if p < low:
                continue
            back[s, j] = s - p
            if first[p] == 0:
                first[p] = (s - p) * 8 + j
            else:
                newest = p + (last[p] >> 3)
                following[newest, last[p] & 7] = (s - newest) * 8 + j
            last[p] = (s - p) * 8 + j
            approvers[p] += 1
            remove_tip(p, base, tips, tip_at, tip_count)


@njit(cache=True, nogil=True)
def forbid(
    slots: Int64,
    base: int,
    low: int,
    back: Int32,
    count: Int8,
    approvers: Int32,
    forbidden: Bools,
    tips: Int64,
    tip_at: Int32,
    tip_count: Int64,
) -> None:
    """Forbid slots. A parent that loses its last allowed approver is a tip again."""
    for i in range(slots.size):
        s = slots[i]
        if forbidden[s]:
            continue
        forbidden[s] = True
        remove_tip(s, base, tips, tip_at, tip_count)
        for j in range(count[s]):
            p = s - back[s, j]
            if p == s or p < low:
                continue
            approvers[p] -= 1
            if approvers[p] == 0 and not forbidden[p]:
                add_tip(p, base, tips, tip_at, tip_count)


@njit(cache=True, nogil=True)
def drop(start: int, stop: int, base: int, tips: Int64, tip_at: Int32, tip_count: Int64) -> None:
    """Take the slots of [start, stop) out of the tip list before they leave the window."""
    for s in range(start, stop):
        remove_tip(s, base, tips, tip_at, tip_count)


@njit(cache=True, nogil=True)
def children(s: int, first: Int32, following: Int32, out: Int64) -> int:
    """Write the approvers of slot s, oldest first, as far as `out` has room; return how many there are."""
    n = 0
    c = s
    link = first[s]
    while link != 0:
        c += link >> 3
        if n < out.size:
            out[n] = c
        n += 1
        link = following[c, link & 7]
    return n


# --- cones and order ----------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def past_cone(starts: Int64, low: int, back: Int32, count: Int8, stop: Bools, mark: Bools, out: Int64) -> int:
    """Write the slots reachable from `starts` through parents, newest first; return how many.

    `stop` and `mark` bool[window] are indexed by slot - low. What is stopped is not entered; `mark` must be all
    false and is left with the cone. The sweep ends as soon as nothing marked is left below it.
    """
    waiting = 0
    s = low
    for i in range(starts.size):
        at = starts[i] - low
        if not stop[at] and not mark[at]:
            mark[at] = True
            waiting += 1
            s = max(s, starts[i])
    n = 0
    while waiting > 0:
        if mark[s - low]:
            waiting -= 1
            out[n] = s
            n += 1
            for j in range(count[s]):
                p = s - back[s, j]
                if p != s and p >= low and not mark[p - low] and not stop[p - low]:
                    mark[p - low] = True
                    waiting += 1
        s -= 1
    return n


@njit(cache=True, nogil=True)
def future_cone(start: int, top: int, back: Int32, count: Int8, mark: Bools, out: Int64) -> int:
    """Write the slots that approve `start`, directly or not, and itself, oldest first; return how many.

    `mark` bool[top - start] must be all false and is left with the cone.
    """
    mark[0] = True
    out[0] = start
    n = 1
    for s in range(start + 1, top):
        for j in range(count[s]):
            p = s - back[s, j]
            if p != s and p >= start and mark[p - start]:
                mark[s - start] = True
                out[n] = s
                n += 1
                break
    return n


@njit(cache=True, nogil=True)
def cone_roots(
    low: int,
    top: int,
    back: Int32,
    count: Int8,
    referenced: Int32,
    outside_root: int,
    out_oldest: Int32,
    out_youngest: Int32,
) -> None:
    """Write the oldest and youngest cone root of each slot; arrays int32[window] are indexed by slot - low.

    A referenced vertex is its own root; another has the extremes of its parents; outside parents, and the lack
    of any, count as `outside_root`.
    """
    for s in range(low, top):
        at = s - low
        if referenced[at] > 0:
            out_oldest[at] = referenced[at]
            out_youngest[at] = referenced[at]
            continue
        oldest = outside_root
        youngest = outside_root
        for j in range(count[s]):
            p = s - back[s, j]
            inside = p != s and p >= low
            old = out_oldest[p - low] if inside else outside_root
            young = out_youngest[p - low] if inside else outside_root
            oldest = old if j == 0 else min(oldest, old)
            youngest = young if j == 0 else max(youngest, young)
        out_oldest[at] = oldest
        out_youngest[at] = youngest


@njit(cache=True, nogil=True)
def post_order(
    starts: Int64,
    low: int,
    back: Int32,
    count: Int8,
    done: Bools,
    cursor: Int8,
    stack: Int64,
    out: Int64,
) -> int:
    """Write slots in depth-first post-order over parents, first parent first (TIP-2); return how many.

    `done` bool[window] is not entered. Scratch: `cursor` int8[window], all zero, counts the parents looked at plus
    one (0: not yet seen); `stack` int64[window].
    """
    n = 0
    for i in range(starts.size):
        if done[starts[i] - low] or cursor[starts[i] - low] != 0:
            continue
        stack[0] = starts[i]
        cursor[starts[i] - low] = 1
        depth = 1
        while depth > 0:
            s = stack[depth - 1]
            j = cursor[s - low] - 1
            if j == count[s]:
                out[n] = s
                n += 1
                depth -= 1
                continue
            cursor[s - low] += 1
            p = s - back[s, j]
            if p != s and p >= low and not done[p - low] and cursor[p - low] == 0:
                cursor[p - low] = 1
                stack[depth] = p
                depth += 1
    return n


# --- masks --------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def sweep(
    low: int, top: int, back: Int32, count: Int8, mask: UInt64, sums: NDArray[np.signedinteger[Any]]
) -> None:
    """Carry 64 marks at once from every slot to its past cone and add to `sums` how many arrive at each.

    Parents are older than their children, so one pass backwards is enough. `mask` is left all zero.
    """
    for i in range(top - low):
        # Unsigned indices cannot count from the end, which spares the check for it: twice as fast.
        s = np.uint64(top - 1 - i)
        bits = mask[s]
        if bits == np.uint64(0):
            continue
        sums[s] += popcount(bits)
        for j in range(np.uint64(count[s])):
            p = np.int64(s) - np.int64(back[s, j])
            if p >= low:
                mask[np.uint64(p)] |= bits
        # Only now, because an outside parent is at distance 0: its bits went to s itself.
        mask[s] = np.uint64(0)


@njit(cache=True, nogil=True)
def add_weights(start: int, top: int, low: int, back: Int32, count: Int8, mask: UInt64, weights: Int64) -> None:
    """Add the slots [start, top) to the weight of themselves and their past cones, 64 in a sweep.

    `weights` is 0 for a vertex not added yet; `mask` uint64[capacity] must be all zero and is left so.
    """
    for batch in range(start, top, 64):
        end = min(batch + 64, top)
        for s in range(batch, end):
            mask[s] = np.uint64(1) << np.uint64(s - batch)
        sweep(low, end, back, count, mask, weights)


@njit(cache=True, nogil=True)
def count_hits(tips: Int64, low: int, top: int, back: Int32, count: Int8, mask: UInt64, hits: Int32) -> None:
    """Add to each slot how many of `tips` (slots, repeats allowed) have it in their past cone."""
    for batch in range(0, tips.size, 64):
        end = min(batch + 64, tips.size)
        for i in range(batch, end):
            mask[tips[i]] |= np.uint64(1) << np.uint64(i - batch)
        sweep(low, top, back, count, mask, hits)


# --- walks --------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def step(
    s: int, alpha: float, first: Int32, following: Int32, weights: Int64, forbidden: Bools, state: UInt64
) -> Any:
    """Return the slot a walker on s goes to, s itself on a tip. A forced step draws no random number.

    Approver y is taken with probability proportional to exp(-alpha (H(s) - H(y))) (Popov 2018, section 4.1). The
    greatest exponent is subtracted, so that nothing overflows and at least one term is 1.
    """
    allowed = 0
    heaviest = np.int64(0)
    chosen = s
    c = s
    link = first[s]
    while link != 0:
        c += link >> 3
        if not forbidden[c]:
            allowed += 1
            heaviest = max(heaviest, weights[c])
            chosen = c
        link = following[c, link & 7]
    if allowed <= 1:
        return chosen
    total = 0.0
    for last_pass in range(2):
        threshold = uniform(state) * total if last_pass == 1 else math.inf
        running = 0.0
        c = s
        link = first[s]
        while link != 0:
            c += link >> 3
            if not forbidden[c]:
                running += math.exp(-alpha * (heaviest - weights[c]))
                if running > threshold:
                    return c
            link = following[c, link & 7]
        total = running
    return chosen


@njit(cache=True, nogil=True)
def walks(
    entries: Int64,
    begin: int,
    end: int,
    alpha: float,
    first: Int32,
    following: Int32,
    weights: Int64,
    forbidden: Bools,
    state: UInt64,
    out_entry: Int64,
    out_tip: Int64,
    out_steps: Int32,
) -> None:
    """Send walkers begin <= i < end, one after the other, each from a random one of `entries` to a tip."""
    for i in range(begin, end):
        s = entries[np.int64(uniform(state) * entries.size)]
        out_entry[i] = s
        steps = 0
        while True:
            c = step(s, alpha, first, following, weights, forbidden, state)
            if c == s:
                break
            s = c
            steps += 1
        out_tip[i] = s
        out_steps[i] = steps


@njit(cache=True, nogil=True)
def settled(start: int, stop: int, top: int, weights: Int64, forbidden: Bools, out: Int64) -> int:
    """Write the allowed slots of [start, stop) that half of all newer vertices approve; return how many."""
    n = 0
    for s in range(start, stop):
        if not forbidden[s] and 2 * (weights[s] - 1) >= top - 1 - s:
            out[n] = s
            n += 1
    return n


@njit(cache=True, nogil=True)
def heaviest(low: int, top: int, weights: Int64, forbidden: Bools) -> int:
    """Return the allowed slot of the greatest weight, the oldest of several; -1 when all are forbidden."""
    best = -1
    for s in range(low, top):
        if not forbidden[s] and (best < 0 or weights[s] > weights[best]):
            best = s
    return best


@njit(cache=True, nogil=True)
def finish(
    entry: Int64,
    tip: Int64,
    steps: Int32,
    walkers: int,
    top: int,
    fast_ratio: float,
    keep_fast: bool,
    pace: Float64,
    out: Int64,
) -> int:
    """Write the distinct tips of a race in the order of arrival, as many as `out` holds; return how many.

    A walker's pace is its steps per vertex between its entry and the newest; one below `fast_ratio` times the
    median pace (the upper one of an even number) came suspiciously fast. Such walkers are left out, or with
    `keep_fast` come last. Equal steps: the walker sent first is ahead. `pace` float64[walkers] is scratch.
    """
    for i in range(walkers):
        pace[i] = steps[i] / (top - entry[i])
    least = fast_ratio * np.sort(pace[:walkers])[walkers // 2]
    order = np.argsort(steps[:walkers], kind="mergesort")
    n = 0
    for late in range(2 if keep_fast else 1):
        for at in range(walkers):
            i = order[at]
            if n == out.size or (pace[i] < least) != (late == 1):
                continue
            known = False
            for m in range(n):
                known = known or out[m] == tip[i]
            if not known:
                out[n] = tip[i]
                n += 1
    return n
