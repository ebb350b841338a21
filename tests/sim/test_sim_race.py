"""Double spends against what is known: exact races on chains, the white paper's count, exact walks at a fork.

Every comparison states its source, its seeds and its tolerance. Frequencies are compared by Wilson intervals of
z = 3.29 (99.9 %): with fixed seeds they hold or they do not, and a right program passes nearly any seeds.
"""

import math
from math import comb

import numpy as np
import pytest

from tangle import sim
from tangle.sim import contest
from tangle.sim.attacks.race import PAYMENT, REPLACEMENT
from tangle.sim.world import World
from tangle.tipselect import exact
from tangle.tipselect.confidence import wilson
from tests.tries import drawn, tries

Z = 3.29
"""standard deviations; 99.9 %"""


def inside(expected: float, wins: int, runs: int) -> bool:
    low, high = wilson(wins, runs, Z)
    return low <= expected <= high


# --- chains: no delay, so the Tangle is a block chain and counts are all there is ----------------------------


def chain_race(share: float, depth: int, **fields: object) -> sim.Scenario:
    """Blocks see each other at once, walks start at the genesis and great alpha takes the heavier side."""
    adversary = sim.Adversary(attack="double-spend", share=share, settings={"depth": depth})
    base = sim.Scenario(arrivals=1.0, delay=0.0, alpha=8.0, entry_depth=120, blocks=120, adversary=adversary)
    return base.but(**fields)


def catch_up(q: float, depth: int) -> float:
    """Probability that a secret chain ever gets ahead of a payment of that weight or more, exactly.

    Each block is the attacker's with probability q < 1/2. When the payment weighs `depth`, itself included, he has
    m blocks with negative binomial probability; to be ahead he still has to gain depth - m + 1, which a random
    walk ever does with (q / p) to that power (Rosenfeld 2014, "Analysis of hashrate-based double-spending",
    section 3, there with one block mined beforehand and a draw for a win).
    """
    p, total = 1 - q, 0.0
    for m in range(400):
        chance = comb(m + depth - 2, m) * q**m * p ** (depth - 1) if depth > 1 else float(m == 0)
        total += chance * (q / p) ** max(depth - m + 1, 0)
    return total


def nakamoto(q: float, depth: int) -> float:
    """The same by Nakamoto 2008, section 11: his count is taken as Poisson, with the mean for depth - 1 blocks."""
    mean, behind = (depth - 1) * q / (1 - q), 0.0
    chance = math.exp(-mean)
    for m in range(depth + 1):
        behind += chance * (1 - (q / (1 - q)) ** (depth - m + 1))
        chance *= mean / (m + 1)
    return 1 - behind


@drawn
@pytest.mark.parametrize(("share", "depth"), [(0.2, 2), (0.3, 6), (0.4, 3), (0.4, 10)])
def test_double_spend_on_a_chain_is_the_race_of_two_counts(share: float, depth: int) -> None:
    """120 runs in make test-long, seeds from 1; who is ahead wins, since all walks pass the fork."""
    runs = tries(120)
    results = [sim.run(chain_race(share, depth, seed=seed)) for seed in range(1, runs + 1)]
    ahead = sum(map(contest.outpaced, results))
    assert inside(catch_up(share, depth), ahead, runs), (catch_up(share, depth), ahead / runs)
    # Runs end: a release in the last few blocks leaves no honest block to tell who won.
    assert 0 <= ahead - sum(map(contest.succeeded, results)) <= 2


def test_the_poisson_count_is_an_approximation() -> None:
    """Nakamoto's count errs to the attacker's disfavour, as is known (Rosenfeld 2014, section 5)."""
    for q, depth in ((0.2, 6), (0.3, 10), (0.3, 20)):
        assert nakamoto(q, depth) < catch_up(q, depth)
    assert catch_up(0.4, 1) == pytest.approx((0.4 / 0.6) ** 2)


