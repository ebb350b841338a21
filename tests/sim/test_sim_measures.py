"""Every measure equals a slow and obvious one, on networkx and in plain Python, on small seeded runs."""

import math
from functools import cache

import networkx as nx
import numpy as np
import pytest

from tangle import sim
from tangle.sim import measures, theory
from tangle.sim.errors import BadMeasure
from tangle.sim.measures.agreement import KINDS
from tangle.sim.measures.samples import BATCHES, Mean, Share
from tangle.sim.measures.walks import exact_confidence, share_of_hits
from tangle.tipselect import reference
from tangle.tipselect.confidence import wilson
from tests.tries import drawn, each

SEEDS = (1, 2, 3)


@cache
def small(seed: int, selector: str = "weighted", agents: int = 1) -> sim.Result:
    """A run of 400 blocks, ten per delay, heavy ones among them; strong alpha, so that some are left behind."""
    return sim.run(
        sim.Scenario(
            arrivals=10.0,
            delay=1.0,
            own_delay=0.0 if agents > 1 else None,
            spread="exponential" if seed == 3 else "fixed",
            selector=selector,
            alpha=0.3 if selector == "weighted" else None,
            blocks=400,
            agents=agents,
            own_weights=((1, 0.7), (5, 0.3)),
            entry_depth=40,
            seed=seed,
        )
    )


@cache
def torn(seed: int) -> sim.Result:
    """A run whose network is split, for so long that walks start behind it afterwards, on the side of the many."""
    return sim.run(
        sim.Scenario(
            arrivals=20.0,
            agents=(sim.Agent(share=0.8), sim.Agent(share=0.2)),
            alpha=0.1,
            blocks=1_200,
            splits=(sim.Split(start=10.0, end=25.0, groups=((1,),)),),
            entry_depth=40,
            seed=seed,
        )
    )


class Twin:
    """What an agent had received by a time: a Tangle of `tangle.tipselect.reference` by position, with numbers."""

    def __init__(self, result: sim.Result, time: float, agent: int) -> None:
        received = result.received(agent)
        known = sorted((float(received[b]), b) for b in range(result.blocks) if received[b] <= time)
        self.numbers = [b for _, b in known]
        place = {b: i for i, b in enumerate(self.numbers)}
        parents = {i: [place[int(p)] for p in result.parents[b] if p >= 0] for b, i in place.items()}
        self.tangle = reference.tangle(parents)
        self.weights = reference.weights(self.tangle)
        self.depth = result.scenario.depth

    def chances(self, alpha: float | None) -> dict[int, float]:
        """Chance of each tip, by position."""
        ends = reference.tips(self.tangle)
        if alpha is None:
            return dict.fromkeys(ends, 1 / len(ends))
        entries = reference.entry_points(self.tangle, self.weights, self.depth)
        passed = dict.fromkeys(self.tangle, 0.0)
        for x in entries:
            passed[x] += 1 / len(entries)
        for x in sorted(self.tangle):
            for y, chance in reference.step_probabilities(self.tangle, self.weights, x, alpha).items():
                passed[y] += passed[x] * chance
        return {x: passed[x] for x in ends}

    def confidence(self, alpha: float | None) -> dict[int, float]:
        """Confidence of each block, by number."""
        found = reference.confidences(self.tangle, self.chances(alpha))
        return {self.numbers[i]: c for i, c in found.items()}


def selector_alpha(selector: str) -> float | None:
    return {"uniform": None, "unweighted": 0.0, "weighted": 0.3}[selector]


# --- tips and first approvals -----------------------------------------------------------------------------------


@each("seed", SEEDS)
def test_tips_over_time_are_blocks_without_approvers(seed: int) -> None:
    result = small(seed)
    graph = result.networkx()
    times, tips = measures.tips_over_time(result, 23)
    assert times[0] == 0.0
    assert times[-1] == result.end
    for time, count in zip(times, tips, strict=True):
        then = graph.subgraph(b for b in graph if graph.nodes[b]["time"] <= time)
        assert count == sum(then.in_degree(b) == 0 for b in then)


