"""Success of attacks: what counts, over how many runs, by how many workers."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tangle import sim
from tangle.sim import contest
from tangle.sim.attacker import Attacker, Issue, Moves
from tangle.sim.errors import BadMeasure, BadScenario
from tangle.sim.measures import summary
from tangle.tipselect.confidence import wilson

RACE = sim.Scenario(
    arrivals=1.0, delay=0.0, alpha=3.0, blocks=60, entry_depth=60,
    adversary=sim.Adversary(attack="double-spend", share=0.4, settings={"depth": 3}),
)  # fmt: skip


def test_success_is_the_same_with_any_number_of_workers() -> None:
    alone = contest.success(RACE, 12)
    shared = contest.success(RACE, 12, workers=2)
    assert alone == shared
    assert 0 < alone.wins < 12
    assert (alone.low, alone.high) == wilson(alone.wins, 12)
    assert alone.share == alone.wins / 12


def test_seeds_can_be_given() -> None:
    wins = [seed for seed in range(1, 13) if contest.succeeded(sim.run(RACE.but(seed=seed)))]
    assert contest.success(RACE, len(wins), seeds=wins).share == 1.0


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"runs": 0}, "runs"), ({"workers": 0}, "workers"), ({"seeds": [1]}, "seeds")],
)
def test_numbers_out_of_range_are_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(BadScenario) as caught:
        contest.success(RACE, **{"runs": 2, **fields})
    assert caught.value.field == field


def test_without_an_adversary_there_is_no_success() -> None:
    quiet = RACE.but(adversary=None)
    assert contest.outcome(sim.run(quiet)) == {}
    with pytest.raises(BadMeasure):
        contest.succeeded(sim.run(quiet))
    with pytest.raises(BadScenario):
        contest.success(quiet, 2)


def test_who_gives_up_is_never_seen() -> None:
    """Depth 40 is never reached in the time he waits: the payment stands and all the rest stays in secret."""
    hasty = replace(RACE.adversary, settings={"depth": 40, "patience": 10.0})  # type: ignore[type-var]
    result = sim.run(RACE.but(adversary=hasty))
    assert contest.outcome(result) == {"attack_success": 0.0, "attack_share": 0.0, "attack_released": 0.0}
    assert set(result.withheld) == set(np.flatnonzero(~result.honest)[1:])
    assert not np.isfinite(list(result.withheld.values())).any()
    assert (result.sides[result.honest] <= 1).all()


def test_an_attack_of_ones_own_is_judged_by_side_one() -> None:
    own = sim.Adversary(attack="tangle.sim.attacks.double_spend:double_spend", share=0.4, settings={"depth": 3})
    for seed in range(1, 6):
        mine, named = (contest.outcome(sim.run(RACE.but(adversary=a, seed=seed))) for a in (own, RACE.adversary))
        assert mine == named
    spam = sim.Adversary(attack="tangle.sim.attacks.tip_spam:tip_spam", share=0.4)
    with pytest.raises(BadMeasure):
        contest.outcome(sim.run(RACE.but(adversary=spam)))


def quiet(attacker: Attacker) -> Moves:
    """Issue as honest people do."""
    while True:
        yield Issue(attacker.select())


def test_an_attack_without_a_conflict_is_summed_up_without_a_verdict() -> None:
    adversary = sim.Adversary(attack=f"{__name__}:quiet", share=0.2)
    result = sim.run(sim.Scenario(arrivals=10.0, selector="uniform", blocks=400, adversary=adversary))
    assert math.isnan(summary(result)["attack_success"])
