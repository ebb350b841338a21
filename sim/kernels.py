"""The compiled loop: blocks are issued one after the other, each upon tips of what its agent had received by then.

Every agent has a view of its own, a graph in the layout of tipselect, grown, weighed and walked by the very
kernels that a node runs. Here is what a node does not have: model time, messages on their way, many views at once.

Views. All views lie behind one another in the same arrays: view v has the rows [v rows, (v + 1) rows). Links are
relative, so the kernels of tipselect do not notice. Absolute indices count what the view has received, in order.

Messages. Whoever issues a block knows when each view will have received it: after its delay, when the network is
whole again, and not before its parents. So each view has one queue in the order of that time, and delivering is
taking from its front.

Weights are exact whenever they are read, for less than a sweep per block: up to 64 blocks at once are marked and
swept, those that have come since and, as their parents are known, those that are on their way, whenever and in
whatever order they will come. The marks stay in `mask`, and the marks of those that have come count beside the
weights until the batch is settled. What comes without being in the batch is late, and opens a new one.

Kernels of another file are compiled into these. numba's disk cache would not notice a change of theirs, so the
entry points carry the fingerprint of that file in a closure, which is part of the cache's key; what they call here
is not cached by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from tangle.sim.recipes import (
    AGE,
    ALPHA,
    ANY,
    DEPTH,
    E_IOTA,
    FAST_RATIO,
    G_IOTA,
    HYBRID,
    KIND,
    LOW_ALPHA,
    LOW_SHARE,
    SWIPE_ALPHA,
    UNIFORM,
    WALKERS,
    ZERO_SHARE,
)
from tangle.tipselect import kernels
from tangle.tipselect.kernels import UNCOUNTED, Bools, Float64, Int8, Int32, Int64, UInt8, UInt64
from tangle.tipselect.walk import ROUNDS

BASE, LOW, HIGH, WEIGHED, ANCHOR, DUE, GAIN, TIPS = range(8)
"""columns of Views.state as in tipselect.graph.State. WEIGHED is where blocks begin that are neither weighed, in
the batch, nor late; TIPS is unused, see Views.tip_count"""
BATCHED, LATE, LOWEST, ENTRIES, ENTRIES_DUE, HEAD, TAIL = range(8, 15)
"""further columns: how many blocks are in the batch, and how many are late; the oldest that is marked; entry
points, the queue"""
STATE_SIZE = 15
LOOKAHEAD = 64
"""blocks marked at once, one bit each; rows kept free for them"""
ANCHOR_EVERY = 256
"""blocks after which a better anchor is looked for"""
ANCHOR_MARGIN = 5
"""quarters of the distance of the newest possible anchor, to take one that new blocks do not pass by"""
ANCHOR_BATCH = 4
"""blocks that a batch needs to tell of an anchor"""
RETRIES = 8
"""selections made until one holds no conflict"""
QUIET = 256
"""blocks that may wait in the queue of a view that nobody looks at"""
ISSUE, SELECT, INSPECT = range(3)
"""what `run` is to do"""
NOBODY = np.empty(0, np.int32)
"""issuers, where nothing is issued"""
NO_TRAVELS = np.empty((0, 0))
"""delays, where nothing is issued or they are fixed"""
MARKED = -2
"""in Views.local: the block is on its way, and the first of the batch; -3 is the second, and so on"""
DONE, ASK, FULL = range(3)
"""why `advance` returns: all issued, a block of somebody who is not compiled, a queue that has to grow"""


# What is called for every block is inlined, since handing so many arrays over costs as much as using them. See
# tipselect.kernels.UNCOUNTED for the options.
inlined = njit(inline="always", **UNCOUNTED)
called = njit(**UNCOUNTED)
entry_point = njit(cache=True, **UNCOUNTED)


class Record(NamedTuple):
    """What is kept of every block, by its number.

    times : float64[n]
    issuers : int16[n]
    parents : int32[n, k], -1 where there is none
    first : int32[n], the first block that approves it, -1 without one
    tips : int32[n], tips of the whole Tangle after the block
    sides : uint8[n], sides of a conflict that it approves; uint8[0] without a conflict
    """

    times: Float64
    issuers: Any
    parents: Int32
    first: Int32
    tips: Int32
    sides: UInt8


class Views(NamedTuple):
    """What agents have received. Columns as in tipselect.columns, one view behind the other.

    ids : int32[views * rows], the number of the block in each row
    tips, tip_count : int64[views, rows], int64[views]
    state : int64[views, STATE_SIZE]
    batch : int32[views, 64], the block that each bit of the marks stands for
    marks : uint64[views, 64], the marks of those of them that are on their way
    arrived : uint64[views], marks that reached the anchor
    seen, settled : uint64[views], marks of what has come, and of what is in the weights
    late : int64[views, 64], absolute indices of what has come since and is not in the batch
    entries : int64[views, n], entry points of walks, as rows
    queue_time, queue_id : float64, int32 [views, n], blocks on their way, in the order of arrival
    received : float64[views, ring], when the view receives block b, at b modulo ring; infinite while withheld
    local : int64[views, ring], its absolute index in the view; before it is received -1, or -2 - bit in the batch
    """

    back: Int32
    following: Int32
    counts: Int8
    first: Int32
    last: Int32
    approvers: Int32
    flags: UInt8
    weights: Int64
    mask: UInt64
    tip_at: Int32
    ids: Int32
    tips: Int64
    tip_count: Int64
    state: Int64
    batch: Int32
    marks: UInt64
    arrived: UInt64
    seen: UInt64
    settled: UInt64
    late: Int64
    entries: Int64
    queue_time: Float64
    queue_id: Int32
    received: Float64
    local: Int64


class Rules(NamedTuple):
    """The scenario as numbers.

    recipes : float64[views, RECIPE_SIZE]
    decays : float64[views, 2, DECAY_SIZE], see walk.decay, of the alpha and of the other alpha
    compiled : bool[views], false for whoever is asked in Python
    delays : float64[views, views], mean from issuer to view
    spans, groups : see arrivals.groups_of
    window : blocks a view keeps
    parents : k, tips that are selected; blocks that were there before can have more
    unit : mean own weight
    """

    recipes: Float64
    decays: Float64
    compiled: Bools
    delays: Float64
    spans: Float64
    groups: Int32
    window: int
    parents: int
    unit: float


class Scratch(NamedTuple):
    """Memory for one selection at a time, and the random state of all."""

    random: UInt64
    row: Int64
    one: Int8
    entry: Int64
    tip: Int64
    steps: Int32
    pace: Float64
    order: Int64
    out: Int64
    other: Int64
    far: Int64
    no_travel: Float64


# --- messages -----------------------------------------------------------------------------------------------


@inlined
def enqueue(v: int, time: float, block: int, views: Views) -> bool:
    """Put a block into the queue of a view, by time and then number; false when there is no room.

    Many wait for the end of a split, or for the same parent; what is released late may have a smaller number.
    """
    state = views.state
    if state[v, TAIL] == views.queue_id.shape[1]:
        head, n = state[v, HEAD], state[v, TAIL] - state[v, HEAD]
        if 2 * n > views.queue_id.shape[1]:
            return False
        for i in range(n):
            views.queue_time[v, i] = views.queue_time[v, head + i]
            views.queue_id[v, i] = views.queue_id[v, head + i]
        state[v, HEAD], state[v, TAIL] = 0, n
    i = state[v, TAIL]
    while i > state[v, HEAD] and (
        views.queue_time[v, i - 1] > time
        or (views.queue_time[v, i - 1] == time and views.queue_id[v, i - 1] > block)
    ):
        views.queue_time[v, i] = views.queue_time[v, i - 1]
        views.queue_id[v, i] = views.queue_id[v, i - 1]
        i -= 1
    views.queue_time[v, i] = time
    views.queue_id[v, i] = block
    state[v, TAIL] += 1
    return True


@inlined
def arrival(
    v: int, block: int, issuer: int, sent: float, travel: float, r: Record, views: Views, rules: Rules
) -> float:
    """Return when view v receives a block sent at a time: not through a split, and not before its parents."""
    time = sent + rules.delays[issuer, v] * travel
    for i in range(rules.spans.shape[0]):
        mine, yours = rules.groups[i, issuer], rules.groups[i, v]
        if mine != yours and mine >= 0 and yours >= 0 and time >= rules.spans[i, 0] and sent < rules.spans[i, 1]:
            time = max(time, rules.spans[i, 1])
    ring = views.received.shape[1]
    for j in range(r.parents.shape[1]):
        p = r.parents[block, j]
        if p >= 0 and block - p < ring:
            time = max(time, views.received[v, p & (ring - 1)])
    return time


@inlined
def write_row(v: int, block: int, slot: int, r: Record, views: Views, row: Int64) -> int:
    """Write a block's absolute parents in view v into row[0], their distances into its slot; return the count.

    A parent that has left the window, or is outside of the ring, is outside.
    """
    state = views.state
    ring = views.local.shape[1]
    base = state[v, BASE] - v * (views.ids.size // state.shape[0])
    n = 0
    for j in range(r.parents.shape[1]):
        p = r.parents[block, j]
        if p < 0:
            continue
        index = np.int64(-1)
        if block - p < ring:
            index = views.local[v, p & (ring - 1)]
        row[0, n] = index
        views.back[slot, n] = slot - (index - base) if index >= state[v, LOW] else 0
        n += 1
    views.counts[slot] = n
    return n


@inlined
def deliver(v: int, now: float, r: Record, views: Views, rules: Rules, s: Scratch, own: Int32) -> None:
    """Let view v receive all that is due by now."""
    state = views.state
    ring = views.local.shape[1]
    rows = views.ids.size // state.shape[0]
    while state[v, HEAD] < state[v, TAIL] and views.queue_time[v, state[v, HEAD]] <= now:
        block = views.queue_id[v, state[v, HEAD]]
        state[v, HEAD] += 1
        if state[v, HIGH] - state[v, BASE] + LOOKAHEAD >= rows:
            slide(v, views, own)
        offset = v * rows
        base = state[v, BASE] - offset
        slot = state[v, HIGH] - base
        s.one[0] = write_row(v, block, slot, r, views, s.row)
        kernels.attach(
            s.row, s.one, base, state[v, LOW] - base, slot, views.back, views.counts, views.first, views.last,
            views.following, views.approvers, views.tips[v], views.tip_at, views.tip_count[v : v + 1],
        )  # fmt: skip
        views.ids[slot] = block
        note(v, block, slot, views, own)
        views.local[v, block & (ring - 1)] = state[v, HIGH]
        state[v, HIGH] += 1
        if state[v, HIGH] - state[v, LOW] > rules.window:
            forget(v, views, own)


@inlined
def note(v: int, block: int, slot: int, views: Views, own: Int32) -> None:
    """Take note of a block that view v receives: it was marked on its way, or is late for the batch."""
    state = views.state
    if state[v, BATCHED] == 0:
        return
    place = views.local[v, block & (views.local.shape[1] - 1)]
    if place <= MARKED:
        bit = MARKED - place
        views.mask[slot] = views.marks[v, bit]
        views.seen[v] |= np.uint64(1) << np.uint64(bit)
    elif state[v, LATE] < LOOKAHEAD:
        views.late[v, state[v, LATE]] = state[v, HIGH]
        state[v, LATE] += 1
    else:
        close_batch(v, views, own)
        return
    state[v, WEIGHED] = state[v, HIGH] + 1


@called
def catch_up(v: int, now: float, r: Record, views: Views, rules: Rules, s: Scratch, own: Int32) -> None:
    """Deliver to a view that has not issued anything for long."""
    deliver(v, now, r, views, rules, s, own)


@inlined
def forget(v: int, views: Views, own: Int32) -> None:
    """Move the window of view v on by one block."""
    state = views.state
    base = state[v, BASE] - v * (views.ids.size // state.shape[0])
    slot = state[v, LOW] - base
    kernels.drop(slot, slot + 1, base, views.tips[v], views.tip_at, views.tip_count[v : v + 1])
    state[v, LOW] += 1
    if 0 <= state[v, ANCHOR] < state[v, LOW]:
        lose_anchor(v, views, own)


@called
def lose_anchor(v: int, views: Views, own: Int32) -> None:
    """Do without an anchor, which has left the window of view v."""
    close_batch(v, views, own)
    state = views.state
    base = state[v, BASE] - v * (views.ids.size // state.shape[0])
    kernels.thaw(state[v, ANCHOR] - base, state[v, HIGH] - base, state[v, GAIN], views.flags, views.weights)
    state[v, ANCHOR], state[v, DUE], state[v, GAIN] = -1, 0, 0


@called
def slide(v: int, views: Views, own: Int32) -> None:
    """Move the window of view v to the front of its rows, and clear the rows behind it."""
    close_batch(v, views, own)
    state = views.state
    rows = views.ids.size // state.shape[0]
    start = v * rows
    shift = state[v, LOW] - state[v, BASE]
    n = state[v, HIGH] - state[v, LOW]
    for to in range(start, start + n):
        at = to + shift
        for j in range(views.back.shape[1]):
            views.back[to, j] = views.back[at, j]
            views.following[to, j] = views.following[at, j]
        views.counts[to] = views.counts[at]
        views.first[to] = views.first[at]
        views.last[to] = views.last[at]
        views.approvers[to] = views.approvers[at]
        views.flags[to] = views.flags[at]
        views.weights[to] = views.weights[at]
        views.tip_at[to] = views.tip_at[at]
        views.ids[to] = views.ids[at]
    end = start + rows
    views.back[start + n : end] = 0
    views.following[start + n : end] = 0
    views.counts[start + n : end] = 0
    views.first[start + n : end] = 0
    views.last[start + n : end] = 0
    views.approvers[start + n : end] = 0
    views.flags[start + n : end] = 0
    views.weights[start + n : end] = 0
    views.tip_at[start + n : end] = 0
    state[v, BASE] = state[v, LOW]
    for i in range(state[v, ENTRIES]):
        views.entries[v, i] -= shift


# --- weights ------------------------------------------------------------------------------------------------


@called
def close_batch(v: int, views: Views, own: Int32) -> None:
    """Take the marks of view v away; blocks that are on their way still will be marked again."""
    state = views.state
    if state[v, BATCHED] == 0:
        return
    settle(v, views, own)
    base = state[v, BASE] - v * (views.ids.size // state.shape[0])
    views.mask[state[v, LOWEST] - base : state[v, HIGH] - base] = 0
    ring = views.local.shape[1]
    for bit in range(state[v, BATCHED]):
        if not (views.seen[v] >> np.uint64(bit)) & np.uint64(1):
            views.local[v, views.batch[v, bit] & (ring - 1)] = -1
    state[v, BATCHED] = 0
    views.seen[v] = views.settled[v] = views.arrived[v] = 0


@inlined
def marked_by_all(v: int, views: Views) -> int:
    """Return a row that the whole batch approves, as if it were, and that is fit to be an anchor; -1 for none.

    Some of the blocks to come would pass the newest such row by, and their marks go through the whole window; one
    that is somewhat older hardly ever is passed by. Half of all newer blocks, which `kernels.find_anchor` asks
    for, approve only what is much older.
    """
    state = views.state
    base = state[v, BASE] - v * (views.ids.size // state.shape[0])
    n = state[v, BATCHED]
    if n < ANCHOR_BATCH or state[v, HIGH] < state[v, DUE]:
        return -1
    state[v, DUE] = state[v, HIGH] + ANCHOR_EVERY
    every = ~np.uint64(0) >> np.uint64(64 - n)
    top = state[v, HIGH] - base
    lowest = max(state[v, LOWEST], state[v, LOW], state[v, ANCHOR] + 1) - base
    farthest = top
    for slot in range(top - 1, lowest - 1, -1):
        if views.mask[slot] == every:
            if farthest == top:
                farthest = top - (top - slot) * ANCHOR_MARGIN // 4
            if slot <= farthest:
                return slot
    return -1


@called
def open_batch(v: int, r: Record, views: Views, s: Scratch, own: Int32) -> None:
    """Mark what view v has received since, and what is on its way to it, and sweep the marks."""
    state = views.state
    base = state[v, BASE] - v * (views.ids.size // state.shape[0])
    low, top = state[v, LOW] - base, state[v, HIGH] - base
    better = marked_by_all(v, views)
    few = state[v, BATCHED] < ANCHOR_BATCH
    close_batch(v, views, own)
    anchor = state[v, ANCHOR] - base if state[v, ANCHOR] >= 0 else -1
    if few and state[v, HIGH] >= state[v, DUE]:
        # Where so few are on their way, half of all that is newer is the same.
        better = kernels.find_anchor(low, top, LOOKAHEAD, state[v, GAIN], views.flags, views.weights)
        state[v, DUE] = state[v, HIGH] + ANCHOR_EVERY
    if better >= 0:
        anchor, state[v, GAIN] = kernels.move_anchor(
            better, anchor, low, top, state[v, GAIN], views.back, views.counts, views.flags, views.mask,
            views.weights,
        )  # fmt: skip
        state[v, ANCHOR] = anchor + base
    n = mark_received(v, base, views)
    lowest = top
    for bit in range(n):
        lowest = min(lowest, views.local[v, views.batch[v, bit] & (views.local.shape[1] - 1)] - base)
    n, end = mark_coming(v, n, top, r, views)
    arrived, lowest = kernels.sweep(
        lowest, end, low, anchor, views.back, views.counts, views.flags, views.mask, s.far, views.weights, True
    )
    for slot in range(top, end):
        views.marks[v, n - (end - slot)] = views.mask[slot]
        views.mask[slot] = 0
        views.back[slot] = 0
        views.counts[slot] = 0
    views.arrived[v] = arrived
    state[v, BATCHED] = n
    state[v, LOWEST] = min(lowest, top) + base


@inlined
def mark_received(v: int, base: int, views: Views) -> int:
    """Begin a batch with what is late and what comes after; all of it counts at once. Return how many."""
    state = views.state
    n = 0
    kept = 0
    for i in range(state[v, LATE]):
        index = views.late[v, i]
        if index < state[v, LOW]:
            continue
        if n < LOOKAHEAD:
            views.batch[v, n] = views.ids[index - base]
            views.mask[index - base] = np.uint64(1) << np.uint64(n)
            n += 1
        else:
            views.late[v, kept] = index
            kept += 1
    state[v, LATE] = kept
    state[v, WEIGHED] = max(state[v, WEIGHED], state[v, LOW])
    while n < LOOKAHEAD and state[v, WEIGHED] < state[v, HIGH]:
        slot = state[v, WEIGHED] - base
        views.batch[v, n] = views.ids[slot]
        views.mask[slot] = np.uint64(1) << np.uint64(n)
        n += 1
        state[v, WEIGHED] += 1
    if n > 0:
        views.seen[v] = ~np.uint64(0) >> np.uint64(64 - n)
    return n


@inlined
def mark_coming(v: int, n: int, top: int, r: Record, views: Views) -> tuple[int, int]:
    """Go on with what is next in the queue, on rows from `top` on that are lent to it; all that came before it is
    marked then. Return how many are in the batch, and where those rows end."""
    state = views.state
    base = state[v, BASE] - v * (views.ids.size // state.shape[0])
    ring = views.local.shape[1]
    end = top
    if state[v, LATE] > 0 or state[v, WEIGHED] < state[v, HIGH]:
        return n, end
    first = n
    i = state[v, HEAD]
    while n < LOOKAHEAD and i < state[v, TAIL]:
        block = views.queue_id[v, i]
        if views.queue_time[v, i] == np.inf:
            break
        count = 0
        for j in range(r.parents.shape[1]):
            p = r.parents[block, j]
            if p < 0:
                continue
            place = views.local[v, p & (ring - 1)] if block - p < ring else np.int64(-1)
            distance = np.int64(0)
            if place <= MARKED:
                distance = end - (top + (MARKED - place) - first)
            elif place >= state[v, LOW]:
                distance = end - (place - base)
            views.back[end, count] = distance
            count += 1
        views.counts[end] = count
        views.batch[v, n] = block
        views.mask[end] = np.uint64(1) << np.uint64(n)
        views.local[v, block & (ring - 1)] = MARKED - n
        n += 1
        end += 1
        i += 1
    return n, end


@called
def settle(v: int, views: Views, own: Int32) -> None:
    """Add what has been seen of the batch to the weights."""
    state = views.state
    seen = views.seen[v] & ~views.settled[v]
    if seen == np.uint64(0):
        return
    base = state[v, BASE] - v * (views.ids.size // state.shape[0])
    start = max(state[v, LOWEST], state[v, LOW]) - base
    stop = state[v, HIGH] - base
    weights, mask = views.weights[start:stop], views.mask[start:stop]
    if own.size == 0:
        for i in range(weights.size):
            weights[i] += kernels.popcount(mask[i] & seen)
        state[v, GAIN] += kernels.popcount(views.arrived[v] & seen)
    else:
        for b in range(state[v, BATCHED]):
            bit = np.uint64(b)
            if not (seen >> bit) & np.uint64(1):
                continue
            weight = np.int64(own[views.batch[v, b]])
            for i in range(weights.size):
                weights[i] += weight * np.int64((mask[i] >> bit) & np.uint64(1))
            state[v, GAIN] += weight * np.int64((views.arrived[v] >> bit) & np.uint64(1))
    views.settled[v] |= seen


@inlined
def weigh(v: int, r: Record, views: Views, s: Scratch, own: Int32) -> None:
    """Bring the weights of view v up to date: those in memory, together with the marks that have been seen."""
    state = views.state
    while state[v, LATE] > 0 or state[v, WEIGHED] < state[v, HIGH]:
        open_batch(v, r, views, s, own)
    if own.size > 0:
        settle(v, views, own)


# --- selection ----------------------------------------------------------------------------------------------


@inlined
def draw_tips(tips: Int64, n: int, base: int, have: int, wanted: int, state: UInt64, out: Int64) -> int:
    """Fill out[have:wanted] with distinct ones of the first n `tips`, at random, as rows; return the number."""
    wanted = min(wanted, n)
    while have < wanted:
        slot = tips[np.int64(kernels.uniform(state) * n)] - base
        known = False
        for i in range(have):
            known = known or out[i] == slot
        if not known:
            out[have] = slot
            have += 1
    return have


@called
def renew_entries(v: int, r: Record, views: Views, rules: Rules, s: Scratch, own: Int32) -> None:
    """Look for the entry points of walks.

    As for walk.entry_points they lie between the depth and twice that behind the newest and are approved by half
    of all that is newer. They should be many and deep: tips that approve none of them cannot be reached. Walks
    that never look at weights need not wait for them: they may begin on any block there that is approved at all,
    which is where Popov 2018, section 4.1, places them.
    """
    state = views.state
    any_will_do = rules.recipes[v, ANY] != 0.0
    if not any_will_do:
        weigh(v, r, views, s, own)
        settle(v, views, own)
    depth = np.int64(rules.recipes[v, DEPTH])
    base = state[v, BASE] - v * (views.ids.size // state.shape[0])
    low, top = state[v, LOW] - base, state[v, HIGH] - base
    out = views.entries[v]
    start = max(top - 1 - 2 * depth, low)
    stop = max(top - depth, start)
    n = 0
    if not any_will_do:
        n = kernels.settled(start, stop, top, rules.unit, state[v, GAIN], views.flags, views.weights, out)
    else:
        for slot in range(start, stop):
            if views.approvers[slot] > 0:
                out[n] = slot
                n += 1
    if n == 0:
        # Unweighted walks do not keep weights up to date; where somebody has looked at them they would differ.
        out[0] = kernels.heaviest(low, top, state[v, GAIN], views.flags, views.weights) if not any_will_do else low
        n = 1
    state[v, ENTRIES] = n
    state[v, ENTRIES_DUE] = state[v, HIGH] + max(depth // 16, 1)


@inlined
def race(
    v: int,
    k: int,
    alpha: float,
    decay: Float64,
    r: Record,
    views: Views,
    rules: Rules,
    s: Scratch,
    own: Int32,
    out: Int64,
) -> int:
    """Fill out[:k] with tips that walkers of view v reach, as rows; return how many were found."""
    state = views.state
    if state[v, HIGH] >= state[v, ENTRIES_DUE]:
        renew_entries(v, r, views, rules, s, own)
    if alpha > 0.0:
        weigh(v, r, views, s, own)
    base = state[v, BASE] - v * (views.ids.size // state.shape[0])
    seen = views.seen[v] & ~views.settled[v]
    return kernels.race(
        views.entries[v, : state[v, ENTRIES]], k * np.int64(rules.recipes[v, WALKERS]), ROUNDS,
        rules.recipes[v, FAST_RATIO], alpha, decay, state[v, HIGH] - base, views.first, views.following,
        views.approvers, state[v, GAIN] + kernels.popcount(views.arrived[v] & seen), views.flags, views.weights,
        views.mask, seen, s.random, s.entry, s.tip, s.steps, s.pace, s.order,
        out[: min(k, views.tip_count[v])],
    )  # fmt: skip


@inlined
def choose(v: int, k: int, r: Record, views: Views, rules: Rules, s: Scratch, own: Int32) -> int:
    """Select min(k, tips) distinct tips of view v into s.out, as rows; return how many. See recipes."""
    recipe = rules.recipes[v]
    state = views.state
    kind = np.int64(recipe[KIND])
    n = 0
    if kind != UNIFORM:
        alpha = recipe[ALPHA]
        which = 0
        if kind == E_IOTA:
            drawn = kernels.uniform(s.random)
            if drawn < recipe[ZERO_SHARE]:
                alpha = 0.0
            elif drawn < recipe[ZERO_SHARE] + recipe[LOW_SHARE]:
                alpha = recipe[LOW_ALPHA]
                which = 1
        decay = rules.decays[v, which]
        n = race(v, (k + 1) // 2 if kind == HYBRID else k, alpha, decay, r, views, rules, s, own, s.out)
        if kind == HYBRID and recipe[SWIPE_ALPHA] >= 0.0:
            n = sweep_up(v, n, k, r, views, rules, s, own)
    base = state[v, BASE] - v * (views.ids.size // state.shape[0])
    n = draw_tips(views.tips[v], views.tip_count[v], base, n, k, s.random, s.out)
    if kind == G_IOTA and k > 1 and n == k:
        swap_left_behind(
            views.tips[v],
            views.tip_count[v],
            base,
            state[v, HIGH] - base,
            np.int64(recipe[AGE]),
            k,
            s.random,
            s.out,
        )
    return n


@called
def sweep_up(v: int, n: int, k: int, r: Record, views: Views, rules: Rules, s: Scratch, own: Int32) -> int:
    """Put tips found with the hybrid selector's second alpha behind the first n of s.out; return their number."""
    found = race(v, k, rules.recipes[v, SWIPE_ALPHA], rules.decays[v, 1], r, views, rules, s, own, s.other)
    for i in range(found):
        known = n == k
        for j in range(n):
            known = known or s.out[j] == s.other[i]
        if not known:
            s.out[n] = s.other[i]
            n += 1
    return n


