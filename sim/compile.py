"""Compile the loop before it is needed, once per machine: numba keeps the result on disk.

The first time takes half a minute; afterwards loading takes a fraction of a second.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from tangle.sim import kernels, measures
from tangle.sim.run import result_of
from tangle.sim.scenario import Scenario
from tangle.sim.world import World
from tangle.tipselect import compile as tip_selection


def compile_kernels(report: Callable[[str], None] | None = None) -> None:
    """Run everything that is compiled once, on a tiny scenario; `report` gets a line before what may take long."""
    tip_selection.compile_kernels(report)
    world = World(Scenario(arrivals=4.0, blocks=60, agents=2, entry_depth=4, window=16, spread="uniform"))
    parts: dict[str, Callable[[], object]] = {
        "issuing": lambda: world.run_to(50),
        "withheld blocks": lambda: kernels.release(
            49, 0, world.now, np.empty(0), world.record, world.views, world.rules
        ),
        "measures": lambda: measures.summary(result_of(world)),
    }
    for number, (name, run) in enumerate(parts.items(), start=1):
        if report is not None:
            report(f"compiling the simulator, {number} of {len(parts)}: {name}")
        run()


def tell(line: str) -> None:
    """Print a line of progress."""
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    compile_kernels(tell)
