"""Every semantic rule, random transactions and single changes of them: iota-sdk 1.1 and we give the same verdict.

Where we differ on purpose `verdicts` says so, with the reason.
"""

from __future__ import annotations

import random

import pytest

from tangle.errors import TangleError
from tangle.protocol.conflicts import Conflict
from tangle.state.rules import Rule, chains
from tests.differential.cases import Case
from tests.differential.oracle import ours, theirs
from tests.differential.scenes import enlarged, worlds
from tests.differential.verdicts import differences, disagreement
from tests.state.rules.builders import Scene
from tests.state.rules.test_rules import CASES, NAMES
from tests.state.rules.world import NoWay, spoil

CHANGES = 12
"""changes of each random transaction; the last test tries all, of the sound twins of all rules"""


@pytest.mark.parametrize(("rule", "twin", "broken"), CASES, ids=NAMES)
def test_same_reason_for_every_rule(rule: Rule[...], twin: Scene, broken: Scene) -> None:
    sound = Case.of(enlarged(twin))
    assert ours(sound) == ()
    assert theirs(sound) is Conflict.NONE
    found = theirs(Case.of(enlarged(broken)))
    if rule is chains.unique:
        # Their tables keep one of the two states that a chain is given. No ledger holds two.
        assert found is Conflict.NONE
    else:
        assert isinstance(found, str) or found is rule.conflict


def test_same_reason_for_random_transactions() -> None:
    valid = tried = 0
    for seed, world, scene in worlds():
        drafted = Case.of(scene)
        assert disagreement(ours(drafted), theirs(drafted)) is None, f"seed {seed}"
        valid += ours(drafted) == ()
        for _ in range(4):
            try:
                case = Case.of(spoil(scene, world))
            except (NoWay, TangleError):
                continue
            assert disagreement(ours(case), theirs(case)) is None, f"seed {seed}"
            tried += 1
    assert valid > 200
    assert tried > 500


def test_same_verdict_after_one_change_of_random_transactions() -> None:
    tried = 0
    for seed, _, scene in worlds():
        count, found = differences(Case.of(scene), random.Random(seed), CHANGES)
        assert found == [], f"seed {seed}"
        tried += count
    assert tried > 2_000


@pytest.mark.parametrize("count", [100, pytest.param(10**6, marks=pytest.mark.slow)], ids=["some", "every"])
def test_same_verdict_after_one_change_of_every_sound_twin(count: int) -> None:
    tried = 0
    for twin in {id(twin): twin for _, twin, _ in CASES}.values():
        more, found = differences(Case.of(enlarged(twin)), random.Random(0), count)
        assert found == []
        tried += more
    assert tried > min(10_000, 20 * count)
