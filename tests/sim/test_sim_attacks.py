"""Attacks: what they may do, what they never do, and whether each ends as its source says."""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import pytest

from tangle import sim
from tangle.sim import contest
from tangle.sim.attacker import Attacker, Issue, Moves
from tangle.sim.attacks import ATTACKS, attack
from tangle.sim.attacks.selfish import greedy
from tangle.sim.attacks.settings import bound
from tangle.sim.errors import BadAttack, BadScenario
from tangle.sim.fields import Range
from tangle.tipselect.graph import Graph
from tests.tries import drawn

SETTINGS: dict[str, dict[str, Any]] = {
    "double-spend": {"depth": 15}, "parasite-chain": {"length": 20, "depth": 15}, "splitting": {}, "lazy-tips": {},
    "tip-spam": {"burst": 10},
}  # fmt: skip


def attacked(
    name: str, share: float = 0.3, *, settings: dict[str, Any] | None = None, **fields: Any
) -> sim.Scenario:
    given = SETTINGS.get(name, {}) if settings is None else settings
    adversary = sim.Adversary(attack=name, share=share, start=10.0, settings=given)
    alpha = 0.1 if fields.get("selector", "weighted") == "weighted" else None
    return sim.Scenario(**{"arrivals": 10.0, "blocks": 800, "alpha": alpha, "adversary": adversary, **fields})


# --- settings -----------------------------------------------------------------------------------------------


def test_every_named_attack_has_a_verdict() -> None:
    assert ATTACKS.keys() == contest.VERDICTS.keys() == SETTINGS.keys()


@pytest.mark.parametrize(
    ("name", "settings", "field"),
    [
        ("double-spend", {"depht": 3}, "adversary.settings.depht"),
        ("double-spend", {"depth": 0}, "adversary.settings.depth"),
        ("double-spend", {"depth": 2.5}, "adversary.settings.depth"),
        ("double-spend", {"depth": True}, "adversary.settings.depth"),
        ("double-spend", {"patience": -1.0}, "adversary.settings.patience"),
        ("double-spend", {"patience": "long"}, "adversary.settings.patience"),
        ("parasite-chain", {"links": 8}, "adversary.settings.links"),
        ("splitting", {"balance": "luck"}, "adversary.settings.balance"),
        ("splitting", [], "adversary.settings"),
        ("lazy-tips", {"age": float("nan")}, "adversary.settings.age"),
        ("tip-spam", {"burst": 0}, "adversary.settings.burst"),
        ("nobody", {}, "adversary.attack"),
        ("nowhere.at_all:nothing", {}, "adversary.attack"),
    ],
)
def test_a_bad_setting_is_refused_when_the_scenario_is_made(name: str, settings: Any, field: str) -> None:
    with pytest.raises(BadScenario) as caught:
        sim.Scenario(adversary=sim.Adversary(attack=name, share=0.2, settings=settings))
    assert caught.value.field == field


def test_an_attack_of_ones_own_declares_its_settings_likewise() -> None:
    def own(attacker: Attacker, *, often: Annotated[int, Range(1, 9)], loud: bool = False, **_: Any) -> Moves:
        yield Issue(attacker.select())

    bound(own, {"often": 9, "loud": True, "anything": None})
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "often"), ({"often": 10}, "often"), ({"often": 1, "loud": 1}, "loud")
    ]  # fmt: skip
    for settings, field in wrong:
        with pytest.raises(BadScenario) as caught:
            bound(own, settings)
        assert caught.value.field == f"adversary.settings.{field}"
    bound_attack = attack("tip-spam", {"burst": 3})
    assert bound_attack.keywords == {"burst": 3}  # type: ignore[attr-defined]


# --- what never happens -------------------------------------------------------------------------------------