def small_race(q: float, alpha: float, depth: int, n: int) -> tuple[float, float]:
    """Exact probabilities, n blocks after the payment, that it was outpaced, and that the double spend then won.

    A tree with one parent each and no delay has two counts: weight A of the secret side, W of the payment. Before
    the release each block adds to one of them. After it an honest walk comes to the fork with these two approvers
    and takes the attacker's with exp(alpha A) / (exp(alpha A) + exp(alpha W)) (Popov 2018, section 4.1), while he
    goes on upon his own. He wins with more than half of the honest blocks since.
    """
    before, after = {(0, 1): 1.0}, dict[tuple[int, int, int], float]()
    for _ in range(n):
        racing, voting = dict[tuple[int, int], float](), dict[tuple[int, int, int], float]()
        for (a, w), chance in before.items():
            for state, share in (((a + 1, w), q), ((a, w + 1), 1 - q)):
                if state[1] >= depth and state[0] > state[1]:
                    voting[*state, 0] = voting.get((*state, 0), 0.0) + chance * share
                else:
                    racing[state] = racing.get(state, 0.0) + chance * share
        for (a, w, lead), chance in after.items():
            his = 1 / (1 + math.exp(alpha * (w - a)))
            steps = (
                ((a + 1, w, lead), q),
                ((a + 1, w, lead + 1), (1 - q) * his),
                ((a, w + 1, lead - 1), (1 - q) * (1 - his)),
            )
            for key, share in steps:
                voting[key] = voting.get(key, 0.0) + chance * share
        before, after = racing, voting
    return sum(after.values()), sum(chance for (_, _, lead), chance in after.items() if lead > 0)


@pytest.mark.parametrize("alpha", [0.0, 0.15, 1.0])
def test_double_spend_on_a_small_tree_is_computed_exactly(alpha: float) -> None:
    """q = 0.4, depth 3, 30 blocks; 150 runs in the long suite, seeds from 1. A lead alone is worth little."""
    q, depth, blocks, runs = 0.4, 3, 30, tries(150)
    scenario = chain_race(q, depth, parents=1, alpha=alpha, blocks=blocks)
    ahead, won = 0.0, 0.0
    for first in range(1, blocks):
        # The payment is his first block.
        chances = small_race(q, alpha, depth, blocks - 1 - first)
        ahead += q * (1 - q) ** (first - 1) * chances[0]
        won += q * (1 - q) ** (first - 1) * chances[1]
    outcomes = [contest.outcome(sim.run(scenario.but(seed=seed))) for seed in range(1, runs + 1)]
    assert inside(ahead, int(sum(each.get("attack_released", 0.0) for each in outcomes)), runs)
    wins = int(sum(each["attack_success"] for each in outcomes))
    assert inside(won, wins, runs), (won, wins / runs)
    if alpha == 0.0:
        assert wins / runs < 0.7 * ahead


# --- high load: the white paper's count ---------------------------------------------------------------------


def poisson(mean: float, at_most: int) -> list[float]:
    chances = [math.exp(-mean)]
    for m in range(1, at_most + 1):
        chances.append(chances[-1] * mean / m)
    return chances


def white_paper(weight: int, mean: float, ratio: float) -> float:
    """Chance to outpace, about exp(-w0 phi(max(mu t0 / w0, mu / lambda))): Popov 2018, section 4, weights of 1.

    mean : mu t0, the blocks he is expected to make until the payment weighs w0
    """
    a = max(mean / weight, ratio)
    return math.exp(-weight * (a - 1 - math.log(a))) if a < 1 else 1.0