@called
def swap_left_behind(
    tips: Int64, count: int, base: int, top: int, age: int, k: int, state: UInt64, out: Int64
) -> None:
    """Put a tip since which `age` blocks have come into out[k - 1], at random, if out[:k - 1] lacks one."""
    found = 0
    for i in range(count):
        slot = tips[i] - base
        if top - 1 - slot < age:
            continue
        known = False
        for j in range(k - 1):
            known = known or out[j] == slot
        if not known:
            # Reservoir sampling: each one found takes the place with its share.
            found += 1
            if kernels.uniform(state) * found < 1.0:
                out[k - 1] = slot


@inlined
def sides_of(n: int, r: Record, views: Views, s: Scratch) -> int:
    """Return the sides of a conflict that the first n slots of s.out approve together."""
    sides = 0
    for i in range(n):
        sides |= r.sides[views.ids[s.out[i]]]
    return sides


@inlined
def choose_without_conflict(v: int, k: int, r: Record, views: Views, rules: Rules, s: Scratch, own: Int32) -> int:
    """Select as `choose` does, but never both sides of a conflict: again, or without what the first forbids."""
    n = 0
    for _ in range(RETRIES):
        n = choose(v, k, r, views, rules, s, own)
        if r.sides.size == 0:
            return n
        sides = sides_of(n, r, views, s)
        if sides & (sides - 1) == 0:
            return n
    kept = 0
    sides = 0
    for i in range(n):
        both = sides | r.sides[views.ids[s.out[i]]]
        if both & (both - 1) == 0:
            sides = both
            s.out[kept] = s.out[i]
            kept += 1
    return kept


