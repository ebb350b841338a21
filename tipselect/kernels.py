"""The compiled functions of the room: growing, weights, hits and walks; those of cones are in cone_kernels.

A kernel calls only kernels of its own file: numba's disk cache notices edits of callees only there.

Kernels take arrays and scalars, write into arrays they are given, never raise and release the GIL. They work on
slots (index - base); the public functions beside them check arguments, allocate and translate.

Links are relative, so that the arrays can be moved without rewriting them:

- `back[s, j]` : how many slots before s its j-th parent lies; 0 for a parent outside the window
- `first[s]`, `last[s]` : link from s to its oldest and newest approver, 0 without one
- `following[s, j]` : link from s to the next approver of its j-th parent, 0 at the end
- a link holds (distance in slots) * 8 + j, where s is the j-th parent's approver at that distance

Slots below `low` have left the window; a parent there counts as outside.

`flags[s]` holds one bit each for FORBIDDEN, LAZY, SEMI_LAZY and FROZEN. Each of the first three bars a slot: no
walk enters it, and to the tip list its approval does not count. The frozen slots are the past cone of one vertex,
the anchor. What approves the anchor approves all of them, so that is counted once, in `gain`: the cumulative
weight of a frozen slot is `weights[s] + gain`, that of any other `weights[s]`.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

PARENTS_MAX = 8
"""parents per vertex; TIP-24"""
FORBIDDEN = 1
"""flag: barred for ever"""
LAZY = 2
"""flag: barred until rated otherwise"""
SEMI_LAZY = 4
"""flag: barred until rated otherwise"""
BARRED = FORBIDDEN | LAZY | SEMI_LAZY
"""any of these: not walked into, no tip, takes nobody's place as a tip"""
FROZEN = 8
"""flag: in the anchor's past cone"""
FAR = 4_096
"""slots below the anchor beyond which a sweep would rather not pass"""
FAR_MAX = 512
"""far slots that one sweep puts off; 64 vertices have no more parents"""
ANCHOR_BAND = 64
"""slots among which a new anchor is chosen, at most"""
ANCHOR_GIVEN_UP = 8
"""times as far behind as a better one that does not approve it"""

UNCOUNTED: dict[str, Any] = {"nogil": True, "_nrt": False}
"""Options of everything compiled. Arrays belong to the caller for the whole of a call, so counting references to
them is in vain and can take a third of the time: `_nrt` leaves it out. What allocates, as no kernel should, does
not compile then."""
kernel = njit(cache=True, **UNCOUNTED)
inlined_kernel = njit(cache=True, inline="always", **UNCOUNTED)
"""for what is called in the innermost loops: handing many arrays over costs as much as using them"""

Bools = NDArray[np.bool_]
Int8 = NDArray[np.int8]
UInt8 = NDArray[np.uint8]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
UInt64 = NDArray[np.uint64]
Float64 = NDArray[np.float64]


@kernel
def popcount(bits: np.uint64) -> int:
    """Return the number of set bits of a uint64. LLVM turns the loop into one instruction."""
    n = 0
    while bits != np.uint64(0):
        bits &= bits - np.uint64(1)
        n += 1
    return n


