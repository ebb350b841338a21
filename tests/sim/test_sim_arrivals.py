"""Arrivals: rates are followed, draws do not depend on how many at once, shares and delays are as declared."""

import math

import numpy as np
import pytest

from tangle.sim import Adversary, Agent, Scenario, Split
from tangle.sim.arrivals import GENESIS, Arrivals, Rates, groups_of, mean_delays
from tangle.sim.errors import BadReplay


def test_rates_are_inverted() -> None:
    """The area up to the time found is the one asked for: integrated numerically on a fine grid."""
    corners = ((1.0, 4.0), (3.0, 10.0), (3.0, 2.0), (6.0, 0.0), (8.0, 0.0), (9.0, 5.0))
    breaks = ((2.0, 5.0, 3.0),)
    rates = Rates.of(corners, breaks)
    times = np.linspace(0, 20, 2_000_001)
    rate = np.interp(times, [1, 3], [4, 10])
    late = times >= 3
    rate[late] = np.interp(times[late], [3, 6, 8, 9], [2, 0, 0, 5])
    rate[(times >= 2) & (times < 5)] *= 3
    areas = np.concatenate(([0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(times))))
    asked = np.linspace(0.01, 70, 500)
    found = np.interp(rates.at(asked), times, areas)
    assert found == pytest.approx(asked, abs=1e-3)
    assert (np.diff(rates.at(asked)) > 0).all()


@pytest.mark.parametrize("process", ["poisson", "fixed"])
def test_counts_follow_a_changing_rate(process: str) -> None:
    """Expected blocks between two times: the area; five standard deviations. Seed 1."""
    scenario = Scenario(arrivals=((0.0, 100.0), (10.0, 300.0), (10.0, 50.0)), process=process, blocks=4_000)
    times = Arrivals(scenario).take(4_000).times
    for start, stop, expected in ((0.0, 10.0, 2_000), (5.0, 10.0, 1_250), (10.0, 30.0, 1_000)):
        seen = np.count_nonzero((times[1:] > start) & (times[1:] <= stop))
        assert abs(seen - expected) < (5 * math.sqrt(expected) if process == "poisson" else 2)


def test_draws_do_not_depend_on_how_many_at_once() -> None:
    scenario = Scenario(
        arrivals=30.0, agents=3, spread="exponential", own_weights=((1, 0.3), (2, 0.7)),
        adversary=Adversary(attack="double-spend", share=0.3, start=2.0, end=9.0),
    )  # fmt: skip
    whole = Arrivals(scenario).take(1_000)
    arrivals = Arrivals(scenario)
    parts = [arrivals.take(n) for n in (1, 2, 300, 0, 600, 97)]
    for name in ("times", "issuers", "weights", "travels"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert (joined == getattr(whole, name)).all(), name
    assert whole.issuers[0] == GENESIS
    assert whole.times[0] == 0


def test_another_selector_sees_the_same_arrivals() -> None:
    one, other = (Arrivals(Scenario(selector=name, seed=5)).take(100).times for name in ("uniform", "weighted"))
    assert (one == other).all()


def test_shares_and_own_weights_are_as_declared() -> None:
    """Within five standard deviations of the binomial; seed 1."""
    n = 20_000
    scenario = Scenario(
        agents=(Agent(share=1.0), Agent(share=0.0), Agent(share=3.0)), own_weights=((1, 0.2), (7, 0.8)),
        adversary=Adversary(attack="double-spend", share=0.2),
    )  # fmt: skip
    drawn = Arrivals(scenario).take(n)
    for issuer, share in ((0, 0.2), (1, 0.0), (2, 0.6), (3, 0.2)):
        seen = np.count_nonzero(drawn.issuers == issuer)
        assert abs(seen - n * share) <= 5 * math.sqrt(n * share)
    assert abs(np.count_nonzero(drawn.weights == 7) - 0.8 * n) < 5 * math.sqrt(0.16 * n)


def test_an_adversary_adds_his_blocks_to_the_honest_ones() -> None:
    """Honest rate 100 throughout, the adversary's 100 q / (1 - q) while he is at work; five deviations."""
    scenario = Scenario(adversary=Adversary(attack="double-spend", share=0.5, start=10.0, end=20.0))
    drawn = Arrivals(scenario).take(4_001)
    honest = drawn.issuers == 0
    within = (drawn.times >= 10) & (drawn.times < 20)
    assert abs(np.count_nonzero(within & ~honest) - 1_000) < 5 * math.sqrt(1_000)
    assert abs(np.count_nonzero(within & honest) - 1_000) < 5 * math.sqrt(1_000)
    assert not ((drawn.issuers == 1) & ~within).any()


@pytest.mark.parametrize(("spread", "deviation"), [("uniform", 1 / math.sqrt(3)), ("exponential", 1.0)])
def test_delays_have_the_declared_mean_and_spread(spread: str, deviation: float) -> None:
    travels = Arrivals(Scenario(spread=spread, agents=2)).take(50_001).travels[1:]
    assert travels.shape == (50_000, 2)
    assert travels.mean() == pytest.approx(1.0, abs=0.02)
    assert travels.std() == pytest.approx(deviation, abs=0.02)


def test_mean_delays_between_all() -> None:
    assert mean_delays(Scenario(delay=2.0)).tolist() == [[2.0]]
    assert mean_delays(Scenario(delay=2.0, own_delay=0.0, agents=2)).tolist() == [[0.0, 2.0], [2.0, 0.0]]
    attacked = Scenario(
        agents=2, delays=((0.0, 3.0), (1.0, 0.5)), adversary=Adversary(attack="tip-spam", share=0.1)
    )
    assert mean_delays(attacked).tolist() == [[0.0, 3.0, 3.0], [1.0, 0.5, 3.0], [3.0, 3.0, 0.0]]


def test_splits_do_not_hinder_the_adversary() -> None:
    scenario = Scenario(
        agents=3,
        splits=(Split(start=1, end=2, groups=((2,),)),),
        adversary=Adversary(attack="tip-spam", share=0.1),
    )
    spans, groups = groups_of(scenario)
    assert spans.tolist() == [[1.0, 2.0]]
    assert groups.tolist() == [[0, 0, 1, -1]]


def test_given_arrivals_end() -> None:
    arrivals = Arrivals(Scenario(), np.array([1.0, 2.0]), np.array([0, 0], np.int32))
    assert arrivals.take(3).times.tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(BadReplay, match="2 arrivals are given"):
        arrivals.take(1)