def test_mean_tips_is_the_mean_over_time() -> None:
    result = small(1)
    start, end = 12.3, 31.0
    inside = [b for b in range(result.blocks) if start <= result.times[b] <= end]
    spans = [(result.tips[b], result.times[b + 1] - result.times[b]) for b in inside[:-1]]
    expected = sum(n * span for n, span in spans) / sum(span for _, span in spans)
    found = measures.mean_tips(result, start, end)
    assert found.mean == pytest.approx(expected)
    assert found.low < expected < found.high


@each("seed", SEEDS)
def test_first_approval_is_the_first_approver(seed: int) -> None:
    result = small(seed, agents=2)
    graph = result.networkx()
    start = 10.0
    late = result.end - measures.old_age(result)
    expected: dict[int, list[float]] = {0: [], 1: []}
    for b in range(1, result.blocks):
        time = graph.nodes[b]["time"]
        approvers = [graph.nodes[a]["time"] - time for a in graph.predecessors(b)]
        if start <= time <= late and approvers:
            expected[graph.nodes[b]["issuer"]].append(min(approvers))
    found = measures.time_to_first_approval(result, start)
    assert sorted(found) == pytest.approx(sorted(expected[0] + expected[1]))
    assert measures.mean_first_approval(result, start).mean == pytest.approx(found.mean())
    by_agent = measures.first_approval_by_agent(result, start)
    assert [each.mean for each in by_agent] == pytest.approx([np.mean(expected[a]) for a in (0, 1)])
    assert [each.count for each in by_agent] == [len(expected[0]), len(expected[1])]


# --- weights ----------------------------------------------------------------------------------------------------


@each("seed", SEEDS)
def test_weight_growth_counts_the_approvers_issued_by_then(seed: int) -> None:
    result = small(seed)
    graph = result.networkx()
    blocks = np.random.default_rng(seed).permutation(400)[:150]
    blocks[7] = blocks[3]
    ages = np.array([0.0, 0.5, 2.0, 2.0, 7.5, 30.0])
    found = measures.weight_growth(result, blocks, ages)
    for b, row in zip(blocks.tolist(), found, strict=True):
        future = [*nx.ancestors(graph, b), b]
        for age, weight in zip(ages, row, strict=True):
            time = result.times[b] + age
            if time > result.end:
                assert math.isnan(weight)
            else:
                assert weight == sum(result.own_weights[a] for a in future if result.times[a] <= time)


def test_adaptation_is_what_its_definition_says() -> None:
    result = small(2, "uniform")
    age = 15.0
    blocks = measures.followed(result, age, 40)
    found = measures.adaptation_period(result, blocks, age=age)
    ages = np.linspace(0, age, 201)
    weights = measures.weight_growth(result, blocks, ages)
    since = [result.times - result.times[b] for b in blocks]
    came = np.array([[result.own_weights[(a > 0) & (a <= age)].sum() for age in ages] for a in since])
    last = (weights[:, -1] - weights[:, -21]) > (came[:, -1] - came[:, -21]) / 2
    lags = [age * (c[-1] - (w[-1] - w[0])) / c[-1] for w, c in zip(weights[last], came[last], strict=True)]
    assert found.lag.mean == pytest.approx(np.mean(lags))
    assert found.adapted.count == last.sum() > 30
    shares = np.diff(weights.sum(axis=0)) / np.diff(came.sum(axis=0))
    for reached, least in ((found.half, 0.5), (found.full, 0.95)):
        assert (shares[ages[:-1] >= reached] >= least).all()
        assert shares[np.searchsorted(ages, reached) - 1] < least


# --- losses -----------------------------------------------------------------------------------------------------


@each("seed", SEEDS)
@pytest.mark.parametrize("age", [None, 2.5, 0.0])
def test_losses_are_old_blocks_that_no_young_tip_approves(seed: int, age: float | None) -> None:
    result = small(seed)
    graph = result.networkx()
    limit = result.end - (measures.old_age(result) if age is None else age)
    tips = [b for b in graph if graph.in_degree(b) == 0]
    young = [b for b in tips if result.times[b] >= limit]
    alive = set(young).union(*(nx.descendants(graph, b) for b in young))
    old = {b for b in graph if result.times[b] < limit}
    assert set(np.flatnonzero(measures.orphans(result, age)).tolist()) == old - alive
    share = measures.orphaned(result, age)
    assert (share.count, share.of) == (len(old - alive), len(old))
    assert (share.low, share.high) == wilson(share.count, share.of)
    behind = measures.left_behind(result, age)
    assert (behind.count, behind.of) == (len(old & set(tips)), len(old))
    times, counts = measures.left_behind_over_time(result, age, 17)
    late = measures.old_age(result) if age is None else age
    for time, count in zip(times, counts, strict=True):
        then = graph.subgraph(b for b in graph if result.times[b] <= time)
        assert count == sum(then.in_degree(b) == 0 and time - result.times[b] >= late for b in then)


