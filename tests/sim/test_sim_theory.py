"""Formulas against published figures, against each other, and against what they are solutions of."""

import math

import numpy as np
import pytest

from tangle.sim import theory
from tangle.sim.errors import BadMeasure


def test_tips_of_k_parents() -> None:
    """Popov 2018, section 3: 2 lambda h for k = 2."""
    assert theory.tips(100.0, 1.0, 2) == 200.0
    assert theory.tips(100.0, 2.0, 3) == pytest.approx(300.0)
    assert theory.tips(100.0, 1.0, 1) == math.inf


def test_tips_and_first_approval_obey_littles_law() -> None:
    for k in (2, 3, 4, 8):
        assert theory.tips(100.0, 1.5, k) == pytest.approx(100.0 * theory.first_approval(1.5, k))
    for load in (0.01, 1.0, 50.0):
        waits = theory.first_approval_at_load(load, 1.0)
        assert theory.tips_at_load(load, 1.0) == pytest.approx(load * waits)
    assert theory.first_approval_at_load(0.01, 1.0) == pytest.approx(101.0)


def test_first_approval_is_the_mean_of_its_distribution() -> None:
    ages = np.linspace(0, 60, 600_001)
    for k in (2, 3):
        mean = np.trapezoid(theory.unapproved(ages, 1.0, k), ages)
        assert mean == pytest.approx(theory.first_approval(1.0, k), rel=1e-4)


def test_tips_in_rounds_is_the_fixed_point() -> None:
    for k in (2, 3):
        count = theory.tips_in_rounds(100.0, k)
        assert count * (1 - math.exp(-k * 100.0 / count)) == pytest.approx(100.0)
    assert theory.tips_in_rounds(1.0) == pytest.approx(1.255, abs=1e-3)


def test_growth_rate_is_popovs() -> None:
    """Popov 2018, section 3.1: exp(0.352 t / h), adaptation 2.84 h ln L."""
    rate = theory.growth_rate(2.0)
    assert rate * 2 == pytest.approx(0.352, abs=5e-4)
    assert rate * math.exp(rate * 2) == pytest.approx(1 / 4)
    assert theory.adaptation_period(100.0, 1.0) == pytest.approx(2.84 * math.log(200), rel=2e-3)


def test_lambert_solves_its_equation() -> None:
    for x in (0.0, 1e-3, 0.5, 4 / 3, 49 / 8, 1e4):
        w = theory.lambert(x)
        assert w * math.exp(w) == pytest.approx(x)


def test_branching_rate_is_lower_than_popovs_and_solves_the_sum_of_children() -> None:
    """The children of a block, discounted by their age at rate c, are one: summed up numerically."""
    ages = np.linspace(0, 80, 800_001)
    for k in (2, 3, 4, 8):
        c = theory.branching_rate(1.0, k)
        in_view = np.where(ages < 1, 0.0, np.exp(-(k - 1) * np.maximum(ages - 2, 0)))
        assert np.trapezoid((k - 1) * in_view * np.exp(-c * ages), ages) == pytest.approx(1.0, abs=1e-3)
        assert c < theory.growth_rate(1.0, k)
    assert theory.branching_rate(2.0) == pytest.approx(0.3305 / 2, abs=1e-4)
    assert theory.branching_rate(1.0, 1) == 0.0


def test_weight_grows_exponentially_then_with_the_rate() -> None:
    ages = np.linspace(0, 60, 601)
    weight = theory.weight(ages, 1e6, 1.0)
    early = (weight > 1e2) & (weight < 1e4)
    assert np.polyfit(ages[early], np.log(weight[early]), 1)[0] == pytest.approx(
        theory.branching_rate(1.0), rel=5e-3
    )
    assert weight[0] == weight[9] == 1.0
    assert (weight[-1] - weight[-2]) / 0.1 == pytest.approx(1e6, rel=1e-3)
    lag = theory.adaptation_lag(100.0, 1.0)
    assert 50 - theory.weight(50.0, 100.0, 1.0) / 100 == pytest.approx(lag, abs=0.02)


def test_weight_does_not_depend_on_the_unit_of_time() -> None:
    ages = np.array([1.0, 4.0, 20.0])
    assert theory.weight(ages * 3, 20.0, 3.0, 3) == pytest.approx(theory.weight(ages, 60.0, 1.0, 3), rel=1e-6)


def test_fluid_tips_come_to_the_stationary_number() -> None:
    times = np.linspace(0, 100, 11)
    rates = np.where(times < 50, 100.0, 300.0)
    for k in (2, 4):
        found = theory.fluid_tips(times, rates, 1.0, k)
        assert found[0] == 1.0
        assert found[4] == pytest.approx(theory.tips(100.0, 1.0, k), rel=0.01)
        assert found[-1] == pytest.approx(theory.tips(300.0, 1.0, k), rel=0.01)


