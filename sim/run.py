"""Run a scenario: `run(Scenario(...)) -> Result`."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from tangle.sim.arrivals import Arrivals
from tangle.sim.result import Result
from tangle.sim.scenario import Scenario
from tangle.sim.world import CHUNK, World
from tangle.tipselect.kernels import Int32


def run(
    scenario: Scenario,
    *,
    progress: Callable[[int, int], None] | None = None,
    arrivals: Arrivals | None = None,
    before: Int32 | None = None,
) -> Result:
    """Simulate a scenario to its end.

    progress : is told how many blocks there are, of how many, now and then
    arrivals : given ones instead of those the scenario draws (see `replay`)
    before : int32[start, k], the parents of blocks that are there at the beginning (see `World`)

    BadAttack when an adversary does what cannot be.
    """
    world = World(scenario, arrivals, before)
    began = time.perf_counter()
    while world.issued < world.blocks:
        if progress is not None:
            progress(world.issued, world.blocks)
        world.run_to(world.issued + CHUNK)
    if progress is not None:
        progress(world.issued, world.blocks)
    return result_of(world, time.perf_counter() - began)


def result_of(world: World, seconds: float = 0.0) -> Result:
    """Return what a world has come to so far."""
    r, n = world.record, world.issued
    withheld = {block: world.released.get(block, np.inf) for block in world.withheld}
    return Result(
        scenario=world.scenario,
        times=r.times[:n],
        issuers=r.issuers[:n],
        parents=r.parents[:n],
        first_approvers=r.first[:n],
        tips=r.tips[:n],
        own_weights=world.own[:n] if world.own.size else np.broadcast_to(np.int32(1), n),
        sides=r.sides[:n] if r.sides.size else np.broadcast_to(np.uint8(0), n),
        withheld=withheld,
        start=world.start,
        seconds=seconds,
    )
