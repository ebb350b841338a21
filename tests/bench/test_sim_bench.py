"""The small table runs, and the rival simulates what we do: else its speed would say nothing."""

import numpy as np
import pytest

from tangle import sim as simulator
from tangle.sim.arrivals import Arrivals
from tangle.sim.scenario import Scenario
from tests.bench import sim
from tests.bench.naive_sim import NaiveSimulation


def test_the_small_table_is_whole() -> None:
    rows = sim.run(small=True)
    names = [row["what"] for row in rows]
    for row in rows:
        assert set(row) == {"what", "ours", "rival", "ratio", "note"}
        assert row["ours"]
        assert bool(row["rival"]) == bool(row["ratio"])
    for case in sim.CASES:
        assert f"{case.name}, blocks/s" in names
    assert len(names) == len(set(names))
    assert sum(bool(row["rival"]) for row in rows) == 4


@pytest.mark.parametrize("selector", ["uniform", "unweighted", "weighted"])
def test_the_rival_has_as_many_tips(selector: str) -> None:
    """Six seeds, the same arrivals on both sides: the mean difference is within 4 standard errors.

    The rival draws its two tips with replacement, so that 1 / tips of its blocks approve one only: that much more
    tips, to first order.
    """
    differences = []
    for seed in range(6):
        scenario = Scenario(
            arrivals=10.0, blocks=260, selector=selector, entry_depth=130, seed=seed,
            alpha=0.01 if selector == "weighted" else None,
        )  # fmt: skip
        rival = NaiveSimulation(Arrivals(scenario).take(260).times, 1.0, selector, 0.01)
        rival.rng = np.random.default_rng(seed)
        rival.run_to(260)
        theirs, ours = np.array(rival.tips[60:]), simulator.run(scenario).tips[60:]
        differences.append(theirs.mean() * (1 - 1 / theirs.mean()) / ours.mean() - 1)
    apart = np.mean(differences)
    assert abs(apart) < 4 * np.std(differences, ddof=1) / np.sqrt(6), differences


def test_both_ways_to_count_weights_agree() -> None:
    times = Arrivals(Scenario(arrivals=10.0, blocks=80)).take(80).times
    along, anew = (NaiveSimulation(times, 1.0, "weighted", 0.1, anew=way) for way in (False, True))
    for rival in (along, anew):
        rival.run_to(80)
    assert along.weights == anew.weights
    assert along.tips == anew.tips