# --- issuing ------------------------------------------------------------------------------------------------


@inlined
def record(block: int, n: int, r: Record, s: Scratch) -> None:
    """Write a block upon the blocks s.out[:n] down, and what that changes."""
    tips = r.tips[block - 1] + 1 if block > 0 else 1
    sides = 0
    for j in range(n):
        p = s.out[j]
        r.parents[block, j] = p
        if r.first[p] < 0:
            r.first[p] = block
            tips -= 1
        if r.sides.size > 0:
            sides |= r.sides[p]
    r.tips[block] = tips
    if r.sides.size > 0:
        r.sides[block] |= sides


@inlined
def send(
    block: int, issuer: int, time: float, withheld: bool, travels: Float64, r: Record, views: Views, rules: Rules
) -> bool:
    """Send a block to all views, or to its issuer only; false when a queue has no room, and nothing was sent."""
    ring = views.received.shape[1]
    capacity = views.queue_id.shape[1]
    for v in range(views.state.shape[0]):
        if 2 * (views.state[v, TAIL] - views.state[v, HEAD] + 1) > capacity:
            return False
    for v in range(views.state.shape[0]):
        at = block & (ring - 1)
        views.local[v, at] = -1
        if withheld and v != issuer:
            views.received[v, at] = np.inf
            continue
        travel = travels[v] if travels.size > 0 else 1.0
        when = time if issuer < 0 else arrival(v, block, issuer, time, travel, r, views, rules)
        views.received[v, at] = when
        enqueue(v, when, block, views)
    return True


