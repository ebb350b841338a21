"""Simulations that start from a real Tangle: that of a node, an export, or a result that was saved.

    dag = replay.load("http://127.0.0.1:14265")
    replay.regrow(dag, sim.Scenario(delay=0.5, selector="uniform"))   # the same traffic, grown anew
    replay.reselect(dag, "weighted", alpha=0.1)                       # the Tangle as it is, asked block by block
    replay.go_on(dag, sim.Scenario(arrivals=dag.rate, blocks=10_000)) # what comes after it

Times are in seconds. What a DAG can and cannot tell is in `dag`.
"""

from tangle.sim.replay.read import load
from tangle.sim.replay.recording import Recording
from tangle.sim.replay.regrow import go_on, regrow
from tangle.sim.replay.reselect import Reselection, reselect

__all__ = ["Recording", "Reselection", "go_on", "load", "regrow", "reselect"]