@drawn
@pytest.mark.parametrize("name", sorted(ATTACKS))
@pytest.mark.parametrize("selector", ["uniform", "unweighted", "weighted"])
def test_nobody_sees_the_withheld_nor_approves_both_sides(name: str, selector: str) -> None:
    """For every block: each parent was received by its issuer, a withheld one not before its release."""
    for seed, spread in enumerate(("fixed", "uniform", "exponential"), start=1):
        scenario = attacked(name, selector=selector, spread=spread, agents=2, seed=seed, blocks=500)
        result = sim.run(scenario)
        where = f"{name} {selector} {spread} seed {seed}"
        assert not (result.sides & (result.sides - 1)).any(), where
        received = np.stack([result.received(agent) for agent in range(3)])
        blocks, columns = np.nonzero(result.parents >= 0)
        parents = result.parents[blocks, columns]
        assert (received[result.issuers[blocks], parents] <= result.times[blocks]).all(), where
        released = np.zeros(result.blocks)
        released[list(result.withheld)] = list(result.withheld.values())
        honest = result.honest[blocks]
        assert (released[parents[honest]] <= result.times[blocks[honest]]).all(), where
        # A side passes on to whoever approves it.
        sides = np.bitwise_or.reduce(np.where(result.parents >= 0, result.sides[result.parents], 0), axis=1)
        assert ((result.sides & sides) == sides).all(), where
        assert np.count_nonzero(result.sides != sides) <= 2, where


def test_a_result_is_the_same_each_time() -> None:
    for name in ATTACKS:
        one, other = sim.run(attacked(name)), sim.run(attacked(name))
        assert np.array_equal(one.parents, other.parents)
        assert one.withheld == other.withheld


def upon_withheld(attacker: Attacker) -> Moves:
    """Publish a block upon one that is withheld."""
    hidden = yield Issue(attacker.select(), withheld=True)
    yield Issue([hidden])


def release_child_first(attacker: Attacker) -> Moves:
    """Release a block whose parent is withheld."""
    hidden = yield Issue(attacker.select(), withheld=True)
    child = yield Issue([hidden], withheld=True)
    attacker.release([child])
    yield Issue(attacker.select())


def release_twice(attacker: Attacker) -> Moves:
    """Release a block that is public."""
    block = yield Issue(attacker.select())
    attacker.release([block])
    yield Issue(attacker.select())


def both_sides(attacker: Attacker) -> Moves:
    """Approve both sides of a conflict."""
    parents = attacker.select()
    one = yield Issue(parents, side=0)
    other = yield Issue(parents, side=1)
    yield Issue([one, other])


def unknown_parent(attacker: Attacker) -> Moves:
    """Approve a block that is not there yet."""
    yield Issue([attacker.next_block])


@pytest.mark.parametrize(
    ("own", "field"),
    [
        (upon_withheld, "parents"), (release_child_first, "release"), (release_twice, "release"),
        (both_sides, "parents"), (unknown_parent, "parents"),
    ],
)  # fmt: skip
def test_what_no_issuer_can_do_is_an_error(own: Any, field: str) -> None:
    with pytest.raises(BadAttack) as caught:
        sim.run(attacked(f"{__name__}:{own.__name__}", settings={}))
    assert caught.value.field == field


def test_support_is_the_cumulative_weight_of_what_has_been_received() -> None:
    seen: list[tuple[int, int, int]] = []

    def watching(attacker: Attacker) -> Moves:
        block = yield Issue(attacker.select(), side=3)

        def look() -> None:
            view = attacker.seen()
            index = view.indices(np.array([block]))[0]
            weight = view.graph.weight(int(index))
            seen.append((attacker.support(3), weight, attacker.next_block))

        attacker.watch = look
        while True:
            yield Issue(attacker.select())

    ATTACK[:] = [watching]
    scenario = attacked(
        f"{__name__}:given", settings={}, own_weights=((1, 0.5), (4, 0.5)), spread="uniform", blocks=400
    )
    sim.run(scenario)
    assert len(seen) > 100
    # The weight takes the issuer of an opening to have no side of a conflict beside it.
    assert all(support == weight for support, weight, _ in seen)
    assert [number for *_, number in seen] == list(range(seen[0][2], 401))