@inlined
def run(
    what: int,
    who: int,
    when: float,
    k: int,
    start: int,
    stop: int,
    given: int,
    withheld: bool,
    first: int,
    issuers: Int32,
    travels: Float64,
    own: Int32,
    r: Record,
    views: Views,
    rules: Rules,
    s: Scratch,
) -> tuple[int, int]:
    """Do what `advance`, `select` and `inspect` promise."""
    block = start
    while block < stop or what != ISSUE:
        issuer, now = who, when
        if what == ISSUE:
            issuer, now = issuers[block - first], r.times[block]
        asked, given = given, -1
        if asked < 0 and issuer >= 0:
            deliver(issuer, now, r, views, rules, s, own)
            if what == INSPECT:
                weigh(issuer, r, views, s, own)
                close_batch(issuer, views, own)
                return 0, DONE
            if what == ISSUE and not rules.compiled[issuer]:
                return block, ASK
        # Whether there is room is looked at before anything is drawn, so that a repeated call changes nothing.
        for v in range(views.state.shape[0] if what == ISSUE else 0):
            if v != issuer and views.state[v, TAIL] - views.state[v, HEAD] > QUIET:
                catch_up(v, now, r, views, rules, s, own)
            if 2 * (views.state[v, TAIL] - views.state[v, HEAD] + 1) > views.queue_id.shape[1]:
                return block, FULL
        n = max(asked, 0)
        if asked < 0 and issuer >= 0:
            n = choose_without_conflict(issuer, k, r, views, rules, s, own)
            for j in range(n):
                s.out[j] = views.ids[s.out[j]]
            if what == SELECT:
                return n, DONE
        record(block, n, r, s)
        r.issuers[block] = issuer
        travel = travels[block - first] if travels.shape[0] > 0 else s.no_travel
        send(block, issuer, now, asked >= 0 and withheld, travel, r, views, rules)
        block += 1
    return block, DONE


