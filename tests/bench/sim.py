"""The simulator on one core: blocks per second by selector, memory, set-up, views, and how sweeps use the cores.

All at lambda h = 100, two parents, one agent unless the row says more. Medians, with the middle half of the
runs in brackets; seeds are fixed; the selectors take turns, run by run. Every run is a whole simulation:
setting up, drawing arrivals, selecting, recording. Compiling is not counted.

The rival does what the well-known Python simulators do, see `naive_sim`: in the same run, at the same load, on
fewer blocks. What it spends on a block grows with the number of blocks, so its rate is that of so small a
Tangle, and the ratio would be greater for a larger one; the note tells what it spends on its last blocks.
"""

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from tangle import sim
from tangle.sim import sweep
from tangle.sim.arrivals import Arrivals
from tangle.sim.compile import compile_kernels
from tangle.sim.run import result_of
from tangle.sim.scenario import Scenario
from tangle.sim.world import World
from tests.bench.naive_sim import NaiveSimulation

Row = dict[str, str]
BASE = Scenario(arrivals=100.0, delay=1.0, parents=2, alpha=None, seed=2018)
HUNDRED_PARTS = 100
"""parts in which a run for memory is made, so that no draw counts for it"""


@dataclass(frozen=True)
class Case:
    """What is timed: a row's name, what it changes, and the rival's selector where there is one."""

    name: str
    changes: dict[str, object]
    rival: str | None = None


CASES = (
    Case("uniform", {"selector": "uniform"}, "uniform"),
    Case("unweighted", {"selector": "unweighted"}, "unweighted"),
    Case("weighted, alpha 0.01", {"selector": "weighted", "alpha": 0.01}, "weighted"),
    Case("unweighted, from settled blocks", {"selector": "unweighted", "entries": "settled"}),
    Case("e-iota", {"selector": "e-iota"}),
    Case("hybrid", {"selector": "hybrid"}),
    Case("g-iota, alpha 0.01", {"selector": "g-iota", "alpha": 0.01}),
    Case("weighted, alpha 0.01, 3 agents", {"selector": "weighted", "alpha": 0.01, "agents": 3}),
    Case("weighted, alpha 0.01, random delays", {"selector": "weighted", "alpha": 0.01, "spread": "exponential"}),
)


