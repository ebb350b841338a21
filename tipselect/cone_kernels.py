"""The compiled functions of cones and order; slots, links and rules as in kernels."""

from tangle.tipselect.kernels import Bools, Int8, Int32, Int64, kernel


@kernel
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


@kernel
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


@kernel
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


@kernel
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