def test_double_spend_at_high_load_is_the_poisson_count() -> None:
    """lambda h = 10, k = 2, alpha = 0.1, q = 0.36, depth 60; 80 runs in make test-long, seeds from 1.

    Popov 2018, section 4: the attacker's blocks until the payment weighs w0 are a Poisson count of mean mu t0.
    Given t0, which honest blocks alone decide, that is exact. From then on he is a random walk, if the payment's
    weight has come to grow by lambda; it grows more slowly while tips that do not approve it remain, so a little
    more is won.
    """
    q, rate, depth, runs = 0.36, 10.0, 60, tries(80)
    power = rate * q / (1 - q)
    adversary = sim.Adversary(attack="double-spend", share=q, start=12.0, delay=0.0, settings={"depth": depth})
    scenario = sim.Scenario(arrivals=rate, alpha=0.1, blocks=550, adversary=adversary)
    at_once = later = won = 0
    expected_at_once, expected, bound, spans = [], [], [], []
    for seed in range(1, runs + 1):
        result = sim.run(scenario.but(seed=seed))
        payment = int(np.flatnonzero(result.sides & (1 << PAYMENT))[0])
        seen = np.sort(result.received(1)[np.flatnonzero(result.sides & (1 << PAYMENT))])
        if seen.size < depth:
            # The payment was left behind; nobody sells, nobody is cheated.
            continue
        span = seen[depth - 1] - result.times[payment]
        secret = np.flatnonzero(~result.honest & (result.times > result.times[payment]))
        at_once += int(np.count_nonzero(result.times[secret] <= seen[depth - 1]) > depth)
        later += contest.outpaced(result)
        won += contest.succeeded(result)
        behind = poisson(power * span, depth)
        expected_at_once.append(1 - sum(behind))
        expected.append(1 - sum(c * (1 - (q / (1 - q)) ** (depth - m + 1)) for m, c in enumerate(behind)))
        bound.append(white_paper(depth, power * span, q / (1 - q)))
        spans.append(span)
    n = len(spans)
    assert n > 0.9 * runs
    assert inside(float(np.mean(expected_at_once)), at_once, n), (np.mean(expected_at_once), at_once / n)
    assert inside(float(np.mean(expected)), later, n), (np.mean(expected), later / n)
    # The white paper's formula is Chernoff's bound of the count: above it, and of its order of magnitude only.
    assert np.mean(expected_at_once) < np.mean(bound)
    # A Tangle does not crown who is ahead: walks that enter it behind the fork stay where they are.
    assert won <= later


def test_uniform_selection_does_not_care_who_is_ahead() -> None:
    """Seeds 1 to 8, q = 0.45: he gets ahead nearly always, and his two tips are two among many."""
    adversary = sim.Adversary(attack="double-spend", share=0.45, start=10.0, settings={"depth": 20})
    scenario = sim.Scenario(arrivals=10.0, selector="uniform", blocks=700, adversary=adversary)
    results = [sim.run(scenario.but(seed=seed)) for seed in range(1, 9)]
    assert sum(map(contest.outpaced, results)) >= 7
    assert not any(map(contest.succeeded, results))


# --- small DAGs: exact walks --------------------------------------------------------------------------------


def at_fork(seed: int, alpha: float) -> World:
    """Run until two delays after the release."""
    adversary = sim.Adversary(attack="double-spend", share=0.4, start=3.0, settings={"depth": 5})
    scenario = sim.Scenario(
        arrivals=4.0, parents=2, alpha=alpha, blocks=200, entry_depth=50, adversary=adversary, seed=seed
    )
    world = World(scenario)
    while not world.released or world.now <= max(world.released.values()) + 2.0:
        assert world.issued < 150, "no release with this seed"
        world.run_to(world.issued + 1)
    return world


@drawn
@pytest.mark.parametrize(("seed", "alpha"), [(1, 0.0), (2, 0.05), (3, 0.3), (4, 1.0)])
def test_selections_at_a_small_fork_have_the_exact_chances(seed: int, alpha: float) -> None:
    """About 50 to 90 blocks, 6 to 13 tips: 4,000 selections of one tip against `tangle.tipselect.exact`."""
    world = at_fork(seed, alpha)
    seen = world.seen(0)
    tips, chances = exact.tip_chances(seen.graph, alpha=alpha, entry_depth=world.scenario.depth)
    sides = world.record.sides[[seen.number(int(tip)) for tip in tips]]
    for side in (PAYMENT, REPLACEMENT):
        expected = float(chances[(sides >> side) & 1 == 1].sum())
        assert 0.0 < expected < 1.0, expected
        n = 4_000
        found = sum(int(world.record.sides[world.select(0, 1)[0]] >> side) & 1 for _ in range(n))
        assert inside(expected, found, n), (
            f"seed {seed}, alpha {alpha}, side {side}: {expected} exact, {found / n} drawn"
        )