def compiled(stamp: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the entry points. Their cached code is found again only with the same stamp."""

    @entry_point
    def go(
        what: int,
        who: int,
        when: float,
        k: int,
        start: int,
        stop: int,
        given: int,
        withheld: bool,
        first: int,
        issuers: Int32,
        travels: Float64,
        own: Int32,
        r: Record,
        views: Views,
        rules: Rules,
        s: Scratch,
    ) -> tuple[int, int]:
        """All of `run`, since compiling it once takes long enough."""
        if stamp < 0:
            return start, DONE
        return run(
            what, who, when, k, start, stop, given, withheld, first, issuers, travels, own, r, views, rules, s
        )

    @entry_point
    def release(
        block: int, issuer: int, now: float, travel: Float64, r: Record, views: Views, rules: Rules
    ) -> bool:
        """Send a block that was withheld to all others; false when a queue has no room, and nothing was sent."""
        if stamp < 0:
            return False
        return send_late(block, issuer, now, travel, r, views, rules)

    return go, release


def advance(
    start: int, stop: int, given: int, withheld: bool, first: int, issuers: Int32, travels: Float64, own: Int32,
    r: Record, views: Views, rules: Rules, s: Scratch,
) -> tuple[int, int]:  # fmt: skip
    """Issue the blocks [start, stop); return the first that was not issued, and why: DONE, ASK or FULL.

    given : parents in s.out that the first block is to have, by their numbers; -1 to have them selected
    withheld : whether nobody is told of a block with given parents
    first : number of the block that issuers[0] and travels[0] are of
    """
    done, why = go(
        ISSUE,
        -1,
        0.0,
        rules.parents,
        start,
        stop,
        given,
        withheld,
        first,
        issuers,
        travels,
        own,
        r,
        views,
        rules,
        s,
    )
    return int(done), int(why)


def inspect(v: int, now: float, own: Int32, r: Record, views: Views, rules: Rules, s: Scratch) -> None:
    """Let view v receive what is due, bring its weights up to date and leave no marks."""
    go(INSPECT, v, now, 0, 0, 0, -1, False, 0, NOBODY, NO_TRAVELS, own, r, views, rules, s)


def select(v: int, k: int, now: float, own: Int32, r: Record, views: Views, rules: Rules, s: Scratch) -> int:
    """Select for view v what a block at this time would approve, into s.out, by numbers; return how many."""
    return int(go(SELECT, v, now, k, 0, 0, -1, False, 0, NOBODY, NO_TRAVELS, own, r, views, rules, s)[0])


@inlined
def send_late(block: int, issuer: int, now: float, travel: Float64, r: Record, views: Views, rules: Rules) -> bool:
    """Do what `release` promises."""
    ring = views.received.shape[1]
    for v in range(views.state.shape[0]):
        if 2 * (views.state[v, TAIL] - views.state[v, HEAD] + 1) > views.queue_id.shape[1]:
            return False
    for v in range(views.state.shape[0]):
        if v != issuer:
            when = arrival(v, block, issuer, now, travel[v] if travel.size > 0 else 1.0, r, views, rules)
            views.received[v, block & (ring - 1)] = when
            enqueue(v, when, block, views)
    return True


STAMP = int.from_bytes(hashlib.sha256(Path(kernels.__file__).read_bytes()).digest()[:7], "big")
"""fingerprint of the kernels of tipselect"""
go, release = compiled(STAMP)
