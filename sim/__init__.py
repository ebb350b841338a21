"""Simulations of tip selection, on the kernels that the node runs.

    from tangle import sim

    scenario = sim.Scenario(arrivals=100.0, delay=1.0, parents=2, selector="uniform", blocks=200_000, seed=3)
    sim.run(scenario).tips.mean()      # about 200: k lambda h / (k - 1), Popov 2018

`tangle sim` does the same on the command line, docs/simulations.md tells of both.
"""

from tangle.extras import needs

needs("sim", "simulating", "numba", "numpy", "pydantic")

from tangle.sim.result import Result
from tangle.sim.run import run
from tangle.sim.scenario import Adversary, Agent, Scenario, Split
from tangle.sim.seen import Seen

__all__ = ["Adversary", "Agent", "Result", "Scenario", "Seen", "Split", "run"]