@each("seed", SEEDS)
def test_survival_of_a_split_counts_each_side(seed: int) -> None:
    result = torn(seed)
    graph = result.networkx()
    limit = result.end - measures.old_age(result)
    young = [b for b in graph if graph.in_degree(b) == 0 and result.times[b] >= limit]
    alive = set(young).union(*(nx.descendants(graph, b) for b in young))
    found = measures.survival(result)
    assert len(found) == 2
    for agent, share in zip((1, 0), found, strict=True):
        mine = {b for b in graph if result.issuers[b] == agent and 10.0 <= result.times[b] < min(25.0, limit)}
        assert (share.count, share.of) == (len(mine & alive), len(mine))
    assert found[0].share < 0.1
    assert found[1].share > 0.8
    assert measures.summary(result)["survival_least"] == min(share.share for share in found)


# --- walks ------------------------------------------------------------------------------------------------------


@drawn
@each("seed", SEEDS)
@pytest.mark.parametrize("selector", ["uniform", "unweighted", "weighted"])
def test_exit_probabilities_solve_the_chain(seed: int, selector: str) -> None:
    result = small(seed, selector, 2)
    alpha = selector_alpha(selector)
    for time, agent in ((None, 0), (20.0, 1)):
        twin = Twin(result, result.end if time is None else time, agent)
        expected = {twin.numbers[i]: c for i, c in twin.chances(alpha).items()}
        found = measures.exit_probabilities(result, time, agent)
        assert dict(zip(found.tips.tolist(), found.chances.tolist(), strict=True)) == pytest.approx(expected)
        assert (found.low == found.chances).all()
        sampled = measures.exit_probabilities(result, time, agent, walks=4_000, seed=seed)
        assert (sampled.tips == found.tips).all()
        assert sampled.chances.sum() == pytest.approx(1.0)
        # Five standard deviations: one in a million would be above.
        sigma = np.sqrt(np.maximum(found.chances * (1 - found.chances), 0) / 4_000) + 1e-4
        assert (np.abs(sampled.chances - found.chances) < 5 * sigma).all()
        assert ((sampled.low <= sampled.chances) & (sampled.chances <= sampled.high)).all()


@drawn
@pytest.mark.parametrize("selector", ["uniform", "unweighted", "weighted"])
def test_confidence_is_the_share_of_selections_that_approve(selector: str) -> None:
    result = small(1, selector)
    alpha = selector_alpha(selector)
    blocks, ages = np.array([150, 0, 399, 151]), np.array([0.2, 3.0, 9.0])
    found = measures.confidence_over_time(result, blocks, ages, walks=2_000)
    for row, b in zip(found, blocks.tolist(), strict=True):
        for value, age in zip(row, ages, strict=True):
            time = float(result.times[b] + age)
            if time > result.end:
                assert math.isnan(value)
                continue
            expected = Twin(result, time, 0).confidence(alpha).get(b, 0.0)
            assert abs(value - expected) <= 5 * math.sqrt(max(expected * (1 - expected), 0.0) / 2_000) + 1e-9
    # What is asked for beside it changes no value.
    assert (measures.confidence_over_time(result, blocks[3:], ages, walks=2_000) == found[3:]).all()


@drawn
@pytest.mark.parametrize("selector", ["uniform", "unweighted", "weighted"])
def test_exact_confidence_is_what_hits_tend_to(selector: str) -> None:
    result = small(2, selector)
    alpha = selector_alpha(selector)
    seen = result.view(25.0)
    expected = Twin(result, 25.0, 0).confidence(alpha)
    exact = exact_confidence(result, seen, alpha)
    assert dict(zip(seen.numbers.tolist(), exact.tolist(), strict=True)) == pytest.approx(expected, abs=1e-12)
    hits = share_of_hits(result, seen, 5_000, alpha, np.random.default_rng(4)) / 5_000
    assert (np.abs(hits - exact) <= 5 * np.sqrt(np.maximum(exact * (1 - exact), 0) / 5_000) + 1e-9).all()