@kernel
def uniform(state: UInt64) -> float:
    """Draw from [0, 1) by splitmix64 (Steele, Lea, Flood 2014); `state` uint64[1] is moved on."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * 2.0**-53


# --- growing ------------------------------------------------------------------------------------------------


@kernel
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


@kernel
def add_tip(s: int, base: int, tips: Int64, tip_at: Int32, tip_count: Int64) -> None:
    """Put slot s into the tip list."""
    tips[tip_count[0]] = s + base
    tip_at[s] = tip_count[0]
    tip_count[0] += 1


@kernel
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


@kernel
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


@kernel
def change_flags(
    s: int,
    new: int,
    base: int,
    low: int,
    back: Int32,
    count: Int8,
    approvers: Int32,
    flags: UInt8,
    tips: Int64,
    tip_at: Int32,
    tip_count: Int64,
) -> None:
    """Give slot s the flags `new`. When that bars it, or ends that, the tips change: it and its parents."""
    before = flags[s] & BARRED != 0
    after = new & BARRED != 0
    flags[s] = new
    if before == after:
        return
    if after:
        remove_tip(s, base, tips, tip_at, tip_count)
    elif approvers[s] == 0:
        add_tip(s, base, tips, tip_at, tip_count)
    for j in range(count[s]):
        p = s - back[s, j]
        if p == s or p < low:
            continue
        approvers[p] += -1 if after else 1
        if not after:
            remove_tip(p, base, tips, tip_at, tip_count)
        elif approvers[p] == 0 and not flags[p] & BARRED:
            add_tip(p, base, tips, tip_at, tip_count)


@kernel
def forbid(
    slots: Int64,
    base: int,
    low: int,
    back: Int32,
    count: Int8,
    approvers: Int32,
    flags: UInt8,
    tips: Int64,
    tip_at: Int32,
    tip_count: Int64,
) -> None:
    """Forbid slots. A parent that loses its last approver which is not barred is a tip again."""
    for i in range(slots.size):
        s = slots[i]
        new = int(flags[s]) | FORBIDDEN
        change_flags(s, new, base, low, back, count, approvers, flags, tips, tip_at, tip_count)


@kernel
def rate(
    start: int,
    scores: Int8,
    base: int,
    low: int,
    back: Int32,
    count: Int8,
    approvers: Int32,
    flags: UInt8,
    tips: Int64,
    tip_at: Int32,
    tip_count: Int64,
) -> None:
    """Write scores (0 lazy, 1 semi-lazy, 2 neither) into the flags, from slot `start` on."""
    for i in range(scores.size):
        s = start + i
        new = int(flags[s]) & ~(LAZY | SEMI_LAZY)
        if scores[i] < 2:
            new |= LAZY if scores[i] == 0 else SEMI_LAZY
        if new != int(flags[s]):
            change_flags(s, new, base, low, back, count, approvers, flags, tips, tip_at, tip_count)


@kernel
def read_scores(flags: UInt8, out: Int8) -> None:
    """Write the score that each of `flags` stands for: 0 lazy, 1 semi-lazy, 2 neither."""
    for i in range(flags.size):
        out[i] = 0 if flags[i] & LAZY else 1 if flags[i] & SEMI_LAZY else 2


@kernel
def drop(start: int, stop: int, base: int, tips: Int64, tip_at: Int32, tip_count: Int64) -> None:
    """Take the slots of [start, stop) out of the tip list before they leave the window."""
    for s in range(start, stop):
        remove_tip(s, base, tips, tip_at, tip_count)


@kernel
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


@kernel
def poor_tips(low: int, top: int, flag: int, first: Int32, following: Int32, flags: UInt8, out: Int64) -> int:
    """Write the slots with `flag`, not forbidden, whose approvers all are; return how many."""
    n = 0
    for s in range(low, top):
        if flags[s] & (flag | FORBIDDEN) != flag:
            continue
        c = s
        link = first[s]
        while link != 0:
            c += link >> 3
            if not flags[c] & FORBIDDEN:
                break
            link = following[c, link & 7]
        if link == 0:
            out[n] = s
            n += 1
    return n


# --- masks --------------------------------------------------------------------------------------------------


@kernel
def strike_out(slots: Int64, marks: np.uint64, lowest: int, mask: UInt64) -> int:
    """Take `marks` from the masks of `slots`; return the oldest of these that has some left, `lowest` if older."""
    for i in range(slots.size):
        mask[slots[i]] &= ~marks
        if mask[slots[i]] != np.uint64(0) and slots[i] < lowest:
            lowest = slots[i]
    return lowest


@kernel
def sweep(
    lowest: int,
    top: int,
    low: int,
    anchor: int,
    back: Int32,
    count: Int8,
    flags: UInt8,
    mask: UInt64,
    far: Int64,
    sums: NDArray[np.signedinteger[Any]],
    keep: bool,
) -> tuple[np.uint64, int]:
    """Carry 64 marks at once from every slot to its past cone and add to `sums` how many arrive at each.

    Parents are older than their children, so one pass backwards is enough; it begins below `top` and ends with the
    oldest mark. `lowest` is the oldest slot with a mark at first, `anchor` is -1 for none. Marks that reach the
    anchor would reach all that is frozen: they are not carried there, but returned, with the oldest slot that was
    marked. `mask` is left all zero; with `keep` it is left with the marks instead, and `sums` as it was. `far`
    int64[FAR_MAX] is scratch.
    """
    arrived = np.uint64(0)
    far_count = 0
    far_line = anchor - FAR
    slot = top
    while slot > lowest:
        slot -= 1
        if slot == anchor:
            arrived = mask[slot]
            lowest = strike_out(far[:far_count], arrived, lowest, mask)
        # Unsigned indices cannot count from the end, which spares the check for it: twice as fast.
        s = np.uint64(slot)
        # Below the anchor it is a matter of chance which slots are frozen and what is left of their marks: one
        # branch.
        bits = mask[s] & ~(arrived if flags[s] & FROZEN else np.uint64(0))
        mask[s] = bits
        if bits == np.uint64(0):
            continue
        if not keep:
            sums[s] += popcount(bits)
        for j in range(np.uint64(count[s])):
            p = slot - int(back[s, j])
            if p < low:
                continue
            # An outside parent is at distance 0, and its marks go to s itself.
            u = np.uint64(p)
            if p < far_line and flags[u] & FROZEN:
                # Above the anchor nobody knows yet what will arrive there: such slots wait, so that lazy approvers
                # of the distant past do not make every sweep a long one.
                if slot > anchor and far_count < far.size:
                    if mask[u] == np.uint64(0):
                        far[far_count] = p
                        far_count += 1
                        lowest = min(lowest, anchor)
                    mask[u] |= bits
                    continue
                if slot < anchor and bits & ~arrived == np.uint64(0):
                    continue
            mask[u] |= bits
            lowest = min(lowest, p)
        if not keep:
            mask[s] = np.uint64(0)
    return arrived, lowest


@kernel
def add_weights(
    start: int,
    top: int,
    low: int,
    anchor: int,
    back: Int32,
    count: Int8,
    flags: UInt8,
    mask: UInt64,
    far: Int64,
    weights: Int64,
) -> int:
    """Add the slots [start, top) to the weight of themselves and their past cones, 64 in a sweep.

    `weights` is 0 for a vertex not added yet; `mask` uint64[capacity] must be all zero and is left so. Returns
    what frozen slots gain.
    """
    gain = 0
    for batch in range(start, top, 64):
        end = min(batch + 64, top)
        for s in range(batch, end):
            mask[s] = np.uint64(1) << np.uint64(s - batch)
        gain += popcount(sweep(batch, end, low, anchor, back, count, flags, mask, far, weights, False)[0])
    return gain


@kernel
def count_hits(
    tips: Int64,
    top: int,
    low: int,
    anchor: int,
    back: Int32,
    count: Int8,
    flags: UInt8,
    mask: UInt64,
    far: Int64,
    hits: Int32,
) -> None:
    """Add to each slot how many of `tips` (slots, repeats allowed) have it in their past cone."""
    gain = 0
    for batch in range(0, tips.size, 64):
        end = min(batch + 64, tips.size)
        oldest = top
        for i in range(batch, end):
            mask[tips[i]] |= np.uint64(1) << np.uint64(i - batch)
            oldest = min(oldest, tips[i])
        gain += popcount(sweep(oldest, top, low, anchor, back, count, flags, mask, far, hits, False)[0])
    for s in range(low, anchor + 1):
        if flags[s] & FROZEN:
            hits[s] += gain


@kernel
def add_chances(
    tips: Int64, chances: Float64, top: int, low: int, back: Int32, count: Int8, mask: UInt64, out: Float64
) -> None:
    """Add to each slot the sum of `chances` of those `tips` (distinct slots) that have it in their past cone."""
    for batch in range(0, tips.size, 64):
        size = min(64, tips.size - batch)
        whole = 0.0
        for i in range(size):
            mask[tips[batch + i]] = np.uint64(1) << np.uint64(i)
            whole += chances[batch + i]
        every = ~np.uint64(0) >> np.uint64(64 - size)
        for slot in range(top - 1, low - 1, -1):
            s = np.uint64(slot)
            bits = mask[s]
            if bits == np.uint64(0):
                continue
            for j in range(np.uint64(count[s])):
                p = slot - np.int64(back[s, j])
                if p >= low:
                    mask[np.uint64(p)] |= bits
            mask[s] = np.uint64(0)
            if bits == every:
                out[s] += whole
                continue
            while bits != np.uint64(0):
                out[s] += chances[batch + popcount((bits & (~bits + np.uint64(1))) - np.uint64(1))]
                bits &= bits - np.uint64(1)


# --- the anchor ---------------------------------------------------------------------------------------------


@kernel
def find_anchor(low: int, top: int, nearest: int, gain: int, flags: UInt8, weights: Int64) -> int:
    """Return a slot that at least half of all newer ones approve, -1 for none.

    Looked at are the heaviest of some slots that are `nearest` slots behind the newest, twice that, and so on.
    """
    distance = nearest
    while top - distance - min(ANCHOR_BAND, distance) >= low:
        best = -1
        most = np.int64(0)
        for s in range(top - distance - min(ANCHOR_BAND, distance), top - distance):
            weight = weights[s] + (gain if flags[s] & FROZEN else 0)
            if weight > most:
                best = s
                most = weight
        if 2 * (most - 1) >= top - 1 - best:
            return best
        distance *= 2
    return -1


@kernel
def approves(newer: int, older: int, back: Int32, count: Int8, mask: UInt64) -> bool:
    """Tell whether slot `newer` approves `older`, directly or not. `mask` must be all zero and is left so."""
    mask[newer] = 1
    for s in range(newer, older, -1):
        if mask[s] == np.uint64(0):
            continue
        mask[s] = 0
        for j in range(count[s]):
            p = s - back[s, j]
            if p != s and p >= older:
                mask[p] = 1
    found = mask[older]
    mask[older] = 0
    return bool(found)


@kernel
def freeze(
    anchor: int, low: int, gain: int, back: Int32, count: Int8, flags: UInt8, mask: UInt64, weights: Int64
) -> None:
    """Freeze the past cone of `anchor`; what is frozen there must be all of its own past cone."""
    mask[anchor] = 1
    lowest = anchor
    s = anchor + 1
    while s > lowest:
        s -= 1
        if mask[s] == np.uint64(0):
            continue
        mask[s] = 0
        flags[s] |= FROZEN
        weights[s] -= gain
        for j in range(count[s]):
            p = s - back[s, j]
            if p != s and p >= low and not flags[p] & FROZEN:
                mask[p] = 1
                lowest = min(lowest, p)


@kernel
def thaw(low: int, anchor: int, gain: int, flags: UInt8, weights: Int64) -> None:
    """Take the flag FROZEN and its meaning away from the slots low <= s <= anchor."""
    for s in range(low, anchor + 1):
        if flags[s] & FROZEN:
            flags[s] &= ~np.uint8(FROZEN)
            weights[s] += gain


@kernel
def move_anchor(
    new: int,
    old: int,
    low: int,
    top: int,
    gain: int,
    back: Int32,
    count: Int8,
    flags: UInt8,
    mask: UInt64,
    weights: Int64,
) -> tuple[int, int]:
    """Move the anchor from `old`, -1 for none, to `new`, a better one if it is newer.

    Returns the anchor and the gain, which is 0 again when the old anchor had to be given up. Weights are up to
    date below `top`.
    """
    if new <= old:
        return old, gain
    if old >= 0 and not approves(new, old, back, count, mask):
        # A branch that loses may hold the anchor: it is given up when it has fallen far behind. That takes a
        # sweep of the window, hence not at once.
        if top - old < ANCHOR_GIVEN_UP * (top - new):
            return old, gain
        thaw(low, top - 1, gain, flags, weights)
        gain = 0
    freeze(new, low, gain, back, count, flags, mask, weights)
    return new, gain


@kernel
def read_weights(low: int, top: int, gain: int, flags: UInt8, weights: Int64, out: Int64) -> None:
    """Write the cumulative weights of the slots [low, top)."""
    for s in range(low, top):
        out[s - low] = weights[s] + (gain if flags[s] & FROZEN else 0)


# --- walks --------------------------------------------------------------------------------------------------


@kernel
def ways(s: int, first: Int32, following: Int32, gain: int, flags: UInt8, weights: Int64) -> tuple[int, Any]:
    """Return how many approvers of s are not barred, and the greatest weight among them."""
    n = 0
    most = np.int64(0)
    c = s
    link = first[s]
    while link != 0:
        c += link >> 3
        if not flags[c] & BARRED:
            n += 1
            most = max(most, weights[c] + (gain if flags[c] & FROZEN else 0))
        link = following[c, link & 7]
    return n, most


@inlined_kernel
def step(
    s: int,
    alpha: float,
    decay: Float64,
    first: Int32,
    following: Int32,
    approvers: Int32,
    gain: int,
    flags: UInt8,
    weights: Int64,
    mask: UInt64,
    seen: np.uint64,
    state: UInt64,
) -> Any:
    """Return the slot a walker on s goes to, s itself on a tip.

    Approver y is taken with probability proportional to exp(-alpha (H(s) - H(y))) (Popov 2018, section 4.1). One
    pass does: each approver met takes the place of the one chosen so far with its share of all terms up to it
    (reservoir sampling; Chao 1982), which takes a random number each; with alpha = 0 one is enough. Terms are
    relative to the heaviest met, so that nothing overflows.

    `decay` : float64[n], exp(-alpha d) for the first n differences of weight
    `seen` : marks of a sweep under way that count beside the weights (and beside `gain`, which is to include them)
    """
    ways = approvers[np.uint64(s)]
    if ways == 0:
        return s
    left = 0
    if alpha == 0.0 and ways > 1:
        left = int(uniform(state) * ways)
    chosen = s
    heaviest_met = np.int64(0)
    total = 0.0
    c = s
    # Unsigned indices cannot count from the end, which spares the check for it.
    link = first[np.uint64(s)]
    while link != 0:
        c += link >> 3
        flag = flags[np.uint64(c)]
        if not flag & BARRED:
            if alpha == 0.0:
                if left == 0:
                    return c
                left -= 1
            else:
                weight = weights[np.uint64(c)] + (gain if flag & FROZEN else 0)
                if seen != np.uint64(0):
                    weight += popcount(mask[np.uint64(c)] & seen)
                if total == 0.0:
                    chosen = c
                    heaviest_met = weight
                    total = 1.0
                else:
                    more = weight - heaviest_met
                    apart = np.uint64(abs(more))
                    term = decay[apart] if apart < decay.size else math.exp(-alpha * apart)
                    # No branches here: which way they go is a matter of chance, and guessing wrong costs more.
                    total = 1.0 + total * term if more > 0 else total + term
                    term = 1.0 if more > 0 else term
                    heaviest_met = max(heaviest_met, weight)
                    chosen = c if uniform(state) * total < term else chosen
        link = following[np.uint64(c), np.uint64(link & 7)]
    return chosen


@inlined_kernel
def walks(
    entries: Int64,
    begin: int,
    end: int,
    alpha: float,
    decay: Float64,
    first: Int32,
    following: Int32,
    approvers: Int32,
    gain: int,
    flags: UInt8,
    weights: Int64,
    mask: UInt64,
    seen: np.uint64,
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
            c = step(s, alpha, decay, first, following, approvers, gain, flags, weights, mask, seen, state)
            if c == s:
                break
            s = c
            steps += 1
        out_tip[i] = s
        out_steps[i] = steps


@kernel
def flow(
    lowest: int,
    top: int,
    alpha: float,
    first: Int32,
    following: Int32,
    gain: int,
    flags: UInt8,
    weights: Int64,
    mass: Float64,
) -> None:
    """Carry the probability to be there from every slot to its approvers; what reaches a tip stays there.

    `mass` float64[top] holds the chances of the entry points, the oldest at `lowest`; afterwards the chance of
    each slot to be passed or ended on by a walk. One pass forward, because approvers are newer.
    """
    for s in range(lowest, top):
        if mass[s] == 0.0:
            continue
        n, most = ways(s, first, following, gain, flags, weights)
        total = 0.0
        for last_pass in range(2):
            c = s
            link = first[s] if n > 0 else 0
            while link != 0:
                c += link >> 3
                if not flags[c] & BARRED:
                    weight = weights[c] + (gain if flags[c] & FROZEN else 0)
                    term = math.exp(-alpha * (most - weight))
                    if last_pass == 0:
                        total += term
                    else:
                        mass[c] += mass[s] * (term / total)
                link = following[c, link & 7]


@kernel
def settled(
    start: int, stop: int, top: int, unit: float, gain: int, flags: UInt8, weights: Int64, out: Int64
) -> int:
    """Write the slots of [start, stop), not barred, that half of all newer vertices approve; return how many.

    `unit` is what a vertex adds to the weight of those it approves, on the average.
    """
    n = 0
    for s in range(start, stop):
        weight = weights[s] + (gain if flags[s] & FROZEN else 0)
        if not flags[s] & BARRED and 2 * (weight - unit) >= unit * (top - 1 - s):
            out[n] = s
            n += 1
    return n


@kernel
def heaviest(low: int, top: int, gain: int, flags: UInt8, weights: Int64) -> int:
    """Return the slot of the greatest weight that is not barred, the oldest of several; -1 when all are barred."""
    best = -1
    most = np.int64(0)
    for s in range(low, top):
        weight = weights[s] + (gain if flags[s] & FROZEN else 0)
        if not flags[s] & BARRED and (best < 0 or weight > most):
            best = s
            most = weight
    return best


@inlined_kernel
def finish(
    entry: Int64,
    tip: Int64,
    steps: Int32,
    walkers: int,
    top: int,
    fast_ratio: float,
    keep_fast: bool,
    pace: Float64,
    order: Int64,
    out: Int64,
) -> int:
    """Write the distinct tips of a race in the order of arrival, as many as `out` holds; return how many.

    A walker's pace is its steps per vertex between its entry and the newest; one below `fast_ratio` times the
    median pace (the upper one of an even number) came suspiciously fast. Such walkers are left out, or with
    `keep_fast` come last. Equal steps: the walker sent first is ahead. Scratch, at least as long as there are
    walkers: `pace` float64, `order` int64.
    """
    least = 0.0
    if fast_ratio > 0.0:
        for i in range(walkers):
            found = steps[i] / (top - entry[i])
            at = i
            while at > 0 and pace[at - 1] > found:
                pace[at] = pace[at - 1]
                at -= 1
            pace[at] = found
        least = fast_ratio * pace[walkers // 2]
    for i in range(walkers):
        at = i
        while at > 0 and steps[order[at - 1]] > steps[i]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = i
    n = 0
    for late in range(2 if keep_fast else 1):
        for at in range(walkers):
            i = order[at]
            if n == out.size:
                return n
            fast = least > 0.0 and steps[i] / (top - entry[i]) < least
            if fast != (late == 1):
                continue
            known = False
            for m in range(n):
                known = known or out[m] == tip[i]
            if not known:
                out[n] = tip[i]
                n += 1
    return n


@kernel
def race(
    entries: Int64,
    walkers: int,
    rounds: int,
    fast_ratio: float,
    alpha: float,
    decay: Float64,
    top: int,
    first: Int32,
    following: Int32,
    approvers: Int32,
    gain: int,
    flags: UInt8,
    weights: Int64,
    mask: UInt64,
    seen: np.uint64,
    state: UInt64,
    entry: Int64,
    tip: Int64,
    steps: Int32,
    pace: Float64,
    order: Int64,
    out: Int64,
) -> Any:
    """Let walkers race, `walkers` at a time, until `out` is full of distinct tips; return how many were found.

    After `rounds` times as many the fast ones are let in, too. Scratch for all of them: `entry`, `tip`, `steps`,
    `pace`, `order`.
    """
    for sent in range(walkers, walkers * rounds + 1, walkers):
        walks(
            entries, sent - walkers, sent, alpha, decay, first, following, approvers, gain, flags, weights, mask,
            seen, state, entry, tip, steps,
        )  # fmt: skip
        n = finish(entry, tip, steps, sent, top, fast_ratio, False, pace, order, out)
        if n == out.size:
            return n
    return finish(entry, tip, steps, walkers * rounds, top, fast_ratio, True, pace, order, out)