def run(small: bool) -> list[Row]:
    """Return rows of what, ours, rival, ratio, note; `small` issues few blocks and leaves the long run out."""
    compile_kernels()
    blocks, repeats, naive_blocks = (5_000, 3, 200) if small else (300_000, 7, 1_200)
    return [
        *speed(blocks, repeats, naive_blocks),
        *weights_anew(naive_blocks // 2),
        *memory(20_000 if small else 10_000_000),
        setup(10 if small else 50),
        *views(blocks, 5 if small else 50),
        *sweep_rows(small),
    ]


def speed(blocks: int, repeats: int, naive_blocks: int) -> list[Row]:
    """Blocks per second of each case; the rival's in the same turns."""
    scenarios = {case.name: scenario_of(case, blocks) for case in CASES}
    rivals = {case.rival: naive(case.rival, naive_blocks) for case in CASES if case.rival is not None}
    seconds: dict[str, list[float]] = {name: [] for name in scenarios}
    theirs: dict[str, list[float]] = {name: [] for name in rivals}
    for i in range(repeats):
        for name, scenario in scenarios.items():
            seconds[name].append(timed(partial(sim.run, scenario)))
        if i < 3:
            for name, make in rivals.items():
                theirs[name].append(timed(partial(make().run_to, naive_blocks)))
    rows = []
    for case in CASES:
        note = f"{blocks:,} blocks, one core"
        rival = None
        if case.rival is not None:
            rival = naive_blocks / np.array(theirs[case.rival])
            last = last_blocks_ms(case.rival, naive_blocks)
            note += f"; rival: {naive_blocks:,} blocks, the last ones {last:.0f} ms each"
        rows.append(rate_row(f"{case.name}, blocks/s", blocks / np.array(seconds[case.name]), rival, note))
    return rows


def weights_anew(naive_blocks: int) -> list[Row]:
    """The rival once more as it is published today, with all weights counted anew for each block."""
    scenario = scenario_of(CASES[2], 50_000)
    ours = np.array([scenario.blocks / timed(partial(sim.run, scenario)) for _ in range(3)])
    theirs = np.array(
        [
            naive_blocks / timed(partial(naive("weighted", naive_blocks, anew=True)().run_to, naive_blocks))
            for _ in range(3)
        ]
    )
    note = f"rival: {naive_blocks:,} blocks, all weights counted anew for each"
    return [rate_row("weighted, alpha 0.01, weights anew, blocks/s", ours, theirs, note)]


def memory(blocks: int) -> list[Row]:
    """Bytes of a long run: what the result keeps of each block, and the state that does not grow with them."""
    scenario = scenario_of(CASES[2], blocks)
    before = resident()
    world = World(scenario)
    began = time.perf_counter()
    for part in range(1, HUNDRED_PARTS + 1):
        world.run_to(blocks * part // HUNDRED_PARTS)
    seconds = time.perf_counter() - began
    result = result_of(world)
    arrays = (result.times, result.issuers, result.parents, result.first_approvers, result.tips)
    kept = sum(array.nbytes for array in arrays) / blocks
    state = state_bytes(world)
    note = (
        f"{blocks:,} blocks, weighted, in {seconds:,.0f} s, mean of {result.tips[blocks // 10 :].mean():,.0f} tips"
    )
    grown = f"{note}; resident memory grew by {(resident() - before) / blocks:.0f} B/block"
    whole = scenario.window_blocks
    return [
        plain_row("memory of the result", f"{kept:.0f} B/block", grown),
        plain_row(
            "memory of the state", f"{state / 1e6:.1f} MB", f"{state / blocks:.2f} B/block; window {whole:,}"
        ),
    ]


def setup(repeats: int) -> Row:
    """Setting up a world."""
    scenario = scenario_of(CASES[2], 10_000)
    seconds = np.array([timed(partial(World, scenario)) for _ in range(repeats)])
    return time_row("setting up", seconds, f"World() for 10,000 blocks, window {scenario.window_blocks:,}")


def views(blocks: int, repeats: int) -> list[Row]:
    """A view of a result, built again: the first one with all arrivals, the others of the window only."""
    result = sim.run(scenario_of(CASES[2], blocks))
    first = np.array([timed(partial(result.view, result.end))])
    times = np.linspace(result.end / 2, result.end, repeats)
    others = np.array([timed(partial(result.view, when)) for when in times])
    weights = np.array([timed(partial(exact_weights, result, when)) for when in times])
    note = f"{blocks:,} blocks, window {result.scenario.window_blocks:,}"
    return [
        time_row("first view of a result", first, note),
        time_row("each further view", others, note),
        time_row("each further view, with weights", weights, note),
    ]


def exact_weights(result: sim.Result, when: float) -> int:
    """Return the greatest weight in a view."""
    return int(result.view(when).graph.weights.max())


def sweep_rows(small: bool) -> list[Row]:
    """Processor time of a sweep of short runs, as a share of what the cores had to give."""
    runs, blocks = (4, 1_000) if small else (200, 50_000)
    base = BASE.but(selector="weighted", blocks=blocks)
    grid = sweep.Sweep(base, {"alpha": [0.001, 0.01]}, repeats=runs // 2)
    cores = len(os.sched_getaffinity(0))
    began, used = time.perf_counter(), processor_seconds()
    sweep.run(grid, workers=cores)
    wall = time.perf_counter() - began
    share = (processor_seconds() - used) / (wall * cores)
    note = f"{runs} runs of {blocks:,} blocks in {wall:.1f} s; processor time of all processes / (wall x {cores})"
    return [plain_row(f"sweep, use of {cores} cores", f"{share:.0%}", note)]


# --- rivals -------------------------------------------------------------------------------------------------


def naive(selector: str, blocks: int, *, anew: bool = False) -> Callable[[], NaiveSimulation]:
    """Return what makes a rival that is ready to run."""
    times = Arrivals(BASE.but(blocks=blocks)).take(blocks).times
    return lambda: NaiveSimulation(times, BASE.delay, selector, 0.01, anew=anew)


def last_blocks_ms(selector: str, blocks: int, measured: int = 20) -> float:
    """Return the milliseconds that the rival spends on each of its last blocks."""
    rival = naive(selector, blocks)()
    rival.run_to(blocks - measured)
    return timed(partial(rival.run_to, blocks)) / measured * 1e3


# --- measuring ----------------------------------------------------------------------------------------------


def scenario_of(case: Case, blocks: int) -> Scenario:
    """Return the scenario of a case."""
    return BASE.but(blocks=blocks, **case.changes)


def timed(call: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def state_bytes(world: World) -> int:
    """Bytes of what a world keeps beside the record of its blocks."""
    return sum(
        array.nbytes for part in (world.views, world.rules) for array in part if isinstance(array, np.ndarray)
    )


def resident() -> float:
    """Bytes of memory that this process has now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def processor_seconds() -> float:
    """Seconds that this process and its ended children have computed."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def rate_row(what: str, ours: np.ndarray, theirs: np.ndarray | None, note: str) -> Row:
    """Return a row of rates, per second."""
    low, middle, high = np.quantile(ours, [0.25, 0.5, 0.75])
    row = {"what": what, "ours": f"{middle:,.0f} ({low:,.0f} … {high:,.0f})", "rival": "", "ratio": ""}
    if theirs is not None:
        rival = float(np.median(theirs))
        row |= {"rival": f"{rival:,.0f}", "ratio": f"{middle / rival:,.0f} x"}
    return row | {"note": note}


def time_row(what: str, seconds: np.ndarray, note: str) -> Row:
    """Return a row of durations."""
    low, middle, high = np.quantile(seconds * 1e3, [0.25, 0.5, 0.75])
    return plain_row(what, f"{middle:,.2f} ms ({low:,.2f} … {high:,.2f})", note)


def plain_row(what: str, ours: str, note: str) -> Row:
    """Return a row without a rival."""
    return {"what": what, "ours": ours, "rival": "", "ratio": "", "note": note}
