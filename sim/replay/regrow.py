"""What would have become of the same traffic, and what becomes of a Tangle that is there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tangle.sim.arrivals import ATTACK, Arrivals, stream
from tangle.sim.errors import BadReplay
from tangle.sim.replay.recording import Recording
from tangle.sim.result import Result
from tangle.sim.run import run
from tangle.sim.scenario import Scenario
from tangle.tipselect.kernels import Float64, Int32

Progress = Callable[[int, int], None]


def regrow(dag: Recording, scenario: Scenario, *, progress: Progress | None = None) -> Result:
    """Let the blocks of a DAG come when they came, and grow anew.

    scenario : selector, alpha, delay, adversary and all the rest. Its `arrivals` and `blocks` are those of the
        DAG; an entry depth that it does not name fits the greatest load there was. Times are in seconds.

    Issuers are the DAG's where it knows several (a saved result), else they are drawn from the agents' shares. The
    blocks of an adversary come in addition: while he is at work each block is his with probability q, so that he
    keeps pace with traffic that comes in bursts.

    BadReplay when the DAG knows more issuers than the scenario has agents.
    """
    agents = len(scenario.everybody)
    known = int(dag.issuers.max(initial=0)) + 1
    if known > agents:
        raise BadReplay("agents", f"the DAG knows {known} issuers, the scenario has {agents}")
    times = dag.times[1:]
    issuers = (
        dag.issuers[1:]
        if known > 1
        else Arrivals(scenario.but(adversary=None), times).take(times.size + 1).issuers[1:]
    )
    if scenario.adversary is not None:
        times, issuers = with_adversary(times, issuers, scenario)
    if scenario.entry_depth is None and scenario.window is None:
        load = dag.load(scenario.delay_max)
        scenario = scenario.but(entry_depth=max(20, 16 * load))
    scenario = scenario.but(arrivals=dag.rate, blocks=times.size + 1)
    return run(scenario, progress=progress, arrivals=Arrivals(scenario, times, issuers))


def with_adversary(times: Float64, issuers: Int32, scenario: Scenario) -> tuple[Float64, Int32]:
    """Return times and issuers with those of the adversary's blocks among them.

    Before each honest block that comes while he is at work there is a geometric number of his, j with probability
    (1 - q) q^j, at uniform times since the honest one before.
    """
    adversary = scenario.adversary
    assert adversary is not None
    rng = stream(scenario.seed, ATTACK + 1)
    before = np.concatenate(([0.0], times[:-1])) if times.size else times
    before = np.maximum(before, adversary.start)
    at_work = (times > adversary.start) & (times < adversary.end)
    counts = np.where(at_work, rng.geometric(1 - adversary.share, times.size) - 1, 0)
    gap = np.repeat(np.arange(times.size), counts)
    his = before[gap] + (times - before)[gap] * rng.random(gap.size)
    merged = np.concatenate((times, his))
    order = np.argsort(merged, kind="stable")
    all_issuers = np.concatenate((issuers, np.full(his.size, len(scenario.everybody), np.int32)))
    return merged[order], all_issuers[order].astype(np.int32)


def go_on(dag: Recording, scenario: Scenario, *, progress: Progress | None = None) -> Result:
    """Begin with a DAG and go on simulating from its end.

    scenario : its `blocks` are issued after the DAG's, at its own rate (`dag.rate` is how fast they came). Time 0,
        from which splits and adversaries count, is when the DAG's newest block was received.

    The result holds all blocks, `Result.start` says how many were the DAG's: their times are negative, their
    issuers are unknown, -1, and every agent received them at their times.
    """
    whole = scenario.but(blocks=len(dag) + scenario.blocks)
    arrivals = Arrivals(whole, before=dag.times - dag.span)
    return run(whole, progress=progress, arrivals=arrivals, before=dag.parents)