def test_confidence_by_age_averages_blocks_next_to_an_age() -> None:
    result = small(1)
    ages = np.array([2.0, 4.0, 8.0])
    found = measures.confidence_by_age(result, ages, views=3, walks=3_000)
    times = np.linspace(measures.warmup(result) + 8.0, result.end, 3)
    for row, time in zip(found, times, strict=True):
        groups: dict[int, list[float]] = {0: [], 1: [], 2: []}
        for b, c in Twin(result, float(time), 0).confidence(0.3).items():
            age = time - result.times[b]
            if age <= 10.0:
                groups[int(np.abs(ages - age).argmin())].append(c)
        assert row == pytest.approx([np.mean(groups[i]) for i in range(3)], abs=0.03)


@pytest.mark.parametrize("selector", ["uniform", "weighted"])
def test_walkers_go_as_fast_as_the_chain_says(selector: str) -> None:
    """Mean steps and distances follow from the probability to pass each block; 5 standard errors, seed 7."""
    result = small(1, selector)
    twin = Twin(result, result.end, 0)
    alpha = selector_alpha(selector) or 0.0
    entries = reference.entry_points(twin.tangle, twin.weights, twin.depth)
    passed = dict.fromkeys(twin.tangle, 0.0)
    for x in entries:
        passed[x] += 1 / len(entries)
    steps = blocks = time = 0.0
    for x in sorted(twin.tangle):
        for y, p in reference.step_probabilities(twin.tangle, twin.weights, x, alpha).items():
            chance = passed[x] * p
            passed[y] += chance
            steps += chance
            blocks += chance * (twin.numbers[y] - twin.numbers[x])
            time += chance * (result.times[twin.numbers[y]] - result.times[twin.numbers[x]])
    found = measures.walker_velocity(result, walks=5_000, seed=7)
    expected = (steps, blocks / steps, time / steps, steps / time)
    each = (found.steps, found.blocks_per_step, found.time_per_step, found.steps_per_delay)
    for mean, value in zip(each, expected, strict=True):
        assert abs(mean.mean - value) < 5 / 1.96 * (mean.high - mean.low) / 2


def test_watched_views_are_the_results_own() -> None:
    """Whatever the distance of the times, with a window that forgets: vertices, weights and tips are the same."""
    result = sim.run(
        sim.Scenario(arrivals=10.0, alpha=0.3, blocks=600, agents=2, entry_depth=20, window=100, seed=5)
    )
    times = [0.0, 5.0, 5.1, 6.0, 6.0, 8.0, 30.0, 31.0, 32.5, 60.0]
    for time, seen in zip(times, measures.watch(result, times, 1), strict=True):
        expected = result.view(time, 1)
        assert (seen.numbers == expected.numbers).all()
        assert (seen.graph.low, seen.graph.high) == (expected.graph.low, expected.graph.high)
        assert (seen.graph.weights == expected.graph.weights).all()
        assert (seen.tips() == expected.tips()).all()


# --- agents -----------------------------------------------------------------------------------------------------


@each("seed", SEEDS)
@pytest.mark.parametrize("of", KINDS)
def test_agreement_compares_each_two_agents(seed: int, of: str) -> None:
    result = small(seed, agents=3)
    times = np.array([6.0, 22.0])
    found = measures.agreement(result, times, of)
    assert found.shape == (2, 3, 3)
    for i, time in enumerate(times):
        twins = [Twin(result, time, agent) for agent in range(3)]
        values = []
        for twin in twins:
            chances = {twin.numbers[i]: c for i, c in twin.chances(0.3).items()}
            each = {"tips": dict.fromkeys(chances, 1.0), "preferred": chances, "confidence": twin.confidence(0.3)}
            values.append(each[of])
        for a in range(3):
            for b in range(3):
                one, other = values[a], values[b]
                both = one.keys() | other.keys()
                pairs = [(one.get(x, 0.0), other.get(x, 0.0)) for x in both]
                if of == "confidence":
                    pairs = [pair for pair in pairs if min(pair) < 1 - 1e-9]
                more = sum(max(pair) for pair in pairs)
                expected = sum(min(pair) for pair in pairs) / more if more else 1.0
                assert found[i, a, b] == pytest.approx(expected, abs=1e-9)
    assert (measures.agreement(result, times, of, agents=[2, 0])[:, 0, 1] == found[:, 2, 0]).all()