ATTACK: list[Callable[[Attacker], Moves]] = []


def given(attacker: Attacker) -> Moves:
    """Do what a test has put there."""
    return ATTACK[0](attacker)


# --- how they end -------------------------------------------------------------------------------------------


def share(scenario: sim.Scenario, seeds: range = range(1, 4)) -> float:
    return float(np.mean([contest.outcome(sim.run(scenario.but(seed=seed)))["attack_share"] for seed in seeds]))


def test_a_parasite_chain_draws_walks_without_weights_by_its_links() -> None:
    """Popov 2018, section 4.1; Cullen and others 2020: the chain loses its pull as alpha grows. Seeds 1 to 3."""
    settings = {"length": 50, "depth": 100}
    scenario = attacked("parasite-chain", 0.2, settings=settings, arrivals=20.0, blocks=1_600)
    assert share(scenario.but(alpha=0.0)) > 0.6
    assert share(scenario.but(alpha=0.05)) < 0.05
    lonely = attacked(
        "parasite-chain", 0.2, settings={**settings, "links": 0}, arrivals=20.0, blocks=1_600, alpha=0.0
    )
    assert share(lonely) < 0.5


def test_a_split_lasts_among_tips_and_not_among_weights() -> None:
    """Popov 2018, section 4.2: great alpha ends it. Seeds 1 to 3."""
    by_tips = attacked("splitting", 0.2, settings={"balance": "tips"}, arrivals=30.0, blocks=2_000)
    by_weight = attacked("splitting", 0.2, arrivals=30.0, blocks=2_000)
    assert share(by_tips.but(selector="uniform", alpha=None)) > 0.4
    assert share(by_weight) == 0.0


def test_lazy_tips_are_approved_by_chance_only() -> None:
    scenario = attacked("lazy-tips", 0.1)
    assert share(scenario.but(selector="uniform", alpha=None)) > 0.95
    assert share(scenario.but(alpha=0.5)) < 0.1


def test_lazy_tips_can_start_with_old_blocks() -> None:
    result = sim.run(attacked("lazy-tips", settings={"age": 5.0}))
    parents = np.unique(result.parents[~result.honest])
    began = result.times[np.flatnonzero(~result.honest)[0]]
    assert parents.size == 2
    assert (result.times[parents] <= began - 5.0).all()


def test_spam_fills_the_tips_of_unweighted_walks() -> None:
    scenario = attacked("tip-spam", settings={"burst": 50}, arrivals=30.0, blocks=2_000)
    assert share(scenario.but(selector="unweighted", alpha=None)) > 0.5
    # Selection among tips clears its share away: what is left is his share of the blocks.
    assert share(scenario.but(selector="uniform", alpha=None)) == pytest.approx(0.3, abs=0.06)
    quiet = sim.run(scenario.but(adversary=None, selector="uniform", alpha=None))
    loud = sim.run(scenario.but(selector="uniform", alpha=None))
    assert loud.tips[-500:].mean() > 1.2 * quiet.tips[-500:].mean()


def test_greedy_agents_take_the_likeliest_tips() -> None:
    graph = Graph()
    for parents in ([], [0], [0], [1], [1], [1, 4], [2]):
        graph.append(parents)
    # Without weights a walk from the genesis ends on 6 with 1/2, on 3 and on 5 with less; 5 has the ways over 1
    # and 4.
    assert list(greedy(graph, 2, np.random.default_rng(1), alpha=0.0)) == [6, 5]
    agents = (sim.Agent(share=0.8), sim.Agent(share=0.2, selector="tangle.sim.attacks.selfish:greedy"))
    result = sim.run(attacked("splitting", agents=agents, blocks=500))
    assert not (result.sides & (result.sides - 1)).any()
    rows = contest.costs(result, warmup=5.0)
    assert [row["name"] for row in rows] == ["0", "1"]