def test_race_success_is_rosenfelds_table() -> None:
    """Rosenfeld 2014, table 1, in per cent: q = 10 % and 30 %, 1 to 6 confirmations."""
    for n, percent in enumerate((20.0, 5.6, 1.712, 0.546, 0.178, 0.059), start=1):
        assert 100 * theory.race_success(0.1, n) == pytest.approx(percent, abs=6e-4)
    assert 100 * theory.race_success(0.3, 6) == pytest.approx(15.645, abs=6e-4)
    # His closed form, to all digits.
    for q, n in ((0.1, 6), (0.3, 6), (0.45, 20)):
        p = 1 - q
        closed = 1 - sum(math.comb(m + n - 1, m) * (p**n * q**m - p**m * q**n) for m in range(n + 1))
        assert theory.race_success(q, n) == pytest.approx(closed, rel=1e-9)
    assert theory.race_success(0.5, 100) == theory.race_success(0.7, 100) == 1.0


def test_race_success_is_what_racing_gives() -> None:
    """Every course of the race, block by block, until its probability is negligible."""

    def race(q: float, depth: int, lead: int) -> float:
        chances = {(0, lead): 1.0}
        won = 0.0
        for _ in range(1_200):
            after: dict[tuple[int, int], float] = {}
            for (honest, ahead), chance in chances.items():
                if honest >= depth and ahead > honest:
                    won += chance
                elif honest - ahead < 60:
                    for step, p in (((honest + 1, ahead), 1 - q), ((honest, ahead + 1), q)):
                        after[step] = after.get(step, 0.0) + chance * p
            chances = {state: chance for state, chance in after.items() if chance > 1e-16}
        return won

    for q, depth, lead in ((0.2, 3, 1), (0.2, 3, 0), (0.35, 5, 2), (0.1, 0, 0)):
        assert theory.race_success(q, depth, lead=lead) == pytest.approx(race(q, depth, lead), abs=1e-6)


def test_poisson_race_is_nakamotos_table() -> None:
    """Nakamoto 2008, section 11: q = 0.1, z = 5: 0.0009137; q = 0.3, z = 10: 0.0416605."""
    assert theory.race_success_poisson(0.1, 5) == pytest.approx(0.0009137, abs=1e-7)
    assert theory.race_success_poisson(0.3, 10) == pytest.approx(0.0416605, abs=1e-7)
    assert theory.race_success_poisson(0.1, 0) == pytest.approx(1.0)
    assert theory.race_success_poisson(0.6, 3) == 1.0


def test_catch_up_is_the_gamblers_ruin() -> None:
    """P(d) = q P(d - 1) + p P(d + 1)."""
    for d in (1, 2, 7):
        q = 0.3
        expected = q * theory.catch_up(q, d - 1) + (1 - q) * theory.catch_up(q, d + 1)
        assert theory.catch_up(q, d) == pytest.approx(expected)
    assert theory.catch_up(0.3, 0) == 1.0
    assert theory.catch_up(0.5, 10) == 1.0


def test_heavy_success_takes_the_next_power_of_three() -> None:
    """Popov 2018, section 4: 1 - exp(-t mu / 3^n)."""
    assert theory.heavy_success(10.0, 2.0, 81.0) == pytest.approx(1 - math.exp(-20 / 81))
    assert theory.heavy_success(10.0, 2.0, 82.0) == pytest.approx(1 - math.exp(-20 / 243))
    assert theory.heavy_success(10.0, 2.0, 0.5) == pytest.approx(1 - math.exp(-20))


def test_many_success_is_the_gamma_distribution_under_its_bound() -> None:
    """P(Gamma(n) < t mu), integrated numerically; Chernoff's bound is above it."""
    for power, n in ((5.0, 100), (9.0, 100), (12.0, 100), (0.5, 3)):
        x = np.linspace(1e-9, 10 * power, 400_001)
        density = np.exp((n - 1) * np.log(x) - x - math.lgamma(n))
        assert theory.many_success(10.0, power, n) == pytest.approx(np.trapezoid(density, x), abs=1e-6)
        assert theory.many_bound(10.0, power, n) >= theory.many_success(10.0, power, n)
    assert theory.many_bound(10.0, 0.0, 3) == theory.many_success(10.0, 0.0, 3) == 0.0


def test_bisect_needs_a_change_of_sign() -> None:
    with pytest.raises(BadMeasure, match="sign"):
        theory.bisect(lambda x: x + 1, 0.0, 1.0)