def test_agents_of_one_view_agree() -> None:
    result = sim.run(sim.Scenario(arrivals=10.0, blocks=300, agents=2, seed=1))
    for of in KINDS:
        assert measures.agreement(result, np.array([15.0]), of)[0] == pytest.approx(np.ones((2, 2)))


# --- all together -----------------------------------------------------------------------------------------------


def test_summary_holds_the_measures() -> None:
    result = sim.run(
        sim.Scenario(arrivals=20.0, selector="uniform", blocks=4_000, agents=2, spread="exponential", seed=1)
    )
    found = measures.summary(result)
    assert all(isinstance(value, float) for value in found.values())
    assert found["blocks"] == 4_000
    assert found["mean_tips"] == measures.mean_tips(result).mean
    assert found["mean_first_approval"] == measures.mean_first_approval(result).mean
    assert found["left_behind_share"] == measures.left_behind(result).share
    assert found["adaptation_lag"] == measures.adaptation_period(result).lag.mean
    assert found["expected_tips"] == theory.tips_at_load(measures.mean_rate(result), 1.0)
    assert 0 < found["agreement_tips"] < 1
    assert found["fastest_first_approval"] <= found["mean_first_approval"] <= found["slowest_first_approval"]


@pytest.mark.parametrize("blocks", [1, 2, 30])
def test_summary_of_a_short_run_says_nan(blocks: int) -> None:
    found = measures.summary(sim.run(sim.Scenario(arrivals=10.0, blocks=blocks, seed=1)))
    assert found["blocks"] == blocks
    if blocks > 1:
        assert math.isnan(found["adaptation_lag"])


def test_summary_of_a_chain() -> None:
    found = measures.summary(sim.run(sim.Scenario(arrivals=1.0, delay=0.0, parents=1, blocks=100, seed=1)))
    assert found["mean_tips"] == 1.0
    assert found["left_behind_share"] == 0.0


def test_shares_and_means_have_intervals() -> None:
    assert Share.of_counts(3, 10).share == float(Share.of_counts(3, 10)) == 0.3
    assert math.isnan(Share.of_counts(0, 0).share)
    assert math.isnan(Mean.of_values(np.empty(0)).mean)
    # Values in runs of a hundred: the interval of batches is wider than that of independent values, as it should.
    values = np.repeat(np.random.default_rng(1).normal(size=200), 100)
    series, naive = Mean.of_series(values), Mean.of_values(values)
    assert series.mean == pytest.approx(naive.mean)
    assert series.high - series.low > 5 * (naive.high - naive.low)
    assert series.low < 0 < series.high
    assert Mean.of_series(np.ones(BATCHES)).high == math.inf


def test_bad_questions_are_refused() -> None:
    result = small(1)
    ages = np.array([1.0])
    for ask, field in (
        (lambda: measures.tips_over_time(result, 0), "points"),
        (lambda: measures.weight_growth(result, np.array([400]), ages), "blocks"),
        (lambda: measures.weight_growth(result, np.array([-1]), ages), "blocks"),
        (lambda: measures.weight_growth(result, np.array([1]), np.array([2.0, 1.0])), "ages"),
        (lambda: measures.weight_growth(result, np.array([1]), np.array([np.nan])), "ages"),
        (lambda: measures.adaptation_period(result, age=1e3), "age"),
        (lambda: measures.adaptation_period(result, np.array([399])), "age"),
        (lambda: measures.growth_rate(result), "most"),
        (lambda: measures.left_behind(result, -1.0), "age"),
        (lambda: measures.survival(result), "split"),
        (lambda: measures.agreement(result, ages, "colour"), "of"),
        (lambda: measures.exit_probabilities(result, walks=0), "walks"),
        (lambda: measures.confidence_by_age(result, np.empty(0)), "ages"),
        (lambda: measures.walker_velocity(result, 0.0), "time"),
        (lambda: measures.followed(result, 1e9), "age"),
    ):
        with pytest.raises(BadMeasure) as caught:
            ask()
        assert caught.value.field == field
